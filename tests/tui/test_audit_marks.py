"""What is marked in the audit and done there: to those keys and no others, after a summary."""

import threading
from datetime import timedelta

import pytest

from keytui.core.errors import AwsError
from keytui.core.model import AccessKey, KeyStatus, LastUsed
from keytui.tui.audit.screen import AuditScreen
from keytui.tui.dialogs.dialogs import WorkingScreen
from keytui.tui.keys.bulk import BatchScreen, BulkScreen
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID, SECONDS, Desk, opened
from tests.support.fake_iam import START
from tests.support.listing import Listing, add_users, hurry

ACTIVE, INACTIVE = KeyStatus.ACTIVE, KeyStatus.INACTIVE
IDS = (ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID)
YOUNG_ID, OLD_ID = "AKIADAVEYOUNG0000001", "AKIADAVEOLDER0000002"
DAYS_AGO = LastUsed(START - timedelta(days=3), "s3", "eu-west-1")


@pytest.fixture
def dave(desk: Desk) -> Listing:
    """A user whose keys stand the other way round in the report than AWS lists them."""
    user = desk.iam.add_user("dave")
    for key_id, days in ((YOUNG_ID, 20), (OLD_ID, 200)):
        made = START - timedelta(days=days)
        desk.iam.add_key(user, key_id, created=made, last_used=DAYS_AGO)
    return Listing(desk)


async def test_marked_keys_are_deactivated_after_a_summary_with_undo(desk: Desk) -> None:
    used = LastUsed(START - timedelta(days=20), "s3", "eu-west-1")
    carol = desk.iam.add_key(desk.iam.find("carol"), "AKIACAROLACTIVE00001", last_used=used)
    change = desk.iam.set_status
    fails = {BOB_ID}

    def refuse(key: AccessKey, status: KeyStatus) -> None:
        if key.id in fails:
            raise AwsError("AWS is busy.", "Nothing was changed.", "Try again.")
        change(key, status)

    desk.iam.set_status = refuse  # type: ignore[method-assign]
    async with opened(desk):
        await desk.press("A")
        await desk.sees(*IDS, carol.id)
        await desk.press("asterisk")
        await desk.sees("5 marked")
        await desk.press("2")  # Marks stay with their keys, whatever is shown in which order.
        await desk.sees("1 of 5 keys shown · 5 marked")
        await desk.press("2", "U")
        await desk.sees("5 of 5 keys shown · 5 marked", "User ▲")
        assert all("✓" in desk.line(key_id) for key_id in (*IDS, carol.id))

        await desk.press("d")
        await desk.on(BulkScreen)
        await desk.sees("Make 3 keys inactive?", "y Make 2 inactive", "Y Make all 3 inactive")
        others = desk.words.index("These stay as they are")
        assert desk.words.index(OWN_ID) > others
        assert "unmark it, and work on it alone" in desk.words
        await desk.press("Y")
        await desk.on(BatchScreen)
        await desk.sees("2 of 3 done", f"{BOB_ID} bob ✗ failed")
        await desk.press("escape")
        await desk.sees("2 of 3 keys are inactive; 1 failed. u undoes that.", "3 marked")
        assert "✓" in desk.line(BOB_ID), "what failed stays marked"
        assert "○ Inactive" in desk.line(ACTIVE_ID)
        assert "✓" not in desk.line(ACTIVE_ID)
        assert desk.held("admin") == {OWN_ID: ACTIVE}

        await desk.press("u")
        await desk.sees("2 of 2 done")
        await desk.press("escape")
        await desk.sees("2 keys are as before.")
        await desk.until(lambda: "● Active" in desk.line(ACTIVE_ID))
        assert desk.held("alice")[ACTIVE_ID] is ACTIVE
        assert desk.held("carol") == {carol.id: ACTIVE}


async def test_cursor_stays_on_its_key_whatever_is_read(desk: Desk, dave: Listing) -> None:
    (alice,) = (key for key in desk.iam.held(desk.iam.find("alice")) if key.id == ACTIVE_ID)
    async with opened(desk):
        await desk.settled()
        desk.iam.set_status(alice, INACTIVE)  # So that rows change places, too.
        desk.iam.calls.clear()
        dave.held = lambda _: True
        await desk.press("A")
        await desk.sees("6 keys, 3 with findings")
        await desk.press("j", "j")
        here = desk.line("▸")
        assert "dave" in here
        assert "20 d" in here
        assert desk.line("old 1.14").split()[0] == "dave"
        dave.go.set()
        await desk.sees(YOUNG_ID, OLD_ID, "6 keys, 2 with findings")
        assert YOUNG_ID in desk.line("▸")
        assert "20 d" in desk.line("▸")

        await desk.press("d")
        await desk.on(BulkScreen)
        await desk.sees("Make 1 key inactive?", f"{YOUNG_ID} dave")
        assert desk.text.count("Active → Inactive") == 1
        await desk.press("n")
        await desk.sees("Nothing was changed.")
        await desk.loses("1 marked")  # Else the next key would be this one again.
        await desk.press("d", "y")
        await desk.sees("1 of 1 done")
        await desk.press("escape")
        await desk.until(lambda: "○ Inactive" in desk.line(YOUNG_ID))
    assert desk.iam.mutations == [f"iam:UpdateAccessKey {YOUNG_ID} Inactive"]


async def test_key_marked_before_its_id_is_known_is_the_one_changed(
    desk: Desk, dave: Listing
) -> None:
    async with opened(desk):
        await desk.settled()
        dave.held = lambda _: True
        await desk.press("A")
        await desk.sees("6 keys, 3 with findings")
        await desk.press("space")
        assert "✓dave" in desk.line("200 d")
        await desk.press("d")
        await desk.on(WorkingScreen)
        await desk.sees("Looking for the IDs of 1 key")
        dave.go.set()
        await desk.on(BulkScreen)
        await desk.sees("Make 1 key inactive?", f"{OLD_ID} dave")
        assert desk.text.count("Active → Inactive") == 1


async def test_enter_before_the_id_is_known_goes_to_that_key(desk: Desk, dave: Listing) -> None:
    async with opened(desk):
        await desk.settled()
        dave.held = lambda _: True
        await desk.press("A")
        await desk.sees("6 keys, 3 with findings")
        assert "200 d" in desk.line("▸")
        await desk.press("enter")
        dave.go.set()
        await desk.on_main()
        await desk.until(lambda: desk.line("▸ AKIA"))
        assert OLD_ID in desk.line("▸ AKIA")


async def test_looking_for_many_ids_can_be_left(desk: Desk) -> None:
    listing = Listing(desk)
    add_users(desk, 60)
    async with opened(desk):
        await hurry(desk)
        listing.held = lambda _: True
        await desk.press("A")
        await desk.sees("64 keys")
        await desk.press("asterisk")
        await desk.sees("64 marked")
        await desk.press("d")
        await desk.on(WorkingScreen)
        await desk.sees("Looking for the IDs of 64 keys", "esc")
        await desk.press("escape")
        await desk.sees("Left. Nothing was changed.", "64 marked")
        await desk.press("escape")
        await desk.on_main()
    assert desk.iam.mutations == []


async def test_what_is_marked_right_after_a_change_stays_marked_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = desk.iam.gates["the journal"] = threading.Event()
    async with opened(desk):
        await desk.press("A")
        screen = await desk.on(AuditScreen)
        await desk.sees(BOB_ID, INACTIVE_ID)
        await desk.settled()
        await desk.press("slash", *"inactive", "enter", "a")
        await desk.on(BulkScreen)
        await desk.press("y")
        await desk.sees("1 of 1 done")
        entries = desk.journal.entries

        def read() -> object:
            go.wait(SECONDS)
            return entries()

        monkeypatch.setattr(desk.journal, "entries", read)
        await desk.press("escape", "slash", "ctrl+u", "enter", "G", "space")
        await desk.until(lambda: list(screen.marks.ids) == [BOB_ID])
        go.set()
        await desk.settled()
        assert list(screen.marks.ids) == [BOB_ID]


async def test_read_only_offers_no_change(desk: Desk) -> None:
    async with opened(desk, read_only=True):
        await desk.press("A")
        await desk.sees(*IDS, "space Mark", "e Export")
        for offer in ("Make inactive", "Make active", "Delete", "Undo"):
            assert offer not in desk.text
        await desk.press("asterisk", "d", "a", "x", "u")
        await desk.sees("4 marked")
        assert desk.app.screen is not desk.app.main
        assert len(desk.app.screen_stack) == 2
    assert desk.iam.mutations == []


async def test_enter_goes_to_no_other_key_where_the_one_chosen_is_gone(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("A")
        await desk.sees(*IDS)
        await desk.press("slash", *ACTIVE_ID.casefold(), "enter")
        await desk.sees("1 of 4 keys shown")
        alice = desk.iam.find("alice")
        desk.iam.remove_key(next(key for key in desk.iam.held(alice) if key.id == ACTIVE_ID))
        await desk.press("enter")
        await desk.on_main()
        await desk.sees(f"{ACTIVE_ID} is gone")
