"""The audit's table, every key of the account a line each, and how many keys pass each rule."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.message import Message
from typing_extensions import override

from keytui.audit.rows import Audit, AuditRow
from keytui.audit.view import Column, Order, Total
from keytui.core.credential_report import matched
from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, User
from keytui.core.rules import Rule
from keytui.core.text import plain
from keytui.tui.widgets import rows as widgets
from keytui.tui.widgets.key_text import FINDING_NUMBERS, findings_in, last_used
from keytui.tui.widgets.lines import Lines
from keytui.tui.widgets.rows import Columns, Rows
from keytui.tui.widgets.text import ACCENT, DIM, FAILS, GLYPHS, GOOD, STATUS_STYLES, WARNS, age, fit


@dataclass(slots=True)
class AuditMarks:
    """What is marked.

    Attributes:
        ids: Access key ID → the owner, of keys that were read live.
        slots: User name → the place among the report's keys → the key that it was when marked,
            of others: in a newer report another may have its place.
        lost: How many marks of the report's keys belong to no listed key with certainty.
    """

    ids: dict[str, User] = field(default_factory=dict)
    slots: dict[str, dict[int, AccessKey]] = field(default_factory=dict)
    lost: int = 0

    def __len__(self) -> int:
        return len(self.ids) + sum(map(len, self.slots.values()))

    @property
    def hold_root(self) -> bool:
        """Whether a key of the root user is marked."""
        return bool(self.slots.get(ROOT_USER.name)) or ROOT_USER in self.ids.values()

    def holds(self, row: AuditRow) -> bool:
        """Return whether a row is marked."""
        if row.key.id:
            return row.key.id in self.ids
        return _same(self.slots.get(row.key.user.name, {}).get(row.slot), row.key)

    def set(self, rows: Iterable[AuditRow], *, on: bool) -> None:
        """Mark rows, or take their marks away."""
        for row in rows:
            name = row.key.user.name
            if row.key.id and on:
                self.ids[row.key.id] = row.key.user
            elif row.key.id:
                self.ids.pop(row.key.id, None)
            elif on:
                self.slots.setdefault(name, {})[row.slot] = row.key
            else:
                self.slots.get(name, {}).pop(row.slot, None)

    def clear(self) -> None:
        """Take all marks away."""
        self.ids.clear()
        self.slots.clear()

    def listed(self, user: User, keys: Sequence[AccessKey], reported: Sequence[AccessKey]) -> None:
        """Take over a user's marks to the keys that AWS lists."""
        marked = self.slots.pop(user.name, {})
        pairs = matched(keys, reported)
        for slot, key in marked.items():
            wanted = reported[slot] if slot < len(reported) else None
            found = [one for one, its in pairs.items() if its is wanted and _same(key, its)]
            self.ids.update(dict.fromkeys(found, user))
            self.lost += not found
        gone = {key_id for key_id, owner in self.ids.items() if owner.name == user.name}
        for key_id in gone - {key.id for key in keys}:
            del self.ids[key_id]

    def unread(self, audit: Audit) -> list[User]:
        """Return whose keys must be read before their marks can be acted on."""
        known = (audit.of_user(name) for name, slots in self.slots.items() if slots)
        owners = [rows[0].key.user for rows in known if rows]
        # A newer report may have taken the place of what was read.
        owners += [user for user in self.ids.values() if not audit.is_live(user.name)]
        return list({user.name: user for user in owners}.values())

    def keys(self, audit: Audit) -> tuple[AccessKey, ...]:
        """Return the marked keys whose IDs are known, in the order they were marked."""
        known = {
            row.key.id: row.key for user in self.ids.values() for row in audit.of_user(user.name)
        }
        return tuple(
            known[key_id]
            for key_id in self.ids
            if key_id in known and known[key_id].status is not KeyStatus.DELETED
        )


def _same(marked: AccessKey | None, key: AccessKey) -> bool:
    """Whether a report's key is the one that was marked, and was not changed since."""
    return marked is not None and marked.created == key.created


BAR = 10
"""Cells of a bar."""
RULES = tuple(Rule)
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


class AuditTotals(Lines):
    """A line for each rule, or one for all where there is no room; a click filters by a rule."""

    class Chosen(Message):
        """A rule was chosen."""

        def __init__(self, rule: Rule) -> None:
            super().__init__()
            self.rule = rule

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._totals: Sequence[Total] = ()
        self._chosen: frozenset[Rule] = frozenset()
        self._ends: list[int] = []

    def show(self, totals: Sequence[Total], chosen: frozenset[Rule]) -> None:
        """Show these totals, and which rules are filtered by."""
        if (totals, chosen) != (self._totals, self._chosen):
            self._totals, self._chosen = totals, chosen
            self.redraw()

    @override
    def draw_line(self, y: int, width: int) -> Text:
        if not self._totals:
            return Text()
        if self.size.height < len(self._totals):
            return self._all(width) if y == 0 else Text()
        return self._one(self._totals[y]) if y < len(self._totals) else Text()

    def _one(self, total: Total) -> Text:
        passing = total.judged - total.failing
        filled = passing * BAR // total.judged if total.judged else BAR
        share = f"{100 * passing // total.judged}%" if total.judged else "–"
        line = self._rule(total, 10)
        line.append(f" {total.rule.cis:4}  ", DIM)
        line.append("█" * filled, GOOD).append("·" * (BAR - filled), FAILS)
        line.append(f" {share:>4} pass")
        if total.failing:
            line.append(f"  {total.failing:,} of {total.judged:,} fail", FAILS)
        return line

    def _all(self, width: int) -> Text:
        """Return all rules in one line, by their first words where there isn't room for more."""
        line, self._ends = Text(), []
        short = sum(len(f"1 {one.rule.word} {one.failing:,}  ") for one in self._totals) > width + 2
        for total in self._totals:
            line.append_text(self._rule(total, 0, short=short))
            line.append(f" {total.failing:,}", FAILS if total.failing else DIM)
            self._ends.append(line.cell_len)
            line.append("  ")
        line.truncate(width)
        return line

    def _rule(self, total: Total, room: int, *, short: bool = False) -> Text:
        number = RULES.index(total.rule) + 1
        chosen = "bold reverse" if total.rule in self._chosen else ""
        word = total.rule.word.split()[0] if short else total.rule.word
        name = Text.assemble((f"{number}", f"bold {ACCENT}"), " ", (word, chosen))
        name.pad_right(max(room - len(total.rule.word), 0))
        return name

    def on_click(self, event: events.Click) -> None:
        if self.size.height >= len(self._totals):
            at = event.y
        else:
            at = next((i for i, end in enumerate(self._ends) if event.x <= end), len(RULES))
        if at < len(self._totals):
            self.post_message(self.Chosen(self._totals[at].rule))
