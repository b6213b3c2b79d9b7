"""What became of creations that were cut short: told from AWS, the stores and the record."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from keytui.core.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    KeytuiError,
    ReadOnlyError,
    StateError,
    StoreError,
    StoreLockedError,
    StoreTimeoutError,
    ThrottledError,
    UnreachableError,
)
from keytui.core.gate import Gate
from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, LastUsed, NewAccessKey, Secret, User
from keytui.core.waiting import POLL_SECONDS, Wait
from keytui.journal.log import Entry, Event, Journal
from keytui.keys.local_use import LocalUse, Place
from keytui.keys.operations import Lifecycle
from keytui.keys.outcomes import Custody, UnansweredError
from keytui.keys.recovery import (
    CLOCK_GRAIN,
    LOOK_SECONDS,
    REQUEST_TIME,
    Finding,
    Recovery,
    Verdict,
    Why,
)
from keytui.stores.base import Receipt, SecretStore
from tests.support.fake_iam import ACCOUNT, START, FakeIam
from tests.support.fake_store import FakeStore
from tests.support.gates import WRITABLE

SECOND = timedelta(seconds=1)
OLD_ID = "AKIAOLD0000000000001"
ALL_BUT_THE_FIRST = set(Event) - {Event.CREATING}
LOCKED = StoreLockedError("The keyring is locked.", next_step="Unlock it, then try again.")


class Killed(BaseException):
    """Ends a run where nothing can catch it, as ``kill -9`` does."""


class DyingIam(FakeIam):
    """An IAM whose caller is killed.

    Attributes:
        dies: Before or after the key is made; empty to live.
        latency: What happens while AWS makes a key.
    """

    def __init__(self, *, root: bool = False) -> None:
        self.dies = ""
        self.latency: Callable[[], None] = lambda: None
        super().__init__(root=root)

    def create_key(self, user: User) -> NewAccessKey:
        if self.dies == "before":
            raise Killed
        try:
            new = super().create_key(user)
        finally:
            self.latency()
        if self.dies == "after":
            raise Killed
        return new


class Stage:
    """An account with alice, a keyring, a file and a record, over some runs of keytui.

    Attributes:
        time: Seconds since the start, by every clock.
        slept: How long each wait was.
        no_record: The events that can't be written.
        here: Where this machine names a key.
    """

    def __init__(self, folder: Path, iam: DyingIam | None = None) -> None:
        self.folder = folder
        self.time = 0.0
        self.slept: list[float] = []
        self.no_record: set[Event] = set()
        self.iam = iam or DyingIam()
        self.iam.clock = self.now
        self.alice = self.iam.add_user("alice")
        self.keyring, self.file = FakeStore(), FakeStore()
        self.keyring.locator = "keyring"
        self.file.locator = "csv:/home/me/alice.csv"
        self.journal = Journal(folder, WRITABLE)
        self.here: tuple[LocalUse, ...] = ()
        self.begin()

    def begin(self, *, read_only: bool = False) -> None:
        """Begin another run: what the one before held in memory is gone."""
        for attempt in [*self.journal._claims._held]:
            self.journal.release(attempt)
        self.journal = RefusingJournal(self.folder, self.no_record, Gate(read_only))
        wait = Wait(self._sleep, lambda: self.time)
        self.lifecycle = Lifecycle(
            self.iam,
            self.journal,
            gate=Gate(read_only),
            uses_here=lambda _: self.here,
            now=self.now,
            wait=wait,
        )
        self.recovery = Recovery(
            self.iam, self.journal, self.lifecycle, self._store_at, now=self.now, wait=wait
        )

    def now(self) -> datetime:
        return START + timedelta(seconds=self.time)

    def lose_a_reply(self, store: SecretStore | None = None) -> str:
        """Create a key whose reply is lost; return the attempt."""
        self.iam.lose_reply = True
        with pytest.raises(UnansweredError) as lost:
            self.lifecycle.create(self.alice, store)
        self.iam.lose_reply = False
        return lost.value.attempt

    def kill(self, when: str, store: SecretStore | None = None) -> None:
        """Create a key and be killed before or after AWS made it; begin another run."""
        self.iam.dies = when
        with pytest.raises(Killed):
            self.lifecycle.create(self.alice, store)
        self.iam.dies = ""
        self.begin()

    def made(self, store: SecretStore | None = None) -> Custody:
        """Create a key whose secret arrives."""
        return self.lifecycle.create(self.alice, store)

    def look(self) -> Finding:
        """Look into the one open creation."""
        (attempt,) = self.recovery.open_attempts()
        finding = self.recovery.examine(attempt)
        assert finding
        return finding

    def add_key(self, key_id: str, after: float = 0.0) -> AccessKey:
        """Let somebody else make a key, some seconds after now."""
        made = self.now() + timedelta(seconds=after)
        return self.iam.add_key(self.alice, key_id, created=made)

    @property
    def key(self) -> AccessKey:
        """Alice's one key."""
        (key,) = self.iam.held(self.alice)
        return key

    @property
    def events(self) -> list[Event]:
        return [entry.event for entry in self.journal.entries()]

    @property
    def deletions(self) -> list[str]:
        return [call for call in self.iam.calls if call.startswith("iam:DeleteAccessKey")]

    @property
    def is_open(self) -> bool:
        return bool(self.recovery.open_attempts())

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def _store_at(self, locator: str) -> SecretStore | None:
        return {self.keyring.locator: self.keyring, self.file.locator: self.file}.get(locator)


class RefusingJournal(Journal):
    """A record in which some events can't be written."""

    def __init__(self, folder: Path, refused: set[Event], gate: Gate) -> None:
        super().__init__(folder, gate)
        self._refused = refused

    def append(self, entry: Entry) -> None:
        if entry.event in self._refused:
            raise StateError("keytui can't write its record.")
        super().append(entry)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "state")


def test_nothing_is_open_at_first(stage: Stage) -> None:
    assert stage.recovery.open_attempts() == []
    assert stage.recovery.other_accounts() == set()


def test_creation_that_ended_well_is_not_open(stage: Stage) -> None:
    stage.made(stage.keyring)
    stage.begin()

    assert not stage.is_open


# Orphans.


def test_lost_reply_leaves_a_key_that_nobody_can_use(stage: Stage) -> None:
    stage.lose_a_reply(stage.keyring)

    finding = stage.look()

    assert (finding.verdict, finding.keys) == (Verdict.ORPHAN, (stage.key,))
    assert finding.useless
    assert finding.title == f"AWS made {stage.key.id} for alice, but its secret did not arrive."
    assert finding.advice == "Nobody can use it."
    assert stage.is_open


def test_kill_after_the_reply_leaves_one_too(stage: Stage) -> None:
    custody = stage.made()
    stage.begin()

    finding = stage.look()

    assert (finding.verdict, finding.keys) == (Verdict.ORPHAN, (custody.new.key,))
    assert finding.useless
    assert "on 2026-01-15 09:00 UTC, and its secret is in no store" in finding.title


def test_key_found_only_after_a_kill_may_be_somebody_elses(stage: Stage) -> None:
    stage.kill("after")

    finding = stage.look()

    assert (finding.verdict, finding.keys) == (Verdict.ORPHAN, (stage.key,))
    assert not finding.useless
    assert finding.deletable
    assert finding.advice.startswith("Unless somebody else created it")


def test_secret_that_was_shown_may_be_in_use(stage: Stage) -> None:
    stage.lifecycle.shown(stage.made())
    stage.begin()

    finding = stage.look()

    assert finding.verdict is Verdict.ORPHAN
    assert not finding.useless
    assert finding.deletable
    assert "unless somebody saved it" in finding.advice


def test_orphan_is_told_from_the_keys_there_were_before(stage: Stage) -> None:
    stage.add_key(OLD_ID)
    stage.lose_a_reply()

    (key,) = stage.look().keys

    assert key.id != OLD_ID


@pytest.mark.parametrize("error", [ThrottledError("Slow down."), UnreachableError("No network.")])
def test_older_keys_are_no_orphans_after_a_single_late_listing(
    stage: Stage, error: AwsError
) -> None:
    stage.add_key(OLD_ID)
    stage.kill("before")
    end = stage.time + LOOK_SECONDS

    class Clearing(Wait):
        def until(self, *arguments: object, **more: object) -> bool:
            stage.time = end
            del stage.iam.errors["iam:ListAccessKeys"]
            return False

    stage.iam.errors["iam:ListAccessKeys"] = error
    stage.recovery._wait = Clearing()

    assert stage.look().verdict is Verdict.NOTHING


def test_found_key_is_pinned(stage: Stage) -> None:
    """What is made for the user later is not mixed up with it."""
    stage.lose_a_reply()
    orphan = stage.look().keys[0]
    assert (stage.events[-1], stage.journal.entries()[-1].key_id) == (Event.ORPHAN, orphan.id)
    stage.begin()
    stage.add_key("AKIALATER00000000001")

    again = stage.look()

    assert (again.verdict, again.keys) == (Verdict.ORPHAN, (orphan,))
    assert stage.events.count(Event.ORPHAN) == 1


def test_orphan_is_told_though_the_record_can_not_be_written(stage: Stage) -> None:
    stage.lose_a_reply()
    stage.no_record |= {Event.ORPHAN}

    assert stage.look().keys == (stage.key,)


def test_orphan_of_the_root_users(tmp_path: Path) -> None:
    stage = Stage(tmp_path, DyingIam(root=True))
    stage.alice = ROOT_USER
    stage.lose_a_reply()

    finding = stage.look()

    assert finding.verdict is Verdict.ORPHAN
    stage.recovery.delete(finding)
    assert len(stage.iam.held(ROOT_USER)) == 1


@pytest.mark.parametrize("lag", [1, 5, 20])
def test_iam_is_waited_for(stage: Stage, lag: int) -> None:
    stage.iam.lag = lag
    stage.lose_a_reply()

    assert stage.look().keys == (stage.key,)
    assert sum(stage.slept) <= LOOK_SECONDS


# What it is not.


@pytest.mark.parametrize(
    ("seconds", "may_be"),
    [
        (-(CLOCK_GRAIN / SECOND) - 1, False),
        (-(CLOCK_GRAIN / SECOND), True),
        ((REQUEST_TIME + CLOCK_GRAIN) / SECOND, True),
        ((REQUEST_TIME + CLOCK_GRAIN) / SECOND + 1, False),
        (-86400, False),
        (86400, False),
    ],
)
def test_key_is_its_own_only_if_made_at_that_moment(
    stage: Stage, seconds: float, may_be: bool
) -> None:
    stage.kill("before")
    stage.add_key("AKIASOMEBODYELSES001", seconds)

    verdict = stage.look().verdict

    assert verdict is (Verdict.ORPHAN if may_be else Verdict.NOTHING)


def test_after_a_lost_reply_a_key_is_made_no_later_than_that(stage: Stage) -> None:
    stage.iam.latency = lambda: setattr(stage, "time", 10.0)
    stage.lose_a_reply()
    stage.iam.remove_key(stage.key)
    stage.add_key("AKIASOMEBODYELSES001", 5)

    assert stage.look().verdict is Verdict.NOTHING


def test_window_is_by_the_clock_of_aws(stage: Stage) -> None:
    """This machine's clock is ten minutes off."""
    stage.iam.clock = lambda: stage.now() + timedelta(minutes=10)
    stage.lose_a_reply()

    assert stage.look().keys == (stage.key,)


def test_key_of_another_creation_is_not_taken_for_it(stage: Stage) -> None:
    stage.kill("before")
    stage.made(stage.keyring)

    assert stage.look().verdict is Verdict.NOTHING


def test_concurrent_key_creations_are_told_apart_by_known_keys(stage: Stage) -> None:
    kept = stage.made()
    stage.begin()
    first = stage.look()
    stage.lose_a_reply()

    findings = [stage.recovery.examine(attempt) for attempt in stage.recovery.open_attempts()]

    assert first.keys == (kept.new.key,)
    ids = [[key.id for key in finding.keys] for finding in findings if finding]
    (other,) = [key.id for key in stage.iam.held(stage.alice) if key != kept.new.key]
    assert ids == [[other], [kept.new.key.id]], "the latest first"


def test_two_keys_of_one_moment_are_told_and_none_is_deleted(stage: Stage) -> None:
    stage.lose_a_reply()
    own = stage.key
    stage.add_key("AKIASOMEBODYELSES001", 2)

    finding = stage.look()

    assert finding.verdict is Verdict.AMBIGUOUS
    assert {key.id for key in finding.keys} == {own.id, "AKIASOMEBODYELSES001"}
    assert f"{own.id} at 2026-01-15 09:00:00 UTC" in finding.advice
    assert "AKIASOMEBODYELSES001 at 2026-01-15 09:00:02 UTC" in finding.advice
    assert not finding.useless
    stage.recovery.delete(finding)
    assert stage.deletions == []
    assert stage.is_open


# What ends it.


def test_no_key_was_made(stage: Stage) -> None:
    stage.kill("before")

    finding = stage.look()

    assert finding.verdict is Verdict.NOTHING
    assert finding.title.startswith("AWS made no key for alice")
    assert stage.events[-1] is Event.NOT_CREATED
    assert not stage.is_open


@pytest.mark.parametrize("store", ["keyring", "file"])
def test_secret_is_found_where_it_was_put(stage: Stage, store: str) -> None:
    """Killed after the secret was kept, and before that was written down."""
    there: FakeStore = getattr(stage, store)
    stage.no_record |= {Event.STORED}
    stage.made(there)
    stage.begin()
    stage.no_record.clear()

    finding = stage.look()

    assert (finding.verdict, finding.locator) == (Verdict.STORED, there.locator)
    assert finding.title.endswith(
        "is in the OS keyring." if store == "keyring" else "is in /home/me/alice.csv."
    )
    last = stage.journal.entries()[-1]
    assert (last.event, last.key_id, last.store) == (Event.STORED, stage.key.id, there.locator)
    assert not stage.is_open


def test_key_is_gone(stage: Stage) -> None:
    custody = stage.made()
    stage.iam.remove_key(custody.new.key)
    stage.begin()

    finding = stage.look()

    assert finding.verdict is Verdict.GONE
    assert finding.title == (
        f"{custody.new.key.id} of alice, made on 2026-01-15 09:00 UTC, is deleted."
    )
    assert (stage.events[-1], stage.is_open) == (Event.GONE, False)


@pytest.mark.parametrize(("known", "verdict"), [(True, Verdict.GONE), (False, Verdict.NOTHING)])
def test_user_is_gone(stage: Stage, known: bool, verdict: Verdict) -> None:
    if known:
        stage.made()
        stage.begin()
    else:
        stage.kill("after")
    stage.iam.remove_user("alice")

    assert stage.look().verdict is verdict
    assert not stage.is_open


# What can't be seen now stays open.


@pytest.mark.parametrize(
    "error",
    [
        AccessDeniedError("iam:ListAccessKeys", "iam:ListAccessKeys is denied."),
        CredentialsError("The credentials have expired."),
        UnreachableError("No network."),
        ThrottledError("Too many calls."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_keys_that_can_not_be_listed(stage: Stage, error: AwsError) -> None:
    stage.lose_a_reply()
    stage.iam.errors["iam:ListAccessKeys"] = error

    finding = stage.look()

    assert (finding.verdict, finding.reason) == (Verdict.UNSURE, error)
    assert error.title in finding.advice
    assert stage.is_open
    stage.iam.errors.clear()
    assert stage.look().verdict is Verdict.ORPHAN


def test_keys_that_can_not_be_listed_any_more(stage: Stage) -> None:
    """AWS listed none yet; then the credentials expired."""
    stage.iam.lag = 1000
    stage.lose_a_reply()
    real, asked = stage.iam.keys, 0

    def keys(user: User) -> tuple[AccessKey, ...]:
        nonlocal asked
        asked += 1
        if asked > 3:
            stage.iam.errors["iam:ListAccessKeys"] = CredentialsError("Expired.")
        return real(user)

    stage.iam.keys = keys  # type: ignore[method-assign]

    assert stage.look().verdict is Verdict.UNSURE
    assert stage.is_open


def test_store_that_is_locked(stage: Stage) -> None:
    stage.no_record |= {Event.STORED}
    stage.made(stage.keyring)
    stage.begin()
    stage.keyring.trouble = LOCKED

    finding = stage.look()

    assert (finding.verdict, finding.reason) == (Verdict.UNSURE, LOCKED)
    assert finding.title == f"{stage.key.id} of alice exists; whether its secret is kept " + (
        "can't be seen now."
    )
    assert finding.advice == (
        "The keyring is locked. Unlock it, then try again. If it stays so, delete the key."
    )
    assert stage.is_open
    stage.recovery.delete(finding)
    assert stage.deletions == []


def test_missing_keyring_that_was_never_tried_causes_no_doubt(stage: Stage) -> None:
    stage.made()
    stage.begin()
    stage.keyring.trouble = StoreError("There is no keyring.")

    assert stage.look().useless


def test_nor_does_a_locked_one_where_the_secret_never_arrived(stage: Stage) -> None:
    stage.lose_a_reply()
    stage.keyring.trouble = LOCKED

    assert stage.look().useless


def test_keyring_that_has_it_though_it_was_never_tried(stage: Stage) -> None:
    """A rescue may have put it there while the record could not be written."""
    key = stage.made().new.key
    stage.keyring.kept[key.id] = Secret("somewhere")
    stage.begin()

    assert stage.look().verdict is Verdict.STORED


def test_store_that_is_not_known_to_this_version(stage: Stage) -> None:
    other = FakeStore()
    other.locator = "vault:of/another/version"
    other.trouble = StoreError("It did not take it.")
    stage.no_record |= {Event.STORED}
    custody = stage.made()
    with pytest.raises(StoreError):
        stage.lifecycle.keep(custody, other)
    stage.begin()

    assert stage.look().verdict is Verdict.ORPHAN


# How long it takes.


@pytest.mark.parametrize(
    ("age", "at_most"), [(0.0, LOOK_SECONDS), (10.0, 5.0), (15.0, 0.0), (86400.0, 0.0)]
)
def test_wait_ends_15_seconds_after_the_creation_began(
    stage: Stage, age: float, at_most: float
) -> None:
    stage.kill("before")
    stage.time += age

    stage.look()

    assert LOOK_SECONDS == 15
    assert sum(stage.slept) <= at_most + POLL_SECONDS


def test_clock_that_was_set_back_does_not_lengthen_it(stage: Stage) -> None:
    stage.kill("before")
    stage.time -= 86400

    stage.look()

    assert sum(stage.slept) <= LOOK_SECONDS + POLL_SECONDS


@pytest.mark.parametrize("known", [True, False], ids=["key known", "key unknown"])
def test_who_waits_no_longer_ends_it_at_once_and_closes_nothing(stage: Stage, known: bool) -> None:
    stage.iam.lag = 1000
    if known:
        stage.made()
        stage.begin()
    else:
        stage.kill("after")
    events = stage.events
    (attempt,) = stage.recovery.open_attempts()

    finding = stage.recovery.examine(attempt, left=lambda: True)

    assert finding
    assert finding.verdict is Verdict.UNSURE
    assert "exists" not in finding.title
    assert stage.slept == []
    assert stage.is_open
    assert stage.events == events


def test_what_is_being_done_is_told(stage: Stage) -> None:
    attempt, told = stage.lose_a_reply(), list[str]()

    stage.recovery.examine(attempt, told.append)

    assert told == [
        "Looking for the key at AWS",
        "Looking for its secret",
        "Checking whether anybody uses the key",
    ]


# More than one keytui.


def test_creation_in_other_hands_is_left_alone(stage: Stage) -> None:
    stage.made()
    other = Stage(stage.folder, stage.iam)
    (attempt,) = other.recovery.open_attempts()

    assert other.recovery.examine(attempt) is None
    assert other.recovery.examine(attempt.id) is None
    assert stage.recovery.examine(attempt) is None, "nor does the screen that shows it"


def test_what_another_has_ended_is_not_looked_into_again(stage: Stage) -> None:
    attempt = stage.lose_a_reply()
    stage.recovery.delete(stage.look())
    stage.iam.calls.clear()

    assert stage.recovery.examine(attempt) is None
    assert stage.recovery.examine("0123456789abcdef") is None
    assert stage.iam.calls == []


@pytest.mark.parametrize("trouble", [None, StoreError("Broken.")])
def test_looking_leaves_no_claim_behind(stage: Stage, trouble: StoreError | None) -> None:
    stage.lose_a_reply(stage.keyring)
    stage.keyring.trouble = trouble

    stage.look()

    assert [path.name for path in stage.folder.iterdir()] == ["journal.jsonl"]


def test_other_accounts_are_named_and_left_alone(stage: Stage) -> None:
    entry = Entry(
        START.isoformat(), Event.CREATING, "999999999999", "alice", "arn", attempt="abcdef"
    )
    stage.journal.append(entry)
    stage.lose_a_reply()

    assert [attempt.account for attempt in stage.recovery.open_attempts()] == [ACCOUNT]
    assert stage.recovery.other_accounts() == {"999999999999"}


# What the user wants done.


def test_orphan_is_made_inactive_and_deleted(stage: Stage) -> None:
    stage.lose_a_reply()
    finding = stage.look()
    key_id = stage.key.id
    stage.iam.calls.clear()

    stage.recovery.delete(finding)

    assert stage.iam.calls[:3] == [
        f"iam:GetAccessKeyLastUsed {key_id}",
        f"iam:UpdateAccessKey {key_id} Inactive",
        f"iam:DeleteAccessKey {key_id}",
    ]
    assert stage.iam.held(stage.alice) == ()
    assert stage.events[-2:] == [Event.DISCARDED, Event.DELETED]
    assert not stage.is_open


# Whose key it may be.

USED = LastUsed(START, "s3", "eu-west-1")
PROFILE = LocalUse(Place.CREDENTIALS, "~/.aws/credentials", "work")
VARIABLE = LocalUse(Place.ENVIRONMENT, "AWS_ACCESS_KEY_ID")
IN_KEYRING = LocalUse(Place.KEYRING, "pass")
UNREADABLE = LocalUse(Place.UNREADABLE, "~/.aws/config")
UNKNOWN = [
    AccessDeniedError("iam:GetAccessKeyLastUsed", "iam:GetAccessKeyLastUsed is denied."),
    ThrottledError("Slow down."),
    UnreachableError("No network."),
    CredentialsError("The credentials have expired."),
]


def signs(stage: Stage) -> None:
    stage.iam._signing_key_id = stage.key.id


def is_used(stage: Stage) -> None:
    stage.iam._uses[stage.key.id] = USED


def named(use: LocalUse) -> Callable[[Stage], None]:
    def name(stage: Stage) -> None:
        stage.here = (use,)

    return name


def unknown(error: AwsError) -> Callable[[Stage], None]:
    def deny(stage: Stage) -> None:
        stage.iam.errors["iam:GetAccessKeyLastUsed"] = error

    return deny


IN_USE: dict[Why, list[Callable[[Stage], None]]] = {
    Why.OWN_KEY: [signs],
    Why.USED: [is_used],
    Why.USED_HERE: [named(PROFILE), named(VARIABLE), named(IN_KEYRING)],
}
NOT_SURE: dict[Why, list[Callable[[Stage], None]]] = {
    Why.LAST_USE_UNKNOWN: [unknown(error) for error in UNKNOWN],
    Why.FILE_UNREADABLE: [named(UNREADABLE)],
}


@pytest.mark.parametrize(
    ("why", "somehow"), [(why, somehow) for why, some in IN_USE.items() for somehow in some]
)
def test_key_in_use_is_no_orphan_whoever_agrees(
    stage: Stage, why: Why, somehow: Callable[[Stage], None]
) -> None:
    stage.lose_a_reply()
    before = stage.look()
    somehow(stage)

    finding = stage.look()

    assert [doubt.why for doubt in finding.doubts] == [why]
    assert not finding.deletable
    for found in (before, finding):
        with pytest.raises(KeytuiError, match=f"{stage.key.id} was not deleted") as caught:
            stage.recovery.delete(found, agreed=True)
        assert "keytui asked for a key at 2026-01-15 09:00:00 UTC" in caught.value.safe
    assert (stage.key.status, stage.deletions) == (KeyStatus.ACTIVE, [])
    assert stage.is_open


@pytest.mark.parametrize(
    ("why", "somehow"), [(why, somehow) for why, some in NOT_SURE.items() for somehow in some]
)
def test_what_is_unknown_needs_a_persons_word(
    stage: Stage, why: Why, somehow: Callable[[Stage], None]
) -> None:
    stage.lose_a_reply()
    before = stage.look()
    somehow(stage)

    finding = stage.look()

    assert [doubt.why for doubt in finding.doubts] == [why]
    assert finding.deletable
    assert not finding.useless
    with pytest.raises(KeytuiError, match="was not deleted"):
        stage.recovery.delete(finding)
    with pytest.raises(KeytuiError, match="was not deleted"):
        stage.recovery.delete(before, agreed=True)  # agreed to something else
    assert (stage.key.status, stage.deletions) == (KeyStatus.ACTIVE, [])
    stage.recovery.delete(finding, agreed=True)
    assert stage.iam.held(stage.alice) == ()


@pytest.mark.parametrize("seconds", [-20, 4, 20])
def test_key_made_during_a_lost_request_may_be_someone_elses(stage: Stage, seconds: int) -> None:
    """AWS hung for half a minute and made none; a colleague made one meanwhile."""
    stage.iam.latency = lambda: setattr(stage, "time", 30.0)
    stage.lose_a_reply()
    stage.iam.remove_key(stage.key)
    stage.add_key("AKIASOMEBODYELSES001", seconds - stage.time)

    finding = stage.look()

    if seconds < 0:
        assert finding.verdict is Verdict.NOTHING
    else:
        assert [doubt.why for doubt in finding.doubts] == [Why.MAYBE_OTHERS]


def test_line_that_names_a_key_made_long_before_is_not_believed(stage: Stage) -> None:
    """Whoever can write the journal must not be able to have any unused key deleted."""
    victim = stage.add_key("AKIASPARE00000000001", -86400)
    at = stage.now().isoformat()
    line = Entry(at, Event.CREATING, ACCOUNT, "alice", "arn", attempt="ab", asked=at)
    stage.journal.append(line)
    stage.journal.append(replace(line, event=Event.CREATED, key_id=victim.id))

    finding = stage.look()

    assert [doubt.why for doubt in finding.doubts] == [Why.MAYBE_OTHERS]
    with pytest.raises(KeytuiError):
        stage.recovery.delete(finding)
    assert stage.deletions == []


@pytest.mark.parametrize("end", [Event.UNKEPT, Event.STORED])
def test_what_was_decided_meanwhile_holds(stage: Stage, end: Event) -> None:
    stage.lose_a_reply()
    finding = stage.look()
    other = Stage(stage.folder, stage.iam)
    other.recovery._note(finding, end)

    with pytest.raises(KeytuiError, match="has changed"):
        stage.recovery.delete(finding, agreed=True)

    assert stage.deletions == []


def test_secret_stored_meanwhile_prevents_the_key_deletion(stage: Stage) -> None:
    stage.made()
    stage.begin()
    finding = stage.look()
    stage.keyring.kept[stage.key.id] = Secret("put there by hand")

    with pytest.raises(KeytuiError, match="has changed"):
        stage.recovery.delete(finding, agreed=True)

    assert stage.deletions == []


def test_no_two_delete_at_once(stage: Stage) -> None:
    attempt = stage.lose_a_reply()
    finding = stage.look()
    other = Journal(stage.folder, WRITABLE)
    assert other.claim(attempt)

    with pytest.raises(KeytuiError, match="another keytui"):
        stage.recovery.delete(finding, agreed=True)

    assert stage.deletions == []
    other.release(attempt)


# A secret that is stored, and a journal that could not be told so.


@pytest.mark.parametrize("full", [{Event.STORED}, {Event.STORING, Event.STORED}, ALL_BUT_THE_FIRST])
@pytest.mark.parametrize("store", ["keyring", "file"])
def test_stored_secret_whose_line_was_lost_makes_no_sure_orphan(
    stage: Stage, full: set[Event], store: str
) -> None:
    """The file was moved, the keyring is another one: the secret is not where it was."""
    there: FakeStore = getattr(stage, store)
    stage.no_record |= full
    custody = stage.made(there)
    assert (custody.kept, custody.unrecorded) == (True, True)
    stage.no_record.clear()
    there.kept.clear()
    stage.begin()

    finding = stage.look()

    assert Why.MAYBE_STORED in [doubt.why for doubt in finding.doubts]
    with pytest.raises(KeytuiError):
        stage.recovery.delete(finding)
    assert stage.deletions == []


def test_key_of_an_open_creation_is_no_sure_orphan_of_another(stage: Stage) -> None:
    """A request was lost on its way; the next one, right after it, can't be written down."""
    lost = stage.lose_a_reply(stage.keyring)
    stage.iam.set_status(stage.key, KeyStatus.INACTIVE)
    stage.iam.delete_key(stage.key)
    stage.no_record |= ALL_BUT_THE_FIRST
    custody = stage.made(stage.file)
    stage.no_record.clear()

    finding = stage.recovery.examine(lost)

    assert finding
    assert finding.keys == (custody.new.key,)
    assert [doubt.why for doubt in finding.doubts] == [Why.MAYBE_OTHERS]
    assert not finding.useless


def test_nor_does_one_that_was_stored_from_the_reveal(stage: Stage) -> None:
    custody = stage.made()
    stage.no_record |= set(Event)
    stage.lifecycle.keep(custody, stage.keyring)
    stage.no_record.clear()
    stage.keyring.kept.clear()
    stage.begin()

    finding = stage.look()

    assert [doubt.why for doubt in finding.doubts] == [Why.MAYBE_STORED]
    assert "a store that keytui could not write down" in finding.advice
    stage.recovery.leave(finding)
    assert [path.name for path in stage.folder.iterdir()] == ["journal.jsonl"]


@pytest.mark.parametrize("trouble", [LOCKED, StoreTimeoutError("It gave no answer.")])
def test_keyring_that_is_shut_may_have_an_arrived_secret(stage: Stage, trouble: StoreError) -> None:
    stage.made()
    stage.begin()
    stage.keyring.trouble = trouble

    assert [doubt.why for doubt in stage.look().doubts] == [Why.MAYBE_STORED]


def test_another_keyring_than_then_may_lack_an_arrived_secret(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """KeePassXC on the desktop has it; over SSH, GNOME Keyring answers for the OS keyring."""
    put = stage.keyring.put

    def dies(new: NewAccessKey) -> Receipt:
        put(new)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(stage.keyring, "put", dies)
        with pytest.raises(Killed):
            stage.made(stage.keyring)
    stage.keyring.kept.clear()
    stage.begin()

    finding = stage.look()

    assert [doubt.why for doubt in finding.doubts] == [Why.MAYBE_STORED]
    with pytest.raises(KeytuiError):
        stage.recovery.delete(finding)
    assert stage.deletions == []


@pytest.mark.parametrize("year", ["0001", "9999"])
def test_line_of_an_impossible_time_stops_nothing(stage: Stage, year: str) -> None:
    stage.kill("before")
    at = f"{year}-12-31T23:59:59-14:00" if year == "9999" else f"{year}-01-01T00:00:00+14:00"
    (line,) = stage.journal.entries()
    stage.journal.append(replace(line, attempt="abcd", at=at, asked=at))
    stage.add_key(OLD_ID)

    for attempt in stage.recovery.open_attempts():
        finding = stage.recovery.examine(attempt)
        assert finding
        assert not finding.useless
        assert finding.title + finding.times


def test_store_that_refused_casts_no_doubt(stage: Stage) -> None:
    custody = stage.made()
    stage.file.trouble = StoreError("The disk is full.")
    with pytest.raises(StoreError):
        stage.lifecycle.keep(custody, stage.file)
    stage.begin()

    assert stage.look().useless


def test_deletion_that_is_refused_leaves_it_open(stage: Stage) -> None:
    stage.iam.deny = {"iam:DeleteAccessKey"}
    stage.lose_a_reply()
    finding = stage.look()

    with pytest.raises(AccessDeniedError):
        stage.recovery.delete(finding)

    assert stage.key.status is KeyStatus.INACTIVE
    assert stage.is_open
    assert stage.look().verdict is Verdict.ORPHAN


def test_orphan_that_is_left_is_asked_about_no_more(stage: Stage) -> None:
    stage.lose_a_reply()

    stage.recovery.leave(stage.look())

    last = stage.journal.entries()[-1]
    assert (last.event, last.key_id) == (Event.UNKEPT, stage.key.id)
    assert not stage.is_open
    assert stage.key.status is KeyStatus.ACTIVE


def test_read_only_mode_looks_and_deletes_nothing(stage: Stage) -> None:
    stage.lose_a_reply()
    stage.begin(read_only=True)
    finding = stage.look()
    assert finding.verdict is Verdict.ORPHAN
    stage.iam.calls.clear()

    with pytest.raises(ReadOnlyError):
        stage.recovery.delete(finding)

    assert stage.iam.calls == []
    assert stage.key.status is KeyStatus.ACTIVE
    assert stage.deletions == []
