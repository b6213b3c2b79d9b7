"""Standard input, output and error, whatever they are: a terminal, a full disk, a closed number.

Writing never raises: that nobody reads is no reason to stop halfway. Nothing is buffered, so
that nothing can fail later, and a signal's handler may write in the middle of another write.
"""

import errno
import io
import os
import select
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO, cast

from keytui.core.errors import UsageError

MAX_TEXT = 1_000_000
"""Bytes that are read from standard input at most; an alert or a diff is far smaller."""

_READ_SECONDS = 60.0
"""How long a secret may wait for its reader."""
_SLICE = 0.05
_CHUNK = 512  # POSIX's least PIPE_BUF: a pipe that is ready takes so much without blocking.


def secure() -> None:
    """Make the numbers 0 to 2 safe to use; call it before anything else is opened.

    A number that is closed would be given to the next file that is opened, and what is
    printed would land in that file.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        _occupy(number)
        if getattr(sys, name) is None:
            stream = _nothing() if number == 0 else _Lost(OSError(errno.EBADF, ""))
            setattr(sys, name, stream)
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")


def write(text: str, stream: TextIO) -> bool:
    """Write a text; return whether all of it was taken.

    What the stream's encoding lacks is written as an escape. Where standard output fails for
    another reason than a reader that has gone, standard error says so, once.
    """
    if isinstance(stream, _Lost):
        _complain(stream)
        return False
    try:
        encoding = stream.encoding or "utf-8"
        data = text.encode(encoding, "backslashreplace")
        number = _number(stream)
        if number is None:
            stream.write(data.decode(encoding))
            stream.flush()
        else:
            _write_all(number, data)
    except (OSError, ValueError) as error:
        _give_up(stream, error)
        return False
    return True


def deliver(text: str, stopped: Callable[[], bool], *, until_read: bool) -> bool:
    """Write a secret to standard output; return whether it can be read there.

    It can't where a device takes it that keeps nothing (``/dev/null``), where it was written
    in part only, or where nobody takes it within a minute.

    Args:
        text: The text with the secret.
        stopped: Whether to wait no longer.
        until_read: The secret is nowhere else: in a pipe it counts once the reader has it.
    """
    stream = sys.stdout
    number = None if isinstance(stream, _Lost) else _number(stream)
    if number is None:
        return write(text, stream)
    try:
        kind = os.fstat(number).st_mode
        if stat.S_ISCHR(kind) and not os.isatty(number):
            return False
        rest = text.encode(stream.encoding or "utf-8", "backslashreplace")
        while rest:
            if not _in_time(lambda: _is_ready(number), stopped):
                return False
            rest = rest[os.write(number, rest[:_CHUNK]) :]
        if stat.S_ISREG(kind):
            os.fsync(number)  # Some disks tell only now that they are full.
        return not (until_read and stat.S_ISFIFO(kind)) or _was_read(number, stopped)
    except OSError as error:
        _give_up(stream, error)
        return False


def failed() -> bool:
    """Return whether standard output failed, other than by a reader that has gone."""
    stream = sys.stdout
    return isinstance(stream, _Lost) and stream.told and not stream.by_choice


def read_text() -> str:
    """Return the text on standard input; nothing else is read from there afterwards.

    Raises:
        UsageError: It can't be read, is no text, or is too long.
    """
    stream = sys.stdin
    if stream.isatty():
        write("Paste the text, then press Enter and Ctrl+D.\n", sys.stderr)
    try:
        number = _number(stream)
        data = stream.read(MAX_TEXT + 1).encode() if number is None else _read_all(number)
    except (OSError, ValueError):
        raise UsageError("Standard input can't be read.", "Nothing was changed.") from None
    # What was typed after the text must answer no question.
    sys.stdin = _nothing()
    if len(data) > MAX_TEXT:
        raise UsageError(
            "The text on standard input is longer than 1 MB.",
            "Nothing was changed.",
            "Pass only the part with the access key ID.",
        )
    if b"\0" in data:
        raise UsageError("Standard input is not text.", "Nothing was changed.")
    return data.decode("utf-8", "replace")


def read_from_terminal() -> None:
    """Let standard input be the terminal that keytui was started on, if there is one."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        return
    os.dup2(terminal, 0)
    os.close(terminal)
    if sys.__stdin__ is not None:
        sys.stdin = sys.__stdin__


class _Lost(io.TextIOBase):
    """In the place of a stream that takes nothing.

    Attributes:
        error: Why.
        told: Whether anything was meant for it.
    """

    def __init__(self, error: OSError | ValueError) -> None:
        super().__init__()
        self.error = error
        self.told = False

    @property
    def by_choice(self) -> bool:
        """Whether it is a reader that has gone, as ``head`` does."""
        return isinstance(self.error, BrokenPipeError)

    def write(self, text: str) -> int:
        return len(text)


def _occupy(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        # For reading only: a write, of a child too, fails instead of being lost unnoticed.
        opened = os.open(os.devnull, os.O_RDONLY)
        if opened != number:
            os.dup2(opened, number)
            os.close(opened)
        os.set_inheritable(number, True)


def _nothing() -> TextIO:
    return Path(os.devnull).open(encoding="utf-8")


def _number(stream: TextIO) -> int | None:
    """Return a stream's file descriptor; None where it has none, or none to be written to."""
    if sys.platform == "win32":
        return None  # The console takes more than bytes.
    try:
        return stream.fileno()
    except OSError:
        return None


def _write_all(number: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(number, rest) :]
        except BlockingIOError:
            select.select([], [number], [])


def _is_ready(number: int) -> bool:
    return bool(_events(number, select.POLLOUT))


def _was_read(number: int, stopped: Callable[[], bool]) -> bool:
    """Return whether a pipe's reader takes all that is in it."""

    def ended() -> bool:
        return not _unread(number) or bool(_events(number, 0))  # The second: it has gone.

    return _in_time(ended, stopped) and not _unread(number)


def _unread(number: int) -> int:
    import fcntl
    import termios

    return int.from_bytes(fcntl.ioctl(number, termios.FIONREAD, bytes(4)), sys.byteorder)


def _in_time(reached: Callable[[], bool], stopped: Callable[[], bool]) -> bool:
    for _ in range(round(_READ_SECONDS / _SLICE)):
        if reached():
            return True
        if stopped():
            return False
    return False


def _events(number: int, wanted: int) -> int:
    poll = select.poll()
    poll.register(number, wanted)
    found = poll.poll(_SLICE * 1000)
    return found[0][1] if found else 0


def _read_all(number: int) -> bytes:
    data = bytearray()
    while len(data) <= MAX_TEXT and (more := os.read(number, 65_536)):
        data += more
    return bytes(data)


def _give_up(stream: TextIO, error: OSError | ValueError) -> None:
    lost = _Lost(error)
    if stream is sys.stderr:
        sys.stderr = cast(TextIO, lost)
    elif stream is sys.stdout:
        sys.stdout = cast(TextIO, lost)
        _complain(lost)


def _complain(lost: _Lost) -> None:
    if lost.told:
        return
    lost.told = True
    if lost is not sys.stdout or lost.by_choice:
        return
    number = lost.error.errno if isinstance(lost.error, OSError) else None
    why = f": {os.strerror(number)}" if number else ""
    write(f"keytui: Standard output can't be written{why}. The work continues.\n", sys.stderr)
