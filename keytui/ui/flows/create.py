"""Create a key and see its secret safe."""

from collections.abc import Callable

from keytui.errors import KeytuiError
from keytui.lifecycle import QUOTA, quota_reached
from keytui.model import User
from keytui.outcomes import Custody, UnansweredError
from keytui.parts import Parts
from keytui.stores.base import SecretStore
from keytui.ui.account import Account, read_keys
from keytui.ui.flows import recover
from keytui.ui.flows.read import reread_user
from keytui.ui.flows.stage import Stage
from keytui.ui.screens.create import CreateChoice, CreateScreen, Goal
from keytui.ui.screens.dialogs import ConfirmScreen, WorkingScreen
from keytui.ui.screens.reveal import Closing, RevealScreen
from keytui.ui.text import place
from keytui.ui.threads import in_thread


async def create(stage: Stage, user: User) -> None:
    """Ask how, create the key, reveal it once; a discarded one is offered to be deleted."""
    account, parts = stage.account, stage.parts
    account.lifecycle.require_writable()
    await _check_quota(account, parts, user)
    known = account.inventory.keys_of(user)
    choice = await stage.ask(CreateScreen(user, len(known.keys) if known else None, parts))
    if choice is None:
        return
    try:
        custody = await _create(stage, user, choice)
    except UnansweredError as lost:
        await recover.look_into(stage, lost.attempt)
        return
    await reveal(stage, custody)
    await reread_user(stage, account, user)


async def reveal(stage: Stage, custody: Custody) -> None:
    """Show a new secret until it is kept or discarded."""
    lifecycle = stage.account.lifecycle
    closing = await stage.ask(RevealScreen(custody, lifecycle, stage.parts))
    # Where the terminal goes away meanwhile, the secret stays in custody and is rescued.
    try:
        await _closed(stage, custody, closing)
    except KeytuiError as error:
        stage.problem(error)
    lifecycle.let_go(custody)
    stage.release_custody()
    stage.no_more_questions()


async def _closed(stage: Stage, custody: Custody, closing: Closing) -> None:
    """Say where the secret is; offer to delete a key whose secret is nowhere."""
    key_id, lifecycle = custody.new.key.id, stage.account.lifecycle
    if closing is Closing.KEPT:
        where = " and in ".join(place(receipt) for receipt in custody.receipts)
        stage.say(f"{key_id} is active; its secret is in {where}.")
        return
    stage.say(f"{key_id} is active, and keytui keeps its secret nowhere.", good=False)
    offer = ConfirmScreen(
        f"Delete {key_id}?",
        "Its secret is kept nowhere. Unless you wrote it down, nobody can ever use this key.",
        "Delete the key?",
    )
    if await stage.ask(offer):
        stage.no_more_questions()
        await in_thread(lambda: lifecycle.discard(custody))
        stage.say(f"{key_id} is deleted.")
    else:
        await in_thread(lambda: lifecycle.leave(custody))


async def _check_quota(account: Account, parts: Parts, user: User) -> None:
    """Stop before the dialog where the listing shows a full quota; AWS is asked once more."""
    known = account.inventory.keys_of(user)
    if known and len(known.keys) >= QUOTA:
        now = await in_thread(lambda: read_keys(account, parts, user))
        if len(now.keys) >= QUOTA:
            raise quota_reached(user, known.keys if known.complete else now.keys)
        account.inventory.set_keys(user, now)


async def _create(stage: Stage, user: User, choice: CreateChoice) -> Custody:
    lifecycle, store = stage.account.lifecycle, _store(stage, choice)

    def work(progress: Callable[[str], None]) -> Custody:
        with stage.creating:
            return lifecycle.create(user, store, choice.description, progress, stage.take_custody)

    result = await stage.ask(
        WorkingScreen[Custody](
            f"Creating a key for {user.name}",
            work,
            "Please wait: the secret comes with AWS's reply, and only once.",
        )
    )
    if isinstance(result, UnansweredError):
        raise result
    if isinstance(result, KeytuiError):
        stage.no_more_questions()
        await reread_user(stage, stage.account, user)
        raise result
    return result


def _store(stage: Stage, choice: CreateChoice) -> SecretStore | None:
    match choice.goal:
        case Goal.KEYRING:
            return stage.parts.keyring
        case Goal.CSV:
            return stage.parts.csv_file(choice.path)
        case Goal.SHOW:
            return None
