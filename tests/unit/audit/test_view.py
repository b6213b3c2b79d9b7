"""Which rows of an audit are shown, how they are sorted, and the totals."""

from datetime import UTC, datetime, timedelta

import pytest

from keytui.audit.rows import Audit, AuditRow
from keytui.audit.view import WORDS, Column, Order, shown, totals
from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, LastUsed, User
from keytui.core.rules import Rule, Thresholds

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
WORST = Order()


def used(days: float, service: str = "s3") -> LastUsed:
    return LastUsed(NOW - timedelta(days=days), service, "eu-west-1")


KEYS = (
    AccessKey("", ROOT_USER, KeyStatus.ACTIVE, NOW - timedelta(days=5), used(1)),
    AccessKey("AKIAOLD", User("Ann"), KeyStatus.ACTIVE, NOW - timedelta(days=100), used(2)),
    AccessKey("AKIAIDLE", User("bob-ci"), KeyStatus.ACTIVE, NOW - timedelta(days=80), used(50)),
    AccessKey("AKIANEVER", User("cy"), KeyStatus.ACTIVE, NOW - timedelta(days=60), LastUsed()),
    AccessKey("AKIANEW", User("dee"), KeyStatus.ACTIVE, NOW - timedelta(days=1), LastUsed()),
    AccessKey("AKIAOFF", User("eve"), KeyStatus.INACTIVE, NOW - timedelta(days=900), used(800)),
    AccessKey("AKIADARK", User("fay"), KeyStatus.ACTIVE, None, None),
)
MFA = {"Ann": True, "bob-ci": False}


@pytest.fixture
def rows() -> tuple[AuditRow, ...]:
    audit = Audit(Thresholds(), lambda: NOW)
    for key in KEYS:
        audit.take_keys(key.user, [key], NOW, mfa=MFA.get(key.user.name))
    return tuple(audit.rows)


def names(rows: list[AuditRow]) -> list[str]:
    return [row.key.user.name for row in rows]


ALL = ["<root account>", "Ann", "bob-ci", "cy", "dee", "eve", "fay"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ALL),
        ("  ", ALL),
        ("nn", ["Ann"]),
        ("ANN", ["Ann"]),
        ("akiaIDLE", ["bob-ci"]),
        ("s3", ["<root account>", "Ann", "bob-ci", "eve"]),
        ("b ci", ["bob-ci"]),
        ("b ann", []),
        ("root", ["<root account>"]),
        ("old", ["Ann"]),
        ("OLD", ["Ann"]),
        ("unused", ["bob-ci"]),
        ("never-used", ["cy"]),
        ("inactive", ["eve"]),
        ("old unused", ["Ann", "bob-ci"]),
        ("inactive old", ["Ann", "eve"]),
        ("old unused ci", ["bob-ci"]),
        ("two-active", []),
        ("ol", ["Ann"]),  # Only the whole word stands for the finding; this is in an ID.
    ],
)
def test_filter(rows: tuple[AuditRow, ...], text: str, found: list[str]) -> None:
    assert names(shown(rows, text, WORST)) == found


def test_every_rule_can_be_filtered_by() -> None:
    assert {WORDS[rule.option] for rule in Rule} == set(Rule)


@pytest.mark.parametrize(
    ("column", "forth", "back"),
    [
        (Column.USER, ALL, ALL[::-1]),
        (Column.FINDINGS, ALL, ALL[::-1]),
        (
            Column.KEY,
            ["fay", "bob-ci", "cy", "dee", "eve", "Ann", "<root account>"],
            ["Ann", "eve", "dee", "cy", "bob-ci", "fay", "<root account>"],
        ),
        (
            Column.STATUS,
            ["<root account>", "Ann", "bob-ci", "cy", "dee", "fay", "eve"],
            ["eve", "<root account>", "Ann", "bob-ci", "cy", "dee", "fay"],
        ),
        (
            Column.AGE,
            ["eve", "Ann", "bob-ci", "cy", "<root account>", "dee", "fay"],
            ["dee", "<root account>", "cy", "bob-ci", "Ann", "eve", "fay"],
        ),
        (
            Column.LAST_USED,
            ["cy", "dee", "eve", "bob-ci", "Ann", "<root account>", "fay"],
            ["<root account>", "Ann", "bob-ci", "eve", "cy", "dee", "fay"],
        ),
        (
            Column.MFA,
            ["bob-ci", "Ann", "<root account>", "cy", "dee", "eve", "fay"],
            ["Ann", "bob-ci", "<root account>", "cy", "dee", "eve", "fay"],
        ),
    ],
)
def test_order(
    rows: tuple[AuditRow, ...], column: Column, forth: list[str], back: list[str]
) -> None:
    assert names(shown(rows, "", Order(column))) == forth
    assert names(shown(rows, "", Order(column, reverse=True))) == back
    assert names(shown(rows, "akia", Order(column))) == [n for n in forth if n[0] != "<"]


def test_other_rows_are_not_taken_for_those_shown_before(rows: tuple[AuditRow, ...]) -> None:
    assert names(shown(rows, "nn", WORST)) == ["Ann"]
    assert names(shown(rows[2:], "a", WORST)) == ["bob-ci", "cy", "dee", "eve", "fay"]


def test_what_is_shown_may_be_changed(rows: tuple[AuditRow, ...]) -> None:
    order = Order(Column.USER)
    shown(rows, "", order).clear()
    assert names(shown(rows, "", order)) == ALL


def test_each_column_has_a_letter_of_its_own() -> None:
    assert len({column.letter for column in Column}) == len(Column)


def test_totals(rows: tuple[AuditRow, ...]) -> None:
    """Inactive keys are asked nothing; nor is what is not known."""
    assert [(total.rule, total.judged, total.failing) for total in totals(rows)] == [
        (Rule.ROOT_KEY, 6, 1),
        (Rule.OLD, 5, 1),
        (Rule.UNUSED, 3, 1),
        (Rule.NEVER_USED, 5, 1),
        (Rule.TWO_ACTIVE, 6, 0),
    ]


def test_totals_of_nothing() -> None:
    assert [(total.judged, total.failing) for total in totals([])] == [(0, 0)] * len(Rule)
