"""What keytui did, one matter a line."""

from collections.abc import Sequence
from datetime import UTC

from rich.text import Text

from keytui.history import Matter
from keytui.plain import plain
from keytui.ui.text import DIM, WARNS, fit
from keytui.ui.widgets.rows import Rows

WHEN, ID = 16, 21
"""Widths of a time to the minute and of an access key ID with its mark."""
NARROW = 90
"""Below this width the caller is left out."""


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
        by = "" if width < NARROW else "By"
        return Text(_columns(width, "When (UTC)", "Access key ID", "User", by, "What"), style=DIM)

    def draw_row(self, index: int, width: int) -> Text:
        """Return a matter's line."""
        matter = self.matters[index]
        when = f"{matter.at.astimezone(UTC):%Y-%m-%d %H:%M}" if matter.at else "–"
        what = f"! {matter.what}" if matter.open else matter.what
        caller = matter.caller.rpartition("/")[2] or matter.caller
        cells = (when, matter.key_id or "–", matter.user, caller, what)
        line = _columns(width, *(plain(cell) for cell in cells))
        return Text(line, style=f"bold {WARNS}" if matter.open else "")


def _columns(width: int, when: str, key_id: str, user: str, by: str, what: str) -> str:
    rest = width - WHEN - ID - 4
    name = min(max(rest // 4, 8), 24)
    cells = [fit(when, WHEN).ljust(WHEN), fit(key_id, ID).ljust(ID), fit(user, name).ljust(name)]
    if width >= NARROW:
        cells.append(fit(by, name).ljust(name))
    line = "  ".join(cells) + "  "
    return line + fit(what, max(width - len(line), 0))
