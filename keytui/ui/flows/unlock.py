"""Unlock the keyring from within the screen."""

from keytui.errors import StoreError
from keytui.stores.base import Keyring
from keytui.ui.flows.stage import Stage
from keytui.ui.screens.unlock import UnlockScreen, can_unlock
from keytui.ui.threads import in_thread


async def unlock(stage: Stage, keyring: Keyring) -> None:
    """Ask for the keyring's password, and say what came of it.

    Raises:
        StoreError: The keyring can't be unlocked from here.
    """
    probe = await in_thread(lambda: keyring.probe(canary=False))
    if probe.writable:
        stage.say(f"{probe.label} is open.")
    elif not can_unlock(probe):
        raise StoreError(probe.reason, next_step=probe.next_step)
    elif await stage.ask(UnlockScreen(keyring, probe)):
        stage.say(f"{probe.label} is open now.")
