"""Keys read live, user by user: what is asked, what is missing, and when it stops."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from keytui.audit.live import REFUSALS, SILENCES, Patience, all_users, read_live
from keytui.audit.pace import AT_ONCE, Pace
from keytui.audit.rows import UserKeys
from keytui.core.errors import (
    AccessDeniedError,
    CredentialsError,
    KeytuiError,
    ThrottledError,
    UnreachableError,
)
from keytui.core.model import ROOT_USER, AccessKey, LastUsed, User
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


class Refusing(FakeIam):
    """Has many users, ``user000`` and on, and refuses to list the keys of some.

    Attributes:
        refusal: Why a user's keys can't be listed; None where they can.
        asked: Whose keys were asked for.
    """

    def __init__(self, refusal: Callable[[User], KeytuiError | None], users: int = 100) -> None:
        super().__init__()
        self.refusal = refusal
        self.asked: set[str] = set()
        self.many = [self.add_user(f"user{number:03d}") for number in range(users)]

    def keys(self, user: User) -> tuple[AccessKey, ...]:
        self.asked.add(user.name)
        if error := self.refusal(user):
            raise error
        return super().keys(user)


def at(number: int, error: KeytuiError) -> Callable[[User], KeytuiError | None]:
    """Refuse the users from a number on."""
    return lambda user: error if int(user.name[4:]) >= number else None


def read(iam: FakeIam, users: list[User], **more: bool) -> list[UserKeys]:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    return list(read_live(iam, users, pace, lambda: START, **more))  # type: ignore[arg-type]


def test_last_use_is_the_reports_where_that_is_certain() -> None:
    iam = FakeIam()
    alice = iam.add_user("alice")
    made = iam.add_key(alice, last_used=USED)
    clock = Clock()
    reported = (replace(made, id="", last_used=USED),)

    (one,) = read_live(iam, [alice], Pace(clock, clock.sleep), lambda: START, lambda _: reported)

    assert [(k.id, k.last_used) for k in one.keys] == [(made.id, USED)]
    assert not [call for call in iam.calls if "LastUsed" in call]


def test_user_who_is_gone() -> None:
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


def test_throttled_call_is_made_again() -> None:
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


def test_users_come_by_name_and_root_only_where_it_is_the_caller() -> None:
    iam = FakeIam(caller="bob")
    iam.add_user("Carol")
    iam.add_user("alice")
    assert [user.name for user in all_users(iam)] == ["alice", "bob", "Carol"]
    assert all_users(FakeIam(root=True))[0] == ROOT_USER


def test_descriptions_come_with_the_keys() -> None:
    iam = FakeIam()
    iam.add_key(iam.add_user("alice"), description="laptop")
    (one,) = read(iam, [ALICE], descriptions=True)
    assert one.keys[0].description == "laptop"


def test_every_reason_for_what_is_missing_is_noted() -> None:
    iam = FakeIam()
    iam.add_key(iam.add_user("alice"))
    iam.deny = {"iam:GetAccessKeyLastUsed", "iam:ListUserTags"}
    (one,) = read(iam, [ALICE], descriptions=True)
    assert len(one.notes) == 2


def test_refusals_without_an_answer_stop_and_explain_the_rest() -> None:
    denied = AccessDeniedError("iam:ListAccessKeys", "Denied.")
    iam = Refusing(at(0, denied))
    found = read(iam, iam.many)
    assert REFUSALS <= len(iam.asked) < REFUSALS + AT_ONCE
    assert {one.user.name for one in found} == {user.name for user in iam.many}
    assert {one.error for one in found} == {denied}


def test_refusals_after_an_answer_end_nothing() -> None:
    """A policy may allow some users alone."""
    patience = Patience()
    patience.note(None)
    for _ in range(10 * REFUSALS):
        patience.note(AccessDeniedError("iam:ListAccessKeys", "Denied."))
    assert not patience.is_over


def test_expired_credentials_end_it_at_once() -> None:
    iam = Refusing(at(50, CredentialsError("The session has expired.")))
    found = read(iam, iam.many)
    assert len(iam.asked) < 50 + 2 * AT_ONCE
    assert sum(one.error is not None for one in found) == 50


@pytest.mark.parametrize("error", [UnreachableError("No answer."), ThrottledError("Slow down.")])
def test_silences_in_a_row_end_it_even_after_answers(error: KeytuiError) -> None:
    iam = Refusing(at(50, error))
    found = read(iam, iam.many)
    assert len(iam.asked) < 50 + SILENCES + 2 * AT_ONCE
    assert len(found) == len(iam.many)


def test_silences_count_in_a_row_only() -> None:
    patience, silent = Patience(), UnreachableError("No answer.")
    for error in [silent] * (SILENCES - 1) + [None] + [silent] * (SILENCES - 1):
        patience.note(error)
    assert not patience.is_over
    patience.note(silent)
    assert (patience.is_over, patience.error) == (True, silent)


def test_what_may_not_be_read_besides_is_asked_for_no_more() -> None:
    iam = Refusing(lambda _: None)
    for user in iam.many:
        iam.add_key(user)
    iam.deny = {"iam:GetAccessKeyLastUsed"}
    found = read(iam, iam.many)
    assert sum("LastUsed" in call for call in iam.calls) < REFUSALS + AT_ONCE
    assert all(one.notes and not one.error for one in found)


def test_nothing_is_yielded_for_one_who_has_stopped() -> None:
    iam = Refusing(lambda _: None)
    found = read_live(iam, iam.many, Pace(), lambda: START, stopped=lambda: True)
    assert list(found) == []
    assert not iam.asked
