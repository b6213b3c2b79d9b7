"""What AWS refuses or fails to answer is a sentence on the screen, never a crash."""

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from keytui.core.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    KeytuiError,
    NotFoundError,
    ThrottledError,
    UnreachableError,
)
from keytui.core.iam import Iam
from keytui.core.model import KeyStatus
from keytui.tui.dialogs.dialogs import ConfirmScreen, TypeScreen
from keytui.tui.keys.change import DeleteScreen
from keytui.tui.keys.create import CreateScreen
from keytui.tui.keys.reveal import RevealScreen
from keytui.tui.services import connection
from tests.support.app import ACTIVE_ID, INACTIVE_ID, OWN_ID, Desk, GatedIam, opened

KEYS = (
    *"jkgGhlcdaxuyr",
    "full_stop",
    "question_mark",
    "slash",
    "P",
    "tab",
    "enter",
    "up",
    "down",
    "left",
    "right",
    "pageup",
    "pagedown",
    "home",
    "end",
    "escape",
    "ctrl+p",
    "space",
    "s",
    "R",
    "A",
    "V",
    "H",
    "f",
    "delete",
    "f5",
)
VERBS = ("c", "d", "a", "x", "u", "r")
ERRORS: dict[str, Callable[[str], AwsError]] = {
    "denied": lambda action: AccessDeniedError(action, f"You may not do {action}."),
    "throttled": lambda action: ThrottledError(f"AWS asks for fewer calls of {action}."),
    "unreachable": lambda action: UnreachableError(f"AWS did not answer {action}."),
    "not found": lambda action: NotFoundError(f"What {action} asked for is gone."),
    "credentials": lambda action: CredentialsError(f"AWS refuses the credentials for {action}."),
}
BOTH = ("denied", "credentials")
"""The kinds that the screens tell apart: a denial, and all else."""
REST = tuple(kind for kind in ERRORS if kind not in BOTH)
READS = (
    "iam:ListUsers",
    "iam:ListAccessKeys",
    "iam:GetAccessKeyLastUsed",
    "iam:ListUserTags",
)


async def press_everything(desk: Desk, keys: tuple[str, ...] = KEYS) -> None:
    """Press each key that means anything, closing what it opens."""
    for key in keys:
        await desk.press(key)
        for _ in range(8):
            if desk.app.screen is desk.app.main:
                break
            await desk.press("escape")
            await desk.pilot.pause()
        if isinstance(desk.app.main.focused, type(desk.app.main.users.filter_line)):
            await desk.press("escape")
    await desk.settled()


@pytest.mark.parametrize(
    ("action", "kind"),
    [*((action, kind) for action in READS for kind in BOTH), *(("iam:ListUsers", k) for k in REST)],
)
async def test_reading_that_fails_is_said_and_every_key_still_works(
    desk: Desk, action: str, kind: str
) -> None:
    error = desk.iam.errors[action] = ERRORS[kind](action)
    async with opened(desk, user="alice", ready=False):
        await desk.until(lambda: action in desk.words or _explained(desk, error))
        await desk.settled()
        if kind in BOTH:
            every_key = (action, kind) == ("iam:ListAccessKeys", "denied")
            await press_everything(desk, KEYS if every_key else VERBS)
        assert desk.app.is_running
        desk.iam.errors.clear()
        await desk.press("escape", "escape", "r")
        await desk.sees("6 users")


def _explained(desk: Desk, error: AwsError) -> bool:
    """Where a detail is wrapped beside the list of users, its beginning is looked for."""
    return error.title[:20] in desk.words


@pytest.mark.parametrize("kind", BOTH)
async def test_caller_that_can_not_be_asked_for(desk: Desk, kind: str) -> None:
    error = desk.iam.errors["sts:GetCallerIdentity"] = ERRORS[kind]("sts:GetCallerIdentity")
    async with opened(desk, ready=False):
        await desk.sees(error.title, "not connected", "Keyring: Secret Service")
        await press_everything(desk, VERBS)
        desk.iam.errors.clear()
        await desk.press("r")
        await desk.sees("admin @ 123456789012", "6 users")
    assert desk.iam.mutations == []


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("action", ["iam:GetAccessKeyLastUsed", "iam:UpdateAccessKey"])
async def test_making_inactive_fails(desk: Desk, action: str, kind: str) -> None:
    async with opened(desk, user="alice"):
        await desk.press("G")
        error = desk.iam.errors[action] = ERRORS[kind](action)
        await desk.press("d")
        await desk.settled()
        if isinstance(desk.app.screen, ConfirmScreen):
            await desk.sees("could not read when it was last used")
            await desk.press("n")
        else:
            await desk.sees(error.title)
        await desk.until(lambda: "● Active" in desk.line(ACTIVE_ID))
        await press_everything(desk, VERBS)


@pytest.mark.parametrize("kind", BOTH)
async def test_making_active_fails(desk: Desk, kind: str) -> None:
    async with opened(desk, user="alice"):
        error = desk.iam.errors["iam:UpdateAccessKey"] = ERRORS[kind]("iam:UpdateAccessKey")
        await desk.press("a")
        await desk.sees(error.title)
        await desk.until(lambda: "○ Inactive" in desk.line(INACTIVE_ID))
        await press_everything(desk, VERBS)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("action", ["iam:ListAccessKeys", "iam:DeleteAccessKey"])
async def test_deleting_fails(desk: Desk, action: str, kind: str) -> None:
    async with opened(desk, user="alice"):
        error = desk.iam.errors[action] = ERRORS[kind](action)
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.write(INACTIVE_ID[-4:])
        await desk.press("enter")
        await desk.sees(error.title)
        await desk.until(lambda: "○ Inactive" in desk.line(INACTIVE_ID))
        await press_everything(desk, VERBS)
    assert INACTIVE_ID in desk.held("alice")


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("action", ["iam:ListAccessKeys", "iam:CreateAccessKey"])
async def test_creating_fails(desk: Desk, action: str, kind: str) -> None:
    async with opened(desk, user="carol"):
        await desk.press("c")
        await desk.on(CreateScreen)
        error = desk.iam.errors[action] = ERRORS[kind](action)
        await desk.press("enter")
        await desk.sees(error.title)
        await desk.on_main()
        await press_everything(desk, VERBS)
        assert not desk.app.holds_secret
    assert desk.held("carol") == {}


@pytest.mark.parametrize("kind", BOTH)
async def test_reading_again_after_a_creation_fails(desk: Desk, kind: str) -> None:
    async with opened(desk, user="carol"):
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.press("enter")
        await desk.on(RevealScreen)
        desk.iam.errors["iam:ListAccessKeys"] = ERRORS[kind]("iam:ListAccessKeys")
        await desk.press("escape")
        await desk.on_main()
        await desk.settled()
        assert not desk.app.holds_secret
        await press_everything(desk, VERBS)


@pytest.mark.parametrize("kind", BOTH)
async def test_warning_about_a_description(desk: Desk, kind: str) -> None:
    error = desk.iam.errors["iam:TagUser"] = ERRORS[kind]("iam:TagUser")
    async with opened(desk, user="carol"):
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.press("tab", "x", "enter")
        await desk.on(RevealScreen)
        await desk.sees(error.title)


@pytest.mark.parametrize("kind", BOTH)
async def test_description_that_can_not_be_removed_does_not_matter(desk: Desk, kind: str) -> None:
    desk.iam.errors["iam:UntagUser"] = ERRORS[kind]("iam:UntagUser")
    async with opened(desk, user="alice"):
        await desk.press("x")
        await desk.on(DeleteScreen)
        await desk.write(INACTIVE_ID[-4:])
        await desk.press("enter")
        await desk.sees(f"{INACTIVE_ID} is deleted.")


@pytest.mark.parametrize("kind", BOTH)
async def test_opening_by_name_fails(desk: Desk, kind: str) -> None:
    error = desk.iam.errors["iam:GetUser"] = ERRORS[kind]("iam:GetUser")
    async with opened(desk, user="alice", ready=False):
        await desk.sees("6 users")
        await desk.settled()
        if kind == "denied":
            await desk.sees("alice 2 keys")
        else:
            await desk.sees(error.title)
        await press_everything(desk, VERBS)


async def test_user_who_vanished(desk: Desk) -> None:
    async with opened(desk):
        desk.iam.remove_user("alice")
        await desk.press("down")
        await desk.sees("The user alice does not exist")
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.press("enter")
        await desk.sees("The user alice does not exist")
        await desk.on_main()
        await press_everything(desk, VERBS)


async def test_key_that_vanished(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("G")
        active = next(k for k in desk.iam.held(desk.iam.find("alice")) if k.id == ACTIVE_ID)
        desk.iam.remove_key(active)
        await desk.press("d")
        await desk.sees(f"{ACTIVE_ID} does not exist")
        await desk.press("r")
        await desk.until(lambda: ACTIVE_ID not in desk.line("old"))
        await press_everything(desk, VERBS)


async def test_every_key_before_the_connection_is_there(desk: Desk) -> None:
    gate = threading.Event()

    def connect(_: str | None) -> Iam:
        gate.wait(10)
        return desk.iam

    desk.connecting = connect
    async with opened(desk, ready=False):
        await desk.sees("connecting…")
        for key in KEYS:
            if key == "r":
                continue
            await desk.press(key)
            for _ in range(3):
                if desk.app.screen is desk.app.main:
                    break
                await desk.press("escape")
        assert desk.app.is_running
        gate.set()
        await desk.press("escape", "escape", "escape")
        await desk.sees("6 users", "admin @")
    assert desk.iam.mutations == []


@pytest.mark.parametrize(
    "error",
    [
        CredentialsError("No AWS credentials were found.", "Nothing was changed.", "Sign in."),
        UnreachableError("AWS did not answer.", "Nothing was changed.", "Check the network."),
        AwsError("The config profile (nope) could not be found."),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_every_key_after_the_connection_failed(desk: Desk, error: KeytuiError) -> None:
    def connect(_: str | None) -> Iam:
        raise error

    desk.connecting = connect
    async with opened(desk, ready=False):
        await desk.sees(*(part for part in (error.title, error.safe, error.next_step) if part))
        await desk.sees("not connected", "Keyring: Secret Service")
        if isinstance(error, CredentialsError):
            await press_everything(desk)
        desk.connecting = None
        await desk.press("r")
        await desk.sees("6 users", "admin @")
        assert error.title not in desk.words


async def test_connection_that_hangs_is_given_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connection.CONNECT_SECONDS == 10
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 0.05)
    gate = threading.Event()

    def connect(_: str | None) -> Iam:
        gate.wait(10)
        return desk.iam

    desk.connecting = connect
    async with opened(desk, ready=False):
        await desk.sees("AWS did not answer within", "r tries again", "not connected")
        gate.set()


async def test_profiles_that_can_not_be_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> list[str]:
        raise AwsError("The AWS config can't be read.", next_step="Mend it.")

    async with opened(desk):
        monkeypatch.setattr(desk.app.main.stage, "ctx", replace(desk.app.main.ctx, profiles=fail))
        await desk.press("P")
        await desk.sees("The AWS config can't be read.", "Mend it.")
        await desk.press("P")
        assert desk.app.is_running


async def test_switch_to_a_profile_that_does_not_work(desk: Desk) -> None:
    async with opened(desk):

        def connect(profile: str | None) -> Iam:
            if profile == "prod":
                raise CredentialsError("The token of prod has expired.", next_step="Sign in.")
            return desk.iam

        desk.connecting = connect
        await desk.press("P", "down", "enter")
        await desk.sees("The token of prod has expired.", "not connected", "profile prod")
        await desk.press("P", "up", "enter")
        await desk.sees("profile default", "6 users")


async def test_change_that_lands_after_the_profile_was_switched(desk: Desk) -> None:
    """What is under way for one account is not told of, or drawn on, another."""
    other = GatedIam(caller="bert")
    async with opened(desk, user="alice"):
        await desk.press("G")
        gate = desk.iam.hold("iam:UpdateAccessKey")
        await desk.press("d")
        await desk.until(lambda: "◌ Inactive" in desk.line(ACTIVE_ID))
        desk.connecting = lambda _: other
        await desk.press("P", "down", "enter")
        await desk.sees("bert @")
        gate.set()
        await desk.settled()
        await desk.sees("bert 1 key")
        assert desk.app.is_running
    assert other.count("iam:ListAccessKeys") == 1, "alice's keys are not asked for there"


async def test_journal_that_can_not_be_read_is_said(desk: Desk) -> None:
    desk.journal.path.parent.mkdir(parents=True)
    desk.journal.path.mkdir()
    async with opened(desk, user="bob", ready=False):
        await desk.sees("AKIABOBACTIVE0000003")
        await desk.until(lambda: "can't" in desk.words)
        await press_everything(desk, (*VERBS, "H", "V", "R"))


async def test_date_in_the_journal_without_a_zone_does_no_harm(desk: Desk, tmp_path: Path) -> None:
    path = desk.journal.path
    path.parent.mkdir(parents=True)
    path.write_text(
        '{"at":"","event":"deleted","account":"123456789012","user":"alice","caller":"",'
        '"key_id":"AKIAGONE","created":"2025-01-02T03:04:05"}\n'
    )
    async with opened(desk, user="alice", ready=False):
        await desk.sees("AKIAGONE", "✕ Deleted")


async def test_own_key_made_inactive_leaves_keytui_usable(desk: Desk) -> None:
    async with opened(desk, user="admin"):
        await desk.press("d")
        await desk.on(TypeScreen)
        await desk.write("0001")
        for action in READS:
            desk.iam.errors[action] = CredentialsError("AWS refuses the credentials.")
        await desk.press("enter")
        await desk.on_main()
        await desk.settled()
        await desk.sees("P picks another profile", "is inactive")
        assert "● Active" not in desk.line(OWN_ID)
        await press_everything(desk, VERBS)


@pytest.mark.parametrize("kind", BOTH)
async def test_status_change_is_reported_even_if_it_is_unverified(desk: Desk, kind: str) -> None:
    async with opened(desk, user="alice"):
        desk.iam.errors["iam:ListAccessKeys"] = ERRORS[kind]("iam:ListAccessKeys")
        await desk.press("a")
        await desk.until(lambda: desk.held("alice")[INACTIVE_ID] is KeyStatus.ACTIVE)
        await desk.settled()
        await desk.sees("AWS took the change")
        assert "Nothing was changed" not in desk.words


async def test_key_creation_is_reported_even_if_it_is_unverified(desk: Desk) -> None:
    async with opened(desk, user="carol"):
        await desk.press("c")
        await desk.on(CreateScreen)
        await desk.press("enter")
        await desk.on(RevealScreen)
        desk.iam.deny = {"iam:ListAccessKeys"}
        await desk.press("escape")
        await desk.on_main()
        await desk.settled()
        await desk.sees("its secret is in the OS keyring")
        assert "Nothing was changed" not in desk.words


async def test_key_deletion_is_reported_even_if_it_is_unverified(desk: Desk) -> None:
    async with opened(desk, user="alice"):
        await desk.press("x")
        await desk.on(DeleteScreen)
        gate = desk.iam.hold("iam:DeleteAccessKey")
        await desk.write(INACTIVE_ID[-4:])
        await desk.press("enter")
        await desk.until(lambda: "◌ Deleted" in desk.line(INACTIVE_ID))
        await desk.until(lambda: desk.iam.calls[-1].startswith("iam:ListAccessKeys"))
        desk.iam.deny = {"iam:ListAccessKeys"}
        gate.set()
        await desk.settled()
        await desk.sees(f"{INACTIVE_ID} is deleted.")
        assert "Nothing was changed" not in desk.words
