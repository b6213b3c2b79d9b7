"""Small programs that stores ask: tmux, xclip. They never hold keytui up."""

from collections.abc import Callable, Mapping, Sequence

from keytui.model import Secret
from keytui.stores.helpers import HelperError, talk, without_secrets

SECONDS = 2.0
"""How long a program may take; all of them answer within hundredths of a second."""
_MOST_BYTES = 1_000_000
"""A clipboard that holds more does not hold a secret of keytui's."""

Run = Callable[[Sequence[str], str | None], str | None]
"""Runs a program: its command line, and what it reads (None: nothing, its answer is wanted)."""


def runner(env: Mapping[str, str], seconds: float = SECONDS) -> Run:
    """Return how to run programs in an environment; a secret goes in by standard input only."""

    def run(command: Sequence[str], text: str | None) -> str | None:
        """Return what the program writes; None where it is missing, fails or is too slow.

        One that is given a text may go on in the background to serve it, as xclip does: what
        it writes is not waited for.
        """
        try:
            answer, status = talk(
                command,
                Secret(text or ""),
                env=without_secrets(env),
                seconds=seconds,
                most_bytes=_MOST_BYTES,
                answers=text is None,
            )
        except (HelperError, TimeoutError):
            return None
        return None if status else answer.reveal()

    return run
