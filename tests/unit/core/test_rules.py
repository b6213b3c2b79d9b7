"""The rules, each at its boundary to the second."""

from datetime import UTC, datetime, timedelta

import pytest

from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, LastUsed, User
from keytui.core.rules import Finding, Rule, Thresholds, could_go, findings

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ALICE = User("alice")
JUST_USED = LastUsed(NOW, "s3", "eu-west-1")


def a_key(
    name: str = "1",
    *,
    age: timedelta | None = timedelta(days=1),
    status: KeyStatus = KeyStatus.ACTIVE,
    last_used: LastUsed | None = JUST_USED,
    user: User = ALICE,
) -> AccessKey:
    created = None if age is None else NOW - age
    return AccessKey(f"AKIA{name:0>16}", user, status, created, last_used)


def used(ago: timedelta) -> LastUsed:
    return LastUsed(NOW - ago, "s3", "eu-west-1")


def judge(key: AccessKey, *siblings: AccessKey) -> tuple[Finding, ...]:
    return findings(key, (key, *siblings), NOW, Thresholds())


def test_young_key_in_use_is_fine() -> None:
    assert judge(a_key()) == ()


@pytest.mark.parametrize(
    ("age", "old"),
    [
        (timedelta(days=90) - SECOND, False),
        (timedelta(days=90), False),
        (timedelta(days=90) + SECOND, True),
        (timedelta(days=4000), True),
    ],
)
def test_active_key_is_old_after_90_days(age: timedelta, old: bool) -> None:
    assert judge(a_key(age=age)) == ((Finding(Rule.OLD),) if old else ())


@pytest.mark.parametrize(
    ("idle", "unused"),
    [
        (timedelta(days=45) - SECOND, False),
        (timedelta(days=45), False),
        (timedelta(days=45) + SECOND, True),
    ],
)
def test_active_key_is_unused_after_45_days(idle: timedelta, unused: bool) -> None:
    key = a_key(age=timedelta(days=80), last_used=used(idle))
    assert judge(key) == ((Finding(Rule.UNUSED),) if unused else ())


@pytest.mark.parametrize(
    ("age", "fails"),
    [
        (timedelta(0), False),
        (timedelta(days=45), False),
        (timedelta(days=45) + SECOND, True),
    ],
)
def test_key_never_used_fails_after_45_days(age: timedelta, fails: bool) -> None:
    assert judge(a_key(age=age, last_used=LastUsed())) == (Finding(Rule.NEVER_USED, fails=fails),)


def test_old_key_never_used_breaks_both_rules() -> None:
    found = judge(a_key(age=timedelta(days=91), last_used=LastUsed()))
    assert found == (Finding(Rule.OLD), Finding(Rule.NEVER_USED))


def test_last_use_that_was_not_read_is_not_judged() -> None:
    assert judge(a_key(age=timedelta(days=80), last_used=None)) == ()
    assert judge(a_key(age=timedelta(days=91), last_used=None)) == (Finding(Rule.OLD),)


def test_creation_date_that_is_not_known_is_not_judged() -> None:
    assert judge(a_key(age=None)) == ()
    assert judge(a_key(age=None, last_used=LastUsed())) == (Finding(Rule.NEVER_USED, fails=False),)


@pytest.mark.parametrize("status", [KeyStatus.INACTIVE, KeyStatus.EXPIRED])
def test_key_that_does_not_authenticate_fails_no_rule(status: KeyStatus) -> None:
    years = timedelta(days=2000)
    active = a_key("2")

    assert judge(a_key(age=years, status=status, last_used=used(years)), active) == ()
    never = judge(a_key(age=years, status=status, last_used=LastUsed()), active)
    assert never == (Finding(Rule.NEVER_USED, fails=False),)
    assert judge(a_key(status=status, user=ROOT_USER)) == ()


def test_deleted_key_is_not_judged() -> None:
    key = a_key(
        age=timedelta(days=2000),
        status=KeyStatus.DELETED,
        last_used=LastUsed(),
        user=ROOT_USER,
    )
    assert judge(key, a_key("2"), a_key("3")) == ()


def test_two_active_keys_are_told_of_both() -> None:
    one, two = a_key("1"), a_key("2")
    assert judge(one, two) == (Finding(Rule.TWO_ACTIVE),)
    assert findings(two, (one, two), NOW, Thresholds()) == (Finding(Rule.TWO_ACTIVE),)


def test_three_active_keys_are_one_finding_each() -> None:
    assert judge(a_key("1"), a_key("2"), a_key("3")) == (Finding(Rule.TWO_ACTIVE),)


@pytest.mark.parametrize("status", [KeyStatus.INACTIVE, KeyStatus.EXPIRED, KeyStatus.DELETED])
def test_one_active_key_beside_another_that_is_not(status: KeyStatus) -> None:
    assert judge(a_key("1"), a_key("2", status=status)) == ()


def test_siblings_may_leave_the_key_itself_out() -> None:
    assert findings(a_key("1"), (a_key("2"),), NOW, Thresholds()) == (Finding(Rule.TWO_ACTIVE),)
    assert findings(a_key("1"), (), NOW, Thresholds()) == ()


def test_active_key_of_the_root_user_comes_first_of_all() -> None:
    key = a_key(age=timedelta(days=91), last_used=used(timedelta(days=46)), user=ROOT_USER)
    assert [found.rule for found in judge(key, a_key("2", user=ROOT_USER))] == [
        Rule.ROOT_KEY,
        Rule.OLD,
        Rule.UNUSED,
        Rule.TWO_ACTIVE,
    ]


def test_clock_that_lags_behind_aws_finds_nothing() -> None:
    ahead = a_key(age=timedelta(minutes=-5), last_used=used(timedelta(minutes=-5)))
    assert judge(ahead) == ()


def test_thresholds_can_be_set() -> None:
    key = a_key(age=timedelta(days=31), last_used=used(timedelta(days=8)))
    found = findings(key, (key,), NOW, Thresholds(old_days=30, unused_days=7))
    assert [f.rule for f in found] == [Rule.OLD, Rule.UNUSED]


def test_every_rule_has_a_word_a_number_and_a_sentence() -> None:
    for rule in Rule:
        assert rule.word
        assert rule.cis.startswith("1.")
        assert rule.text(Thresholds()).endswith(".")


def test_rule_is_told_with_the_days_that_were_set() -> None:
    limits = Thresholds(old_days=1000, unused_days=1)
    assert Rule.OLD.text(limits) == "An active key should be rotated within 1,000 days."
    assert Rule.UNUSED.text(limits) == "A key unused for 1 day should be made inactive."
    assert Rule.NEVER_USED.text(limits) == "A key never used within 1 day should go."


def test_key_that_is_not_active_could_go() -> None:
    off = a_key("2", status=KeyStatus.INACTIVE, last_used=JUST_USED)
    keys = (a_key("1", last_used=LastUsed()), off)
    assert could_go(keys) == f"{off.id} could go: it is inactive already."


def test_key_never_used_could_go() -> None:
    keys = (a_key("1", age=timedelta(days=400)), a_key("2", last_used=LastUsed()))
    assert could_go(keys) == f"{keys[1].id} could go: it was never used."


def test_key_used_longest_ago_could_go() -> None:
    keys = (
        a_key("1", last_used=used(timedelta(days=3))),
        a_key("2", last_used=used(timedelta(days=3) + SECOND)),
    )
    assert could_go(keys) == f"{keys[1].id} could go: it was used longest ago."


def test_oldest_key_could_go_where_last_use_is_not_known() -> None:
    keys = (
        a_key("1", age=timedelta(days=2), last_used=None),
        a_key("2", age=timedelta(days=3), last_used=None),
    )
    assert could_go(keys) == f"{keys[1].id} could go: it is the oldest."


def test_key_in_use_is_not_least_needed_beside_an_unknown_one() -> None:
    unknown = a_key("1", last_used=None, age=timedelta(days=1))
    in_use = a_key("2", last_used=JUST_USED, age=timedelta(days=400))
    assert in_use.id not in could_go((unknown, in_use))


def test_expired_key_could_go() -> None:
    keys = (a_key("1"), a_key("2", status=KeyStatus.EXPIRED))
    assert could_go(keys) == f"{keys[1].id} could go: it is expired already."
