"""The palette, the sizes of a terminal, and the way out after a fault."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from textual import events
from textual.worker import WorkerFailed

from keytui.core.model import Secret
from keytui.tui.dialogs.dialogs import ConfirmScreen, HelpScreen
from keytui.tui.keys.change import DeleteScreen
from keytui.tui.keys.create import CreateScreen
from keytui.tui.keys.reveal import RevealScreen
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, Desk, opened
from tests.support.sentinel import SENTINEL, new_key


def palette_is_open(desk: Desk) -> bool:
    return type(desk.app.screen).__name__ == "CommandPalette"


# The palette.


async def test_palette_has_the_actions_of_the_keys(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        commands = {c.title: c for c in desk.app.get_system_commands(desk.app.screen)}
        bindings = desk.app.main.own_bindings()
        assert [b.description for b in bindings] == list(commands)
        for word in ("Create", "Make inactive", "Make active", "Delete", "Undo", "Quit"):
            assert word in commands
        assert not any("creenshot" in title or "heme" in title for title in commands)


async def test_palette_does_what_the_key_does(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("ctrl+p")
        await desk.until(lambda: palette_is_open(desk))
        await desk.write("Make active")
        await desk.sees("Make the key active")
        await desk.press("enter")
        await desk.until(lambda: f"{INACTIVE_ID} is active." in desk.words)
        await desk.on_main()


async def test_palette_stays_shut_over_dialogs(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.press("ctrl+p")
        await desk.on(DeleteScreen)
        await desk.press("escape")
        await desk.on_main()
        await desk.press("question_mark")
        await desk.on(HelpScreen)
        await desk.press("ctrl+p")
        await desk.on(HelpScreen)


async def test_palette_stays_shut_beside_a_secret(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.press("ctrl+p")
        await desk.on(CreateScreen)
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.press("ctrl+p")
        desk.app.action_command_palette()
        await desk.pilot.pause()
        await desk.on(RevealScreen)


# Sizes.


@pytest.mark.parametrize("size", [(120, 40), (100, 30), (80, 24), (60, 20)])
async def test_status_and_the_id_are_there_on_every_size(desk: Desk, size: tuple[int, int]) -> None:
    async with opened(desk, user="alice", size=size):
        assert "○ Inactive" in desk.line(INACTIVE_ID)
        assert "● Active" in desk.line(ACTIVE_ID)
        lines = desk.text.splitlines()
        assert len(lines) <= size[1]
        assert max(map(len, lines)) <= size[0]


async def test_columns_leave_in_their_order(desk: Desk) -> None:
    async with opened(desk, user="alice", size=(160, 40)) as there:
        seen = []
        for width in (160, 120, 110, 80, 70, 60):
            await there.pilot.resize_terminal(width, 40)
            await there.pilot.pause()
            header = there.line("Access key ID")
            words = ("Findings", "Created", "Age", "Last used", "Status", "Access key ID")
            seen.append({word for word in words if word in header})
        for wide, narrow in pairwise(seen):
            assert narrow - {"Age"} <= wide - {"Age"}
        assert all({"Status", "Access key ID"} <= columns for columns in seen)


async def test_resizing_keeps_what_one_was_at(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("G")
        for size in ((80, 24), (60, 20), (160, 50), (59, 20), (60, 19), (10, 3), (1, 1)):
            await desk.pilot.resize_terminal(*size)
            await desk.pilot.pause()
        await desk.pilot.resize_terminal(120, 40)
        await desk.until(lambda: f"▸ {ACTIVE_ID}" in desk.text)
        assert "▸ alice" in desk.text
        assert desk.app.main.keys.table.has_focus


@pytest.mark.parametrize("size", [(59, 20), (60, 19), (40, 10), (30, 5)])
async def test_terminal_that_is_too_small_says_so(desk: Desk, size: tuple[int, int]) -> None:
    async with opened(desk, user="alice"):
        await desk.press("u")
        await desk.sees("There is no change of status to undo.")
        await desk.pilot.resize_terminal(*size)
        await desk.sees("keytui needs 60×20 characters", f"{size[0]}×{size[1]}")
        assert "no change of status" not in desk.words
        await desk.press("d", "enter")
        desk.app.post_message(events.Paste(BOB_ID))
        await desk.settled()
        await desk.pilot.resize_terminal(120, 40)
        await desk.sees(ACTIVE_ID, "▸ alice")
        assert desk.iam.mutations == []
        assert "needs 60×20" not in desk.words


async def test_dialog_that_has_no_room_can_be_left_alone(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await desk.press("d")
        await desk.on(ConfirmScreen)
        await desk.pilot.resize_terminal(40, 10)
        await desk.sees("keytui needs 60×20 characters")
        await desk.press("y", "escape")
        await desk.on_main()
        await desk.sees("keytui needs 60×20 characters")
        assert desk.iam.mutations == []
        await desk.press("ctrl+q")
        await desk.until(lambda: not desk.app.is_running)


async def test_narrow_shows_one_pane_at_a_time(desk: Desk) -> None:
    async with opened(desk, size=(80, 24)):
        await desk.sees("▸ admin", "alice")
        assert "Access key ID" not in desk.text
        await desk.press("down", "enter")
        await desk.sees("Access key ID", ACTIVE_ID)
        assert "carol" not in desk.text
        await desk.press("escape")
        await desk.sees("carol")


async def test_narrow_verbs_from_the_list_of_users_only_go_to_the_keys(desk: Desk) -> None:
    async with opened(desk, size=(80, 24)):
        await desk.press("down", "down")
        await desk.until(lambda: desk.app.main.keys.key is not None)
        await desk.press("d")
        await desk.sees("Which key?")
    assert desk.iam.mutations == []


@pytest.mark.parametrize("size", [(60, 20), (80, 24)])
async def test_secret_is_safe_when_the_terminal_shrinks(desk: Desk, size: tuple[int, int]) -> None:
    desk.iam.next_secret = SENTINEL
    async with opened(desk, user="carol"):
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.press("down", "down", "enter")
        await desk.on(RevealScreen)
        await desk.pilot.resize_terminal(*size)
        await desk.press("s")
        await desk.sees(SENTINEL, "It is kept nowhere yet.")
        await desk.pilot.resize_terminal(20, 5)
        await desk.pilot.resize_terminal(120, 40)
        await desk.sees(SENTINEL)
        assert desk.app.holds_secret


async def test_every_dialog_fits_the_smallest_terminal(desk: Desk) -> None:
    async with opened(desk, user="alice", size=(60, 20)):
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.sees("DELETE THIS ACCESS KEY", "last four characters", "esc No, keep it")
        await desk.press("escape")
        await desk.on_main()
        await desk.press("G", "x")
        await desk.on(ConfirmScreen)
        await desk.sees("y Yes", "n No")
        await desk.press("n")
        await desk.on_main()
    async with opened(desk, user="carol", size=(60, 20), ready=False):
        await desk.sees("carol has no access keys")
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.sees("OS keyring", "Show only", "enter Create", "esc Back")
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.sees("Secret", "s Show", "esc Close")


# The way out after a fault.


async def crash(desk: Desk, cause: Callable[[Desk], object]) -> None:
    async with opened(desk):
        cause(desk)
        await desk.app._exception_event.wait()


async def test_fault_shows_neither_values_nor_messages(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(secret: str, held: Secret) -> None:
        raise RuntimeError(f"{secret} in a message of {held!r}")

    with pytest.raises(RuntimeError):
        await crash(desk, lambda desk: desk.app.call_later(fail, SENTINEL, new_key().secret))

    desk.app.tell_fault()
    printed = "".join(capsys.readouterr())
    assert "keytui met a fault of its own" in printed
    assert "RuntimeError" in printed
    assert "in fail" in printed
    assert SENTINEL not in printed
    assert "in a message" not in printed
    assert "Traceback" not in printed
    assert desk.app.return_code == 1


async def test_fault_in_a_flow_shows_neither_values_nor_messages(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail() -> None:
        secret = SENTINEL
        raise ValueError(f"{secret} in a message")

    with pytest.raises(WorkerFailed):
        await crash(desk, lambda desk: desk.app.main.stage.flows.run(fail()))

    desk.app.tell_fault()
    printed = "".join(capsys.readouterr())
    assert "keytui met a fault of its own" in printed
    assert "ValueError" in printed
    assert SENTINEL not in printed
    assert "in a message" not in printed
    assert desk.app.return_code == 1
