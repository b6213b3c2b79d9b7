"""Go to an access key by its ID, whoever owns it."""

from keytui.key_ids import IdsInText
from keytui.lookup import find as look_up
from keytui.ui.account import listed_keys
from keytui.ui.flows.stage import Stage
from keytui.ui.threads import in_thread


async def find(stage: Stage, named: IdsInText | None = None) -> None:
    """Go to a key, without reading the account.

    Args:
        stage: The screen.
        named: The IDs known; where there are several, one is chosen. None to ask for a text.

    Raises:
        KeytuiError: It is not to be found, and why.
    """
    account = stage.account
    named = named or await _asked(stage)
    if not (key_id := await _which(stage, named.ids)):
        return
    stage.say(f"Looking for {key_id}…", good=False)
    found = await in_thread(lambda: look_up(account.iam, key_id, stage.parts.wait))
    user = found.key.user
    keys = tuple(found.key if key.id == key_id else key for key in found.keys)
    known = await in_thread(lambda: listed_keys(account, stage.parts, user, keys))
    if user.name not in {other.name for other in account.inventory.users}:
        account.inventory.add([user])
    account.inventory.set_keys(user, known)
    stage.say(named.problem, good=False)
    stage.go_to(found.key)


async def _asked(stage: Stage) -> IdsInText:
    from keytui.ui.screens.find import FindScreen  # Not needed on the way to the first frame.

    return await stage.ask(FindScreen())


async def _which(stage: Stage, key_ids: tuple[str, ...]) -> str | None:
    if len(key_ids) <= 1:
        return key_ids[0] if key_ids else None
    from keytui.ui.screens.dialogs import ChoiceScreen

    return await stage.ask(ChoiceScreen("Which of these keys?", list(key_ids), key_ids[0]))
