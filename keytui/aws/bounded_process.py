"""What a profile runs for its credentials: bounded in time and output, and ended with keytui.

Beside a screen it gets no terminal; where many profiles are looked at it gets no window either.
"""

import atexit
import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from threading import Event, current_thread, main_thread
from types import FrameType
from typing import Any, ClassVar, NoReturn

from keytui.core.errors import CredentialsError

_VARIABLE = "KEYTUI_STARTED"
_PROC = Path("/proc")
_ROUNDS = 20
"""So often it is looked again for what was being started meanwhile."""


def new_mark() -> str:
    """Return what tells the processes of one program from all others."""
    return secrets.token_hex(16)


def marked(mark: str) -> dict[str, str]:
    """Return what to add to a program's environment: what it starts inherits that."""
    return {_VARIABLE: mark}


def end_tree(program: int | None, mark: str) -> None:
    """Kill a program and what it has started.

    Where there is no /proc, that is its own process group, if it has one.

    Args:
        program: Its process ID, which has not been waited for; None where it has ended.
        mark: What its environment is marked with.
    """
    for _ in range(_ROUNDS):
        started = {*_marked(mark), *(_descendants(program) if program else ())} - {program}
        with suppress(ProcessLookupError, PermissionError):
            if program and os.getpgid(program) == program:
                os.killpg(program, signal.SIGKILL)
        for process in (*started, program):
            with suppress(ProcessLookupError, PermissionError):
                if process and process != os.getpid():
                    os.kill(process, signal.SIGKILL)
        if not started:
            return


def _descendants(program: int) -> set[int]:
    children: dict[int, list[int]] = {}
    for process in _processes():
        with suppress(OSError, ValueError, IndexError):
            fields = (_PROC / str(process) / "stat").read_bytes().rpartition(b")")[2].split()
            if fields[0] != b"Z":
                children.setdefault(int(fields[1]), []).append(process)
    found, waiting = set[int](), [program]
    while waiting:
        started = children.get(waiting.pop(), [])
        waiting += started
        found.update(started)
    return found


def _marked(mark: str) -> Iterator[int]:
    text = f"{_VARIABLE}={mark}".encode()
    for process in _processes():
        with suppress(OSError):
            # It is empty where the process has ended.
            if text in (_PROC / str(process) / "environ").read_bytes().split(b"\0"):
                yield process


def _processes() -> Iterator[int]:
    with suppress(OSError):
        for entry in os.scandir(_PROC):
            if entry.name.isdigit():
                yield int(entry.name)


PROCESS_SECONDS = 8.0
"""How long a credential_process may take where nobody can answer it.

Less than ``fleet.PROFILE_SECONDS``, so that it is told what took so long.
"""
SIGN_IN_SECONDS = 300.0
"""How long one may take where somebody is there to sign in, in a browser for instance."""
MOST_BYTES = 1_000_000
"""The most that one may print: a hundred times what credentials take."""
START_SECONDS = 0.5
"""How long the end waits, at most, for programs that are being started."""
_CHUNK = 65_536
_starting: set["BoundedProcess"] = set()
_running: set["BoundedProcess"] = set()
_leaving = Event()


class BoundedProcess(subprocess.Popen[bytes]):
    """A program that a profile runs for its credentials.

    It ends with its time, with the most that it may print, and with keytui; so does all that it
    has started. It may ask on the terminal, where keytui draws nothing.
    """

    apart: ClassVar[bool] = False
    """Whether it gets no input and no terminal."""
    hidden: ClassVar[frozenset[str]] = frozenset()
    """The variables of the environment that it does not get."""

    def __init__(self, command: list[str], **pipes: Any) -> None:
        self._mark = new_mark()
        env = {name: value for name, value in os.environ.items() if name not in self.hidden}
        _starting.add(self)
        try:
            if _leaving.is_set():
                raise CredentialsError("The profile was not asked: keytui ends.")
            super().__init__(
                command,
                stdin=subprocess.DEVNULL if self.apart else None,
                start_new_session=self.apart,
                env=env | marked(self._mark),
                **pipes,
            )
            _running.add(self)
        finally:
            _starting.discard(self)

    @property
    def seconds(self) -> float:
        """How long it may take."""
        return SIGN_IN_SECONDS

    def communicate(
        self,
        input: bytes | None = None,  # noqa: A002 - subprocess's name
        timeout: float | None = None,
    ) -> tuple[bytes, bytes]:
        """Return what it prints.

        Raises:
            CredentialsError: It does not end in time, or prints too much.
        """
        del input, timeout  # botocore gives neither.
        printed: tuple[bytes, bytes] | str = ""
        try:
            with _heeding_signals():
                printed = self._read(time.monotonic() + self.seconds)
        finally:
            if isinstance(printed, str):
                self.end()
            _running.discard(self)
        if isinstance(printed, str):
            raise CredentialsError(
                f"The profile's credential_process {printed}.",
                "It was stopped.",
                "Run it by hand to see what it does.",
            )
        return printed

    def _read(self, deadline: float) -> tuple[bytes, bytes] | str:
        """Return what it prints, or what is wrong with it."""
        assert self.stdout  # noqa: S101 - the SDK reads both
        assert self.stderr  # noqa: S101
        late = f"did not end within {self.seconds:.0f} s"
        printed = {self.stdout: bytearray(), self.stderr: bytearray()}
        with DefaultSelector() as pipes:
            for pipe in printed:
                pipes.register(pipe, EVENT_READ, printed[pipe])
            while pipes.get_map():
                ready = pipes.select(max(0, deadline - time.monotonic()))
                if not ready:
                    return late
                for key, _ in ready:
                    chunk = os.read(key.fd, _CHUNK)
                    key.data.extend(chunk)
                    if not chunk:
                        pipes.unregister(key.fileobj)
                    if len(key.data) > MOST_BYTES:
                        return f"printed more than {MOST_BYTES:,} bytes"
        try:
            self.wait(max(0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return late
        for pipe in printed:
            pipe.close()
        return bytes(printed[self.stdout]), bytes(printed[self.stderr])

    def end(self) -> None:
        """Stop it with all that it has started."""
        end_tree(self.pid if self.poll() is None else None, self._mark)
        self.wait()
        for pipe in (self.stdout, self.stderr):
            if pipe:
                pipe.close()


class ApartProcess(BoundedProcess):
    """A program that has no input and no terminal.

    It may open a window, such as a browser's to sign in, and wait for that.
    """

    apart = True


class QuietProcess(ApartProcess):
    """A program that can't ask: it has no display either, and little time."""

    hidden = frozenset({"DISPLAY", "WAYLAND_DISPLAY"})

    @property
    def seconds(self) -> float:
        """How long it may take."""
        return PROCESS_SECONDS


@contextmanager
def _heeding_signals() -> Iterator[None]:
    """Let a signal that would end keytui at once end it in order, what it has started too."""

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    here = current_thread() is main_thread()
    deadly = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) is signal.SIG_DFL]
    for number in deadly if here else ():
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number in deadly if here else ():
            signal.signal(number, signal.SIG_DFL)


@atexit.register
def _end_all() -> None:
    """End what runs, and let nothing begin: daemon threads go on until the very end."""
    _leaving.set()
    late = time.monotonic() + START_SECONDS
    while _starting and time.monotonic() < late:
        time.sleep(0.005)
    for process in tuple(_running):
        process.end()
