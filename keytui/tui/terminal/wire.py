"""What is painted, in fewer bytes: over SSH on a slow line each of them is felt.

Rich ends every stretch of text with a reset and names even default colours, and Textual paints
blanks one by one. The same screen takes half the bytes when only changes of style are sent and
long blanks are erased instead.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

Style = tuple[str, ...]
"""The SGR codes in force since the last reset."""

_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_COLOUR = re.compile(r"[34]8;(?:5;\d+|2;\d+;\d+;\d+)|\d+")
_BLANKS = re.compile(r" {11,}")
"""Shorter ones take fewer bytes as they are."""
_GOES_ELSEWHERE = re.compile(r"\x1b\[\d+;\d+H|[\r\n]")
_ONLY_MOVES = re.compile(r"(?:\x1b\[\d+;\d+H)+")
_PAINTS_BLANKS = re.compile(r"[4579]|21|53|4[0-8]\b.*|10[0-7]")
"""Codes that show on a blank: reverse, lines, blinking and backgrounds."""
_COLOURED = {"39": re.compile(r"3[0-8]\b.*|9\d"), "49": re.compile(r"4[0-8]\b.*|10[0-7]")}
"""A default colour → the codes that it takes back."""


def thin(data: str) -> str:
    """Return what paints the same in fewer bytes; it begins and ends with a plain style."""
    out: list[str] = []
    now: Style = ()
    pieces = list(_merged(data))
    for at, (style, text) in enumerate(pieces):
        if not _ONLY_MOVES.fullmatch(text) and style != now:
            out.append(_change(now, style))
            now = style
        out.append(text if paints(style) else _erasing(text, _next(pieces, at)))
    return "".join(out) + (_change(now, ()) if now else "")


def _merged(data: str) -> Iterator[tuple[Style, str]]:
    """Yield stretches of one style; blanks take on the style before where none is seen."""
    last: Style = ()
    held = ""
    for style, text in styled(data):
        unseen = not text.strip(" ") and not paints(style) and not paints(last)
        if unseen or style == last:
            held += text
            continue
        if held:
            yield last, held
        last, held = style, text
    if held:
        yield last, held


def styled(data: str) -> Iterator[tuple[Style, str]]:
    """Yield the stretches of what is painted, each with its style."""
    style: Style = ()
    parts = _SGR.split(data)
    for text, codes in zip(parts[::2], [*parts[1::2], ""], strict=True):
        if text:
            yield style, text
        style = _after(style, codes)


@lru_cache(1024)
def _after(style: Style, codes: str) -> Style:
    for code in _COLOUR.findall(codes) or ["0"]:
        if int(code.partition(";")[0]) == 0:
            style = ()
        elif code not in _COLOURED or any(map(_COLOURED[code].fullmatch, style)):
            style = (*style, code)
    return style


@lru_cache(1024)
def _change(now: Style, style: Style) -> str:
    if not style:
        return "\x1b[m"
    if style[: len(now)] == now:
        return f"\x1b[{';'.join(style[len(now) :])}m"
    return f"\x1b[{';'.join(('0', *style))}m"


@lru_cache(1024)
def paints(style: Style) -> bool:
    """Return whether a style is seen on a blank."""
    return any(_PAINTS_BLANKS.fullmatch(code) for code in style)


def _next(pieces: list[tuple[Style, str]], at: int) -> str:
    return pieces[at + 1][1] if at + 1 < len(pieces) else ""


def _erasing(text: str, following: str) -> str:
    """Return a text whose long blanks are erased; the cursor goes on where there is more."""

    def erase(found: re.Match[str]) -> str:
        cells = len(found[0])
        rest = text[found.end() :] or following
        move = "" if _GOES_ELSEWHERE.match(rest) else f"\x1b[{cells}C"
        return f"\x1b[{cells}X{move}"

    return _BLANKS.sub(erase, text)
