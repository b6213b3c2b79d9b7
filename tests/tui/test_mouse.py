"""A click does what the key does."""

import pytest

from keytui.core.model import KeyStatus
from keytui.tui.dialogs.dialogs import ConfirmScreen, HelpScreen, PathScreen, TypeScreen
from keytui.tui.keys.change import DeleteScreen
from keytui.tui.keys.create import CreateScreen
from keytui.tui.keys.reveal import RevealScreen
from keytui.tui.profiles.screen import ProfilesScreen
from keytui.tui.widgets.lines import LineInput
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID, Desk, opened
from tests.support.sentinel import SENTINEL


async def hint(desk: Desk, words: str, into: int = 1) -> None:
    """Click on a hint in the last line that has it, some cells from its beginning."""
    await desk.until(lambda: words in desk.text)
    lines = desk.text.splitlines()
    y = max(i for i, line in enumerate(lines) if words in line)
    await desk.pilot.click(offset=(lines[y].index(words) + into, y))


async def test_user(desk: Desk) -> None:
    async with opened(desk):
        await desk.click("bob")
        await desk.sees(BOB_ID)
        assert "▸ bob" in desk.text
        await desk.click("alice")
        await desk.sees(ACTIVE_ID)


async def test_key(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.click(ACTIVE_ID)
        await desk.until(lambda: f"▸ {ACTIVE_ID}" in desk.text)
        await desk.click(INACTIVE_ID)
        await desk.until(lambda: f"▸ {INACTIVE_ID}" in desk.text)


async def test_below_the_rows_is_nothing(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.pilot.click("#keys", offset=(5, 0))
        await desk.pilot.click("#keys", offset=(5, 8))
        await desk.pilot.click("#users", offset=(5, 20))
        assert desk.app.screen is desk.app.main
    assert desk.iam.mutations == []


@pytest.mark.parametrize("start", ["users", "keys"])
async def test_make_inactive_in_the_actions_column(desk: Desk, start: str) -> None:
    async with opened(desk, user="alice"):
        await desk.press("g" if start == "keys" else "left")
        await desk.click("Make inactive", ACTIVE_ID)
        await desk.sees(f"{ACTIVE_ID} is inactive.")
    assert desk.held("alice") == {
        ACTIVE_ID: KeyStatus.INACTIVE,
        INACTIVE_ID: KeyStatus.INACTIVE,
    }


async def test_make_active_in_the_actions_column(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("G")
        await desk.click("a Make active", INACTIVE_ID)
        await desk.sees(f"{INACTIVE_ID} is active.")
    assert desk.held("alice")[INACTIVE_ID] is KeyStatus.ACTIVE


async def test_delete_in_the_actions_column(desk: Desk) -> None:
    async with opened(desk, user="alice", size=(140, 40)):
        await desk.press("G")
        await desk.click("x Delete", INACTIVE_ID)
        await desk.on(DeleteScreen)
        await desk.sees(INACTIVE_ID)
        await desk.press("enter")
        await desk.on_main()
    assert desk.iam.mutations == []


async def test_hints_of_the_main_screen(desk: Desk) -> None:
    async with opened(desk, user="alice", size=(180, 40)):
        await hint(desk, "? Help")
        await desk.on(HelpScreen)
        await hint(desk, "Back")
        await desk.on_main()
        await hint(desk, "P Profiles")
        await desk.on(ProfilesScreen)
        await hint(desk, "Back")
        await desk.on_main()
        await hint(desk, "y Copy ID")
        await desk.sees("was sent to the terminal's clipboard")
        await hint(desk, ". Deleted")
        await desk.sees("Deleted keys are hidden.")
        await hint(desk, "/ Filter")
        assert desk.app.main.users.filter_line.has_focus
        await desk.press("escape")
        await hint(desk, "r Refresh")
        await desk.until(lambda: len(desk.connected) == 2)
        await desk.settled()


async def test_hints_that_work_on_a_key(desk: Desk) -> None:
    async with opened(desk, user="alice", size=(160, 40)):
        await hint(desk, "a Make active")
        await desk.sees(f"{INACTIVE_ID} is active.")
        await desk.settled()
        await hint(desk, "d Make inactive")
        await desk.sees(f"{INACTIVE_ID} is inactive.")
        await desk.settled()
        await hint(desk, "u Undo")
        await desk.sees(f"{INACTIVE_ID} is active.")
        await desk.settled()
        await hint(desk, "x Delete")
        await desk.on(ConfirmScreen)
        await hint(desk, "n No")
        await desk.on_main()


async def test_hint_to_leave(desk: Desk) -> None:
    async with opened(desk, user="admin"):
        await desk.settled()
        await hint(desk, "q Quit")
        await desk.until(lambda: not desk.app.is_running)


@pytest.mark.parametrize("into", [0, 1, len("y Yes") - 1])
async def test_first_hint_works_on_each_of_its_cells(desk: Desk, into: int) -> None:
    async with opened(desk, user="bob"):
        await desk.press("d")
        await desk.on(ConfirmScreen)
        await hint(desk, "y Yes", into)
        await desk.sees(f"{BOB_ID} is inactive.")


async def test_between_hints_is_nothing(desk: Desk) -> None:
    async with opened(desk, user="admin", size=(220, 40)):
        await desk.settled()
        lines = desk.text.splitlines()
        y = max(i for i, line in enumerate(lines) if "q Quit" in line)
        x = lines[y].index("q Quit")
        for gap in (x - 1, x - 2, x + len("q Quit"), x + len("q Quit") + 5):
            await desk.pilot.click(offset=(gap, y))
            await desk.pilot.pause()
            assert desk.app.is_running
            assert desk.app.screen is desk.app.main


@pytest.mark.parametrize("answer", ["y Yes", "n No"])
async def test_hints_of_a_question(desk: Desk, answer: str) -> None:
    async with opened(desk, user="bob"):
        await desk.press("d")
        await desk.on(ConfirmScreen)
        await hint(desk, answer)
        await desk.on_main()
        await desk.settled()
    wanted = KeyStatus.INACTIVE if answer == "y Yes" else KeyStatus.ACTIVE
    assert desk.held("bob") == {BOB_ID: wanted}


async def test_hints_of_the_dialog_that_creates(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.sees("✓ can be written")
        await hint(desk, "tab Description")
        await desk.until(lambda: isinstance(desk.app.focused, LineInput))
        assert desk.app.focused
        assert desk.app.focused.id == "description"
        await desk.click("CSV file")
        await desk.sees("/csv/carol.csv")
        await desk.click("Show only")
        await desk.loses("/csv/carol.csv")
        await hint(desk, "Back")
        await desk.on_main()
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.sees("✓ can be written")
        await hint(desk, "enter Create")
        await desk.on(RevealScreen)
    assert desk.iam.count("iam:CreateAccessKey") == 1


async def test_hints_of_the_reveal(desk: Desk) -> None:
    desk.iam.next_secret = SENTINEL
    async with opened(desk, user="carol"):
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.press("down", "down", "enter")
        await desk.on(RevealScreen)
        await hint(desk, "s Show")
        await desk.sees(SENTINEL)
        await hint(desk, "s Show")
        await desk.loses(SENTINEL)
        await hint(desk, "y Copy")
        await desk.sees("Sent to the terminal's clipboard")
        await hint(desk, "esc Close")
        await desk.on(TypeScreen)
        await hint(desk, "No, leave it")
        await desk.on(RevealScreen)
        await hint(desk, "f CSV")
        await desk.on(PathScreen)
        await hint(desk, "enter Save")
        await desk.sees("✓ In /csv/carol.csv, read back")
        await hint(desk, "k Keyring")
        await desk.sees("✓ In the OS keyring")
        await hint(desk, "esc Close")
        await desk.on_main()


async def test_hints_of_the_dialog_that_deletes(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("x")
        await desk.on(DeleteScreen)
        await hint(desk, "esc No, keep it")
        await desk.sees("was not deleted")
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.write(INACTIVE_ID[-4:])
        await hint(desk, "enter Delete")
        await desk.sees(f"{INACTIVE_ID} is deleted.")


async def test_hints_of_a_word_to_type(desk: Desk) -> None:
    async with opened(desk, user="admin"):
        await desk.press("d")
        await desk.on(TypeScreen)
        await hint(desk, "enter Confirm")
        await desk.sees("That is not it")
        await desk.write(OWN_ID[-4:])
        await hint(desk, "enter Confirm")
        await desk.sees(f"{OWN_ID} is inactive.")


async def test_profile(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("P")
        await desk.on(ProfilesScreen)
        await desk.click("prod")
        await desk.sees("prod: arn:")
        row = next(y for y, line in enumerate(desk.text.splitlines()) if "  prod  " in line)
        await desk.pilot.double_click(offset=(4, row))
        await desk.sees("profile prod")
