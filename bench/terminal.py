"""A program in a pseudo-terminal, with the time at which each piece of its output arrived."""

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

COLUMNS, ROWS = 120, 40

_QUIET = 0.01
"""Seconds without output after which the screen is looked at."""

_CHUNK = 1 << 16

Lines = list[str]
"""The screen's text, a string a line."""


class Terminal:
    """A program that runs in a terminal of 120×40.

    Output is first read as fast as it comes, with the time of each piece, and put on the screen
    when the program falls silent: looking at the screen delays no measurement.

    Attributes:
        started: When the program was started, by ``time.perf_counter``.
        received: How many bytes it has written so far.
    """

    def __init__(self, command: Sequence[str], env: Mapping[str, str]) -> None:
        """Start the program.

        Args:
            command: The program and its arguments.
            env: Its whole environment.
        """
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._waiting: deque[tuple[float, bytes]] = deque()
        self.received = 0
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    @property
    def lines(self) -> Lines:
        """What is on the screen."""
        return list(self._screen.display)

    def press(self, keys: str) -> float:
        """Type something; returns when, by ``time.perf_counter``."""
        moment = time.perf_counter()
        os.write(self._master, keys.encode())
        return moment

    def wait(self, shown: Callable[[Lines], bool], timeout: float = 20) -> float:
        """Wait until the screen is as wanted.

        Args:
            shown: Whether it is.
            timeout: Seconds.

        Returns:
            When the byte arrived that made it so, by ``time.perf_counter``.

        Raises:
            TimeoutError: It never was; the message holds what it was.
        """
        deadline = time.perf_counter() + timeout
        while True:
            silent = not self._read(_QUIET)
            late = time.perf_counter() > deadline
            while (silent or late) and self._waiting:
                moment, data = self._waiting.popleft()
                self._stream.feed(data)
                if shown(self.lines):
                    return moment
            if late:
                raise TimeoutError("\n".join(["The screen never was as wanted:", *self.lines]))

    def settle(self, quiet: float = 0.25, timeout: float = 20) -> float:
        """Wait until the program has been silent for some seconds; returns when it fell silent.

        Raises:
            TimeoutError: It wrote on and on.
        """
        last = self._waiting[-1][0] if self._waiting else time.perf_counter()
        deadline = time.perf_counter() + timeout
        while self._read(quiet):
            last = self._waiting[-1][0]
            if time.perf_counter() > deadline:
                raise TimeoutError("The program did not stop writing")
        for _, data in self._waiting:
            self._stream.feed(data)
        self._waiting.clear()
        return last

    def memory(self) -> "Memory":
        """Return what the program holds in memory now; without its children."""
        return Memory.of(self._process.pid)

    def _read(self, timeout: float) -> bool:
        """Take in what the program writes next; returns whether there was something in time."""
        if not select.select([self._master], [], [], timeout)[0]:
            return False
        try:
            data = os.read(self._master, _CHUNK)
        except OSError:  # the program has ended
            data = b""
        if not data:
            for _, rest in self._waiting:
                self._stream.feed(rest)
            raise EOFError("\n".join(["The program ended:", *self.lines]))
        self._waiting.append((time.perf_counter(), data))
        self.received += len(data)
        return True


class Memory:
    """A process's memory in MB.

    Attributes:
        resident: All that is in memory, shared libraries included.
        proportional: The same with what is shared divided among the sharers; 0 where the
            kernel doesn't tell it.
    """

    def __init__(self, resident: float, proportional: float) -> None:
        self.resident = resident
        self.proportional = proportional

    @classmethod
    def of(cls, pid: int) -> "Memory":
        """Return a process's memory; its parent may always read the resident part."""
        folder = Path("/proc") / str(pid)
        resident = _megabytes(folder / "status", "VmRSS:")
        try:
            # keytui makes itself unreadable for other processes: root alone sees this.
            proportional = _megabytes(folder / "smaps_rollup", "Pss:")
        except OSError:
            proportional = 0.0
        return cls(resident, proportional)


def _megabytes(path: Path, name: str) -> float:
    found = (line.split() for line in path.read_text().splitlines() if line.startswith(name))
    return next((int(words[1]) / 1024 for words in found), 0.0)
