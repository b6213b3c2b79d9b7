"""Text from AWS, from files and from users is data: it never moves a terminal's cursor."""

import re
from collections.abc import Iterator
from unicodedata import category

_UNSAFE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_MARKS = {"Mn", "Me", "Mc"}
_MOST_MARKS = 4
"""On one letter. Vietnamese, Hindi and Thai have up to three, pointed Hebrew four."""

_IGNORABLE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Default_Ignorable_Code_Point: shown as nothing (Unicode 16, DerivedCoreProperties.txt)."""
_BLANK = r"\u1680\u2000-\u200a\u205f\u2800\ufffc\U00013441-\U00013446\U00016fe4\U0001d159"
"""Shown as a space, or as nothing, though they are letters, signs or odd spaces."""
_JOINING = re.compile(r"[\u1161-\u11ff\ud7b0-\ud7ff\U0001f3fb-\U0001f3ff]")
"""Take no room of their own, as marks: vowels and finals of Hangul, and skin tones."""
_UNSEEN = re.compile(f"[{_IGNORABLE}{_BLANK}]")


def plain(text: str) -> str:
    """Return text that can't move the cursor, change colours or reorder a line.

    Control, format (bidirectional marks among them), private, unassigned and invisible
    characters are shown as ``�``, and so are the marks that one letter has too many of or that
    have no letter to stand on.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(text))


def span(seconds: float) -> str:
    """Return a time in whole seconds or minutes: ``12 s``, ``4 min``."""
    return f"{max(seconds, 1):.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _shown(text: str) -> Iterator[str]:
    marks = _MOST_MARKS  # There is no letter yet.
    for char in text:
        kind = category(char)
        marks = marks + 1 if kind in _MARKS or _JOINING.match(char) else 0
        unsafe = kind in _UNSAFE or marks > _MOST_MARKS or _UNSEEN.match(char)
        yield "�" if unsafe else char
