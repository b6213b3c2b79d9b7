"""Work on all marked keys: one summary, then a result for each."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from threading import Event

from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, KeyStatus
from keytui.keys import batch
from keytui.keys.batch import Planned, Result, Verb
from keytui.keys.outcomes import ChangedSinceError, StatusChange
from keytui.session.account import Account
from keytui.tui.dialogs.dialogs import WorkingScreen
from keytui.tui.keys.bulk_dialogs import DOES, BatchScreen, BulkDeleteScreen, BulkScreen, summary
from keytui.tui.services.reading import look_at_rotations
from keytui.tui.services.stage import Stage
from keytui.tui.widgets.text import count

Work = Callable[[Callable[[Result], None], Callable[[], bool]], tuple[Result, ...]]


async def work_on_marked(stage: Stage, verb: Verb) -> None:
    """Do one thing to all marked keys, after a summary of what will happen to which."""
    await work_on(stage, verb, stage.account.marked)
    await look_at_rotations(stage)


async def work_on(stage: Stage, verb: Verb, wanted: Sequence[AccessKey]) -> Sequence[AccessKey]:
    """Do one thing to some keys, after a summary; return those that were changed."""
    account = stage.account
    account.lifecycle.require_writable()
    chosen = await _agreed(stage, account, verb, wanted)
    if not chosen:
        return ()
    keys = [one.key for one in chosen]

    def work(told: Callable[[Result], None], left: Callable[[], bool]) -> tuple[Result, ...]:
        return batch.carry_out(account.lifecycle, verb, chosen, told, left)

    results = await _do(stage, DOES[verb].format(count(len(keys), "key")), keys, work)
    _take_in(stage, account, results)
    undo = " u undoes that." if any(r.change and r.change.undoable for r in results) else ""
    _tell(stage, len(keys), results, verb.value.value.lower(), undo, undo)
    return [result.key for result in results if result.change]


async def undo_batch(stage: Stage, changes: Sequence[StatusChange]) -> None:
    """Take back changes that were made together; those that fail can be undone again.

    Where that makes keys inactive, it asks as making them so does.
    """
    account = stage.account
    if changes[0].status is KeyStatus.ACTIVE:
        now = [replace(change.key, status=change.status) for change in changes]
        chosen = {one.key.id for one in await _agreed(stage, account, Verb.DEACTIVATE, now)}
        changes = [change for change in changes if change.key.id in chosen]
        if not changes:
            return
    keys = [change.key for change in changes]

    def work(told: Callable[[Result], None], left: Callable[[], bool]) -> tuple[Result, ...]:
        return batch.undo(account.lifecycle, changes, told, left)

    results = await _do(stage, f"Undo {count(len(keys), 'change')}", keys, work)
    _take_in(stage, account, results, undoing=True)
    changed_since = {r.key.id for r in results if isinstance(r.error, ChangedSinceError)}
    account.drop_undo(changed_since)
    undone = sum(result.change is not None for result in results)
    rest = " u undoes the rest." if len(keys) > undone + len(changed_since) else ""
    _tell(stage, len(keys), results, "as before", "", rest)


async def _agreed(
    stage: Stage, account: Account, verb: Verb, keys: Sequence[AccessKey]
) -> tuple[Planned, ...]:
    """Show what will happen to which keys, and return those it shall happen to."""
    found = summary(verb, await _plan(stage, account, verb, keys))
    dialog = BulkDeleteScreen if verb is Verb.DELETE and found.all else BulkScreen
    chosen = await stage.ask(dialog(found))
    if not chosen:
        stage.say("Nothing was changed.", good=False)
    return chosen


async def _plan(
    stage: Stage, account: Account, verb: Verb, keys: Sequence[AccessKey]
) -> tuple[Planned, ...]:
    """Ask the guards of each key. Raises ``KeytuiError`` where that is left."""
    left = Event()

    def work(progress: Callable[[str], None]) -> tuple[Planned, ...]:
        return batch.plan(account.lifecycle, verb, keys, progress, left.is_set)

    wait = "Nothing is changed before you have seen what will happen."
    title = f"Looking at {count(len(keys), 'key')}"
    planned = await stage.ask(WorkingScreen(title, work, wait, leave=left.set))
    if left.is_set():
        raise KeytuiError("Left.", "Nothing was changed.")
    if isinstance(planned, KeytuiError):
        raise planned
    return planned


async def _do(
    stage: Stage, title: str, keys: Sequence[AccessKey], work: Work
) -> tuple[Result, ...]:
    stop = Event()
    dialog = BatchScreen(title, keys, lambda told: work(told, stop.is_set), stop.set)
    return await stage.ask(dialog)


def _take_in(
    stage: Stage, account: Account, results: Sequence[Result], *, undoing: bool = False
) -> None:
    changes = [result.change for result in results if result.change]
    if changes:
        account.apply(*changes, undoing=undoing)
    stage.no_more_questions()
    stage.draw_marks()
    stage.reread()


def _tell(
    stage: Stage, asked: int, results: Sequence[Result], word: str, after_all: str, after_some: str
) -> None:
    done = sum(result.change is not None for result in results)
    failed, left = len(results) - done, asked - len(results)
    verb = "is" if done == 1 else "are"
    if done == asked:
        stage.say(f"{count(done, 'key')} {verb} {word}.{after_all}")
        return
    since = sum(isinstance(result.error, ChangedSinceError) for result in results)
    failed -= since
    parts = [f"{failed} failed"] * bool(failed)
    parts += [f"{since} changed since by somebody else and not touched"] * bool(since)
    parts += [f"{left} not begun and as before"] * bool(left)
    said = f"{done} of {count(asked, 'key')} {verb} {word}; {', '.join(parts)}."
    stage.say(f"{said}{after_some if done or not after_all else ''}", good=False)
