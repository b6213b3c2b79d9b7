"""One verb on several keys: guards of each, partial failure told exactly, stopped on demand."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from keytui.core.errors import ReadOnlyError, StateError, ThrottledError
from keytui.core.gate import Gate
from keytui.core.model import AccessKey, KeyStatus, LastUsed
from keytui.core.waiting import Wait
from keytui.journal.log import Event, Journal
from keytui.keys.change import AT_ONCE, NOT_LISTED, Assent, Plan, Planned, Result, make_plan
from keytui.keys.local_use import LocalUse, Place
from keytui.keys.operations import Lifecycle
from keytui.keys.outcomes import Concern, Dependence, StatusChange, Verb
from tests.support.change_port import Agreeing, undo, work_on
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


def test_guards_are_asked_for_each_key(stage: Stage) -> None:
    used, here = stage.key("busy", last_used=JUST_NOW), stage.key("profile")
    stage.here[here.id] = LocalUse(Place.CREDENTIALS, "~/.aws/credentials", "dev")
    said: list[str] = []

    keys = [stage.own(), stage.keys[0], used, here]

    plan = make_plan(stage.lifecycle, Verb.DEACTIVATE, keys, progress=said.append)

    assert [one.key for one in plan.keys] == keys
    assert [one.concern for one in (*plan.free, *plan.used, *plan.own)] == [
        None,
        Concern.USED_RECENTLY,
        Concern.USED_HERE,
        Concern.OWN_KEY,
    ]
    assert plan.refused == ()
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
    port = Agreeing()
    assert work_on(stage.lifecycle, Verb.DEACTIVATE, stage.keys[:1], port) == ()
    assert port.plans[0].refused[0].refusal == (
        f"What depends on {stage.keys[0].id} could not be checked. AWS asks for fewer calls."
    )
    assert stage.statuses()[0] is KeyStatus.ACTIVE


def test_read_only_refuses_before_anything_is_asked(stage: Stage) -> None:
    port, lifecycle = Agreeing(), stage.made(read_only=True)
    for verb in Verb:
        with pytest.raises(ReadOnlyError):
            work_on(lifecycle, verb, stage.keys, port)
    with pytest.raises(ReadOnlyError):
        undo(lifecycle, [StatusChange(stage.keys[0], KeyStatus.INACTIVE, ())])
    assert (stage.iam.calls, port.plans) == ([], [])


def test_all_are_changed_and_written_down(stage: Stage) -> None:
    port = Agreeing()

    results = work_on(stage.lifecycle, Verb.DEACTIVATE, stage.keys, port)

    assert port.agreed
    assert [result.key for result in results] == stage.keys
    assert set(map(id, port.told)) == set(map(id, results))
    assert set(stage.statuses()) == {KeyStatus.INACTIVE}
    events = [entry.event for entry in stage.journal.entries()]
    assert events == [Event.STATUS] * len(stage.keys)


def test_one_failure_does_not_stop_the_others(stage: Stage) -> None:
    port = Agreeing()
    port.began = lambda: stage.iam.remove_user("user-1")

    results = work_on(stage.lifecycle, Verb.DEACTIVATE, stage.keys, port)

    assert [result.change is not None for result in results] == [True, False, True, True]
    assert "does not exist" in str(results[1].error)


def test_keys_are_deleted_but_no_active_one(stage: Stage) -> None:
    gone = stage.key("zoe", KeyStatus.INACTIVE)

    (result,) = work_on(stage.lifecycle, Verb.DELETE, [stage.keys[0], gone])

    assert (result.key, result.error) == (gone, None)
    assert stage.iam.held(gone.user) == ()
    assert stage.statuses()[0] is KeyStatus.ACTIVE


def test_own_key_comes_last(stage: Stage) -> None:
    keys = [stage.own(), *stage.keys]
    results = work_on(stage.lifecycle, Verb.DEACTIVATE, keys)
    changes = [call for call in stage.iam.calls if call.startswith("iam:UpdateAccessKey")]
    assert changes[-1] == f"iam:UpdateAccessKey {stage.own().id} Inactive"
    assert [result.key for result in results] == keys


def test_leaving_stops_before_the_next_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(tmp_path / "state", keys=3 * AT_ONCE)
    leaving, change = threading.Event(), stage.iam.set_status

    def set_status(key: AccessKey, status: KeyStatus) -> None:
        change(key, status)
        if key.id != stage.keys[0].id:  # The first one's result is told before any other's.
            leaving.wait(10)

    monkeypatch.setattr(stage.iam, "set_status", set_status)

    port = Agreeing()
    port.ended, port.left = lambda _: leaving.set(), leaving.is_set

    results = work_on(stage.lifecycle, Verb.DEACTIVATE, stage.keys, port)

    done = {result.key.id for result in results}
    assert 1 <= len(done) < len(stage.keys)
    for key, status in zip(stage.keys, stage.statuses(), strict=True):
        assert (status is KeyStatus.INACTIVE) == (key.id in done), "told exactly"


def test_plan_that_is_left_has_only_what_was_asked(stage: Stage) -> None:
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
    assert len(work_on(stage.lifecycle, Verb.DEACTIVATE, stage.keys)) == len(stage.keys)
    assert together[1] == AT_ONCE


def test_batch_is_undone(stage: Stage) -> None:
    results = work_on(stage.lifecycle, Verb.DEACTIVATE, stage.keys)
    changes = [result.change for result in results if result.change]

    back = undo(stage.lifecycle, changes)

    assert [result.key.id for result in back] == [key.id for key in stage.keys]
    assert set(stage.statuses()) == {KeyStatus.ACTIVE}
    assert stage.journal.entries()[-1].event is Event.UNDONE


def test_fault_of_the_program_is_not_hidden(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> LastUsed:
        raise ZeroDivisionError

    monkeypatch.setattr(stage.iam, "last_used", broken)
    with pytest.raises(ZeroDivisionError):
        work_on(stage.lifecycle, Verb.DEACTIVATE, stage.keys)


FREE, USED, OWN = None, Concern.USED_RECENTLY, Concern.OWN_KEY


@pytest.mark.parametrize(
    ("verb", "concerns", "assent"),
    [
        (Verb.DEACTIVATE, [FREE], Assent.NOT_ASKED),
        (Verb.DEACTIVATE, [USED], Assent.YES),
        (Verb.DEACTIVATE, [FREE, FREE], Assent.YES),
        (Verb.DEACTIVATE, [FREE, OWN], Assent.YES),
        (Verb.ACTIVATE, [FREE], Assent.NOT_ASKED),
        (Verb.DELETE, [FREE], Assent.LAST_FOUR),
        (Verb.DELETE, [USED, OWN], Assent.LAST_FOUR),
        (Verb.DELETE, [FREE, USED], Assent.NUMBER),
    ],
)
def test_assent_rises_with_what_is_at_stake(
    verb: Verb, concerns: list[Concern | None], assent: Assent, stage: Stage
) -> None:
    key = stage.keys[0]
    asked = [Planned(key, Dependence(concern)) for concern in concerns]
    plan = Plan(verb, (*asked, Planned(key, refusal="No.")))
    assert plan.assent is assent
    assert [one.concern for one in plan.own] == [OWN] * concerns.count(OWN)


def test_plan_asks_aws_again_unless_that_was_done_just_now(stage: Stage) -> None:
    (key,) = stage.keys[:1]
    stale = replace(key, last_used=LastUsed())
    stage.iam._uses[key.id] = JUST_NOW
    asked = make_plan(stage.lifecycle, Verb.DEACTIVATE, [stale])
    assert asked.used
    assert make_plan(stage.lifecycle, Verb.DEACTIVATE, [stale], just_asked=True).free
    assert stage.iam.calls == [f"iam:GetAccessKeyLastUsed {key.id}"]


@pytest.mark.parametrize(
    ("before", "keys", "own", "said"),
    [
        (KeyStatus.ACTIVE, (), False, "It is inactive."),
        (KeyStatus.ACTIVE, None, False, f"It is inactive. {NOT_LISTED}"),
        (KeyStatus.ACTIVE, None, True, "It is inactive. keytui's own calls stop now."),
        (KeyStatus.INACTIVE, (), False, "It was inactive already."),
    ],
)
def test_outcome_in_a_sentence(
    before: KeyStatus, keys: tuple[()] | None, own: bool, said: str, stage: Stage
) -> None:
    key = stage.keys[0]
    change = StatusChange(key, KeyStatus.INACTIVE, keys, before=before)
    assert Result(key, change).sentence("It", own=own) == said


def test_warning_says_that_the_change_was_made(stage: Stage) -> None:
    problem = StateError("The disk is full.", "Nothing was changed.", "Make room.")
    change = StatusChange(stage.keys[0], KeyStatus.INACTIVE, (), problem)
    assert str(change.warning) == "The disk is full. The change itself was made. Make room."
