"""Small programs that stores ask: tmux, xclip. They never hold keytui up."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

SECONDS = 2.0
"""How long a program may take; all of them answer within hundredths of a second."""

Run = Callable[[Sequence[str], str | None], str | None]
"""Runs a program: its command line, and what it reads (None: nothing, its answer is wanted)."""


def runner(env: Mapping[str, str], seconds: float = SECONDS) -> Run:
    """Return how to run programs in an environment; a secret goes in by standard input only."""

    def run(command: Sequence[str], text: str | None) -> str | None:
        """Return what the program writes; None where it is missing, fails or is too slow.

        One that is given a text may go on in the background to serve it, as xclip does: what
        it writes is not waited for.
        """
        output = subprocess.PIPE if text is None else subprocess.DEVNULL
        with suppress(OSError, subprocess.SubprocessError):
            done = subprocess.run(
                list(command),
                env=dict(env),
                input=(text or "").encode(),
                stdout=output,
                stderr=subprocess.DEVNULL,
                timeout=seconds,
                check=True,
            )
            return (done.stdout or b"").decode(errors="replace")
        return None

    return run
