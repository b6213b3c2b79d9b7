"""A small file of the user's own, changed whole or not at all, with its mode and owner."""

import errno
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from keytui.stores.private_file import FileProblem

MAX_SIZE = 1_000_000
"""Bytes; a file of profiles is far smaller."""
TRIES = 20
"""How often a change is made anew because somebody else wrote meanwhile."""
LOCK_SECONDS = 5.0

_NEW_FILE, _NEW_FOLDER = 0o600, 0o700
_WORDS = {
    errno.ENOENT: "There is no folder {folder}.",
    errno.ENOTDIR: "{folder} is not a folder.",
    errno.ELOOP: "The symbolic links at {path} lead in a circle.",
    errno.EROFS: "The folder {folder} is on a read-only file system.",
    errno.ENOSPC: "The disk of {folder} is full.",
    errno.EDQUOT: "Your quota on the disk of {folder} is used up.",
}
_Found = tuple[bytes, os.stat_result | None]


def read(path: Path) -> bytes | None:
    """Return a file's content; None where there is none.

    Raises:
        FileProblem: It is not a plain file, too large, or can't be read.
    """
    with _in_words(path, "read"):
        content, status = _read(path)
    return None if status is None else content


def change(path: Path, edit: Callable[[bytes], bytes]) -> None:
    """Replace a file's content by what ``edit`` makes of it, through symbolic links.

    Two that change a file at once by this function wait for each other. Where another program
    writes meanwhile, ``edit`` is asked again with what is there then. A new file is for its
    owner alone, as is its folder where that is new too.

    Raises:
        FileProblem: Nothing was changed.
    """
    with _in_words(path, "written"):
        target = Path(os.path.realpath(path))
        if not target.parent.exists():
            target.parent.mkdir(mode=_NEW_FOLDER)
        with ExitStack() as stack:
            folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, folder)
            _lock(folder)
            for _ in range(TRIES):
                if _try_to_change(folder, target, edit):
                    return
    raise FileProblem(f"Another program keeps writing {path}.", "Try again.")


def _try_to_change(folder: int, target: Path, edit: Callable[[bytes], bytes]) -> bool:
    """Make a change; return False where the file was changed meanwhile."""
    before = _read(target)
    old, status = before
    if status is not None and not status.st_mode & 0o222:
        raise FileProblem(f"{target} is read-only.", "Make it writable (chmod u+w).")
    if status is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "")
    new = edit(old)
    if new == old:
        return True
    with ExitStack() as undo:
        name = f".keytui-{secrets.token_hex(8)}.tmp"
        _write(folder, name, new, status, undo)
        if not _same(_read(target), before):
            return False
        os.replace(name, target.name, src_dir_fd=folder, dst_dir_fd=folder)
        undo.pop_all()
    with suppress(OSError):  # Some file systems can't flush a folder.
        os.fsync(folder)
    return True


def _read(path: Path) -> _Found:
    try:
        # O_NONBLOCK: opening a FIFO would wait for a writer.
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return b"", None
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise FileProblem(f"{path} is not a plain file.")
        content = b""
        while len(content) <= MAX_SIZE and (more := os.read(fd, MAX_SIZE)):
            content += more
        if len(content) > MAX_SIZE:
            raise FileProblem(f"{path} is too large for a file of profiles or keys.")
        return content, status
    finally:
        os.close(fd)


def _same(one: _Found, other: _Found) -> bool:
    files = [status and (status.st_dev, status.st_ino) for _, status in (one, other)]
    return one[0] == other[0] and files[0] == files[1]


def _write(
    folder: int, name: str, data: bytes, like: os.stat_result | None, undo: ExitStack
) -> None:
    """Write and flush a new file with another's mode and owner; ``undo`` removes it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(name, flags, _NEW_FILE, dir_fd=folder)
    try:
        undo.callback(os.unlink, name, dir_fd=folder)
        if like is not None:
            _take_after(fd, like)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def _take_after(fd: int, like: os.stat_result) -> None:
    made = os.fstat(fd)
    if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
        try:
            os.fchown(fd, like.st_uid, like.st_gid)
        except PermissionError:
            raise FileProblem(
                "The file belongs to another user or group, and it could not stay so.",
                "Change it as that user.",
            ) from None
    os.fchmod(fd, stat.S_IMODE(like.st_mode))


def _lock(folder: int) -> None:
    """Wait for others that change a file in this folder; in vain at last, go on without."""
    end = time.monotonic() + LOCK_SECONDS
    while time.monotonic() < end:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            return  # A file system without locks: what others write is seen all the same.
        else:
            return


@contextmanager
def _in_words(path: Path, verb: str) -> Iterator[None]:
    """Turn an error into a ``FileProblem`` that holds nothing of the file's content."""
    problem = None
    try:
        yield
    except FileProblem as found:
        problem = FileProblem(found.reason, found.next_step)
    except ValueError:
        problem = FileProblem("The path holds a character that no file name can have.")
    except OSError as error:
        what = f"You may not {'read' if verb == 'read' else 'write'} {{path}}."
        words = _WORDS | {errno.EACCES: what, errno.EPERM: what}
        default = f"{{path}} can't be {verb}: {os.strerror(error.errno or 0)}."
        sentence = words.get(error.errno or 0, default)
        problem = FileProblem(sentence.format(path=path, folder=path.parent))
    if problem is not None:
        raise problem
