"""The creations that the record tells of, each put together from its lines."""

from datetime import UTC, datetime

import pytest

from keytui.core.model import ROOT_USER, User
from keytui.journal.creations import attempts
from keytui.journal.log import CLOSING, Entry, Event

AT = "2026-01-15T09:00:00+00:00"
ASKED = "2026-01-15T09:00:07+00:00"
WHEN = datetime(2026, 1, 15, 9, tzinfo=UTC)


def line(event: Event, attempt: str = "a1", **more: str) -> Entry:
    told = {"at": AT, "account": "123456789012", "user": "alice", "caller": "arn:admin", **more}
    return Entry(event=event, attempt=attempt, **told)


BEGUN = line(Event.CREATING, store="keyring", asked=ASKED, detail="AKIA1 AKIA2")


def test_one_that_has_begun() -> None:
    (attempt,) = attempts([BEGUN])

    assert (attempt.id, attempt.account, attempt.user) == ("a1", "123456789012", "alice")
    assert (attempt.at, attempt.asked) == (WHEN, datetime(2026, 1, 15, 9, 0, 7, tzinfo=UTC))
    assert attempt.before == {"AKIA1", "AKIA2"}
    assert (attempt.key_id, attempt.made, attempt.lost, attempt.shown) == ("", False, None, False)
    assert attempt.stores == ("keyring",)
    assert attempt.open
    assert attempt.owner == User("alice")


def test_one_of_the_root_users() -> None:
    (attempt,) = attempts([line(Event.CREATING, user=ROOT_USER.name)])

    assert attempt.owner is ROOT_USER


def test_what_later_lines_add() -> None:
    (attempt,) = attempts(
        [
            BEGUN,
            line(Event.CREATED, key_id="AKIA3"),
            line(Event.STORING, key_id="AKIA3", store="keyring"),
            line(Event.STORING, key_id="AKIA3", store="csv:/a.csv"),
            line(Event.SHOWN, key_id="AKIA3"),
        ]
    )

    assert attempt.before == {"AKIA1", "AKIA2"}
    assert (attempt.key_id, attempt.made, attempt.shown) == ("AKIA3", True, True)
    assert attempt.stores == ("keyring", "csv:/a.csv")
    assert attempt.last is Event.SHOWN
    assert attempt.open


@pytest.mark.parametrize(("asked", "lost"), [(ASKED, 7), ("", 0)])
def test_when_the_reply_was_lost(asked: str, lost: int) -> None:
    (attempt,) = attempts([BEGUN, line(Event.REPLY_LOST, asked=asked)])

    assert attempt.lost == datetime(2026, 1, 15, 9, 0, lost, tzinfo=UTC)
    assert not attempt.made


@pytest.mark.parametrize("event", [e for e in Event if e is not Event.CREATING])
def test_which_events_end_it(event: Event) -> None:
    (attempt,) = attempts([BEGUN, line(event)])

    assert attempt.open is (event not in CLOSING)


def test_what_is_ended_stays_ended() -> None:
    (attempt,) = attempts([BEGUN, line(Event.STORED), line(Event.SHOWN)])

    assert not attempt.open


def test_several_at_once_are_told_apart_oldest_first() -> None:
    one, two = attempts(
        [
            line(Event.CREATING, "a1"),
            line(Event.CREATING, "a2"),
            line(Event.CREATED, "a2", key_id="AKIA2"),
            line(Event.CREATED, "a1", key_id="AKIA1"),
            line(Event.STORED, "a2", key_id="AKIA2"),
        ]
    )

    assert (one.id, one.key_id, one.open) == ("a1", "AKIA1", True)
    assert (two.id, two.key_id, two.open) == ("a2", "AKIA2", False)


def test_what_is_no_creation_is_none() -> None:
    assert attempts([line(Event.STATUS, ""), line(Event.DELETED, "", key_id="AKIA1")]) == []


def test_one_whose_first_line_is_damaged_is_still_one() -> None:
    (attempt,) = attempts([line(Event.CREATED, key_id="AKIA3")])

    assert (attempt.key_id, attempt.made, attempt.open) == ("AKIA3", True, True)
    assert attempt.before == frozenset()


def test_times_that_can_not_be_read() -> None:
    (attempt,) = attempts([line(Event.CREATING, at="yesterday", asked="soon")])

    assert attempt.asked is None
    assert attempt.at.tzinfo is not None
