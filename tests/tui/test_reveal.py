"""The one-time reveal: hidden, shown for a while, kept on request, never lost by a slip."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from keytui.core.errors import StoreError
from keytui.core.model import KeyStatus
from keytui.journal.log import Event
from keytui.tui.dialogs.dialogs import ConfirmScreen, PathScreen, TypeScreen
from keytui.tui.keys.create import CreateScreen
from keytui.tui.keys.reveal import HIDDEN, RevealScreen
from keytui.tui.services.copier import Copier
from keytui.tui.terminal.clipboard import osc52, osc52_clear
from tests.support.app import Desk, only_key, opened
from tests.support.sentinel import SENTINEL

SHOW_ONLY = ("down", "down")


@asynccontextmanager
async def revealed(desk: Desk, *, choose: tuple[str, ...] = SHOW_ONLY) -> AsyncIterator[None]:
    """Open keytui at the reveal of a new key of carol's."""
    desk.iam.next_secret = SENTINEL
    async with opened(desk, user="carol"):
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.sees("✓ can be written")
        await desk.press(*choose, "enter")
        await desk.on(RevealScreen)
        yield


@pytest.fixture
def shortly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is shown or sent for a while end at once."""
    monkeypatch.setattr(RevealScreen, "SHOW_SECONDS", 0.05)
    monkeypatch.setattr(Copier, "SECONDS", 0.05)


async def test_secret_is_hidden_at_first(desk: Desk) -> None:
    async with revealed(desk):
        key = only_key(desk, "carol")
        await desk.sees("User carol", f"Access key ID {key.id}", f"Secret {HIDDEN}", "shown only")
        assert SENTINEL not in desk.text
        assert SENTINEL not in "".join(desk.sent)


async def test_s_shows_and_hides_the_secret(desk: Desk) -> None:
    async with revealed(desk):
        await desk.press("s")
        await desk.sees(SENTINEL)
        await desk.press("s")
        await desk.sees(HIDDEN)
        assert SENTINEL not in desk.text


async def test_shown_secret_hides_itself(desk: Desk, shortly: None) -> None:
    async with revealed(desk):
        await desk.press("s")
        await desk.sees(HIDDEN)
        assert SENTINEL not in desk.text


async def test_secret_is_shown_for_half_a_minute() -> None:
    assert RevealScreen.SHOW_SECONDS == 30


async def test_k_keeps_it_in_the_keyring(desk: Desk) -> None:
    async with revealed(desk):
        await desk.sees("It is kept nowhere yet.")
        await desk.press("k")
        await desk.sees("✓ In the OS keyring (Secret Service), read back")
        await desk.loses("kept nowhere")
    key = only_key(desk, "carol")
    assert desk.keyring.kept[key.id].reveal() == SENTINEL
    last = desk.journal.entries()[-1]
    assert (last.event, last.key_id, last.store) == (Event.STORED, key.id, "keyring")


async def test_k_that_fails_is_said_and_can_be_tried_again(desk: Desk) -> None:
    desk.keyring.fails_at_put = StoreError("The keyring is locked.", next_step="Unlock it.")
    async with revealed(desk):
        await desk.press("k")
        await desk.sees("The keyring is locked. Unlock it.", "It is kept nowhere yet.")
        desk.keyring.fails_at_put = None
        await desk.press("k")
        await desk.sees("✓ In the OS keyring")
        await desk.loses("The keyring is locked.")


async def test_f_saves_a_csv_file(desk: Desk) -> None:
    async with revealed(desk):
        await desk.press("f")
        await desk.on(PathScreen)
        await desk.sees("Save a CSV file", "/csv/carol.csv", "never replaced")
        await desk.press("enter")
        await desk.sees("✓ In /csv/carol.csv, read back")
    assert desk.files["/csv/carol.csv"].kept[only_key(desk, "carol").id].reveal() == SENTINEL


async def test_f_can_be_left_without_saving(desk: Desk) -> None:
    async with revealed(desk):
        await desk.press("f")
        await desk.on(PathScreen)
        await desk.press("escape")
        await desk.on(RevealScreen)
        await desk.sees("It is kept nowhere yet.")
    assert desk.files == {}


async def test_it_can_be_kept_in_two_places(desk: Desk) -> None:
    async with revealed(desk, choose=()):
        await desk.sees("✓ In the OS keyring")
        await desk.press("f")
        await desk.on(PathScreen)
        await desk.press("enter")
        await desk.sees("✓ In the OS keyring", "✓ In /csv/carol.csv")
        await desk.press("escape")
        await desk.sees("its secret is in the OS keyring (Secret Service) and in /csv/carol.csv.")


async def test_y_sends_it_to_the_terminal_and_says_only_that(desk: Desk) -> None:
    async with revealed(desk):
        await desk.press("y")
        await desk.sees("Sent to the terminal's clipboard", "can't know whether it arrived")
        assert "copied" not in desk.words.casefold()
        assert desk.sent.count(osc52(SENTINEL)) == 1
        assert osc52_clear() not in desk.sent
        assert desk.app.clipboard == ""
        assert "It is kept nowhere yet." in desk.words, "the clipboard keeps nothing"


async def test_clipboard_is_cleared_after_a_while(desk: Desk, shortly: None) -> None:
    async with revealed(desk):
        await desk.press("y")
        await desk.until(lambda: osc52_clear() in desk.sent)
        assert desk.sent.index(osc52(SENTINEL)) < desk.sent.index(osc52_clear())


async def test_clipboard_is_cleared_on_close(desk: Desk) -> None:
    async with revealed(desk, choose=()):
        await desk.press("y")
        await desk.until(lambda: osc52(SENTINEL) in desk.sent)
        assert osc52_clear() not in desk.sent
        await desk.press("escape")
        await desk.until(lambda: osc52_clear() in desk.sent)
        assert desk.app.clipboard == ""


async def test_clipboard_that_was_not_used_is_left_alone(desk: Desk) -> None:
    async with revealed(desk, choose=()):
        await desk.press("escape")
        await desk.on_main()
    assert osc52_clear() not in desk.sent


async def test_escape_does_not_lose_a_secret_that_is_nowhere(desk: Desk) -> None:
    async with revealed(desk):
        await desk.press("escape")
        await desk.on(TypeScreen)
        await desk.sees("The secret is kept nowhere", "Type discard")
        for typed in ("", "discar", "yes"):
            await desk.write(typed)
            await desk.press("enter")
            await desk.sees("That is not it")
            await desk.press(*["backspace"] * len(typed))
        await desk.press("escape")
        await desk.on(RevealScreen)
        await desk.press("s")
        await desk.sees(SENTINEL)


async def test_asking_about_the_discard_hides_the_secret(desk: Desk) -> None:
    async with revealed(desk):
        await desk.press("s")
        await desk.sees(SENTINEL)
        await desk.press("escape")
        await desk.on(TypeScreen)
        await desk.loses(SENTINEL)
        await desk.press("escape")
        await desk.on(RevealScreen)
        await desk.sees(HIDDEN)


async def discard(desk: Desk) -> None:
    await desk.press("escape")
    await desk.on(TypeScreen)
    await desk.write("discard")
    await desk.press("enter")
    await desk.on(ConfirmScreen)


async def test_discarded_key_is_offered_to_be_deleted(desk: Desk) -> None:
    async with revealed(desk):
        key = only_key(desk, "carol")
        await discard(desk)
        await desk.sees(f"Delete {key.id}?", "nobody can ever use this key")
        await desk.press("y")
        await desk.sees(f"{key.id} is deleted.", "✕ Deleted")
        assert not desk.app.holds_secret
    assert desk.held("carol") == {}
    events = [entry.event for entry in desk.journal.entries()]
    assert events == [Event.CREATING, Event.CREATED, Event.DISCARDED, Event.DELETED]


@pytest.mark.parametrize("answer", ["enter", "escape"])
async def test_discarded_key_stays_unless_yes_is_said(desk: Desk, answer: str) -> None:
    async with revealed(desk):
        key = only_key(desk, "carol")
        await discard(desk)
        await desk.press(answer)
        await desk.sees(f"{key.id} is active, and keytui keeps its secret nowhere.")
        await desk.on_main()
        await desk.settled()
        assert not desk.app.holds_secret
        await desk.press("q")
        await desk.until(lambda: not desk.app.is_running)
    assert desk.held("carol") == {key.id: KeyStatus.ACTIVE}


@pytest.mark.parametrize("action", ["iam:UpdateAccessKey", "iam:DeleteAccessKey"])
async def test_discard_denied_by_aws_is_reported_and_keytui_can_quit(
    desk: Desk, action: str
) -> None:
    desk.iam.deny = {action}
    async with revealed(desk):
        await discard(desk)
        await desk.press("y")
        await desk.sees(action)
        await desk.on_main()
        await desk.settled()
        await desk.press("q")
        await desk.until(lambda: not desk.app.is_running)


async def test_nobody_leaves_with_a_secret_that_is_nowhere(desk: Desk) -> None:
    async with revealed(desk):
        await desk.press("ctrl+q")
        await desk.on(TypeScreen)
        await desk.sees("The secret is kept nowhere")
        await desk.press("escape")
        await desk.on(RevealScreen)
        await desk.press("ctrl+c")
        await desk.on(TypeScreen)
        for key in ("ctrl+q", "ctrl+c"):
            await desk.press(key)
            await desk.on(TypeScreen)
        await desk.write("discard")
        await desk.press("enter")
        await desk.on(ConfirmScreen)
        for key in ("ctrl+q", "ctrl+c"):
            await desk.press(key)
            assert desk.app.is_running
            await desk.on(ConfirmScreen)


async def test_ctrl_q_closes_the_reveal_of_a_kept_secret(desk: Desk) -> None:
    async with revealed(desk, choose=()):
        await desk.sees("✓ In the OS keyring")
        await desk.press("ctrl+q")
        await desk.on_main()
        assert desk.app.is_running


async def test_nobody_leaves_while_the_secret_is_being_kept(desk: Desk) -> None:
    desk.keyring.gate = threading.Event()
    async with revealed(desk):
        await desk.press("k")
        await desk.sees("Keeping it…")
        await desk.press("escape", "ctrl+q", "k", "k")
        await desk.on(RevealScreen)
        desk.keyring.gate.set()
        await desk.sees("✓ In the OS keyring")
        assert desk.words.count("✓ In the OS keyring") == 1
        await desk.press("escape")
        await desk.on_main()
    assert [e.event for e in desk.journal.entries()].count(Event.STORED) == 1


async def test_keys_of_the_main_screen_do_nothing_over_the_secret(desk: Desk) -> None:
    async with revealed(desk):
        desk.iam.calls.clear()
        await desk.press(*"cdaxurqP", "slash", "full_stop", "question_mark", "tab", "ctrl+p")
        await desk.on(RevealScreen)
        assert desk.iam.calls == []


async def test_no_screenshot_of_a_secret(desk: Desk, tmp_path: object) -> None:
    async with revealed(desk):
        await desk.press("s")
        await desk.sees(SENTINEL)
        with pytest.raises(PermissionError) as caught:
            desk.app.export_screenshot()
        assert SENTINEL not in str(caught.value)
        with pytest.raises(PermissionError):
            desk.app.save_screenshot(path=str(tmp_path))
        desk.app.action_screenshot(path=str(tmp_path))
        await desk.press("s", "k")
        await desk.sees("✓ In the OS keyring")
        with pytest.raises(PermissionError):
            desk.app.export_screenshot()
        await desk.press("escape")
        await desk.on_main()
        await desk.until(lambda: not desk.app.holds_secret)
        assert SENTINEL not in desk.app.export_screenshot()


async def test_no_screenshot_before_the_reveal_is_drawn(desk: Desk) -> None:
    """From AWS's reply on, and not only once the dialog stands."""
    desk.keyring.gate = threading.Event()
    async with opened(desk, user="carol"):
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.press("enter")
        await desk.sees("Keeping the secret")
        assert desk.app.holds_secret
        with pytest.raises(PermissionError):
            desk.app.export_screenshot()
        desk.keyring.gate.set()
        await desk.on(RevealScreen)


async def test_secret_leaves_no_trace_in_the_app(desk: Desk) -> None:
    async with revealed(desk, choose=()):
        await desk.press("s", "y", "s", "escape")
        await desk.on_main()
        await desk.settled()
        await desk.until(lambda: not desk.app.holds_secret)
        assert SENTINEL not in desk.text
        assert desk.app.clipboard == ""
        assert SENTINEL not in repr([vars(worker) for worker in desk.app.workers])
    for entry in desk.journal.entries():
        assert SENTINEL not in repr(entry)
