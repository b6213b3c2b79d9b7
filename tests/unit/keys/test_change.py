"""One verb on several keys: guards of each, partial failure told exactly, stopped on demand."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from keytui.core.errors import ReadOnlyError, ThrottledError
from keytui.core.gate import Gate
from keytui.core.model import AccessKey, KeyStatus, LastUsed
from keytui.core.waiting import Wait
from keytui.journal.log import Event, Journal
from keytui.keys.change import AT_ONCE, Planned, Result, Verb, carry_out, make_plan, take_back
from keytui.keys.local_use import LocalUse, Place
from keytui.keys.operations import Lifecycle
from keytui.keys.outcomes import Concern
from tests.support.fake_iam import START, FakeIam
from tests.support.gates import WRITABLE

JUST_NOW = LastUsed(START - timedelta(hours=3), "s3", "eu-west-1")


class Stage:
    """Some users with a key each, in an account that counts the calls under way."""

    def __init__(self, folder: Path, keys: int = 4) -> None:
        self.iam = FakeIam()
        self.journal = Journal(folder, WRITABLE)
        self.here: dict[str, LocalUse] = {}
        self.lifecycle = self.made()
        self.keys = [self.key(f"user-{n}") for n in range(keys)]

    def made(self, *, read_only: bool = False) -> Lifecycle:
        return Lifecycle(
            self.iam,
            self.journal,
            gate=Gate(read_only),
            uses_here=lambda key_id: (self.here[key_id],) if key_id in self.here else (),
            now=lambda: START,
            wait=Wait(lambda _: None, lambda: 0.0),
        )

    def key(
        self,
        name: str,
        status: KeyStatus = KeyStatus.ACTIVE,
        last_used: LastUsed | None = None,
    ) -> AccessKey:
        return self.iam.add_key(self.iam.add_user(name), status=status, last_used=last_used)

    def own(self) -> AccessKey:
        (key,) = self.iam.held(self.iam.caller)
        return key

    def statuses(self) -> list[KeyStatus]:
        return [self.iam.held(key.user)[0].status for key in self.keys]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "state")


def test_the_guards_are_asked_for_each_key(stage: Stage) -> None:
    used, here = stage.key("busy", last_used=JUST_NOW), stage.key("profile")
    stage.here[here.id] = LocalUse(Place.CREDENTIALS, "~/.aws/credentials", "dev")
    said: list[str] = []

    planned = make_plan(
        stage.lifecycle,
        Verb.DEACTIVATE,
        [stage.keys[0], used, here, stage.own()],
        progress=said.append,
    ).keys

    assert [one.key.user.name for one in planned] == ["user-0", "busy", "profile", "admin"]
    assert [one.concern for one in planned] == [
        None,
        Concern.USED_RECENTLY,
        Concern.USED_HERE,
        Concern.OWN_KEY,
    ]
    assert not any(one.refusal for one in planned)
    assert said[-1] == "Checking what depends on them: 4 of 4"


@pytest.mark.parametrize(
    ("verb", "status", "reason"),
    [
        (Verb.DEACTIVATE, KeyStatus.INACTIVE, "is inactive already"),
        (Verb.DEACTIVATE, KeyStatus.EXPIRED, "is expired already"),
        (Verb.ACTIVATE, KeyStatus.ACTIVE, "is active already"),
        (Verb.ACTIVATE, KeyStatus.EXPIRED, "only an inactive key can be made active"),
        (Verb.DELETE, KeyStatus.ACTIVE, "only an inactive key can be deleted"),
        (Verb.DELETE, KeyStatus.DELETED, "is deleted already"),
        (Verb.ACTIVATE, KeyStatus.INACTIVE, ""),
        (Verb.DELETE, KeyStatus.INACTIVE, ""),
        (Verb.DELETE, KeyStatus.EXPIRED, ""),
    ],
)
def test_what_can_not_be_done_is_said(
    verb: Verb, status: KeyStatus, reason: str, stage: Stage
) -> None:
    key = stage.key("zoe", status)
    (one,) = make_plan(stage.lifecycle, verb, [key]).keys
    assert bool(one.refusal) == bool(reason)
    assert reason in one.refusal


def test_guards_that_can_not_be_asked_refuse_their_key(stage: Stage) -> None:
    stage.iam.errors["iam:GetAccessKeyLastUsed"] = ThrottledError("AWS asks for fewer calls.")
    (one,) = make_plan(stage.lifecycle, Verb.DEACTIVATE, stage.keys[:1]).keys
    assert one.refusal == (
        f"What depends on {stage.keys[0].id} could not be checked. AWS asks for fewer calls."
    )
    assert carry_out(stage.lifecycle, Verb.DEACTIVATE, [one]) == ()
    assert stage.statuses()[0] is KeyStatus.ACTIVE


def test_read_only_refuses_before_anything_is_asked(stage: Stage) -> None:
    with pytest.raises(ReadOnlyError):
        make_plan(stage.made(read_only=True), Verb.DEACTIVATE, stage.keys)
    assert stage.iam.calls == []
    (result,) = carry_out(stage.made(read_only=True), Verb.DEACTIVATE, [Planned(stage.keys[0])])
    assert isinstance(result.error, ReadOnlyError)


def test_all_are_changed_and_written_down(stage: Stage) -> None:
    planned = plan_of(stage, stage.keys)
    told: list[Result] = []

    results = carry_out(stage.lifecycle, Verb.DEACTIVATE, planned, told.append)

    assert [result.key for result in results] == stage.keys
    assert set(map(id, told)) == set(map(id, results))
    assert set(stage.statuses()) == {KeyStatus.INACTIVE}
    events = [entry.event for entry in stage.journal.entries()]
    assert events == [Event.STATUS] * len(stage.keys)


def test_one_failure_does_not_stop_the_others(stage: Stage) -> None:
    planned = plan_of(stage, stage.keys)
    stage.iam.remove_user("user-1")

    results = carry_out(stage.lifecycle, Verb.DEACTIVATE, planned)

    assert [result.change is not None for result in results] == [True, False, True, True]
    assert "does not exist" in str(results[1].error)


def test_keys_are_deleted_but_no_active_one(stage: Stage) -> None:
    gone = stage.key("zoe", KeyStatus.INACTIVE)
    planned = make_plan(stage.lifecycle, Verb.DELETE, [stage.keys[0], gone]).keys

    (result,) = carry_out(stage.lifecycle, Verb.DELETE, planned)

    assert (result.key, result.error) == (gone, None)
    assert stage.iam.held(gone.user) == ()
    assert stage.statuses()[0] is KeyStatus.ACTIVE


def test_the_own_key_comes_last(stage: Stage) -> None:
    keys = [stage.own(), *stage.keys]
    results = carry_out(stage.lifecycle, Verb.DEACTIVATE, plan_of(stage, keys))
    changes = [call for call in stage.iam.calls if call.startswith("iam:UpdateAccessKey")]
    assert changes[-1] == f"iam:UpdateAccessKey {stage.own().id} Inactive"
    assert [result.key for result in results] == keys


def plan_of(stage: Stage, keys: list[AccessKey]) -> tuple[Planned, ...]:
    return make_plan(stage.lifecycle, Verb.DEACTIVATE, keys).keys


def test_leaving_stops_before_the_next_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(tmp_path / "state", keys=3 * AT_ONCE)
    planned = plan_of(stage, stage.keys)
    leaving, change = threading.Event(), stage.iam.set_status

    def set_status(key: AccessKey, status: KeyStatus) -> None:
        change(key, status)
        if key.id != stage.keys[0].id:  # The first one's result is told before any other's.
            leaving.wait(10)

    monkeypatch.setattr(stage.iam, "set_status", set_status)

    results = carry_out(
        stage.lifecycle, Verb.DEACTIVATE, planned, lambda _: leaving.set(), leaving.is_set
    )

    done = {result.key.id for result in results}
    assert 1 <= len(done) < len(stage.keys)
    for key, status in zip(stage.keys, stage.statuses(), strict=True):
        assert (status is KeyStatus.INACTIVE) == (key.id in done), "told exactly"


def test_a_plan_that_is_left_has_only_what_was_asked(stage: Stage) -> None:
    leaving = make_plan(stage.lifecycle, Verb.DEACTIVATE, stage.keys, left=lambda: True)
    assert leaving.keys == ()
    assert stage.iam.calls == []


def test_no_more_than_some_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(tmp_path / "state", keys=3 * AT_ONCE)
    together, lock = [0, 0], threading.Lock()
    full = threading.Barrier(AT_ONCE)

    def last_used(_: str) -> LastUsed:
        with lock:
            together[0] += 1
            together[1] = max(together)
        full.wait(timeout=10)
        with lock:
            together[0] -= 1
        return LastUsed()

    monkeypatch.setattr(stage.iam, "last_used", last_used)
    assert len(plan_of(stage, stage.keys)) == len(stage.keys)
    assert together[1] == AT_ONCE


def test_a_batch_is_undone(stage: Stage) -> None:
    results = carry_out(stage.lifecycle, Verb.DEACTIVATE, plan_of(stage, stage.keys))
    changes = [result.change for result in results if result.change]

    back = take_back(stage.lifecycle, changes)

    assert [result.key for result in back] == stage.keys
    assert set(stage.statuses()) == {KeyStatus.ACTIVE}
    assert stage.journal.entries()[-1].event is Event.UNDONE


def test_a_fault_of_the_program_is_not_hidden(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: str) -> LastUsed:
        raise ZeroDivisionError

    monkeypatch.setattr(stage.iam, "last_used", broken)
    with pytest.raises(ZeroDivisionError):
        plan_of(stage, stage.keys)
