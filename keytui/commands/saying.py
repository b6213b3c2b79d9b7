"""Words that hold nobody up: a terminal may be stopped, a pipe may be full."""

import os
import sys
from contextlib import suppress
from threading import Thread

SAY_SECONDS = 2.0
"""How long a sentence may take that is said on the way out."""


def say_in_time(line: str) -> None:
    """Write a line to standard error, or give up after ``SAY_SECONDS``. Any thread."""
    thread = Thread(target=_write, args=(f"{line}\n",), daemon=True)
    thread.start()
    thread.join(SAY_SECONDS)


def _write(text: str) -> None:
    # Not by print: its lock would be held for as long as the terminal takes nothing.
    with suppress(OSError, ValueError, AttributeError):
        try:
            descriptor = sys.stderr.fileno()
        except OSError:  # A stand-in for it.
            sys.stderr.write(text)
            return
        data = text.encode(sys.stderr.encoding or "ascii", "backslashreplace")
        while data:
            data = data[os.write(descriptor, data) :]
