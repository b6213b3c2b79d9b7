"""Look at the secrets that the keyring holds, and work on them."""

from keytui.errors import KeytuiError
from keytui.ui.account import Account
from keytui.ui.flows.stage import Stage
from keytui.ui.screens.vault import VaultScreen
from keytui.ui.threads import in_thread


async def show_vault(stage: Stage) -> None:
    """Show the vault until it is left; it is local, so AWS need not be there."""
    held = await in_thread(stage.parts.vault.held)
    await stage.ask(VaultScreen(stage, held, _account(stage)))


def _account(stage: Stage) -> Account | None:
    try:
        return stage.account
    except KeytuiError:
        return None
