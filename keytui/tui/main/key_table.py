"""The keys of one user, with what can be done to each now."""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from rich.style import Style
from rich.text import Text

from keytui.core.model import AccessKey, KeyStatus
from keytui.core.rules import Thresholds, findings
from keytui.core.text import plain
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import ACCENT, DIM, FAILS, GLYPHS, STATUS_STYLES, WARNS, age, ago, fit

GAP = "  "
UNREAD = 16
"""Cells kept free for a last use that has not been read yet: columns stay where they are."""
MARKER = 2
"""Cells of the cursor and of a key's mark."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done to a key: its key, its label, the screen's action."""

    key: str
    label: str
    name: str


MAKE_INACTIVE = Action("d", "Make inactive", "deactivate")
MAKE_ACTIVE = Action("a", "Make active", "activate")
DELETE = Action("x", "Delete", "delete")
ROTATE = Action("R", "Rotate", "rotate")

ACTIONS: dict[KeyStatus, tuple[Action, ...]] = {
    KeyStatus.ACTIVE: (MAKE_INACTIVE, ROTATE),
    KeyStatus.INACTIVE: (MAKE_ACTIVE, DELETE),
    KeyStatus.EXPIRED: (DELETE,),
    KeyStatus.DELETED: (),
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns there is room for; the first that fits is used."""

    from_width: int = 0
    long_ages: bool = False
    rotate: bool = False
    findings: bool = True
    service: int = 40
    created: bool = True
    last_used: bool = True


LAYOUTS = (
    Layout(from_width=108, long_ages=True, rotate=True),
    Layout(rotate=True),
    Layout(),
    Layout(service=18),
    Layout(service=12),
    Layout(service=18, findings=False),
    Layout(service=0, findings=False),
    Layout(service=0, findings=False, created=False),
    Layout(service=0, findings=False, created=False, last_used=False),
)
"""From the richest to the barest: findings leave first, never the status or the ID."""


class KeyTable(Rows):
    """A table of access keys."""

    HEADER_LINES: ClassVar[int] = 1

    def __init__(
        self,
        limits: Thresholds,
        *,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self._limits = limits
        self.keys: Sequence[AccessKey] = []
        """The keys shown."""
        self._now: datetime | None = None
        self._pending: dict[str, KeyStatus] = {}
        self._marked: set[str] = set()
        self._table: list[list[Text]] = []
        self._widths: list[int] = []

    @property
    def row_count(self) -> int:
        """How many keys are shown."""
        return len(self.keys)

    @property
    def key(self) -> AccessKey | None:
        """The key under the cursor."""
        return self.keys[self.cursor] if self.cursor < len(self.keys) else None

    def show(
        self,
        keys: Sequence[AccessKey],
        now: datetime,
        pending: dict[str, KeyStatus],
        marks: Container[str] = (),
        keep: str = "",
    ) -> None:
        """Show these keys.

        Args:
            keys: All keys of a user.
            now: The time that ages are counted from.
            pending: Access key ID → the status that AWS does not list yet.
            marks: The IDs of marked keys.
            keep: The key ID to leave the cursor on.
        """
        self.keys, self._now, self._pending = keys, now, dict(pending)
        self._marked = {key.id for key in keys if key.id in marks}
        self._lay_out(self.size.width)
        self.rows_changed(next((i for i, key in enumerate(keys) if key.id == keep), 0))

    def on_resize(self) -> None:
        """Choose the columns anew."""
        self._lay_out(self.size.width)
        super().on_resize()

    def draw_header(self, width: int) -> Text:
        """Return the column titles."""
        return self._join(self._table[0], width) if self.keys else Text()

    def draw_row(self, index: int, width: int) -> Text:
        """Return a key's line."""
        line = self._join(self._table[index + 1], width)
        if self.keys[index].status is KeyStatus.DELETED:
            line.stylize(DIM)
        mark = ("✓", f"bold {ACCENT}") if self.keys[index].id in self._marked else " "
        return Text.assemble("▸" if index == self.cursor else " ", mark, line)

    def _join(self, cells: list[Text], width: int) -> Text:
        line = Text("" if cells[0].plain != "Access key ID" else "  ")
        for cell, room in zip(cells, self._widths, strict=True):
            padded = cell.copy()
            padded.pad_right(room - cell.cell_len)
            line.append_text(padded).append(GAP)
        line.truncate(width)
        return line

    def _lay_out(self, width: int) -> None:
        if self._now is None or not self.keys:
            return
        for layout in LAYOUTS:
            if width < layout.from_width:
                continue
            self._table = [self._titles(layout), *(self._cells(key, layout) for key in self.keys)]
            columns = zip(*self._table, strict=True)
            self._widths = [max(cell.cell_len for cell in column) for column in columns]
            if MARKER + sum(self._widths) + len(GAP) * (len(self._widths) - 1) <= width:
                return

    def _titles(self, layout: Layout) -> list[Text]:
        titles = ["Access key ID", "Status"]
        if layout.created:
            titles.append("Created" if layout.long_ages else "Age")
        titles += ["Last used"] if layout.last_used else []
        titles += ["Findings"] if layout.findings else []
        return [Text(title, style=DIM) for title in [*titles, "Actions"]]

    def _cells(self, key: AccessKey, layout: Layout) -> list[Text]:
        assert self._now is not None  # noqa: S101 - set with the keys
        since = ago if layout.long_ages else age
        cells = [Text(plain(key.id), style="bold"), self._status(key)]
        if layout.created:
            cells.append(Text(since(key.created, self._now)))
        if layout.last_used:
            cells.append(self._last_used(key, since(_used(key), self._now), layout.service))
        if layout.findings:
            cells.append(self._findings(key))
        return [*cells, self._actions(key, layout)]

    def _status(self, key: AccessKey) -> Text:
        if wanted := self._pending.get(key.id):
            return Text(f"◌ {wanted.value}…", style=WARNS)
        return Text(f"{GLYPHS[key.status]} {key.status.value}", style=STATUS_STYLES[key.status])

    def _last_used(self, key: AccessKey, since: str, room: int) -> Text:
        if key.status is KeyStatus.DELETED:
            return Text("–")
        if key.last_used is None:
            return Text("…".ljust(UNREAD), style=DIM)
        if key.last_used.when is None:
            return Text("never")
        where = plain(f"{key.last_used.service} {key.last_used.region}".strip())
        return Text.assemble(since, (" " + fit(where, room), DIM) if room else "")

    def _findings(self, key: AccessKey) -> Text:
        assert self._now is not None  # noqa: S101 - set with the keys
        text = Text()
        for finding in findings(key, self.keys, self._now, self._limits):
            text.append(", " if text else "")
            text.append(finding.rule.word, style=FAILS if finding.fails else "")
        return text

    def _actions(self, key: AccessKey, layout: Layout) -> Text:
        text = Text()
        if key.id in self._pending:
            return text
        for action in ACTIONS[key.status]:
            if action is ROTATE and not layout.rotate:
                continue
            text.append(GAP if text else "")
            label = Text.assemble((action.key, "bold cyan"), " ", action.label)
            if key.id.isalnum():
                label.stylize(Style(meta={"@click": f"screen.{action.name}('{key.id}')"}))
            text.append_text(label)
        return text


def _used(key: AccessKey) -> datetime | None:
    return key.last_used.when if key.last_used else None
