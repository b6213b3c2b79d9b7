"""All that is known of a key: the dialog that enter opens in the table."""

from keytui.core.model import KeyStatus
from keytui.core.rules import Thresholds
from keytui.journal.log import Entry, Event
from keytui.keys.local_use import LocalUse, Place
from keytui.tui.keys.change import DeleteScreen
from keytui.tui.main.key_screen import KeyScreen
from keytui.tui.rotation.dialogs import TwoKeysScreen
from keytui.tui.terminal.clipboard import osc52
from tests.support.app import ACTIVE_ID, INACTIVE_ID, OWN_ID, Desk, opened
from tests.support.fake_iam import ACCOUNT

CREATOR = f"arn:aws:iam::{ACCOUNT}:user/eve"


def remember(desk: Desk, event: Event, at: str = "2026-01-02T10:00:00+00:00", **more: str) -> None:
    """Write a line about alice's active key into keytui's record."""
    line = {"key_id": ACTIVE_ID} | more
    desk.journal.append(Entry(at, event, ACCOUNT, "alice", CREATOR, **line))


async def test_detail_tells_what_aws_and_this_machine_know(desk: Desk) -> None:
    remember(desk, Event.CREATING, attempt="1", key_id="")
    remember(desk, Event.CREATED, attempt="1")
    remember(desk, Event.STORED, attempt="1", store="keyring")
    remember(desk, Event.STATUS, "2026-01-03T10:00:00+00:00", detail="Inactive")
    desk.uses[ACTIVE_ID] = (LocalUse(Place.CONFIG, "~/.aws/config", "work"),)
    async with opened(desk, user="alice"):
        await desk.press("G", "enter")
        await desk.on(KeyScreen)
        await desk.sees("Used here profile work in", "Status ● Active", "Owner alice")
        await desk.sees(f"by {CREATOR}, with keytui", "3 d ago · s3 eu-west-1", "15 minutes")
        await desk.sees("old: An active key should be rotated within 90 days. CIS 1.14")
        await desk.sees("Secret in the OS keyring", "10:00 UTC · made inactive, by eve")
        assert desk.words.index("made inactive") < desk.words.index("created, its secret in")
        assert "Signs" not in desk.words
        await desk.press("y")
        await desk.sees(f"{ACTIVE_ID} was sent")
        assert osc52(ACTIVE_ID) in desk.sent
        await desk.press("escape")
        await desk.on_main()


async def test_config_file_thresholds_apply_wherever_keys_are_judged(
    desk: Desk,
) -> None:
    """In the table, in its detail, in the dialog, and where one of two keys has to go."""
    async with opened(desk, user="alice", limits=Thresholds(old_days=200, unused_days=2)):
        assert "unused" in desk.line(ACTIVE_ID)
        assert "old" not in desk.line(ACTIVE_ID)
        await desk.press("G")
        unused = "unused: A key unused for 2 days should be made inactive. CIS 1.12"
        await desk.sees(unused)
        assert "90 days" not in desk.words
        await desk.press("enter")
        await desk.on(KeyScreen)
        await desk.sees(f"Findings {unused}")
        await desk.press("R")
        await desk.on(TwoKeysScreen)
        await desk.sees("● Active · used 3 d ago · unused")
        assert "unused · " not in desk.words


async def test_what_this_machine_knows_comes_after_the_rest(desk: Desk) -> None:
    async with opened(desk, user="admin"):
        await desk.press("enter")
        await desk.on(KeyScreen)
        await desk.sees("Signs keytui's own calls", "Secret not kept by keytui")
        await desk.sees("by nothing that keytui can see", "History nothing by keytui")
        assert OWN_ID in desk.words
        await desk.press("enter")
        await desk.on_main()


async def test_detail_scrolls_and_keeps_shortcuts_visible_when_small(desk: Desk) -> None:
    for minute in range(30):
        remember(desk, Event.STATUS, f"2026-01-02T10:{minute:02}:00+00:00", detail="Active")
    async with opened(desk, user="alice", size=(60, 20)):
        await desk.press("G", "enter")
        await desk.sees("Status ● Active", "d Make inactive", "esc Close")
        await desk.press("G")
        await desk.sees("10:00 UTC · made active", "d Make inactive", "esc Close")
        assert "Status ●" not in desk.words
        await desk.press("g")
        await desk.sees("Status ● Active")


async def test_key_is_worked_from_its_detail(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("G", "enter", "d")  # As one types it: without waiting.
        await desk.sees(f"{ACTIVE_ID} is inactive. u undoes it.")
        assert desk.held("alice")[ACTIVE_ID] is KeyStatus.INACTIVE
        await desk.settled()
        await desk.press("g", "enter")
        await desk.on(KeyScreen)
        await desk.press("d", "R", "x")  # The first two are not for an inactive one.
        await desk.on(DeleteScreen)
        await desk.sees(INACTIVE_ID)


async def test_deleting_says_where_the_key_is_used_here(desk: Desk) -> None:
    desk.uses[INACTIVE_ID] = (LocalUse(Place.CREDENTIALS, "~/.aws/credentials", "old"),)
    async with opened(desk, user="alice", size=(60, 20)):
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.sees("Used here: profile old in", "esc No, keep it")
