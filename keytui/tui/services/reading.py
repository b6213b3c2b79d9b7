"""Connect, and read the account: users page by page, then the keys of the one looked at."""

import asyncio
from contextlib import suppress
from dataclasses import replace

from keytui.core.errors import AccessDeniedError, KeytuiError, StateError
from keytui.core.model import ROOT_USER, User
from keytui.core.parallel import Prefetched
from keytui.core.waiting import Keys
from keytui.journal.rotations import Rotation, left_over, open_rotations
from keytui.session.account import complete_keys, read_keys
from keytui.session.inventory import Inventory, KeyList
from keytui.tui.services.stage import Stage
from keytui.tui.services.state import AccountState
from keytui.tui.services.threads import in_thread, look_at

SOON_SECONDS = 0.15
"""How long the keys shown may be those of the user before."""


async def open_account(stage: Stage, *, ahead: bool = False) -> AccountState:
    """Connect and show who acts. Raises ``KeytuiError``; see ``Connection.open``."""
    connection, view = stage.connection, stage.view
    connection.begin()
    view.draw_connecting()
    another, strange = await connection.open(ahead=ahead)
    if strange:
        view.clear_users()
        stage.say(f"The users last seen were of another account, {strange}.", good=False)
    view.draw_connected(another=another or bool(strange))
    return stage.account


async def read_users(stage: Stage, account: AccountState) -> None:
    """Read all users and show them as their pages arrive.

    Where a whole list is shown already, it stays until all of the new one is here. Where
    listing is denied, the caller's own user stands alone.
    """
    known, fresh = account.inventory, Inventory()
    fresh.keys, fresh.key_ids = known.keys, known.key_ids
    fresh.asked = known.asked = True
    if not known.users:
        account.inventory = fresh
    growing = [fresh] if known.all_read or not known.users else [fresh, known]
    stage.view.draw_users()
    if account.identity.is_root:
        fresh.add([ROOT_USER])
    pages, account.pages = account.pages or Prefetched(account.iam.users()), None
    denied = ""
    try:
        while (page := await in_thread(pages.next)) is not None:
            for inventory in growing:
                inventory.add(page)
            stage.view.draw_users()
    except AccessDeniedError as error:
        if not known.last_seen_at:
            fresh.add(known.users)
        denied = _only_own_user(account, fresh, error)
    fresh.all_read = True
    account.inventory = fresh
    stage.view.draw_users()
    if denied:
        stage.say(denied, good=False)


def _only_own_user(account: AccountState, inventory: Inventory, error: AccessDeniedError) -> str:
    """Add the caller's own user; return what is said of it. Raises KeytuiError for nobody."""
    denied = f"You may not list users (it takes {error.action})"
    if own := account.identity.user_name:
        inventory.add([User(own)])
        return f"{denied}: this is your own."
    if inventory.users:
        return f"{denied}."
    raise KeytuiError(
        f"{denied}, and you are no IAM user.",
        next_step="Start keytui with --user NAME to open one by name.",
    )


async def open_user(stage: Stage, name: str) -> None:
    """Find a user by name, add them to the list and go to them; say why where that fails."""
    account = stage.account
    try:
        user = await in_thread(lambda: account.iam.user(name))
    except AccessDeniedError:
        user = User(name)
    except KeytuiError as error:
        stage.problem(error)
        return
    account.inventory.add([user])
    stage.view.draw_users(user)
    stage.view.action_to_keys()


async def read_user(stage: Stage, user: User) -> None:
    """Read a user's keys and draw them.

    Where AWS is quick they are drawn once, whole; where it is slow, the statuses first.
    """
    account = stage.account
    known = account.inventory.keys_of(user)
    reading = asyncio.ensure_future(in_thread(lambda: read_keys(account, stage.ctx, user)))
    if not await _soon(reading):
        stage.view.draw_keys()
    fresh = await reading
    if account.inventory.keys_of(user) is not known:  # A key was changed: this may be older.
        await read_user(stage, user)
        return
    shown = _with_known(fresh, known)
    account.inventory.set_keys(user, shown)
    completing = asyncio.ensure_future(in_thread(lambda: complete_keys(account, fresh, user)))
    if not await _soon(completing):
        stage.view.draw_keys()
    _take_in(account, user, shown, await completing)
    stage.view.draw_keys()


async def complete_user(stage: Stage, user: User) -> None:
    """Read what else there is to keys that are listed already: last use and descriptions."""
    account = stage.account
    if known := account.inventory.keys_of(user):
        whole = await in_thread(lambda: complete_keys(account, known, user))
        _take_in(account, user, known, whole)
        stage.view.draw_keys()


def _take_in(account: AccountState, user: User, before: KeyList, whole: KeyList) -> None:
    """Take in what was read, unless a key was changed meanwhile: then it is read again."""
    if account.inventory.keys_of(user) is before:
        account.inventory.set_keys(user, whole)


async def look_at_rotations(stage: Stage) -> None:
    """Read which rotations of this account are open, and show that.

    Those whose old key was deleted by other means are ended, and cleared away after.
    """
    account, ctx = stage.account, stage.ctx
    name = account.identity.account

    def read() -> tuple[Rotation, ...]:
        entries = ctx.journal.entries()
        if left_over(entries, name):
            ctx.rotator(account.iam, account.lifecycle).tidy()
            entries = ctx.journal.entries()
        return open_rotations(entries, name)

    account.rotations = await in_thread(read)
    stage.view.draw_unfinished()


async def reread_user(
    stage: Stage, account: AccountState, user: User, listed: Keys | None = None
) -> None:
    """Read a user's keys after a change; what is said of the change stays as it is.

    Args:
        stage: The screen.
        account: The account the change was made in.
        user: Whose keys.
        listed: The keys in the listing that showed the change: where it has nothing new beside
            that, AWS is not asked again. A user without any may be gone: AWS is asked.
    """
    if stage.account is not account:
        return
    known = account.inventory.keys_of(user)
    try:
        if known and listed and (now := known.with_listing(listed)):
            account.inventory.set_keys(user, now)
            stage.view.draw_keys()
        else:
            await read_user(stage, user)
    except KeytuiError as error:
        stage.view.not_read(user, KeytuiError(error.title, next_step=error.next_step))
    with suppress(StateError):  # What was said of the change matters more.
        await look_at_rotations(stage)


async def _soon(task: asyncio.Future[KeyList]) -> bool:
    """Wait a moment for a task; return whether it has ended."""
    task.add_done_callback(look_at)
    done, _ = await asyncio.wait([task], timeout=SOON_SECONDS)
    return bool(done)


def _with_known(fresh: KeyList, known: KeyList | None) -> KeyList:
    """Keep last use and description on the screen while they are read again."""
    old = {key.id: key for key in known.keys} if known else {}
    keys = tuple(
        replace(key, last_used=old[key.id].last_used, description=old[key.id].description)
        if key.id in old
        else key
        for key in fresh.keys
    )
    return replace(fresh, keys=keys)
