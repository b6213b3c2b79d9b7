"""The verbs against an IAM and a store in memory: their order, their promises, their refusals."""

import inspect
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from keytui.core.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    KeytuiError,
    NotFoundError,
    QuotaError,
    ReadOnlyError,
    StateError,
    StoreError,
    StoreTimeoutError,
    ThrottledError,
    UnreachableError,
)
from keytui.core.gate import Gate
from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, LastUsed, NewAccessKey
from keytui.core.waiting import POLL_SECONDS, Wait
from keytui.journal.log import Entry, Event, Journal
from keytui.keys.local_use import LocalUse, Place
from keytui.keys.operations import RECENT, SETTLE_SECONDS, Lifecycle
from keytui.keys.outcomes import Concern, Custody, StatusChange, UnansweredError
from keytui.stores.base import Probe, Receipt
from tests.support.fake_iam import ACCOUNT, START, FakeIam
from tests.support.fake_store import FakeStore
from tests.support.gates import WRITABLE
from tests.support.sentinel import SENTINEL

MUTATING = ("Create", "Update", "Delete", "Tag", "Untag")
OLD_ID = "AKIAOLD0000000000001"


class LoggingStore(FakeStore):
    """Writes what it is asked into the log of the IAM calls, so that the order shows.

    Attributes:
        fails_at_put: Raised by ``put``, after a probe that said all is well.
    """

    def __init__(self, log: list[str]) -> None:
        super().__init__()
        self._log = log
        self.fails_at_put: StoreError | None = None

    def probe(self, *, canary: bool = True) -> Probe:
        self._log.append("store:probe" + (" canary" if canary else ""))
        return super().probe(canary=canary)

    def put(self, new: NewAccessKey) -> Receipt:
        self._log.append(f"store:put {new.key.id}")
        if self.fails_at_put:
            raise self.fails_at_put
        return super().put(new)


class LoggingJournal(Journal):
    """Writes its events into the log of the IAM calls.

    Attributes:
        refused: The events that can't be written.
    """

    def __init__(self, folder: Path, log: list[str]) -> None:
        super().__init__(folder, WRITABLE)
        self._log = log
        self.refused: set[Event] = set()

    def append(self, entry: Entry) -> None:
        if entry.event in self.refused:
            raise StateError("keytui can't write its record.")
        super().append(entry)
        self._log.append(f"journal:{entry.event.value}")


class Stage:
    """An account with alice and bob, a store and a journal, all writing one log."""

    def __init__(self, folder: Path, iam: FakeIam | None = None) -> None:
        self.iam = iam or FakeIam()
        self.log = self.iam.calls
        self.store = LoggingStore(self.log)
        self.journal = LoggingJournal(folder, self.log)
        self.slept: list[float] = []
        self.alice = self.iam.add_user("alice")
        self.lifecycle = self.made()

    def made(self, *, read_only: bool = False) -> Lifecycle:
        return Lifecycle(
            self.iam,
            self.journal,
            gate=Gate(read_only),
            now=lambda: START,
            wait=Wait(self.slept.append, lambda: 0.0),
        )

    def key(self, status: KeyStatus = KeyStatus.ACTIVE, key_id: str = OLD_ID) -> AccessKey:
        return self.iam.add_key(self.alice, key_id, status=status)

    def held(self) -> dict[str, KeyStatus]:
        return {key.id: key.status for key in self.iam.held(self.alice)}

    def events(self) -> list[Event]:
        return [entry.event for entry in self.journal.entries()]

    def mutations(self) -> list[str]:
        return [c for c in self.log if c.removeprefix("iam:").startswith(MUTATING)]

    def creates(self) -> int:
        return sum(call.startswith("iam:CreateAccessKey") for call in self.log)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "state")


# create: the order is the promise.


def test_create_probes_records_creates_once_and_keeps(stage: Stage) -> None:
    stage.lifecycle.create(stage.alice, stage.store)

    (key_id,) = stage.held()
    assert [call for call in stage.log if not call.startswith("sts:")] == [
        "iam:ListAccessKeys alice",
        "store:probe canary",
        "journal:creating",
        "iam:CreateAccessKey alice",
        "journal:created",
        "journal:storing",
        f"store:put {key_id}",
        "journal:stored",
    ]


def test_key_creation_hands_over_the_secret_before_all_else(stage: Stage) -> None:
    seen: list[tuple[Custody, list[str]]] = []

    custody = stage.lifecycle.create(
        stage.alice, stage.store, made=lambda c: seen.append((c, list(stage.log)))
    )

    ((handed, log),) = seen
    assert handed is custody
    assert log[-1] == "iam:CreateAccessKey alice"


def test_created_key_is_kept_and_told(stage: Stage) -> None:
    stage.iam.next_secret = SENTINEL

    custody = stage.lifecycle.create(stage.alice, stage.store, "laptop")

    key = custody.new.key
    assert stage.held() == {key.id: KeyStatus.ACTIVE}
    assert stage.store.kept[key.id].reveal() == SENTINEL
    assert custody.kept
    assert custody.receipts == [Receipt("fake", "memory")]
    assert (custody.problem, custody.warnings) == (None, [])
    assert stage.iam.descriptions(stage.alice) == {key.id: "laptop"}


def test_what_create_writes_down(stage: Stage, tmp_path: Path) -> None:
    old = stage.key()
    stage.iam.next_secret = SENTINEL

    custody = stage.lifecycle.create(stage.alice, stage.store)

    creating, created, storing, stored = stage.journal.entries()
    assert [entry.event for entry in (creating, created, storing, stored)] == [
        Event.CREATING,
        Event.CREATED,
        Event.STORING,
        Event.STORED,
    ]
    for entry in (creating, created, storing, stored):
        assert entry.at == START.isoformat(timespec="seconds")
        assert entry.account == ACCOUNT
        assert entry.user == "alice"
        assert entry.caller == f"arn:aws:iam::{ACCOUNT}:user/admin"
        assert entry.attempt == custody.attempt
        assert len(entry.attempt) >= 8
    assert (creating.key_id, creating.detail) == ("", old.id)
    assert created.key_id == stored.key_id == custody.new.key.id
    assert creating.store == storing.store == stored.store == "fake"
    assert creating.asked == START.isoformat(timespec="seconds")
    for path in (tmp_path / "state").iterdir():
        assert SENTINEL not in path.read_text()


def test_each_creation_is_an_attempt_of_its_own(stage: Stage) -> None:
    one = stage.lifecycle.create(stage.alice, stage.store)
    two = stage.lifecycle.create(stage.alice, stage.store)

    assert one.attempt != two.attempt


def test_create_to_show_only(stage: Stage) -> None:
    custody = stage.lifecycle.create(stage.alice, None)

    assert not custody.kept
    assert custody.problem is None
    assert stage.events() == [Event.CREATING, Event.CREATED]


def test_create_tells_what_it_is_doing(stage: Stage) -> None:
    told: list[str] = []

    stage.lifecycle.create(stage.alice, stage.store, "laptop", told.append)

    assert len(told) == len(set(told)) == 6


def test_key_for_the_root_user(tmp_path: Path) -> None:
    stage = Stage(tmp_path, FakeIam(root=True))

    custody = stage.lifecycle.create(ROOT_USER, stage.store)

    assert custody.new.key in stage.iam.held(ROOT_USER)
    assert {entry.user for entry in stage.journal.entries()} == {ROOT_USER.name}


# create: what stops it before any request.


@pytest.mark.parametrize("second", [KeyStatus.ACTIVE, KeyStatus.INACTIVE, KeyStatus.EXPIRED])
def test_quota_is_told_before_anything_is_done(stage: Stage, second: KeyStatus) -> None:
    stage.key()
    stage.key(second, "AKIAOLD0000000000002")

    with pytest.raises(QuotaError) as caught:
        stage.lifecycle.create(stage.alice, stage.store)

    assert stage.log == ["iam:ListAccessKeys alice"]
    assert "2 access keys" in caught.value.title
    assert caught.value.safe == "No key was made."
    assert "could go" in caught.value.next_step
    assert stage.events() == []


def test_more_keys_than_the_quota(stage: Stage) -> None:
    for number in range(3):
        stage.key(key_id=f"AKIAOLD000000000000{number}")

    with pytest.raises(QuotaError, match="3 access keys"):
        stage.lifecycle.create(stage.alice, stage.store)
    assert stage.creates() == 0


def test_store_that_says_no_stops_create(stage: Stage) -> None:
    stage.store.trouble = StoreError("The keyring is locked.", next_step="Unlock it.")

    with pytest.raises(StoreError) as caught:
        stage.lifecycle.create(stage.alice, stage.store)

    assert caught.value.title == "The keyring is locked."
    assert caught.value.safe == "No key was made."
    assert caught.value.next_step == "Unlock it."
    assert stage.mutations() == []
    assert stage.events() == []


def test_record_that_can_not_be_written_stops_create(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file is in the way")
    stage = Stage(tmp_path / "state")

    with pytest.raises(StateError):
        stage.lifecycle.create(stage.alice, stage.store)

    assert stage.mutations() == []
    assert stage.held() == {}


def test_keys_that_may_not_be_listed_stop_create(stage: Stage) -> None:
    stage.iam.deny = {"iam:ListAccessKeys"}

    with pytest.raises(AccessDeniedError, match="iam:ListAccessKeys"):
        stage.lifecycle.create(stage.alice, stage.store)
    assert stage.mutations() == []


def test_record_that_takes_no_line_stops_create(stage: Stage) -> None:
    stage.journal.refused = {Event.CREATING}

    with pytest.raises(StateError):
        stage.lifecycle.create(stage.alice, stage.store)

    assert stage.mutations() == []
    assert list(stage.journal.path.parent.glob("*.lock")) == [], "nothing stays claimed"


# create: a refusal.


@pytest.mark.parametrize(
    "error",
    [
        AccessDeniedError("iam:CreateAccessKey", "Denied."),
        ThrottledError("Too many calls."),
        CredentialsError("Expired."),
        NotFoundError("Gone."),
        QuotaError("Full."),
        UnreachableError("No answer to the connection."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_refused_creation_is_written_down_and_not_repeated(stage: Stage, error: AwsError) -> None:
    stage.iam.errors["iam:CreateAccessKey"] = error

    with pytest.raises(type(error)) as caught:
        stage.lifecycle.create(stage.alice, stage.store)

    assert caught.value is error
    assert stage.creates() == 1
    assert stage.events() == [Event.CREATING, Event.NOT_CREATED]
    first, last = stage.journal.entries()
    assert first.attempt == last.attempt
    assert stage.store.kept == {}


def test_refusal_that_can_not_be_written_down_is_still_told(stage: Stage) -> None:
    stage.iam.deny = {"iam:CreateAccessKey"}
    stage.journal.refused = {Event.NOT_CREATED}

    with pytest.raises(AccessDeniedError):
        stage.lifecycle.create(stage.alice, stage.store)


# create: nothing after AWS's reply can raise.


def break_journal(stage: Stage) -> None:
    stage.journal.refused = set(Event) - {Event.CREATING}


def break_description(stage: Stage) -> None:
    stage.iam.deny |= {"iam:TagUser"}


def break_store(stage: Stage) -> None:
    stage.store.fails_at_put = StoreError("The keyring went away.", next_step="Use another.")


def break_network(stage: Stage) -> None:
    stage.iam.errors["iam:TagUser"] = UnreachableError("No network.")


@pytest.mark.parametrize(
    "breakage",
    [
        (break_journal,),
        (break_description,),
        (break_store,),
        (break_network,),
        (break_journal, break_description, break_store),
        (break_store, break_network),
    ],
    ids=lambda some: "+".join(f.__name__.removeprefix("break_") for f in some),
)
def test_nothing_after_the_reply_can_raise(
    stage: Stage, breakage: tuple[Callable[[Stage], None], ...]
) -> None:
    stage.iam.next_secret = SENTINEL
    for breaks in breakage:
        breaks(stage)

    custody = stage.lifecycle.create(stage.alice, stage.store, "laptop")

    assert custody.new.secret.reveal() == SENTINEL
    assert stage.creates() == 1
    assert custody.kept is (break_store not in breakage)
    assert (custody.problem is not None) is (break_store in breakage)
    told = [str(problem) for problem in custody.warnings]
    if break_journal in breakage:
        assert any("record" in text for text in told)
    if break_description in breakage:
        assert any("iam:TagUser" in text for text in told)
    if break_network in breakage:
        assert any("No network" in text for text in told)
    assert all(SENTINEL not in text for text in [*told, str(custody.problem), repr(custody)])


def test_secret_that_is_not_kept_can_be_kept_elsewhere(stage: Stage) -> None:
    break_store(stage)
    custody = stage.lifecycle.create(stage.alice, stage.store)
    assert str(custody.problem) == "The keyring went away. Use another."
    other = FakeStore()

    receipt = stage.lifecycle.keep(custody, other)

    assert (custody.receipts, custody.problem) == ([receipt], None)
    assert other.kept[custody.new.key.id].matches(custody.new.secret)
    tried = [Event.STORING, Event.NOT_STORED, Event.STORING, Event.STORED]
    assert stage.events() == [Event.CREATING, Event.CREATED, *tried]


def test_second_store_that_fails_changes_nothing(stage: Stage) -> None:
    custody = stage.lifecycle.create(stage.alice, stage.store)
    other = FakeStore()
    other.trouble = StoreError("Full.")

    with pytest.raises(StoreError, match="Full"):
        stage.lifecycle.keep(custody, other)

    assert custody.receipts == [Receipt("fake", "memory")]
    assert stage.events().count(Event.STORED) == 1


def test_kept_secret_whose_record_fails_is_kept_all_the_same(stage: Stage) -> None:
    custody = stage.lifecycle.create(stage.alice, None)
    break_journal(stage)

    stage.lifecycle.keep(custody, stage.store)

    assert (custody.kept, custody.unrecorded) == (True, True)
    assert custody.new.key.id in stage.store.kept
    assert [type(warning) for warning in custody.warnings] == [StateError] * 2
    assert "could not write down that the secret" in custody.warnings[-1].title
    assert "don't delete it" in custody.warnings[-1].next_step


# create: the reply is lost.


def test_lost_reply_is_for_recovery_to_find_out(stage: Stage) -> None:
    old = stage.key()
    stage.iam.lose_reply = True

    with pytest.raises(UnansweredError) as caught:
        stage.lifecycle.create(stage.alice, stage.store)

    creating, lost = stage.journal.entries()
    assert (creating.event, lost.event) == (Event.CREATING, Event.REPLY_LOST)
    assert creating.attempt == lost.attempt == caught.value.attempt
    assert (creating.detail, creating.store) == (old.id, "fake")
    assert stage.creates() == 1
    assert stage.store.kept == {}
    assert stage.journal.claim(lost.attempt), "nobody works on it any more"


def test_lost_reply_is_told_though_the_record_can_not_be_written(stage: Stage) -> None:
    stage.iam.lose_reply = True
    break_journal(stage)

    with pytest.raises(UnansweredError):
        stage.lifecycle.create(stage.alice, stage.store)


# concern.


@pytest.mark.parametrize(
    ("ago", "concern"),
    [
        (timedelta(0), Concern.USED_RECENTLY),
        (RECENT - timedelta(seconds=1), Concern.USED_RECENTLY),
        (RECENT, None),
        (RECENT + timedelta(seconds=1), None),
        (timedelta(seconds=-30), Concern.USED_RECENTLY),
    ],
)
def test_key_used_in_the_last_24_hours_is_a_concern(
    stage: Stage, ago: timedelta, concern: Concern | None
) -> None:
    key = stage.iam.add_key(stage.alice, last_used=LastUsed(START - ago, "s3", "eu-west-1"))

    assert stage.lifecycle.dependence(key).concern is concern
    assert timedelta(hours=24) == RECENT


def test_concern_asks_aws_rather_than_the_listing(stage: Stage) -> None:
    key = stage.iam.add_key(stage.alice, last_used=LastUsed(START, "s3", "eu-west-1"))
    assert key.last_used is None

    assert stage.lifecycle.dependence(key).concern is Concern.USED_RECENTLY
    assert stage.log[-1] == f"iam:GetAccessKeyLastUsed {key.id}"


def test_key_never_used_is_no_concern(stage: Stage) -> None:
    assert stage.lifecycle.dependence(stage.key()).concern is None


def test_key_that_signs_the_calls_is_the_gravest_concern(stage: Stage) -> None:
    own = stage.iam.held(stage.iam.caller)[0]
    stage.iam.deny = {"iam:GetAccessKeyLastUsed"}

    assert stage.lifecycle.dependence(own).concern is Concern.OWN_KEY


def test_last_use_that_may_not_be_read_is_a_concern(stage: Stage) -> None:
    key = stage.key()
    stage.iam.deny = {"iam:GetAccessKeyLastUsed"}

    assert stage.lifecycle.dependence(key).concern is Concern.LAST_USE_UNKNOWN


def test_profile_of_this_machine_that_names_it_is_a_concern(stage: Stage) -> None:
    use = LocalUse(Place.CREDENTIALS, "~/.aws/credentials", "alice")
    lifecycle = Lifecycle(stage.iam, stage.journal, uses_here=lambda _: (use,), gate=WRITABLE)

    found = lifecycle.dependence(stage.key())

    assert found.concern is Concern.USED_HERE
    assert found.reasons == ("It is used here: profile alice in ~/.aws/credentials.",)


def test_secret_in_the_keyring_alone_is_no_concern(stage: Stage) -> None:
    use = LocalUse(Place.KEYRING, "the OS keyring")
    lifecycle = Lifecycle(stage.iam, stage.journal, uses_here=lambda _: (use,), gate=WRITABLE)

    assert lifecycle.dependence(stage.key()).concern is None


def test_last_use_that_can_not_be_asked_now_stops_the_verb(stage: Stage) -> None:
    key = stage.key()
    stage.iam.errors["iam:GetAccessKeyLastUsed"] = UnreachableError("No network.")

    with pytest.raises(UnreachableError):
        stage.lifecycle.dependence(key)


# set_status.


@pytest.mark.parametrize("lag", [0, 1, 5, 16])
def test_status_is_waited_for_until_it_is_listed(stage: Stage, lag: int) -> None:
    key = stage.key()
    stage.iam.lag = lag
    stage.iam.keys(stage.alice)

    change = stage.lifecycle.set_status(key, KeyStatus.INACTIVE)

    assert change.listed
    assert (change.key, change.status, change.problem) == (key, KeyStatus.INACTIVE, None)
    assert stage.slept == [POLL_SECONDS] * lag
    assert stage.held() == {key.id: KeyStatus.INACTIVE}


def test_status_that_never_shows_is_given_up_after_some_polls(stage: Stage) -> None:
    key = stage.key()
    stage.iam.lag = 10_000
    stage.iam.keys(stage.alice)

    change = stage.lifecycle.set_status(key, KeyStatus.INACTIVE)

    assert not change.listed
    assert sum(stage.slept) <= SETTLE_SECONDS + POLL_SECONDS
    assert stage.log.count(f"iam:UpdateAccessKey {key.id} Inactive") == 1


def test_change_is_written_down(stage: Stage) -> None:
    key = stage.key()

    stage.lifecycle.set_status(key, KeyStatus.INACTIVE)
    stage.lifecycle.set_status(key, KeyStatus.ACTIVE, undoing=True)

    entries = stage.journal.entries()
    assert [(e.event, e.key_id, e.detail) for e in entries] == [
        (Event.STATUS, key.id, "Inactive"),
        (Event.UNDONE, key.id, "Active"),
    ]


@pytest.mark.parametrize("error", [ThrottledError("Slow."), UnreachableError("Gone dark.")])
def test_passing_fault_while_waiting_is_sat_out(stage: Stage, error: AwsError) -> None:
    key = stage.key()

    def sleep(seconds: float) -> None:
        stage.slept.append(seconds)
        if len(stage.slept) == 3:
            stage.iam.errors.clear()

    lifecycle = Lifecycle(
        stage.iam, stage.journal, now=lambda: START, wait=Wait(sleep, lambda: 0.0), gate=WRITABLE
    )
    stage.iam.errors["iam:ListAccessKeys"] = error

    assert lifecycle.set_status(key, KeyStatus.INACTIVE).listed
    assert len(stage.slept) == 3


def test_deactivation_of_your_own_key_survives_later_refusals(
    stage: Stage,
) -> None:
    own = stage.iam.held(stage.iam.caller)[0]
    stage.iam.identity()
    stage.iam.errors["iam:ListAccessKeys"] = CredentialsError("AWS refuses the credentials.")

    change = stage.lifecycle.set_status(own, KeyStatus.INACTIVE)

    assert not change.listed
    assert stage.slept == []
    assert stage.iam.held(stage.iam.caller)[0].status is KeyStatus.INACTIVE
    assert stage.events() == [Event.STATUS]


def test_change_that_aws_refuses_is_not_written_down(stage: Stage) -> None:
    key = stage.key()
    stage.iam.deny = {"iam:UpdateAccessKey"}

    with pytest.raises(AccessDeniedError, match="iam:UpdateAccessKey"):
        stage.lifecycle.set_status(key, KeyStatus.INACTIVE)

    assert stage.held() == {key.id: KeyStatus.ACTIVE}
    assert stage.events() == []


def test_change_whose_record_fails_is_made_and_told(stage: Stage) -> None:
    key = stage.key()
    break_journal(stage)

    change = stage.lifecycle.set_status(key, KeyStatus.INACTIVE)

    assert isinstance(change.problem, StateError)
    assert change.listed
    assert stage.held() == {key.id: KeyStatus.INACTIVE}


# The reply to a change is lost: AWS's listing tells.


class HalfDeaf(FakeIam):
    """Loses the replies to changes.

    Attributes:
        works: Whether AWS makes the change before.
        error: What keytui sees of it.
    """

    works = True
    error: AwsError = UnreachableError("AWS's reply did not arrive.")

    def set_status(self, key: AccessKey, status: KeyStatus) -> None:
        if self.works:
            super().set_status(key, status)
        raise self.error

    def delete_key(self, key: AccessKey) -> None:
        if self.works:
            super().delete_key(key)
        raise self.error


@pytest.fixture
def deaf(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "state", HalfDeaf())


@pytest.mark.parametrize("lag", [0, 3])
def test_status_that_changed_though_the_reply_was_lost(deaf: Stage, lag: int) -> None:
    key = deaf.key()
    deaf.iam.lag = lag

    change = deaf.lifecycle.set_status(key, KeyStatus.INACTIVE)

    assert change.listed
    assert deaf.slept == [POLL_SECONDS] * lag
    assert deaf.events() == [Event.STATUS]


def test_status_that_did_not_change_ends_with_the_error(
    deaf: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HalfDeaf, "works", False)
    key = deaf.key()

    with pytest.raises(UnreachableError, match="did not arrive"):
        deaf.lifecycle.set_status(key, KeyStatus.INACTIVE)

    assert sum(deaf.slept) <= SETTLE_SECONDS + POLL_SECONDS
    assert deaf.events() == []


def test_deletion_made_though_the_reply_was_lost(deaf: Stage) -> None:
    key = deaf.key(KeyStatus.INACTIVE)

    assert deaf.lifecycle.delete(key).listed
    assert deaf.events() == [Event.DELETED]


def test_deletion_not_made_ends_with_the_error(
    deaf: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HalfDeaf, "works", False)
    key = deaf.key(KeyStatus.INACTIVE)

    with pytest.raises(UnreachableError):
        deaf.lifecycle.delete(key)

    assert sum(deaf.slept) <= SETTLE_SECONDS + POLL_SECONDS
    assert deaf.held() == {key.id: KeyStatus.INACTIVE}
    assert deaf.events() == []


def test_refusal_is_not_looked_into(deaf: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HalfDeaf, "error", AccessDeniedError("iam:UpdateAccessKey", "Denied."))
    key = deaf.key()

    with pytest.raises(AccessDeniedError):
        deaf.lifecycle.set_status(key, KeyStatus.INACTIVE)

    assert deaf.log[-1].startswith("iam:UpdateAccessKey")


def test_user_went_with_the_reply(deaf: Stage) -> None:
    """Deleting a user takes their keys with them."""
    key = deaf.key(KeyStatus.INACTIVE)
    deaf.iam.errors["iam:DeleteAccessKey"] = UnreachableError("No reply.")
    real = deaf.iam.delete_key

    def delete_key(key: AccessKey) -> None:
        deaf.iam.remove_user("alice")
        real(key)

    deaf.iam.delete_key = delete_key  # type: ignore[method-assign]

    assert deaf.lifecycle.delete(key).listed


def test_discard_whose_replies_are_lost(deaf: Stage) -> None:
    custody = deaf.lifecycle.create(deaf.alice, None)

    deaf.lifecycle.discard(custody)

    assert custody.discarded
    assert deaf.held() == {}
    assert deaf.events()[-2:] == [Event.DISCARDED, Event.DELETED]


# delete.


def test_inactive_key_is_deleted_and_remembered(stage: Stage) -> None:
    key = stage.key(KeyStatus.INACTIVE)

    change = stage.lifecycle.delete(key)

    assert change.listed
    assert change.status is KeyStatus.DELETED
    assert stage.held() == {}
    (entry,) = stage.journal.entries()
    assert (entry.event, entry.key_id) == (Event.DELETED, key.id)
    (remembered,) = stage.journal.deleted_keys(ACCOUNT, stage.alice)
    assert (remembered.id, remembered.created) == (key.id, key.created)


def test_key_that_has_become_active_again_is_not_deleted(stage: Stage) -> None:
    key = stage.key(KeyStatus.INACTIVE)
    stage.iam.set_status(key, KeyStatus.ACTIVE)
    stage.log.clear()

    with pytest.raises(KeytuiError, match="is active"):
        stage.lifecycle.delete(key)

    assert stage.mutations() == []
    assert stage.held() == {key.id: KeyStatus.ACTIVE}
    assert stage.events() == []


def test_expired_key_can_be_deleted(stage: Stage) -> None:
    key = stage.key(KeyStatus.EXPIRED)

    assert stage.lifecycle.delete(key).listed
    assert stage.held() == {}


def test_key_that_is_gone_counts_as_deleted(stage: Stage) -> None:
    key = stage.key(KeyStatus.INACTIVE)
    stage.iam.remove_key(key)

    change = stage.lifecycle.delete(key)

    assert change.listed
    assert [k.id for k in stage.journal.deleted_keys(ACCOUNT, stage.alice)] == [key.id]


def test_deletion_is_waited_for(stage: Stage) -> None:
    key = stage.key(KeyStatus.INACTIVE)
    stage.iam.lag = 4

    assert stage.lifecycle.delete(key).listed
    assert len(stage.slept) == 4


def test_deletion_that_never_shows_is_given_up_after_some_polls(stage: Stage) -> None:
    key = stage.key(KeyStatus.INACTIVE)
    stage.iam.lag = 10_000

    assert not stage.lifecycle.delete(key).listed
    assert sum(stage.slept) <= SETTLE_SECONDS + POLL_SECONDS


def test_description_goes_with_its_key(stage: Stage) -> None:
    stage.iam.set_description(stage.alice, OLD_ID, "laptop")
    stage.iam.set_description(stage.alice, "AKIAOTHER", "server")
    key = AccessKey(OLD_ID, stage.alice, KeyStatus.INACTIVE, START, description="laptop")

    stage.lifecycle.delete(key)

    assert stage.iam.descriptions(stage.alice) == {"AKIAOTHER": "server"}


def test_description_that_was_not_read_goes_with_its_key(stage: Stage) -> None:
    key = stage.iam.add_key(stage.alice, OLD_ID, status=KeyStatus.INACTIVE, description="laptop")
    assert not key.description

    assert stage.lifecycle.delete(key).listed

    assert stage.iam.descriptions(stage.alice) == {}


def test_description_that_stays_behind_does_no_harm(stage: Stage) -> None:
    stage.key(KeyStatus.INACTIVE)
    stage.iam.deny = {"iam:UntagUser"}
    key = AccessKey(OLD_ID, stage.alice, KeyStatus.INACTIVE, START, description="laptop")

    assert stage.lifecycle.delete(key).listed
    assert stage.held() == {}


def test_deletion_that_aws_refuses_is_not_written_down(stage: Stage) -> None:
    key = stage.key(KeyStatus.INACTIVE)
    stage.iam.deny = {"iam:DeleteAccessKey"}

    with pytest.raises(AccessDeniedError):
        stage.lifecycle.delete(key)

    assert stage.held() == {key.id: KeyStatus.INACTIVE}
    assert stage.events() == []


def test_deletion_whose_record_fails_is_made_and_told(stage: Stage) -> None:
    key = stage.key(KeyStatus.INACTIVE)
    break_journal(stage)

    change = stage.lifecycle.delete(key)

    assert isinstance(change.problem, StateError)
    assert stage.held() == {}


# discard.


def test_discarded_key_is_made_inactive_and_deleted(stage: Stage) -> None:
    custody = stage.lifecycle.create(stage.alice, None)
    key_id = custody.new.key.id

    stage.lifecycle.discard(custody)

    assert stage.mutations()[-2:] == [
        f"iam:UpdateAccessKey {key_id} Inactive",
        f"iam:DeleteAccessKey {key_id}",
    ]
    assert stage.held() == {}
    assert stage.events()[-2:] == [Event.DISCARDED, Event.DELETED]
    assert stage.journal.entries()[-2].attempt == custody.attempt


def test_description_of_a_discarded_key_goes_too(stage: Stage) -> None:
    custody = stage.lifecycle.create(stage.alice, None, "laptop")

    stage.lifecycle.discard(custody)

    assert stage.iam.descriptions(stage.alice) == {}


@pytest.mark.parametrize("action", ["iam:UpdateAccessKey", "iam:DeleteAccessKey"])
def test_discard_that_aws_refuses_is_told(stage: Stage, action: str) -> None:
    custody = stage.lifecycle.create(stage.alice, None)
    stage.iam.deny = {action}

    with pytest.raises(AccessDeniedError, match=action):
        stage.lifecycle.discard(custody)

    assert list(stage.held()) == [custody.new.key.id]
    assert Event.DELETED not in stage.events()


def test_discard_whose_record_fails_is_made(stage: Stage) -> None:
    custody = stage.lifecycle.create(stage.alice, None)
    break_journal(stage)

    stage.lifecycle.discard(custody)

    assert stage.held() == {}


# rescue.


def test_secret_without_a_terminal_goes_into_the_store(stage: Stage) -> None:
    custody = stage.lifecycle.create(stage.alice, None)
    key_id = custody.new.key.id

    told = stage.lifecycle.rescue(custody, stage.store)

    assert key_id in told
    assert "memory" in told
    assert stage.store.kept[key_id].matches(custody.new.secret)
    assert stage.held() == {key_id: KeyStatus.ACTIVE}
    assert stage.events()[-1] is Event.STORED


def test_key_whose_secret_can_not_be_kept_goes_with_the_terminal(stage: Stage) -> None:
    break_store(stage)
    custody = stage.lifecycle.create(stage.alice, None)

    told = stage.lifecycle.rescue(custody, stage.store)

    assert f"{custody.new.key.id} was deleted" in told
    assert stage.held() == {}
    assert stage.events()[-2:] == [Event.DISCARDED, Event.DELETED]


@pytest.mark.parametrize("stopped", [True, False])
def test_rescue_asks_again_where_the_time_ran_out_in_a_stop(stage: Stage, stopped: bool) -> None:
    class Late(LoggingStore):
        tries = 0

        def put(self, new: NewAccessKey) -> Receipt:
            self.tries += 1
            if self.tries == 1:
                raise StoreTimeoutError("The store gave no answer in time.")
            return super().put(new)

    custody = stage.lifecycle.create(stage.alice, None)

    stage.lifecycle.rescue(custody, Late(stage.log), stopped=lambda: stopped)

    kept = {custody.new.key.id: KeyStatus.ACTIVE}
    assert stage.held() == (kept if stopped else {})
    assert custody.kept is stopped


def test_rescue_deletes_a_key_that_could_not_be_made_inactive(stage: Stage) -> None:
    break_store(stage)
    custody = stage.lifecycle.create(stage.alice, None)
    stage.iam.errors["iam:UpdateAccessKey"] = UnreachableError("No network.")

    told = stage.lifecycle.rescue(custody, stage.store)

    assert f"{custody.new.key.id} was deleted" in told
    assert stage.held() == {}
    assert custody.discarded


def test_rescue_survives_a_store_that_breaks_its_contract(stage: Stage) -> None:
    class Broken(LoggingStore):
        def put(self, new: NewAccessKey) -> Receipt:
            raise ZeroDivisionError

    custody = stage.lifecycle.create(stage.alice, None)

    stage.lifecycle.rescue(custody, Broken(stage.log))

    assert stage.held() == {}


def test_rescue_that_fails_altogether_is_told_and_does_not_raise(stage: Stage) -> None:
    break_store(stage)
    stage.iam.next_secret = SENTINEL
    custody = stage.lifecycle.create(stage.alice, None)
    stage.iam.errors["iam:UpdateAccessKey"] = UnreachableError("No network.")
    stage.iam.errors["iam:DeleteAccessKey"] = UnreachableError("No network.")
    break_journal(stage)

    told = stage.lifecycle.rescue(custody, stage.store)

    assert custody.new.key.id in told
    assert "No network." in told
    assert SENTINEL not in told


# What became of the secret.


def test_that_it_was_shown_is_written_down_once(stage: Stage) -> None:
    custody = stage.lifecycle.create(stage.alice, None)

    stage.lifecycle.shown(custody)
    stage.lifecycle.shown(custody)

    assert custody.shown
    assert stage.events() == [Event.CREATING, Event.CREATED, Event.SHOWN]
    last = stage.journal.entries()[-1]
    assert (last.attempt, last.key_id) == (custody.attempt, custody.new.key.id)


def test_that_it_was_shown_though_it_can_not_be_written_down(stage: Stage) -> None:
    custody = stage.lifecycle.create(stage.alice, None)
    break_journal(stage)

    stage.lifecycle.shown(custody)

    assert custody.shown
    assert [type(warning) for warning in custody.warnings] == [StateError]


def test_key_that_is_left_is_written_down_and_stays(stage: Stage) -> None:
    custody = stage.lifecycle.create(stage.alice, None)

    stage.lifecycle.leave(custody)

    assert stage.events()[-1] is Event.UNKEPT
    assert stage.held() == {custody.new.key.id: KeyStatus.ACTIVE}
    assert stage.journal.claim(custody.attempt), "nobody works on it any more"


def test_creation_is_in_its_hands_until_it_is_let_go(stage: Stage) -> None:
    custody = stage.lifecycle.create(stage.alice, None)
    other = Journal(stage.journal.path.parent, WRITABLE)
    assert not other.claim(custody.attempt)

    stage.lifecycle.let_go(custody)

    assert other.claim(custody.attempt)


# read-only mode.


def test_read_only_mode_refuses_every_changing_operation(stage: Stage) -> None:
    custody = stage.lifecycle.create(stage.alice, None)
    active, inactive = stage.key(), stage.key(KeyStatus.INACTIVE, "AKIAOLD0000000000002")
    before, events = stage.held(), stage.events()
    stage.log.clear()
    lifecycle = stage.made(read_only=True)
    refused: dict[str, Callable[[], object]] = {
        "require_writable": lifecycle.require_writable,
        "set_status": lambda: lifecycle.set_status(active, KeyStatus.INACTIVE),
        "undo": lambda: lifecycle.undo(StatusChange(active, KeyStatus.INACTIVE, ())),
        "delete": lambda: lifecycle.delete(inactive),
        "create": lambda: lifecycle.create(stage.alice, stage.store),
        "discard": lambda: lifecycle.discard(custody),
        "discard_key": lambda: lifecycle.discard_key(active, ""),
    }
    harmless = {"dependence", "keep", "rescue", "shown", "leave", "let_go"}
    verbs = inspect.getmembers(Lifecycle, inspect.isfunction)
    public = {name for name, _ in verbs if not name.startswith("_")}
    assert public == refused.keys() | harmless, "say here whether a new verb changes something"

    for verb in refused.values():
        with pytest.raises(ReadOnlyError) as caught:
            verb()
        assert "read-only" in caught.value.title
        assert caught.value.safe == "Nothing was changed."

    lifecycle.dependence(active)
    lifecycle.keep(custody, stage.store)
    break_store(stage)
    lifecycle.rescue(custody, stage.store)
    assert stage.mutations() == []
    assert stage.held() == before
    of_keeping = {Event.STORING, Event.NOT_STORED, Event.STORED}
    assert [e for e in stage.events() if e not in {*events, *of_keeping}] == []


def test_secret_that_is_kept_is_never_written_down_as_not_stored(stage: Stage) -> None:
    """The line that it is there was lost on a full disk; then it is put there once more."""
    stage.journal.refused = {Event.STORED}
    custody = stage.lifecycle.create(stage.alice, stage.store)
    assert custody.kept
    stage.journal.refused = set()
    stage.store.trouble = StoreError("It is there already.")

    with pytest.raises(StoreError):
        stage.lifecycle.keep(custody, stage.store)

    assert Event.NOT_STORED not in stage.events()
