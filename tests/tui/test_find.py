"""Open at a key, and find one, without reading the account."""

import pytest
from textual import events

from keytui.core.model import KeyStatus
from keytui.tui.dialogs.dialogs import ChoiceScreen
from keytui.tui.keys.find import FindScreen
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, Desk, opened
from tests.support.sentinel import SENTINEL

ELSEWHERE = "AKIAELSEWHERE0000001"


def paste(desk: Desk, text: str) -> None:
    """Paste a text, as a terminal with bracketed paste hands it over."""
    desk.app.post_message(events.Paste(text))


async def test_opening_at_a_key_reads_it_and_its_owner_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keytui.tui.main.screen.REST_SECONDS", 0.0)
    async with opened(desk, key_ids=(BOB_ID,)):
        await desk.until(lambda: f"▸ {BOB_ID}" in desk.text)
        await desk.sees("1 user, r reads all", "3 h ec2")
        await desk.settled()
        assert desk.app.main.keys.table.has_focus
        assert desk.iam.calls == [
            "sts:GetCallerIdentity",
            f"iam:GetAccessKeyLastUsed {BOB_ID}",
            "iam:ListAccessKeys bob",
            "iam:ListUserTags bob",
        ]
        await desk.press("escape")
        await desk.sees("6 users", "carol")
        assert desk.iam.count("iam:ListUsers") == 1
        assert desk.iam.count("iam:ListAccessKeys") == 1


async def test_cursor_is_on_the_key_that_was_asked_for(desk: Desk) -> None:
    async with opened(desk, key_ids=(ACTIVE_ID,), size=(60, 20)):
        await desk.until(lambda: f"▸ {ACTIVE_ID}" in desk.text)
        await desk.settled()
        await desk.until(lambda: f"▸ {ACTIVE_ID}" in desk.text)
        assert desk.app.main.keys.find(INACTIVE_ID).last_used  # type: ignore[union-attr]
        assert "ListUsers" not in " ".join(desk.iam.calls)


async def test_key_typed_ahead_waits_for_the_key_that_is_looked_for(desk: Desk) -> None:
    gate = desk.iam.hold("sts:GetCallerIdentity")
    async with opened(desk, key_ids=(ACTIVE_ID,), ready=False):
        await desk.press("d")
        assert desk.iam.mutations == []
        gate.set()
        await desk.sees(f"{ACTIVE_ID} is inactive. u undoes it.")
        assert desk.held("alice")[ACTIVE_ID] is KeyStatus.INACTIVE
    assert desk.iam.mutations == [f"iam:UpdateAccessKey {ACTIVE_ID} Inactive"]
    assert desk.iam.count("iam:ListUsers") == 0


async def test_escape_gives_up_waiting_and_what_was_typed(desk: Desk) -> None:
    gate = desk.iam.hold("iam:GetAccessKeyLastUsed")
    async with opened(desk, key_ids=(ACTIVE_ID,), ready=False):
        await desk.sees(f"Looking for {ACTIVE_ID}")
        await desk.press("d", "escape")
        await desk.sees("Left; nothing was changed.", "no users, r reads all")
        gate.set()
        await desk.press("r")
        await desk.sees("6 users")
        await desk.settled()
    assert desk.iam.mutations == []


async def test_escape_while_connecting_opens_as_ever(desk: Desk) -> None:
    gate = desk.iam.hold("sts:GetCallerIdentity")
    async with opened(desk, key_ids=(ACTIVE_ID,), ready=False):
        await desk.sees("connecting")
        await desk.press("d", "escape")
        gate.set()
        await desk.sees("6 users", "▸ admin")
    assert desk.iam.mutations == []


async def test_another_accounts_key_is_said_to_be_that(desk: Desk) -> None:
    desk.iam.elsewhere[ELSEWHERE] = "999988887777"
    async with opened(desk, key_ids=(ELSEWHERE,), ready=False):
        await desk.sees(f"{ELSEWHERE} belongs to the account 999988887777")
        await desk.sees("Keyring: Secret Service", "no users, r reads all")
        await desk.press("r")
        await desk.sees("6 users")


async def test_ids_are_picked_out_of_a_pasted_log(desk: Desk) -> None:
    log = f"time=1 msg=x\nsource key={BOB_ID}\nallowed\n+ aws_access_key_id={ACTIVE_ID}\n"
    async with opened(desk):
        await desk.press("f")
        await desk.on(FindScreen)
        await desk.press("n", "enter")
        await desk.sees("No access key ID is in it")
        paste(desk, SENTINEL)
        await desk.sees("No access key ID is in what was pasted")
        assert SENTINEL[:8] not in desk.words
        paste(desk, log)
        await desk.sees(f"n {BOB_ID} {ACTIVE_ID}")
        await desk.press("enter")
        await desk.on(ChoiceScreen)
        await desk.press("down", "enter")
        await desk.until(lambda: f"▸ {ACTIVE_ID}" in desk.text)
        assert desk.app.main.keys.table.has_focus
        paste(desk, SENTINEL)  # Without f too.
        await desk.sees("No access key ID is in what was pasted")
        paste(desk, f"  see {BOB_ID}\n")
        await desk.until(lambda: f"▸ {BOB_ID}" in desk.text)
        await desk.sees("▸ bob", "6 users")


async def test_id_in_the_filter_is_looked_for(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("slash")
        paste(desk, BOB_ID)
        await desk.sees("enter finds it")
        await desk.press("enter")
        await desk.until(lambda: f"▸ {BOB_ID}" in desk.text)
        await desk.sees("▸ bob", "6 users")
        assert not desk.app.main.users.filter_line.value


async def test_id_that_is_cut_short_is_named_beside_the_key_found(desk: Desk) -> None:
    async with opened(desk, key_ids=(BOB_ID,), broken_ids=1):
        await desk.until(lambda: f"▸ {BOB_ID}" in desk.text)
        await desk.settled()
        await desk.sees("An access key ID in the text is cut short or mistyped.")


async def test_paste_with_an_id_cut_short_says_so(desk: Desk) -> None:
    async with opened(desk):
        paste(desk, f"{ACTIVE_ID[:-1]} and {BOB_ID}")
        await desk.until(lambda: f"▸ {BOB_ID}" in desk.text)
        await desk.sees("An access key ID in the text is cut short or mistyped.")
        paste(desk, f"only {ACTIVE_ID[:-1]}")
        await desk.sees("An access key ID in the text is cut short or mistyped.")
        await desk.press("f")
        await desk.on(FindScreen)
        paste(desk, f"{ACTIVE_ID[:-1]} and {BOB_ID}")
        await desk.sees(BOB_ID, "cut short or mistyped: AKIA and 16 more")
