"""The key under the audit's cursor is the one that was looked at, whatever arrives."""

from datetime import timedelta

import pytest

from keytui.audit.pace import AT_ONCE
from keytui.core.model import ROOT_USER, KeyStatus
from keytui.tui.audit import screen as audit_screen
from keytui.tui.audit.screen import AuditScreen
from keytui.tui.keys.bulk import BulkScreen
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID, Desk, opened
from tests.support.fake_iam import START
from tests.support.listing import Listing, add_users, hurry

REPORT = {"iam:GetCredentialReport", "iam:GenerateCredentialReport"}
EVE_ID, EVES_OTHER_ID = "AKIAEVEOLDEST0000001", "AKIAEVEOTHER00000002"


@pytest.fixture
def listing(desk: Desk) -> Listing:
    """What stands before ListAccessKeys; eve has the worst key of all, and a younger one."""
    eve = desk.iam.add_user("eve")
    desk.iam.add_key(eve, EVE_ID, created=START - timedelta(days=300))
    desk.iam.add_key(eve, EVES_OTHER_ID, created=START - timedelta(days=3))
    return Listing(desk)


@pytest.mark.parametrize(("keys", "here"), [((), EVE_ID), (("j", "k"), ACTIVE_ID)])
async def test_worst_stands_under_the_cursor_until_a_key_is_pressed(
    desk: Desk, listing: Listing, keys: tuple[str, ...], here: str
) -> None:
    desk.iam.deny |= REPORT
    async with opened(desk):
        await hurry(desk)
        listing.held = lambda name: name == "eve"
        await desk.press("A")
        await desk.sees("read live: 6 of 7 users", BOB_ID)
        assert ACTIVE_ID in desk.line("▸")
        if keys:
            await desk.press(*keys)
        listing.go.set()
        await desk.sees(EVE_ID)
        await desk.until(lambda: here in desk.line("▸"))
        assert desk.text.index(EVE_ID) < desk.text.index(ACTIVE_ID)


async def test_deleted_key_at_the_cursor_blocks_the_first_press(
    desk: Desk, listing: Listing
) -> None:
    async with opened(desk):
        await desk.press("A")
        await desk.sees(EVE_ID, EVES_OTHER_ID, ACTIVE_ID)
        await desk.press("j", "k")
        assert EVE_ID in desk.line("▸")
        (gone,) = (key for key in desk.iam.held(desk.iam.find("eve")) if key.id == EVE_ID)
        desk.iam.remove_key(gone)
        await desk.press("r")
        await desk.loses(EVE_ID)
        assert ACTIVE_ID in desk.line("▸"), "not on the user's other key"
        await desk.press("d")
        await desk.sees("The key that stood here is gone; this is another.")
        await desk.press("enter")
        await desk.on_main()
        assert ACTIVE_ID in desk.line("▸ AKIA")
    assert desk.iam.mutations == []


async def test_mouse_wheel_reads_keys_in_view_and_moves_the_cursor(
    desk: Desk, listing: Listing
) -> None:
    ids = add_users(desk, 90)
    async with opened(desk):
        await hurry(desk)
        await desk.press("A")
        screen = await desk.on(AuditScreen)
        await desk.sees("96 keys", ids[0])
        await desk.loses(" … ")
        await desk.press(*"jjjjjjjj")
        for _ in range(2):
            await desk.until(lambda: screen._resting is None)
            screen.table.on_mouse_scroll_down()
            await desk.sees(" … ")
            await desk.loses(" … ")
        for _ in range(6):
            screen.table.on_mouse_scroll_down()
        await desk.sees(ids[42])
        await desk.loses(" … ")
        first = next(line for line in desk.text.splitlines() if "AKIAMANY" in line)
        assert "▸" in first, "the cursor is where it is seen"
        screen.table.on_mouse_scroll_up()
        await desk.until(lambda: first not in desk.text.splitlines()[11])
        screen.draw()
        assert "▸" in desk.text.splitlines()[14], "nor does a drawing move what is in sight"


async def test_deleted_key_scrolled_to_blocks_the_first_press(desk: Desk, listing: Listing) -> None:
    add_users(desk, 90)
    async with opened(desk):
        await hurry(desk)
        await desk.press("A")
        screen = await desk.on(AuditScreen)
        await desk.sees("96 keys", INACTIVE_ID)
        await desk.loses(" … ")
        screen.table.on_mouse_scroll_down()
        await desk.until(lambda: INACTIVE_ID in desk.line("▸"))
        keys = desk.iam.held(desk.iam.find("alice"))
        desk.iam.remove_key(next(key for key in keys if key.id == INACTIVE_ID))
        screen.action_refresh()
        await desk.loses(INACTIVE_ID)
        await desk.press("d")
        await desk.sees("The key that stood here is gone; this is another.")


async def test_no_key_is_read_while_a_change_is_under_way(desk: Desk, listing: Listing) -> None:
    desk.iam.deny |= REPORT
    add_users(desk, 40)
    async with opened(desk):
        await hurry(desk)
        listing.held = lambda name: name.startswith("user")
        await desk.press("A")
        await desk.sees(ACTIVE_ID, EVE_ID)
        await desk.until(lambda: listing.under_way == AT_ONCE)
        await desk.press("slash", *"alice", "enter", "d")
        await desk.on(BulkScreen)
        listing.go.set()
        await desk.until(lambda: not listing.under_way)
        await desk.press("y")
        await desk.sees("1 of 1 done")
        assert sum(name.startswith("user") for name in listing.asked) == AT_ONCE
        await desk.press("escape", "escape")
        await desk.sees("read live: 47 of 47 users")
    assert desk.held("alice")[ACTIVE_ID] is KeyStatus.INACTIVE


async def test_esc_leaves_an_undo_that_aws_does_not_answer(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("g", "a")
        await desk.sees(f"{INACTIVE_ID} is active.")
        await desk.press("A")
        await desk.sees(OWN_ID)
        await desk.settled()
        gate = desk.iam.hold("iam:GetAccessKeyLastUsed")
        await desk.press("u")
        await desk.sees("Checking what depends on")
        await desk.press("escape")
        await desk.sees("Left; nothing was changed.")
        gate.set()
        await desk.press("escape")
        await desk.on_main()
    assert desk.held("alice")[INACTIVE_ID] is KeyStatus.ACTIVE


async def test_undo_is_told_where_the_audit_is_left_meanwhile(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("g", "a")
        await desk.sees(f"{INACTIVE_ID} is active.")
        await desk.press("A")
        await desk.sees(OWN_ID)
        await desk.settled()
        gate = desk.iam.hold("iam:UpdateAccessKey")
        await desk.press("u")
        await desk.until(lambda: desk.iam.count("iam:UpdateAccessKey") == 2)
        await desk.press("escape")
        await desk.on_main()
        gate.set()
        await desk.sees(f"{INACTIVE_ID} is inactive.")
        await desk.until(lambda: "○ Inactive" in desk.line(INACTIVE_ID))
        await desk.press("u")
        await desk.sees("There is no change of status to undo.")


async def test_root_users_key_is_for_root_alone(desk: Desk) -> None:
    desk.iam.add_key(ROOT_USER, "AKIAROOT000000000001", created=START - timedelta(days=5))
    async with opened(desk):
        await desk.press("A")
        await desk.sees("root key 1.4", ACTIVE_ID)
        assert "root" in desk.line("▸")
        await desk.press("d")
        await desk.sees("Only the root user can change its own access keys.")
        await desk.press("space", "d")
        await desk.sees("1 marked", "Only the root user")
    assert desk.iam.mutations == []


async def test_users_are_read_while_aws_makes_the_report_and_no_longer(
    desk: Desk, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_screen, "REPORT_SECONDS", 0.01)
    making = desk.iam.hold("iam:GetCredentialReport")
    add_users(desk, 90)
    async with opened(desk):
        listing.held = lambda name: name.startswith("user")
        await desk.press("A")
        screen = await desk.on(AuditScreen)
        await desk.sees("read live: ", EVE_ID, ACTIVE_ID)
        making.set()
        await desk.sees("report made just now", "96 keys")
        listing.go.set()
        await desk.until(lambda: not screen.reader.progress.running)
        await desk.loses(" … ")
        assert len(listing.asked) < 90, "those out of sight are not asked about any more"
        assert "not all could be read" not in desk.text


async def test_r_reads_all_again_where_there_is_no_report(desk: Desk, listing: Listing) -> None:
    desk.iam.deny |= REPORT
    async with opened(desk):
        await desk.press("A")
        await desk.sees("read live: 7 of 7 users", EVE_ID)
        desk.iam.remove_user("bob")
        new = desk.iam.add_key(desk.iam.add_user("new"))
        (key,) = (key for key in desk.iam.held(desk.iam.find("alice")) if key.id == ACTIVE_ID)
        desk.iam.set_status(key, KeyStatus.INACTIVE)
        await desk.press("r")
        await desk.sees("read live: 7 of 7 users", new.id)
        await desk.loses(BOB_ID)
        await desk.until(lambda: "○ Inactive" in desk.line(ACTIVE_ID))
