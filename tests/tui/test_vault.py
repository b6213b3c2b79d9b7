"""The vault: what the keyring holds, what IAM says of it, and the verbs on it."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from textual import events

from keytui.core.errors import (
    CredentialsError,
    KeytuiError,
    StoreError,
    StoreLockedError,
    UnknownKeyError,
    UnreachableError,
)
from keytui.core.iam import Iam
from keytui.core.model import AccessKey, Identity, KeyStatus, NewAccessKey, Secret, User
from keytui.journal.log import Entry, Event
from keytui.stores.base import Mend
from keytui.tui.dialogs.dialogs import ConfirmScreen, TypeScreen
from keytui.tui.dialogs.unlock import UnlockScreen
from keytui.tui.keys.profile import ProfileScreen
from keytui.tui.vault.screen import VaultScreen
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, SECONDS, Desk, opened
from tests.support.fake_iam import ACCOUNT, START
from tests.support.sentinel import SENTINEL

GONE_ID = "AKIABOBGONE000000004"
OTHER_ID = "AKIAOTHERACCOUNT0005"
ADMIN = f"arn:aws:iam::{ACCOUNT}:user/admin"
USERS = ["alice", "bob", "zoe"]
SIZES = [(120, 40), (80, 24), (60, 20)]
ORDER = [INACTIVE_ID, ACTIVE_ID, BOB_ID, GONE_ID, OTHER_ID]


def store(desk: Desk, key_id: str, user: str, days_ago: int = 3, **more: str) -> None:
    """Let an earlier run have put a secret into the keyring."""
    told = {"account": ACCOUNT, "store": "keyring", **more}
    at = (START - timedelta(days=days_ago)).isoformat()
    desk.journal.append(Entry(at, Event.STORED, user=user, caller=ADMIN, key_id=key_id, **told))
    if told["store"] == "keyring":
        key = AccessKey(key_id, User(user), KeyStatus.ACTIVE, None)
        desk.keyring.put(NewAccessKey(key, told["account"], Secret(SENTINEL)))


def some_secrets(desk: Desk) -> None:
    """Let the keyring hold keys of each kind."""
    store(desk, INACTIVE_ID, "alice", 700)
    store(desk, ACTIVE_ID, "alice", 115)
    store(desk, BOB_ID, "bob")
    store(desk, GONE_ID, "bob")
    store(desk, OTHER_ID, "zoe", account="999999999999")


async def at_vault(desk: Desk, *, answered: bool = True) -> VaultScreen:
    await desk.press("V")
    screen = await desk.on(VaultScreen)
    if answered:
        await desk.until(lambda: "Access key ID" in desk.text and "asking" not in desk.text)
    return screen


def rows(desk: Desk) -> list[str]:
    """Return the access key IDs in the list, from the top."""
    lines = desk.text.split("stored 20")[0].splitlines()
    return [word for line in lines for word in line.split()[:1] if word.startswith("AKIA")]


def failing(error: KeytuiError) -> Callable[[str, Secret], Identity]:
    def who(*_: object) -> Identity:
        raise error

    return who


def forgotten(desk: Desk) -> list[str]:
    return [e.key_id for e in desk.journal.entries() if e.event is Event.FORGOTTEN]


async def test_empty_vault_speaks(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("V")
        await desk.on(VaultScreen)
        await desk.sees(
            "The keyring holds no secret that keytui put there. c creates a key, keytui import "
            "takes one from a file."
        )
        await desk.press("s", "y", "p", "t", "x", "j")
        await desk.pilot.pause()
        assert isinstance(desk.app.screen, VaultScreen)
        await desk.press("escape")
        await desk.on_main()


@pytest.mark.parametrize("size", SIZES)
async def test_line_for_each_secret_and_what_iam_says(desk: Desk, size: tuple[int, int]) -> None:
    some_secrets(desk)
    async with opened(desk, size=size):
        screen = await at_vault(desk)
        assert rows(desk) == ORDER
        said = {ACTIVE_ID: "● Active", INACTIVE_ID: "○ Inactive", GONE_ID: "✕ gone"}
        assert all(word in desk.line(key_id) for key_id, word in said.items())
        assert "? unknown" in desk.line(OTHER_ID)
        await desk.sees("5 secrets · 1 key gone from IAM", "x Forget", "esc Back", "t Test")
        assert [desk.iam.calls.count(f"iam:ListAccessKeys {name}") for name in USERS] == [1, 1, 0]
        line = desk.line(ACTIVE_ID)
        assert ("123456789012" in line, "115 d ago" in line) == (True, size[0] > 60)
        screen.list.move_to(ORDER.index(OTHER_ID))
        await desk.sees("zoe in 999999999999, stored 2026-01-12", "of the account 999999999999")
        screen.list.move_to(ORDER.index(ACTIVE_ID))
        await desk.sees("alice in 123456789012, stored", "IAM has this key: Active.")
        assert all(len(line) <= size[0] for line in desk.text.splitlines())


async def test_another_keyring_is_named(desk: Desk) -> None:
    store(desk, BOB_ID, "bob", store="keyring:pass")
    store(desk, ACTIVE_ID, "a-user-with-a-rather-long-name")
    async with opened(desk, size=(100, 30)):
        await at_vault(desk)
        assert "in pass" in desk.line(BOB_ID)
        assert "in " not in desk.line(ACTIVE_ID)
        assert "a-user-with-a-rather-lo…" in desk.line(ACTIVE_ID)
        assert "? unknown" in desk.line(ACTIVE_ID)
        await desk.sees("AWS has no user a-user-with-a-rather-long-name")


async def test_answers_come_one_by_one_and_esc_waits_for_none(desk: Desk) -> None:
    some_secrets(desk)
    desk.iam.errors["iam:GetUser"] = UnreachableError("not asked")
    async with opened(desk):
        gate = desk.iam.hold("iam:ListAccessKeys")
        await at_vault(desk, answered=False)
        await desk.sees("… asking", "AWS is being asked")
        await desk.press("escape")
        await desk.on_main()
        await at_vault(desk, answered=False)
        gate.set()
        await desk.loses("asking")
        assert "● Active" in desk.line(ACTIVE_ID)


async def test_it_opens_without_aws(desk: Desk) -> None:
    def refuse(_: str | None) -> Iam:
        raise UnreachableError("AWS can't be reached.")

    some_secrets(desk)
    desk.connecting = refuse
    async with opened(desk, ready=False):
        await desk.sees("AWS can't be reached.")
        await at_vault(desk)
        assert rows(desk) == ORDER
        assert desk.text.count("? unknown") == 5
        await desk.sees("Unknown: keytui is not connected to AWS.")
        await desk.press("s")
        await desk.sees(SENTINEL)
        await desk.press("x")
        await desk.on(TypeScreen)
        await desk.sees("keytui does not know whether IAM still has this key.")


async def test_key_status_is_unknown_if_aws_denies_or_is_unreachable(desk: Desk) -> None:
    some_secrets(desk)
    async with opened(desk):
        desk.iam.deny.add("iam:ListAccessKeys")
        await at_vault(desk)
        assert desk.text.count("? unknown") == 5
        await desk.sees("Unknown: You may not do this: iam:ListAccessKeys is denied.")
        await desk.press("escape")
        desk.iam.errors["iam:ListAccessKeys"] = UnreachableError("No answer.")
        await at_vault(desk)
        await desk.sees("Unknown: No answer.")


async def test_secret_is_shown_and_hides_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    some_secrets(desk)
    async with opened(desk):
        screen = await at_vault(desk)
        assert SENTINEL not in desk.text
        for hiding in ("s", "j", "slash"):
            await desk.press("s")
            await desk.sees(f"Secret {SENTINEL}")
            assert desk.app.shows_secret
            with pytest.raises(PermissionError):
                desk.app.export_screenshot()
            await desk.press(hiding)
            await desk.loses(SENTINEL)
            assert SENTINEL not in desk.app.export_screenshot()
            assert screen._secret is None
        await desk.press("escape")
        monkeypatch.setattr(VaultScreen, "SHOW_SECONDS", 0.01)
        await desk.press("s")
        await desk.until(lambda: screen._hiding and SENTINEL not in desk.text)
        monkeypatch.undo()
        await desk.press("s")
        await desk.sees(SENTINEL)
        await desk.press("escape")
        await desk.on_main()
        assert not desk.app.shows_secret


async def test_slow_keyring_shows_nothing_under_another_line(desk: Desk) -> None:
    some_secrets(desk)
    async with opened(desk):
        screen = await at_vault(desk)
        read, answered = desk.keyring.get, []

        def slow(key_id: str) -> Secret:
            assert desk.app._thread_id
            desk.app.call_from_thread(screen.list.move_to, 1)
            answered.append(key_id)
            return read(key_id)

        desk.keyring.get = slow  # type: ignore[method-assign]
        await desk.press("s")
        await desk.until(lambda: answered == [INACTIVE_ID])
        await desk.settled()
        assert SENTINEL not in desk.text
        assert not desk.app.shows_secret


async def test_y_sends_the_secret_to_the_clipboard(desk: Desk) -> None:
    some_secrets(desk)
    async with opened(desk):
        await at_vault(desk)
        await desk.press("y")
        await desk.sees(f"{INACTIVE_ID}: sent to the terminal's clipboard", "cleared after 30 s")
        assert any("]52;" in sent for sent in desk.sent)
        assert SENTINEL not in desk.text
        assert not desk.app._clipboard


async def test_p_writes_a_profile_of_a_secret_that_is_there(desk: Desk) -> None:
    some_secrets(desk)
    del desk.keyring.kept[INACTIVE_ID]
    async with opened(desk):
        screen = await at_vault(desk)
        await desk.press("p", "enter")
        await desk.sees(f"holds no secret for {INACTIVE_ID}. No profile was written.")
        assert not desk.aws_files.config.exists()
        screen.list.move_to(ORDER.index(BOB_ID))
        await desk.press("p")
        await desk.on(ProfileScreen)
        await desk.press("enter")
        await desk.sees("Profile bob in ~/.aws/config.")
    assert f"credentials {BOB_ID}" in desk.aws_files.config.read_text()


async def test_t_asks_aws_with_the_secret_of_the_keyring(desk: Desk) -> None:
    some_secrets(desk)
    asked: list[tuple[str, str]] = []

    def who(key_id: str, secret: Secret) -> Identity:
        asked.append((key_id, secret.reveal()))
        return Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/alice")

    desk.who = who
    async with opened(desk):
        screen = await at_vault(desk)
        await desk.press("t")
        await desk.sees(f"✓ AWS answers: alice in {ACCOUNT}.")
        assert asked == [(INACTIVE_ID, SENTINEL)]
        screen.list.move_to(ORDER.index(BOB_ID))
        await desk.press("t")
        await desk.sees("! AWS answers: alice", "keytui's record says bob.")


async def test_t_says_why_not(desk: Desk) -> None:
    errors = {
        f"AWS refuses {INACTIVE_ID}. The key is inactive, deleted or not valid yet": (
            UnknownKeyError("AWS does not accept the key that signs keytui's calls.")
        ),
        "✗ The signature is wrong.": CredentialsError("The signature is wrong."),
        "✗ AWS can't be reached.": UnreachableError("AWS can't be reached."),
    }
    some_secrets(desk)
    async with opened(desk):
        await at_vault(desk)
        for words, error in errors.items():
            desk.who = failing(error)
            await desk.press("t")
            await desk.sees(words)
            assert "keytui's calls" not in desk.text


async def test_locked_keyring_is_offered_to_be_unlocked(desk: Desk) -> None:
    some_secrets(desk)
    async with opened(desk):
        await at_vault(desk)
        desk.keyring.trouble = StoreLockedError("The OS keyring is locked.")
        await desk.press("s")
        await desk.sees("The OS keyring is locked.")
        desk.keyring.mend = Mend.UNLOCK
        await desk.press("s")
        await desk.on(UnlockScreen)
        await desk.press("escape")
        await desk.on(VaultScreen)
        await desk.press("s")
        await desk.on(UnlockScreen)
        await desk.write("correct horse")
        await desk.press("enter")
        await desk.on(VaultScreen)
        await desk.sees(SENTINEL)


async def test_what_the_keyring_has_no_more_is_offered_to_be_dropped(desk: Desk) -> None:
    some_secrets(desk)
    del desk.keyring.kept[INACTIVE_ID]
    async with opened(desk):
        await at_vault(desk)
        await desk.press("t")
        await desk.on(ConfirmScreen)
        await desk.sees(f"Drop {INACTIVE_ID} from the list?", "has no secret for it any more")
        await desk.press("enter")
        await desk.on(VaultScreen)
        assert rows(desk) == ORDER
        await desk.press("y")
        await desk.on(ConfirmScreen)
        await desk.press("y")
        await desk.sees("is struck off the list", "4 secrets")
        assert rows(desk) == ORDER[1:]
    assert forgotten(desk) == [INACTIVE_ID]
    assert len(desk.keyring.kept) == 4


async def test_secret_deletion_of_a_gone_key_asks_and_defaults_to_no(desk: Desk) -> None:
    some_secrets(desk)
    async with opened(desk):
        screen = await at_vault(desk)
        screen.list.move_to(ORDER.index(GONE_ID))
        await desk.press("x", "enter")
        await desk.on(VaultScreen)
        await desk.press("x")
        await desk.on(ConfirmScreen)
        await desk.sees("IAM has this key no more")
        await desk.press("y")
        await desk.sees(f"The secret of {GONE_ID} is deleted from the OS keyring.")
        assert rows(desk) == [one for one in ORDER if one != GONE_ID]
        assert desk.app.screen.list.one.key_id == OTHER_ID  # type: ignore[attr-defined]
    assert GONE_ID not in desk.keyring.kept
    assert len(desk.keyring.kept) == 4
    assert forgotten(desk) == [GONE_ID]
    assert not desk.iam.mutations


async def test_forgetting_another_asks_harder(desk: Desk) -> None:
    some_secrets(desk)
    store(desk, BOB_ID, "bob", store="csv:/home/me/bob.csv")
    async with opened(desk):
        screen = await at_vault(desk)
        for key_id, words in {
            OTHER_ID: "keytui does not know whether IAM still has this key. This is the only copy",
            BOB_ID: "it is active. keytui also put it into /home/me/bob.csv",
            INACTIVE_ID: "it is inactive. This is the only copy of its secret that keytui knows",
        }.items():
            screen.list.move_to(ORDER.index(key_id))
            await desk.press("x", "y", "enter")
            await desk.on(TypeScreen)
            await desk.sees("That is not it.", words)
            await desk.press("escape")
            await desk.on(VaultScreen)
        assert len(desk.keyring.kept) == 5
        for char in f"x{INACTIVE_ID[-4:]}":  # typed ahead, over a slow line
            desk.app.post_message(events.Key(char, char))
        desk.app.post_message(events.Key("enter", None))
        await desk.sees(f"The secret of {INACTIVE_ID} is deleted")
    assert INACTIVE_ID not in desk.keyring.kept
    assert forgotten(desk) == [INACTIVE_ID]
    assert not desk.iam.mutations


async def test_keyring_that_fails_forgets_nothing(desk: Desk) -> None:
    some_secrets(desk)
    async with opened(desk):
        await at_vault(desk)
        desk.keyring.trouble = StoreError("The OS keyring failed.")
        await desk.press("x", *INACTIVE_ID[-4:], "enter")
        await desk.sees("✗ The OS keyring failed.")
        assert rows(desk) == ORDER
    assert not forgotten(desk)


async def test_vault_stays_open_when_dropping_fails(desk: Desk) -> None:
    some_secrets(desk)
    del desk.keyring.kept[INACTIVE_ID]
    async with opened(desk):
        await at_vault(desk)
        await desk.press("t")
        await desk.on(ConfirmScreen)
        desk.keyring.trouble = StoreError("The OS keyring failed.")
        await desk.press("y")
        await desk.on(VaultScreen)
        await desk.sees("✗ The OS keyring failed.")
        assert rows(desk) == ORDER
        desk.keyring.trouble = None
        await desk.press("j", "s")
        await desk.sees(SENTINEL)
    assert not forgotten(desk)


async def test_esc_while_a_secret_is_being_deleted_waits_for_that(desk: Desk) -> None:
    some_secrets(desk)
    gate, delete = threading.Event(), desk.keyring.delete

    def slow(key_id: str) -> None:
        gate.wait(SECONDS)
        delete(key_id)

    desk.keyring.delete = slow  # type: ignore[method-assign]
    async with opened(desk):
        await at_vault(desk)
        await desk.press("x", *INACTIVE_ID[-4:], "enter")
        await desk.until(lambda: desk.app.typed.held)
        desk.app.post_message(events.Key("escape", None))
        await desk.until(lambda: len(desk.app.typed._typed) == 1)
        gate.set()
        await desk.on_main()
        assert "Left" not in desk.text
    assert forgotten(desk) == [INACTIVE_ID]


async def test_filter_and_esc_twice(desk: Desk) -> None:
    some_secrets(desk)
    async with opened(desk):
        await desk.press("V", "slash")
        await desk.write("bob")
        await desk.on(VaultScreen)
        await desk.until(lambda: rows(desk) == [BOB_ID, GONE_ID])
        await desk.sees("5 secrets · 2 shown")
        await desk.press("ctrl+u")
        await desk.write("quebec")
        await desk.until(lambda: rows(desk) == [])
        await desk.press("escape")
        await desk.until(lambda: rows(desk) == ORDER)
        await desk.press("escape")
        await desk.on_main()


async def test_what_the_record_says_moves_no_cursor(desk: Desk) -> None:
    store(desk, BOB_ID, "b\x1b[2Job\u202e")
    async with opened(desk):
        await at_vault(desk)
        await desk.sees("b�[2Job�")
        assert "b�[2Job�" in desk.line(BOB_ID)
