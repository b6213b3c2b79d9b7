"""Which characters the terminal can show, and what stands in for those it can't.

The widgets draw with the glyphs they mean; all that is painted passes one place, where each
glyph becomes its stand-in of the same width. No widget has to know, and no new one can forget.
"""

import sys
from collections.abc import Mapping
from enum import Enum
from unicodedata import combining, east_asian_width

STAND_INS = {
    # Status, marks and the cursor.
    "●": "*",
    "○": "o",
    "⊘": "/",
    "✕": "x",
    "◌": ":",
    "◉": "*",
    "▸": ">",
    "✓": "+",
    "✗": "x",
    "•": "*",
    "…": "~",  # no IAM name holds it: a name that was cut can't be taken for a whole one
    "·": "-",
    "–": "-",
    "×": "x",
    "“": '"',
    "”": '"',
    "’": "'",
    "↑": "^",
    "↓": "v",
    "▲": "^",
    "▼": "v",
    "→": ">",
    "←": "<",
    "�": "?",
    # Frames: ours, and those of Textual's widgets and scrollbars.
    **dict.fromkeys("╭╮╰╯┌┐└┘┏┓┗┛├┤┬┴┼╔╗╚╝", "+"),
    **dict.fromkeys("─━═", "-"),
    **dict.fromkeys("│┃║▏▎▍▌▋▊▉▐▕", "|"),
    **dict.fromkeys("▁▂▃▄▅▆▇█▔▀", "#"),
}
"""Glyph → its stand-in in ASCII, of one cell as the glyph is."""

_COERCED = {"C.UTF-8", "C.utf8", "UTF-8"}
"""What Python sets LC_CTYPE to by itself where the locale is C."""


class Glyphs(Enum):
    """What the terminal can show."""

    ALL = "all"
    OWN = "own"
    """Text in any script, but not keytui's glyphs: the kernel's console has few of them."""
    ASCII = "ascii"


def locale_of(env: Mapping[str, str], utf8_mode: int = sys.flags.utf8_mode) -> str:
    """Return the locale of characters as the user set it; empty for none.

    Where the locale is C, Python sets LC_CTYPE for itself and its children (PEP 538).

    Args:
        env: The environment.
        utf8_mode: Whether Python ignores the locale's encoding, as it does then.
    """
    if name := env.get("LC_ALL"):
        return name
    name, language = env.get("LC_CTYPE", ""), env.get("LANG", "")
    by_python = utf8_mode and name in _COERCED and language in {"", "C", "POSIX"}
    return language if by_python or not name else name


def speaks_utf8(env: Mapping[str, str], utf8_mode: int = sys.flags.utf8_mode) -> bool:
    """Return whether the locale has UTF-8."""
    locale = locale_of(env, utf8_mode)
    encoding = locale.partition("@")[0].partition(".")[2].replace("-", "").casefold()
    return encoding == "utf8" or locale == "UTF-8"


def known(env: Mapping[str, str], utf8_mode: int = sys.flags.utf8_mode) -> Glyphs:
    """Return what the terminal can show, by the locale and ``TERM``."""
    if not speaks_utf8(env, utf8_mode):
        return Glyphs.ASCII
    return Glyphs.OWN if env.get("TERM", "").startswith("linux") else Glyphs.ALL


class _Table(dict[int, str]):
    """Translates what is painted; a character without a stand-in becomes question marks."""

    def __missing__(self, code: int) -> str:
        stand_in = chr(code)
        if code > 127:
            wide = east_asian_width(stand_in) in "WF"
            stand_in = "" if combining(stand_in) else "??" if wide else "?"
        self[code] = stand_in
        return stand_in


_ASCII = _Table(str.maketrans(STAND_INS))
_OWN = str.maketrans(STAND_INS)


def spell(text: str, glyphs: Glyphs) -> str:
    """Return text as the terminal can show it, as wide as it was."""
    if glyphs is Glyphs.ALL or text.isascii():
        return text
    return text.translate(_ASCII if glyphs is Glyphs.ASCII else _OWN)
