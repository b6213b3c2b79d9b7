"""Make a key active or inactive, and undo it."""

from collections.abc import Callable
from functools import partial

from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, KeyStatus
from keytui.keys.outcomes import ChangedSinceError, Concern, Dependence, StatusChange
from keytui.tui.dialogs.dialogs import ConfirmScreen, TypeScreen
from keytui.tui.services.reading import reread_user
from keytui.tui.services.stage import Stage
from keytui.tui.services.threads import in_thread

Work = Callable[[], StatusChange]


async def deactivate(stage: Stage, key: AccessKey) -> None:
    """Make a key inactive; one that something depends on is asked about first."""
    stage.account.lifecycle.require_writable()
    if key.status is not KeyStatus.ACTIVE:
        stage.say(f"{key.id} is {key.status.value.lower()} already.", good=False)
        return
    lifecycle = stage.account.lifecycle
    await _deactivate(stage, key, partial(lifecycle.set_status, key, KeyStatus.INACTIVE))


async def activate(stage: Stage, key: AccessKey) -> None:
    """Make a key active."""
    stage.account.lifecycle.require_writable()
    if key.status is not KeyStatus.INACTIVE:
        reason = f"{key.id} is {key.status.value.lower()}; only an inactive key can be made active."
        stage.say(reason, good=False)
        return
    lifecycle = stage.account.lifecycle
    work = partial(lifecycle.set_status, key, KeyStatus.ACTIVE)
    await _change(stage, key, KeyStatus.ACTIVE, work)


async def undo(stage: Stage) -> None:
    """Take back the last change of status that this run has made, or the last batch of them."""
    stage.account.lifecycle.require_writable()
    account = stage.account
    if not account.changes:
        stage.say("There is no change of status to undo.", good=False)
        return
    batch = account.changes[-1]
    if any(change.key.id in account.pending for change in batch):
        return
    if len(batch) > 1:
        from keytui.tui.keys.bulk import undo_batch  # Not needed on the way to the first frame.

        await undo_batch(stage, batch)
        return
    (change,) = batch
    try:
        await _undo(stage, change)
    except ChangedSinceError:
        account.drop_undo({change.key.id})
        await reread_user(stage, account, change.key.user)
        raise


async def _undo(stage: Stage, change: StatusChange) -> None:
    key = change.key
    work = partial(stage.account.lifecycle.undo, change)
    if key.status is KeyStatus.INACTIVE:
        await _deactivate(stage, key, work, undoing=True)
    else:
        await _change(stage, key, key.status, work, undoing=True)


async def _deactivate(stage: Stage, key: AccessKey, work: Work, *, undoing: bool = False) -> None:
    stage.say(f"Checking what depends on {key.id}…", good=False)
    found = await in_thread(lambda: stage.account.lifecycle.dependence(key))
    stage.say("")
    if found.concern and not await _sure(stage, key, found, undoing=undoing):
        return
    own = found.concern is Concern.OWN_KEY
    await _change(stage, key, KeyStatus.INACTIVE, work, undoing=undoing, own=own)


async def _sure(stage: Stage, key: AccessKey, found: Dependence, *, undoing: bool) -> bool:
    title = f"Make {key.id} inactive?"
    if found.concern is not Concern.OWN_KEY:
        undo_hint = f"{'a' if undoing else 'u'} makes it active again."
        return await stage.ask(ConfirmScreen(title, *found.reasons, undo_hint))
    what = "the last four characters of its ID"
    return await stage.ask(TypeScreen(title, key.id[-4:], what, *found.reasons))


async def _change(
    stage: Stage,
    key: AccessKey,
    status: KeyStatus,
    work: Work,
    *,
    undoing: bool = False,
    own: bool = False,
) -> None:
    account = stage.account
    account.pending[key.id] = status
    stage.no_more_questions()
    stage.draw_keys()
    try:
        change = await in_thread(work)
        account.apply(change, undoing=undoing)
    finally:
        account.pending.pop(key.id, None)
        stage.draw_keys()
    stage.say(_said(change, undoing=undoing, own=own), good=change.listed)
    if change.problem:
        stage.problem(_done_but(change.problem))
    if not own:
        await reread_user(stage, account, key.user)


def _said(change: StatusChange, *, undoing: bool, own: bool) -> str:
    key_id, word = change.key.id, change.status.value.lower()
    if own:
        return f"{key_id} is {word}. keytui's own calls stop now: P picks another profile."
    if not change.made:
        return f"{key_id} was {word} already; there is nothing to undo."
    if not change.listed:
        return f"AWS took the change, but does not list {key_id} as {word} yet."
    return f"{key_id} is {word}." + (" u undoes it." if change.undoable and not undoing else "")


def _done_but(problem: KeytuiError) -> KeytuiError:
    return KeytuiError(problem.title, "The change itself was made.", problem.next_step)
