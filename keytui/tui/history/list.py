"""What keytui did, one matter a line."""

from collections.abc import Sequence
from datetime import UTC

from rich.text import Text

from keytui.core.text import plain
from keytui.journal.history import Matter
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import DIM, WARNS, fit

WHEN, SHORT_WHEN, ID = 16, 11, 20
"""Widths of a time to the minute, of one without its year, and of an access key ID."""
NARROW = 90
"""Below this width the caller and the year are left out."""


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
        names = ("When (UTC)", "Access key ID", "User", "By", "What")
        return Text(_columns(width, *names), style=DIM)

    def draw_row(self, index: int, width: int) -> Text:
        """Return a matter's line."""
        matter = self.matters[index]
        form = "%Y-%m-%d %H:%M" if width >= NARROW else "%m-%d %H:%M"
        when = matter.at.astimezone(UTC).strftime(form) if matter.at else "–"
        what = f"! {matter.what}" if matter.open else matter.what
        caller = matter.caller.rpartition("/")[2] or matter.caller
        cells = (when, matter.key_id or "–", matter.user, caller, what)
        line = _columns(width, *(plain(cell) for cell in cells))
        return Text(line, style=f"bold {WARNS}" if matter.open else "")


def _columns(width: int, when: str, key_id: str, user: str, by: str, what: str) -> str:
    wide = width >= NARROW
    time = WHEN if wide else SHORT_WHEN
    name = min(max((width - time - ID) // 4, 6), 18)
    cells = [fit(when, time).ljust(time), fit(key_id, ID).ljust(ID), fit(user, name).ljust(name)]
    if wide:
        cells.append(fit(by, name).ljust(name))
    line = "  ".join(cells) + "  "
    return line + fit(what, max(width - len(line), 0))
