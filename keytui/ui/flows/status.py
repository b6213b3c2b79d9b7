"""Make a key active or inactive, and undo it."""

from keytui.errors import KeytuiError
from keytui.model import AccessKey, KeyStatus
from keytui.outcomes import Concern, Dependence
from keytui.ui.flows.read import reread_user
from keytui.ui.flows.stage import Stage
from keytui.ui.screens.dialogs import ConfirmScreen, TypeScreen
from keytui.ui.threads import in_thread


async def deactivate(stage: Stage, key: AccessKey) -> None:
    """Make a key inactive; one that something depends on is asked about first."""
    stage.account.lifecycle.require_writable()
    if key.status is not KeyStatus.ACTIVE:
        stage.say(f"{key.id} is {key.status.value.lower()} already.", good=False)
        return
    await _deactivate(stage, key)


async def activate(stage: Stage, key: AccessKey) -> None:
    """Make a key active."""
    stage.account.lifecycle.require_writable()
    if key.status is not KeyStatus.INACTIVE:
        reason = f"{key.id} is {key.status.value.lower()}; only an inactive key can be made active."
        stage.say(reason, good=False)
        return
    await _change(stage, key, KeyStatus.ACTIVE)


async def undo(stage: Stage) -> None:
    """Take back the last change of status that this run has made, or the last batch of them."""
    stage.account.lifecycle.require_writable()
    changes = stage.account.changes
    if not changes:
        stage.say("There is no change of status to undo.", good=False)
        return
    batch = changes[-1]
    if any(change.key.id in stage.account.pending for change in batch):
        return
    if len(batch) > 1:
        from keytui.ui.flows.bulk import undo_batch  # Not needed on the way to the first frame.

        await undo_batch(stage, batch)
        return
    key = batch[0].key
    if key.status is KeyStatus.INACTIVE:
        await _deactivate(stage, key, undoing=True)
    else:
        await _change(stage, key, key.status, undoing=True)


async def _deactivate(stage: Stage, key: AccessKey, *, undoing: bool = False) -> None:
    stage.say(f"Checking what depends on {key.id}…", good=False)
    found = await in_thread(lambda: stage.account.lifecycle.dependence(key))
    stage.say("")
    if found.concern and not await _sure(stage, key, found, undoing=undoing):
        return
    own = found.concern is Concern.OWN_KEY
    await _change(stage, key, KeyStatus.INACTIVE, undoing=undoing, own=own)


async def _sure(stage: Stage, key: AccessKey, found: Dependence, *, undoing: bool) -> bool:
    title = f"Make {key.id} inactive?"
    if found.concern is not Concern.OWN_KEY:
        undo_hint = f"{'a' if undoing else 'u'} makes it active again."
        return await stage.ask(ConfirmScreen(title, *found.reasons, undo_hint))
    what = "the last four characters of its ID"
    return await stage.ask(TypeScreen(title, key.id[-4:], what, *found.reasons))


async def _change(
    stage: Stage, key: AccessKey, status: KeyStatus, *, undoing: bool = False, own: bool = False
) -> None:
    account = stage.account
    account.pending[key.id] = status
    stage.no_more_questions()
    stage.draw_keys()
    try:
        change = await in_thread(lambda: account.lifecycle.set_status(key, status, undoing=undoing))
        account.apply(change, undoing=undoing)
    finally:
        account.pending.pop(key.id, None)
        stage.draw_keys()
    word = status.value.lower()
    if own:
        stage.say(f"{key.id} is {word}. keytui's own calls stop now: P picks another profile.")
    elif change.listed:
        stage.say(f"{key.id} is {word}." + ("" if undoing else " u undoes it."))
    else:
        stage.say(f"AWS took the change, but does not list {key.id} as {word} yet.", good=False)
    if change.problem:
        stage.problem(_done_but(change.problem))
    if not own:
        await reread_user(stage, account, key.user)


def _done_but(problem: KeytuiError) -> KeytuiError:
    return KeytuiError(problem.title, "The change itself was made.", problem.next_step)
