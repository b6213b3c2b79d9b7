"""Rotate a key: begin, or take up the rotation that it is part of."""

from functools import partial

from keytui.errors import KeytuiError
from keytui.lifecycle import QUOTA
from keytui.model import AccessKey, KeyStatus
from keytui.rotation.rotator import Rotator
from keytui.rotation.state import Rotation
from keytui.stores.aws_files.repoint import RepointChange
from keytui.stores.base import SecretStore
from keytui.ui.account import complete_keys, read_keys
from keytui.ui.flows import delete
from keytui.ui.flows import rotation as rotation_keys
from keytui.ui.flows.read import reread_user
from keytui.ui.flows.stage import Stage
from keytui.ui.screens.rotate import RotateChoice, RotateScreen, TwoKeysScreen
from keytui.ui.screens.rotation import RotationScreen
from keytui.ui.threads import in_thread

Rotations = Rotator[RepointChange]


async def rotate(stage: Stage, key: AccessKey) -> None:
    """Begin the rotation of a key, or take up the one it is part of; show it until it is left."""
    account = stage.account
    account.lifecycle.require_writable()
    rotator = stage.parts.rotator(account.iam, account.lifecycle)
    found = await in_thread(lambda: rotator.of_key(key.id))
    rotation = await (_take_up(rotator, found) if found else _begin(stage, rotator, key))
    if rotation is None:
        return
    try:
        await _show(stage, rotator, rotation, begin=not found)
    finally:
        await in_thread(lambda: rotator.release(rotation))
    await reread_user(stage, account, key.user)


async def _take_up(rotator: Rotations, rotation: Rotation) -> Rotation:
    if not await in_thread(lambda: rotator.claim(rotation)):
        raise KeytuiError("Another keytui is at work on this rotation.", "Nothing was changed.")
    # Read after the claim: whoever had it before may have gone on.
    return await in_thread(lambda: rotator.again(rotation))


async def _show(stage: Stage, rotator: Rotations, rotation: Rotation, *, begin: bool) -> None:
    problems = await in_thread(lambda: rotator.end_if_gone(rotation))
    if problems is not None:
        said = f"{rotation.old_id} is deleted: its rotation has ended."
        stage.say(" ".join([said, *map(str, problems)]), good=not problems)
        return
    verbs = {
        "next": partial(rotation_keys.go_on, stage),
        "back": partial(rotation_keys.roll_back, stage),
        "leave": partial(rotation_keys.leave, stage),
    }
    await stage.ask(RotationScreen(rotation, rotator, stage.parts, verbs, begin=begin))
    stage.no_more_questions()


async def _begin(stage: Stage, rotator: Rotations, key: AccessKey) -> Rotation | None:
    account, parts = stage.account, stage.parts
    if key.status is not KeyStatus.ACTIVE:
        raise KeytuiError(
            f"{key.id} is {key.status.value.lower()}: only an active key is rotated.",
            "Nothing was changed.",
        )
    known = await in_thread(lambda: read_keys(account, parts, key.user))
    if len(known.keys) >= QUOTA:
        await _make_room(stage, key)
        return None
    own = key.id == account.iam.signing_key_id()
    here = await in_thread(lambda: parts.uses_here(key.id))
    choice = await stage.ask(RotateScreen(key, here, own, parts))
    if choice is None:
        return None
    store = _store(stage, choice)
    return await in_thread(lambda: rotator.begin(key, store))


async def _make_room(stage: Stage, key: AccessKey) -> None:
    """Let the user say which of two keys goes; it goes the usual way, with its questions."""
    account, parts = stage.account, stage.parts

    def read() -> tuple[AccessKey, ...]:
        return complete_keys(account, read_keys(account, parts, key.user), key.user).keys

    keys = await in_thread(read)
    going = await stage.ask(TwoKeysScreen(keys, parts.now(), parts.settings.limits))
    if going is not None:
        await delete.delete(stage, going)


def _store(stage: Stage, choice: RotateChoice) -> SecretStore:
    return stage.parts.csv_file(choice.path) if choice.path else stage.parts.keyring
