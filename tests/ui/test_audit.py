"""The audit: every key in one table, from the report and checked live, and what is done there."""

import json
from pathlib import Path

from keytui.model import KeyStatus
from keytui.ui.screens.audit import AuditScreen
from keytui.ui.screens.bulk import BulkScreen
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID, Desk, opened

IDS = (ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID)


async def test_every_key_stands_there_worst_first_with_its_id(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("A")
        await desk.on(AuditScreen)
        await desk.sees("4 keys, 1 with findings", "report made just now", *IDS)
        assert ACTIVE_ID in desk.line("old 1.14")
        places = [desk.text.index(key_id) for key_id in IDS]
        assert min(places) == places[0], "the one that fails stands first"
    assert sum(call == "iam:GetCredentialReport" for call in desk.iam.calls) >= 1


async def test_without_the_report_users_are_read_one_by_one(desk: Desk) -> None:
    desk.iam.deny = {"iam:GetCredentialReport", "iam:GenerateCredentialReport"}
    async with opened(desk):
        await desk.press("A")
        await desk.sees("read live: 6 of 6 users", "iam:GetCredentialReport is denied", *IDS)


async def test_filtered_by_a_rule_and_a_text_and_sorted(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("A")
        await desk.sees(*IDS)
        await desk.press("2")
        await desk.sees("1 of 4 keys shown")
        assert BOB_ID not in desk.text
        await desk.press("2", "slash", *"bob", "enter")
        await desk.until(lambda: ACTIVE_ID not in desk.text and BOB_ID in desk.text)
        await desk.press("escape", "U")
        await desk.until(lambda: "User ▲" in desk.text)
        assert desk.text.index(OWN_ID) < desk.text.index(ACTIVE_ID) < desk.text.index(BOB_ID)


async def test_marked_keys_are_made_inactive_after_a_summary_and_it_is_undone(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("A")
        await desk.sees(*IDS)
        await desk.press("slash", *"alice", "enter", "asterisk")
        await desk.sees("2 marked")
        await desk.press("d")
        await desk.on(BulkScreen)
        await desk.press("y")
        await desk.sees("1 of 1 done")
        await desk.press("escape")
        await desk.until(lambda: "○ Inactive" in desk.line(ACTIVE_ID))
        assert desk.held("alice")[ACTIVE_ID] is KeyStatus.INACTIVE
        await desk.press("u")
        await desk.until(lambda: desk.held("alice")[ACTIVE_ID] is KeyStatus.ACTIVE)


async def test_it_can_be_left_and_opened_again(desk: Desk) -> None:
    async with opened(desk):
        for _ in range(2):
            await desk.press("A")
            await desk.sees(*IDS)
            # What was checked is drawn, and the rows rest again.
            await desk.until(lambda: desk.app.screen._timers)
            await desk.press("escape")
            await desk.on_main()
        await desk.settled()
        assert desk.app.is_running


async def test_enter_goes_to_the_key(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("A")
        await desk.sees(*IDS)
        await desk.press("enter")
        await desk.on_main()
        await desk.until(lambda: desk.line("▸ AKIA").count(ACTIVE_ID) == 1)


async def test_what_is_shown_is_exported(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "audit.json"
    async with opened(desk):
        await desk.press("A")
        await desk.sees(*IDS)
        await desk.press("2", "e")
        await desk.sees("Export 1 key")
        await desk.press("ctrl+u")
        await desk.write(str(file))
        await desk.press("enter")
        await desk.sees("1 key")
        await desk.until(file.exists)
    (row,) = json.loads(file.read_text())
    assert (row["key_id"], row["user"]) == (ACTIVE_ID, "alice")
    assert file.stat().st_mode & 0o777 == 0o600


async def test_a_user_deleted_meanwhile_leaves_the_table(desk: Desk) -> None:
    async with opened(desk):
        await desk.settled()
        desk.iam.remove_user("bob")
        await desk.press("A")
        await desk.sees("3 keys", ACTIVE_ID)
        assert BOB_ID not in desk.text
