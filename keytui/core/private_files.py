"""Private files: read within bounds, appended to, replaced whole, and locked.

Files have mode 0600 from the first byte and folders mode 0700, with any umask. A FIFO or a device
never blocks. Errors are ``OSError``. Callers of a function that changes something have asked the
gate before. ``new_files`` makes the files that hold secrets.
"""

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
"""The flags that make a file; never through or over anything that is there."""
MODE = 0o600

_OTHERS = 0o077
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_POLL_SECONDS = 0.01


class RefusedFileError(OSError):
    """keytui refuses a file: it is not a plain file, too large, or others may have written it.

    Attributes:
        errno: EINVAL, EFBIG or EPERM, in this order.
        strerror: The reason, a clause.
        next_step: What the user can do.
    """

    def __init__(self, number: int, reason: str, next_step: str = "") -> None:
        super().__init__(number, reason)
        self.next_step = next_step


# Reading.


@contextmanager
def open_plain(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    """Open a plain file; close it afterwards.

    Raises:
        RefusedFileError: It is another kind of file.
        OSError: It can't be opened.
    """
    # O_NONBLOCK: opening a FIFO would wait for a writer.
    fd = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, MODE)
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise RefusedFileError(errno.EINVAL, "it is not a plain file", f"Remove {path}.")
        yield fd
    finally:
        os.close(fd)


def read_bounded(fd: int, most_bytes: int) -> bytes:
    """Return the content of an open file. Raises ``RefusedFileError`` if it is longer."""
    with os.fdopen(fd, "rb", closefd=False) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        reason = f"it is larger than {most_bytes:,} bytes"
        raise RefusedFileError(errno.EFBIG, reason, "Make it smaller.")
    return content


def read_trusted(path: Path, most_bytes: int) -> bytes:
    """Return the content of a file that only the user or root can have written.

    Raises:
        RefusedFileError: Others can have written it, or it is longer than ``most_bytes``.
        OSError: It can't be read.
    """
    with open_plain(path) as fd:
        status = os.fstat(fd)
        if status.st_uid not in {os.geteuid(), 0}:
            raise RefusedFileError(
                errno.EPERM, "it belongs to another user", "Put a file of your own in its place."
            )
        # Many systems give each user a group of their own.
        own_group = status.st_gid == status.st_uid != 0
        if status.st_mode & (stat.S_IWOTH if own_group else _OTHERS_WRITE):
            raise RefusedFileError(
                errno.EPERM, "other users can write to it", f"Run: chmod go-w {path}"
            )
        return read_bounded(fd, most_bytes)


def read_private(path: Path, most_bytes: int) -> bytes:
    """Return the content of a file of the user's that nobody else can open; follows no link.

    Raises:
        RefusedFileError: Others can open it, or it is longer than ``most_bytes``.
        OSError: It can't be read.
    """
    with open_plain(path, os.O_RDONLY | os.O_NOFOLLOW) as fd:
        status = os.fstat(fd)
        if status.st_uid != os.geteuid() or status.st_mode & _OTHERS:
            raise RefusedFileError(errno.EPERM, "it is not private", f"Remove {path}.")
        return read_bounded(fd, most_bytes)


# Folders.


def keytui_folder(env: Mapping[str, str], variable: str, default: Path) -> Path:
    """Return keytui's folder under an XDG base folder; a relative one is ignored, as XDG says."""
    base = Path(env.get(variable, ""))
    return (base if base.is_absolute() else default) / "keytui"


def make_private(folder: Path) -> None:
    """Make a folder, with those above it that are missing, for the user alone.

    One that is there stays as it is. Raises ``OSError``.
    """
    for missing in reversed([part for part in (folder, *folder.parents) if not part.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)
        missing.chmod(0o700)


def make_closed(folder: Path) -> None:
    """Make a folder for its owner alone; in one that exists, stop other users from reading.

    Raises:
        OSError: It can't be made, or somebody else can have put a file into it.
    """
    make_private(folder)
    _require_own_folder(folder)
    if stat.S_IMODE(folder.stat().st_mode) & _OTHERS:
        with suppress(OSError):  # a disk that knows no modes
            folder.chmod(0o700)


def _require_own_folder(folder: Path) -> None:
    status = folder.stat()
    if status.st_uid != os.geteuid():
        raise RefusedFileError(errno.EPERM, "its folder belongs to another user")
    if status.st_mode & _OTHERS_WRITE:
        raise RefusedFileError(errno.EPERM, "others may write to its folder")


# A file that grows by lines.


@contextmanager
def open_own(
    path: Path, most_bytes: int, *, flags: int = os.O_RDONLY, close_to_others: bool = True
) -> Iterator[int]:
    """Open a plain file that nobody but the user can have written, or put there.

    Args:
        path: The file.
        most_bytes: The largest that is opened.
        flags: As of ``os.open``.
        close_to_others: Whether to set its mode to 0600.

    Raises:
        RefusedFileError: Others can have written it or put it there, or it is too large.
        OSError: It can't be opened.
    """
    _require_own_folder(path.parent)
    with open_plain(path, flags | os.O_NOFOLLOW) as fd:
        status = os.fstat(fd)
        if status.st_uid != os.geteuid():
            raise RefusedFileError(errno.EPERM, "it belongs to another user")
        if status.st_nlink > 1:
            raise RefusedFileError(errno.EPERM, "it has a second name (a hard link)")
        if status.st_mode & _OTHERS_WRITE:
            raise RefusedFileError(errno.EPERM, "others may write to it")
        if status.st_size > most_bytes:
            raise RefusedFileError(errno.EFBIG, "it is too large")
        if close_to_others and stat.S_IMODE(status.st_mode) != MODE:
            with suppress(OSError):  # a disk that knows no modes, or is read-only
                os.fchmod(fd, MODE)
        yield fd


def append_line(path: Path, line: bytes, most_bytes: int) -> None:
    """Append a line with a single write and wait until it is on the disk.

    Makes the file and its folder if they are missing. If the last line was cut short, ends it.

    Raises:
        RefusedFileError: Others can have written the file.
        OSError: It could not be written.
    """
    make_closed(path.parent)
    with open_own(path, most_bytes, flags=os.O_RDWR | os.O_APPEND | os.O_CREAT) as fd:
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":
            line = b"\n" + line
        if os.write(fd, line) != len(line):
            raise OSError(errno.ENOSPC, "the disk is full")
        os.fsync(fd)


# Locks.


def open_lock(path: Path) -> int:
    """Open a lock file, making it if it is missing; follows no link. Raises ``OSError``."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return os.open(path, flags, MODE)


def lock(fd: int, seconds: float = 0.0) -> bool:
    """Lock an open file or folder until it is closed, or the process ends.

    Returns:
        False if another process still has the lock after this many seconds.

    Raises:
        OSError: The file system knows no locks.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(_POLL_SECONDS)
        else:
            return True


def is_locked(path: Path) -> bool:
    """Return whether a process has locked a file; False if there is no file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


# A file put in another's place.


def replace_whole(path: Path, content: bytes) -> None:
    """Replace a file by a private one, making its folder. Not flushed to the disk.

    Raises:
        OSError: The old file is unchanged.
    """
    make_private(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(temporary, NEW, MODE), "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise


def write_all(fd: int, data: bytes) -> None:
    """Write all bytes and wait until they are on the disk. Raises ``OSError``."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.fsync(fd)
