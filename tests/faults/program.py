"""keytui in a pseudo-terminal, started in half the time that a new interpreter takes.

``Zygote`` is the process that the runs are forked from, one for each test worker; ``Program``
is one run with its terminal. All waits are for a state and end as soon as it is there; they
fail with what the screen shows.
"""

import json
import os
import re
import select
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import copy, deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pyte
import pyte.screens
import pytest

PATIENCE = 20.0
"""Seconds to wait for a state before a test fails; nothing takes that long."""

_ROOT = Path(__file__).parents[2]
_READ_AT_IMPORT = re.compile(
    r"TEXTUAL_|PYTHON(?!PATH|_KEYRING)|ESCDELAY$|LC_TERMINAL$|TERM_PROGRAM$"
)
"""Variables that act when Textual or the interpreter starts: too late in a forked process."""
_UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[<[0-9;]*[a-zA-Z]")
_OTHER_SCREEN = 1049
"""The private mode of the alternate screen."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A run without a terminal that has ended.

    Attributes:
        status: The exit status; the negative number of the signal that ended it.
        out: What it wrote to standard output.
        err: What it wrote to standard error.
    """

    status: int
    out: str
    err: str


class Zygote:
    """The process that runs of keytui are forked from; see ``zygote()``."""

    def __init__(self, home: Path) -> None:
        """Start the process, which does not wait until it is ready.

        Args:
            home: An empty folder, the home of what is read while everything is imported.
        """
        env = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "HOME": str(home),
            "PYTHONPATH": str(_ROOT),
            # As keytui.cli.commands.tui has it; read when Textual is imported.
            "TEXTUAL_FPS": "240",
            "TEXTUAL_THEME": "ansi-dark",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.faults.zygote"],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        self._pids: list[int] = []
        self._exits: dict[int, int] = {}
        self._ended = False
        self._starting = threading.Lock()
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._listen, name="zygote", daemon=True)
        self._reader.start()

    def run(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path | None = None) -> Finished:
        """Run keytui without a terminal until it ends.

        Args:
            argv: Its arguments.
            env: Its whole environment.
            cwd: Its current folder; None for its home.
        """
        folder = Path(env["TMPDIR"] if "TMPDIR" in env else env["HOME"])
        with _output_files(folder) as (out, err):
            pid = self.fork(argv, env, [os.devnull, str(out), str(err)], cwd, terminal=False)
            status = self.wait_exit(pid, lambda: out.read_text() + err.read_text())
            return Finished(status, out.read_text(), err.read_text())

    def fork(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        files: Sequence[str],
        cwd: Path | None = None,
        *,
        terminal: bool,
    ) -> int:
        """Start a run of keytui on three files, or on a terminal; return its process ID.

        An empty path stands for a number that is closed.
        """
        if late := [name for name in env if _READ_AT_IMPORT.match(name)]:
            raise ValueError(f"{late} are read at import: start a new interpreter for them")
        request = {
            "argv": list(argv),
            "env": dict(env),
            "files": list(files),
            "cwd": str(cwd or env["HOME"]),
            "terminal": terminal,
        }
        pipe = self._process.stdin
        assert pipe
        with self._starting:
            pipe.write(json.dumps(request).encode() + b"\n")
            pipe.flush()
            with self._changed:
                self._changed.wait_for(lambda: self._pids or self._ended, PATIENCE)
                if not self._pids:
                    pytest.fail("the zygote has ended or hangs: see what it wrote to stderr")
                return self._pids.pop()

    def wait_exit(self, pid: int, shown: Callable[[], str], timeout: float = PATIENCE) -> int:
        """Wait until a run has ended; return its exit status."""
        with self._changed:
            if self._changed.wait_for(lambda: pid in self._exits, timeout):
                return self._exits[pid]
        pytest.fail(f"not within {timeout:g} s: keytui has ended\n{shown()}")

    def ends_within(self, pid: int, timeout: float) -> bool:
        """Return whether a run has ended by then."""
        with self._changed:
            return self._changed.wait_for(lambda: pid in self._exits, timeout)

    def has_ended(self, pid: int) -> bool:
        """Return whether a run has ended."""
        with self._changed:
            return pid in self._exits

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin
        assert self._process.stdout
        with suppress(OSError):
            self._process.stdin.close()
        self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        self._process.stdout.close()

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            message = json.loads(line)
            with self._changed:
                if "pid" in message:
                    self._pids.append(message["pid"])
                    # An earlier run may have had this number: the system gives them out again.
                    self._exits.pop(message["pid"], None)
                else:
                    self._exits[message["exited"]] = message["code"]
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()


@contextmanager
def zygote(home: Path) -> Iterator[Zygote]:
    """Keep a zygote while the block runs."""
    process = Zygote(home)
    try:
        yield process
    finally:
        process.close()


class Program:
    """A run of keytui in a terminal of its own; see ``program``."""

    def __init__(self, source: Zygote) -> None:
        self._zygote = source
        self._master = -1
        self._pid = 0
        self._bytes = bytearray()
        self._fed = 0
        self._changed = threading.Condition()

    def start(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        width: int = 120,
        height: int = 40,
        cwd: Path | None = None,
    ) -> None:
        """Open the terminal and run keytui in it.

        Args:
            argv: Its arguments.
            env: Its whole environment; see ``tests.support.terminal.clean_env``.
            width: Columns.
            height: Lines.
            cwd: Its current folder; None for its home.
        """
        self._screen = _Screen(width, height)
        self._stream = pyte.ByteStream(self._screen)
        self._master, slave = os.openpty()
        try:
            termios.tcsetwinsize(slave, (height, width))
            files = [os.ttyname(slave)] * 3
            self._pid = self._zygote.fork(argv, env, files, cwd, terminal=True)
        finally:
            os.close(slave)
        self._wake, self._woken = os.pipe()
        self._reader = threading.Thread(target=self._read, name="terminal", daemon=True)
        self._reader.start()

    # What the user sees.

    def text(self) -> str:
        """Return the screen, a line for each of its lines."""
        with self._changed:
            return self._text()

    @property
    def written(self) -> bytes:
        """All bytes that were written to the terminal."""
        with self._changed:
            return bytes(self._bytes)

    def wait_for(self, wanted: str | re.Pattern[str], timeout: float = PATIENCE) -> str:
        """Return the screen once it shows a text (over line ends too) or matches a pattern."""
        return self._wait(lambda screen: shows(screen, wanted), f"{wanted!r} shown", timeout)

    def wait_gone(self, unwanted: str | re.Pattern[str], timeout: float = PATIENCE) -> str:
        """Return the screen once it no longer shows a text or matches a pattern."""
        return self._wait(lambda screen: not shows(screen, unwanted), f"{unwanted!r} gone", timeout)

    # What the user does.

    def send(self, keys: bytes | str) -> None:
        """Send what keys send: ``c``, ``\\r``, ``\\x1b[B``. Wait for an Escape's effect."""
        os.write(self._master, keys.encode() if isinstance(keys, str) else keys)

    def resize(self, width: int, height: int) -> None:
        """Make the terminal larger or smaller."""
        with self._changed:
            self._feed()
            self._screen.resize(height, width)
        termios.tcsetwinsize(self._master, (height, width))

    def close_terminal(self) -> None:
        """Close the terminal's other end: a hang-up."""
        if self._master < 0:
            return
        os.close(self._woken)  # A read under way would keep the terminal open.
        self._reader.join(PATIENCE)
        os.close(self._wake)
        os.close(self._master)
        self._master = -1

    # The process in it.

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._pid

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal to the process alone."""
        os.kill(self._pid, number)

    def wait_exit(self, timeout: float = PATIENCE) -> int:
        """Wait until keytui has ended and all it wrote is here; return its exit status.

        Returns:
            The status; the negative number of the signal that ended it.
        """
        status = self._zygote.wait_exit(self._pid, self.text, timeout)
        self._reader.join(timeout)
        return status

    def ends_within(self, timeout: float) -> bool:
        """Return whether keytui has ended by then."""
        return self._zygote.ends_within(self._pid, timeout)

    def close(self) -> None:
        """End the run and close the terminal."""
        if self._pid and not self._zygote.has_ended(self._pid):
            with suppress(ProcessLookupError):
                self.kill()
            self._zygote.wait_exit(self._pid, self.text)
        self.close_terminal()

    # The terminal.

    def _read(self) -> None:
        poll = select.poll()
        poll.register(self._master, select.POLLIN)
        poll.register(self._wake, 0)
        while True:
            ready = {handle for handle, _ in poll.poll()}
            if self._wake in ready:
                return
            try:
                received = os.read(self._master, 65536)
            except OSError:
                received = b""  # Linux's way to say that nobody has the other end open
            with self._changed:
                self._bytes += received
                self._changed.notify_all()
            if not received:
                return

    def _feed(self) -> None:
        # Only when somebody looks: pyte takes about a microsecond a byte.
        fresh = bytes(self._bytes[self._fed :])
        self._fed += len(fresh)
        self._stream.feed(_UNKNOWN_TO_PYTE.sub(b"", fresh))

    def _text(self) -> str:
        self._feed()
        return self._screen.text()

    def _wait(self, reached: Callable[[str], bool], what: str, timeout: float) -> str:
        screen = ""

        def look() -> bool:
            nonlocal screen
            screen = self._text()
            return reached(screen)

        with self._changed:
            if self._changed.wait_for(look, timeout):
                return screen
        pytest.fail(f"not within {timeout:g} s: {what}\n{screen}")


class _Screen(pyte.Screen):
    """A screen with the alternate one that full-screen programs draw on, which pyte lacks."""

    _ordinary: tuple[Any, Any] | None = None

    def set_mode(self, *modes: int, **options: Any) -> None:
        """Switch modes on."""
        super().set_mode(*modes, **options)
        if options.get("private") and _OTHER_SCREEN in modes and self._ordinary is None:
            self._ordinary = deepcopy(self.buffer), copy(self.cursor)
            self.erase_in_display(2)

    def reset_mode(self, *modes: int, **options: Any) -> None:
        """Switch modes off."""
        super().reset_mode(*modes, **options)
        if options.get("private") and _OTHER_SCREEN in modes and self._ordinary is not None:
            self.buffer, self.cursor = self._ordinary
            self._ordinary = None

    def text(self) -> str:
        """Return the lines, without the spaces at their ends."""
        columns = range(self.columns)
        rows = (self.buffer[y] for y in range(self.lines))
        return "\n".join("".join(row[x].data for x in columns).rstrip() for row in rows)


@contextmanager
def program(
    source: Zygote,
    argv: Sequence[str],
    env: Mapping[str, str],
    width: int = 120,
    height: int = 40,
) -> Iterator[Program]:
    """Run keytui in a terminal of its own while the block runs."""
    run = Program(source)
    try:
        run.start(argv, env, width, height)
        yield run
    finally:
        run.close()


def shows(screen: str, wanted: str | re.Pattern[str]) -> bool:
    """Return whether a screen shows a text, over line ends too, or matches a pattern."""
    if isinstance(wanted, str):
        return wanted in screen or wanted in " ".join(screen.split())
    return bool(wanted.search(screen))


@contextmanager
def _output_files(folder: Path) -> Iterator[tuple[Path, Path]]:
    names = [folder / f"run-{os.getpid()}-{threading.get_ident()}.{end}" for end in ("out", "err")]
    try:
        yield cast("tuple[Path, Path]", tuple(names))
    finally:
        for name in names:
            name.unlink(missing_ok=True)
