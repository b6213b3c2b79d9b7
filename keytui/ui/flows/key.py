"""Look at one access key, and work on it from there."""

from keytui.dossier import Dossier, dossier
from keytui.errors import StateError
from keytui.model import AccessKey
from keytui.parts import Parts
from keytui.ui.flows.delete import delete
from keytui.ui.flows.rotate import rotate
from keytui.ui.flows.stage import Stage
from keytui.ui.flows.status import activate, deactivate
from keytui.ui.screens.key import Answer, Here, KeyScreen, Known
from keytui.ui.threads import in_thread


async def show_key(stage: Stage, key: AccessKey) -> None:
    """Show all that is known of a key until it is left."""
    account = stage.account
    siblings = account.inventory.keys_of(key.user)
    if siblings is None:
        return
    own = await in_thread(account.iam.signing_key_id)
    parts = stage.parts
    known = Known(key, siblings, own == key.id, parts.now(), parts.settings.limits)
    match await stage.ask(KeyScreen(known, lambda: _look_here(parts, key.id))):
        case Answer.DEACTIVATE:
            await deactivate(stage, key)
        case Answer.ACTIVATE:
            await activate(stage, key)
        case Answer.DELETE:
            await delete(stage, key)
        case Answer.ROTATE:
            await rotate(stage, key)
        case None:
            return


def _look_here(parts: Parts, key_id: str) -> Here:
    record, problem = Dossier(), None
    try:
        record = dossier(parts.journal.entries(), key_id)
    except StateError as error:
        problem = error
    return Here(parts.uses_here(key_id), record, problem)
