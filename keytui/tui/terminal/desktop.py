"""The clipboard of a desktop that keytui runs on, worked by the desktop's own programs."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from keytui.core.model import Secret
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


@dataclass(frozen=True, slots=True)
class Programs:
    """The command lines for one kind of desktop.

    Attributes:
        take: Sets the clipboard to what it reads.
        give: Writes what the clipboard holds.
        clear: Empties the clipboard, with nothing to read.
    """

    take: tuple[str, ...]
    give: tuple[str, ...]
    clear: tuple[str, ...]

    @property
    def name(self) -> str:
        """The program that sets the clipboard."""
        return self.take[0]


_WAYLAND = (Programs(("wl-copy",), ("wl-paste", "--no-newline"), ("wl-copy", "--clear")),)
_XCLIP = ("xclip", "-selection", "clipboard")
_X11 = (
    Programs((*_XCLIP, "-in"), (*_XCLIP, "-out"), (*_XCLIP, "-in")),
    Programs(("xsel", "-b", "-i"), ("xsel", "-b", "-o"), ("xsel", "-b", "-c")),
)
_MACOS = (Programs(("pbcopy",), ("pbpaste",), ("pbcopy",)),)


def find(
    env: Mapping[str, str], which: Callable[[str], str | None], platform: str = sys.platform
) -> Programs | None:
    """Return how to work the local clipboard; None over SSH, without a desktop or programs."""
    if env.get("SSH_CONNECTION") or env.get("SSH_TTY"):
        return None  # The desktop there, if any, is not the one in front of the user.
    kinds: tuple[Programs, ...] = _MACOS if platform == "darwin" else ()
    kinds += _WAYLAND if env.get("WAYLAND_DISPLAY") else ()
    kinds += _X11 if env.get("DISPLAY") else ()
    return next((one for one in kinds if which(one.take[0]) and which(one.give[0])), None)


def put(programs: Programs, text: str, run: Run) -> bool:
    """Set the clipboard; return whether it worked."""
    return run(programs.take, text) is not None


def clear(programs: Programs, holds: Callable[[str], bool], run: Run) -> None:
    """Empty the clipboard, unless something else has been copied since."""
    if holds(run(programs.give, None) or ""):
        run(programs.clear, "")
