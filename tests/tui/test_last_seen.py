"""The users last seen: there before AWS has answered, and confirmed in place."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from keytui.core.errors import UnreachableError
from keytui.core.iam import Iam
from keytui.core.model import User
from keytui.session.users_cache import KnownUsers, UsersCache
from keytui.tui.audit.screen import AuditScreen
from keytui.tui.history.screen import HistoryScreen
from keytui.tui.profiles.screen import ProfilesScreen
from tests.support.app import Desk, GatedIam, opened
from tests.support.fake_iam import ACCOUNT, START

NAMES = ["admin", "alice", "bob", "carol", "gone", "team-one"]


@pytest.fixture
def desk(desk: Desk, tmp_path: Path) -> Desk:
    """Two hours ago there was a user more, and team-two was not there yet."""
    desk.cache = UsersCache(tmp_path / "cache")
    known = KnownUsers(ACCOUNT, START - timedelta(hours=2), NAMES, {})
    desk.cache.save(None, known)
    return desk


def slowly(desk: Desk) -> threading.Event:
    """Let AWS answer when the event is set."""
    gate = threading.Event()

    def connect(_: str | None) -> Iam:
        gate.wait(10)
        return desk.iam

    desk.connecting = connect
    return gate


def kept(desk: Desk) -> tuple[str, ...]:
    known = desk.cache.load(None)
    return tuple(known.names) if known else ()


async def test_they_stand_there_at_once_and_are_confirmed_in_place(desk: Desk) -> None:
    gate = slowly(desk)
    async with opened(desk, ready=False):
        await desk.sees("6 users as of 2 h ago", "asking AWS", "gone", "team-one")
        await desk.press("down", "down", "down", "down", "down")
        await desk.until(lambda: "team-one" in desk.line("▸ "))
        await desk.press("d", "x", "c")
        await desk.sees("AWS has not answered yet.")
        gate.set()
        await desk.sees("6 users", "team-two", "admin @")
        await desk.until(lambda: "as of" not in desk.words and "gone" not in desk.words)
        assert "AWS has not answered yet." not in desk.text
        assert "team-one" in desk.line("▸ "), "the cursor stays on its user"
        await desk.until(lambda: "team-two" in kept(desk))
    assert desk.iam.mutations == []
    assert "gone" not in kept(desk)


@pytest.mark.parametrize("at_keys", [False, True])
async def test_user_that_is_gone_passes_no_keypress_to_the_next_user(
    desk: Desk, at_keys: bool
) -> None:
    desk.iam.add_key(User("team-one"), "AKIAONLYONLYONLY0001")
    gate = slowly(desk)
    async with opened(desk, ready=False):
        await desk.sees("6 users as of 2 h ago")
        await desk.press("down", "down", "down", "down", *(["tab"] if at_keys else []))
        await desk.until(lambda: "gone" in desk.line("▸ "))
        gate.set()
        await desk.sees("gone does not exist any more.", "AKIAONLYONLYONLY0001")
        assert "team-one" in desk.line("▸ team"), "the cursor stays where it was"
        await desk.press("d")
        await desk.sees("Press it again on the one you mean.")
        assert desk.iam.mutations == []
        await desk.press("d")
        await desk.until(lambda: bool(desk.iam.mutations))


async def test_those_of_another_account_go_at_once(desk: Desk) -> None:
    desk.cache.save(None, KnownUsers("999999999999", START, ["stranger"], {}))
    async with opened(desk):
        await desk.sees("6 users", "alice", "were of another account")
        await desk.until(lambda: "stranger" not in desk.text)


async def test_cached_users_stay_unconfirmed_if_aws_is_unreachable(
    desk: Desk,
) -> None:
    def connect(_: str | None) -> Iam:
        raise UnreachableError("AWS did not answer.", "Nothing was changed.", "r tries again.")

    desk.connecting = connect
    async with opened(desk, ready=False):
        await desk.sees("AWS did not answer.", "6 users as of 2 h ago, not confirmed", "gone")
        await desk.press("d", "c")
        await desk.settled()
        assert desk.app.is_running


async def test_keypress_for_a_user_of_another_account_does_nothing(
    desk: Desk,
) -> None:
    desk.cache.save(None, KnownUsers("999999999999", START, ["stranger"], {}))
    desk.iam.add_key(desk.iam.caller, "AKIAONLYONLYONLY0001")
    gate = slowly(desk)
    async with opened(desk, ready=False):
        await desk.sees("stranger", "asking AWS")
        await desk.press("down", "tab")
        gate.set()
        await desk.sees("were of another account", "6 users", "AKIAONLYONLYONLY0001")
        await desk.press("d")
        await desk.settled()
        assert desk.iam.mutations == []
        await desk.sees("Press it again on the one you mean.")


async def test_keypress_for_a_user_of_old_credentials_does_nothing(
    desk: Desk,
) -> None:
    other = GatedIam(caller="bert")
    other.add_key(other.caller, "AKIABERTBERTBERT0001")
    async with opened(desk):
        await desk.press("down", "tab")
        desk.connecting = lambda _: other
        await desk.press("r")
        await desk.sees("bert @", "AKIABERTBERTBERT0001")
        await desk.press("d")
        await desk.settled()
        assert other.mutations == []
        await desk.sees("Press it again on the one you mean.")


async def test_user_error_from_the_previous_profile_is_not_shown(
    desk: Desk,
) -> None:
    assert isinstance(desk.iam, GatedIam)
    desk.profiles = ["other"]
    desk.cache.save("other", KnownUsers(ACCOUNT, START, ["alice"], {}))
    listing, connecting = desk.iam.hold("iam:ListAccessKeys"), threading.Event()
    desk.iam.deny = {"iam:ListAccessKeys"}

    def connect(profile: str | None) -> Iam:
        if profile:
            connecting.wait(10)
        return desk.iam

    desk.connecting = connect
    async with opened(desk, ready=False):
        await desk.press("down")
        await desk.sees("admin @", "alice reading…")
        await desk.press("P")
        await desk.on(ProfilesScreen)
        await desk.press("enter")
        await desk.on_main()
        await desk.sees("profile other", "alice reading…")
        listing.set()
        reading = [one for one in desk.app.workers if "keys" in one.description]
        await desk.until(lambda: all(one.is_finished for one in reading))
        await desk.pilot.pause()
        assert "ListAccessKeys" not in desk.text
        connecting.set()


async def test_cached_users_disappear_if_listing_users_is_denied(desk: Desk) -> None:
    assert isinstance(desk.iam, GatedIam)
    desk.iam.deny = {"iam:ListUsers"}
    async with opened(desk):
        await desk.sees("this is your own", "1 user")
        assert "gone" not in desk.text


async def test_user_list_shows_key_counts_and_the_worst_finding(
    desk: Desk,
) -> None:
    async with opened(desk, size=(140, 40)):
        await desk.until(lambda: "2 old" in desk.line("  alice"))
        assert desk.line("  carol").split("│")[0].split() == ["carol", "0"]


async def test_audit_waits_for_awss_first_answer(desk: Desk) -> None:
    gate = slowly(desk)
    async with opened(desk, ready=False):
        await desk.sees("asking AWS")
        await desk.press("A")
        await desk.press("escape")
        await desk.sees("Left; nothing was changed.")
        await desk.press("A")
        gate.set()
        await desk.on(AuditScreen)
        await desk.sees("4 keys")
    assert desk.connected == [None]


async def test_audit_opened_while_connecting_keeps_the_error_shown(
    desk: Desk,
) -> None:
    gate = threading.Event()

    def connect(_: str | None) -> Iam:
        gate.wait(10)
        raise UnreachableError("AWS did not answer.", "Nothing was changed.", "r tries again.")

    desk.connecting = connect
    async with opened(desk, ready=False):
        await desk.sees("asking AWS")
        await desk.press("A")
        gate.set()
        await desk.sees("AWS did not answer.")
        await desk.press("H")
        await desk.on(HistoryScreen)
        await desk.press("escape")
        await desk.on_main()
        assert "AWS did not answer." in desk.text
