"""All profiles side by side: who each one is, the state of its own keys, or why it failed."""

import asyncio
from collections.abc import Sequence
from threading import Event
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from typing_extensions import override

from keytui.audit.fleet import Member, survey, totals
from keytui.core.text import plain
from keytui.session.context import Context
from keytui.tui.dialogs.filtered import FilteredScreen
from keytui.tui.profiles.list import ProfileDetail, ProfileList
from keytui.tui.services.stage import Stage
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.bars import KeyHints
from keytui.tui.widgets.line_input import LineInput
from keytui.tui.widgets.lines import Line
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import ACCENT, DIM, FAILS, WARNS, count
from keytui.tui.widgets.too_small import TooSmall

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
