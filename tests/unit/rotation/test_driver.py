"""A rotation's order of steps and what each one takes, whichever face asks."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from keytui.aws.files.repoint import RepointChange
from keytui.core.errors import KeytuiError, LostReplyError, QuotaError, StateError
from keytui.core.model import AccessKey, Identity, KeyStatus, LastUsed
from keytui.core.port import run_now
from keytui.journal.log import Entry, Event, Journal
from keytui.journal.rotations import Rotation, Step
from keytui.keys.local_use import LocalUse, Place
from keytui.keys.outcomes import Custody
from keytui.keys.recovery import Finding
from keytui.rotation.driver import (
    Creation,
    Deactivation,
    Rollback,
    RotationDriver,
    TestedStore,
    UndecidedError,
)
from keytui.rotation.profiles import Plans
from keytui.session.account import open_account
from keytui.session.settings import Settings
from keytui.stores.base import Probe
from tests.support.app import ACTIVE_ID, BOB_ID, OWN_ID, Desk, an_account, parts_of
from tests.support.fake_iam import ACCOUNT, START

T = TypeVar("T")
ACTIVE, INACTIVE = KeyStatus.ACTIVE, KeyStatus.INACTIVE
SHELL = LocalUse(Place.ENVIRONMENT, "AWS_ACCESS_KEY_ID")
PROFILE = LocalUse(Place.CREDENTIALS, "~/.aws/credentials", "admin")


class Face:
    """Agrees to everything but what it is told to decline, and remembers what it was asked."""

    look_again = "Look again."
    back = "back"

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.declines: set[str] = set()
        self.asked: list[str] = []
        self.told: list[str] = []
        self.tested: Probe | None = None
        self.stopped = False
        self.stands: Rotation | None = None
        self.question: Deactivation | None = None
        self.warning = ""
        self.ctx = parts_of(desk, Settings())
        self.account = open_account(self.ctx, None)
        rotator = self.ctx.rotator(self.account.iam, self.account.lifecycle)
        self.driver: RotationDriver[RepointChange] = RotationDriver(rotator, self)

    def go(self, aim: Step) -> None:
        run_now(self.driver.go(aim))

    def begin(self, key_id: str = BOB_ID) -> None:
        user = self.desk.iam.owner_of(key_id)
        key = next(key for key in self.desk.iam.held(user) if key.id == key_id)
        run_now(self.driver.begin(key))

    def _ask(self, what: str) -> None:
        self.asked.append(what)
        if what in self.declines:
            raise UndecidedError("")

    async def work(self, call: Callable[[], T]) -> T:
        return call()

    async def with_keyring(self, call: Callable[[], T]) -> T:
        return call()

    def progress(self, step: str) -> None:
        pass

    def committed(self) -> None:
        self.asked.append("committed")

    def tell(self, sentence: str, *, good: bool = True) -> None:
        self.told.append(sentence)

    def show(self, rotation: Rotation) -> None:
        self.stands = rotation

    async def choose_store(self, key: AccessKey) -> TestedStore:
        self._ask("store")
        return self.desk.keyring, self.tested

    async def create_key(self, rotation: Rotation, create: Creation) -> Custody:
        return create(lambda _: None, lambda _: None)

    async def look_into(self, attempt: str) -> Finding | None:
        self._ask("look into")
        return self.account.recovery.examine(attempt)

    async def choose_profiles(self, plans: Plans[RepointChange]) -> tuple[RepointChange, ...]:
        self._ask("profiles")
        return plans.by_process

    async def confirm_deactivation(self, question: Deactivation) -> None:
        self.question = question
        self._ask("deactivate")

    async def confirm_deletion(self, rotation: Rotation) -> None:
        self._ask("delete")

    async def confirm_rollback(self, question: Rollback) -> None:
        self.warning = question.warning
        self._ask("roll back")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, an_account())
    desk.who = lambda key_id, _: Identity(
        ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/{desk.iam.owner_of(key_id).name}"
    )
    return desk


@pytest.fixture
def face(desk: Desk) -> Face:
    return Face(desk)


def has_profile(desk: Desk) -> Path:
    """Let a profile on this machine use bob's key."""
    file = desk.aws_files.credentials
    file.parent.mkdir(exist_ok=True)
    secret = desk.iam.secrets[BOB_ID].reveal()
    file.write_text(f"[bob]\naws_access_key_id={BOB_ID}\naws_secret_access_key={secret}\n")
    return file


def test_questions_come_before_each_change(face: Face, desk: Desk) -> None:
    has_profile(desk)
    face.begin()

    face.go(Step.RETIRE)
    face.go(Step.DELETE)

    words = ["store", "committed", "committed", "profiles", "committed"]
    assert face.asked == [*words, "deactivate", "committed", "delete", "committed"]
    assert list(desk.held("bob").values()) == [ACTIVE]
    assert face.stands
    assert face.stands.ended is Event.ROTATED


@pytest.mark.parametrize(
    ("declined", "step", "old"),
    [
        ("profiles", Step.REPOINT, ACTIVE),
        ("deactivate", Step.WATCH, ACTIVE),
        ("delete", Step.DELETE, INACTIVE),
    ],
)
def test_declined_question_stops_before_its_step(
    face: Face, desk: Desk, declined: str, step: Step, old: KeyStatus
) -> None:
    file = has_profile(desk)
    before = file.read_text()
    face.declines = {declined}
    face.begin()

    if declined == "delete":
        face.go(Step.RETIRE)
    with pytest.raises(UndecidedError):
        face.go(Step.DELETE)

    assert face.stands
    assert face.stands.step is step
    assert desk.held("bob")[BOB_ID] is old
    assert (file.read_text() == before) is (declined == "profiles")


def test_old_key_is_not_deleted_in_the_run_that_deactivates_it(face: Face, desk: Desk) -> None:
    face.begin()

    with pytest.raises(UndecidedError, match="not deleted in the same run"):
        face.go(Step.DELETE)

    assert desk.held("bob")[BOB_ID] is INACTIVE
    assert "delete" not in face.asked


def test_stop_is_heeded_before_the_next_step(face: Face, desk: Desk) -> None:
    face.begin()
    face.stopped = True

    with pytest.raises(UndecidedError, match="Stopped"):
        face.go(Step.VERIFY)

    assert desk.held("bob") == {BOB_ID: ACTIVE}


def test_step_without_a_trace_in_the_journal_is_not_repeated(
    face: Face, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    face.begin()
    face.go(Step.VERIFY)
    monkeypatch.setattr(face.driver._rotator, "repoint", lambda *_: None)

    with pytest.raises(KeytuiError, match="a step did not complete"):
        face.go(Step.REPOINT)


def test_deactivation_that_was_not_written_down_is_told(
    face: Face, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    face.begin()
    face.go(Step.REPOINT)
    append = Journal.append

    def fill(journal: Journal, entry: Entry) -> None:
        if entry.event is Event.STATUS:
            raise StateError("The disk is full.")
        append(journal, entry)

    monkeypatch.setattr(Journal, "append", fill)

    with pytest.raises(KeytuiError, match="The disk is full") as failed:
        face.go(Step.RETIRE)

    assert failed.value.safe == "The change itself was made."


# Which rotation.


def test_one_keytui_works_on_a_rotation(face: Face, desk: Desk) -> None:
    face.begin()

    other = Face(desk)
    with pytest.raises(KeytuiError, match="Another keytui is at work"):
        run_now(other.driver.take_up(BOB_ID))

    assert other.driver.rotation is None
    run_now(face.driver.release())
    assert run_now(other.driver.take_up(BOB_ID))


def test_rotation_is_read_after_the_claim(
    face: Face, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who had it before may have gone on until then."""
    face.begin()
    run_now(face.driver.release())
    claim = Journal.claim

    def goes_on_first(journal: Journal, name: str) -> bool:
        monkeypatch.setattr(Journal, "claim", claim)
        run_now(face.driver.take_up(BOB_ID))
        face.go(Step.VERIFY)
        run_now(face.driver.release())
        return journal.claim(name)

    monkeypatch.setattr(Journal, "claim", goes_on_first)
    rotation = run_now(Face(desk).driver.take_up(BOB_ID))

    assert rotation
    assert rotation.step is Step.REPOINT


@pytest.mark.parametrize("old", [True, False])
def test_old_key_deleted_elsewhere_ends_the_rotation(face: Face, desk: Desk, old: bool) -> None:
    """The new key may be rotated next."""
    face.begin()
    face.go(Step.RETIRE)
    run_now(face.driver.release())
    new_id = next(key_id for key_id in desk.held("bob") if key_id != BOB_ID)
    desk.iam.remove_key(next(k for k in desk.iam.held(desk.iam.find("bob")) if k.id == BOB_ID))

    rotation = run_now(face.driver.take_up(BOB_ID if old else new_id))

    assert face.told[-1] == f"{BOB_ID} is deleted: its rotation has ended."
    assert face.driver.ended
    assert (rotation is not None) is old
    assert rotation is None or rotation.ended is Event.ROTATED


def test_two_keys_leave_no_room(face: Face, desk: Desk) -> None:
    with pytest.raises(QuotaError):
        face.begin(ACTIVE_ID)

    assert desk.keyring.probes == []


# The new key.


@pytest.mark.parametrize(("seconds", "canaries"), [(0.0, 0), (60.0, 1)])
def test_fresh_test_of_the_store_is_not_repeated(
    face: Face, desk: Desk, monkeypatch: pytest.MonkeyPatch, seconds: float, canaries: int
) -> None:
    """A question may have been open for long in between."""
    clock = [0.0]
    monkeypatch.setattr("keytui.stores.base.monotonic", lambda: clock[0])
    face.tested = Probe("Keyring", writable=True)
    face.begin()
    clock[0] = seconds

    face.go(Step.CREATE)

    assert desk.keyring.probes == [True] * canaries


def test_lost_reply_is_looked_into_and_nothing_is_repeated(face: Face, desk: Desk) -> None:
    face.begin()
    desk.iam.lose_reply = True

    with pytest.raises(UndecidedError, match="its secret did not arrive") as waits:
        face.go(Step.VERIFY)

    assert waits.value.next_step == "Look again."
    desk.iam.lose_reply = False
    with pytest.raises(UndecidedError, match="its secret did not arrive"):
        face.go(Step.VERIFY)
    assert desk.iam.count("iam:CreateAccessKey") == 1


def test_lost_request_creates_no_second_key_by_itself(
    face: Face, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(user: object) -> None:
        raise LostReplyError("The reply is lost.")

    face.begin()
    monkeypatch.setattr(desk.iam, "create_key", lost)

    with pytest.raises(KeytuiError, match="none is listed"):
        face.go(Step.VERIFY)

    assert face.stands
    assert face.stands.step is Step.CREATE
    assert desk.held("bob") == {BOB_ID: ACTIVE}


# What depends on the old key.


def retired(face: Face, key_id: str) -> Deactivation:
    face.begin(key_id)
    face.go(Step.RETIRE)
    assert face.question
    return face.question


@pytest.mark.parametrize("key_id", [BOB_ID, OWN_ID])
def test_own_shell_would_be_cut_off(face: Face, desk: Desk, key_id: str) -> None:
    desk.uses[key_id] = (SHELL,)

    assert f"This shell has {key_id}" in retired(face, key_id).cut_off[0]


def test_own_profile_left_alone_would_be_cut_off(face: Face, desk: Desk) -> None:
    desk.uses[OWN_ID] = (PROFILE,)

    (said,) = retired(face, OWN_ID).cut_off

    assert "is still used on this machine: profile admin" in said


def test_own_key_that_nothing_names_hands_over(face: Face, desk: Desk) -> None:
    question = retired(face, OWN_ID)

    assert question.cut_off == ()
    assert desk.iam.signing_key_id() != OWN_ID


def test_profile_of_another_user_cuts_nobody_off(face: Face, desk: Desk) -> None:
    desk.uses[BOB_ID] = (replace(PROFILE, profile="bob"),)

    question = retired(face, BOB_ID)

    assert question.cut_off == ()
    assert "profile bob" in " ".join(question.reasons)


def test_demo_account_has_no_profiles(desk: Desk) -> None:
    has_profile(desk)
    face = Face(desk)
    demo = parts_of(desk, Settings(demo=True))
    rotator = demo.rotator(face.account.iam, face.account.lifecycle)
    face.driver = RotationDriver(rotator, face)
    face.begin()

    face.go(Step.REPOINT)

    assert "profiles" not in face.asked


# Back.


@pytest.mark.parametrize(
    ("used", "warning"),
    [
        (LastUsed(START, "s3", "eu-west-1"), "is in use by s3."),
        (LastUsed(START, "iam", "us-east-1"), ""),
        (None, "was last used is unknown."),
    ],
)
def test_rollback_warns_of_a_new_key_in_use(
    face: Face, desk: Desk, used: LastUsed | None, warning: str
) -> None:
    face.begin()
    face.go(Step.REPOINT)
    if used:
        desk.iam._uses[face.driver._mine.new_id] = used
    else:
        desk.iam.deny = {"iam:GetAccessKeyLastUsed"}

    run_now(face.driver.roll_back())

    assert face.warning.endswith(warning)
    assert bool(face.warning) is bool(warning)
    assert desk.held("bob") == {BOB_ID: ACTIVE}


def test_rollback_takes_a_word(face: Face, desk: Desk) -> None:
    face.declines = {"roll back"}
    face.begin()
    face.go(Step.RETIRE)
    before = desk.held("bob")

    with pytest.raises(UndecidedError):
        run_now(face.driver.roll_back())

    assert desk.held("bob") == before


def test_only_the_way_back_is_left_of_a_rollback_cut_short(
    face: Face, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    face.begin()
    face.go(Step.REPOINT)
    monkeypatch.setattr(desk.iam, "delete_key", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_now(face.driver.roll_back())

    run_now(face.driver.read())
    with pytest.raises(UndecidedError, match="being rolled back") as waits:
        face.go(Step.DELETE)

    assert waits.value.next_step == "back goes on with it."


def test_outcomes_are_told_step_by_step(face: Face) -> None:
    face.begin()
    face.go(Step.RETIRE)
    new_id = face.driver._mine.new_id

    assert face.told == [
        f"{new_id} is made; its secret is in OS keyring (Secret Service).",
        f"AWS accepts {new_id}.",
        "No AWS profile on this machine uses the old key.",
        f"{BOB_ID} is inactive; {new_id} works.",
    ]
