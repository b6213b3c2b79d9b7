"""The audit: every key in one table, filtered, sorted, exported, and what it tells the users."""

import csv
import json
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from keytui.audit.view import Column
from keytui.core.model import ROOT_USER, KeyStatus, LastUsed
from keytui.core.rules import Thresholds
from keytui.tui.audit.screen import AuditScreen
from keytui.tui.dialogs.dialogs import PathScreen
from tests.support.app import (
    ACTIVE_ID,
    BOB_ID,
    INACTIVE_ID,
    OWN_ID,
    SECONDS,
    Desk,
    GatedIam,
    opened,
)
from tests.support.fake_iam import START

IDS = (ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID)
EVERYBODY = ("admin", "alice", "bob", "dan", "eve", "fay", "gus", "<root account>")
TIGHT = {Column.AGE: "Age ▲", Column.MFA: "MFA▲"}
"""What stands above columns that have no room for their title and its arrow."""
ORDERS: dict[Column, tuple[str, ...]] = {
    Column.USER: (OWN_ID, ACTIVE_ID, INACTIVE_ID, BOB_ID),
    Column.KEY: (ACTIVE_ID, INACTIVE_ID, BOB_ID, OWN_ID),
    Column.STATUS: (ACTIVE_ID, OWN_ID, BOB_ID, INACTIVE_ID),
    Column.AGE: (INACTIVE_ID, ACTIVE_ID, BOB_ID, OWN_ID),
    Column.LAST_USED: (INACTIVE_ID, OWN_ID, ACTIVE_ID, BOB_ID),
    Column.MFA: (OWN_ID, BOB_ID, ACTIVE_ID, INACTIVE_ID),
    Column.FINDINGS: (ACTIVE_ID, INACTIVE_ID, OWN_ID, BOB_ID),
}
"""How each column sorts the account's keys; what is equal stays worst first."""


async def stand(desk: Desk, title: str, *ids: str) -> None:
    """Wait until the rows stand in this order, below a title with its arrow."""

    def reached() -> bool:
        places = [desk.text.find(key_id) for key_id in ids]
        return title in desk.text and places == sorted(places) and min(places) > 0

    await desk.until(reached)


def add_findings(desk: Desk) -> None:
    """Add a user for each other rule and an inactive key, and a key of the root user."""
    ago = {days: START - timedelta(days=days) for days in (1, 50, 60)}
    lately = LastUsed(ago[1], "s3", "eu-west-1")
    desk.iam.add_key(ROOT_USER, created=ago[1], last_used=lately)
    dan, eve, fay, gus = map(desk.iam.add_user, ("dan", "eve", "fay", "gus"))
    desk.iam.add_key(dan, created=ago[60], last_used=LastUsed(ago[50], "s3", "eu-west-1"))
    desk.iam.add_key(eve, created=ago[50])
    desk.iam.add_key(gus, created=ago[60], status=KeyStatus.INACTIVE, last_used=lately)
    for _ in range(2):
        desk.iam.add_key(fay, created=ago[1], last_used=lately)


async def show(desk: Desk, keys: int, *names: str) -> None:
    """Wait until so many keys are shown, of these users and no others."""

    def reached() -> bool:
        lines = desk.text.splitlines()
        rows = [line for line in lines if "● Active" in line or "○ Inactive" in line]
        found = {name for name in EVERYBODY if any(f" {name} " in row for row in rows)}
        counted = f"{keys} of 10 keys shown" in desk.text
        return counted and len(rows) == keys and found == set(names)

    await desk.until(reached)


async def test_every_key_stands_there_worst_first_with_its_id(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("A")
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


async def test_letter_or_a_click_sorts_and_again_the_other_way(desk: Desk) -> None:
    desk.iam.mfa = {"alice"}
    async with opened(desk):
        await desk.press("A")
        await desk.sees(*IDS)
        for column, order in ORDERS.items():
            await desk.press(column.letter)
            await stand(desk, TIGHT.get(column, f"{column.title} ▲"), *order)
            assert desk.line("▸") == desk.line(order[0]), "at the top the cursor stays there"
        await desk.press("F")
        await stand(desk, "Findings ▼", BOB_ID, OWN_ID, INACTIVE_ID, ACTIVE_ID)
        for column, order in ORDERS.items():
            await desk.click(column.title, "Access key ID")
            await stand(desk, TIGHT.get(column, f"{column.title} ▲"), *order)
        await desk.click("Created", "Access key ID")
        await desk.sees("Age ▲")
        await desk.press("j")  # Away from the top the cursor goes with its key.
        assert ACTIVE_ID in desk.line("▸")
        await desk.click("Age ▲")
        await stand(desk, "Age ▼", OWN_ID, BOB_ID, ACTIVE_ID, INACTIVE_ID)
        assert ACTIVE_ID in desk.line("▸")


async def test_words_of_the_filter_and_the_rules_by_key_and_click(desk: Desk) -> None:
    add_findings(desk)
    found = {
        "root": "<root account>",
        "old": "alice",
        "unused": "dan",
        "never-used": "eve",
        "two-active": "fay",
        "ec2": "bob",
    }
    async with opened(desk):
        await desk.press("A")
        await desk.sees("10 keys, 6 with findings", BOB_ID)
        for word, name in found.items():
            await desk.press("slash", "ctrl+u")
            await desk.paste(word)
            await show(desk, 2 if name == "fay" else 1, name)
        await desk.press("slash", "ctrl+u")
        await desk.paste("inactive")
        await show(desk, 2, "alice", "gus")
        await desk.press("escape")
        await show(desk, 10, *EVERYBODY)
        for number, name in enumerate([*found.values()][:5], 1):
            await desk.press(f"{number}")
            await show(desk, 2 if name == "fay" else 1, name)
            await desk.press(f"{number}")
        await show(desk, 10, *EVERYBODY)
        assert "1 of 8 fail" in desk.line("1 root key")
        assert "2 of 8 fail" in desk.line("5 two active")
        await desk.click("never used", "pass")
        await desk.click("two active", "pass")  # Any of the rules chosen.
        await show(desk, 3, "eve", "fay")
        await desk.click("never used", "pass")
        await show(desk, 2, "fay")


async def test_thresholds_are_those_of_the_config(desk: Desk) -> None:
    async with opened(desk, limits=Thresholds(old_days=9, unused_days=2)):
        await desk.press("A")
        await desk.sees("4 keys, 2 with findings", *IDS)
        assert "old 1.14, unused 1.12" in desk.line(ACTIVE_ID)
        assert "old 1.14" in desk.line(BOB_ID)
        assert "2 of 3 fail" in desk.line("2 old")


@pytest.mark.parametrize("size", [(80, 24), (60, 20)])
async def test_what_never_leaves_a_small_screen(desk: Desk, size: tuple[int, int]) -> None:
    add_findings(desk)
    async with opened(desk, size=size):
        await desk.press("A")
        await desk.sees("10 keys", ACTIVE_ID, BOB_ID, "Access key ID")
        await desk.sees("10 of 10 keys shown", "? Help", "esc Back")
        words = desk.line(ACTIVE_ID).split()
        assert [words[0], *words[1:4]] == ["alice", ACTIVE_ID, "●", "Active"]
        assert "old" in words
        assert "never" in desk.line(" eve ")
        assert max(map(len, desk.text.splitlines())) <= size[0]
        await desk.click("2 old", "1 root")
        await show(desk, 1, "alice")


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


async def test_while_r_connects_anew_it_waits_for_the_account_to_come(desk: Desk) -> None:
    other = GatedIam(caller="bert")
    other.add_key(other.find("bert"), "AKIABERTSOWNKEY00001")
    go = desk.iam.gates["connecting"] = threading.Event()
    async with opened(desk):

        def connect(_: str | None) -> GatedIam:
            go.wait(SECONDS)
            return other

        desk.connecting = connect
        await desk.press("r")
        await desk.until(lambda: len(desk.connected) == 2)
        await desk.press("A")
        go.set()
        await desk.on(AuditScreen)
        await desk.sees("AKIABERTSOWNKEY00001")
        assert ACTIVE_ID not in desk.text


async def test_going_to_the_users_ends_no_connecting(desk: Desk) -> None:
    go = desk.iam.gates["connecting"] = threading.Event()
    async with opened(desk, key_ids=(ACTIVE_ID,)):

        def connect(_: str | None) -> GatedIam:
            go.wait(SECONDS)
            return desk.iam

        desk.connecting = connect
        await desk.press("r")
        await desk.until(lambda: len(desk.connected) == 2)
        await desk.press("left", "A")
        go.set()
        await desk.on(AuditScreen)
        await desk.press("escape")
        await desk.sees("6 users")


async def test_enter_goes_to_the_key(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("A")
        await desk.sees(*IDS)
        await desk.press("enter")
        await desk.on_main()
        await desk.until(lambda: desk.line("▸ AKIA").count(ACTIVE_ID) == 1)


async def test_what_is_shown_is_exported_once(desk: Desk, tmp_path: Path) -> None:
    async def export(path: Path, keys: str) -> None:
        await desk.press("e")
        await desk.on(PathScreen)
        await desk.sees(f"Export {keys} as CSV, or as JSON (.json)")
        await desk.press("ctrl+u")
        await desk.paste(str(path))
        await desk.press("enter")

    table, objects = tmp_path / "audit.csv", tmp_path / "audit.json"
    async with opened(desk):
        await desk.press("A")
        await desk.sees(*IDS)
        await export(table, "4 keys")
        await desk.sees("4 keys are in ")
        kept = table.read_bytes()
        await desk.press("2")
        await export(table, "1 key")
        await desk.sees("Nothing was written.")
        assert table.read_bytes() == kept
        await export(tmp_path / "no folder" / "x.csv", "1 key")
        await desk.sees("no folder", "Nothing was written.")
        await export(objects, "1 key")
        await desk.sees("1 key is in ")
    rows = list(csv.DictReader(kept.decode().splitlines()))
    assert [row["key_id"] for row in rows] == [ACTIVE_ID, INACTIVE_ID, OWN_ID, BOB_ID]
    assert (rows[0]["user"], rows[0]["findings"], rows[0]["live"]) == ("alice", "old", "true")
    (only,) = json.loads(objects.read_text())
    assert (only["key_id"], only["user"]) == (ACTIVE_ID, "alice")
    assert objects.stat().st_mode & 0o777 == table.stat().st_mode & 0o777 == 0o600


async def test_user_deleted_meanwhile_leaves_the_table(desk: Desk) -> None:
    async with opened(desk):
        await desk.settled()
        desk.iam.remove_user("bob")
        await desk.press("A")
        await desk.sees("3 keys", ACTIVE_ID)
        assert BOB_ID not in desk.text


async def test_user_list_tells_how_many_keys_and_the_worst_finding(desk: Desk) -> None:
    add_findings(desk)
    async with opened(desk):
        await desk.sees("alice 2 old", "bob 1", "carol 0", "eve 1 never used", "fay 2 two active")
        assert desk.iam.count("iam:ListAccessKeys") == 1, "all but the first are the report's"
        await desk.press("A")
        await desk.sees("10 keys", ACTIVE_ID)
        await desk.press("2", "d", "y")
        await desk.sees("1 of 1 done")
        await desk.press("escape")
        await desk.sees("1 key is inactive. u undoes that.")
        await desk.press("escape", "escape")
        await desk.on_main()
        await desk.loses("alice 2 old")
        assert desk.line(" alice ").split()[:2] == ["alice", "2"]
        assert desk.held("alice")[ACTIVE_ID] is KeyStatus.INACTIVE
        await desk.press("u")
        await desk.sees("alice 2 old")


async def test_audit_rechecks_older_reads_and_updates_the_user_list(
    desk: Desk,
) -> None:
    async with opened(desk, size=(140, 40)):
        await desk.press("j")
        await desk.until(lambda: "2 old" in desk.line("▸ alice"))
        await desk.settled()
        desk.now += timedelta(minutes=2)
        (active,) = (key for key in desk.iam.held(desk.iam.find("alice")) if key.id == ACTIVE_ID)
        desk.iam.set_status(active, KeyStatus.INACTIVE)
        await desk.press("A")
        await desk.until(lambda: "○ Inactive" in desk.line(ACTIVE_ID))
        await desk.press("escape")
        await desk.on_main()
        assert desk.line("▸ alice").split("│")[0].split() == ["▸", "alice", "2"]
