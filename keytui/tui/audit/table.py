"""The audit's table: every key of the account, a line each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rich.style import Style
from rich.text import Text

from keytui.audit.rows import AuditRow
from keytui.audit.view import Column, Order
from keytui.core.text import plain
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import ACCENT, DIM, FAILS, GLYPHS, STATUS_STYLES, WARNS, age, fit

GAP = 2
MARKER = 2
"""Cells of the cursor and of a key's mark."""
SHORT_TITLES = {Column.LAST_USED: "Used", Column.AGE: "Age"}


@dataclass(frozen=True, slots=True)
class Layout:
    """How wide each column is; 0 for one that is left out. The user's name takes the rest.

    Attributes:
        user: The least room for the user's name.
        created: Age.
        last_used: When; with ``service`` also where.
        findings: Which rules are broken; with ``numbers`` also their CIS numbers.
        mfa: Whether the user has a device.
    """

    user: int
    created: int = 7
    last_used: int = 26
    service: bool = True
    findings: int = 25
    numbers: bool = True
    mfa: int = 4

    def width_of(self, column: Column) -> int:
        """Return a column's width; the user's is what is left over."""
        widths = {Column.KEY: 20, Column.STATUS: 10, Column.AGE: self.created}
        widths |= {Column.LAST_USED: self.last_used, Column.FINDINGS: self.findings}
        return (widths | {Column.MFA: self.mfa}).get(column, 0)

    def columns(self, width: int) -> list[tuple[Column, int]]:
        """Return the columns with their widths, in a line of that width."""
        fixed = [(column, self.width_of(column)) for column in Column if self.width_of(column)]
        taken = MARKER + sum(cells + GAP for _, cells in fixed)
        return [(Column.USER, max(width - taken, 1)), *fixed]

    def fits(self, width: int) -> bool:
        """Return whether the user's name has room enough."""
        return self.columns(width)[0][1] >= self.user


LAYOUTS = (
    Layout(user=18, last_used=30),
    Layout(user=18, last_used=20),
    Layout(user=16, last_used=9, service=False),
    Layout(user=16, last_used=9, service=False, mfa=0),
    Layout(user=14, last_used=6, service=False, findings=22, numbers=False, mfa=0),
    Layout(user=12, last_used=6, service=False, findings=11, numbers=False, mfa=0, created=6),
    Layout(user=12, last_used=0, service=False, findings=11, numbers=False, mfa=0, created=6),
    Layout(user=1, last_used=0, service=False, findings=11, numbers=False, mfa=0, created=0),
)
"""From the richest to the barest: never without user, ID, status and the worst finding."""


class AuditTable(Rows):
    """A table of audited keys; only the lines on the screen are drawn."""

    HEADER_LINES: ClassVar[int] = 1

    def __init__(
        self,
        now: datetime,
        marked: Callable[[AuditRow], bool],
        *,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        """Take the time that ages are counted from, and what tells which rows are marked."""
        super().__init__(id=id)
        self._now, self._marked = now, marked
        self.rows: Sequence[AuditRow] = ()
        """The rows shown."""
        self._order = Order()
        self._layout_of: dict[int, Layout] = {}

    @property
    def row_count(self) -> int:
        """How many keys are shown."""
        return len(self.rows)

    @property
    def row(self) -> AuditRow | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if self.cursor < len(self.rows) else None

    @property
    def in_sight(self) -> Sequence[AuditRow]:
        """The rows on the screen."""
        return self.rows[self._top : self._top + self._lines]

    def show(self, rows: Sequence[AuditRow], order: Order, *, afresh: bool = False) -> bool:
        """Show these rows; the cursor stays on its key.

        Where that is not among them the cursor stays in its place, on another key.

        Args:
            rows: The rows.
            order: How they are sorted.
            afresh: Whether others are to be expected: at the top the cursor stays there.

        Returns:
            Whether the cursor is where it is to be expected.
        """
        here = self.row
        self.rows, self._order = rows, order
        if here is None or (afresh and not self.cursor):
            self.rows_changed()
            return True
        place = _place(rows, here)
        self.rows_changed(self.cursor if place is None else place)
        return place is not None or afresh

    def draw_header(self, width: int) -> Text:
        """Return the column titles, which sort when they are clicked."""
        line = Text(" " * MARKER)
        for column, cells in self._columns(width):
            here = column is self._order.column
            arrow = (" ▼" if self._order.reverse else " ▲") if here else ""
            title = _title(column, arrow, cells).ljust(cells)
            click = Style(meta={"@click": f"screen.sort('{column.name}')"})
            line.append(title, Style.parse("bold" if here else "dim") + click).append(" " * GAP)
        line.truncate(width)
        return line

    def draw_row(self, index: int, width: int) -> Text:
        """Return a key's line."""
        row = self.rows[index]
        mark = ("✓", f"bold {ACCENT}") if self._marked(row) else " "
        line = Text.assemble("▸" if index == self.cursor else " ", mark)
        layout = self._layout_for(width)
        for column, cells in self._columns(width):
            cell = self._cell(row, column, layout, cells)
            cell.truncate(cells)
            cell.pad_right(cells - cell.cell_len + GAP)
            line.append_text(cell)
        line.truncate(width)
        return line

    def _columns(self, width: int) -> list[tuple[Column, int]]:
        return self._layout_for(width).columns(width)

    def _layout_for(self, width: int) -> Layout:
        if width not in self._layout_of:
            found = (layout for layout in LAYOUTS if layout.fits(width))
            self._layout_of = {width: next(found, LAYOUTS[-1])}
        return self._layout_of[width]

    def _cell(self, row: AuditRow, column: Column, layout: Layout, cells: int) -> Text:
        key = row.key
        match column:
            case Column.USER:
                name = fit(plain(key.user.name), cells)
                return Text(name, style=WARNS if key.user.is_root else "")
            case Column.KEY:
                return Text(fit(plain(key.id), cells), "bold") if key.id else Text("…", DIM)
            case Column.STATUS:
                style = STATUS_STYLES[key.status] if row.live else DIM
                return Text(f"{GLYPHS[key.status]} {key.status.value}", style)
            case Column.AGE:
                return Text(age(key.created, self._now))
            case Column.LAST_USED:
                return self._last_used(row, layout, cells)
            case Column.FINDINGS:
                return _findings(row, layout, cells)
            case Column.MFA:
                return Text({True: "on", False: "off", None: "–"}[row.mfa])

    def _last_used(self, row: AuditRow, layout: Layout, cells: int) -> Text:
        used = row.key.last_used
        if used is None:
            return Text("–", DIM)
        if used.when is None:
            return Text("never")
        text = Text(age(used.when, self._now))
        if layout.service:
            where = plain(f"{used.service} {used.region}".strip())
            text.append(" ").append(fit(where, cells - text.cell_len), DIM)
        return text


def _title(column: Column, arrow: str, cells: int) -> str:
    """Return a column's title with its arrow, which is never what gives way."""
    short = SHORT_TITLES.get(column, column.title)
    titles = (f"{column.title}{arrow}", f"{short}{arrow}", f"{short}{arrow.strip()}")
    return next((title for title in titles if len(title) <= cells), fit(titles[-1], cells))


def _findings(row: AuditRow, layout: Layout, cells: int) -> Text:
    text = Text()
    for one in row.findings:
        text.append(", " if text else "")
        word = f"{one.rule.word} {one.rule.cis}" if layout.numbers else one.rule.word
        text.append(word, FAILS if one.fails else DIM)
    if text.cell_len > cells:
        text.truncate(cells, overflow="ellipsis")
    return text


def _place(rows: Sequence[AuditRow], here: AuditRow) -> int | None:
    """Return where a key is now; None where it is gone.

    Where the ID is not known any more, or was not, it is the one in the same slot.
    """
    name, key_id = here.key.user.name, here.key.id
    of_user = [(index, row) for index, row in enumerate(rows) if row.key.user.name == name]
    by_id = [index for index, row in of_user if key_id and row.key.id == key_id]
    if by_id:
        return by_id[0]
    in_slot = (i for i, row in of_user if row.slot == here.slot and not (key_id and row.key.id))
    return next(in_slot, None)
