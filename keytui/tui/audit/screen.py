"""The audit: every key of the account in one table, worst first, and what is done there."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from typing_extensions import override

from keytui.audit.rows import AuditRow, UserKeys
from keytui.audit.view import WORDS, Column, Order, Total, shown, totals
from keytui.core.errors import AccessDeniedError, KeytuiError
from keytui.core.model import User
from keytui.core.rules import Rule
from keytui.core.text import plain, span
from keytui.session.context import Context
from keytui.tui.audit.reader import AuditReader, read_report
from keytui.tui.audit.table import RULES, AuditMarks, AuditTable, AuditTotals
from keytui.tui.dialogs.dialogs import FilteredScreen
from keytui.tui.services.flow_runner import FlowRunner
from keytui.tui.services.state import AccountState
from keytui.tui.widgets.bars import KeyHints, MessageBar, TooSmall
from keytui.tui.widgets.lines import Line, LineInput
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import ACCENT, DIM, ago, count

JUST_NOW = timedelta(minutes=1)


def heading(account: AccountState, reader: AuditReader, now: datetime, width: int) -> Text:
    """Return the line at the top: how many keys, and where they are known from.

    Where it is too long for the width, the account ID is left out.
    """
    rows = account.audit.rows
    failing = sum(row.fails for row in rows)
    told = Text(f"  {count(len(rows), 'key')}, {failing:,} with findings")
    told.append(f"  {_source(account, reader, now)}", DIM)
    title, place = Text("Audit", f"bold {ACCENT}"), f"  {plain(account.identity.account)}"
    fits = title.cell_len + len(place) + told.cell_len <= width
    return Text.assemble(title, place if fits else "", told)


def _source(account: AccountState, reader: AuditReader, now: datetime) -> str:
    made_at, progress = account.audit.report_made_at, reader.progress
    reading = account.report_task is not None and not account.report_task.done()
    if made_at is not None:
        newer = ", AWS makes a new one…" if reading else ""
        made = "just now" if now - made_at < JUST_NOW else ago(made_at, now)
        return f"report made {made}{newer}"
    if reading and not progress.running:
        return "asking AWS for the credential report…"
    if progress.running and not progress.total:
        return "reading users…"
    done = progress.done - progress.failures
    read = f"read live: {done:,} of {count(progress.total, 'user')}"
    if not progress.running:
        return read
    left = progress.seconds_left
    return read + (f", about {span(left)} left" if left is not None else "…")


def summary(account: AccountState, reader: AuditReader, shown: int, marks: AuditMarks) -> str:
    """Return the line below the table: how many are shown and marked, and what is amiss."""
    words = [f"{shown:,} of {count(len(account.audit.rows), 'key')} shown"]
    if len(marks):
        words.append(f"{len(marks):,} marked")
    if marks.lost:
        words.append(f"{count(marks.lost, 'mark')} let go: it isn't certain which keys they were")
    words += _problems(account, reader)
    return " · ".join(words)


def _problems(account: AccountState, reader: AuditReader) -> list[str]:
    error, progress = account.audit.report_error, reader.progress
    found = []
    if progress.failed:
        also = f" ({count(progress.failures, 'user')})" if progress.failures else ""
        found.append(f"not all could be read{also}: {plain(progress.failed.title)}")
    elif reader.problem:
        found.append(plain(reader.problem.title))
    if isinstance(error, AccessDeniedError):
        found.append(f"no credential report: {plain(error.action)} is denied")
    elif error is not None:
        found.append(f"no credential report: {plain(error.title)}")
    return found


REST_SECONDS = 0.1
"""How long the rows on the screen rest before they are read."""
CHECKED = timedelta(minutes=1)
"""How long they count as checked; after that they are again when they come in sight."""
REPORT_SECONDS = 3.0
"""How long a report is waited for before users are read one by one; AWS may take a minute."""
ON_KEYS = ("deactivate", "activate", "delete")
CHANGES = (*ON_KEYS, "undo")

Verbs = Mapping[str, Callable[["AuditScreen"], Coroutine[Any, Any, None]]]


class AuditScreen(FilteredScreen[AuditRow | None]):
    """The audit's table with its totals and its filter; returns the row to open.

    Attributes:
        account: The account.
        ctx: The parts of this run.
        marks: What is marked.
        reader: Reads in the background.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "do('deactivate')", "Make inactive", tooltip="Make the keys inactive"),
        Binding("space", "mark", "Mark", tooltip="Mark the key; d, a and x act on all marked"),
        Binding(
            "asterisk", "mark_all", "Mark all", key_display="*", tooltip="Mark all that is shown"
        ),
        Binding("slash", "filter", "Filter", key_display="/", priority=True),
        Binding("enter", "open", "Open", tooltip="Go to the key on the main screen"),
        Binding("e", "do('export')", "Export", tooltip="Save what is shown as CSV or JSON"),
        Binding("u", "do('undo')", "Undo", tooltip="Undo the last change of status"),
        Binding("a", "do('activate')", "Make active", tooltip="Make the keys active"),
        Binding("x", "do('delete')", "Delete", tooltip="Delete the keys, inactive ones"),
        Binding("r", "refresh", "Refresh", tooltip="Read the report and these rows again"),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="List the keys"),
        Binding("escape", "back", "Back", key_display="esc"),
        Binding("q", "dismiss(None)", show=False),
        *(Binding(one.letter, f"sort('{one.name}')", show=False) for one in Column),
        *(Binding(f"{n}", f"rule({n})", show=False) for n in range(1, len(RULES) + 1)),
    ]

    def __init__(self, account: AccountState, ctx: Context, verbs: Verbs) -> None:
        """Take the account, the parts of this run, and what the keys do, as flows."""
        super().__init__()
        self._verbs = verbs
        self._flows = FlowRunner(self, self.problem, self._ended)
        self.account, self.ctx = account, ctx
        self.marks = AuditMarks()
        self.reader = AuditReader(account, ctx, self._taken, self._arrived)
        self.order = Order()
        """How the rows are sorted."""
        self.strayed = False
        """Whether the key under the cursor is gone, and another one stands there."""
        self._touched = False
        """Whether a key was pressed that isn't of sort or filter: then the cursor keeps its key."""
        self._resting: Timer | None = None
        self._again = False
        """Whether AWS is asked again about what was read before."""
        self._looked_at: set[str] = set()
        """Whose keys are being read, or were, as they came in sight."""
        self._totals: Sequence[Total] = ()
        self._summed_up = -1
        """The audit's version that the totals are of."""

    @override
    def compose(self) -> ComposeResult:
        yield Line(id="heading")
        yield AuditTotals(id="totals")
        words = ", ".join(WORDS)
        yield LineInput(placeholder=f"/ filter: text, or {words}", id="filter")
        yield AuditTable(self.ctx.now(), self.marks.holds, id="audit")
        yield MessageBar(id="message")
        yield Line(id="told")
        yield KeyHints()
        yield TooSmall()

    def on_mount(self) -> None:
        self.say("")
        self.table.focus()
        self.account.audit_watchers.append(self._on_report)
        self.draw()
        self._read_report()

    def on_unmount(self) -> None:
        if self._on_report in self.account.audit_watchers:
            self.account.audit_watchers.remove(self._on_report)
        self.reader.close()

    @override
    def on_resize(self) -> None:
        super().on_resize()
        self.draw()

    @property
    def table(self) -> AuditTable:
        return self.query_one(AuditTable)

    # Reading.

    def _read_report(self) -> None:
        self.run_worker(self._reading(), group="report", description="read the credential report")

    async def _reading(self) -> None:
        """Read the report; where it is not there soon, or not to be had, read user by user."""
        report = asyncio.ensure_future(read_report(self.account, self.ctx))
        await asyncio.wait([report], timeout=REPORT_SECONDS)
        if self.account.audit.report_made_at is None:
            await self.reader.read_all(again=self._again)
        await report

    def _on_report(self) -> None:
        self._looked_at.clear()
        if self.account.audit.report_made_at is not None:
            self.reader.forget_failures()
            self.reader.stop()
        self._arrived()

    def _arrived(self) -> None:
        """Show what has come; until the user has done something, the top stays in sight."""
        self.draw(afresh=not self._touched)

    def _taken(self, read: UserKeys) -> None:
        reported = self.account.audit.reported(read.user.name)
        self.marks.listed(read.user, read.keys, reported)

    def _rest(self) -> None:
        """Check the rows on the screen when they have been there for a moment."""
        if self._resting:
            self._resting.stop()
        self._resting = self.set_timer(REST_SECONDS, self._look)

    def _look(self) -> None:
        self._resting = None
        audit = self.account.audit
        if audit.report_made_at is None:
            return  # All users are being read.
        unchecked = [row.key.user for row in self.table.in_sight if not self._is_checked(row)]
        owners = {user.name: user for user in unchecked}
        names = owners.keys() - self.reader.refused
        if not names <= self._looked_at:
            self._look_at([user for name, user in owners.items() if name in names])

    def _is_checked(self, row: AuditRow) -> bool:
        read_at = self.account.audit.read_at(row.key.user.name)
        return read_at is not None and self.ctx.now() - read_at < CHECKED

    def _look_at(self, users: Sequence[User]) -> None:
        """Read these users' keys, and no longer those asked for before."""
        self._looked_at = {user.name for user in users}
        self.run_worker(
            self.reader.look_at(users), group="look", description="check the rows in sight"
        )

    def action_refresh(self) -> None:
        self.say("")
        self._looked_at.clear()
        self.reader.forget_failures()
        if self.account.report_task is None or self.account.report_task.done():
            self.account.report_task = None
            self._again = True
            self._read_report()
        if not self.reader.progress.running:
            users = {row.key.user.name: row.key.user for row in self.table.in_sight}
            self._look_at(list(users.values()))
        self.draw()

    # What is shown.

    def say(self, text: str, good: bool = True) -> None:
        """Show a sentence; an empty one clears it."""
        self.query_one(MessageBar).say(text, good)

    @on(LineInput.Changed)
    def _filter_changed(self) -> None:
        self.draw_others()

    def draw_others(self) -> None:
        """Draw the rows that were asked for; at the top, that is what is looked at."""
        self._touched = self.table.cursor > 0
        self.draw(afresh=True)

    def draw(self, *, afresh: bool = False) -> None:
        """Draw all as it is known; lines that stay the same are not painted.

        Args:
            afresh: Whether other rows are to be expected: at the top the cursor stays there.
        """
        if not (self.is_mounted and self.is_attached and self.display):
            return  # Its widgets go before it does.
        audit, text = self.account.audit, self.query_one(LineInput).value
        chosen = frozenset(rule for rule in Rule if rule.option in text.casefold().split())
        if self._summed_up != audit.version:
            self._summed_up, self._totals = audit.version, totals(audit.rows)
        self.query_one(AuditTotals).show(self._totals, chosen)
        rows = shown(audit.rows, text, self.order)
        if not self.table.show(rows, self.order, afresh=afresh):
            self.strayed = True
        room = max(self.size.width - 2, 1)
        head = heading(self.account, self.reader, self.ctx.now(), room)
        self.query_one("#heading", Line).show_line(head)
        self._draw_bars()

    @on(Rows.Highlighted)
    def _moved(self) -> None:
        self._touched = True  # By the wheel too.
        self.strayed = False
        self._draw_bars()

    @on(Rows.Scrolled)
    def _draw_bars(self) -> None:
        words = summary(self.account, self.reader, len(self.table.rows), self.marks)
        line = Text(words, style="dim", no_wrap=True)
        line.truncate(max(self.size.width - 2, 1), overflow="ellipsis")
        self.query_one("#told", Line).show_line(line)
        self.show_hints()
        self._rest()

    # Who is looked at.

    def on_key(self) -> None:
        self._touched = True

    def on_click(self) -> None:
        self._touched = True

    def is_meant(self) -> bool:
        """Whether the user can mean the row under the cursor; where not, that is said once."""
        strayed, self.strayed = self.strayed, False
        if strayed:
            words = "The key that stood here is gone; this is another. Press again if you mean it."
            self.say(words, good=False)
        return not strayed and self.table.row is not None

    # What the keys do.

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Let the keys work that do something now; in read-only mode changes are refused aloud."""
        read_only = self.ctx.settings.read_only
        match action, parameters:
            case "do", ("undo",):
                return read_only or bool(self.account.changes)
            case "do", (str(verb),) if verb in CHANGES:
                return read_only or bool(self.marks or self.table.row)
            case ("do", ("export",)) | (("mark" | "mark_all" | "open"), _):
                return self.table.row is not None
        return True

    def action_do(self, verb: str) -> None:
        if not self.check_action("do", (verb,)) or self._flows.held:
            return
        refused = verb in CHANGES and self.ctx.settings.read_only
        if not refused and verb in ON_KEYS and not self.marks and not self.is_meant():
            return
        self.say("")
        self._flows.run(self._verbs[verb](self), group="verb", description="work on audited keys")

    def give_up(self) -> bool:
        """Leave what a key has set going, before it has changed anything."""
        if given_up := self._flows.give_up():
            self.say("Left; nothing was changed.", good=False)
        return given_up

    def problem(self, error: KeytuiError) -> None:
        self.query_one(MessageBar).problem(error)

    async def _ended(self) -> None:
        self.draw()
        self.strayed = False  # Whoever comes back from a dialog looks again.

    def action_mark(self) -> None:
        """Mark the key under the cursor, or take its mark away, and go on to the next."""
        if self.is_meant() and (row := self.table.row):
            self.marks.set([row], on=not self.marks.holds(row))
            self.table.action_move(1)
            self.draw()

    def action_mark_all(self) -> None:
        """Mark all that is shown; where all is, take the marks away."""
        rows = self.table.rows
        self.marks.set(rows, on=not all(map(self.marks.holds, rows)))
        self.draw()

    @on(Rows.Chosen)
    def action_open(self) -> None:
        if self.is_meant():
            self.dismiss(self.table.row)

    def action_sort(self, column: str) -> None:
        """Sort by a column; by the same one again, the other way round."""
        chosen = Column[column]
        reverse = chosen is self.order.column and not self.order.reverse
        self.order = Order(chosen, reverse)
        self.draw_others()

    @on(AuditTotals.Chosen)
    def _rule_chosen(self, event: AuditTotals.Chosen) -> None:
        self.action_rule(RULES.index(event.rule) + 1)

    def action_rule(self, number: int) -> None:
        line, word = self.query_one(LineInput), RULES[number - 1].option
        words = line.value.split()
        kept = [one for one in words if one.casefold() != word]
        line.value = " ".join(kept if len(kept) < len(words) else [*words, word])

    def action_help(self) -> None:
        from keytui.tui.dialogs.dialogs import HelpScreen

        shown_keys = [one for one in self.BINDINGS if isinstance(one, Binding) and one.show]
        sorts = "".join(column.letter for column in Column)
        more = [
            Binding("sort", "", key_display=sorts, description="Sort by a column; again: back"),
            Binding("rule", "", key_display="1-5", description="Filter by a rule, or no longer"),
        ]
        self.app.push_screen(HelpScreen([*shown_keys, *more]))

    def show_hints(self) -> None:
        hints, read_only = [], self.ctx.settings.read_only
        for one in self.BINDINGS:
            if isinstance(one, Binding) and one.show:
                action, _, rest = one.action.partition("('")
                given = (rest.removesuffix("')"),) if rest else ()
                refused = read_only and action == "do" and rest.removesuffix("')") in CHANGES
                if not refused and self.check_action(action, given):
                    hints.append(one)
        self.query_one(KeyHints).show(hints)
