"""Creations that were cut short: look into them, and offer to delete what nobody can use."""

from collections.abc import Callable
from functools import partial
from threading import Event
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from keytui.core.errors import KeytuiError, ReadOnlyError, StateError
from keytui.core.model import AccessKey
from keytui.core.text import plain
from keytui.keys.recovery import Finding, Verdict
from keytui.keys.settle import Answer, settle
from keytui.tui.dialogs.dialogs import Dialog, WorkingScreen
from keytui.tui.keys.change import DeleteScreen
from keytui.tui.services.reading import look_at_rotations, reread_user
from keytui.tui.services.stage import ScreenPort, Stage
from keytui.tui.services.state import AccountState
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.text import WARNS, count


class OrphanScreen(Dialog[Answer]):
    """Offers to delete an orphan: with enter alone where nobody can use it, else only with y.

    Where several keys may be the one, it deletes none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "delete", "Delete it"),
        Binding("enter", "enter", show=False),
        Binding("n,escape", "answer('LATER')", "Not now", key_display="n"),
        Binding("o", "answer('LEAVE')", "Leave it, and ask no more"),
    ]

    def __init__(self, finding: Finding) -> None:
        lost = finding.deletable or finding.verdict is Verdict.AMBIGUOUS
        super().__init__("A key whose secret is lost" if lost else "A key that somebody uses")
        self._finding = finding

    def content(self) -> ComposeResult:
        """Yield what was found."""
        finding = self._finding
        yield Static(Text(plain(finding.title)))
        yield Static(Text(plain(finding.advice)), classes="quiet")
        if finding.verdict is Verdict.ORPHAN:
            yield Static(Text(plain(finding.times), style="dim"), classes="quiet")
            if not finding.deletable:
                yield Static("If it is of no use, x deletes it as any other key.", classes="quiet")
        if finding.deletable:
            ask = "Delete it? enter means yes." if finding.useless else "Delete it?"
            yield Static(Text(ask, style="bold" if finding.useless else WARNS), classes="ask")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Offer to delete only one key, and none that somebody uses."""
        del parameters
        return action != "delete" or self._finding.deletable

    def action_delete(self) -> None:
        """Delete it."""
        self.dismiss(Answer.DELETE)

    def action_enter(self) -> None:
        """Delete what nobody can use; leave the rest for later."""
        self.dismiss(Answer.DELETE if self._finding.useless else Answer.LATER)

    def action_answer(self, answer: str) -> None:
        """Return another answer."""
        self.dismiss(Answer[answer])


async def look_around(stage: Stage) -> None:
    """Look into all open creations of this account and say what was found.

    No dialog opens by itself: somebody may be typing, to shut off a leaked key.
    """
    await look_at_rotations(stage)
    account = stage.account
    known, told = set(account.unfinished), list[Finding]()
    unfinished = await in_thread(account.recovery.open_attempts)
    for ended in account.unfinished.keys() - {attempt.id for attempt in unfinished}:
        account.unfinished.pop(ended, None)
    for attempt in unfinished:
        finding = await in_thread(partial(account.recovery.examine, attempt))
        if finding:
            _remember(account, finding)
            if not finding.open or attempt.id not in known:
                told.append(finding)
    stage.view.draw_unfinished()
    if told:
        _tell(stage, sorted(told, key=lambda finding: not finding.open))


async def look_into(stage: Stage, attempt: str) -> None:
    """Find out what became of one creation; an orphan is offered to be deleted at once."""
    account, left = stage.account, Event()
    stage.say("")  # What was said before is not about this one.

    def work(progress: Callable[[str], None]) -> Finding | None:
        return account.recovery.examine(attempt, progress, left.is_set)

    result = await stage.ask(
        WorkingScreen[Finding | None](
            "Looking into a creation that was cut short",
            work,
            "AWS may take some seconds to list a new key; 15 at most.",
            leave=left.set,
        )
    )
    if left.is_set():
        result = KeytuiError(
            "Whether AWS has made a key is not known yet.", next_step="H looks again."
        )
    if isinstance(result, KeytuiError):
        await _remember_unseen(stage, attempt, result)
        raise result
    if result is None:
        stage.say("It is being looked into just now, or has been ended: H tells.", good=False)
        return
    _remember(account, result)
    stage.view.draw_unfinished()
    await reread_user(stage, account, result.attempt.owner)
    closed = await settle(account.recovery, account.lifecycle, result, ScreenRecovery(stage))
    if closed and result.open:
        account.unfinished.pop(attempt, None)
        stage.view.draw_unfinished()
        await reread_user(stage, account, result.attempt.owner)


class ScreenRecovery(ScreenPort):
    """Asks about a key in dialogs."""

    def show(self, finding: Finding, *, offered: bool) -> None:
        if not offered:
            _tell(self.stage, [finding])

    async def decide(self, finding: Finding) -> Answer:
        return await self.stage.ask(OrphanScreen(finding), unforeseen=True)

    async def confirm_last_four(self, key: AccessKey) -> bool:
        return await self.stage.ask(DeleteScreen(key, self.stage.ctx.now()))

    def stays(self, finding: Finding, refusal: ReadOnlyError | None) -> None:
        if not refusal:
            self.stage.no_more_questions()
        _tell(self.stage, [finding])


def _remember(account: AccountState, finding: Finding) -> None:
    if finding.open:
        account.unfinished[finding.attempt.id] = finding
    else:
        account.unfinished.pop(finding.attempt.id, None)


async def _remember_unseen(stage: Stage, attempt: str, reason: KeytuiError) -> None:
    """Count a creation as unfinished of which nothing could be seen."""
    account = stage.account
    for found in await in_thread(account.recovery.open_attempts):
        if found.id == attempt:
            _remember(account, Finding(found, Verdict.UNSURE, reason=reason))
    stage.view.draw_unfinished()


def _tell(stage: Stage, findings: list[Finding]) -> None:
    first, others = findings[0], len(findings) - 1
    more = f"{count(others, 'more creation')} cut short: H lists them." if others else ""
    if not first.open:
        stage.say(f"{first.title} {more}".strip(), good=first.verdict is Verdict.STORED)
        return
    hint = "H offers to delete it." if first.deletable else "H looks again."
    stage.problem(StateError(first.title, first.advice, f"{hint} {more}".strip()))
