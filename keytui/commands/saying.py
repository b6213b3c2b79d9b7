"""Words that hold nobody up: a terminal may be stopped, a pipe may be full."""

import sys
from threading import Thread

from keytui.streams import write

SAY_SECONDS = 2.0
"""How long a sentence may take that is said on the way out."""


def say_in_time(line: str) -> None:
    """Write a line to standard error, or give up after ``SAY_SECONDS``. Any thread."""
    thread = Thread(target=write, args=(f"{line}\n", sys.stderr), daemon=True)
    thread.start()
    thread.join(SAY_SECONDS)
