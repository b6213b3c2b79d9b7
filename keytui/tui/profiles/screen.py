"""All profiles side by side: who each one is, the state of its own keys, or why it failed."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from threading import Event
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from typing_extensions import override

from keytui.audit.fleet import Member, OwnKey, survey, totals
from keytui.core.text import plain
from keytui.session.context import Context
from keytui.tui.dialogs.dialogs import FilteredScreen
from keytui.tui.services.stage import Stage
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.bars import KeyHints, TooSmall
from keytui.tui.widgets.key_text import KeyDetail
from keytui.tui.widgets.lines import Line, LineInput
from keytui.tui.widgets.rows import Column, Columns, Rows
from keytui.tui.widgets.text import (
    ACCENT,
    DIM,
    FAILS,
    GLYPHS,
    STATUS_STYLES,
    WARNS,
    age,
    ago,
    count,
)

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


class ProfileDetail(KeyDetail):
    """The detail below the list: who it is, each key, and what could not be had."""

    INDENT = 0

    def show_member(self, name: str, member: Member | None, now: datetime, current: str) -> None:
        """Show one profile; ``member`` is None while it is being asked."""
        here = " · in use now" if name == current else ""
        if member is None:
            lines = [Text(f"{plain(name)} is being asked.{here}", style=DIM)]
        else:
            who = f": {plain(member.identity.arn)}" if member.identity else ""
            lines = [Text(f"{plain(name)}{who}{here}", style=DIM)]
            lines += [_key(own, now) for own in member.keys]
            lines += _problems(member)
            if member.identity and not member.keys and not member.error:
                lines.append(Text(_without_keys(member)))
        self.show_sentences(lines)


def _key(own: OwnKey, now: datetime) -> Text:
    key = own.key
    line = Text.assemble(plain(key.id), "  ")
    line.append(f"{GLYPHS[key.status]} {key.status.value}", STATUS_STYLES[key.status])
    line.append(f"  created {ago(key.created, now)}")
    if key.last_used and key.last_used.when:
        where = plain(f"{key.last_used.service} {key.last_used.region}").strip()
        line.append(
            f", last used {ago(key.last_used.when, now)}" + (f" by {where}" if where else "")
        )
    elif key.last_used:
        line.append(", never used")
    if own.signs:
        line.append(", signs here")
    for one in own.findings:
        line.append("  ")
        line.append(f"{one.rule.word} {one.rule.cis}", FAILS if one.fails else WARNS)
    return line


def _problems(member: Member) -> list[Text]:
    lines = []
    if member.error:
        lines.append(Text(plain(member.error.title), style=f"bold {WARNS}"))
        if member.error.next_step:  # Nothing was at stake.
            lines.append(Text(plain(member.error.next_step)))
    if member.note:
        note = f"The last use of its keys is not known: {member.note.title}"
        lines.append(Text(plain(note), style=WARNS))
    return lines


def _without_keys(member: Member) -> str:
    if member.owner is None:
        return "A role or a federated user signs by temporary credentials, and has no keys."
    return "It has no access keys: temporary credentials sign here."


BATCH_SECONDS = 0.1
"""What arrives within this time is painted once."""


class ProfilesScreen(FilteredScreen[str | None]):
    """Lists the profiles; returns the one to switch to."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Switch to it"),
        Binding("slash", "filter", "Filter", key_display="/", priority=True),
        Binding("r", "refresh", "Ask again"),
        Binding("escape", "back", "Back", key_display="esc"),
        Binding("q", "dismiss(None)", show=False),
    ]

    def __init__(self, names: Sequence[str], current: str, ctx: Context) -> None:
        """Take the profiles' names, the one in use (empty for the SDK's choice), and the parts."""
        super().__init__()
        self._names, self._current, self._ctx = names, current, ctx
        self._members: dict[str, Member] = {}
        self._stopped = Event()
        self._drawing: asyncio.TimerHandle | None = None

    @override
    def compose(self) -> ComposeResult:
        yield Line(id="heading")
        yield LineInput(placeholder="/ filter", id="filter")
        yield ProfileList(self._current, id="profiles")
        yield ProfileDetail(self._ctx.settings.limits, id="profile")
        yield KeyHints()
        yield TooSmall()

    def on_mount(self) -> None:
        self._show()
        if self._current in self._names:
            self.list.move_to(list(self._names).index(self._current))
        self.list.focus()
        self._ask()

    def on_unmount(self) -> None:
        self._stopped.set()
        if self._drawing:
            self._drawing.cancel()

    @override
    def on_resize(self) -> None:
        """Fill the lines anew; give the focus back after the terminal was too small."""
        super().on_resize()
        self._draw()

    @property
    def list(self) -> ProfileList:
        return self.query_one(ProfileList)

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        del parameters
        return action != "choose" or self.list.name_here is not None

    @on(Rows.Chosen)
    def action_choose(self) -> None:
        if name := self.list.name_here:
            self.dismiss(name)

    def action_refresh(self) -> None:
        self._stopped.set()
        self._members.clear()
        self._show()
        self._ask()

    # Asking.

    def _ask(self) -> None:
        stopped = self._stopped = Event()
        work = self._survey(stopped)
        self.run_worker(work, group="fleet", exclusive=True, description="ask all profiles")

    async def _survey(self, stopped: Event) -> None:
        ctx, loop = self._ctx, asyncio.get_running_loop()

        def work() -> None:
            limits = ctx.settings.limits
            for member in survey(self._names, ctx.peek, limits, ctx.now, stopped.is_set):
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self._arrive, member, stopped)

        await in_thread(work)

    def _arrive(self, member: Member, stopped: Event) -> None:
        if stopped.is_set():
            return
        self._members[member.profile] = member
        if self._drawing is None:
            loop = asyncio.get_running_loop()
            self._drawing = loop.call_later(BATCH_SECONDS, self._take_in)

    def _take_in(self) -> None:
        self._drawing = None
        self._show()

    # Drawing.

    @on(LineInput.Changed)
    def _show(self) -> None:
        """Show what passes the filter."""
        words = self.query_one(LineInput).value.casefold().split()
        shown = [name for name in self._names if all(w in self._words(name) for w in words)]
        self.list.show(shown, self._members, self._ctx.now())
        self._draw()

    def _words(self, name: str) -> str:
        found = [plain(name)]
        if member := self._members.get(name):
            if member.identity:
                found += [plain(member.identity.account), plain(member.identity.label)]
            for own in member.keys:
                found += [own.key.id, *(one.rule.word for one in own.findings)]
            if member.error:
                found.append(plain(member.error.title))
        return " ".join(found).casefold()

    @on(Rows.Highlighted)
    def _draw(self) -> None:
        shown = [b for b in self.BINDINGS if isinstance(b, Binding) and b.show]
        self.query_one(KeyHints).show([b for b in shown if self.check_action(b.action, ())])
        self.query_one("#heading", Line).show_line(self._heading())
        name, detail = self.list.name_here, self.query_one(ProfileDetail)
        if name is None:
            detail.show_sentences([Text("No profile passes the filter.", style=DIM)])
        else:
            member = self._members.get(name)
            detail.show_member(name, member, self._ctx.now(), self._current)

    def _heading(self) -> Text:
        sums, number = totals(self._members.values()), len(self._names)
        line = Text.assemble(
            ("Profiles", f"bold {ACCENT}"),
            f"  {sums.answered:,} of {number:,} answered",
        )
        if sums.failed:
            line.append(" · ").append(f"{sums.failed:,} failed", WARNS)
        if sums.answered:
            line.append(f" · {count(sums.keys, 'key')}")
        if sums.keys:
            line.append(", ").append(f"{sums.stale:,} stale", FAILS if sums.stale else "")
        if more := sums.failing - sums.stale:
            line.append(f", {more:,} more break{'s' if more == 1 else ''} a rule", FAILS)
        if len(self._members) < number:
            line.append(" · asking…", DIM)
        if len(self.list.names) < number:
            line.append(f" · {len(self.list.names):,} shown", DIM)
        line.truncate(max(self.size.width - 2, 1), overflow="ellipsis")
        return line


async def choose_profile(stage: Stage) -> str | None:
    """Show all profiles and return the one to switch to; None where none was chosen."""
    if stage.ctx.settings.demo:
        stage.say("The demo account has no other profiles.", good=False)
        return None
    names = await in_thread(stage.ctx.profiles)
    if not names:
        stage.say("The AWS config has no profiles.", good=False)
        return None
    return await stage.ask(ProfilesScreen(names, stage.connection.profile or "", stage.ctx))
