"""A new file that only its owner can read, that appears whole or not at all."""

import errno
import os
import secrets
import stat
from contextlib import ExitStack, suppress
from pathlib import Path

from keytui.core.gate import Gate
from keytui.core.model import Secret

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

_MODE = 0o600
_MAX_SIZE = 65_536
"""Bytes; a file of keys is far smaller."""


class FileProblem(Exception):  # noqa: N818 - translated to StoreError by the store
    """A file can't be made, read or removed.

    Attributes:
        reason: Why, one plain sentence; holds nothing of the file's content.
        next_step: How to mend it, one sentence.
    """

    def __init__(self, reason: str, next_step: str = "Choose another path.") -> None:
        super().__init__(reason)
        self.reason = reason
        self.next_step = next_step


def check_free(path: Path) -> None:
    """See that a file could be made at a path, without writing anything.

    Raises:
        FileProblem: Something is there, or the folder is missing or can't be written.
    """
    problem = None
    try:
        if path == Path():
            problem = FileProblem("No file is named.", "Type a path.")
        else:
            problem = _occupied(path) or _folder_problem(path.parent)
    except (OSError, ValueError) as error:
        problem = _problem(error, path)
    if problem is not None:
        raise problem


def prove_writable(folder: Path, size: int, gate: Gate) -> None:
    """Make, fill, flush and remove a file of made-up bytes.

    Args:
        folder: Where.
        size: How many bytes.
        gate: Asked first.

    Raises:
        FileProblem: It can't be done.
        ReadOnlyError: In read-only mode.
    """
    gate.require_writable()
    problem = None
    try:
        with ExitStack() as stack:
            folder_fd = _open_folder(folder, stack)
            _write_temp(folder_fd, b"\n" * size, stack)
    except FileProblem as found:
        problem = found
    except (OSError, ValueError) as error:
        problem = _problem(error, folder / "x")
    if problem is not None:
        raise problem.with_traceback(None)


def create(path: Path, content: Secret, gate: Gate) -> None:
    """Make a file of mode 0600, read it back and compare; never over anything that is there.

    The content is written and flushed into a file without a name, which is gone if keytui is
    killed meanwhile, and then linked to the final name, which fails where that name exists,
    be it a dangling symbolic link. Where there are no nameless files it has a temporary name
    first; where links are not supported the final name is made exclusively and filled.

    Raises:
        FileProblem: It was not made; nothing is left of it.
        ReadOnlyError: In read-only mode.
    """
    gate.require_writable()
    check_free(path)
    problem = None
    try:
        _create(path, content.reveal().encode())
    except FileProblem as found:
        problem = FileProblem(found.reason, found.next_step)
    except (OSError, ValueError) as error:
        problem = _problem(error, path)
    if problem is not None:
        raise problem


def read(path: Path) -> Secret | None:
    """Return a file's text; None where there is no file.

    Raises:
        FileProblem: It is not a plain file, too large for one of keys, or can't be read.
    """
    problem = None
    try:
        # O_NONBLOCK: opening a FIFO would wait for a writer.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            status = os.fstat(fd)
            if stat.S_ISREG(status.st_mode) and status.st_size <= _MAX_SIZE:
                return Secret(file.read(_MAX_SIZE).decode(errors="replace"))
        problem = FileProblem(f"{path} is not a file of access keys.")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        problem = _problem(error, path, "read")
    raise problem


def remove(path: Path, gate: Gate) -> None:
    """Remove a file and flush its folder.

    Raises:
        FileProblem: It is still there.
        ReadOnlyError: In read-only mode.
    """
    gate.require_writable()
    problem = None
    try:
        with ExitStack() as stack:
            folder = _open_folder(path.parent, stack)
            os.unlink(path.name, dir_fd=folder)
            _flush_folder(folder)
    except (OSError, ValueError) as error:
        problem = _problem(error, path, "removed")
    if problem is not None:
        raise problem


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
            raise FileProblem(f"{path} reads back differently.", "Choose another disk.")
        if not _same_file(path.lstat(), made):
            raise FileProblem(f"The folder {path.parent} was moved meanwhile.")
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
        return os.open(".", os.O_WRONLY | _NAMELESS | os.O_CLOEXEC, _MODE, dir_fd=folder)
    except OSError as error:
        if error.errno not in _NO_NAMELESS:
            raise
        return None


def _write_temp(folder: int, data: bytes, stack: ExitStack) -> tuple[str, os.stat_result]:
    name = f".keytui-{secrets.token_hex(8)}.tmp"
    return name, _write_new(folder, name, data, stack)


def _write_new(folder: int, name: str, data: bytes, undo: ExitStack) -> os.stat_result:
    """Make, fill and flush a file; ``undo`` removes it."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(name, flags, _MODE, dir_fd=folder)
    try:
        made = os.fstat(fd)
        undo.callback(_unlink_if, folder, name, made)
        _fill(fd, data)
        return made
    finally:
        os.close(fd)


def _fill(fd: int, data: bytes) -> None:
    with suppress(PermissionError):
        os.fchmod(fd, _MODE)
    if stat.S_IMODE(os.fstat(fd).st_mode) != _MODE:
        raise FileProblem(
            "This file system can't keep a file from other users' eyes (no mode 0600).",
            "Choose a folder on another disk.",
        )
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
    os.fsync(fd)


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


def _occupied(path: Path) -> FileProblem | None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        return FileProblem(f"{path} is a folder.", "Add a file name.")
    if stat.S_ISLNK(mode):
        return FileProblem(f"There is a symbolic link at {path}; keytui follows none.")
    return FileProblem(f"There is a file at {path} already; keytui replaces none.")


def _folder_problem(folder: Path) -> FileProblem | None:
    if not stat.S_ISDIR(folder.stat().st_mode):
        return FileProblem(f"{folder} is not a folder.")
    effective = os.access in os.supports_effective_ids
    if os.access(folder, os.W_OK | os.X_OK, effective_ids=effective):
        return None
    read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
    return _problem(OSError(errno.EROFS if read_only else errno.EACCES, ""), folder / "x")


def _problem(error: OSError | ValueError, path: Path, verb: str = "written") -> FileProblem:
    """Put an error into words; takes only its number, never its text or traceback."""
    if not isinstance(error, OSError):
        return FileProblem("The path holds a character that no file name can have.")
    number = error.errno or 0
    if number == errno.EEXIST and (occupied := _occupied(path)) is not None:
        return occupied
    sentences = {
        errno.ENOENT: f"There is no folder {path.parent}.",
        errno.ENOTDIR: f"{path.parent} is not a folder.",
        errno.ELOOP: f"There is a symbolic link at {path}; keytui follows none.",
        errno.EROFS: f"The folder {path.parent} is on a read-only file system.",
        errno.EACCES: f"You may not write to the folder {path.parent}.",
        errno.ENOSPC: f"The disk of {path.parent} is full.",
        errno.EDQUOT: f"Your quota on the disk of {path.parent} is used up.",
        errno.EFBIG: "This session's file size limit is too small (ulimit -f).",
        errno.ENAMETOOLONG: "The file name is too long.",
    }
    if verb != "written":
        sentences.pop(errno.EACCES)
    return FileProblem(sentences.get(number, f"{path} can't be {verb}: {os.strerror(number)}."))
