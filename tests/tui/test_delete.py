"""Delete a key: an inactive one, after its last four characters, and it is remembered."""

from datetime import timedelta
from pathlib import Path

import pytest

from keytui.core.model import KeyStatus, LastUsed
from keytui.journal.log import Event
from keytui.keys.local_use import LocalUse, Place
from keytui.tui.dialogs.dialogs import ConfirmScreen
from keytui.tui.keys.change import DeleteScreen
from tests.support.app import ACTIVE_ID, INACTIVE_ID, Desk, an_account, opened
from tests.support.fake_iam import START

BOTH = {ACTIVE_ID: KeyStatus.ACTIVE, INACTIVE_ID: KeyStatus.INACTIVE}


async def delete_it(desk: Desk) -> None:
    """Delete alice's inactive key."""
    await desk.press("x")
    await desk.on(DeleteScreen)
    await desk.write(INACTIVE_ID[-4:])
    await desk.press("enter")
    await desk.sees(f"{INACTIVE_ID} is deleted.")
    await desk.settled()


async def test_dialog_says_what_goes(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.sees(
            "DELETE THIS ACCESS KEY FOR EVER",
            INACTIVE_ID,
            "of alice · inactive · created 2 y ago · last used never",
            "“old laptop”",
            "No one can bring it back",
            "last four characters",
        )
        await desk.press("escape")


async def test_deletion_shows_a_use_since_the_table_was_read(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        desk.iam._uses[INACTIVE_ID] = LastUsed(START - timedelta(hours=2), "sts", "us-east-1")
        desk.uses[INACTIVE_ID] = (LocalUse(Place.KEYRING, "the OS keyring"),)
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.sees("last used 2 h ago", "used in the last 24 hours", "in the OS keyring")
        await desk.press("escape")


@pytest.mark.parametrize("answer", ["enter", "escape"])
async def test_no_is_the_default(desk: Desk, answer: str) -> None:
    async with opened(desk, user="alice"):
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.press(answer)
        await desk.sees(f"{INACTIVE_ID} was not deleted.")
        await desk.on_main()
    assert desk.held("alice") == BOTH
    assert desk.iam.mutations == []


async def test_escape_means_no_also_after_the_four_were_typed(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.write(INACTIVE_ID[-4:])
        await desk.press("escape")
        await desk.sees(f"{INACTIVE_ID} was not deleted.")
    assert desk.iam.mutations == []


@pytest.mark.parametrize("typed", ["yes", "y", "0000", "E00", INACTIVE_ID[:4]])
async def test_wrong_characters_delete_nothing(desk: Desk, typed: str) -> None:
    async with opened(desk, user="alice"):
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.write(typed)
        await desk.press("enter")
        await desk.sees("Those are not its last four. Nothing is deleted.")
        await desk.on(DeleteScreen)
    assert desk.held("alice") == BOTH
    assert desk.iam.mutations == []


async def test_right_four_delete_it_and_it_stays_in_the_listing(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await delete_it(desk)
        assert desk.held("alice") == {ACTIVE_ID: KeyStatus.ACTIVE}
        line = desk.line(f"{INACTIVE_ID}  ✕")
        assert "✕ Deleted" in line
        assert "Make" not in line
        assert "Delete " not in line.replace("Deleted", "")
        assert "alice 1 key" in desk.words
    (entry,) = desk.journal.entries()
    assert (entry.event, entry.user, entry.key_id) == (Event.DELETED, "alice", INACTIVE_ID)
    assert f"iam:DeleteAccessKey {INACTIVE_ID}" in desk.iam.calls
    assert desk.iam.count("iam:UntagUser") == 1


async def test_four_may_be_typed_in_small_letters(desk: Desk) -> None:
    key = desk.iam.add_key(desk.iam.find("carol"), "AKIACAROL000000WXYZ", status=KeyStatus.INACTIVE)
    async with opened(desk, user="carol"):
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.write("wxyz")
        await desk.press("enter")
        await desk.sees(f"{key.id} is deleted.")


async def test_deleted_key_is_hidden_and_shown(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await delete_it(desk)
        await desk.press("full_stop")
        await desk.sees("Deleted keys are hidden.")
        assert "✕ Deleted" not in desk.words
        await desk.press("full_stop")
        await desk.sees("Deleted keys are shown.", "✕ Deleted")


async def test_deleted_key_can_not_be_worked(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await delete_it(desk)
        await desk.press("G")
        await desk.until(lambda: f"▸ {INACTIVE_ID}" in desk.text)
        desk.iam.calls.clear()
        for key in "xda":
            await desk.press(key)
            await desk.sees("deleted")
            assert desk.app.screen is desk.app.main
        await desk.settled()
    assert desk.iam.mutations == []


async def test_later_run_still_shows_what_was_deleted(desk: Desk, tmp_path: Path) -> None:
    async with opened(desk, user="alice"):
        await delete_it(desk)

    later = Desk(tmp_path, desk.iam)
    async with opened(later, user="alice"):
        line = later.line(INACTIVE_ID)
        assert "✕ Deleted" in line
        assert "2 y" in line


async def test_key_deleted_twice_stands_there_once(desk: Desk, tmp_path: Path) -> None:
    """From another terminal, say: the second deletion succeeds too, and is written down."""
    async with opened(desk, user="alice"):
        other = Desk(tmp_path, an_account())
        async with opened(other, user="alice"):
            await delete_it(other)
        desk.iam.remove_key(desk.iam.held(desk.iam.find("alice"))[0])
        await delete_it(desk)
        assert desk.text.count("✕ Deleted") == 1


async def test_active_key_is_offered_to_be_made_inactive(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("G", "x")
        await desk.on(ConfirmScreen)
        await desk.sees(f"{ACTIVE_ID} is active", "Make it inactive now?")
        await desk.press("enter")
        await desk.on_main()
        await desk.settled()
        assert desk.iam.mutations == []

        await desk.press("x")
        await desk.on(ConfirmScreen)
        await desk.press("y")
        await desk.sees(f"{ACTIVE_ID} is inactive.")
    assert desk.held("alice")[ACTIVE_ID] is KeyStatus.INACTIVE
    assert desk.iam.count("iam:DeleteAccessKey") == 0


async def test_active_key_in_use_is_asked_about_twice(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await desk.press("x")
        await desk.sees("An active key can't be deleted.")
        await desk.press("y")
        await desk.sees("used in the last 24 hours")
        await desk.press("enter")
        await desk.on_main()
    assert desk.iam.mutations == []


async def test_deletion_is_pending_until_aws_has_it(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        gate = desk.iam.hold("iam:DeleteAccessKey")
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.write(INACTIVE_ID[-4:])
        await desk.press("enter")
        await desk.until(lambda: "◌ Deleted" in desk.line(INACTIVE_ID))
        gate.set()
        await desk.sees("✕ Deleted")


async def test_undo_of_a_change_to_a_deleted_key_is_not_offered(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("a")
        await desk.sees(f"{INACTIVE_ID} is active.")
        await desk.settled()
        await desk.press("d")
        await desk.sees(f"{INACTIVE_ID} is inactive.")
        await desk.settled()
        await delete_it(desk)
        await desk.press("u")
        await desk.sees("There is no change of status to undo.")


async def test_deletion_that_is_refused_is_said(desk: Desk) -> None:
    desk.iam.deny = {"iam:DeleteAccessKey"}
    async with opened(desk, user="alice"):
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.write(INACTIVE_ID[-4:])
        await desk.press("enter")
        await desk.sees("iam:DeleteAccessKey", "Nothing was changed.")
        await desk.until(lambda: "○ Inactive" in desk.line(INACTIVE_ID))
    assert desk.held("alice") == BOTH
