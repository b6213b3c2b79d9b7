"""The profiles of the AWS config, one a line, each filled in when its answer has come."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.text import Text
from textual import events

from keytui.audit.fleet import Member
from keytui.core.text import plain
from keytui.tui.widgets.columns import Column, Columns
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import ACCENT, DIM, FAILS, WARNS, age, count

COLUMNS = Columns(
    Column("Profile", (34, 28, 24, 20)),
    Column("Account", (12,), rank=1),
    Column("Caller", (20, 14), rank=2),
    Column("Own keys", (26,), fills=True),
    margin=2,
)


class ProfileList(Rows):
    """The profiles that pass the filter."""

    HEADER_LINES = 1

    def __init__(
        self,
        current: str,
        *,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        """Take which profile is in use."""
        super().__init__(id=id)
        self._current = current
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
        return COLUMNS.header(width)

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
        return COLUMNS.line(mark, cells, width)


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
