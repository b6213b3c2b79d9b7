"""The columns of a table: which there are and how wide, by the width of the window alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from rich.text import Text

GAP = 2
"""Cells between two columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        title: Its title; a shorter one stands behind a line break.
        widths: The widths in cells that are of use, the widest first.
        rank: The column with the highest rank leaves first and grows last; one with rank 0
            never leaves.
        least: The narrowest window that it stands in.
        fills: Whether it takes the room that is left over.
    """

    title: str
    widths: tuple[int, ...]
    rank: int = 0
    least: int = 0
    fills: bool = False

    def title_in(self, cells: int) -> str:
        """Return the longest title that fits, or the shortest one."""
        titles = self.title.split("\n")
        return next((title for title in titles if len(title) <= cells), titles[-1])


class Columns:
    """The columns of one table."""

    def __init__(self, *columns: Column, margin: int = 0) -> None:
        """Take the columns, and how many cells stand before the first."""
        self._columns = columns
        self._margin = margin
        self.widths = lru_cache(maxsize=8)(self._widths)
        """Width of the window → the width of each column, 0 for one that is left out."""

    def _widths(self, width: int) -> tuple[int, ...]:
        shown = {one: one.widths[-1] for one in self._columns if one.least <= width}
        while self._left(width, shown) < 0:
            going = max(shown, key=lambda column: column.rank)
            if going.rank == 0:
                break
            del shown[going]
        for column in sorted(shown, key=lambda column: column.rank):
            room = shown[column] + self._left(width, shown)
            shown[column] = next((w for w in column.widths if w <= room), shown[column])
        for column in (column for column in shown if column.fills):
            shown[column] += max(self._left(width, shown), 0)
        return tuple(shown.get(column, 0) for column in self._columns)

    def _left(self, width: int, shown: Mapping[Column, int]) -> int:
        return width - self._margin - sum(shown.values()) - GAP * (len(shown) - 1)

    def header(self, width: int) -> Text:
        """Return the titles."""
        titles = [
            Text(column.title_in(cells)) if cells else Text()
            for column, cells in zip(self._columns, self.widths(width), strict=True)
        ]
        line = self.line(Text(), titles, width)
        line.stylize("dim")
        return line

    def line(self, margin: Text, cells: Sequence[Text], width: int) -> Text:
        """Lay out a row; with fewer cells than columns the last takes the rest of the line.

        Args:
            margin: What stands before the first column.
            cells: A text for each column; those of columns left out are passed over.
            width: The width of the window.
        """
        line = margin.copy()
        line.pad_right(self._margin - line.cell_len)
        widths = list(self.widths(width))[: len(cells)]
        if len(cells) < len(self._columns):
            widths[-1] = width
        for cell, room in zip(cells, widths, strict=True):
            if room:
                one = cell.copy()
                one.truncate(room, overflow="ellipsis")
                one.pad_right(room - one.cell_len + GAP)
                line.append_text(one)
        line.truncate(width)
        line.rstrip()
        return line
