"""The terminal's clipboard, by OSC 52. It can be sent to; whether it took it can't be known."""

import base64

_START = "\x1b]52;c;"
_END = "\a"


def osc52(text: str) -> str:
    """Return the escape sequence that sends a text to the terminal's clipboard.

    Terminals may drop it, and tmux forwards it only with ``set-clipboard on``: tell the
    user that the text was sent, never that it was copied.
    """
    return f"{_START}{base64.b64encode(text.encode()).decode('ascii')}{_END}"


def osc52_clear() -> str:
    """Return the escape sequence that empties the terminal's clipboard.

    tmux keeps what went through it in a paste buffer, which this does not empty.
    """
    return f"{_START}{_END}"
