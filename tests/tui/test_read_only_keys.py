"""In read-only mode every key of every screen is pressed: nothing changes, a refused one answers.

The keys are the screens' own, so that a new one is pressed too; it has to be named below as one
that is refused or as one that changes nothing.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from threading import Thread
from typing import Any

import pytest
from textual.binding import Binding
from textual.screen import Screen

from keytui import tui
from keytui.core.errors import StoreError, StoreLockedError
from keytui.core.mfa import MfaRequest
from keytui.core.model import AccessKey, KeyStatus, NewAccessKey, Secret, User
from keytui.journal.log import Entry, Event
from keytui.stores.base import Mend
from keytui.tui.audit.screen import AuditScreen
from keytui.tui.dialogs.dialogs import Dialog, HelpScreen, PathScreen, WorkingScreen
from keytui.tui.dialogs.mfa import MfaScreen
from keytui.tui.dialogs.unlock import UnlockScreen
from keytui.tui.history.screen import HistoryScreen
from keytui.tui.keys.find import FindScreen
from keytui.tui.main.key_screen import KeyScreen
from keytui.tui.main.screen import MainScreen
from keytui.tui.profiles.screen import ProfilesScreen
from keytui.tui.vault.screen import VaultScreen
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, Desk, an_orphan, opened
from tests.support.fake_iam import ACCOUNT, START
from tests.support.sentinel import SENTINEL
from tests.support.snapshot import snapshot

REFUSAL = "keytui is in read-only mode. Nothing was changed."
ADMIN = f"arn:aws:iam::{ACCOUNT}:user/admin"
GONE_ID = "AKIABOBGONE000000004"
LOST_ID = "AKIALOSTSECRET000006"

On = type[Screen[Any]]


@dataclass(frozen=True, slots=True)
class Way:
    """A way to a screen.

    Attributes:
        to: The screen.
        go: Goes there from the main screen.
        refused: The actions there that are refused.
    """

    to: On
    go: Callable[[Desk], Awaitable[object]]
    refused: frozenset[str] = frozenset()


async def to_users(desk: Desk) -> None:
    await desk.press("left")


async def to_active_key(desk: Desk) -> None:
    await desk.press("right", "g", *("j" for _ in range(_row(desk, ACTIVE_ID))))


async def to_inactive_key(desk: Desk) -> None:
    await desk.press("right", "g", *("j" for _ in range(_row(desk, INACTIVE_ID))))


def _row(desk: Desk, key_id: str) -> int:
    known = desk.app.main.stage.account.inventory.keys_of(User("alice"))
    assert known
    return [key.id for key in known.keys].index(key_id)


async def to_audit(desk: Desk) -> None:
    await desk.press("A")
    await desk.sees(ACTIVE_ID, INACTIVE_ID, BOB_ID)


async def to_vault(desk: Desk) -> None:
    await desk.press("V")
    await desk.on(VaultScreen)
    await desk.until(lambda: "Access key ID" in desk.text and "asking" not in desk.text)


async def to_lost_secret(desk: Desk) -> None:
    await to_vault(desk)
    screen = await desk.on(VaultScreen)
    screen.list.move_to([one.key_id for one in screen._held].index(LOST_ID))


async def to_unlock(desk: Desk) -> None:
    desk.keyring.trouble, desk.keyring.mend = StoreError("It is locked."), Mend.UNLOCK
    await desk.press("K")


async def to_path(desk: Desk) -> None:
    await to_audit(desk)
    await desk.press("e")


async def to_history_path(desk: Desk) -> None:
    await desk.press("H")
    await desk.on(HistoryScreen)
    await desk.press("e")


async def to_working(desk: Desk) -> None:
    desk.iam.hold("iam:ListAccessKeys")
    await desk.press("H")
    await desk.on(HistoryScreen)
    await desk.press("enter")


async def to_mfa(desk: Desk) -> None:
    request = MfaRequest("admin", "arn:aws:iam::123456789012:mfa/admin")
    Thread(target=lambda: desk.mfa.code(request), daemon=True).start()


def _by(*keys: str) -> Callable[[Desk], Awaitable[None]]:
    async def go(desk: Desk) -> None:
        await desk.press(*keys)

    return go


def _to_key(first: Callable[[Desk], Awaitable[None]]) -> Callable[[Desk], Awaitable[None]]:
    async def go(desk: Desk) -> None:
        await first(desk)
        await desk.press("enter")

    return go


MOVES = ("sort(", "lines(", "page(", "end(")
"""How the actions begin after which the screen is still there."""
CHANGES = frozenset({"create", "deactivate", "activate", "delete", "rotate", "undo"})
AUDIT_CHANGES = frozenset(f"do('{verb}')" for verb in ("deactivate", "activate", "delete", "undo"))
ON_ACTIVE = frozenset({"answer('DEACTIVATE')", "answer('ROTATE')"})
ON_INACTIVE = frozenset({"answer('ACTIVATE')", "answer('DELETE')"})
OF_VAULT = frozenset({"profile", "forget"})

WAYS = {
    "users": Way(MainScreen, to_users, frozenset({"create", "undo"})),
    "an active key": Way(MainScreen, to_active_key, CHANGES),
    "an inactive key": Way(MainScreen, to_inactive_key, CHANGES),
    "audit": Way(AuditScreen, to_audit, AUDIT_CHANGES),
    "vault": Way(VaultScreen, to_vault, OF_VAULT),
    "a lost secret": Way(VaultScreen, to_lost_secret, OF_VAULT),
    "history": Way(HistoryScreen, _by("H")),
    "profiles": Way(ProfilesScreen, _by("P")),
    "find": Way(FindScreen, _by("f")),
    "help": Way(HelpScreen, _by("question_mark")),
    "detail of an active key": Way(KeyScreen, _to_key(to_active_key), ON_ACTIVE),
    "detail of an inactive key": Way(KeyScreen, _to_key(to_inactive_key), ON_INACTIVE),
    "export of the audit": Way(PathScreen, to_path),
    "export of the history": Way(PathScreen, to_history_path),
    "unlock": Way(UnlockScreen, to_unlock),
    "MFA": Way(MfaScreen, to_mfa),
    "looking": Way(WorkingScreen, to_working),
}
HARMLESS: dict[On, set[str]] = {
    MainScreen: {"filter", "detail", "find", "mark", "copy", "refresh", "audit", "history", "vault"}
    | {"profile", "deleted", "help", "quit", "switch_pane", "to_keys", "to_users", "back"}
    | {"unlock"},
    AuditScreen: {"mark", "mark_all", "filter", "open", "do('export')", "refresh", "help", "back"},
    VaultScreen: {"show", "copy", "test", "filter", "back"},
    HistoryScreen: {"look", "filter", "export", "back"},
    ProfilesScreen: {"choose", "filter", "refresh", "back"},
    FindScreen: {"submit", "leave"},
    HelpScreen: set(),
    KeyScreen: {"copy"},
    PathScreen: {"submit"},
    UnlockScreen: {"submit"},
    MfaScreen: {"submit"},
    WorkingScreen: {"leave"},
}
NOT_REACHED = {
    *("BatchScreen", "BulkScreen", "BulkDeleteScreen", "ChoiceScreen", "ConfirmScreen"),
    *("CreateScreen", "DeleteScreen", "OrphanScreen", "ProfileScreen", "RepointScreen"),
    *("RevealScreen", "RotateScreen", "RotationScreen", "TwoKeysScreen", "TypeScreen"),
}
"""The screens that only stand where something is changed."""
ABOVE = {"FilteredScreen"}
"""What screens are made of; with ``Dialog`` and ``LongDialog``."""


def all_screens() -> set[On]:
    found = set()
    for module in pkgutil.walk_packages(tui.__path__, f"{tui.__name__}."):
        one = importlib.import_module(module.name)
        classes = inspect.getmembers(one, inspect.isclass)
        found |= {kind for _, kind in classes if issubclass(kind, Screen)}
    return {kind for kind in found if kind.__module__.startswith(f"{tui.__name__}.")}


def bindings(kind: On) -> Iterator[Binding]:
    """Yield the keys of a screen, those of what it is made of too."""
    for one in kind.__mro__:
        if one.__module__.startswith("keytui."):
            yield from (b for b in one.__dict__.get("BINDINGS", ()) if isinstance(b, Binding))


@pytest.fixture
def desk(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An open creation and rotation, one to be tidied up, secrets, AWS files of bob's."""
    monkeypatch.setenv("HOME", str(desk.home / "exports"))
    (desk.home / "exports").mkdir()
    an_orphan(desk)
    line: dict[str, str] = {"at": START.isoformat(), "account": ACCOUNT, "caller": ADMIN}
    for user, key_id in (("alice", ACTIVE_ID), ("bob", BOB_ID), ("bob", GONE_ID), ("bob", LOST_ID)):
        more = {**line, "user": user, "key_id": key_id, "store": "keyring"}
        desk.journal.append(Entry(event=Event.STORED, **more))
        key = AccessKey(key_id, User(user), KeyStatus.ACTIVE, None)
        if key_id != LOST_ID:
            desk.keyring.put(NewAccessKey(key, ACCOUNT, Secret(SENTINEL)))
    for key_id, name in ((BOB_ID, "a1"), (GONE_ID, "a2")):
        more = {**line, "user": "bob", "key_id": key_id, "rotation": name}
        desk.journal.append(Entry(event=Event.ROTATING, store="keyring", **more))
    desk.journal.append(Entry(event=Event.DELETED, **line, user="bob", key_id=GONE_ID))
    (desk.home / ".aws").mkdir()
    desk.aws_files.config.write_text("[profile bob]\nregion = eu-west-1\n")
    desk.aws_files.credentials.write_text(
        f"[bob]\naws_access_key_id = {BOB_ID}\naws_secret_access_key = {SENTINEL}\n"
    )
    return desk


def everything(desk: Desk) -> tuple[object, ...]:
    """Return all that could be changed: AWS, the stores, and every file but exported ones."""
    aws = {name: (dict(h.keys), dict(h.tags)) for name, h in desk.iam._holders.items()}
    kept = {key_id: secret.reveal() for key_id, secret in desk.keyring.kept.items()}
    return aws, kept, dict(desk.files), snapshot(desk.home, but=(desk.home / "exports",))


async def home(desk: Desk) -> None:
    """Go back to the main screen, its message replaced by one that no refused key brings."""
    for gate in desk.iam.gates.values():
        gate.set()
    desk.iam.gates.clear()
    while desk.app.screen is not desk.app.main:  # One may close a dialog or take back a filter.
        await desk.press("escape")
        await desk.pilot.pause()
    await desk.settled()
    await desk.press("escape", "full_stop")
    await desk.sees("Deleted keys are")


@pytest.mark.parametrize("name", WAYS)
async def test_no_key_changes_anything_and_a_refused_one_answers(desk: Desk, name: str) -> None:
    way, seen, there = WAYS[name], set[On](), False
    before = everything(desk)
    async with opened(desk, user="alice", read_only=True, size=(140, 50)):
        await desk.settled()
        for one in bindings(way.to):
            if one.action == "quit":
                continue
            for key in one.key.split(","):
                if not there:
                    await way.go(desk)
                    await desk.on(way.to)
                await desk.press(key)
                if one.action in way.refused:
                    await desk.sees(REFUSAL)
                seen |= {type(screen) for screen in desk.app.screen_stack}
                there = one.action.startswith(MOVES)
                if not there:
                    await home(desk)
    assert everything(desk) == before
    assert desk.iam.mutations == []
    assert seen <= set(HARMLESS), "a screen that only stands where something is changed"


async def test_right_password_opens_the_keyring_and_no_more(desk: Desk) -> None:
    before = everything(desk)
    async with opened(desk, read_only=True):
        await to_unlock(desk)
        await desk.on(UnlockScreen)
        await desk.write(desk.keyring.password)
        await desk.press("enter")
        await desk.on_main()
        await desk.sees("OS keyring (Secret Service) is open now.")
    assert everything(desk) == before


async def test_no_keyring_is_made(desk: Desk) -> None:
    desk.keyring.trouble, desk.keyring.mend = StoreError("There is none yet."), Mend.MAKE
    before = everything(desk)
    async with opened(desk, read_only=True, ready=False):
        await desk.sees("bob")
        await desk.press("K")
        await desk.sees(REFUSAL)
        assert len(desk.app.screen_stack) == 1
        await to_vault(desk)
        desk.keyring.trouble = StoreLockedError("There is none any more.")
        await desk.press("s")
        await desk.sees(REFUSAL)
        await desk.on(VaultScreen)
    assert everything(desk) == before


@pytest.mark.parametrize("kind", HARMLESS, ids=lambda kind: kind.__name__)
def test_every_key_is_known_as_refused_or_harmless(kind: On) -> None:
    refused = {action for way in WAYS.values() if way.to is kind for action in way.refused}
    plain = (*MOVES, "dismiss(", "rule(")
    actions = {one.action for one in bindings(kind) if not one.action.startswith(plain)}
    assert actions == refused | HARMLESS[kind]


def test_every_screen_is_known_as_reached_or_not() -> None:
    known = {kind.__name__ for kind in HARMLESS} | NOT_REACHED | ABOVE
    assert {kind.__name__ for kind in all_screens()} == known | {Dialog.__name__, "LongDialog"}
    assert {way.to for way in WAYS.values()} == set(HARMLESS)
