"""How the audit reads: the report first, then AWS itself; nothing more than is looked at."""

import re
import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from keytui.audit.pace import AT_ONCE
from keytui.core.errors import CredentialsError
from keytui.core.model import KeyStatus
from keytui.tui.audit.screen import AuditScreen
from keytui.tui.keys.bulk import BulkScreen
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID, Desk, opened
from tests.support.fake_iam import START
from tests.support.listing import Listing, add_users, hurry

REPORT = {"iam:GetCredentialReport", "iam:GenerateCredentialReport"}
EVE_ID = "AKIAEVEOLDEST0000001"


@pytest.fixture
def listing(desk: Desk) -> Listing:
    """What stands before ListAccessKeys."""
    return Listing(desk)


def readers() -> set[threading.Thread]:
    """Return the threads that read users' keys."""
    return {one for one in threading.enumerate() if one.name == "keytui-parallel"}


def changing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> set[threading.Thread]:
    """Return the threads that change the audit from now on."""
    audit, threads = desk.app.main.stage.account.audit, set[threading.Thread]()
    changed = audit._changed

    def noted() -> None:
        threads.add(threading.current_thread())
        changed()

    monkeypatch.setattr(audit, "_changed", noted)
    return threads


async def test_stale_report_and_a_fresh_status_then_a_new_report(
    desk: Desk, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.iam.report = (desk.iam.report_csv(), START - timedelta(hours=5))
    (active,) = (key for key in desk.iam.held(desk.iam.find("alice")) if key.id == ACTIVE_ID)
    desk.iam.set_status(active, KeyStatus.INACTIVE)
    making = desk.iam.hold("iam:GenerateCredentialReport")
    async with opened(desk):
        changers = changing(desk, monkeypatch)
        listing.held = lambda _: True
        await desk.press("A")
        await desk.sees("4 keys, 1 with findings", "report made 5 h ago, AWS makes a new one…")
        row = desk.line("old 1.14")
        assert "alice" in row
        assert " … " in row
        assert "● Active" in row
        assert ACTIVE_ID not in desk.text

        listing.go.set()
        await desk.sees(ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID, "4 keys, 0 with findings")
        assert "○ Inactive" in desk.line(ACTIVE_ID)
        assert "1.14" not in desk.line(ACTIVE_ID)
        assert "s3 eu-west-1" in desk.line(ACTIVE_ID)
        await desk.press("g")
        here = desk.line("▸").split()[2]

        long_ago = START - timedelta(days=300)
        desk.iam.add_key(desk.iam.add_user("eve"), EVE_ID, created=long_ago)
        read = listing.asked.total()
        making.set()
        await desk.sees("5 keys, 1 with findings", "report made just now", EVE_ID, ACTIVE_ID)
        assert "○ Inactive" in desk.line(ACTIVE_ID)
        assert here in desk.line("▸"), "the cursor stays on its key, and eve's stands above"
        assert desk.text.index(EVE_ID) < desk.text.index("▸")
        assert listing.asked.total() == read + 1, "what was read live stays"
        assert changers == {threading.current_thread()}


async def test_what_is_here_can_be_worked_on_while_all_users_are_read(
    desk: Desk, listing: Listing
) -> None:
    desk.iam.deny |= REPORT
    desk.iam.mfa = {"alice"}
    add_users(desk, 20)
    async with opened(desk):
        await hurry(desk)
        listing.held = lambda name: name.startswith("user")
        await desk.press("A")
        screen = await desk.on(AuditScreen)
        await desk.sees("read live: 6 of 26 users…", ACTIVE_ID, BOB_ID)
        await desk.sees("no credential report: iam:GetCredentialReport is denied")
        assert desk.line(ACTIVE_ID).split()[-1] == "on"
        assert desk.line(BOB_ID).split()[-1] == "off"
        screen.reader.progress.began -= 100
        screen.draw()
        await desk.until(lambda: re.search(r"6 of 26 users, about \d min left", desk.text))

        await desk.press("slash", *"old", "enter", "asterisk", "escape")
        await desk.sees("1 marked", "4 of 4 keys shown")
        await desk.press("d")
        await desk.on(BulkScreen)
        await desk.press("y")
        await desk.sees("1 of 1 done")
        await desk.press("escape")
        await desk.until(lambda: "○ Inactive" in desk.line(ACTIVE_ID))
        assert "read live: 6 of 26 users" in desk.text
        assert desk.held("alice")[ACTIVE_ID] is KeyStatus.INACTIVE

        await desk.press("escape")
        await desk.on_main()
        assert listing.under_way == AT_ONCE, "nobody waits for what is under way"
        desk.iam.calls.clear()
        listing.go.set()
        await desk.until(lambda: not readers())
        assert sum(name.startswith("user") for name in listing.asked) == AT_ONCE
        assert not [call for call in desk.iam.calls if "LastUsed" in call]
        assert desk.app.is_running


async def test_keytui_can_be_left_while_all_users_are_read(desk: Desk, listing: Listing) -> None:
    desk.iam.deny |= REPORT
    async with opened(desk):
        await hurry(desk)
        listing.held = lambda _: True
        await desk.press("A")
        await desk.sees("read live: ")
        await desk.press("ctrl+q")
        await desk.until(lambda: not desk.app.is_running)
        assert desk.app.return_code == 0


async def test_few_at_once_and_no_word_of_throttling(desk: Desk, listing: Listing) -> None:
    desk.iam.deny |= REPORT
    add_users(desk, 30)
    async with opened(desk):
        await hurry(desk)
        listing.held = lambda _: True
        listing.throttled = range(12, 18)
        await desk.press("A")
        await desk.until(lambda: listing.under_way >= AT_ONCE)
        listing.go.set()
        await desk.sees("read live: 36 of 36 users", "34 keys, 1 with findings")
        assert listing.most == AT_ONCE
        assert max(listing.asked.values()) > 1, "what was throttled was asked again"
        assert "not all could be read" not in desk.text
        assert "Rate exceeded" not in desk.text


async def test_reading_that_leads_nowhere_ends_and_says_so(desk: Desk, listing: Listing) -> None:
    desk.iam.deny |= REPORT
    desk.iam.errors["iam:ListAccessKeys"] = CredentialsError("The session has expired.")
    add_users(desk, 90)
    async with opened(desk):
        await hurry(desk)
        listing.asked.clear()
        await desk.press("A")
        await desk.sees("read live: 0 of 96 users")
        await desk.sees("not all could be read (96 users): The session has expired.")
        assert listing.asked.total() < 3 * AT_ONCE


async def test_user_deleted_while_being_read(desk: Desk, listing: Listing) -> None:
    async with opened(desk):
        listing.held = lambda name: name == "bob"
        await desk.press("A")
        await desk.sees("4 keys", ACTIVE_ID)
        assert " … " in desk.line("bob")
        desk.iam.remove_user("bob")
        listing.go.set()
        await desk.sees("3 keys", ACTIVE_ID)
        assert "bob" not in desk.text


async def test_what_may_not_be_read_stays_open_beside_what_may(desk: Desk) -> None:
    desk.iam.deny |= REPORT | {"iam:GetAccessKeyLastUsed", "iam:ListMFADevices"}
    async with opened(desk):
        await desk.press("A")
        await desk.sees("read live: 6 of 6 users", ACTIVE_ID, "You may not do this: iam:")
        assert desk.line(ACTIVE_ID).split()[-4:] == ["–", "old", "1.14", "–"]
        assert "not all could be read" not in desk.text


async def test_r_reads_what_is_in_sight_again(desk: Desk, listing: Listing) -> None:
    desk.iam.deny |= REPORT
    async with opened(desk):
        await desk.press("A")
        await desk.sees("read live: 6 of 6 users", ACTIVE_ID)
        (bob,) = desk.iam.held(desk.iam.find("bob"))
        desk.iam.set_status(bob, KeyStatus.INACTIVE)
        await desk.press("r")
        await desk.until(lambda: "○ Inactive" in desk.line(BOB_ID))


async def test_only_what_is_in_sight_is_read_live(desk: Desk, listing: Listing) -> None:
    ids = add_users(desk, 90)
    async with opened(desk):
        await hurry(desk)
        listing.asked.clear()
        await desk.press("A")
        await desk.sees("94 keys", ids[0])
        await desk.loses(" … ")
        first = {f"user{number:03d}" for number, key_id in enumerate(ids) if key_id in desk.text}
        assert set(listing.asked) == first | {"alice"}
        assert ids[60] not in desk.text
        await desk.press("pagedown")
        await desk.loses(" … ")
        here = {f"user{number:03d}" for number, key_id in enumerate(ids) if key_id in desk.text}
        assert here - first
        assert set(listing.asked) == first | here | {"alice"}
        await desk.press("g", "G")
        await desk.sees(ids[-1])
        await desk.loses(" … ")
        assert set(listing.asked.values()) == {1}, "nobody is asked about twice"


async def test_what_was_scrolled_past_is_read_when_it_is_seen_again(
    desk: Desk, listing: Listing
) -> None:
    ids = add_users(desk, 90)
    async with opened(desk):
        await hurry(desk)
        listing.held = lambda _: True
        await desk.press("A")
        await desk.until(lambda: listing.under_way == AT_ONCE)
        at_calls = readers()
        await desk.press("G")
        await desk.until(lambda: len(readers() - at_calls) == AT_ONCE)
        in_line = readers() - at_calls
        assert listing.under_way == AT_ONCE, "the others wait for one of these to end"
        await desk.press("g")
        await desk.until(lambda: not in_line & readers())
        listing.go.set()
        await desk.sees(ids[0])
        await desk.loses(" … ")
        await desk.press("G")
        await desk.sees(ids[-1])
        await desk.loses(" … ")
        assert "Left." not in desk.text
        assert listing.most == AT_ONCE


async def test_stale_report_is_renewed_when_the_audit_opens(
    desk: Desk,
) -> None:
    desk.iam.report = (desk.iam.report_csv(), START - timedelta(hours=3))
    now = [START]
    desk.iam.clock = lambda: now[0]
    async with opened(desk):
        desk.app.main.stage.ctx = replace(desk.app.main.ctx, now=lambda: now[0])
        await desk.press("A")
        await desk.sees("report made 3 h ago")
        await desk.press("escape")
        await desk.on_main()
        now[0] += timedelta(hours=2)
        await desk.press("A")
        await desk.sees("report made just now")


async def test_missing_report_is_explained_even_after_a_refresh(
    desk: Desk,
) -> None:
    desk.iam.deny = {"iam:GetCredentialReport"}
    gate = desk.iam.hold("iam:GetCredentialReport")
    async with opened(desk):
        await desk.until(lambda: desk.app.main.stage.account.report_task)
        before = desk.app.main.stage.account
        await desk.press("r")
        await desk.until(lambda: desk.app.main.stage.account is not before)
        gate.set()
        await desk.settled()
        await desk.press("A")
        await desk.sees("no credential report: iam:GetCredentialReport is denied")


async def test_what_could_not_be_read_is_told_no_more_once_it_was(desk: Desk) -> None:
    async with opened(desk):
        await desk.settled()
        desk.iam.deny = {"iam:ListAccessKeys"}
        await desk.press("A")
        await desk.sees("iam:ListAccessKeys is denied")
        desk.iam.deny = set()
        await desk.press("r")
        await desk.sees(ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID)
        await desk.loses("is denied")
