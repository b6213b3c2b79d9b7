"""Who works on a creation: one locked file for each, freed by the system when a process ends.

Two keytui may run at once. While one waits for AWS or shows a secret, another must not take
the new key for an orphan; when the first is killed, it must. A lock tells the two apart,
as a process ID on a shared home folder could not.
"""

import errno
import fcntl
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_ATTEMPT = re.compile(r"[0-9a-f]{1,64}")


class Claims:
    """The claims in one folder. Any thread may call."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._held: dict[str, int] = {}

    def take(self, attempt: str) -> bool:
        """Claim a creation; return False where a living process has claimed it.

        Raises:
            OSError: The folder can't be written.
        """
        path = self._path(attempt)
        if path is None or attempt in self._held:
            return False
        make_private(self._folder)
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
        handle = os.open(path, flags, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        except OSError:
            os.close(handle)
            raise
        if not _is_at(handle, path):  # Its holder gave it back, and removed it, meanwhile.
            os.close(handle)
            return False
        self._held[attempt] = handle
        return True

    def drop(self, attempt: str) -> None:
        """Give a claim back; no error where there is none."""
        handle = self._held.pop(attempt, None)
        path = self._path(attempt)
        if handle is None or path is None:
            return
        with suppress(OSError):
            path.unlink()
        os.close(handle)

    def mark(self, attempt: str) -> None:
        """Leave a sign on a claimed creation that outlives the claim, also on a full disk.

        A second name for the lock's file needs no room for data. Does nothing where that fails.
        """
        lock, sign = self._path(attempt), self._sign(attempt)
        if lock and sign:
            with suppress(OSError):
                sign.hardlink_to(lock)

    def is_marked(self, attempt: str) -> bool:
        """Return whether there is such a sign."""
        sign = self._sign(attempt)
        return sign is not None and sign.exists()

    def unmark(self, attempt: str) -> None:
        """Remove it."""
        if sign := self._sign(attempt):
            with suppress(OSError):
                sign.unlink(missing_ok=True)

    def _path(self, attempt: str) -> Path | None:
        # The attempt may come from a damaged line: it names no file outside this folder.
        return self._folder / f"{attempt}.lock" if _ATTEMPT.fullmatch(attempt) else None

    def _sign(self, attempt: str) -> Path | None:
        lock = self._path(attempt)
        return lock.with_suffix(".stored") if lock else None


def make_private(folder: Path) -> None:
    """Make a folder, with those above it that are missing, for its owner alone.

    Whatever the umask. One that is there already is closed to other users' eyes; that others
    can't have written to it is what ``require_own_folder`` checks.
    """
    for missing in reversed([part for part in (folder, *folder.parents) if not part.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
        missing.chmod(0o700)
    require_own_folder(folder)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        with suppress(OSError):  # a disk that knows no modes
            folder.chmod(0o700)


def require_own_folder(folder: Path) -> None:
    """See that only this user can have put a file into a folder.

    Raises:
        OSError: It is another user's, or others may write to it. Its text says which.
    """
    status = folder.stat()
    if status.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "its folder belongs to another user")
    if status.st_mode & _OTHERS_WRITE:
        raise OSError(errno.EPERM, "others may write to its folder")


def _is_at(handle: int, path: Path) -> bool:
    """Return whether an open file is the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except OSError:
        return False
