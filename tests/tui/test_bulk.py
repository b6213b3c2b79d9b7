"""Marks, and what is done to all marked keys at once."""

from datetime import timedelta

from keytui.core.errors import AwsError
from keytui.core.model import AccessKey, KeyStatus, LastUsed
from keytui.session.account import read_keys
from keytui.tui.dialogs.dialogs import ConfirmScreen, WorkingScreen
from keytui.tui.keys.bulk import BatchScreen, BulkDeleteScreen, BulkScreen
from keytui.tui.profiles.screen import ProfilesScreen
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID, Desk, opened
from tests.support.fake_iam import START, FakeIam

ACTIVE, INACTIVE = KeyStatus.ACTIVE, KeyStatus.INACTIVE


async def mark(desk: Desk, *users: str) -> None:
    """Let all keys of these users be read and marked."""
    main = desk.app.main
    for name in users:
        user = desk.iam.find(name)
        known = read_keys(main.stage.account, main.ctx, user)
        main.stage.account.inventory.set_keys(user, known)
        for key in known.keys:
            main.stage.account.mark(key)
    main.draw_marks()
    await desk.sees(f"{len(main.stage.account.marks)} marked")


def fail(iam: FakeIam, key_id: str) -> None:
    """Let AWS refuse to change one key."""
    change = iam.set_status

    def refuse(key: AccessKey, status: KeyStatus) -> None:
        if key.id == key_id:
            raise AwsError("AWS is busy.", "Nothing was changed.", "Try again.")
        change(key, status)

    iam.set_status = refuse  # type: ignore[method-assign]


async def test_marks_span_users_are_seen_and_go(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("space")
        await desk.sees("1 marked · 6 users")
        assert f"✓{INACTIVE_ID}" in desk.text
        assert f"▸ {ACTIVE_ID}" in desk.text  # The cursor went on.
        assert "alice ✓" in desk.line("▸ alice")
        await desk.press("space")  # The last one: there it stays, and a second one unmarks.
        await desk.sees("2 marked")
        await desk.press("space")
        await desk.sees("1 marked")
        await desk.press("tab", "down", "space")  # Of a user with one key, from the list too.
        await desk.sees("bob 1 key")
        await desk.settled()
        await desk.press("space")
        await desk.sees("2 marked")
        await desk.press("escape", "escape")
        await desk.sees("Nothing is marked any more.")
        await desk.loses("2 marked")
        assert "✓ " not in desk.text.replace("✓ Nothing", "")
        await mark(desk, "bob")
        await desk.press("P")
        await desk.on(ProfilesScreen)
        await desk.press("down", "enter")
        await desk.on_main()
        await desk.loses("1 marked")


async def test_one_summary_then_those_that_nothing_speaks_against(desk: Desk) -> None:
    async with opened(desk):
        await mark(desk, "alice", "bob", "admin")
        await desk.press("d")
        await desk.on(BulkScreen)
        await desk.sees("Make 2 keys inactive?", "y Make 1 inactive", "Y Make all 2 inactive")
        told = desk.words
        free, used, others = (
            told.index(part)
            for part in (f"{ACTIVE_ID} alice", "Something may depend", "These stay as they are")
        )
        assert free < used < told.index(f"{BOB_ID} bob") < told.index("last 24 hours") < others
        assert others < told.index(f"{INACTIVE_ID} is inactive already")
        assert told.index(OWN_ID, others) < told.index("work on it alone")
        await desk.press("enter")  # No, unless y is pressed.
        await desk.sees("Nothing was changed.", "4 marked")
        await desk.press("d", "y")
        await desk.on(BatchScreen)
        await desk.sees("1 of 1 done", f"{ACTIVE_ID} alice ✓ Inactive")
        await desk.press("escape")
        await desk.sees("1 key is inactive. u undoes that.", "3 marked")
    assert desk.iam.mutations == [f"iam:UpdateAccessKey {ACTIVE_ID} Inactive"]


async def test_those_in_use_too_and_the_whole_batch_is_undone(desk: Desk) -> None:
    async with opened(desk, size=(60, 20)):
        await mark(desk, "alice", "bob")
        await desk.press("d", "Y", "escape")
        await desk.sees("2 keys are inactive. u undoes that.", "1 marked")
        assert desk.held("bob") == {BOB_ID: INACTIVE}
        await desk.press("u", "escape")
        await desk.sees("2 keys are as before.")
        assert desk.held("bob") == {BOB_ID: ACTIVE}
        assert desk.held("alice") == {ACTIVE_ID: ACTIVE, INACTIVE_ID: INACTIVE}
        await desk.press("u")
        await desk.sees("There is no change of status to undo.")


async def test_to_undo_an_activation_asks_as_making_inactive_does(desk: Desk) -> None:
    used = LastUsed(START - timedelta(hours=2), "s3", "eu-west-1")
    busy = "AKIACAROLINACTIVE001"
    desk.iam.add_key(desk.iam.find("carol"), busy, status=INACTIVE, last_used=used)
    async with opened(desk):
        await mark(desk, "alice", "carol")
        await desk.press("a", "y", "escape")
        await desk.sees("2 keys are active. u undoes that.")
        await desk.settled()
        await desk.press("u")
        await desk.on(BulkScreen)
        await desk.sees("Make 2 keys inactive?", "Something may depend on these", "24 hours")
        await desk.press("enter")
        await desk.sees("Nothing was changed.")
        await desk.press("u", "y", "escape")
        await desk.sees("1 key is as before.")
        assert desk.held("carol") == {busy: ACTIVE}
        assert desk.held("alice")[INACTIVE_ID] is INACTIVE
        await desk.settled()
        await desk.press("u")  # The one left is undone alone, and asks as well.
        await desk.on(ConfirmScreen)
        await desk.sees(f"Make {busy} inactive?", "24 hours", "a makes it active again.")
        await desk.press("n")
        await desk.on_main()
        assert desk.held("carol") == {busy: ACTIVE}
        await desk.press("u", "y")
        await desk.sees(f"{busy} is inactive.")
        await desk.press("u")
        await desk.sees("There is no change of status to undo.")


async def test_part_that_fails_is_told_and_stays_marked(desk: Desk) -> None:
    fail(desk.iam, BOB_ID)
    async with opened(desk):
        await mark(desk, "alice", "bob")
        await desk.press("d", "Y")
        await desk.on(BatchScreen)
        await desk.sees(
            "1 of 2 done", f"{BOB_ID} bob ✗ failed", "AWS is busy. Nothing was changed."
        )
        assert desk.words.index("✗ failed") < desk.words.index(f"{ACTIVE_ID} alice ✓ Inactive")
        await desk.press("escape")
        await desk.sees("1 of 2 keys is inactive; 1 failed. u undoes that.", "2 marked")
        assert set(desk.app.main.stage.account.marks) == {BOB_ID, INACTIVE_ID}


async def test_what_can_not_be_undone_can_be_undone_again(desk: Desk) -> None:
    async with opened(desk):
        await mark(desk, "alice", "bob")
        await desk.press("d", "Y", "escape")
        await desk.sees("2 keys are inactive.")
        await desk.settled()
        fail(desk.iam, BOB_ID)
        await desk.press("u")
        await desk.sees("1 of 2 done")
        await desk.press("escape")
        await desk.sees("1 of 2 keys is as before; 1 failed. u undoes the rest.")
        await desk.settled()
        assert [[c.key.id for c in batch] for batch in desk.app.main.stage.account.changes] == [
            [BOB_ID]
        ]


async def test_deleting_takes_the_number_typed(desk: Desk) -> None:
    used = LastUsed(START - timedelta(hours=2), "s3", "eu-west-1")
    desk.iam.add_key(
        desk.iam.find("carol"), "AKIACAROLINACTIVE001", status=INACTIVE, last_used=used
    )
    async with opened(desk, size=(60, 20)):
        await mark(desk, "alice", "carol")
        await desk.press("x")
        await desk.on(BulkDeleteScreen)
        await desk.sees("DELETE 2 ACCESS KEYS FOR EVER", "Type delete 2 for all")
        await desk.sees("delete 1 for those not in use", "esc No, keep them")
        await desk.write("delete 3")
        await desk.press("enter")
        await desk.sees("That is not it. Nothing is deleted.")
        await desk.press("backspace", "1", "enter")
        await desk.on(BatchScreen)
        await desk.sees(f"{INACTIVE_ID} alice ✓ Deleted")
        await desk.press("escape")
        await desk.sees("1 key is deleted.", "2 marked")
        assert "undo" not in desk.line("is deleted")
    assert desk.iam.mutations[0] == f"iam:DeleteAccessKey {INACTIVE_ID}"
    assert list(desk.held("carol")) == ["AKIACAROLINACTIVE001"]
    assert desk.held("alice") == {ACTIVE_ID: ACTIVE}


async def test_deleting_one_marked_key_takes_its_last_four(desk: Desk) -> None:
    async with opened(desk):
        await mark(desk, "alice")
        await desk.press("x")
        await desk.on(BulkDeleteScreen)
        await desk.sees("DELETE 1 ACCESS KEY FOR EVER", "last four characters")
        await desk.write("delete 1")
        await desk.press("enter")
        await desk.sees("That is not it. Nothing is deleted.")
        await desk.press(*["backspace"] * 8)
        await desk.write(INACTIVE_ID[-4:])
        await desk.press("enter")
        await desk.on(BatchScreen)
        await desk.sees(f"{INACTIVE_ID} alice ✓ Deleted")
        await desk.press("escape")
        await desk.on_main()
    assert desk.held("alice") == {ACTIVE_ID: ACTIVE}


async def test_looking_can_be_left_and_nothing_is_changed(desk: Desk) -> None:
    async with opened(desk):
        await mark(desk, "alice", "bob")
        gate = desk.iam.hold("iam:GetAccessKeyLastUsed")
        await desk.press("d")
        await desk.on(WorkingScreen)
        await desk.press("escape")
        await desk.sees("Left.", "Nothing was changed.", "3 marked")
        gate.set()
    assert desk.iam.mutations == []


async def test_escape_stops_before_the_next_key(desk: Desk) -> None:
    ids = [f"AKIACAROL00000000{n:03}" for n in range(6)]
    for key_id in ids:
        desk.iam.add_key(desk.iam.find("carol"), key_id)
    async with opened(desk):
        await mark(desk, "carol")
        gate = desk.iam.hold("iam:UpdateAccessKey")
        await desk.press("d", "y")
        await desk.sees("0 of 6 done. esc stops before the next key")
        await desk.press("escape")
        await desk.sees("Stopping")
        await desk.press("ctrl+c")  # Not before what is under way is on record.
        gate.set()
        await desk.sees("4 of 6 done.", "– left as it is")
        await desk.press("escape")
        await desk.sees("4 of 6 keys are inactive; 2 not begun and as before. u undoes that.")
        assert len(desk.app.main.stage.account.marks) == 2
    assert desk.iam.count("iam:UpdateAccessKey") == 4
