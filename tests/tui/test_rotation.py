"""A rotation on the screen: what a user sees, and what AWS, the keyring and the files have."""

from pathlib import Path

import pytest

from keytui.aws.files.profiles import AwsFiles
from keytui.core.errors import StoreError, UnknownKeyError
from keytui.core.model import Identity, KeyStatus, LastUsed, Secret
from keytui.keys.local_use import LocalUse, Place
from keytui.tui.dialogs.dialogs import ConfirmScreen, TypeScreen
from keytui.tui.keys.change import DeleteScreen
from keytui.tui.keys.recover import OrphanScreen
from keytui.tui.keys.reveal import RevealScreen
from keytui.tui.rotation.dialogs import RepointScreen, RotateScreen, TwoKeysScreen
from keytui.tui.rotation.screen import RotationScreen
from tests.support.app import BOB_ID, OWN_ID, Desk, opened
from tests.support.fake_iam import ACCOUNT, START
from tests.support.gates import WRITABLE


@pytest.fixture
def desk(desk: Desk, tmp_path: Path) -> Desk:
    """bob has one key, which a profile here uses, and AWS knows whose a key is."""
    folder = tmp_path / ".aws"
    folder.mkdir()
    secret = desk.iam.secrets[BOB_ID].reveal()
    (folder / "credentials").write_text(
        f"# bob's own\n[bob]\naws_access_key_id = {BOB_ID}\naws_secret_access_key = {secret}\n"
    )
    desk.aws_files = AwsFiles({}, tmp_path, WRITABLE)
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


async def repoint(desk: Desk) -> None:
    await begin(desk)
    await desk.on(RepointScreen)
    await desk.press("enter")
    await desk.sees("bob uses")


async def retire(desk: Desk, key_id: str = BOB_ID) -> None:
    await desk.press("enter")
    await desk.on(ConfirmScreen)
    await desk.press("y")
    await desk.sees(f"{key_id} is inactive")


def new_id(desk: Desk) -> str:
    return next(key_id for key_id in desk.held("bob") if key_id != BOB_ID)


async def test_rotation_from_first_to_last(desk: Desk) -> None:
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

        await retire(desk)
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
        assert not desk.app.main.stage.account.rotations


async def test_static_profiles_are_one_key_away(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await begin(desk)
        await desk.on(RepointScreen)
        await desk.sees("no secret stays in")
        await desk.press("w")
        await desk.sees("They keep a key and its secret in")
        await desk.press("enter")
        await desk.sees("bob uses")

    assert f"aws_access_key_id = {new_id(desk)}" in credentials(desk)
    assert "credential_process" not in credentials(desk)


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
        await retire(desk)
        new = new_id(desk)

        await desk.press("b")
        await desk.on(ConfirmScreen)
        await desk.sees("is made active again", "is deleted")
        await desk.press("y")
        await desk.sees("Rolled back")

    assert desk.held("bob") == {BOB_ID: KeyStatus.ACTIVE}
    assert credentials(desk) == before
    assert new not in desk.keyring.kept


async def test_old_key_that_is_still_used_is_told(desk: Desk) -> None:
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


async def test_where_there_is_no_keyring_it_is_named(desk: Desk) -> None:
    desk.keyring.label = "OS keyring"
    desk.keyring.trouble = StoreError("There is no keyring.", next_step="Install one.")
    async with opened(desk, user="bob", ready=False):
        await desk.sees(BOB_ID)
        await desk.press("R")
        await desk.sees("Its secret goes to OS keyring ✗ can't be used", "Install one.")


async def test_keyring_that_fails_leaves_the_secret_in_the_reveal(desk: Desk) -> None:
    desk.keyring.fails_at_put = StoreError("The keyring is full.")
    async with opened(desk, user="bob"):
        await begin(desk)
        await desk.on(RevealScreen)
        desk.keyring.fails_at_put = None
        await desk.press("k")
        await desk.sees("read back")
        await desk.press("escape")
        await desk.on(RepointScreen)


async def test_lost_key_creation_is_explained_on_the_rotation_screen(desk: Desk) -> None:
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
        await retire(desk, OWN_ID)
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


async def test_question_says_when_the_old_key_was_used_and_by_what(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await repoint(desk)
        await desk.press("enter")
        await desk.on(ConfirmScreen)
        await desk.sees("Last at 2026-01-15 06:00 UTC by ec2 us-east-1")


async def test_doubled_enter_makes_nothing_inactive(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await begin(desk)
        await desk.on(RepointScreen)
        await desk.press("enter", "enter")
        await desk.on(ConfirmScreen)
        await desk.press("enter")
        await desk.on(RotationScreen)
        assert desk.held("bob")[BOB_ID] is KeyStatus.ACTIVE


async def test_roll_back_is_not_cut_short_by_escape(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await repoint(desk)
        await retire(desk)
        gate = desk.iam.hold("iam:UpdateAccessKey")
        await desk.press("b")
        await desk.on(ConfirmScreen)
        await desk.press("y")
        await desk.sees("Activating the old key")
        await desk.press("escape", "ctrl+q")
        assert isinstance(desk.app.screen, RotationScreen)
        gate.set()
        await desk.sees("Rolled back")
        await desk.press("escape")
        await desk.on_main()

    assert desk.held("bob") == {BOB_ID: KeyStatus.ACTIVE}


async def test_record_that_can_not_be_written_is_told(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await repoint(desk)
        desk.journal.path.chmod(0o400)
        desk.journal.path.rename(desk.journal.path.with_suffix(".away"))
        desk.journal.path.mkdir()
        await desk.press("enter")
        await desk.on(ConfirmScreen)
        await desk.press("y")
        await desk.sees("keytui can't")
        assert isinstance(desk.app.screen, RotationScreen)


async def test_old_key_deleted_by_hand_ends_the_rotation(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await repoint(desk)
        await retire(desk)
        await desk.press("escape")
        await desk.on_main()
        assert list(desk.aws_files.credentials.parent.glob("*.bak"))
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.write(BOB_ID[-4:])
        await desk.press("enter")
        await desk.sees(f"{BOB_ID} is deleted")
        await desk.loses("Rotation of bob")
    assert not list(desk.aws_files.credentials.parent.glob("*.bak"))
    async with opened(desk, user="bob"):
        assert not desk.app.main.stage.account.rotations


async def test_new_key_of_an_ended_rotation_is_not_rotated_at_once(desk: Desk) -> None:
    """Keys that were typed to continue the rotation begin no other one."""
    async with opened(desk, user="bob"):
        await repoint(desk)
        await retire(desk)
        await desk.press("escape")
        await desk.on_main()
        desk.iam.remove_key(next(k for k in desk.iam.held(desk.iam.find("bob")) if k.id == BOB_ID))
        await desk.press("r")
        await desk.loses(BOB_ID)
        await desk.press("R", "enter")
        await desk.sees("its rotation has ended")
        await desk.loses("Rotation of bob")

    assert len(desk.held("bob")) == 1


async def test_escape_after_begin_leaves_no_claim(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await desk.press("R")
        await desk.on(RotateScreen)
        await desk.sees("can be written")
        gate = desk.iam.hold("iam:ListAccessKeys")
        await desk.press("enter", "escape")
        gate.set()
        await desk.on(RepointScreen)
        await desk.press("escape")
        await desk.on(RotationScreen)
        await desk.press("escape")
        await desk.on_main()
        await desk.press("R", "R")
        await desk.on(RotationScreen)


async def test_new_key_deleted_by_hand_leaves_the_way_back_only(desk: Desk) -> None:
    before = credentials(desk)
    async with opened(desk, user="bob"):
        await repoint(desk)
        await desk.press("escape")
        await desk.on_main()
        new = next(key for key in desk.iam.held(desk.iam.find("bob")) if key.id != BOB_ID)
        desk.iam.set_status(new, KeyStatus.INACTIVE)
        desk.app.main.stage.account.lifecycle.delete(new)
        await desk.press("R")
        await desk.on(RotationScreen)
        await desk.sees("b rolls back: it puts the profiles back")
        await desk.press("b")
        await desk.on(ConfirmScreen)
        await desk.press("y")
        await desk.sees("Rolled back")

    assert credentials(desk) == before


async def test_shell_using_the_old_key_is_named_and_needs_last_four(desk: Desk) -> None:
    desk.uses[BOB_ID] = (LocalUse(Place.ENVIRONMENT, "AWS_ACCESS_KEY_ID"),)
    named = f"This shell has {BOB_ID} in AWS_ACCESS_KEY_ID"
    async with opened(desk, user="bob"):
        await desk.press("R")
        await desk.on(RotateScreen)
        await desk.sees(
            named, "unset them and use a profile that has the new key", "can be written"
        )
        await desk.press("enter")
        await desk.on(RepointScreen)
        await desk.press("enter")
        await desk.sees("bob uses")
        await desk.press("enter")
        await desk.on(TypeScreen)
        await desk.sees(named)
        await desk.press("y", "enter")
        await desk.sees("That is not it.")
        assert desk.held("bob")[BOB_ID] is KeyStatus.ACTIVE
        await desk.press("backspace", *BOB_ID[-4:], "enter")
        await desk.sees(f"{BOB_ID} is inactive")


async def test_profile_working_only_in_this_run_keeps_old_key_active(desk: Desk) -> None:
    desk.gives_key = lambda _: False
    async with opened(desk, user="bob"):
        await repoint(desk)
        await desk.press("enter")
        await desk.on(ConfirmScreen)
        await desk.press("y")
        await desk.sees("does not give the new key to a new process")

    assert set(desk.held("bob").values()) == {KeyStatus.ACTIVE}
