"""A terminal emulator of the tests' own, outside tmux and ssh: it sees every byte that arrives.

``vt(command, env)`` runs a command in a pseudo-terminal. What stands on its screen is worked
out by pyte; what was sent to its clipboard (OSC 52) is taken from the bytes themselves.
"""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pyte
import pytest

PATIENCE = 20.0
"""Seconds to wait for a state before a test fails; nothing takes that long."""

_POLL = 0.02
_CHUNK = 1 << 16
_TIOCGPTN = 0x80045430  # asm-generic/ioctls.h: the number of a pseudo-terminal
_OSC52 = re.compile(rb"\x1b\]52;[a-z0-7]*;([^\x07\x1b]*)(?:\x07|\x1b\\)")


class Vt:
    """A terminal with a clipboard that programs may set.

    Attributes:
        process: The command that runs in it.
    """

    def __init__(
        self, command: Sequence[str | Path], env: Mapping[str, str], width: int, height: int
    ) -> None:
        self._screen = pyte.Screen(width, height)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._bytes = bytearray()
        self._last = time.monotonic()
        self._master, slave = os.openpty()
        _set_size(slave, width, height)
        self.process = subprocess.Popen(
            list(map(str, command)),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=dict(env),
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(slave)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    # What arrives.

    @property
    def received(self) -> int:
        """How many bytes have arrived."""
        with self._lock:
            return len(self._bytes)

    def written(self, start: int = 0) -> bytes:
        """Return the bytes that have arrived, from one of them on."""
        with self._lock:
            return bytes(self._bytes[start:])

    def text(self) -> str:
        """Return the screen, a line for each of its lines."""
        with self._lock:
            return "\n".join(line.rstrip() for line in self._screen.display)

    def clipboard(self) -> list[str]:
        """Return all that the clipboard was set to, in order; empty where it was cleared."""
        return [b64decode(found).decode() for found in _OSC52.findall(self.written())]

    def wait_for(self, wanted: str, timeout: float = PATIENCE) -> str:
        """Return the screen once it shows a text, over line ends too."""
        self.wait_until(lambda: self.shows(wanted), f"{wanted!r} shown", timeout)
        return self.text()

    def wait_until(self, reached: Callable[[], bool], what: str, timeout: float = PATIENCE) -> None:
        """Return once a state holds; fail showing the screen where it never does."""
        deadline = time.monotonic() + timeout
        while not reached():
            if time.monotonic() > deadline:
                pytest.fail(f"not within {timeout:g} s: {what}\n{self.text()}")
            time.sleep(_POLL)

    def shows(self, wanted: str) -> bool:
        """Return whether a text is on the screen, over line ends too."""
        screen = self.text()
        return wanted in screen or wanted in " ".join(screen.translate(_FRAMES).split())

    def settle(self, quiet: float = 0.3) -> int:
        """Wait until nothing has arrived for a while; return how many bytes have in all."""

        def silent() -> bool:
            with self._lock:
                return time.monotonic() - self._last > quiet

        self.wait_until(silent, "the program falls silent")
        return self.received

    # What the user does.

    def type(self, keys: str) -> None:
        """Type something; control characters are keys too."""
        self.type_bytes(keys.encode())

    def type_bytes(self, keys: bytes) -> None:
        """Type something in whatever encoding."""
        os.write(self._master, keys)

    def hold(self) -> None:
        """Press ctrl+s, and wait until the terminal takes nothing any more."""
        number = struct.unpack("I", fcntl.ioctl(self._master, _TIOCGPTN, bytes(4)))[0]
        terminal = os.open(f"/dev/pts/{number}", os.O_WRONLY | os.O_NOCTTY)
        try:
            self.type("\x13")
            self.wait_until(
                lambda: not select.select([], [terminal], [], 0)[1], "the terminal takes nothing"
            )
        finally:
            os.close(terminal)

    def resize(self, width: int, height: int) -> None:
        """Make the terminal larger or smaller."""
        with self._lock:
            self._screen.resize(height, width)
        _set_size(self._master, width, height)

    def wait_exit(self, timeout: float = PATIENCE) -> int:
        """Wait until the command has ended and all it wrote is here; return its exit status."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still runs after {timeout:g} s\n{self.text()}")
        self._reader.join(timeout)
        return status

    def close(self) -> None:
        """End the command and the terminal."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self._reader.join(PATIENCE)
        os.close(self._master)

    def _read(self) -> None:
        with suppress(OSError):  # It has ended.
            while data := os.read(self._master, _CHUNK):
                with self._lock:
                    self._bytes += data
                    self._last = time.monotonic()
                    self._stream.feed(data)


_FRAMES = dict.fromkeys(map(ord, "│┃╭╮╰╯─┏┓┗┛━|"), " ")


@contextmanager
def vt(
    command: Sequence[str | Path], env: Mapping[str, str], width: int = 120, height: int = 40
) -> Iterator[Vt]:
    """Run a command in a terminal of its own while the block runs.

    Args:
        command: The command line.
        env: The whole environment; see ``tests.support.terminal.clean_env``.
        width: Columns.
        height: Lines.
    """
    opened = Vt(command, env, width, height)
    try:
        yield opened
    finally:
        opened.close()


def _set_size(terminal: int, width: int, height: int) -> None:
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))


def _take_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
