"""An AWS file changed whole or not at all; it keeps its mode, owner and access control list."""

import errno
import os
import re
import stat
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from keytui.core.errors import StoreError
from keytui.core.gate import Gate
from keytui.core.new_files import ELSEWHERE, with_store_errors
from keytui.core.private_files import (
    MODE,
    NEW,
    RefusedFileError,
    lock,
    open_plain,
    read_bounded,
    write_all,
)

T = TypeVar("T")

MAX_SIZE = 1_000_000
"""Bytes; a file of profiles is far smaller."""
TRIES = 20
"""How often a change is tried because another program writes meanwhile."""
LOCK_SECONDS = 5.0

_SENTENCES = {errno.ELOOP: "The symbolic links at {path} lead in a circle."}
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


def read(path: Path, safe: str = "") -> bytes | None:
    """Return a file's content; None where there is none.

    Raises:
        StoreError: It is not a plain file, too large, or can't be read; ``safe`` says what is
            still safe.
    """
    found = _with_store_errors(path, "read", lambda: _read(path), safe)
    return None if found.status is None else found.content


def change(path: Path, edit: Callable[[bytes], bytes], gate: Gate, safe: str = "") -> None:
    """Replace a file's content by what ``edit`` makes of it, through symbolic links.

    Two that change a file at once by this function wait for each other. Where another program
    writes meanwhile, ``edit`` is asked again with what is there then. A new file is for its
    owner alone, as is its folder where that is new too.

    Raises:
        StoreError: Nothing was changed; ``safe`` says what is still safe.
        ReadOnlyError: In read-only mode.
    """
    gate.require_writable()
    _with_store_errors(path, "written", lambda: _change(path, edit), safe)


def _change(path: Path, edit: Callable[[bytes], bytes]) -> None:
    target = Path(os.path.realpath(path))
    if not target.parent.exists():
        target.parent.mkdir(mode=0o700)
    with ExitStack() as stack:
        folder = os.open(target.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, folder)
        # Without locks on a file system, what others write is seen all the same.
        with suppress(OSError):
            if lock(folder, LOCK_SECONDS):
                _remove_left_overs(folder)
        for _ in range(TRIES):
            if _try_to_change(folder, target, edit):
                return
    raise StoreError(f"Another program keeps writing {path}.", next_step="Try again.")


def _try_to_change(folder: int, target: Path, edit: Callable[[bytes], bytes]) -> bool:
    """Make a change; return False where the file was changed meanwhile."""
    before = _read(target)
    new = edit(before.content)
    if new == before.content:
        return True
    status = before.status
    if status is not None and not status.st_mode & 0o222:
        raise StoreError(f"{target} is read-only.", next_step="Make it writable (chmod u+w).")
    if status is not None and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, "")
    with ExitStack() as undo:
        name = f".keytui-change-{os.urandom(8).hex()}.tmp"
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
        with open_plain(path) as fd:
            return _Found(read_bounded(fd, MAX_SIZE), os.fstat(fd), _acl(fd))
    except FileNotFoundError:
        return _Found()
    except RefusedFileError as error:
        large = error.errno == errno.EFBIG
        what = "too large for a file of profiles or keys" if large else "not a plain file"
    raise StoreError(f"{path} is {what}.", next_step=ELSEWHERE)


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
    fd = os.open(name, NEW, MODE, dir_fd=folder)
    try:
        undo.callback(os.unlink, name, dir_fd=folder)
        if like.status is not None:
            _take_after(fd, like.status, like.acl)
        write_all(fd, data)
    finally:
        os.close(fd)


def _take_after(fd: int, like: os.stat_result, acl: bytes) -> None:
    made = os.fstat(fd)
    if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
        try:
            os.fchown(fd, like.st_uid, like.st_gid)
        except PermissionError:
            raise StoreError(
                "The file belongs to another user or group, and it could not stay so.",
                next_step="Change it as that user.",
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
    raise StoreError(
        "Who may read the file is set by an access control list, and it could not stay so.",
        next_step="See it with getfacl, and write the file by hand.",
    )


def _remove_left_overs(folder: int) -> None:
    """Remove the temporary files of killed changes. Only while holding the folder's lock."""
    for name in os.listdir(folder):
        if _LEFT_OVER.fullmatch(name) is None:
            continue
        with suppress(OSError):
            status = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid():
                os.unlink(name, dir_fd=folder)


def _with_store_errors(path: Path, verb: str, work: Callable[[], T], safe: str) -> T:
    denied = f"You may not {'read' if verb == 'read' else 'write'} {{path}}."
    sentences = _SENTENCES | {errno.EACCES: denied, errno.EPERM: denied}
    return with_store_errors(path, verb, work, safe, sentences)
