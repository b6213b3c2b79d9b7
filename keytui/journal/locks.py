"""Who works on a creation: one locked file for each, freed by the system when a process ends.

Two keytui may run at once. While one waits for AWS or shows a secret, another must not take
the new key for an orphan; when the first is killed, it must. A lock tells the two apart,
as a process ID on a shared home folder could not.
"""

import fcntl
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from keytui.core.gate import Gate
from keytui.core.own_files import make_private, require_own_folder

_ATTEMPT = re.compile(r"[0-9a-f]{1,64}")


class Claims:
    """The claims in one folder. Any thread may call."""

    def __init__(self, folder: Path, gate: Gate) -> None:
        self._folder = folder
        self._gate = gate
        self._held: dict[str, int] = {}

    def take(self, attempt: str) -> bool:
        """Claim a creation; return False where a living process has claimed it.

        In read-only mode nothing is claimed: this only looks whether somebody has.

        Raises:
            OSError: The folder can't be written.
        """
        path = self._path(attempt)
        if path is None or attempt in self._held:
            return False
        if self._gate.read_only:
            return _is_free(path)
        make_closed(self._folder)
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


def _is_free(path: Path) -> bool:
    """Return whether nobody holds the lock of a file, without making it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def make_closed(folder: Path) -> None:
    """Make a folder for its owner alone, or close one that is there to other users' eyes.

    Raises:
        OSError: It can't be made, or somebody else can have put a file into it.
    """
    make_private(folder)
    require_own_folder(folder)
    if stat.S_IMODE(folder.stat().st_mode) & 0o077:
        with suppress(OSError):  # a disk that knows no modes
            folder.chmod(0o700)


def _is_at(handle: int, path: Path) -> bool:
    """Return whether an open file is the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except OSError:
        return False
