"""What is sent to the terminal: only cells that differ, in few bytes; over SSH each is felt.

Textual paints the whole screen whenever a dialog opens or closes, and whole lines for a word:
cells are compared with what stands there. Rich ends every stretch of text with a reset and names
even default colours, and Textual paints blanks one by one: only changes of style are sent, and
long blanks are erased instead.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from rich.cells import cell_len

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


Cell = tuple[str, Style]
"""A character and its style; an empty one is the right half of a wide one."""

_MOVE = re.compile(r"\x1b\[(\d+);(\d+)H")
_PLAIN = re.compile(r"(?:\x1b\[[0-9;]*m|[^\x00-\x1f\x7f\x80-\x9f]++)*+\n*")
"""What Textual paints after it has moved: text and styles, and a line's end."""
_CLEARS = re.compile(r"\x1b\[\?1049|\x1b\[\d*J|\x1bc")
_NONE: Style = ()
_GAP = 6
"""So many cells that need no paint take fewer bytes than going past them."""


class Painted:
    """The cells of the terminal, as far as they are known."""

    def __init__(self) -> None:
        self._rows: dict[int, dict[int, Cell]] = {}
        self._lines: dict[int, tuple[int, str]] = {}
        """Row → the place and text painted on it last, where all of it still stands."""
        self._cursor = (0, 0)

    def forget(self) -> None:
        """Know nothing: the terminal may have been cleared, or have another size."""
        self._rows.clear()
        self._lines.clear()
        self._cursor = (0, 0)

    def reduce(self, data: str) -> str:
        """Return what has to be sent so that the terminal shows what ``data`` paints."""
        head, *moves = _MOVE.split(data)
        places = list(zip(moves[::3], moves[1::3], moves[2::3], strict=True))
        if _CLEARS.search(data) or not all(_PLAIN.fullmatch(text) for _, _, text in places):
            self.forget()
            return thin(data)
        if head and not _MOVE.match(data) and places:
            return thin(head) + self._frame(places)
        return self._frame(places) if places else thin(data)

    def _frame(self, places: list[tuple[str, str, str]]) -> str:
        out = "".join(self._line(int(y), int(x), text.rstrip("\n")) for y, x, text in places)
        y, x, text = places[-1]
        if text.strip("\n"):
            self._cursor = (0, 0)
        elif out or self._cursor != (int(y), int(x)):
            self._cursor = (int(y), int(x))
            out += f"\x1b[{y};{x}H"
        return thin(out)

    def _line(self, y: int, x: int, text: str) -> str:
        if not text or self._lines.get(y) == (x, text):
            return ""
        self._lines[y] = (x, text)
        row, cells = self._rows.setdefault(y, {}), _cells(text)
        differ = [at for at, cell in enumerate(cells) if row.get(x + at) != cell]
        self._take(row, x, cells)
        return "".join(_paint(y, x, cells, first, end) for first, end in _spans(differ, cells))

    def _take(self, row: dict[int, Cell], x: int, cells: list[Cell]) -> None:
        end = x + len(cells)
        if row.get(x, ("-", ()))[0] == "":  # The left half of a wide character goes with it.
            row.pop(x - 1, None)
        if row.get(end, ("-", ()))[0] == "":
            row.pop(end, None)
        row.update(enumerate(cells, start=x))


def _cells(text: str) -> list[Cell]:
    cells: list[Cell] = []
    for style, stretch in styled(text):
        seen = style if paints(style) else ()
        if stretch.isascii():
            cells += [(char, seen if char == " " else style) for char in stretch]
            continue
        for char in stretch:
            width = 1 if char.isascii() else cell_len(char)
            if width == 0 and cells:
                cells[-1] = (cells[-1][0] + char, cells[-1][1])
                continue
            cells.append((char, seen if char == " " else style))
            cells += [("", style)] * (width - 1)
    return cells


def _spans(differ: list[int], cells: list[Cell]) -> list[tuple[int, int]]:
    """Return where to paint, from and up to, with small gaps painted over."""
    spans: list[tuple[int, int]] = []
    for at in differ:
        first = at - 1 if cells[at][0] == "" else at
        end = at + 2 if cells[at + 1 : at + 2] and cells[at + 1][0] == "" else at + 1
        if spans and first - spans[-1][1] <= _GAP:
            spans[-1] = (spans[-1][0], max(end, spans[-1][1]))
        else:
            spans.append((first, end))
    return spans


def _paint(y: int, x: int, cells: list[Cell], first: int, end: int) -> str:
    if cells[first][0] == "":  # A gap may have begun within a wide character.
        first -= 1
    out, before = [f"\x1b[{y};{x + first}H"], _NONE
    for char, style in cells[first:end]:
        if style != before:
            out.append(f"\x1b[0;{';'.join(style)}m" if style else "\x1b[0m")
        out.append(char)
        before = style
    return "".join(out) + "\x1b[0m"
