"""Which process works on a key creation: a locked file each, freed when the process ends.

Two keytui may run at once. While one waits for AWS or shows a secret, another must not take
the new key for an orphan; when the first is killed, it must. A lock tells the two apart,
as a process ID on a shared home folder could not.
"""

import os
import re
from contextlib import suppress
from pathlib import Path

from keytui.core.gate import Gate
from keytui.core.private_files import is_locked, lock, make_closed, open_lock

_ATTEMPT = re.compile(r"[0-9a-f]{1,64}")


class Claims:
    """The claims in one folder. Any thread may call."""

    def __init__(self, folder: Path, gate: Gate) -> None:
        self._folder = folder
        self._gate = gate
        self._held: dict[str, int] = {}

    def take(self, attempt: str) -> bool:
        """Claim a key creation; return False if a running process has claimed it.

        In read-only mode nothing is claimed: this only looks whether somebody has.

        Raises:
            OSError: The folder can't be written.
        """
        path = self._path(attempt)
        if path is None or attempt in self._held:
            return False
        if self._gate.read_only:
            return not is_locked(path)
        make_closed(self._folder)
        handle = open_lock(path)
        try:
            # Where not at the path, its holder gave it back, and removed it, meanwhile.
            taken = lock(handle) and _is_at(handle, path)
        except OSError:
            os.close(handle)
            raise
        if not taken:
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
        """Leave a sign on a claimed key creation that outlives the claim, also on a full disk.

        A second name for the lock's file needs no room for data. Does nothing where that fails.
        """
        path, sign = self._path(attempt), self._sign(attempt)
        if path and sign:
            with suppress(OSError):
                sign.hardlink_to(path)

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
        path = self._path(attempt)
        return path.with_suffix(".stored") if path else None


def _is_at(handle: int, path: Path) -> bool:
    """Return whether an open file is the one of that name."""
    try:
        return os.path.samestat(os.fstat(handle), path.lstat())
    except OSError:
        return False
