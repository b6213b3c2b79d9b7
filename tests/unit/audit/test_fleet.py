"""All profiles side by side: who answers, who fails and why, and who holds up nobody."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from keytui.audit.fleet import (
    AT_ONCE,
    PROFILE_SECONDS,
    SLOW_SECONDS,
    Member,
    Totals,
    survey,
    totals,
)
from keytui.core.errors import CredentialsError, KeytuiError, MfaDeclinedError, UnreachableError
from keytui.core.iam import Iam
from keytui.core.model import Identity, KeyStatus, LastUsed
from keytui.core.rules import Rule, Thresholds
from tests.support.fake_iam import ACCOUNT, START, FakeIam

LIMITS = Thresholds()
OWN = "AKIAFAKECALLER000001"
SECONDS = 10.0
"""How long a test waits before it gives up."""


class Config:
    """An AWS config.

    Attributes:
        accounts: Profile → its account, or why there is none.
        begun: The profiles that were connected with, in order.
        gate: What the profile ``hangs`` and its like wait for.
        time: What the clock tells.
    """

    def __init__(self, **accounts: FakeIam | BaseException) -> None:
        self.accounts = accounts
        self.begun: list[str] = []
        self.gate = threading.Event()
        self.time = 0.0

    def connect(self, profile: str) -> Iam:
        self.begun.append(profile)
        if profile.startswith("hangs"):
            self.gate.wait(SECONDS)
        found = self.accounts.get(profile, KeytuiError("It hung."))
        if isinstance(found, BaseException):
            raise found
        return found

    def survey(self, *profiles: str, limits: Thresholds = LIMITS) -> Iterator[Member]:
        names = profiles or tuple(self.accounts)
        return survey(names, self.connect, limits, lambda: START, clock=lambda: self.time)

    def member(self, profile: str) -> Member:
        (found,) = self.survey(profile)
        return found


def role() -> FakeIam:
    iam = FakeIam()
    iam._identity = Identity(ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/me")
    return iam


def words(member: Member) -> list[list[str]]:
    return [[one.rule.word for one in own.findings if one.fails] for own in member.keys]


def test_user_has_keys_that_are_judged() -> None:
    iam = FakeIam()
    used = LastUsed(START - timedelta(days=50), "s3", "eu-west-1")
    old = START - timedelta(days=100)
    iam.add_key(iam.caller, "AKIAOLD", created=old, last_used=used)
    iam.add_key(iam.add_user("alice"), "AKIAALICE")

    member = Config(prod=iam).member("prod")

    assert member.identity == iam.identity()
    assert (member.error, member.note) == (None, None)
    assert [(own.key.id, own.signs, own.stale) for own in member.keys] == [
        ("AKIAOLD", False, True),
        (OWN, True, False),
    ]
    assert words(member) == [["old", "unused", "two active"], ["two active"]]
    assert member.keys[0].key.last_used == used


def test_thresholds_are_those_of_the_settings() -> None:
    iam = FakeIam()
    (member,) = Config(prod=iam).survey(limits=Thresholds(old_days=365, unused_days=365))
    assert words(member) == [[]]
    iam.add_key(iam.caller, OWN, created=START - timedelta(days=3))
    (member,) = Config(prod=iam).survey(limits=Thresholds(old_days=2, unused_days=365))
    assert words(member) == [["old"]]


def test_root_user_has_its_own_and_a_role_has_none() -> None:
    ops = role()
    config = Config(root=FakeIam(root=True), role=ops)
    found = {member.profile: member for member in config.survey()}
    assert [own.findings[0].rule for own in found["root"].keys] == [Rule.ROOT_KEY]
    assert found["role"].owner is None
    assert (found["role"].keys, found["role"].error) == ((), None)
    assert not [call for call in ops.calls if call.startswith("iam:")]


def test_one_that_fails_says_why_and_spoils_nothing() -> None:
    denied = FakeIam()
    denied.deny.add("iam:ListAccessKeys")
    expired = CredentialsError("The sign-in session has expired.")
    config = Config(a=expired, b=denied, c=FakeIam(), d=MfaDeclinedError())

    found = {member.profile: member for member in config.survey()}

    assert (found["a"].error, found["a"].identity) == (expired, None)
    assert found["b"].identity == denied.identity()
    assert "iam:ListAccessKeys" in str(found["b"].error)
    assert found["c"].error is None
    assert str(found["d"].error).startswith("It signs in with an MFA code. In keytui, P ")


def test_unreadable_last_use_is_noted_and_age_is_still_judged() -> None:
    iam = FakeIam()
    iam.deny.add("iam:GetAccessKeyLastUsed")
    iam.add_key(iam.caller, OWN, created=START - timedelta(days=100))

    member = Config(prod=iam).member("prod")

    assert member.error is None
    assert "iam:GetAccessKeyLastUsed" in str(member.note)
    assert words(member) == [["old"]]


def test_keys_that_were_listed_stay_where_what_follows_fails() -> None:
    iam = FakeIam()
    iam.errors["iam:GetAccessKeyLastUsed"] = UnreachableError("The line broke.")

    member = Config(prod=iam).member("prod")

    assert str(member.error) == "The line broke."
    assert [own.key.id for own in member.keys] == [OWN]


def test_each_is_told_as_it_answers() -> None:
    config = Config(hangs=FakeIam(), quick=FakeIam())
    members = config.survey("hangs", "quick")
    assert next(members).profile == "quick"
    config.gate.set()
    assert [member.profile for member in members] == ["hangs"]


def test_one_that_hangs_is_given_up_when_its_own_time_is_over() -> None:
    config = Config(quick=FakeIam())
    members = config.survey("hangs", "quick")
    assert next(members).profile == "quick"
    config.time = PROFILE_SECONDS
    (given_up,) = members
    assert given_up.profile == "hangs"
    assert "did not answer within 10 s" in str(given_up.error)


def test_what_one_had_told_when_its_time_was_over_is_kept() -> None:
    iam = FakeIam()
    config = Config(slow=iam, quick=FakeIam())
    asked = threading.Event()

    def hang(key_id: str) -> LastUsed:
        del key_id
        asked.set()
        config.gate.wait(SECONDS)
        return LastUsed()

    iam.last_used = hang  # type: ignore[method-assign]
    members = config.survey()
    assert next(members).profile == "quick"
    assert asked.wait(SECONDS)
    config.time = PROFILE_SECONDS
    (given_up,) = members
    assert given_up.error
    assert [own.key.id for own in given_up.keys] == [OWN]
    assert given_up.identity == iam.identity()


def test_those_that_hang_keep_nobody_else_waiting() -> None:
    config = Config(quick=FakeIam())
    hanging = [f"hangs{number}" for number in range(AT_ONCE)]

    def clock() -> float:
        """Let time pass only after all that hang have begun."""
        return SLOW_SECONDS if len(config.begun) >= AT_ONCE else 0.0

    members = survey([*hanging, "quick"], config.connect, LIMITS, lambda: START, clock=clock)
    assert next(members).profile == "quick"


def test_no_more_than_a_few_begin_at_the_same_time() -> None:
    config = Config()
    hanging = [f"hangs{number}" for number in range(AT_ONCE + 5)]
    looks = iter(range(2))

    def leave() -> bool:
        """Leave after it was looked twice whether another one may begin."""
        return next(looks, None) is None

    assert not list(survey(hanging, config.connect, LIMITS, lambda: START, leave, clock=lambda: 0))
    assert sorted(config.begun) == sorted(hanging[:AT_ONCE])


def test_nothing_begins_for_one_who_has_left() -> None:
    config = Config(a=FakeIam())
    assert not list(survey(["a"], config.connect, LIMITS, lambda: START, lambda: True))
    assert config.begun == []


def test_fault_of_our_own_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        list(Config(a=ZeroDivisionError()).survey())


def test_three_hundred_profiles() -> None:
    accounts = {f"p{number}": FakeIam() for number in range(300)}
    config = Config(**accounts)
    found = [member.profile for member in config.survey()]
    assert sorted(found) == sorted(accounts)


def test_key_that_several_profiles_show_counts_once() -> None:
    iam = FakeIam()
    iam.add_key(iam.caller, "AKIAOLD", created=START - timedelta(days=100))
    iam.add_key(iam.caller, "AKIAOFF", status=KeyStatus.INACTIVE)
    one = Config(prod=iam).member("prod")
    again = replace(one, profile="prod-again")
    failed = Member("broken", error=KeytuiError("No."))
    sums = totals([one, again, failed, Config(role=role()).member("role")])
    assert sums == Totals(answered=3, failed=1, keys=3, stale=1, failing=2)
