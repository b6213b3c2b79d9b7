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
from keytui.tui.widgets.key_text import FINDING_WORDS, LONG_AGE, findings_in, last_used
from keytui.tui.widgets.rows import GAP, Column, Columns, Rows
from keytui.tui.widgets.text import ACCENT, DIM, GLYPHS, STATUS_STYLES, WARNS, age, ago


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

ACTIONS_OF: dict[KeyStatus, tuple[Action, ...]] = {
    KeyStatus.ACTIVE: (MAKE_INACTIVE, ROTATE),
    KeyStatus.INACTIVE: (MAKE_ACTIVE, DELETE),
    KeyStatus.EXPIRED: (DELETE,),
    KeyStatus.DELETED: (),
}


LABELS = 25
"""Cells that both actions of a key take with their labels; below that their keys stand alone."""
ID, STATUS, AGE, LAST_USED, FINDINGS, ACTIONS = range(6)
COLUMNS = Columns(
    Column("Access key ID", (20,)),
    Column("Status", (10,)),
    Column("Created\nAge", (9, 5), rank=4),
    Column("Last used\nUsed", (30, 20, 11, 5), rank=3),
    Column("Findings", (FINDING_WORDS, 14), rank=2),
    Column("Actions\nKeys", (LABELS, 5), rank=1),
    margin=2,
)


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
        self.rows_changed(next((i for i, key in enumerate(keys) if key.id == keep), 0))

    def draw_header(self, width: int) -> Text:
        """Return the column titles."""
        return COLUMNS.header(width) if self.keys else Text()

    def draw_row(self, index: int, width: int) -> Text:
        """Return a key's line."""
        key, cells = self.keys[index], COLUMNS.widths(width)
        mark = ("✓", f"bold {ACCENT}") if key.id in self._marked else " "
        margin = Text.assemble("▸" if index == self.cursor else " ", mark)
        line = COLUMNS.line(margin, self._cells(key, cells), width)
        if key.status is KeyStatus.DELETED:
            line.stylize(DIM, 2)
        return line

    def _cells(self, key: AccessKey, cells: Sequence[int]) -> list[Text]:
        assert self._now is not None  # noqa: S101 - set with the keys
        since = ago if cells[AGE] >= LONG_AGE else age
        return [
            Text(plain(key.id), style="bold"),
            self._status(key),
            Text(since(key.created, self._now)),
            last_used(key, self._now, cells[LAST_USED]),
            findings_in(findings(key, self.keys, self._now, self._limits), cells[FINDINGS]),
            self._actions(key, labels=cells[ACTIONS] >= LABELS),
        ]

    def _status(self, key: AccessKey) -> Text:
        if wanted := self._pending.get(key.id):
            return Text(f"◌ {wanted.value}", style=WARNS)
        return Text(f"{GLYPHS[key.status]} {key.status.value}", style=STATUS_STYLES[key.status])

    def _actions(self, key: AccessKey, *, labels: bool) -> Text:
        text = Text()
        for action in () if key.id in self._pending else ACTIONS_OF[key.status]:
            text.append((GAP if labels else 1) * " " if text else "")
            label = Text.assemble((action.key, "bold cyan"), f" {action.label}" if labels else "")
            if key.id.isalnum():
                label.stylize(Style(meta={"@click": f"screen.{action.name}('{key.id}')"}))
            text.append_text(label)
        return text
