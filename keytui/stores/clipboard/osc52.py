"""OSC 52, the escape sequence for the terminal's clipboard, and its wrappings."""

import base64

_START = "\x1b]52;c;"
_END = "\a"
_CHUNK = 76
"""How much of a sequence goes into one of screen's strings, which hold 256 bytes in old ones."""


def osc52(text: str) -> str:
    """Return the escape sequence that sends a text to the terminal's clipboard.

    Terminals may drop it: tell the user that the text was sent, never that it was copied.
    """
    return f"{_START}{base64.b64encode(text.encode()).decode('ascii')}{_END}"


def osc52_clear() -> str:
    """Return the escape sequence that empties the terminal's clipboard.

    xterm and its kin heed it. tmux passes over it, also with ``set-clipboard on``.
    """
    return f"{_START}{_END}"


def through_tmux(sequence: str) -> str:
    """Return a sequence wrapped so that tmux hands it on as it is (``allow-passthrough on``)."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def through_screen(sequence: str) -> str:
    """Return a sequence wrapped so that GNU screen hands it on as it is, piece by piece."""
    pieces = (sequence[at : at + _CHUNK] for at in range(0, len(sequence), _CHUNK))
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)
