"""The audit's reading: the report made anew, keys matched, the pace, and what goes wrong."""

from dataclasses import replace
from datetime import timedelta
from threading import Event, Thread

import pytest

from keytui.audit.live import UserKeys, read_live
from keytui.core.credential_report import joined
from keytui.audit.pace import BURST, RATE, Pace
from keytui.audit.report import reports
from keytui.core.errors import AccessDeniedError, ThrottledError
from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, LastUsed, User
from tests.support.fake_iam import START, FakeIam

ALICE = User("alice")
USED = LastUsed(START - timedelta(days=1), "s3", "eu-west-1")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def key(key_id: str, days: float, *, used: LastUsed | None = None) -> AccessKey:
    return AccessKey(key_id, ALICE, KeyStatus.ACTIVE, START - timedelta(days=days), used)


def read(iam: FakeIam, users: list[User], **more: bool) -> list[UserKeys]:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    return list(read_live(iam, users, pace, lambda: START, **more))  # type: ignore[arg-type]


# The report.


def test_a_fresh_report_is_read_once() -> None:
    iam = FakeIam()
    iam.report = (iam.report_csv(), START - timedelta(hours=1))

    assert len(list(reports(iam, lambda: START, lambda _: None))) == 1
    assert iam.calls == ["iam:GetCredentialReport"]


def test_a_stale_report_comes_first_and_then_a_new_one() -> None:
    iam = FakeIam()
    iam.report = (iam.report_csv(), START - timedelta(hours=5))
    iam.report_polls = 0

    found = list(reports(iam, lambda: START, lambda _: None))

    assert [one.made_at for one in found] == [START - timedelta(hours=5), START]


def test_a_missing_report_is_waited_for() -> None:
    iam, waits = FakeIam(), list[float]()
    iam.report_polls = 3

    assert len(list(reports(iam, lambda: START, waits.append))) == 1
    assert len(waits) == 3


def test_a_stale_report_is_better_than_none_where_no_new_one_may_be_made() -> None:
    iam = FakeIam()
    iam.report = (iam.report_csv(), START - timedelta(days=2))
    iam.deny = {"iam:GenerateCredentialReport"}

    assert len(list(reports(iam, lambda: START, lambda _: None))) == 1


def test_a_denied_report_is_an_error() -> None:
    iam = FakeIam()
    iam.deny = {"iam:GetCredentialReport"}

    with pytest.raises(AccessDeniedError):
        list(reports(iam, lambda: START, lambda _: None))


# Which key is which.


def test_keys_are_told_apart_by_when_they_were_made() -> None:
    listed = [key("AKIA1", 100), key("AKIA2", 10)]
    reported = [key("", 10, used=USED), key("", 100, used=LastUsed())]

    assert [one.last_used for one in joined(listed, reported)] == [LastUsed(), USED]


def test_the_last_one_left_is_the_one_that_was_changed() -> None:
    listed = [key("AKIA1", 100), key("AKIA2", 10)]
    reported = [key("", 50, used=USED), key("", 10, used=LastUsed())]

    assert [one.last_used for one in joined(listed, reported)] == [USED, LastUsed()]


def test_keys_of_the_same_second_are_not_guessed() -> None:
    listed = [key("AKIA1", 10), key("AKIA2", 10)]
    reported = [key("", 10, used=USED), key("", 10, used=LastUsed())]

    assert [one.last_used for one in joined(listed, reported)] == [None, None]


def test_a_key_made_after_the_report_is_none_of_its() -> None:
    (found,) = joined([key("AKIA2", 1)], [key("", 10, used=USED)])
    assert found.last_used is None


# Reading users.


def test_the_last_use_is_the_reports_where_that_is_certain() -> None:
    iam = FakeIam()
    alice = iam.add_user("alice")
    made = iam.add_key(alice, last_used=USED)
    clock = Clock()
    reported = (replace(made, id="", last_used=USED),)

    (one,) = read_live(iam, [alice], Pace(clock, clock.sleep), lambda: START, lambda _: reported)

    assert [(k.id, k.last_used) for k in one.keys] == [(made.id, USED)]
    assert not [call for call in iam.calls if "LastUsed" in call]


def test_a_user_who_is_gone() -> None:
    (one,) = read(FakeIam(), [User("nobody")])
    assert (one.gone, one.keys, one.error) == (True, (), None)


def test_what_may_not_be_read_is_said_beside_what_may() -> None:
    iam = FakeIam()
    alice = iam.add_user("alice")
    iam.add_key(alice)
    iam.deny = {"iam:GetAccessKeyLastUsed", "iam:ListMFADevices"}

    (one,) = read(iam, [alice], mfa=True)

    assert (len(one.keys), one.keys[0].last_used, one.mfa, one.error) == (1, None, None, None)
    assert isinstance(one.notes[0], AccessDeniedError)


def test_roots_keys_are_not_taken_from_the_caller() -> None:
    assert read(FakeIam(), [ROOT_USER]) == []
    (one,) = read(FakeIam(root=True), [ROOT_USER])
    assert one.keys


def test_a_throttled_call_is_made_again() -> None:
    class Busy(FakeIam):
        refusals = 3

        def keys(self, user: User) -> tuple[AccessKey, ...]:
            if self.refusals:
                self.refusals -= 1
                raise ThrottledError("Slow down.")
            return super().keys(user)

    iam = Busy()
    alice = iam.add_user("alice")
    iam.add_key(alice)

    (one,) = read(iam, [alice])

    assert (len(one.keys), one.error) == (1, None)


# The pace.


def test_a_burst_passes_and_then_so_many_a_second() -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    for _ in range(BURST):
        pace.ask(lambda: None)
    assert clock.now == 0
    for _ in range(100):
        pace.ask(lambda: None)
    assert clock.now == pytest.approx(100 / RATE, rel=0.02)


def test_it_slows_down_when_told_and_finds_its_way_back() -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    refusals = [True] * 6

    def call() -> None:
        if refusals:
            refusals.pop()
            clock.sleep(1.1)
            raise ThrottledError("Slow down.")

    pace.ask(call)
    slow = pace.rate
    assert slow < RATE * 0.8
    for _ in range(2000):
        pace.ask(lambda: None)
    assert slow < pace.rate <= RATE


def test_whoever_left_is_not_waited_for() -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    with pytest.raises(ThrottledError):
        pace.ask(lambda: None, stopped=lambda: True)


def test_turns_that_nobody_waits_for_any_more_cost_no_time() -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    for _ in range(BURST):
        pace.ask(lambda: None)
    for _ in range(100):
        with pytest.raises(ThrottledError):
            pace.ask(lambda: None, lambda: True)

    before = clock.now
    pace.ask(lambda: None)
    assert clock.now - before < 2 / RATE


def test_no_call_passes_while_something_more_urgent_is_done() -> None:
    pace, passed = Pace(), Event()
    with pace.held():
        waiting = Thread(target=lambda: pace.ask(passed.set))
        waiting.start()
        with pytest.raises(ThrottledError):
            pace.ask(passed.set, stopped=lambda: True)
        assert not passed.is_set()
    waiting.join(10)
    assert passed.is_set()


def test_no_call_passes_until_all_that_is_more_urgent_is_done() -> None:
    pace, passed = Pace(), Event()
    waiting = Thread(target=lambda: pace.ask(passed.set))
    with pace.held():
        with pace.held():
            pass
        waiting.start()
        assert not passed.wait(0.1)
    waiting.join(10)
    assert passed.is_set()
