"""The audit's table: every key of the account, a line each."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar

from rich.style import Style
from rich.text import Text

from keytui.audit.rows import AuditRow
from keytui.audit.view import Column, Order
from keytui.core.text import plain
from keytui.tui.widgets import columns as widgets
from keytui.tui.widgets.columns import Columns
from keytui.tui.widgets.key_cells import FINDING_NUMBERS, findings_in, last_used
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import ACCENT, DIM, GLYPHS, STATUS_STYLES, WARNS, age, fit

SHORT_TITLES = {Column.LAST_USED: "Used", Column.AGE: "Age"}
COLUMNS = Columns(
    widgets.Column(Column.USER.title, (18, 16, 12, 8), fills=True),
    widgets.Column(Column.KEY.title, (20,)),
    widgets.Column(Column.STATUS.title, (10,)),
    widgets.Column("Created\nAge", (7, 6), rank=3),
    widgets.Column("Last used\nUsed", (30, 20, 9, 6), rank=2),
    widgets.Column(Column.FINDINGS.title, (FINDING_NUMBERS, 14, 11)),
    widgets.Column(Column.MFA.title, (4,), rank=4),
    margin=2,
)
"""Of each ``Column``, in its order."""


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
        titles = []
        for column, cells in zip(Column, COLUMNS.widths(width), strict=True):
            here = column is self._order.column
            arrow = (" ▼" if self._order.reverse else " ▲") if here else ""
            click = Style(meta={"@click": f"screen.sort('{column.name}')"})
            title = _title(column, arrow, cells).ljust(cells)
            titles.append(Text(title, Style.parse("bold" if here else "dim") + click))
        return COLUMNS.line(Text(), titles, width)

    def draw_row(self, index: int, width: int) -> Text:
        """Return a key's line."""
        row = self.rows[index]
        mark = ("✓", f"bold {ACCENT}") if self._marked(row) else " "
        margin = Text.assemble("▸" if index == self.cursor else " ", mark)
        widths = zip(Column, COLUMNS.widths(width), strict=True)
        return COLUMNS.line(margin, [self._cell(row, *one) for one in widths], width)

    def _cell(self, row: AuditRow, column: Column, cells: int) -> Text:
        key = row.key
        match column:
            case Column.USER:
                return Text(plain(key.user.name), style=WARNS if key.user.is_root else "")
            case Column.KEY:
                return Text(plain(key.id), "bold") if key.id else Text("…", DIM)
            case Column.STATUS:
                style = STATUS_STYLES[key.status] if row.live else DIM
                return Text(f"{GLYPHS[key.status]} {key.status.value}", style)
            case Column.AGE:
                return Text(age(key.created, self._now))
            case Column.LAST_USED:
                return last_used(key, self._now, cells) if key.last_used else Text("–", DIM)
            case Column.FINDINGS:
                return findings_in(row.findings, cells, numbers=True)
            case Column.MFA:
                return Text({True: "on", False: "off", None: "–"}[row.mfa])


def _title(column: Column, arrow: str, cells: int) -> str:
    """Return a column's title with its arrow, which is never what gives way."""
    short = SHORT_TITLES.get(column, column.title)
    titles = (f"{column.title}{arrow}", f"{short}{arrow}", f"{short}{arrow.strip()}")
    return next((title for title in titles if len(title) <= cells), fit(titles[-1], cells))


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
