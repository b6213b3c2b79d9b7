"""The profiles of the AWS config, one a line, each filled in when its answer has come."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len
from rich.text import Text
from textual import events

from keytui.audit.fleet import Member
from keytui.core.text import plain
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import ACCENT, DIM, FAILS, WARNS, age, count, fit

MARK, ACCOUNT = 2, 12
"""Widths of the mark of the profile in use, and of an account's ID."""
LEAST_NAME, LEAST_KEYS = 12, 26
"""How wide profile and keys are at least; before that the caller leaves, then the account."""
WIDE = 100
"""From this width on there is room for a long caller."""
GAP = 2
NAMES = ("Profile", "Account", "Caller", "Own keys")


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide the columns are; 0 for one that is left out. The keys take the rest."""

    name: int
    account: int
    caller: int

    def line(self, mark: Text, cells: Sequence[Text], width: int) -> Text:
        """Lay out profile, account, caller and keys; with fewer cells the last takes the rest."""
        line = mark.copy()
        line.pad_right(MARK - line.cell_len)
        widths = (self.name, self.account, self.caller)
        *first, last = cells
        for cell, room in zip(first, widths, strict=False):
            if room:
                text = fit(cell.plain, room)
                line.append(text + " " * (room - cell_len(text) + GAP), cell.style)
        last = last.copy()
        last.truncate(max(width - line.cell_len, 0), overflow="ellipsis")
        return line.append_text(last)


class ProfileList(Rows):
    """The profiles that pass the filter."""

    HEADER_LINES = 1

    def __init__(
        self,
        current: str,
        longest: int,
        *,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        """Take which profile is in use, and how wide the longest of all names is."""
        super().__init__(id=id)
        self._current, self._longest = current, longest
        self.names: Sequence[str] = ()
        """The profiles shown."""
        self._members: Mapping[str, Member] = {}
        self._now: datetime | None = None

    @property
    def row_count(self) -> int:
        """How many profiles are shown."""
        return len(self.names)

    @property
    def name_here(self) -> str | None:
        """The profile under the cursor."""
        return self.names[self.cursor] if self.cursor < len(self.names) else None

    def show(self, names: Sequence[str], members: Mapping[str, Member], now: datetime) -> None:
        """Show these profiles; the cursor stays on its profile, or else goes to the first.

        Args:
            names: The profiles, in their order.
            members: Profile → what was found of it; it is still being asked where it is missing.
            now: The time that ages are counted to.
        """
        before = self.name_here
        self.names, self._members, self._now = names, members, now
        self.rows_changed(names.index(before) if before in names else 0)

    def on_click(self, event: events.Click) -> None:
        """Choose a profile by a second click on it."""
        if event.chain == 2 and 0 <= event.y - self.HEADER_LINES < self.row_count:
            self.action_choose()

    def draw_header(self, width: int) -> Text:
        """Return the names of the columns."""
        header = self._columns(width).line(Text(), [Text(name) for name in NAMES], width)
        return Text(fit(header.plain, width), style=DIM)

    def draw_row(self, index: int, width: int) -> Text:
        """Return a profile's line."""
        name = self.names[index]
        member = self._members.get(name)
        mark = Text("•", style=f"bold {ACCENT}") if name == self._current else Text()
        cells = [Text(plain(name))]
        if member is None:
            cells.append(Text("… asking", style=DIM))
        elif member.identity is None:
            cells.append(failure(member))
        else:
            who = (member.identity.account, member.identity.label)
            cells += [Text(plain(one)) for one in who]
            cells.append(failure(member) if member.error else own_keys(member, self._now))
        return self._columns(width).line(mark, cells, width)

    def _columns(self, width: int) -> Columns:
        """Choose what there is room for."""
        name = max(min(self._longest, width * 28 // 100), LEAST_NAME)
        left = width - MARK - name - GAP - LEAST_KEYS
        if left < ACCOUNT + GAP:
            return Columns(name + max(min(self._longest - name, left), 0), 0, 0)
        left -= ACCOUNT + GAP
        caller = 20 if width >= WIDE else 14
        return Columns(name, ACCOUNT, caller if left >= caller + GAP else 0)


def failure(member: Member) -> Text:
    """Return in a sentence why a profile could not be asked."""
    title = member.error.title if member.error else ""
    return Text.assemble(("✗ ", FAILS), (plain(title), WARNS))


def own_keys(member: Member, now: datetime | None) -> Text:
    """Return the caller's own keys in brief: how many, what they break, how old they are."""
    if member.owner is None:
        return Text("no keys of its own", style=DIM)
    if not member.keys:
        return Text("no keys", style=DIM)
    parts = [Text(count(len(member.keys), "key"))]
    broken = Counter(one.rule for own in member.keys for one in own.findings if one.fails)
    rules = sorted(broken, key=lambda rule: rule.rank)
    if rules:
        words = [
            rule.word if broken[rule] == len(member.keys) else f"{broken[rule]} {rule.word}"
            for rule in rules
        ]
        parts.append(Text(", ".join(words), style=FAILS))
    elif notes := {one.rule.word: None for own in member.keys for one in own.findings}:
        parts.append(Text(", ".join(notes), style=WARNS))
    if now:
        parts.append(Text(", ".join(age(own.key.created, now) for own in member.keys), style=DIM))
    return Text(" · ").join(parts)
