"""A locked keyring offers to be unlocked: on the main screen, before a creation, in the reveal."""

import pytest

from keytui.core.errors import StoreError, StoreLockedError
from keytui.core.model import Secret
from keytui.stores.base import Mend
from keytui.tui.dialogs.unlock import UnlockScreen
from keytui.tui.keys.create import CreateScreen
from keytui.tui.keys.reveal import RevealScreen
from tests.support.app import Desk, only_key, opened
from tests.support.sentinel import SENTINEL
from tests.tui.test_create import at_dialog
from tests.tui.test_reveal import revealed

PASSWORD = "correct horse"


@pytest.fixture
def locked(desk: Desk) -> Desk:
    desk.keyring.trouble = StoreLockedError("The OS keyring is locked.")
    desk.keyring.mend = Mend.UNLOCK
    return desk


async def test_status_line_names_the_key_that_unlocks(locked: Desk) -> None:
    async with opened(locked, ready=False) as desk:
        await desk.sees("The OS keyring is locked. K unlocks it.", "K Unlock")
        await desk.press("K")
        await desk.on(UnlockScreen)
        await desk.write(PASSWORD)
        assert PASSWORD not in desk.text
        await desk.press("enter")
        await desk.on_main()
        await desk.sees("OS keyring (Secret Service) is open now.", "Secret Service, unlocked")
        await desk.loses("K Unlock")


async def test_wrong_password_is_said_and_the_line_is_empty_again(locked: Desk) -> None:
    async with opened(locked, ready=False) as desk:
        await desk.sees("K unlocks it.")
        await desk.press("K")
        await desk.on(UnlockScreen)
        await desk.write("wrong")
        await desk.press("enter")
        await desk.sees("That is not the keyring's password.")
        await desk.write(PASSWORD)
        await desk.press("enter")
        await desk.on_main()
    assert desk.keyring.trouble is None


async def test_existing_keyring_judges_an_empty_password(locked: Desk) -> None:
    locked.keyring.password = ""
    async with opened(locked, ready=False) as desk:
        await desk.sees("K unlocks it.")
        await desk.press("K")
        await desk.on(UnlockScreen)
        await desk.press("enter")
        await desk.on_main()
    assert desk.keyring.trouble is None


async def test_esc_leaves_it_locked(locked: Desk) -> None:
    async with opened(locked, ready=False) as desk:
        await desk.sees("K unlocks it.")
        await desk.press("K")
        await desk.on(UnlockScreen)
        await desk.press("escape")
        await desk.on_main()
        await desk.sees("The OS keyring is locked.")
    assert desk.keyring.trouble is not None


async def test_new_keyring_asks_for_its_first_password_twice(desk: Desk) -> None:
    desk.keyring.trouble = StoreError("The OS keyring holds no default collection yet.")
    desk.keyring.mend = Mend.MAKE
    async with opened(desk, ready=False):
        await desk.sees("K unlocks it.")
        await desk.press("K")
        await desk.on(UnlockScreen)
        await desk.sees("There is none yet.", "The same again")
        await desk.press("enter", "enter")
        await desk.sees("An empty password protects nothing.")
        await desk.write("one")
        await desk.press("enter")
        await desk.write("two")
        await desk.press("enter")
        await desk.sees("The two differ.")
        for _ in range(2):
            await desk.write(PASSWORD)
            await desk.press("enter")
        await desk.on_main()
    assert desk.keyring.trouble is None


@pytest.mark.parametrize("variable", ["TEXTUAL_LOG", "TEXTUAL"])
async def test_nothing_is_tried_where_textual_logs_the_keys(
    locked: Desk, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    async with opened(locked, ready=False) as desk:
        monkeypatch.setenv(variable, "log")
        await desk.sees("K unlocks it.")
        await desk.press("K")
        await desk.on(UnlockScreen)
        await desk.write(PASSWORD)
        await desk.press("enter")
        await desk.sees("Textual logs every key here")
    assert desk.keyring.trouble is not None


async def test_enter_in_the_creation_asks_for_the_password_and_goes_on(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        desk.keyring.trouble = StoreLockedError("The OS keyring is locked.")
        desk.keyring.mend = Mend.UNLOCK
        await at_dialog(desk)
        await desk.sees("The OS keyring is locked. Enter asks for its password.")
        await desk.press("enter")
        await desk.on(UnlockScreen)
        assert desk.iam.mutations == []
        await desk.write(PASSWORD)
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.sees("✓ In the OS keyring")
    assert only_key(desk, "carol").id in desk.keyring.kept


async def test_status_line_follows_a_keyring_unlocked_in_a_dialog(locked: Desk) -> None:
    async with opened(locked, user="carol", ready=False) as desk:
        await desk.sees("K unlocks it.", "carol has no access keys.")
        await at_dialog(desk)
        await desk.sees("Enter asks for its password.")
        await desk.press("enter")
        await desk.on(UnlockScreen)
        await desk.write(PASSWORD)
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.press("escape")
        await desk.on_main()
        await desk.sees("Keyring: Secret Service, unlocked")
        await desk.loses("K Unlock")


async def test_esc_in_between_creates_nothing(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        desk.keyring.trouble = StoreLockedError("The OS keyring is locked.")
        desk.keyring.mend = Mend.UNLOCK
        await at_dialog(desk)
        await desk.sees("Enter asks for its password.")
        await desk.press("enter")
        await desk.on(UnlockScreen)
        await desk.press("escape")
        await desk.on(CreateScreen)
    assert desk.iam.mutations == []


async def test_k_in_the_reveal_unlocks_and_keeps(desk: Desk) -> None:
    async with revealed(desk):
        desk.keyring.trouble = StoreLockedError("The OS keyring is locked.")
        desk.keyring.mend = Mend.UNLOCK
        await desk.press("s")
        await desk.sees(SENTINEL)
        await desk.press("k")
        await desk.on(UnlockScreen)
        assert SENTINEL not in desk.text
        await desk.write(PASSWORD)
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.sees("✓ In the OS keyring (Secret Service), read back")
    assert desk.keyring.kept[only_key(desk, "carol").id].matches(Secret(SENTINEL))
