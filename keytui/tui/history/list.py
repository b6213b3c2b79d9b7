"""What keytui did, one matter a line."""

from collections.abc import Sequence
from datetime import UTC

from rich.text import Text

from keytui.core.text import plain
from keytui.journal.history import Matter
from keytui.tui.widgets.columns import Column, Columns
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import WARNS

WHEN = 16
"""Cells of a time to the minute; below that it stands without its year."""
COLUMNS = Columns(
    Column("When (UTC)", (WHEN, 11)),
    Column("Access key ID", (20,)),
    Column("User", (18, 14, 10, 6)),
    Column("By", (18, 12), rank=2, least=90),
    Column("What", (24, 16), fills=True),
)


class HistoryList(Rows):
    """The matters that pass the filter."""

    HEADER_LINES = 1

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.matters: Sequence[Matter] = ()
        """The matters shown."""

    @property
    def row_count(self) -> int:
        """How many matters are shown."""
        return len(self.matters)

    @property
    def matter(self) -> Matter | None:
        """The matter under the cursor."""
        return self.matters[self.cursor] if self.cursor < len(self.matters) else None

    def show(self, matters: Sequence[Matter]) -> None:
        """Show these matters, the cursor on the first."""
        self.matters = matters
        self.rows_changed()

    def draw_header(self, width: int) -> Text:
        """Return the names of the columns."""
        return COLUMNS.header(width)

    def draw_row(self, index: int, width: int) -> Text:
        """Return a matter's line."""
        matter = self.matters[index]
        form = "%Y-%m-%d %H:%M" if COLUMNS.widths(width)[0] >= WHEN else "%m-%d %H:%M"
        when = matter.at.astimezone(UTC).strftime(form) if matter.at else "–"
        what = f"! {matter.what}" if matter.open else matter.what
        caller = matter.caller.rpartition("/")[2] or matter.caller
        cells = (when, matter.key_id or "–", matter.user, caller, what)
        line = COLUMNS.line(Text(), [Text(plain(cell)) for cell in cells], width)
        line.stylize(f"bold {WARNS}" if matter.open else "")
        return line
