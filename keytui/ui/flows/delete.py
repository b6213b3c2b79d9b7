"""Delete a key, the way the console does: inactive first."""

from keytui.model import AccessKey, KeyStatus
from keytui.ui.flows.read import reread_user
from keytui.ui.flows.stage import Stage
from keytui.ui.flows.status import deactivate
from keytui.ui.screens.delete import DeleteScreen
from keytui.ui.screens.dialogs import ConfirmScreen
from keytui.ui.threads import in_thread


async def delete(stage: Stage, key: AccessKey) -> None:
    """Delete an inactive key after its last four characters were typed.

    An active key is offered to be made inactive instead.
    """
    stage.account.lifecycle.require_writable()
    if key.status is KeyStatus.DELETED:
        stage.say(f"{key.id} is deleted already.", good=False)
        return
    if key.status is KeyStatus.ACTIVE:
        offer = ConfirmScreen(
            f"{key.id} is active",
            "An active key can't be deleted. Make it inactive first, and see that nothing breaks.",
            "Make it inactive now?",
        )
        if await stage.ask(offer):
            await deactivate(stage, key)
        return
    here = await in_thread(lambda: stage.parts.uses_here(key.id))
    if not await stage.ask(DeleteScreen(key, stage.parts.now(), here)):
        stage.say(f"{key.id} was not deleted.", good=False)
        return
    await _delete(stage, key)


async def _delete(stage: Stage, key: AccessKey) -> None:
    account = stage.account
    account.pending[key.id] = KeyStatus.DELETED
    stage.no_more_questions()
    stage.draw_keys()
    try:
        change = await in_thread(lambda: account.lifecycle.delete(key))
        account.apply(change)
    finally:
        account.pending.pop(key.id, None)
        stage.draw_keys()
    stage.say(f"{key.id} is deleted. It stays in the listing; . hides it.")
    if change.problem:
        stage.problem(change.problem)
    await reread_user(stage, account, key.user)
