"""Files of keytui's own: read only where nobody else can have written them, and to an end."""

import errno
import os
import stat
from pathlib import Path

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
"""The modes with which somebody else may write."""


class NotBelievedError(ValueError):
    """A file is no regular one, is too large, or may be somebody else's.

    Attributes:
        reason: Why, as it stands after the file's name.
        next_step: What the user can do.
    """

    def __init__(self, reason: str, next_step: str) -> None:
        super().__init__(reason)
        self.reason, self.next_step = reason, next_step


def read_trusted(path: Path, most_bytes: int) -> bytes:
    """Return what is in a file that only the user or root can have written.

    Raises:
        NotBelievedError: It is another, or longer than ``most_bytes``.
        OSError: It can't be read.
    """
    content, status = _read(path, most_bytes, os.O_RDONLY)
    if status.st_uid not in {os.geteuid(), 0}:
        raise NotBelievedError(
            "is not used: it belongs to another user", "Put a file of your own in its place."
        )
    if status.st_mode & (stat.S_IWOTH if _is_own_group(status) else OTHERS_WRITE):
        raise NotBelievedError(
            "is not used: other users can write to it", f"Run: chmod go-w {path}"
        )
    return content


def read_private(path: Path, most_bytes: int) -> bytes:
    """Return what is in a file that is the user's and that nobody else can open; no link.

    Raises:
        NotBelievedError: It is another, or longer than ``most_bytes``.
        OSError: It can't be read.
    """
    content, status = _read(path, most_bytes, os.O_RDONLY | os.O_NOFOLLOW)
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise NotBelievedError("is not used: it is not private", f"Remove {path}.")
    return content


def make_private(folder: Path) -> None:
    """Make a folder, with those above it that are missing, for the user alone.

    Whatever the umask. One that is there stays as it is.

    Raises:
        OSError: It can't be made.
    """
    for missing in reversed([part for part in (folder, *folder.parents) if not part.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
        missing.chmod(0o700)


def require_own_folder(folder: Path) -> None:
    """See that only this user can have put a file into a folder.

    Raises:
        OSError: It is another user's, or others may write to it. Its text says which.
    """
    status = folder.stat()
    if status.st_uid != os.geteuid():
        raise OSError(errno.EPERM, "its folder belongs to another user")
    if status.st_mode & OTHERS_WRITE:
        raise OSError(errno.EPERM, "others may write to its folder")


def _is_own_group(status: os.stat_result) -> bool:
    """Return whether a file's group is the user's own, as many systems give each user one."""
    return status.st_gid == status.st_uid != 0


def _read(path: Path, most_bytes: int, flags: int) -> tuple[bytes, os.stat_result]:
    # O_NONBLOCK: opening a FIFO would wait for a writer.
    with os.fdopen(os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise NotBelievedError("can't be read: it is not a regular file", f"Remove {path}.")
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise NotBelievedError(
            f"can't be read: it is larger than {most_bytes:,} bytes", "Make it smaller."
        )
    return content, status
