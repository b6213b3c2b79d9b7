"""Find a user: all pages, a filter, moving, and what stands there when AWS says less."""

import re
import threading
from pathlib import Path

import pytest

from keytui.core.errors import ThrottledError
from keytui.core.model import ROOT_ACCOUNT, Identity, User
from keytui.tui.main.users import UserList
from keytui.tui.profiles.screen import ProfilesScreen
from keytui.tui.terminal.clipboard import osc52
from tests.support.app import ACTIVE_ID, BOB_ID, Desk, GatedIam, an_account, opened
from tests.support.fake_iam import ACCOUNT


def cursor(desk: Desk) -> str:
    """The user whose line bears the cursor, as the screen shows it."""
    line = next((line for line in desk.text.splitlines() if line.startswith((" ▸", "▸"))), "")
    name_and_marker = line.replace("▸", "").split("│")[0].strip()
    return re.sub(r"\s+(\d+( [a-z ]+| !)?|!)$", "", name_and_marker)


async def test_users_are_listed_with_their_number_and_the_caller(desk: Desk) -> None:
    async with opened(desk):
        await desk.sees("6 users", "admin @ 123456789012")
        for name in ("admin", "alice", "bob", "carol", "team-one", "team-two"):
            assert f" {name} " in desk.text
        assert cursor(desk) == "admin"


async def test_pages_are_shown_as_they_arrive(desk: Desk) -> None:
    desk.iam.page_size = 2
    desk.iam.page_gate = threading.Semaphore(0)
    async with opened(desk, ready=False):
        await desk.sees("2 users, reading…")
        assert "alice" in desk.words
        assert "carol" not in desk.words

        desk.iam.page_gate.release()
        await desk.sees("4 users, reading…", "carol")

        desk.iam.page_gate.release()
        await desk.sees("6 users", "team-two")
        await desk.loses("reading…")


async def test_keys_can_be_worked_while_pages_still_arrive(desk: Desk) -> None:
    desk.iam.page_size = 2
    desk.iam.page_gate = threading.Semaphore(0)
    async with opened(desk, ready=False):
        await desk.sees("2 users, reading…")
        await desk.press("down")
        await desk.sees(ACTIVE_ID)
        desk.iam.page_gate.release(2)
        await desk.sees("6 users")
        assert cursor(desk) == "alice", "a page that arrives does not move the cursor"


async def test_filter_narrows_the_list_as_one_types(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("slash")
        await desk.write("team")
        await desk.sees("2 of 6 users")
        assert "carol" not in desk.words
        await desk.write(" two")
        await desk.sees("1 of 6 users")
        assert cursor(desk) == "team-two"

        await desk.press("enter", "escape")
        await desk.loses("of 6 users")
        assert "carol" in desk.words
        assert cursor(desk) == "team-two"


async def test_typing_right_after_the_slash_is_not_taken_for_commands(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("slash", "c", "a", "r")
        await desk.sees("1 of 6 users")
        assert desk.app.screen is desk.app.main
        assert cursor(desk) == "carol"


async def test_filter_that_finds_nobody(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("slash", "q", "q", "x")
        await desk.sees("0 of 6 users")
        await desk.press("enter", *"cdaxuy", "enter", "right", *"cdax")
        assert desk.app.screen is desk.app.main
        await desk.press("escape", "escape")
        await desk.sees("6 users", "alice")
    assert desk.iam.mutations == []


async def test_filter_finds_a_key_id_read_before(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await desk.press("left", "slash")
        await desk.write(BOB_ID[4:10].lower())
        await desk.sees("1 of 6 users")
        assert cursor(desk) == "bob"


async def test_moving_shows_the_keys_of_the_user_under_the_cursor(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("j")
        await desk.sees(ACTIVE_ID)
        assert cursor(desk) == "alice"
        await desk.press("down")
        await desk.sees(BOB_ID)
        await desk.press("k", "up")
        await desk.sees("admin 1 key")
        await desk.press("G")
        await desk.sees("team-two has no access keys. c creates one.")
        await desk.press("g")
        assert cursor(desk) == "admin"
        await desk.press("pagedown")
        assert cursor(desk) == "team-two"
        await desk.press("home", "up")
        assert cursor(desk) == "admin"


async def test_moving_fast_reads_only_where_the_cursor_rests(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keytui.tui.main.screen.REST_SECONDS", 0.5)
    async with opened(desk):
        await desk.sees("admin 1 key")
        desk.iam.calls.clear()
        for _ in range(3):
            desk.app.main.users.query_one(UserList).action_move(1)
        await desk.sees("carol has no access keys")
    assert desk.iam.count("iam:ListAccessKeys") == 1


async def test_between_users_and_keys(desk: Desk) -> None:
    async with opened(desk):
        for there, back in (("right", "left"), ("tab", "tab"), ("enter", "escape"), ("l", "h")):
            await desk.press(there)
            assert desk.app.main.keys.table.has_focus
            await desk.press(back)
            assert not desk.app.main.keys.table.has_focus


async def test_opening_at_a_user(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        await desk.sees("carol has no access keys. c creates one.", "6 users")
        assert cursor(desk) == "carol"
        assert desk.app.main.keys.table.has_focus


async def test_opening_at_a_user_that_is_not_there(desk: Desk) -> None:
    async with opened(desk, user="nobody", ready=False):
        await desk.sees("The user nobody does not exist", "6 users")
        assert cursor(desk) == "admin"


async def test_opening_at_a_user_who_may_not_be_read(desk: Desk) -> None:
    desk.iam.deny = {"iam:GetUser", "iam:ListUsers"}
    async with opened(desk, user="alice"):
        await desk.sees(ACTIVE_ID, "alice 2 keys")


async def test_caller_who_may_not_list_users_sees_themselves(desk: Desk) -> None:
    desk.iam.deny = {"iam:ListUsers"}
    async with opened(desk):
        await desk.sees("iam:ListUsers", "this is your own", "1 user")
        assert cursor(desk) == "admin"
        await desk.sees("admin 1 key")
        assert "alice" not in desk.words


async def test_role_that_may_not_list_users_is_told_what_to_do(tmp_path: Path) -> None:
    desk = Desk(tmp_path, RoleIam())
    desk.iam.deny = {"iam:ListUsers"}
    async with opened(desk, ready=False):
        await desk.sees("iam:ListUsers", "--user NAME", "Admin/alice@acme @ 123456789012")


async def test_role_that_may_not_list_users_can_open_one_by_name(tmp_path: Path) -> None:
    iam = RoleIam()
    key = iam.add_key(iam.add_user("alice"))
    iam.deny = {"iam:ListUsers"}
    async with opened(Desk(tmp_path, iam), user="alice") as desk:
        await desk.sees(key.id, "alice 1 key", "1 user")
        await desk.settled()
        assert "--user NAME" not in desk.words
        assert "reading…" not in desk.words


class RoleIam(GatedIam):
    """An account whose caller is a role's session."""

    def _ask_identity(self) -> Identity:
        arn = "arn:aws:sts::123456789012:assumed-role/Admin/alice@acme"
        return Identity("123456789012", arn)


async def test_root_user_stands_first_with_a_warning(tmp_path: Path) -> None:
    desk = Desk(tmp_path, an_account(root=True))
    async with opened(desk):
        await desk.sees("root @ 123456789012", f"{ROOT_ACCOUNT} 1 key", "delete them")
        assert cursor(desk) == ROOT_ACCOUNT
        await desk.sees("root key", "CIS 1.4")


async def test_reading_users_that_fails_is_not_shown_as_still_going_on(desk: Desk) -> None:
    desk.iam.errors["iam:ListUsers"] = ThrottledError("AWS asks for fewer calls.")
    async with opened(desk, ready=False):
        await desk.sees("AWS asks for fewer calls.")
        await desk.settled()
        assert "connecting…" not in desk.words
        assert "reading…" not in desk.words


async def test_refresh_keeps_the_list_until_the_new_one_is_here(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("left")
        desk.iam.add_user("dave")
        gate = desk.iam.hold("iam:ListUsers")
        await desk.press("r")
        await desk.until(lambda: len(desk.connected) == 2)
        assert "carol" in desk.words
        assert "dave" not in desk.words
        gate.set()
        await desk.sees("7 users", "dave")
        assert cursor(desk) == "alice"


async def test_another_profile(desk: Desk) -> None:
    other = GatedIam(caller="bert")
    async with opened(desk):
        desk.connecting = lambda profile: other if profile == "prod" else desk.iam
        await desk.press("P")
        await desk.on(ProfilesScreen)
        await desk.sees("default", "prod", "2 of 2 answered")
        await desk.press("down", "enter")
        await desk.sees("bert @ 123456789012", "profile prod", "1 user")
        assert "alice" not in desk.words
    assert desk.connected == [None, "prod"]


async def test_no_profile_chosen_changes_nothing(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("P")
        await desk.on(ProfilesScreen)
        await desk.press("escape")
        await desk.on_main()
        await desk.sees("6 users", "admin @")
    assert desk.connected == [None]


async def test_aws_config_without_profiles(desk: Desk) -> None:
    desk.profiles = []
    async with opened(desk):
        await desk.press("P")
        await desk.sees("The AWS config has no profiles.")


async def test_help_lists_the_keys(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("question_mark")
        await desk.sees("Create an access key", "Undo the last change", "Leave keytui")
        await desk.press("escape")
        await desk.on_main()


async def test_key_id_goes_to_the_clipboard(desk: Desk) -> None:
    async with opened(desk, user="bob"):
        await desk.press("y")
        await desk.sees(f"{BOB_ID} was sent to the terminal's clipboard.")
    assert osc52(BOB_ID) in "".join(desk.sent)


async def test_leaving(desk: Desk) -> None:
    async with opened(desk):
        await desk.press("q")
        await desk.until(lambda: not desk.app.is_running)


async def test_role_that_is_assumed_anew_stays_who_it_was(desk: Desk) -> None:
    """The SDK names a role's session by the time, where the profile names none."""
    role = f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/botocore-session-"
    desk.iam._identity = Identity(ACCOUNT, f"{role}1")
    desk.iam.add_key(User("carol"), "AKIAONLYONLYONLY0001")
    async with opened(desk):
        await desk.press("down", "down", "down")
        await desk.sees("AKIAONLYONLYONLY0001")
        await desk.press("d")
        await desk.sees("u undoes it")
        desk.iam._identity = Identity(ACCOUNT, f"{role}2")
        await desk.press("r")
        await desk.sees("botocore-session-2")
        await desk.settled()
        assert cursor(desk) == "carol"
        await desk.press("u")
        await desk.until(lambda: len(desk.iam.mutations) == 2)
