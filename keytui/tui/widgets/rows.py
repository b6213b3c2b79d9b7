"""A list of one-line rows that draws only what is on the screen.

Textual's DataTable takes half a second for 5,000 rows and its OptionList repaints far more
than two lines for a cursor move; over SSH both are felt. This draws a row when its line is
shown, and a move repaints the two lines it touches.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from typing_extensions import override

from keytui.tui.widgets.lines import Lines

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


WHEEL_LINES = 3
"""How far a step of the mouse wheel scrolls."""


class Rows(Lines, can_focus=True):
    """Rows with a cursor. A subclass says how many there are and draws one."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False),
        Binding("home,g", "first", "First", show=False),
        Binding("end,G", "last", "Last", show=False),
        Binding("enter", "choose", "Choose", show=False),
    ]

    class Highlighted(Message):
        """The cursor is on another row.

        Attributes:
            rows: The list.
        """

        def __init__(self, rows: "Rows") -> None:
            super().__init__()
            self.rows = rows

        @property
        def control(self) -> "Rows":
            """The list."""
            return self.rows

    class Chosen(Highlighted):
        """A row was chosen with enter."""

    class Scrolled(Highlighted):
        """Other rows are in sight; the cursor may be on the same."""

    HEADER_LINES: ClassVar[int] = 0
    """1 where a header line stands above the rows, else 0."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.cursor = 0
        """The row the cursor is on; 0 where there are no rows."""
        self._top = 0

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        raise NotImplementedError

    def draw_row(self, index: int, width: int) -> Text:
        """Return a row's text, at most ``width`` cells wide."""
        raise NotImplementedError

    def draw_header(self, width: int) -> Text:
        """Return the header line."""
        raise NotImplementedError

    def rows_changed(self, cursor: int = 0) -> None:
        """Draw anew after the rows have changed, with the cursor on one of them."""
        self.cursor = min(max(cursor, 0), max(self.row_count - 1, 0))
        self._keep_in_sight()
        self.redraw()

    def move_to(self, index: int) -> None:
        """Put the cursor on a row and tell it."""
        index = min(max(index, 0), max(self.row_count - 1, 0))
        if index == self.cursor:
            return
        self.cursor = index
        self._keep_in_sight()
        self.redraw()
        self.post_message(self.Highlighted(self))

    @override
    def draw_line(self, y: int, width: int) -> Text:
        if y < self.HEADER_LINES:
            return self.draw_header(width)
        index = y + self._top - self.HEADER_LINES
        if index >= self.row_count:
            return Text()
        row = self.draw_row(index, width)
        if index == self.cursor and self.has_focus:
            row = Text(row.plain.ljust(width), spans=[s for s in row.spans if _is_link(s.style)])
            row.stylize("reverse")
        return row

    @property
    def _lines(self) -> int:
        """How many rows there is room for."""
        return max(self.size.height - self.HEADER_LINES, 1)

    def _keep_in_sight(self) -> None:
        """Scroll so that the cursor is in sight, and no room is left below the last row."""
        lowest = max(self.row_count - self._lines, 0)
        self._top = min(max(self._top, self.cursor - self._lines + 1), self.cursor, lowest)

    def _scroll(self, by: int) -> None:
        """Show other rows; the cursor goes along, so that it is never on a row out of sight."""
        top = min(max(self._top + by, 0), max(self.row_count - self._lines, 0))
        if top == self._top:
            return
        self._top = top
        self.move_to(min(max(self.cursor, top), top + self._lines - 1))
        self.redraw()
        self.post_message(self.Scrolled(self))

    def on_resize(self) -> None:
        super().on_resize()
        self._keep_in_sight()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show the cursor as the one that keys act on, or as resting."""
        super().watch_has_focus(has_focus)
        self.redraw()

    def on_click(self, event: events.Click) -> None:
        if event.y >= self.HEADER_LINES:
            self.move_to(event.y + self._top - self.HEADER_LINES)

    def on_mouse_scroll_down(self) -> None:
        self._scroll(WHEEL_LINES)

    def on_mouse_scroll_up(self) -> None:
        self._scroll(-WHEEL_LINES)

    def action_move(self, by: int) -> None:
        self.move_to(self.cursor + by)

    def action_page(self, by: int) -> None:
        self.move_to(self.cursor + by * self._lines)

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(self.row_count - 1)

    def action_choose(self) -> None:
        self.post_message(self.Chosen(self))


def _is_link(style: str | Style) -> bool:
    return isinstance(style, Style) and bool(style.meta)
