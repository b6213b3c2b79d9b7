"""Creations that were cut short: told at the start, looked into on request, left at will."""

import time

import pytest

from keytui.core.errors import LostReplyError, StoreLockedError, UnreachableError
from keytui.core.model import KeyStatus, LastUsed, NewAccessKey, Secret, User
from keytui.journal.log import Event
from keytui.tui.dialogs.dialogs import ConfirmScreen, WorkingScreen
from keytui.tui.history.screen import HistoryScreen
from keytui.tui.keys.change import DeleteScreen
from keytui.tui.keys.create import CreateScreen
from keytui.tui.keys.recover import OrphanScreen
from keytui.tui.keys.reveal import RevealScreen
from tests.support.app import BOB_ID, Desk, GatedIam, an_orphan, earlier_run, opened
from tests.support.fake_iam import START

BADGE = "! 1 creation unfinished: H"


class SlowAfter(GatedIam):
    """Loses the reply to a creation; from then on listings wait for a gate."""

    def create_key(self, user: User) -> NewAccessKey:
        self.hold("iam:ListAccessKeys")
        return super().create_key(user)


@pytest.fixture
def slow(desk: Desk) -> Desk:
    """An account with carol alone, whose keys can't be listed soon after a lost reply."""
    desk.iam = SlowAfter()
    desk.iam.add_user("carol")
    desk.iam.lose_reply = True
    return desk


async def looking(desk: Desk) -> None:
    """Create a key for carol and be looking for what became of it."""
    await desk.press("c")
    await desk.on(CreateScreen)
    await desk.sees("✓ can be written")
    await desk.press("enter")
    await desk.sees("Looking into a creation that was cut short", "Looking for the key at AWS…")


async def look_into_the_first(desk: Desk) -> None:
    """Look into what stands first in the history."""
    await desk.press("H")
    await desk.on(HistoryScreen)
    await desk.press("enter")


# At the start.


async def test_orphan_is_told_and_no_dialog_opens(desk: Desk) -> None:
    _, key = an_orphan(desk)
    async with opened(desk):
        await desk.sees(
            f"AWS made {key.id} for carol, but its secret did not arrive.",
            "Nobody can use it. H offers to delete it.",
            BADGE,
        )
        await desk.settled()
        assert desk.app.screen is desk.app.main
    assert desk.iam.mutations == []
    assert desk.held("carol") == {key.id: KeyStatus.ACTIVE}


async def test_keys_typed_meanwhile_do_what_they_should(desk: Desk) -> None:
    """Somebody has opened keytui to shut off a leaked key."""
    _, key = an_orphan(desk)
    async with opened(desk, user="bob", ready=False):
        await desk.sees(BOB_ID, BADGE)
        gate = desk.iam.hold("iam:GetAccessKeyLastUsed")
        await desk.press("d")
        gate.set()
        await desk.on(ConfirmScreen)
        await desk.press("y")
        await desk.sees(f"{BOB_ID} is inactive.")
        assert BADGE in desk.words
    assert desk.held("bob") == {BOB_ID: KeyStatus.INACTIVE}
    assert desk.held("carol") == {key.id: KeyStatus.ACTIVE}


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_badge_and_the_dialog_can_be_read_at_any_size(
    desk: Desk, size: tuple[int, int]
) -> None:
    _, key = an_orphan(desk)
    async with opened(desk, size=size, ready=False):
        await desk.sees(BADGE, key.id)
        await look_into_the_first(desk)
        await desk.on(OrphanScreen)
        await desk.sees(
            "A key whose secret is lost",
            f"AWS made {key.id} for carol",
            "enter means yes",
            "y Delete it",
            "n Not now",
            "o Leave it, and ask no more",
        )


async def test_secret_that_was_kept_after_all_is_told_and_closed(desk: Desk) -> None:
    """Killed after the keyring had it and before that was written down."""
    earlier = earlier_run(desk)
    custody = earlier.create(desk.iam.find("carol"), None)
    key_id = custody.new.key.id
    desk.keyring.kept[key_id] = Secret("kept")
    earlier.let_go(custody)
    async with opened(desk):
        await desk.sees(f"✓ The secret of {key_id} of carol, made on", "is in the OS keyring.")
        assert "unfinished" not in desk.words
        assert desk.app.screen is desk.app.main
    assert desk.journal.entries()[-1].event is Event.STORED


async def test_several_are_told_in_one_breath(desk: Desk) -> None:
    an_orphan(desk)
    an_orphan(desk, "team-one")
    async with opened(desk):
        await desk.sees("! 2 creations unfinished: H", "1 more creation cut short: H lists them.")


async def test_nothing_is_told_where_nothing_is_open(desk: Desk) -> None:
    async with opened(desk):
        await desk.settled()
        assert "unfinished" not in desk.words
        assert "cut short" not in desk.words


async def test_one_that_another_keytui_works_on_is_left_alone(desk: Desk) -> None:
    other = earlier_run(desk)
    custody = other.create(desk.iam.find("carol"), None)
    async with opened(desk):
        await desk.settled()
        assert custody.new.key.id not in desk.words
        assert "unfinished" not in desk.words
        await look_into_the_first(desk)
        await desk.sees("It is being looked into just now, or has been ended: H tells.")
        await desk.on_main()
    assert desk.held("carol") == {custody.new.key.id: KeyStatus.ACTIVE}
    other.let_go(custody)


async def test_what_is_shown_here_is_not_looked_into_by_a_refresh(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.sees("✓ can be written")
        await desk.press("down", "down", "enter")
        await desk.on(RevealScreen)
        desk.app.main.reader.look_around()
        await desk.settled()
        await desk.press("k")
        await desk.sees("read back")
        await desk.press("escape")
        await desk.on_main()
        assert "unfinished" not in desk.words


async def test_what_another_keytui_has_ended_is_counted_no_more(desk: Desk) -> None:
    attempt, key = an_orphan(desk)
    async with opened(desk):
        await desk.sees(BADGE)
        earlier_run(desk).discard_key(key, attempt)
        await desk.press("r")
        await desk.loses("unfinished")


# In the dialog.


async def test_key_found_after_a_kill_is_not_deleted_by_enter(desk: Desk) -> None:
    """It may be somebody else's, made at that very moment."""

    def killed(user: User) -> NewAccessKey:
        real(user)
        raise LostReplyError("Killed.")

    real, desk.iam.create_key = desk.iam.create_key, killed  # type: ignore[method-assign]
    an_orphan(desk)
    lines = desk.journal.path.read_text().splitlines(keepends=True)
    desk.journal.path.write_text("".join(line for line in lines if '"reply lost"' not in line))
    async with opened(desk):
        await desk.sees(BADGE)
        await look_into_the_first(desk)
        await desk.on(OrphanScreen)
        await desk.sees("Unless somebody else created it at that moment, nobody can use it.")
        assert "enter means yes" not in desk.words
        await desk.press("enter")
        await desk.on_main()
        await desk.settled()
        (key_id,) = desk.held("carol")
        await look_into_the_first(desk)
        await desk.on(OrphanScreen)
        await desk.press("y")
        await desk.on(DeleteScreen)
        await desk.press("enter")
        await desk.on_main()
        await desk.settled()
        assert len(desk.held("carol")) == 1
        await look_into_the_first(desk)
        await desk.on(OrphanScreen)
        await desk.press("y")
        await desk.on(DeleteScreen)
        await desk.press(*key_id[-4:], "enter")
        await desk.sees("is deleted.")
    assert desk.held("carol") == {}


async def test_where_two_may_be_the_one_neither_is_deleted(desk: Desk) -> None:
    _, key = an_orphan(desk)
    desk.iam.add_key(desk.iam.find("carol"), "AKIASOMEBODYELSES001", created=START)
    async with opened(desk):
        await desk.sees("keytui can't tell which is its own", BADGE)
        await look_into_the_first(desk)
        await desk.on(OrphanScreen)
        await desk.sees(key.id, "AKIASOMEBODYELSES001", "keytui deletes neither by itself")
        assert "Delete it" not in desk.words
        await desk.press("y")
        await desk.pilot.pause()
        assert isinstance(desk.app.screen, OrphanScreen)
        await desk.press("enter")
        await desk.on_main()
    assert len(desk.held("carol")) == 2
    assert desk.iam.mutations == []


async def test_key_that_somebody_uses_can_not_be_deleted_here(desk: Desk) -> None:
    _, key = an_orphan(desk)
    desk.iam._uses[key.id] = LastUsed(START, "s3", "eu-west-1")
    async with opened(desk):
        await desk.sees(BADGE)
        await look_into_the_first(desk)
        await desk.on(OrphanScreen)
        await desk.sees(
            "A key that somebody uses",
            "It was used at 2026-01-15 09:00:00 UTC: somebody has its secret.",
            "x deletes it as any other key",
        )
        assert "Delete it" not in desk.words
        await desk.press("y")
        await desk.pilot.pause()
        assert isinstance(desk.app.screen, OrphanScreen)
        await desk.press("enter")
        await desk.on_main()
    assert desk.held("carol") == {key.id: KeyStatus.ACTIVE}


async def test_keyring_that_is_locked_leaves_it_open(desk: Desk) -> None:
    _, key = an_orphan(desk, store=desk.keyring)
    desk.keyring.trouble = StoreLockedError("The keyring is locked.", next_step="Unlock it.")
    async with opened(desk, ready=False):
        await desk.sees(BADGE, "whether its secret is kept can't be seen now", "Unlock it.")
        await look_into_the_first(desk)
        await desk.on_main()
        await desk.sees(f"{key.id} of carol exists")
        desk.keyring.trouble = None
        await look_into_the_first(desk)
        await desk.on(OrphanScreen)
    assert desk.iam.mutations == []


async def test_deletion_that_is_refused_leaves_it_open(desk: Desk) -> None:
    _, key = an_orphan(desk)
    desk.iam.deny = {"iam:UpdateAccessKey"}
    async with opened(desk):
        await desk.sees(BADGE)
        await look_into_the_first(desk)
        await desk.on(OrphanScreen)
        await desk.press("y")
        await desk.sees("iam:UpdateAccessKey is denied", BADGE)
    assert list(desk.held("carol")) == [key.id]


# While it is looked into.


async def test_esc_leaves_it_at_once_and_it_stays_open(slow: Desk) -> None:
    async with opened(slow, user="carol"):
        await looking(slow)
        await slow.sees("15 at most", "esc Wait no longer")
        await slow.press("escape")
        await slow.on_main()
        await slow.sees("Whether AWS has made a key is not known yet.", "H looks again.", BADGE)
        assert not slow.iam.gates["iam:ListAccessKeys"].is_set()
        slow.iam.gates["iam:ListAccessKeys"].set()
        await slow.until(lambda: not list(slow.journal.path.parent.glob("*.lock")))
        await look_into_the_first(slow)
        await slow.on(OrphanScreen)
    assert slow.iam.count("iam:CreateAccessKey") == 1


@pytest.mark.parametrize("key", ["ctrl+q", "ctrl+c"])
async def test_keytui_can_be_left_at_once(slow: Desk, key: str) -> None:
    async with opened(slow, user="carol"):
        await looking(slow)
        began = time.monotonic()
        await slow.press(key)
        await slow.until(lambda: not slow.app.is_running)
        assert time.monotonic() - began < 5
    assert slow.held("carol") != {}


async def test_other_keys_do_nothing_meanwhile(slow: Desk) -> None:
    async with opened(slow, user="carol"):
        await looking(slow)
        await slow.press("enter", "q", "x", "c", "ctrl+p", "H")
        await slow.on(WorkingScreen)
        slow.iam.gates["iam:ListAccessKeys"].set()
        await slow.on(OrphanScreen)
    assert slow.iam.count("iam:CreateAccessKey") == 1
    assert slow.iam.count("iam:DeleteAccessKey") == 0


async def test_network_that_goes_away_meanwhile_leaves_it_open(slow: Desk) -> None:
    async with opened(slow, user="carol"):
        await looking(slow)
        slow.iam.errors["iam:ListAccessKeys"] = UnreachableError("No network.")
        slow.iam.gates["iam:ListAccessKeys"].set()
        await slow.on_main()
        await slow.sees("can't be seen now", "No network.", BADGE)
