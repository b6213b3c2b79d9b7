"""Waiting for IAM: as long as needed, no longer than allowed, and never for a refusal."""

import pytest

from keytui.core.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    NotFoundError,
    ThrottledError,
    UnreachableError,
)
from keytui.core.model import User
from keytui.core.waiting import POLL_SECONDS, Keys, Wait
from tests.support.fake_iam import FakeIam


class Clock:
    """A clock that only sleeping moves, and AWS's answers where they take their time."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds

    @property
    def wait(self) -> Wait:
        return Wait(self.sleep, lambda: self.seconds)


class Account(FakeIam):
    """An account with alice, whose listings may take some seconds."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.alice = self.add_user("alice")
        self.seconds = 0.0
        self._clock = clock

    def keys(self, user: User) -> Keys:
        self._clock.seconds += self.seconds
        return super().keys(user)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def iam(clock: Clock) -> Account:
    return Account(clock)


def never(_: Keys) -> bool:
    return False


def test_what_is_listed_at_once_is_not_waited_for(iam: Account, clock: Clock) -> None:
    assert clock.wait.until(iam, iam.alice, lambda keys: keys == (), 8)
    assert clock.slept == []


def test_what_is_listed_later_is_waited_for(iam: Account, clock: Clock) -> None:
    key = iam.add_key(iam.alice)
    iam.lag = 3
    iam.delete_key(key)

    assert clock.wait.until(iam, iam.alice, lambda keys: keys == (), 8)
    assert clock.slept == [POLL_SECONDS] * 3


@pytest.mark.parametrize("seconds", [0, 0.5, 8, 15])
def test_it_is_given_up_in_time(iam: Account, clock: Clock, seconds: float) -> None:
    assert not clock.wait.until(iam, iam.alice, never, seconds)
    assert sum(clock.slept) <= seconds
    assert iam.calls


def test_slow_listings_do_not_lengthen_it(iam: Account, clock: Clock) -> None:
    iam.seconds = 5.0

    assert not clock.wait.until(iam, iam.alice, never, 8)
    assert clock.seconds <= 8 + iam.seconds


def test_clock_that_stands_still_does_not_make_it_endless(iam: Account, clock: Clock) -> None:
    wait = Wait(clock.slept.append, lambda: 0.0)

    assert not wait.until(iam, iam.alice, never, 8)
    assert len(clock.slept) <= 8 / POLL_SECONDS + 1


@pytest.mark.parametrize("error", [ThrottledError("Slow."), UnreachableError("Dark.")])
def test_passing_fault_is_sat_out(iam: Account, clock: Clock, error: AwsError) -> None:
    iam.errors["iam:ListAccessKeys"] = error

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        if len(clock.slept) == 2:
            iam.errors.clear()

    wait = Wait(sleep, lambda: clock.seconds)

    assert wait.until(iam, iam.alice, lambda _: True, 8)
    assert len(clock.slept) == 2


@pytest.mark.parametrize(
    "error", [AccessDeniedError("iam:ListAccessKeys", "Denied."), CredentialsError("Expired.")]
)
def test_refusal_is_not_waited_out(iam: Account, clock: Clock, error: AwsError) -> None:
    iam.errors["iam:ListAccessKeys"] = error

    assert not clock.wait.until(iam, iam.alice, lambda _: True, 8)
    assert clock.slept == []


def test_user_who_is_gone_is_said(iam: Account, clock: Clock) -> None:
    iam.remove_user("alice")

    with pytest.raises(NotFoundError):
        clock.wait.until(iam, iam.alice, lambda _: True, 8)


def test_who_waits_no_longer_is_let_go(iam: Account, clock: Clock) -> None:
    assert not clock.wait.until(iam, iam.alice, never, 8, left=lambda: len(iam.calls) == 2)
    assert clock.slept == [POLL_SECONDS]


def test_what_is_reached_counts_though_nobody_waits(iam: Account, clock: Clock) -> None:
    assert clock.wait.until(iam, iam.alice, lambda _: True, 8, left=lambda: True)
