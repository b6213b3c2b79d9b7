"""Unlock the keyring from within the screen."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from keytui.errors import StoreError, StoreLockedError
from keytui.stores.base import Keyring, Mend, Probe
from keytui.ui.flows.stage import Stage
from keytui.ui.screens.unlock import UnlockScreen
from keytui.ui.threads import in_thread

T = TypeVar("T")


async def unlock(stage: Stage, keyring: Keyring) -> None:
    """Ask for the keyring's password, and say what came of it.

    Raises:
        StoreError: The keyring can't be unlocked from here.
        ReadOnlyError: There is none yet, and in read-only mode none is made.
    """
    probe = await in_thread(lambda: keyring.probe(canary=False))
    if probe.writable:
        stage.say(f"{probe.label} is open.")
    elif not probe.can_be_unlocked:
        raise StoreError(probe.reason, next_step=probe.next_step)
    elif await stage.ask(_dialog(stage, keyring, probe)):
        stage.say(f"{probe.label} is open now.")


async def when_open(stage: Stage, keyring: Keyring, work: Callable[[], Awaitable[T]]) -> T:
    """Do a piece of work on the keyring; where that is locked, ask for its password first.

    Raises:
        StoreLockedError: It stays locked.
        KeytuiError: As the work does.
    """
    try:
        return await work()
    except StoreLockedError as error:
        locked = error
    probe = await in_thread(lambda: keyring.probe(canary=False))
    if not probe.writable:
        if not probe.can_be_unlocked:
            raise locked
        if not await stage.ask(_dialog(stage, keyring, probe), unforeseen=True):
            again = "The same key asks for its password again."
            raise StoreLockedError(locked.title, locked.safe, again)
    return await work()


def _dialog(stage: Stage, keyring: Keyring, probe: Probe) -> UnlockScreen:
    if probe.mend is Mend.MAKE:
        stage.parts.settings.gate.require_writable()
    return UnlockScreen(keyring, probe)
