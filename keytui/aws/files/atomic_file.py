"""A small file of the user's own, changed whole or not at all, with its mode and owner."""

import errno
import fcntl
import os
import re
import secrets
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from keytui.core.gate import Gate
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
_LEFT_OVER = re.compile(r"\.keytui-change-[0-9a-f]{16}\.tmp")
_ACL = "system.posix_acl_access"
_NO_ACL = frozenset((errno.ENODATA, errno.ENOTSUP, errno.ENOSYS))
"""What asking for an ACL answers where there is none, or can be none."""


@dataclass(frozen=True, slots=True)
class _Found:
    """What is at a path; no status where there is nothing."""

    content: bytes = field(default=b"", repr=False)
    status: os.stat_result | None = None
    acl: bytes = b""


def read(path: Path) -> bytes | None:
    """Return a file's content; None where there is none.

    Raises:
        FileProblem: It is not a plain file, too large, or can't be read.
    """
    with _in_words(path, "read"):
        found = _read(path)
    return None if found.status is None else found.content


def change(path: Path, edit: Callable[[bytes], bytes], gate: Gate) -> None:
    """Replace a file's content by what ``edit`` makes of it, through symbolic links.

    Two that change a file at once by this function wait for each other. Where another program
    writes meanwhile, ``edit`` is asked again with what is there then. A new file is for its
    owner alone, as is its folder where that is new too.

    Raises:
        FileProblem: Nothing was changed.
        ReadOnlyError: In read-only mode.
    """
    gate.require_writable()
    with _in_words(path, "written"):
        target = Path(os.path.realpath(path))
        if not target.parent.exists():
            target.parent.mkdir(mode=_NEW_FOLDER)
        with ExitStack() as stack:
            folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            stack.callback(os.close, folder)
            if _lock(folder):
                _remove_left_overs(folder)
            for _ in range(TRIES):
                if _try_to_change(folder, target, edit):
                    return
    raise FileProblem(f"Another program keeps writing {path}.", "Try again.")


def _try_to_change(folder: int, target: Path, edit: Callable[[bytes], bytes]) -> bool:
    """Make a change; return False where the file was changed meanwhile."""
    before = _read(target)
    new = edit(before.content)
    if new == before.content:
        return True
    status = before.status
    if status is not None and not status.st_mode & 0o222:
        raise FileProblem(f"{target} is read-only.", "Make it writable (chmod u+w).")
    if status is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "")
    with ExitStack() as undo:
        name = f".keytui-change-{secrets.token_hex(8)}.tmp"
        _write(folder, name, new, before, undo)
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
        return _Found()
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise FileProblem(f"{path} is not a plain file.")
        content = b""
        while len(content) <= MAX_SIZE and (more := os.read(fd, MAX_SIZE)):
            content += more
        if len(content) > MAX_SIZE:
            raise FileProblem(f"{path} is too large for a file of profiles or keys.")
        return _Found(content, status, _acl(fd))
    finally:
        os.close(fd)


def _acl(fd: int) -> bytes:
    """Return a file's POSIX ACL as Linux keeps it; empty where it has none."""
    if sys.platform != "linux":
        return b""
    try:
        return os.getxattr(fd, _ACL)
    except OSError as error:
        if error.errno not in _NO_ACL:
            raise
        return b""


def _same(one: _Found, other: _Found) -> bool:
    return (one.content, one.acl, _marks(one.status)) == (
        other.content,
        other.acl,
        _marks(other.status),
    )


def _marks(status: os.stat_result | None) -> tuple[int, ...]:
    if status is None:
        return ()
    return status.st_dev, status.st_ino, status.st_mode, status.st_uid, status.st_gid


def _write(folder: int, name: str, data: bytes, like: _Found, undo: ExitStack) -> None:
    """Write and flush a new file with another's mode, ACL and owner; ``undo`` removes it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(name, flags, _NEW_FILE, dir_fd=folder)
    try:
        undo.callback(os.unlink, name, dir_fd=folder)
        if like.status is not None:
            _take_after(fd, like.status, like.acl)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def _take_after(fd: int, like: os.stat_result, acl: bytes) -> None:
    made = os.fstat(fd)
    if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
        try:
            os.fchown(fd, like.st_uid, like.st_gid)
        except PermissionError:
            raise FileProblem(
                "The file belongs to another user or group, and it could not stay so.",
                "Change it as that user.",
            ) from None
    # Before the mode: with an ACL, the mode's bits for the group are the most it grants to all.
    _set_acl(fd, acl)
    os.fchmod(fd, stat.S_IMODE(like.st_mode))


def _set_acl(fd: int, acl: bytes) -> None:
    """Give a new file an ACL, or take away the one it has from its folder."""
    if sys.platform != "linux" or acl == _acl(fd):
        return
    try:
        if acl:
            os.setxattr(fd, _ACL, acl)
        else:
            os.removexattr(fd, _ACL)
    except OSError:
        pass
    else:
        return
    raise FileProblem(
        "Who may read the file is set by an access control list, and it could not stay so.",
        "See it with getfacl, and write the file by hand.",
    )


def _remove_left_overs(folder: int) -> None:
    """Remove what a change left that was killed midway. Only for who holds the folder's lock."""
    for name in os.listdir(folder):
        if _LEFT_OVER.fullmatch(name) is None:
            continue
        with suppress(OSError):
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
                os.unlink(name, dir_fd=folder)


def _lock(folder: int) -> bool:
    """Wait for others that change a file in this folder; return False where it was in vain."""
    end = time.monotonic() + LOCK_SECONDS
    while time.monotonic() < end:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            return False  # No locks on this file system: what others write is seen all the same.
        else:
            return True
    return False


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
