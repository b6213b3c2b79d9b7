"""Work on a secret that the keyring holds: what IAM and AWS say of its key, forget it."""

import asyncio
from collections.abc import Callable, Sequence

from keytui.core.errors import AwsError, CredentialsError, UnknownKeyError, UnreachableError
from keytui.core.model import Identity, Secret
from keytui.journal.history import place
from keytui.session.context import Context
from keytui.stores.vault import Held, Standing, listed, standing, unasked
from keytui.tui.dialogs.dialogs import ConfirmScreen, TypeScreen
from keytui.tui.services.state import AccountState
from keytui.tui.services.threads import in_thread

AT_ONCE = 4
"""How many users' keys are listed at a time."""

Standings = dict[Held, Standing]


async def check(
    account: AccountState, held: Sequence[Held], ctx: Context, tell: Callable[[Standings], None]
) -> None:
    """Ask IAM which of these keys it still has, a call for each user, and tell as answers come.

    Where AWS can't be reached at all, the rest is not asked about.
    """
    of_user: dict[str, list[Held]] = {}
    for one in held:
        if unasked(one, account.identity) is None:
            of_user.setdefault(one.user, []).append(one)
    slots, silent = asyncio.Semaphore(AT_ONCE), list[AwsError]()

    async def ask(user: str, theirs: list[Held]) -> None:
        async with slots:
            said = silent[0] if silent else await in_thread(lambda: listed(account.iam, user))
        if isinstance(said, UnreachableError | CredentialsError):
            silent.append(said)
        tell({one: standing(one, said, ctx.now()) for one in theirs})

    async with asyncio.TaskGroup() as asking:
        for user, theirs in of_user.items():
            asking.create_task(ask(user, theirs))


async def read(ctx: Context, one: Held) -> Secret:
    """Read a secret. Raises ``NotStoredError``, ``StoreError``."""
    return await in_thread(lambda: ctx.vault.get(one))


async def answer(ctx: Context, one: Held) -> Identity:
    """Ask AWS whose key it is, signing with the secret as the keyring has it.

    Raises:
        NotStoredError: The keyring has it no more.
        StoreError: The keyring can't be read.
        AwsError: AWS refuses the key, or can't be asked.
    """
    try:
        return await in_thread(lambda: ctx.who(one.key_id, ctx.vault.get(one)))
    except UnknownKeyError:
        pass
    raise AwsError(
        f"AWS refuses {one.key_id}.",
        next_step="The key is inactive, deleted or not valid yet; a new one takes some seconds.",
    )


async def forget(ctx: Context, one: Held) -> None:
    """Delete a secret from its keyring; one that is not there any more is only struck off.

    Raises:
        StoreError: It may still be there.
        StateError: It is gone, but keytui can't remember that.
    """
    await in_thread(lambda: ctx.vault.forget(one))


def drop_question(one: Held) -> ConfirmScreen:
    """Ask whether a secret that the keyring has no more is to be struck off the list."""
    return ConfirmScreen(
        f"Drop {one.key_id} from the list?",
        f"{_capital(place(one.locator))} has no secret for it any more.",
        "Keep it in the list if it is in another keyring that is only not open here.",
    )


def forget_question(one: Held, now: Standing) -> ConfirmScreen | TypeScreen:
    """Ask whether a secret is to be deleted; harder unless its key is certainly gone."""
    title, where = f"Forget the secret of {one.key_id}?", place(one.locator)
    if now.gone:
        of_no_use = "IAM has this key no more: its secret is of no use."
        return ConfirmScreen(title, of_no_use, f"Delete it from {where}?")
    return TypeScreen(
        title,
        one.key_id[-4:],
        "the last four characters of its ID",
        f"IAM has this key: it is {now.status.value.lower()}."
        if now.status
        else "keytui does not know whether IAM still has this key.",
        _copies(one),
        f"It is deleted from {where} for good; the key itself stays as it is.",
    )


def _copies(one: Held) -> str:
    if not one.copies:
        return "This is the only copy of its secret that keytui knows of: AWS never shows it again."
    others = " and ".join(place(store) for store in one.copies)
    return f"keytui also put it into {others}; look whether it is still there."


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
