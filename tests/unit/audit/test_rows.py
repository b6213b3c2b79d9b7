"""An account's keys as far as they are known: judged, joined, worst first."""

import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from keytui.audit.rows import Audit, AuditRow, worst_first
from keytui.core.credential_report import CredentialReport, ReportedUser
from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, LastUsed, User
from keytui.core.rules import Finding, Rule, Thresholds

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
USED = LastUsed(NOW - timedelta(days=1), "s3", "eu-west-1")
ALICE, BOB = User("alice"), User("bob")


def days(number: float) -> timedelta:
    return timedelta(days=number)


def a_key(
    user: User = ALICE,
    key_id: str = "",
    *,
    age: float = 10,
    status: KeyStatus = KeyStatus.ACTIVE,
    last_used: LastUsed | None = USED,
) -> AccessKey:
    return AccessKey(key_id, user, status, NOW - days(age), last_used)


def a_report(
    *users: tuple[User, Iterable[AccessKey]], made_at: datetime = NOW, mfa: bool | None = True
) -> CredentialReport:
    return CredentialReport(made_at, tuple(ReportedUser(u, mfa, tuple(k)) for u, k in users))


@pytest.fixture
def audit() -> Audit:
    return Audit(Thresholds(), lambda: NOW)


def rules(row: AuditRow) -> list[Rule]:
    return [one.rule for one in row.findings]


def test_nothing_is_known_at_first(audit: Audit) -> None:
    assert list(audit.rows) == []
    assert audit.report_made_at is None
    assert not audit.knows("alice")
    assert not audit.is_live("alice")
    assert audit.of_user("alice") == ()
    assert audit.reported("alice") == ()


def test_report_is_taken_in(audit: Audit) -> None:
    keys = (a_key(age=91), a_key(status=KeyStatus.INACTIVE))
    audit.take_report(a_report((ALICE, keys), (BOB, ())))

    assert audit.of_user("alice") == tuple(audit.rows)
    assert [(row.key, row.slot, row.live, row.mfa) for row in audit.rows] == [
        (keys[0], 0, False, True),
        (keys[1], 1, False, True),
    ]
    assert rules(audit.rows[0]) == [Rule.OLD]
    assert audit.knows("bob")
    assert audit.of_user("bob") == ()
    assert audit.report_made_at == NOW
    assert audit.reported("alice") == keys


def test_two_keys_without_ids_are_not_taken_for_one(audit: Audit) -> None:
    one, other = a_key(), a_key()
    audit.take_report(a_report((ALICE, (one, other))))
    assert [rules(row) for row in audit.rows] == [[Rule.TWO_ACTIVE]] * 2


def test_one_key_without_an_id_is_not_two(audit: Audit) -> None:
    audit.take_report(a_report((ALICE, [a_key()]), (BOB, [a_key(BOB)])))
    assert [rules(row) for row in audit.rows] == [[], []]


def test_equal_findings_are_one_object(audit: Audit) -> None:
    audit.take_report(a_report((ALICE, [a_key(age=91)]), (BOB, [a_key(BOB, age=95)])))
    assert audit.rows[0].findings is audit.rows[1].findings


def test_thresholds_are_those_given() -> None:
    audit = Audit(Thresholds(old_days=9, unused_days=200), lambda: NOW)
    audit.take_report(a_report((ALICE, [a_key(last_used=LastUsed(NOW - days(199), "s3"))])))
    assert rules(audit.rows[0]) == [Rule.OLD]


def test_worst_comes_first(audit: Audit) -> None:
    """By gravest rule, by their number, by age, by name; then worth knowing; then nothing."""
    users = [User(name) for name in ("old", "older", "Old2", "both", "pair", "new", "fine")]
    old, older, old2, both, pair, new, fine = users
    audit.take_report(
        a_report(
            (fine, [a_key(fine)]),
            (new, [a_key(new, last_used=LastUsed(), age=1)]),
            (pair, [a_key(pair), a_key(pair)]),
            (old2, [a_key(old2, age=100)]),
            (old, [a_key(old, age=100)]),
            (older, [a_key(older, age=101)]),
            (both, [a_key(both, age=95, last_used=LastUsed())]),
            (ROOT_USER, [a_key(ROOT_USER)]),
        )
    )
    assert [(row.key.user.name, row.slot) for row in audit.rows] == [
        ("<root account>", 0),
        ("both", 0),
        ("older", 0),
        ("old", 0),
        ("Old2", 0),
        ("pair", 0),
        ("pair", 1),
        ("new", 0),
        ("fine", 0),
    ]
    assert [row.fails for row in audit.rows] == [True] * 7 + [False] * 2


def test_keys_read_live_take_the_place_of_the_report(audit: Audit) -> None:
    audit.take_report(a_report((ALICE, [a_key(age=91), a_key(age=5)]), (BOB, [a_key(BOB)])))
    before, version = audit.rows, audit.version

    audit.take_keys(ALICE, [a_key(key_id="AKIA1", age=91)], NOW)

    assert [(row.key.id, row.live) for row in audit.rows] == [("AKIA1", True), ("", False)]
    assert rules(audit.rows[0]) == [Rule.OLD]
    assert audit.rows[0].mfa is True, "nobody asked for MFA anew"
    assert audit.is_live("alice")
    assert not audit.is_live("bob")
    assert len(audit.reported("alice")) == 2, "the report's keys are still told"
    assert audit.version > version
    assert len(before) == 3, "what was given out does not change"


def test_mfa_read_live_is_taken(audit: Audit) -> None:
    audit.take_report(a_report((ALICE, [a_key()])))
    audit.take_keys(ALICE, [a_key(key_id="AKIA1")], NOW, mfa=False)
    assert audit.rows[0].mfa is False


def test_user_with_three_keys(audit: Audit) -> None:
    audit.take_keys(ALICE, [a_key(key_id=f"AKIA{n}") for n in range(3)], NOW)
    assert [row.slot for row in audit.of_user("alice")] == [0, 1, 2]


def test_user_who_is_gone_leaves(audit: Audit) -> None:
    audit.take_report(a_report((ALICE, [a_key()]), (BOB, [a_key(BOB)])))
    audit.take_gone(ALICE)
    assert [row.key.user for row in audit.rows] == [BOB]
    assert not audit.knows("alice")
    audit.take_gone(ALICE)


def test_report_older_than_what_was_read_changes_nothing_of_it(audit: Audit) -> None:
    live = a_key(key_id="AKIA1", status=KeyStatus.INACTIVE)
    audit.take_keys(ALICE, [live], NOW, mfa=False)
    audit.take_keys(BOB, [a_key(BOB, "AKIA2")], NOW)

    audit.take_report(a_report((ALICE, [a_key(age=300)]), made_at=NOW - days(1)))

    assert audit.of_user("alice")[0].key == live
    assert audit.of_user("alice")[0].mfa is False
    assert audit.knows("bob"), "made since"


def test_change_survives_reads_and_reports_from_before_it(audit: Audit) -> None:
    listed = a_key(key_id="AKIA1")
    audit.take_keys(ALICE, [listed], NOW - days(0.3))

    audit.take_change(listed, KeyStatus.INACTIVE)
    audit.take_keys(ALICE, [listed], NOW - days(0.1))
    audit.take_report(a_report((ALICE, [a_key()]), made_at=NOW - days(0.2)))

    (row,) = audit.rows
    assert (row.key.id, row.key.status) == ("AKIA1", KeyStatus.INACTIVE)


def test_newer_report_takes_the_place_of_what_was_read(audit: Audit) -> None:
    audit.take_keys(ALICE, [a_key(key_id="AKIA1")], NOW - days(1), mfa=False)
    audit.take_keys(BOB, [a_key(BOB, "AKIA2")], NOW - days(1))

    audit.take_report(a_report((ALICE, [a_key(status=KeyStatus.INACTIVE)]), made_at=NOW))

    (row,) = audit.rows
    assert (row.key.status, row.live, row.mfa) == (KeyStatus.INACTIVE, False, True)
    assert not audit.is_live("alice")
    assert not audit.knows("bob"), "gone since"


def test_order_holds_whatever_is_taken_in(audit: Audit) -> None:
    chance = random.Random(6)
    users = [User(f"u{number}") for number in range(40)]

    def keys(user: User, ids: str) -> list[AccessKey]:
        return [
            a_key(
                user,
                f"{ids}{user.name}{slot}" if ids else "",
                age=chance.randint(0, 200),
                status=chance.choice([KeyStatus.ACTIVE, KeyStatus.INACTIVE]),
                last_used=chance.choice([None, LastUsed(), USED]),
            )
            for slot in range(chance.randint(0, 3))
        ]

    audit.take_report(a_report(*((user, keys(user, "")) for user in users)))
    for step in range(300):
        user = chance.choice(users)
        if chance.random() < 0.2:
            audit.take_gone(user)
        else:
            audit.take_keys(user, keys(user, f"AKIA{step}"), NOW)
        rows = audit.rows
        assert all(worst_first(one) < worst_first(next_) for one, next_ in pairwise(rows))
        assert set(rows) == {row for user in users for row in audit.of_user(user.name)}


def test_finding_and_row_say_whether_they_fail() -> None:
    row = AuditRow(a_key(), (Finding(Rule.NEVER_USED, fails=False),), None, 0, live=False)
    assert not row.fails
    assert replace(row, findings=(Finding(Rule.OLD),)).fails


def test_ids_stay_where_a_newer_report_has_the_same_keys(audit: Audit) -> None:
    live = (a_key(key_id="AKIA1", age=20), a_key(key_id="AKIA2", age=10))
    audit.take_keys(ALICE, live, NOW - days(0.1))
    used = LastUsed(NOW, "sts", "us-east-1")

    audit.take_report(a_report((ALICE, [a_key(age=10, last_used=used), a_key(age=20)])))

    assert [(row.key.id, row.live) for row in audit.of_user("alice")] == [
        ("AKIA1", True),
        ("AKIA2", True),
    ]
    assert audit.of_user("alice")[1].key.last_used == used, "the report's is newer"


def test_ids_stay_where_a_key_was_changed_before_it_was_read(audit: Audit) -> None:
    audit.take_keys(ALICE, [a_key(key_id="AKIA1", age=300)], NOW - days(1))
    audit.take_report(a_report((ALICE, [a_key(age=2)])))
    assert audit.of_user("alice")[0].key.id == "AKIA1"
    assert rules(audit.of_user("alice")[0]) == [Rule.OLD], "made, not changed, 300 days ago"


@pytest.mark.parametrize(
    "reported",
    [
        (a_key(age=20), a_key(age=10, status=KeyStatus.INACTIVE)),
        (a_key(age=20), a_key(age=0.05)),
        (a_key(age=20),),
        (),
        (a_key(age=20), a_key(age=10, last_used=None)),
    ],
)
def test_ids_leave_where_a_newer_report_has_other_keys(
    audit: Audit, reported: tuple[AccessKey, ...]
) -> None:
    """One was replaced since; of the last it is not certain which key it is."""
    live = (a_key(key_id="AKIA1", age=20), a_key(key_id="AKIA2", age=10))
    audit.take_keys(ALICE, live, NOW - days(0.1))

    audit.take_report(a_report((ALICE, reported)))

    assert tuple(row.key for row in audit.of_user("alice")) == reported
    assert not audit.is_live("alice")


def test_what_arrives_late_changes_nothing(audit: Audit) -> None:
    audit.take_report(a_report((ALICE, [a_key(age=91)]), (BOB, [])))
    audit.take_keys(ALICE, [a_key(key_id="AKIA1", status=KeyStatus.INACTIVE)], NOW)
    version = audit.version

    audit.take_keys(ALICE, [a_key(key_id="AKIA1")], NOW - days(0.1))
    audit.take_report(a_report((BOB, [a_key(BOB)]), made_at=NOW - days(0.1)))

    assert [(row.key.id, row.key.status) for row in audit.rows] == [("AKIA1", KeyStatus.INACTIVE)]
    assert audit.knows("alice")
    assert audit.report_made_at == NOW
    assert audit.version == version


def test_what_arrives_while_a_report_is_prepared_is_not_lost(audit: Audit) -> None:
    carol, dave = User("carol"), User("dave")
    keys = {user: [a_key(user, age=120)] for user in (ALICE, BOB, carol)}
    audit.take_report(a_report(*keys.items(), made_at=NOW - days(2)))
    ready = audit.prepared(a_report(*keys.items(), made_at=NOW - days(1)))
    audit.take_keys(ALICE, [a_key(ALICE, "A", age=120, status=KeyStatus.INACTIVE)], NOW)
    audit.take_gone(BOB)
    audit.take_keys(dave, [a_key(dave, "D", age=400)], NOW)
    audit.take_prepared(ready)
    assert audit.report_made_at == NOW - days(1)
    assert [row.key.id for row in audit.of_user("alice")] == ["A"]
    assert audit.is_live("alice")
    assert not audit.knows("bob")
    assert [row.key.user.name for row in audit.rows] == ["dave", "carol", "alice"]
    assert list(audit.rows) == sorted(audit.rows, key=worst_first)
