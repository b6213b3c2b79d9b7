"""Read-only mode refuses every change, whatever key, click or command asks for it."""

import pytest

from keytui.core.model import KeyStatus
from keytui.journal.creations import attempts
from keytui.journal.log import Entry, Event
from keytui.tui.history.screen import HistoryScreen
from keytui.tui.main.screen import MainScreen
from tests.support.app import ACTIVE_ID, INACTIVE_ID, Desk, an_orphan, opened

CHANGES = {
    "c": "create",
    "d": "deactivate",
    "a": "activate",
    "x": "delete",
    "u": "undo",
    "R": "rotate",
}
REFUSAL = "keytui is in read-only mode."


async def test_badge_says_so(desk: Desk) -> None:
    async with opened(desk, read_only=True):
        assert "READ-ONLY" in desk.text.splitlines()[0]
    async with opened(desk):
        assert "READ-ONLY" not in desk.text


@pytest.mark.parametrize("at", ["first", "last"])
@pytest.mark.parametrize("key", CHANGES)
async def test_keys_are_refused(desk: Desk, key: str, at: str) -> None:
    async with opened(desk, user="alice", read_only=True):
        await desk.press("g" if at == "first" else "G", key)
        await desk.sees(REFUSAL, "Nothing was changed.", "without --read-only")
        assert desk.app.screen is desk.app.main
    assert desk.iam.mutations == []
    assert desk.journal.entries() == []


@pytest.mark.parametrize("action", CHANGES.values())
async def test_actions_are_refused_whatever_dispatches_them(desk: Desk, action: str) -> None:
    """The palette and the clicks run these."""
    async with opened(desk, user="alice", read_only=True):
        await desk.app.main.run_action(action)
        await desk.sees(REFUSAL)
        assert desk.app.screen is desk.app.main
    assert desk.iam.mutations == []


@pytest.mark.parametrize(
    ("label", "key_id"),
    [("Make inactive", ACTIVE_ID), ("Make active", INACTIVE_ID), ("Delete", INACTIVE_ID)],
)
async def test_clicks_are_refused(desk: Desk, label: str, key_id: str) -> None:
    async with opened(desk, user="alice", read_only=True, size=(140, 40)):
        await desk.click(label, key_id)
        await desk.sees(REFUSAL)
        assert desk.app.screen is desk.app.main
    assert desk.iam.mutations == []


@pytest.mark.parametrize("title", ["Create", "Make inactive", "Make active", "Delete", "Undo"])
async def test_palette_is_refused(desk: Desk, title: str) -> None:
    async with opened(desk, user="alice", read_only=True):
        (command,) = [c for c in desk.app.get_system_commands(desk.app.screen) if c.title == title]
        outcome = command.callback()
        assert outcome is not None
        await outcome
        await desk.sees(REFUSAL)
    assert desk.iam.mutations == []


async def test_hints_do_not_offer_changes(desk: Desk) -> None:
    async with opened(desk, user="alice", read_only=True):
        hints = desk.text.splitlines()[-1]
        for word in ("Create", "Make", "Delete ", "Undo"):
            assert word not in hints.replace("Deleted", "")
        assert "Filter" in hints


async def test_vaults_hints_do_not_offer_changes(desk: Desk) -> None:
    line = {"account": "123456789012", "user": "alice", "caller": "arn", "store": "keyring"}
    desk.journal.append(Entry("2026-01-15T09:00:00+00:00", Event.STORED, key_id=ACTIVE_ID, **line))
    async with opened(desk, read_only=True):
        await desk.press("V")
        await desk.sees("s Show")
        hints = desk.text.splitlines()[-1]
        assert "Test" in hints
        for word in ("Profile", "Forget"):
            assert word not in hints


async def test_everything_can_still_be_read(desk: Desk) -> None:
    async with opened(desk, user="alice", read_only=True):
        await desk.sees("● Active", "○ Inactive", "6 users")
        await desk.press("y")
        await desk.sees("was sent to the terminal's clipboard")
        await desk.press("r")
        await desk.settled()
        await desk.sees("6 users")
    assert desk.iam.mutations == []


async def test_orphan_key_is_shown_without_delete_in_read_only_mode(desk: Desk) -> None:
    attempt, key = an_orphan(desk)
    async with opened(desk, user="carol", read_only=True):
        await desk.sees(f"AWS made {key.id} for carol", "! 1 creation unfinished: H")
        await desk.press("H")
        await desk.on(HistoryScreen)
        await desk.press("enter")
        await desk.on_main()
        await desk.settled()
        await desk.sees(f"AWS made {key.id} for carol")
        assert "Delete it" not in desk.words
    assert "iam:DeleteAccessKey" not in " ".join(desk.iam.calls)
    assert desk.held("carol") == {key.id: KeyStatus.ACTIVE}
    assert attempt in {found.id for found in attempts(desk.journal.entries()) if found.open}


def test_every_change_is_among_those_tried_here() -> None:
    """A new binding is either harmless, or has to be added above."""
    harmless = {"filter", "copy", "refresh", "profile", "deleted", "help", "quit", "back"}
    harmless |= {"switch_pane", "to_keys", "to_users", "history", "find", "detail"}
    harmless |= {"mark", "audit"}
    harmless |= {"vault", "unlock"}  # See test_read_only_keys for what is refused there.
    actions = {b.action for b in MainScreen.BINDINGS}  # type: ignore[union-attr]
    assert actions == harmless | set(CHANGES.values())
