"""A rotation on the screen: what a user sees, and what AWS, the keyring and the files have."""

from pathlib import Path

import pytest

from keytui.errors import StoreError, UnknownKeyError
from keytui.model import Identity, KeyStatus, LastUsed, Secret
from keytui.stores.aws_profile import AwsFiles
from keytui.ui.screens.delete import DeleteScreen
from keytui.ui.screens.dialogs import ConfirmScreen
from keytui.ui.screens.orphan import OrphanScreen
from keytui.ui.screens.reveal import RevealScreen
from keytui.ui.screens.rotate import RepointScreen, RotateScreen, TwoKeysScreen
from keytui.ui.screens.rotation import RotationScreen
from tests.support.app import BOB_ID, OWN_ID, Desk, opened
from tests.support.fake_iam import ACCOUNT, START


@pytest.fixture
def desk(desk: Desk, tmp_path: Path) -> Desk:
    """bob has one key, which a profile here uses, and AWS knows whose a key is."""
    folder = tmp_path / ".aws"
    folder.mkdir()
    secret = desk.iam.secrets[BOB_ID].reveal()
    (folder / "credentials").write_text(
        f"# bob's own\n[bob]\naws_access_key_id = {BOB_ID}\naws_secret_access_key = {secret}\n"
    )
    desk.aws_files = AwsFiles({}, tmp_path)
    desk.who = lambda key_id, secret: whose(desk, key_id, secret)
    return desk


def whose(desk: Desk, key_id: str, secret: Secret) -> Identity:
    user = desk.iam.owner_of(key_id)
    assert secret.matches(desk.iam.secrets[key_id])
    return Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/{user.name}")


def credentials(desk: Desk) -> str:
    return desk.aws_files.credentials.read_text()


async def begin(desk: Desk) -> None:
    await desk.press("R")
    await desk.on(RotateScreen)
    await desk.sees("can be written")
    await desk.press("enter")


def new_id(desk: Desk) -> str:
    return next(key_id for key_id in desk.held("bob") if key_id != BOB_ID)


async def test_a_rotation_from_first_to_last(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await begin(desk)
        await desk.on(RepointScreen)
        await desk.sees("profile bob", f"- aws_access_key_id = {BOB_ID}", "+ credential_process")
        assert desk.iam.secrets[new_id(desk)].reveal() not in desk.text
        await desk.press("enter")
        await desk.sees("bob uses", "was not used since")
        new = new_id(desk)
        assert desk.keyring.kept[new].matches(desk.iam.secrets[new])
        assert f"credentials {new}" in credentials(desk)
        assert credentials(desk).startswith("# bob's own\n[bob]\n")
        assert desk.held("bob") == {BOB_ID: KeyStatus.ACTIVE, new: KeyStatus.ACTIVE}

        await desk.press("enter")  # bob's key was used three hours ago.
        await desk.on(ConfirmScreen)
        await desk.press("y")
        await desk.sees(f"{BOB_ID} is inactive")
        assert desk.held("bob")[BOB_ID] is KeyStatus.INACTIVE

        await desk.press("enter")
        await desk.on(DeleteScreen)
        await desk.write(BOB_ID[-4:])
        await desk.press("enter")
        await desk.sees("has taken the place of")
        assert desk.held("bob") == {new: KeyStatus.ACTIVE}
        assert not list(desk.aws_files.credentials.parent.glob("*.bak"))
        await desk.press("escape")
        await desk.on_main()
        assert not desk.app.main.account.rotations


async def test_left_at_the_watch_and_taken_up_again(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await begin(desk)
        await desk.on(RepointScreen)
        await desk.press("n")
        await desk.sees("left as they are")
        await desk.press("escape")
        await desk.on_main()
        await desk.sees("Rotation of bob: step 6 of 8: R")
    async with opened(desk, user="bob"):
        await desk.sees("Rotation of bob: step 6 of 8: R")
        await desk.press("R")
        await desk.on(RotationScreen)
        await desk.sees("Enter then makes the old key inactive")


async def test_rolled_back_after_the_old_key_was_made_inactive(desk: Desk) -> None:
    before = credentials(desk)
    async with opened(desk, user="bob"):
        await begin(desk)
        await desk.on(RepointScreen)
        await desk.press("enter")
        await desk.sees("bob uses")
        await desk.press("enter")
        await desk.on(ConfirmScreen)
        await desk.press("y")
        await desk.sees(f"{BOB_ID} is inactive")
        new = new_id(desk)

        await desk.press("b")
        await desk.on(ConfirmScreen)
        await desk.sees("is made active again", "is deleted")
        await desk.press("y")
        await desk.sees("Rolled back")

    assert desk.held("bob") == {BOB_ID: KeyStatus.ACTIVE}
    assert credentials(desk) == before
    assert new not in desk.keyring.kept


async def test_an_old_key_that_is_still_used_is_told(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await begin(desk)
        await desk.on(RepointScreen)
        await desk.press("enter")
        await desk.sees("was not used since")
        desk.iam._uses[BOB_ID] = LastUsed(START.replace(hour=10), "ec2", "eu-north-1")
        await desk.press("r")
        await desk.sees("something else still has it", "ec2 in eu-north-1")


async def test_aws_does_not_accept_the_new_key_yet(desk: Desk) -> None:
    answers = [True, False, True, True]

    def flaps(key_id: str, secret: Secret) -> Identity:
        if answers and not answers.pop(0):
            raise UnknownKeyError("AWS does not accept the key.")
        return whose(desk, key_id, secret)

    desk.who = flaps
    async with opened(desk, user="bob"):
        await begin(desk)
        await desk.on(RepointScreen)

    assert not answers


async def test_a_keyring_that_fails_leaves_the_secret_in_the_reveal(desk: Desk) -> None:
    desk.keyring.fails_at_put = StoreError("The keyring is full.")
    async with opened(desk, user="bob"):
        await begin(desk)
        await desk.on(RevealScreen)
        desk.keyring.fails_at_put = None
        await desk.press("k")
        await desk.sees("read back")
        await desk.press("escape")
        await desk.on(RepointScreen)


async def test_what_became_of_a_lost_creation_is_told_on_the_rotations_screen(desk: Desk) -> None:
    desk.iam.lose_reply = True
    async with opened(desk, user="bob"):
        await begin(desk)
        await desk.on(OrphanScreen)
        await desk.press("n")
        await desk.on(RotationScreen)
        await desk.sees(
            "its secret did not arrive", "The old key is as it was.", "Enter looks again"
        )
        desk.iam.lose_reply = False
        await desk.press("enter")
        await desk.on(OrphanScreen)
        await desk.press("enter")
        await desk.sees("Enter creates the new key")

    assert desk.held("bob") == {BOB_ID: KeyStatus.ACTIVE}


async def test_two_keys_are_shown_and_none_is_chosen(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("down", "R")
        await desk.on(TwoKeysScreen)
        await desk.sees("could go: it is inactive already")
        await desk.press("enter")
        await desk.on(DeleteScreen)

    assert len(desk.held("alice")) == 2


async def test_ones_own_key_hands_over_to_the_new_one(desk: Desk) -> None:
    async with opened(desk, user="admin"):
        await desk.press("R")
        await desk.on(RotateScreen)
        await desk.sees("It signs keytui's own calls", "can be written")
        await desk.press("enter")
        await desk.on(RotationScreen)
        await desk.sees("No AWS profile on this machine")
        new = next(key_id for key_id in desk.held("admin") if key_id != OWN_ID)
        assert desk.iam.signing_key_id() == new
        await desk.press("enter")
        await desk.sees(f"{OWN_ID} is inactive")
    assert desk.held("admin")[OWN_ID] is KeyStatus.INACTIVE


async def test_read_only_refuses(desk: Desk) -> None:
    async with opened(desk, user="bob", read_only=True):
        await desk.press("R")
        await desk.sees("read-only mode")


async def test_on_a_small_terminal(desk: Desk) -> None:
    async with opened(desk, user="bob", size=(60, 20)):
        await begin(desk)
        await desk.on(RepointScreen)
        await desk.press("enter")
        await desk.sees("8 delete the old key", "esc Back")
