"""The terminal itself, whatever standard error is: opened again, and never waited for."""

import os
import select
import sys
import termios
import time
from contextlib import suppress

from keytui.core.errors import UsageError

CHUNK = 1 << 13
"""So many bytes are worth a call of their own."""
HURRIED_SECONDS = 1.0
"""How long a terminal that takes nothing is waited for once keytui has to end."""
_LOOK_AGAIN = 0.1


def open_terminal() -> "Terminal":
    """Open the terminal that standard input and output are.

    Opened again it is keytui's alone: nothing that is drawn can land in a file that standard
    error goes to, and not to wait for it does not change it for the shell.

    Raises:
        UsageError: They are not one terminal, or it can't be opened.
    """
    reading, writing = sys.stdin.fileno(), sys.stdout.fileno()
    controlling = _is_controlling(reading)
    same = os.fstat(reading).st_rdev == os.fstat(writing).st_rdev
    if not (same or (controlling and _is_controlling(writing))):
        raise UsageError(
            "Standard input and standard output are two different terminals.",
            next_step="Run keytui in one terminal.",
        )
    try:
        path = "/dev/tty" if controlling else os.ttyname(reading)
        return Terminal(os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))
    except OSError as error:
        raise UsageError(
            f"keytui can't open the terminal: {error.strerror}.",
            next_step="Run it in a terminal of your own; over SSH with ssh -t.",
        ) from None


def _is_controlling(descriptor: int) -> bool:
    """Return whether it is the terminal that job control goes by."""
    try:
        os.tcgetpgrp(descriptor)
    except OSError:
        return False
    return True


class Terminal:
    """A terminal to draw on; a file, as far as Textual needs one."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting = bytearray()
        self._until: float | None = None
        self._gone = False

    def fileno(self) -> int:
        """Return its descriptor, for reading too; no call on it blocks."""
        return self._descriptor

    def write(self, text: str) -> None:
        """Write to it, sooner or later."""
        self._waiting += text.encode(errors="replace")
        if len(self._waiting) > CHUNK:
            self.flush()

    def flush(self) -> None:
        """Write what waits; what the terminal does not take in time is dropped."""
        while self._waiting and not self._gone:
            try:
                del self._waiting[: os.write(self._descriptor, self._waiting)]
            except BlockingIOError:
                self._gone = not self._takes_more()
            except OSError:
                self._gone = True
        self._waiting.clear()

    def hurry(self) -> None:
        """From now on wait no longer for a terminal that takes nothing. Any thread."""
        self._until = time.monotonic() + HURRIED_SECONDS

    def write_now(self, text: str) -> None:
        """Write what the terminal takes at once. Any thread."""
        with suppress(OSError):
            os.write(self._descriptor, text.encode())

    @property
    def in_background(self) -> bool:
        """Whether another job has the terminal."""
        try:
            return os.tcgetpgrp(self._descriptor) != os.getpgrp()
        except OSError:
            return False

    def modes(self) -> list[object] | None:
        """Return how it treats input and output; None where it is gone."""
        try:
            return termios.tcgetattr(self._descriptor)
        except termios.error:
            return None

    def set_modes(self, modes: list[object] | None) -> None:
        """Treat input and output as it did; not where another job has the terminal."""
        if modes is not None and not self.in_background:
            with suppress(termios.error):
                termios.tcsetattr(self._descriptor, termios.TCSANOW, modes)  # type: ignore[arg-type]

    def _takes_more(self) -> bool:
        while not select.select([], [self._descriptor], [], _LOOK_AGAIN)[1]:
            if self._until is not None and time.monotonic() > self._until:
                return False
        return True
