"""Creations that were cut short: look into them, and offer to delete what nobody can use."""

from collections.abc import Callable
from functools import partial
from threading import Event

from keytui.errors import KeytuiError, StateError
from keytui.recovery import Finding, Verdict
from keytui.ui.account import Account
from keytui.ui.flows.read import reread_user
from keytui.ui.flows.stage import Stage
from keytui.ui.screens.dialogs import WorkingScreen
from keytui.ui.screens.orphan import Answer, OrphanScreen
from keytui.ui.text import count
from keytui.ui.threads import in_thread


async def look_around(stage: Stage) -> None:
    """Look into all open creations of this account and say what was found.

    No dialog opens by itself: somebody may be typing, to shut off a leaked key.
    """
    account = stage.account
    told: list[Finding] = []
    for attempt in await in_thread(account.recovery.open_attempts):
        finding = await in_thread(partial(account.recovery.examine, attempt))
        if finding:
            told.append(finding)
            _remember(account, finding)
    stage.draw_unfinished()
    if told:
        _tell(stage, sorted(told, key=lambda finding: not finding.open))


async def look_into(stage: Stage, attempt: str) -> None:
    """Find out what became of one creation; an orphan is offered to be deleted at once."""
    account, left = stage.account, Event()

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
    if isinstance(result, KeytuiError):
        raise result
    if result is None:
        stage.say("Another keytui is at work on it, or has ended it.", good=False)
        return
    _remember(account, result)
    stage.draw_unfinished()
    await reread_user(stage, account, result.attempt.owner)
    if result.verdict in {Verdict.ORPHAN, Verdict.AMBIGUOUS}:
        await _offer(stage, account, result)
    else:
        _tell(stage, [result])


async def _offer(stage: Stage, account: Account, finding: Finding) -> None:
    try:
        account.lifecycle.require_writable()
    except KeytuiError:
        _tell(stage, [finding])
        return
    answer = await stage.ask(OrphanScreen(finding))
    stage.no_more_questions()
    ids = " and ".join(key.id for key in finding.keys)
    match answer:
        case Answer.DELETE:
            await in_thread(lambda: account.recovery.delete(finding))
            stage.say(f"{ids} is deleted.")
        case Answer.LEAVE:
            await in_thread(lambda: account.recovery.leave(finding))
            stage.say(f"{ids} stays as it is. keytui does not ask again.")
        case Answer.LATER:
            _tell(stage, [finding])
            return
    account.unfinished.pop(finding.attempt.id, None)
    stage.draw_unfinished()
    await reread_user(stage, account, finding.attempt.owner)


def _remember(account: Account, finding: Finding) -> None:
    if finding.open:
        account.unfinished[finding.attempt.id] = finding
    else:
        account.unfinished.pop(finding.attempt.id, None)


def _tell(stage: Stage, findings: list[Finding]) -> None:
    first, others = findings[0], len(findings) - 1
    more = f"And {count(others, 'other creation')} that were cut short." if others else ""
    if not first.open:
        stage.say(f"{first.title} {more}".strip(), good=first.verdict is Verdict.STORED)
        return
    deletes = first.verdict is Verdict.ORPHAN
    hint = "H offers to delete it." if deletes else "H looks again."
    stage.problem(StateError(first.title, first.advice, f"{hint} {more}".strip()))
