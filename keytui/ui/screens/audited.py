"""What the audit shows: kept as the account is known, and read as one looks at it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.timer import Timer

from keytui.audit.checking import Checked
from keytui.audit.rows import AuditRow
from keytui.audit.view import WORDS, Order, Total, shown, totals
from keytui.findings import Rule
from keytui.model import User
from keytui.parts import Parts
from keytui.ui.account import Account
from keytui.ui.audit_marks import AuditMarks
from keytui.ui.audit_reader import AuditReader, read_report
from keytui.ui.audit_words import heading, told
from keytui.ui.screens.filtered import FilteredScreen
from keytui.ui.widgets.audit_table import AuditTable
from keytui.ui.widgets.audit_totals import AuditTotals
from keytui.ui.widgets.bars import KeyHints, MessageBar
from keytui.ui.widgets.line_input import LineInput
from keytui.ui.widgets.lines import Line
from keytui.ui.widgets.rows import Rows
from keytui.ui.widgets.too_small import TooSmall

REST_SECONDS = 0.1
"""How long the rows on the screen rest before they are checked."""
CHECKED = timedelta(minutes=1)
"""How long they count as checked; after that they are again when they come in sight."""
REPORT_SECONDS = 3.0
"""How long a report is waited for before users are read one by one; AWS may take a minute."""


class AuditedScreen(FilteredScreen[AuditRow | None]):
    """The audit's table with its totals and its filter.

    Attributes:
        account: The account.
        parts: The parts of this run.
        marks: What is marked.
        reader: Reads in the background.
    """

    def __init__(self, account: Account, parts: Parts) -> None:
        super().__init__()
        self.account, self.parts = account, parts
        self.marks = AuditMarks()
        self.reader = AuditReader(account, parts, self._arrived)
        self.reader.taken = self._taken
        self.order = Order()
        """How the rows are sorted."""
        self.strayed = False
        """Whether the key under the cursor is gone, and another one stands there."""
        self._touched = False
        """Whether a key was pressed that isn't of sort or filter: then the cursor keeps its key."""
        self._resting: Timer | None = None
        self._anew = False
        """Whether AWS is asked again about what was read before."""
        self._looked_at: set[str] = set()
        """Whose keys are being read, or were, as they came in sight."""
        self._totals: Sequence[Total] = ()
        self._summed_up = -1
        """The audit's version that the totals are of."""

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield Line(id="heading")
        yield AuditTotals(id="totals")
        words = ", ".join(WORDS)
        yield LineInput(placeholder=f"/ filter: text, or {words}", id="filter")
        yield AuditTable(self.parts.now(), self.marks.holds, id="audit")
        yield MessageBar(id="message")
        yield Line(id="told")
        yield KeyHints()
        yield TooSmall()

    def on_mount(self) -> None:
        """Show what is known, and read the rest."""
        self.say("")
        self.table.focus()
        self.account.audit_watchers.append(self._report_told)
        self.draw()
        self._read_report()

    def on_unmount(self) -> None:
        """Read nothing more."""
        if self._report_told in self.account.audit_watchers:
            self.account.audit_watchers.remove(self._report_told)
        self.reader.close()

    def on_resize(self) -> None:
        """Fill the lines anew."""
        super().on_resize()
        self.draw()

    @property
    def table(self) -> AuditTable:
        """The table."""
        return self.query_one(AuditTable)

    # Reading.

    def _read_report(self) -> None:
        self.run_worker(self._reading(), group="report", description="read the credential report")

    async def _reading(self) -> None:
        """Read the report; where it is not there soon, or not to be had, read user by user."""
        report = asyncio.ensure_future(read_report(self.account, self.parts))
        await asyncio.wait([report], timeout=REPORT_SECONDS)
        if self.account.audit.report_made_at is None:
            await self.reader.read_all(anew=self._anew)
        await report

    def _report_told(self) -> None:
        """Show what a report says, or that there is none."""
        self._looked_at.clear()
        if self.account.audit.report_made_at is not None:
            self.reader.forget_failures()
            self.reader.stop()
        self._arrived()

    def _arrived(self) -> None:
        """Show what has come; until the user has done something, the top stays in sight."""
        self.draw(afresh=not self._touched)

    def _taken(self, checked: Checked) -> None:
        reported = self.account.audit.reported(checked.user.name)
        self.marks.listed(checked.user, checked.keys, reported)

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
        return read_at is not None and self.parts.now() - read_at < CHECKED

    def _look_at(self, users: Sequence[User]) -> None:
        """Read these users' keys, and no longer those asked for before."""
        self._looked_at = {user.name for user in users}
        self.run_worker(
            self.reader.look_at(users), group="look", description="check the rows in sight"
        )

    def action_refresh(self) -> None:
        """Read the report again, and the rows on the screen."""
        self.say("")
        self._looked_at.clear()
        self.reader.forget_failures()
        if self.account.report_task is None or self.account.report_task.done():
            self.account.report_task = None
            self._anew = True
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
        head = heading(self.account, self.reader, self.parts.now(), room)
        self.query_one("#heading", Line).show_line(head)
        self._draw_bars()

    @on(Rows.Highlighted)
    def _moved(self) -> None:
        self._touched = True  # By the wheel too.
        self.strayed = False
        self._draw_bars()

    @on(Rows.Scrolled)
    def _draw_bars(self) -> None:
        words = told(self.account, self.reader, len(self.table.rows), self.marks)
        line = Text(words, style="dim", no_wrap=True)
        line.truncate(max(self.size.width - 2, 1), overflow="ellipsis")
        self.query_one("#told", Line).show_line(line)
        self.show_hints()
        self._rest()

    def show_hints(self) -> None:
        """Show the keys that work now."""
        raise NotImplementedError

    # Who is looked at.

    def on_key(self) -> None:
        """Know that somebody looks at the row under the cursor."""
        self._touched = True

    def on_click(self) -> None:
        """Know it of the mouse too."""
        self._touched = True

    def is_meant(self) -> bool:
        """Whether the user can mean the row under the cursor; where not, that is said once."""
        strayed, self.strayed = self.strayed, False
        if strayed:
            words = "The key that stood here is gone; this is another. Press again if you mean it."
            self.say(words, good=False)
        return not strayed and self.table.row is not None
