"""New files that only their owner can read, and that appear whole or not at all.

Errors are ``StoreError`` and hold nothing of a file's content.
"""

import errno
import os
import stat
from collections.abc import Callable, Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TypeVar

from keytui.core.errors import StoreError
from keytui.core.gate import Gate
from keytui.core.model import Secret
from keytui.core.private_files import (
    MODE,
    NEW,
    RefusedFileError,
    open_plain,
    read_bounded,
    write_all,
)

T = TypeVar("T")

ELSEWHERE = "Choose another path."
"""The next step where a file can't be at a path."""

_MAX_SIZE = 65_536
"""Bytes; a file of keys is far smaller."""

_NO_LINKS = frozenset(
    (errno.EPERM, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EMLINK, errno.EXDEV)
)
"""What ``link`` answers on file systems without hard links."""

_NAMELESS = getattr(os, "O_TMPFILE", 0)
"""Makes a file without a name, on Linux; 0 where there is no such thing."""

_OPEN_FILES = Path("/proc/self/fd")
"""Where an open file without a name can be linked from."""

_NO_NAMELESS = frozenset((errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT))
"""What opening a nameless file answers on file systems that know none."""

_SENTENCES = {
    errno.ENOENT: "There is no folder {folder}.",
    errno.ENOTDIR: "{folder} is not a folder.",
    errno.ELOOP: "There is a symbolic link at {path}; keytui follows none.",
    errno.EROFS: "The folder {folder} is on a read-only file system.",
    errno.ENOSPC: "The disk of {folder} is full.",
    errno.EDQUOT: "Your quota on the disk of {folder} is used up.",
    errno.EFBIG: "This session's file size limit is too small (ulimit -f).",
    errno.ENAMETOOLONG: "The file name is too long.",
}
_NOT_WRITABLE = {errno.EACCES: "You may not write to the folder {folder}."}


def check_free(path: Path) -> None:
    """See that a file could be made at a path, without writing anything.

    Raises:
        StoreError: Something is there, or the folder is missing or can't be written.
    """
    if path == Path():
        raise StoreError("No file is named.", next_step="Type a path.")
    with_store_errors(path, "written", lambda: _check_free(path))


def prove_writable(folder: Path, size: int, gate: Gate) -> None:
    """Make, fill, flush and remove a file of made-up bytes.

    Args:
        folder: Where.
        size: How many bytes.
        gate: Asked first.

    Raises:
        StoreError: It can't be done.
        ReadOnlyError: In read-only mode.
    """
    gate.require_writable()
    with_store_errors(folder / "x", "written", lambda: _prove_writable(folder, size))


def create(path: Path, content: Secret, gate: Gate, safe: str = "") -> None:
    """Make a file of mode 0600, read it back and compare; never over anything that is there.

    The content is written and flushed into a file without a name, which is gone if keytui is
    killed meanwhile, and then linked to the final name, which fails where that name exists,
    be it a dangling symbolic link. Where there are no nameless files it has a temporary name
    first; where links are not supported the final name is made exclusively and filled.

    Args:
        path: The file.
        content: What is to be in it.
        gate: Asked first.
        safe: What the error says is still safe.

    Raises:
        StoreError: It was not made; nothing is left of it.
        ReadOnlyError: In read-only mode.
    """
    gate.require_writable()

    def work() -> None:
        _check_free(path)
        _create(path, content.reveal().encode())

    with_store_errors(path, "written", work, safe)


def read_secret(path: Path) -> Secret | None:
    """Return the text of a file of keys; None where there is no file.

    Raises:
        StoreError: It is not a plain file, too large for one of keys, or can't be read.
    """
    return with_store_errors(path, "read", lambda: _read_secret(path))


def remove(path: Path, gate: Gate) -> None:
    """Remove a file and flush its folder.

    Raises:
        StoreError: It is still there.
        ReadOnlyError: In read-only mode.
    """
    gate.require_writable()
    with_store_errors(path, "removed", lambda: _remove(path))


def with_store_errors(
    path: Path,
    verb: str,
    work: Callable[[], T],
    safe: str = "",
    sentences: Mapping[int, str] | None = None,
) -> T:
    """Do something with a file; raise an error as a ``StoreError``.

    It holds nothing of the file's content: the original error is neither its cause nor its
    context, and its traceback does not reach into ``work``.

    Args:
        path: The file, for the sentence.
        verb: What ``work`` does to it, as in "can't be written".
        work: What to do.
        safe: What the error says is still safe.
        sentences: By error number, the sentences that replace the usual ones, with
            ``{path}`` and ``{folder}``.
    """
    try:
        return work()
    except StoreError as found:
        problem = StoreError(found.title, found.safe or safe, found.next_step)
    except ValueError:
        title = "The path holds a character that no file name can have."
        problem = StoreError(title, safe, ELSEWHERE)
    except OSError as error:
        problem = _problem(error.errno or 0, path, verb, safe, sentences or {})
    raise problem


def _problem(
    number: int, path: Path, verb: str, safe: str, sentences: Mapping[int, str]
) -> StoreError:
    if number == errno.EEXIST and (found := _occupied(path)) is not None:
        return StoreError(found.title, safe, found.next_step)
    known = _SENTENCES | (_NOT_WRITABLE if verb == "written" else {}) | dict(sentences)
    default = f"{{path}} can't be {verb}: {os.strerror(number)}."
    title = known.get(number, default).format(path=path, folder=path.parent)
    return StoreError(title, safe, ELSEWHERE)


def _read_secret(path: Path) -> Secret | None:
    try:
        with open_plain(path, os.O_RDONLY | os.O_NOFOLLOW) as fd:
            return Secret(read_bounded(fd, _MAX_SIZE).decode(errors="replace"))
    except FileNotFoundError:
        return None
    except RefusedFileError:
        problem = StoreError(f"{path} is not a file of access keys.", next_step=ELSEWHERE)
    raise problem


def _prove_writable(folder: Path, size: int) -> None:
    with ExitStack() as stack:
        _write_temp(_open_folder(folder, stack), b"\n" * size, stack)


def _remove(path: Path) -> None:
    with ExitStack() as stack:
        folder = _open_folder(path.parent, stack)
        os.unlink(path.name, dir_fd=folder)
        _flush_folder(folder)


def _create(path: Path, data: bytes) -> None:
    with ExitStack() as stack:
        folder = _open_folder(path.parent, stack)
        source, made = _write_hidden(folder, data, stack)
        undo = stack.enter_context(ExitStack())
        try:
            _link(folder, source, path.name)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            made = _write_new(folder, path.name, data, undo)
        else:
            undo.callback(_unlink_if, folder, path.name, made)
            _unlink_if(folder, source, made)
        _flush_folder(folder)
        if _read_back(folder, path.name, made, len(data)) != data:
            raise StoreError(f"{path} reads back differently.", next_step="Choose another disk.")
        if not _same_file(path.lstat(), made):
            raise StoreError(f"The folder {path.parent} was moved meanwhile.", next_step=ELSEWHERE)
        undo.pop_all()


def _link(folder: int, source: str, name: str) -> None:
    # The name of an open file is a link to it; any other is taken as it is.
    nameless = Path(source).is_absolute()
    os.link(source, name, src_dir_fd=folder, dst_dir_fd=folder, follow_symlinks=nameless)


def _open_folder(folder: Path, stack: ExitStack) -> int:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    stack.callback(os.close, fd)
    return fd


def _write_hidden(folder: int, data: bytes, stack: ExitStack) -> tuple[str, os.stat_result]:
    """Make, fill and flush a file that is gone with ``stack``; return where to link it from."""
    fd = _open_nameless(folder)
    if fd is None:
        return _write_temp(folder, data, stack)
    stack.callback(os.close, fd)
    _fill(fd, data)
    return str(_OPEN_FILES / str(fd)), os.fstat(fd)


def _open_nameless(folder: int) -> int | None:
    if not (_NAMELESS and _OPEN_FILES.is_dir()):
        return None
    try:
        return os.open(".", os.O_WRONLY | _NAMELESS | os.O_CLOEXEC, MODE, dir_fd=folder)
    except OSError as error:
        if error.errno not in _NO_NAMELESS:
            raise
        return None


def _write_temp(folder: int, data: bytes, stack: ExitStack) -> tuple[str, os.stat_result]:
    name = f".keytui-{os.urandom(8).hex()}.tmp"
    return name, _write_new(folder, name, data, stack)


def _write_new(folder: int, name: str, data: bytes, undo: ExitStack) -> os.stat_result:
    """Make, fill and flush a file; ``undo`` removes it."""
    fd = os.open(name, NEW, MODE, dir_fd=folder)
    try:
        made = os.fstat(fd)
        undo.callback(_unlink_if, folder, name, made)
        _fill(fd, data)
        return made
    finally:
        os.close(fd)


def _fill(fd: int, data: bytes) -> None:
    with suppress(PermissionError):
        os.fchmod(fd, MODE)
    if stat.S_IMODE(os.fstat(fd).st_mode) != MODE:
        raise StoreError(
            "This file system can't keep a file from other users' eyes (no mode 0600).",
            next_step="Choose a folder on another disk.",
        )
    write_all(fd, data)


def _read_back(folder: int, name: str, made: os.stat_result, size: int) -> bytes:
    fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    with os.fdopen(fd, "rb") as file:
        return file.read(size + 1) if _same_file(os.fstat(fd), made) else b""


def _unlink_if(folder: int, name: str, made: os.stat_result) -> None:
    """Remove a name if it is still the file that was made under it."""
    with suppress(FileNotFoundError):
        if _same_file(os.stat(name, dir_fd=folder, follow_symlinks=False), made):
            os.unlink(name, dir_fd=folder)


def _same_file(one: os.stat_result, other: os.stat_result) -> bool:
    return (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)


def _flush_folder(folder: int) -> None:
    try:
        os.fsync(folder)
    except OSError as error:
        # Some file systems can't flush a folder; that is no reason to give up a secret.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.ENOSYS):
            raise


def _check_free(path: Path) -> None:
    if occupied := _occupied(path):
        raise occupied
    folder = path.parent
    if not stat.S_ISDIR(folder.stat().st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "")
    effective = os.access in os.supports_effective_ids
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=effective):
        read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
        raise OSError(errno.EROFS if read_only else errno.EACCES, "")


def _occupied(path: Path) -> StoreError | None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        return StoreError(f"{path} is a folder.", next_step="Add a file name.")
    what = f"There is a file at {path} already; keytui replaces none."
    if stat.S_ISLNK(mode):
        what = f"There is a symbolic link at {path}; keytui follows none."
    return StoreError(what, next_step=ELSEWHERE)
