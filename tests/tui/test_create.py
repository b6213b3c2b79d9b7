"""Create a key: where its secret goes, and what stops it before AWS is asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual import events

from keytui.core.errors import LostReplyError, StoreError, UnreachableError
from keytui.core.model import AccessKey, KeyStatus, NewAccessKey, User
from keytui.journal.creations import attempts
from keytui.journal.log import Event
from keytui.tui.dialogs.dialogs import WorkingScreen
from keytui.tui.keys.create import CreateScreen
from keytui.tui.keys.recover import OrphanScreen
from keytui.tui.keys.reveal import RevealScreen
from tests.support.app import INACTIVE_ID, CsvFile, Desk, GatedIam, only_key, opened
from tests.support.sentinel import SENTINEL

LOCKED = StoreError("The keyring is locked.", next_step="Unlock it, then try again.")


async def at_dialog(desk: Desk) -> CreateScreen:
    """Open the dialog for carol, who has no key."""
    await desk.press("c")
    dialog = await desk.on(CreateScreen)
    await desk.sees("Secret Service")
    return dialog


async def test_dialog_says_for_whom_and_where(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        await desk.sees(
            "Create an access key",
            "For carol 0 of 2 keys",
            "◉ OS keyring Secret Service ✓ can be written",
            "○ CSV file",
            "○ Show only",
            "Description, optional",
        )
        assert True in desk.keyring.probes, "proved by writing"
        await desk.press("escape")
        await desk.on_main()
    assert desk.iam.mutations == []


async def test_creation_tests_the_keyring_once(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        desk.keyring.probes.clear()
        await at_dialog(desk)
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.sees("read back")
    assert desk.keyring.probes == [True]


async def test_creation_tests_the_keyring_again_after_a_while(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr("keytui.stores.base.monotonic", lambda: clock[0])
    async with opened(desk, user="carol"):
        desk.keyring.probes.clear()
        await at_dialog(desk)
        clock[0] = 60.0
        desk.keyring.trouble = LOCKED
        await desk.press("enter")
        await desk.sees("The keyring is locked.")
    assert desk.keyring.probes == [True, True]
    assert desk.iam.mutations == []


async def test_key_whose_secret_goes_into_the_keyring(desk: Desk) -> None:
    desk.iam.next_secret = SENTINEL
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        await desk.press("enter")
        await desk.on(RevealScreen)
        key = only_key(desk, "carol")
        await desk.sees(key.id, "✓ In the OS keyring (Secret Service), read back")
        assert SENTINEL not in desk.text
        assert "kept nowhere" not in desk.words
        await desk.press("escape")
        await desk.sees(f"{key.id} is active; its secret is in the OS keyring (Secret Service).")
        await desk.until(lambda: "● Active" in desk.line(f"▸ {key.id}"))
    assert desk.keyring.kept[key.id].reveal() == SENTINEL
    assert desk.iam.count("iam:CreateAccessKey") == 1
    events = [entry.event for entry in desk.journal.entries()]
    assert events == [Event.CREATING, Event.CREATED, Event.STORING, Event.STORED]


async def test_key_whose_secret_goes_into_a_csv_file(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        assert "/csv/carol.csv" not in desk.text
        await desk.press("down")
        await desk.sees("Path of the CSV file", "/csv/carol.csv")
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.sees("✓ In /csv/carol.csv, read back")
        await desk.press("escape")
        await desk.sees("its secret is in /csv/carol.csv.")
    assert list(desk.files["/csv/carol.csv"].kept) == [only_key(desk, "carol").id]
    assert desk.keyring.kept == {}


async def test_path_of_the_csv_file_can_be_edited(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        await desk.press("down", "tab")
        await desk.press("end", *["backspace"] * len("carol.csv"))
        await desk.write("other.csv")
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.sees("✓ In /csv/other.csv, read back")
    assert "/csv/other.csv" in desk.files


async def test_key_to_show_only(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        await desk.press("down", "down", "enter")
        await desk.on(RevealScreen)
        await desk.sees("It is kept nowhere yet.")
        await desk.press("k")
        await desk.sees("✓ In the OS keyring")
        await desk.press("escape")
        await desk.on_main()
    assert list(desk.keyring.kept) == [only_key(desk, "carol").id]


async def test_description_is_kept_as_a_tag(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        await desk.press("tab")
        await desk.write("my laptop")
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.press("escape")
        await desk.sees("“my laptop”")
    assert desk.iam.descriptions(desk.iam.find("carol")) == {
        only_key(desk, "carol").id: "my laptop"
    }


async def test_description_that_may_not_be_kept_is_a_warning(desk: Desk) -> None:
    desk.iam.deny = {"iam:TagUser"}
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        await desk.press("tab")
        await desk.write("laptop")
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.sees("✓ In the OS keyring", "iam:TagUser")


async def test_unwritable_keyring_blocks_enter_and_shows_the_reason(
    desk: Desk,
) -> None:
    async with opened(desk, user="carol"):
        desk.keyring.trouble = LOCKED
        await at_dialog(desk)
        await desk.sees("✗ can't be used", "The keyring is locked. Unlock it, then try again.")
        await desk.press("enter")
        await desk.settled()
        await desk.on(CreateScreen)
        assert desk.iam.mutations == []

        await desk.press("down")
        await desk.loses("The keyring is locked.")
        await desk.press("enter")
        await desk.on(RevealScreen)
    assert desk.iam.count("iam:CreateAccessKey") == 1


async def test_unwritable_csv_file_blocks_enter_and_shows_the_reason(
    desk: Desk,
) -> None:
    there = desk.files["/csv/carol.csv"] = CsvFile("/csv/carol.csv")
    there.trouble = StoreError("There is a file of that name.", next_step="Take another name.")
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        await desk.press("down", "enter")
        await desk.sees("There is a file of that name.")
        await desk.settled()
        await desk.on(CreateScreen)
    assert desk.iam.mutations == []
    assert desk.journal.entries() == []


async def test_keyring_locked_after_its_test_leaves_the_secret_shown(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        await desk.sees("✓ can be written")
        desk.keyring.trouble = LOCKED
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.sees("The keyring is locked.", "It is kept nowhere yet.")
        desk.keyring.trouble = None
        await desk.press("k")
        await desk.sees("read back")
        key = only_key(desk, "carol")
    assert key.id in desk.keyring.kept


async def test_quota_is_said_before_any_dialog(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        desk.iam.calls.clear()
        await desk.press("c")
        await desk.sees(
            "alice has 2 access keys; AWS allows 2.",
            "No key was made.",
            f"{INACTIVE_ID} could go: it is inactive already.",
        )
        assert desk.app.screen is desk.app.main
    assert desk.iam.mutations == []


async def test_quota_reached_since_the_table_was_read(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        carol = desk.iam.find("carol")
        desk.iam.add_key(carol)
        desk.iam.add_key(carol)
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.press("enter")
        await desk.sees("carol has 2 access keys; AWS allows 2.", "No key was made.")
        await desk.sees("carol 2 keys")
    assert desk.iam.mutations == []


async def test_key_deleted_elsewhere_makes_room(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        desk.iam.remove_key(desk.iam.held(desk.iam.find("alice"))[0])
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.sees("1 of 2 keys")


async def test_pressed_twice_opens_one_dialog(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        desk.iam.remove_key(desk.iam.held(desk.iam.find("alice"))[0])
        gate = desk.iam.hold("iam:ListAccessKeys")
        await desk.press("c", "c")
        gate.set()
        await desk.on(CreateScreen)
        await desk.press("escape")
        await desk.on_main()
        await desk.settled()
        assert desk.app.screen is desk.app.main


async def test_creation_that_is_refused(desk: Desk) -> None:
    desk.iam.deny = {"iam:CreateAccessKey"}
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        await desk.press("enter")
        await desk.sees("iam:CreateAccessKey", "Nothing was changed.")
        await desk.on_main()
        assert not desk.app.holds_secret
        await desk.press("q")
        await desk.until(lambda: not desk.app.is_running)
    assert desk.held("carol") == {}


async def test_state_folder_that_can_not_be_written_stops_it(desk: Desk) -> None:
    desk.journal.path.parent.write_text("a file is in the way")
    async with opened(desk, user="carol", ready=False):
        await desk.sees("carol has no access keys", "Keyring: Secret Service")
        await at_dialog(desk)
        await desk.press("enter")
        await desk.sees("can't write its record", "XDG_STATE_HOME")
    assert desk.iam.mutations == []


@asynccontextmanager
async def lost(desk: Desk) -> AsyncIterator[AccessKey]:
    """Create a key for carol whose reply is lost; it is found."""
    desk.iam.lose_reply = True
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        await desk.press("enter")
        await desk.on(OrphanScreen)
        yield only_key(desk, "carol")
    assert desk.iam.count("iam:CreateAccessKey") == 1


async def test_lost_reply_names_the_key_that_nobody_can_use(desk: Desk) -> None:
    async with lost(desk) as key:
        await desk.sees(
            "A key whose secret is lost",
            f"AWS made {key.id} for carol, but its secret did not arrive. Nobody can use it.",
            "keytui asked for a key at 2026-01-15 09:00:00 UTC",
            "Delete it? enter means yes.",
        )
        assert not desk.app.holds_secret


@pytest.mark.parametrize("answer", ["enter", "y"])
async def test_key_that_nobody_can_use_is_deleted(desk: Desk, answer: str) -> None:
    async with lost(desk) as key:
        await desk.press(answer)
        await desk.sees(f"{key.id} is deleted.", "carol no keys", "✕ Deleted")
        await desk.on_main()
        assert "unfinished" not in desk.text
    assert desk.held("carol") == {}
    assert [entry.event for entry in desk.journal.entries()][-2:] == [
        Event.DISCARDED,
        Event.DELETED,
    ]


@pytest.mark.parametrize("answer", ["n", "escape"])
async def test_key_that_nobody_can_use_can_wait(desk: Desk, answer: str) -> None:
    async with lost(desk) as key:
        await desk.press(answer)
        await desk.on_main()
        await desk.sees(f"AWS made {key.id}", "H offers to delete it.")
        await desk.sees("! 1 creation unfinished: H")
        await desk.until(lambda: key.id in desk.line("● Active"))
    assert desk.held("carol") == {key.id: KeyStatus.ACTIVE}
    assert attempts(desk.journal.entries())[0].open


async def test_key_that_nobody_can_use_can_be_left_for_good(desk: Desk) -> None:
    async with lost(desk) as key:
        await desk.press("o")
        await desk.sees(f"{key.id} stays as it is. keytui does not ask again.")
        await desk.on_main()
        assert "unfinished" not in desk.text
    assert desk.held("carol") == {key.id: KeyStatus.ACTIVE}
    assert desk.journal.entries()[-1].event is Event.UNKEPT
    assert not attempts(desk.journal.entries())[0].open


async def test_what_was_typed_before_the_offer_is_not_its_answer(desk: Desk) -> None:
    """Somebody presses enter again while the keys are read: that deletes nothing."""
    desk.iam.lose_reply = True
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        gate = desk.iam.hold("iam:ListUserTags")
        await desk.press("enter")
        await desk.sees("! 1 creation unfinished: H")
        assert desk.app.typed.held
        for key in ("enter", "y"):
            desk.app.post_message(events.Key(key, None))
        await desk.until(lambda: len(desk.app.typed._typed) == 2)
        gate.set()
        await desk.on(OrphanScreen)
        await desk.settled()
        assert isinstance(desk.app.screen, OrphanScreen)
    assert desk.held("carol") == {only_key(desk, "carol").id: KeyStatus.ACTIVE}


class GoneDark(GatedIam):
    """The network goes away with AWS's reply, and stays away."""

    def create_key(self, user: User) -> NewAccessKey:
        self.calls.append(f"iam:CreateAccessKey {user.name}")
        self.errors["iam:ListAccessKeys"] = UnreachableError("No network.")
        raise LostReplyError("AWS's reply did not arrive.", "A key may exist.", "List the keys.")


async def test_lost_reply_is_told_though_the_keys_can_not_be_read(desk: Desk) -> None:
    iam = GoneDark()
    iam.add_user("carol")
    desk.iam = iam
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        await desk.press("enter")
        await desk.sees(
            "Whether AWS made a key for carol on 2026-01-15 09:00 UTC can't be seen now.",
            "No network.",
            "H looks again.",
            "! 1 creation unfinished: H",
        )
        await desk.on_main()
    assert iam.count("iam:CreateAccessKey") == 1
    assert attempts(desk.journal.entries())[0].open


class MadeThenDark(GatedIam):
    """A key is made, its reply lost, and after it was found the keys can't be read again."""

    def keys(self, user: User) -> tuple[AccessKey, ...]:
        found = super().keys(user)
        if self.count("iam:CreateAccessKey"):
            self.deny.add("iam:ListAccessKeys")
        return found


async def test_orphan_is_named_though_the_keys_can_not_be_read_again(desk: Desk) -> None:
    iam = MadeThenDark()
    iam.add_user("carol")
    iam.lose_reply = True
    desk.iam = iam
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        await desk.press("enter")
        await desk.on(OrphanScreen)
        key = only_key(desk, "carol")
        await desk.sees(f"AWS made {key.id}")
        await desk.press("enter")
        await desk.sees(f"{key.id} is deleted.")
    assert desk.held("carol") == {}


async def test_while_a_key_is_made_nobody_leaves(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        gate = desk.iam.hold("iam:CreateAccessKey")
        await at_dialog(desk)
        await desk.press("enter")
        await desk.on(WorkingScreen)
        await desk.sees("Creating a key for carol", "Waiting for AWS to make the key", "only once")
        await desk.press("ctrl+q", "ctrl+c", "escape", "q", "ctrl+p", "c", "enter", "P", "r")
        assert desk.app.is_running
        assert isinstance(desk.app.screen, WorkingScreen)
        gate.set()
        await desk.on(RevealScreen)
        await desk.press("escape")
        await desk.on_main()
    assert desk.iam.count("iam:CreateAccessKey") == 1
    assert list(desk.keyring.kept) == [only_key(desk, "carol").id]


async def test_failed_store_leaves_the_secret_in_the_reveal(desk: Desk) -> None:
    desk.keyring.fails_at_put = StoreError("The keyring did not keep it.")
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.sees("✗ The keyring did not keep it.", "It is kept nowhere yet.")
        await desk.press("f")
        await desk.sees("Save a CSV file", "/csv/carol.csv")
        await desk.press("enter")
        await desk.sees("✓ In /csv/carol.csv, read back")
        assert "did not keep it" not in desk.words
        await desk.press("escape")
        await desk.on_main()
    assert list(desk.files["/csv/carol.csv"].kept) == [only_key(desk, "carol").id]


async def test_key_for_the_root_user(desk: Desk) -> None:
    iam = GatedIam(root=True)
    desk.iam = iam
    async with opened(desk):
        await desk.sees("<root account> 1 key")
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.press("enter")
        await desk.on(RevealScreen)
        await desk.press("escape")
        await desk.on_main()
        await desk.sees("<root account> 2 keys")
    assert len(desk.keyring.kept) == 1


async def test_reveal_is_not_there_before_the_secret(desk: Desk) -> None:
    gate = desk.iam.hold("iam:CreateAccessKey")
    async with opened(desk, user="carol"):
        await at_dialog(desk)
        await desk.press("enter")
        await desk.on(WorkingScreen)
        await desk.until(lambda: not desk.app.holds_secret)
        gate.set()
        await desk.on(RevealScreen)
        await desk.until(lambda: desk.app.holds_secret)
        await desk.press("escape")
        await desk.on_main()
        await desk.until(lambda: not desk.app.holds_secret)
