"""``P``: all profiles side by side, each filled in as it answers, and the switch to one."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from keytui.core.errors import CredentialsError, KeytuiError
from keytui.core.iam import Iam
from keytui.core.model import Identity, LastUsed, User
from keytui.session.settings import Settings
from keytui.tui.app import KeytuiApp
from keytui.tui.profiles.screen import ProfilesScreen, choose_profile
from tests.support.app import OWN_ID, SECONDS, Desk, GatedIam, an_account, opened, parts_of
from tests.support.fake_iam import ACCOUNT, START, FakeIam

OLD_ID = "AKIAOLDOLDOLDOLD0001"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/me"
EXPIRED = CredentialsError(
    "The sign-in session has expired.", "Nothing was changed.", "Run aws sso login."
)


class Fleet:
    """The accounts behind the profiles.

    Attributes:
        gates: Profile → what its answer waits for.
        asked: The profiles that were asked, in order.
    """

    def __init__(self) -> None:
        self.gates: dict[str, threading.Event] = {}
        self.asked: list[str] = []
        stale = FakeIam(caller="old-hand")
        used = LastUsed(START - timedelta(days=2), "s3", "eu-west-1")
        stale.add_key(stale.caller, OWN_ID, created=START - timedelta(days=5), last_used=used)
        old = START - timedelta(days=100)
        stale.add_key(stale.caller, OLD_ID, created=old, last_used=used)
        role = FakeIam()
        role._identity = Identity("999999999999", ROLE)
        self.accounts: dict[str, Iam | KeytuiError] = {
            "acme": GatedIam(),
            "old": stale,
            "out": EXPIRED,
            "[b]x\x1b[2J": role,
        }

    def hold(self, profile: str) -> Callable[[], None]:
        """Hold up a profile's answer until what is returned is called."""
        gate = self.gates[profile] = threading.Event()
        return gate.set

    def peek(self, profile: str) -> Iam:
        self.asked.append(profile)
        if gate := self.gates.get(profile):
            gate.wait(SECONDS)
        found = self.accounts.get(profile, EXPIRED)
        if isinstance(found, KeytuiError):
            raise found
        return found


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


@pytest.fixture
def desk(tmp_path: Path, fleet: Fleet) -> Desk:
    desk = Desk(tmp_path, an_account())
    desk.profiles, desk.peeking = list(fleet.accounts), fleet.peek
    return desk


async def at_profiles(desk: Desk) -> ProfilesScreen:
    await desk.press("P")
    return await desk.on(ProfilesScreen)


async def test_names_stand_there_at_once_and_each_is_filled_in(desk: Desk, fleet: Fleet) -> None:
    release = [fleet.hold(name) for name in fleet.accounts]
    async with opened(desk):
        screen = await at_profiles(desk)
        assert [desk.line(name).split()[-2:] for name in ("acme", "old", "out", "[b]x�[2J")] == [
            ["…", "asking"]
        ] * 4
        await desk.sees("0 of 4 answered", "asking…", "acme is being asked.")
        await desk.press("down")
        release[2]()
        await desk.sees("✗ The sign-in session has expired.")
        assert screen.list.name_here == "old"
        release[1]()
        await desk.sees("1 of 4 answered · 1 failed · 2 keys, 1 stale, 1 more breaks a rule · as")
        assert desk.line("old  ").split() == (
            f"old {ACCOUNT} old-hand 2 keys · 1 old, two active · 100 d, 5 d".split()
        )
        await desk.sees(
            f"old: arn:aws:iam::{ACCOUNT}:user/old-hand",
            f"{OLD_ID} ● Active created 100 d ago, last used 2 d ago by s3 eu-west-1 old 1.14",
            f"{OWN_ID} ● Active created 5 d ago, last used 2 d ago by s3 eu-west-1, signs here",
        )
        release[0]()
        release[3]()
        await desk.sees("3 of 4 answered · 1 failed · 2 keys")
        await desk.loses("asking")
        assert "ops/me no keys of its own" in " ".join(desk.line("[b]x").split())
        await desk.press("down")
        await desk.sees("out The sign-in session has expired. Run aws sso login.")
        await desk.press("down")
        await desk.sees(f"[b]x�[2J: {ROLE}", "A role or a federated user")
        await desk.press("q")
        await desk.on_main()
    assert desk.connected == [None]


async def test_filter_by_what_was_found_and_the_switch(desk: Desk, fleet: Fleet) -> None:
    release = fleet.hold("acme")
    other = GatedIam(caller="bert")
    async with opened(desk):
        desk.connecting = lambda profile: other if profile == "old" else desk.iam
        screen = await at_profiles(desk)
        await desk.sees("2 of 4 answered")
        await desk.press("slash")
        await desk.write("two old-h")
        await desk.sees("1 shown")
        assert list(screen.list.names) == ["old"]
        await desk.press("enter")  # Leaves the filter line.
        release()
        await desk.sees("3 of 4 answered")
        assert list(screen.list.names) == ["old"]
        await desk.press("enter")
        await desk.on_main()
        await desk.sees("bert @ 123456789012", "profile old", "1 user")
        await desk.press("P")
        screen = await desk.on(ProfilesScreen)
        await desk.sees("in use now", "3 of 4 answered")
        assert screen.list.name_here == "old"
        assert desk.line("old-hand").split()[0] == "•"
        await desk.press("slash")
        await desk.write("nobody")
        await desk.sees("No profile passes the filter.")
        await desk.press("enter", "enter")
        assert desk.app.screen is screen
        await desk.press("escape")
        await desk.sees("acme")
        await desk.press("escape")
        await desk.on_main()
    assert desk.connected == [None, "old"]


async def test_filter_hiding_the_cursor_row_goes_to_the_first_match(
    desk: Desk,
) -> None:
    desk.profiles = ["a-ops", "b-ops", "c-ops", "mine"]
    async with opened(desk):
        screen = await at_profiles(desk)
        await desk.press("G", "slash")
        await desk.write("-ops")
        await desk.sees("3 shown")
        assert screen.list.name_here == "a-ops"


async def test_what_was_said_of_the_profile_before_does_not_stay(desk: Desk) -> None:
    def connect(profile: str | None) -> Iam:
        if profile != "old":
            raise EXPIRED
        return desk.iam

    desk.connecting = connect
    async with opened(desk, ready=False):
        await desk.sees("The sign-in session has expired.")
        await at_profiles(desk)
        await desk.press("down", "enter")
        await desk.on_main()
        await desk.sees("profile old", "6 users")
        assert "The sign-in session has expired." not in desk.text


async def test_profile_in_use_chosen_again_keeps_undo_and_the_cursor(desk: Desk) -> None:
    desk.iam.add_key(User("carol"), "AKIAONLYONLYONLY0001")
    async with opened(desk):
        await at_profiles(desk)
        await desk.press("enter")
        await desk.on_main()
        await desk.sees("profile acme", "6 users")
        await desk.press("down", "down", "down")
        await desk.sees("AKIAONLYONLYONLY0001")
        await desk.press("d")
        await desk.sees("u undoes it")
        screen = await at_profiles(desk)
        assert screen.list.name_here == "acme"
        await desk.press("enter")
        await desk.on_main()
        await desk.settled()
        assert "▸ carol" in desk.text
        await desk.press("u")
        await desk.until(lambda: len(desk.iam.mutations) == 2)
    assert desk.connected == [None, "acme", "acme"]


async def test_esc_leaves_at_once_and_r_asks_again(desk: Desk, fleet: Fleet) -> None:
    release = fleet.hold("acme")
    async with opened(desk):
        screen = await at_profiles(desk)
        await desk.sees("2 of 4 answered")
        del fleet.accounts["old"]
        await desk.press("r")
        await desk.sees("1 of 4 answered · 2 failed")
        assert sorted(fleet.asked) == sorted([*desk.profiles] * 2)
        await desk.press("escape")
        await desk.on_main()
        assert screen._stopped.is_set()
        release()
        await desk.settled()
        assert "6 users" in desk.words


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_all_sizes(desk: Desk, fleet: Fleet, size: tuple[int, int]) -> None:
    desk.profiles = sorted([*fleet.accounts, *(f"some-long-profile-{n:03}" for n in range(300))])
    async with opened(desk, size=size):
        await at_profiles(desk)
        await desk.sees("3 of 304 answered · 301 failed · 2 keys, 1 st")
        await desk.sees(
            "acme", "no keys of its own", "some-long-profile", "enter Switch", "esc Bac"
        )
        assert all(len(line) <= size[0] for line in desk.text.splitlines())
        await desk.press("G")
        await desk.sees("some-long-profile-299", "Run aws sso login.")


async def test_demo_account_has_no_others(desk: Desk) -> None:
    stage = KeytuiApp(parts_of(desk, Settings(demo=True))).main.stage
    said: list[str] = []
    stage.say = lambda text, **_: said.append(text)  # type: ignore[method-assign]
    assert await choose_profile(stage) is None
    assert said == ["The demo account has no other profiles."]
