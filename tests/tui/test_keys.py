"""See the keys; make them inactive and active, and take that back."""

import threading
from datetime import timedelta

import pytest

from keytui.core.errors import ThrottledError
from keytui.core.model import KeyStatus, LastUsed
from keytui.tui.dialogs.dialogs import ConfirmScreen, TypeScreen
from keytui.tui.terminal.clipboard import osc52
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID, Desk, opened
from tests.support.fake_iam import START

ACTIVE, INACTIVE = KeyStatus.ACTIVE, KeyStatus.INACTIVE


async def at_active(desk: Desk) -> None:
    """Put the cursor on alice's active key."""
    await desk.press("G")
    await desk.until(lambda: f"▸ {ACTIVE_ID}" in desk.text)


async def test_table_tells_all_of_a_key(desk: Desk) -> None:
    async with opened(desk, user="alice", size=(140, 40)):
        assert "alice 2 keys · created 2 y ago" in desk.words
        active, inactive = desk.line(ACTIVE_ID), desk.line(INACTIVE_ID)
        for part in ("● Active", "115 d", "3 d s3", "old", "d Make inactive"):
            assert part in active
        for part in ("○ Inactive", "2 y ago", "never", "never used", "a Make active", "x Delete"):
            assert part in inactive
        assert "Delete" not in active
        assert "old" not in inactive.split("│")[-1]


async def test_detail_tells_the_rules_and_the_description(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.sees("“old laptop”", "Created 2023-11-07 09:00 UTC · never used", "CIS 1.12")
        await at_active(desk)
        await desk.sees("last used 3 d ago by s3 eu-west-1", "within 90 days", "CIS 1.14")
        await desk.loses("old laptop")


async def test_more_than_two_keys_are_all_shown(desk: Desk) -> None:
    for number in range(3):
        desk.iam.add_key(desk.iam.find("carol"), f"AKIACAROL0000000000{number}")
    async with opened(desk, user="carol"):
        await desk.sees("carol 3 keys", *(f"AKIACAROL0000000000{n}" for n in range(3)))
        assert sum(" two " in line for line in desk.text.splitlines() if "AKIACAROL" in line) == 3


async def test_expired_key(desk: Desk) -> None:
    desk.iam.add_key(desk.iam.find("carol"), "AKIACAROL00000000000", status=KeyStatus.EXPIRED)
    async with opened(desk, user="carol"):
        line = desk.line("AKIACAROL00000000000")
        assert "⊘ Expired" in line
        assert "Make" not in line
        await desk.press("a")
        await desk.sees("is expired: only an inactive key can be made active")
        await desk.press("d")
        await desk.sees("is expired already")
    assert desk.iam.mutations == []


async def test_last_use_that_may_not_be_read(desk: Desk) -> None:
    desk.iam.deny = {"iam:GetAccessKeyLastUsed"}
    async with opened(desk, user="alice"):
        await desk.sees("iam:GetAccessKeyLastUsed", "● Active", "○ Inactive")
        assert "never" not in desk.line(INACTIVE_ID)
        assert "never" not in desk.line(ACTIVE_ID)


async def test_statuses_come_before_the_last_use(desk: Desk) -> None:
    gate = desk.iam.hold("iam:GetAccessKeyLastUsed")
    async with opened(desk, user="alice", ready=False):
        await desk.sees(ACTIVE_ID, "● Active", "○ Inactive")
        assert "s3" not in desk.line(ACTIVE_ID)
        gate.set()
        await desk.until(lambda: "3 d s3" in desk.line(ACTIVE_ID))


async def test_key_is_made_inactive_and_active_again(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await at_active(desk)
        await desk.press("d")
        await desk.sees(f"{ACTIVE_ID} is inactive. u undoes it.")
        assert "○ Inactive" in desk.line(ACTIVE_ID)
        assert desk.held("alice")[ACTIVE_ID] is INACTIVE

        await desk.press("a")
        await desk.sees(f"{ACTIVE_ID} is active. u undoes it.")
        assert "● Active" in desk.line(ACTIVE_ID)
        assert desk.held("alice") == {ACTIVE_ID: ACTIVE, INACTIVE_ID: INACTIVE}
    details = [entry.detail for entry in desk.journal.entries()]
    assert details == ["Inactive", "Active"]


async def test_change_of_status_asks_aws_for_no_more_than_it_needs(desk: Desk) -> None:
    """The guard, what AWS has right before, the change, and the listing that shows it."""
    before, after = "iam:ListAccessKeys alice", "iam:ListAccessKeys alice"
    guard = f"iam:GetAccessKeyLastUsed {ACTIVE_ID}"
    async with opened(desk, user="alice"):
        await at_active(desk)
        await desk.settled()
        desk.iam.calls.clear()
        await desk.press("d")
        await desk.sees(f"{ACTIVE_ID} is inactive. u undoes it.")
        await desk.settled()
        update = f"iam:UpdateAccessKey {ACTIVE_ID}"
        assert desk.iam.calls == [guard, before, f"{update} Inactive", after]
        assert "3 d s3" in desk.line(ACTIVE_ID), "its last use is still there"
        desk.iam.calls.clear()
        await desk.press("u")
        await desk.sees(f"{ACTIVE_ID} is active.")
        await desk.settled()
        assert desk.iam.calls == [before, f"{update} Active", after]


async def test_colleagues_key_seen_after_a_change_is_read(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await at_active(desk)
        desk.iam.add_key(desk.iam.find("alice"), "AKIACOLLEAGUE0000001")
        await desk.press("d")
        await desk.until(lambda: "never" in desk.line("AKIACOLLEAGUE0000001"))
        await desk.until(lambda: "○ Inactive" in desk.line(ACTIVE_ID))


async def test_guard_that_can_not_be_asked_refuses_the_change(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        desk.iam.errors["iam:GetAccessKeyLastUsed"] = ThrottledError("AWS asks for fewer calls.")
        for keys, key_id in (("Gd", ACTIVE_ID), ("gx", INACTIVE_ID)):
            await desk.press(*keys)
            await desk.sees(f"What depends on {key_id} could not be checked.")
            assert desk.app.screen is desk.app.main
    assert desk.iam.mutations == []


async def test_undo_takes_back_the_last_change_and_then_the_one_before(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("a")
        await desk.sees(f"{INACTIVE_ID} is active.")
        await desk.settled()
        await at_active(desk)
        await desk.press("d")
        await desk.sees(f"{ACTIVE_ID} is inactive.")
        await desk.settled()

        await desk.press("u")
        await desk.sees(f"{ACTIVE_ID} is active.")
        assert desk.held("alice") == {ACTIVE_ID: ACTIVE, INACTIVE_ID: ACTIVE}
        await desk.settled()
        await desk.press("u")
        await desk.sees(f"{INACTIVE_ID} is inactive.")
        assert desk.held("alice") == {ACTIVE_ID: ACTIVE, INACTIVE_ID: INACTIVE}
        await desk.settled()
        await desk.press("u")
        await desk.sees("There is no change of status to undo.")


async def test_undo_pressed_twice_takes_back_once(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await at_active(desk)
        await desk.press("d")
        await desk.sees(f"{ACTIVE_ID} is inactive.")
        await desk.settled()
        gate = desk.iam.hold("iam:UpdateAccessKey")
        await desk.press("u", "u")
        gate.set()
        await desk.settled()
        await desk.until(lambda: "● Active" in desk.line(ACTIVE_ID))
    assert desk.iam.count("iam:UpdateAccessKey") == 2


async def test_key_pressed_twice_changes_once(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await at_active(desk)
        gate = desk.iam.hold("iam:GetAccessKeyLastUsed")
        await desk.press("d", "d")
        gate.set()
        await desk.sees(f"{ACTIVE_ID} is inactive")
        await desk.settled()
        await desk.press("u")
        await desk.sees(f"{ACTIVE_ID} is active.")
        await desk.settled()
        await desk.press("u")
        await desk.sees("There is no change of status to undo.")
    assert desk.iam.count("iam:UpdateAccessKey") == 2


async def test_change_made_while_r_connects_anew_can_be_undone(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        gate = desk.iam.hold("iam:UpdateAccessKey")
        await desk.press("g", "a")
        await desk.until(lambda: "◌ Active" in desk.line(INACTIVE_ID))
        before = desk.app.main.stage.account
        await desk.press("r")
        await desk.until(lambda: desk.app.main.stage.account is not before)
        gate.set()
        await desk.sees(f"{INACTIVE_ID} is active. u undoes it.")
        await desk.settled()
        await desk.press("u")
        await desk.sees(f"{INACTIVE_ID} is inactive.")


async def test_change_is_shown_as_pending_until_aws_lists_it(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await at_active(desk)
        desk.iam.lag = 3
        gate = desk.iam.hold("iam:ListAccessKeys")
        await desk.press("d")
        await desk.until(lambda: "◌ Inactive" in desk.line(ACTIVE_ID))
        await desk.until(lambda: desk.held("alice")[ACTIVE_ID] is INACTIVE)
        assert "Make" not in desk.line(ACTIVE_ID)
        assert "is inactive." not in desk.words

        await desk.press("a", "d", "x")
        assert desk.app.screen is desk.app.main, "a key under way takes no second verb"

        gate.set()
        await desk.sees(f"{ACTIVE_ID} is inactive.")
        await desk.until(lambda: "○ Inactive" in desk.line(ACTIVE_ID))
    assert desk.iam.count("iam:UpdateAccessKey") == 1


async def test_change_that_aws_does_not_list_is_said(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await at_active(desk)
        desk.iam.lag = 1000
        await desk.press("d")
        await desk.sees(
            f"{ACTIVE_ID} is inactive. AWS took the change, but does not list it so yet."
        )
        assert desk.held("alice")[ACTIVE_ID] is INACTIVE


async def test_change_that_fails_leaves_the_key_as_it_was(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await at_active(desk)
        desk.iam.deny = {"iam:UpdateAccessKey"}
        await desk.press("d")
        await desk.sees("iam:UpdateAccessKey", "Nothing was changed.")
        await desk.until(lambda: "● Active" in desk.line(ACTIVE_ID))
        await desk.press("u")
        await desk.sees("There is no change of status to undo.")


@pytest.mark.parametrize("answer", ["enter", "n", "escape"])
async def test_key_used_recently_is_asked_about_and_no_is_the_default(
    desk: Desk, answer: str
) -> None:
    async with opened(desk, user="bob"):
        await desk.press("d")
        await desk.on(ConfirmScreen)
        await desk.sees(f"Make {BOB_ID} inactive?", "used in the last 24 hours")
        await desk.press(answer)
        await desk.on_main()
        await desk.settled()
    assert desk.held("bob") == {BOB_ID: ACTIVE}
    assert desk.iam.mutations == []


async def test_key_used_recently_is_made_inactive_on_yes(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await desk.press("d")
        await desk.on(ConfirmScreen)
        await desk.press("y")
        await desk.sees(f"{BOB_ID} is inactive. u undoes it.")
    assert desk.held("bob") == {BOB_ID: INACTIVE}


async def test_key_used_since_the_table_was_read_is_asked_about(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await at_active(desk)
        desk.iam._uses[ACTIVE_ID] = LastUsed(START - timedelta(minutes=1), "sts", "us-east-1")
        await desk.press("d")
        await desk.on(ConfirmScreen)
        await desk.sees("used in the last 24 hours")


async def test_own_key_takes_its_last_four_characters(desk: Desk) -> None:
    async with opened(desk, user="admin"):
        await desk.press("d")
        await desk.on(TypeScreen)
        await desk.sees("signs keytui's own calls", "last four characters")

        await desk.press("enter")
        await desk.sees("That is not it")
        await desk.write("9999")
        await desk.press("enter")
        await desk.on(TypeScreen)
        await desk.press(*["backspace"] * 4)
        assert desk.held("admin") == {OWN_ID: ACTIVE}
        assert desk.iam.mutations == []

        await desk.write(OWN_ID[-4:])
        await desk.press("enter")
        await desk.sees(f"{OWN_ID} is inactive. keytui's own calls stop now")
    assert desk.held("admin") == {OWN_ID: INACTIVE}


async def test_own_key_stays_on_escape(desk: Desk) -> None:
    async with opened(desk, user="admin"):
        await desk.press("d")
        await desk.on(TypeScreen)
        await desk.write(OWN_ID[-4:])
        await desk.press("escape")
        await desk.on_main()
        await desk.settled()
    assert desk.iam.mutations == []


async def test_from_the_list_of_users_a_verb_first_asks_which_key(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("left", "d")
        await desk.sees("Which key? Press it again on the one you mean.")
        assert desk.app.main.keys.table.has_focus
        assert desk.iam.mutations == []


async def test_from_the_list_of_users_an_only_key_is_worked_at_once(desk: Desk) -> None:
    desk.iam.add_key(desk.iam.find("carol"), "AKIACAROL00000000000")
    async with opened(desk, user="carol"):
        await desk.press("left", "d")
        await desk.sees("AKIACAROL00000000000 is inactive.")


async def test_verb_works_on_the_user_left_behind_when_one_moves_on(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await at_active(desk)
        gate: threading.Event = desk.iam.hold("iam:UpdateAccessKey")
        await desk.press("d")
        await desk.until(lambda: "◌ Inactive" in desk.line(ACTIVE_ID))
        await desk.press("left", "down")
        await desk.sees(BOB_ID)
        gate.set()
        await desk.sees(f"{ACTIVE_ID} is inactive.")
        await desk.settled()
        assert BOB_ID in desk.words
        assert "● Active" in desk.line(BOB_ID)
        await desk.press("up")
        await desk.until(lambda: "○ Inactive" in desk.line(ACTIVE_ID))
    assert desk.held("bob") == {BOB_ID: ACTIVE}


async def test_unreadable_keys_do_not_leave_another_users_on_screen(
    desk: Desk,
) -> None:
    async with opened(desk, user="bob"):
        desk.iam.deny = {"iam:ListAccessKeys"}
        await desk.press("left", "down")
        await desk.sees("iam:ListAccessKeys")
        await desk.settled()
        assert "▸ carol" in desk.text
        assert BOB_ID not in desk.text
        desk.sent.clear()
        await desk.press("y")
        await desk.pilot.pause()
        assert osc52(BOB_ID) not in "".join(desk.sent)


async def test_unwritable_journal_is_reported_beside_the_change(desk: Desk) -> None:
    desk.journal.path.parent.write_text("a file is in the way")
    async with opened(desk, user="alice", ready=False):
        await desk.sees(ACTIVE_ID)
        await desk.settled()
        await at_active(desk)
        await desk.press("d")
        await desk.sees("can't write its record", "The change itself was made.")
    assert desk.held("alice")[ACTIVE_ID] is INACTIVE


@pytest.mark.parametrize("smaller", [(80, 24), (60, 20), (59, 19), (100, 30)])
async def test_terminal_that_was_smaller_for_a_while_shows_all_again(
    desk: Desk, smaller: tuple[int, int]
) -> None:
    async with opened(desk, user="alice"):
        before = desk.text
        await desk.pilot.resize_terminal(*smaller)
        await desk.until(lambda: desk.text != before)
        await desk.pilot.resize_terminal(120, 40)
        await desk.until(lambda: desk.text == before)
