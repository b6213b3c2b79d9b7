"""The history: a line for each matter, what is open first, and all of it as JSON lines."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from keytui.journal.history import Matter, history, json_lines, place
from keytui.journal.log import CLOSING, Entry, Event, Journal
from tests.support.gates import WRITABLE

ADMIN = "arn:aws:iam::123456789012:user/admin"


def line(event: Event, minute: int = 0, attempt: str = "", **more: str) -> Entry:
    at = f"2026-01-15T09:{minute:02}:00+00:00"
    told = {"at": at, "account": "123456789012", "user": "alice", "caller": ADMIN, **more}
    return Entry(event=event, attempt=attempt, **told)


def creation(*last: Event, attempt: str = "a1", minute: int = 0, **more: str) -> list[Entry]:
    """Return the lines of a creation, which end with these events."""
    begun = line(Event.CREATING, minute, attempt, detail="AKIAOLD")
    return [begun, *(line(event, minute, attempt, key_id="AKIANEW", **more) for event in last)]


def only(entries: list[Entry]) -> Matter:
    (matter,) = history(entries)
    return matter


def test_no_record_is_no_history() -> None:
    assert history([]) == []
    assert json_lines([]) == ""


@pytest.mark.parametrize(
    ("events", "what"),
    [
        ([], "asked for a key, then cut short"),
        ([Event.NOT_CREATED], "no key was created"),
        ([Event.REPLY_LOST], "asked for a key, the reply was lost"),
        ([Event.REPLY_LOST, Event.ORPHAN], "created, its secret is lost"),
        ([Event.CREATED], "created, its secret not kept"),
        ([Event.CREATED, Event.STORING], "created, its secret not kept"),
        ([Event.CREATED, Event.SHOWN], "created and shown, its secret not kept"),
        ([Event.CREATED, Event.DISCARDED], "created and deleted again"),
        ([Event.CREATED, Event.UNKEPT], "created, its secret in no store"),
        ([Event.CREATED, Event.GONE], "created, then deleted elsewhere"),
    ],
)
def test_creation_is_one_line(events: list[Event], what: str) -> None:
    matter = only(creation(*events))

    assert matter.what == what
    assert matter.open is not bool(CLOSING & set(events))
    assert matter.attempt == "a1"
    assert len(matter.entries) == 1 + len(events)


def test_creation_names_the_stores_that_have_the_secret() -> None:
    kept = creation(Event.CREATED, Event.STORED, store="keyring")
    twice = line(Event.STORED, attempt="a1", key_id="AKIANEW", store="csv:/home/me/a.csv")
    shown = line(Event.SHOWN, attempt="a1", key_id="AKIANEW")

    matter = only([*kept, twice, shown])

    assert matter.what == "created, its secret in the OS keyring and /home/me/a.csv"
    assert (matter.key_id, matter.user, matter.caller) == ("AKIANEW", "alice", ADMIN)
    assert not matter.open


@pytest.mark.parametrize(
    ("event", "detail", "what"),
    [
        (Event.STATUS, "Inactive", "made inactive"),
        (Event.STATUS, "Active", "made active"),
        (Event.UNDONE, "Active", "made active again"),
        (Event.DELETED, "", "deleted"),
    ],
)
def test_change_is_a_line_of_its_own(event: Event, detail: str, what: str) -> None:
    matter = only([line(event, key_id="AKIA1", detail=detail)])

    assert (matter.what, matter.key_id, matter.open) == (what, "AKIA1", False)


def test_key_that_was_discarded_is_not_told_of_twice() -> None:
    entries = creation(Event.CREATED, Event.DISCARDED)
    entries += [line(Event.DELETED, key_id="AKIANEW"), line(Event.DELETED, key_id="AKIAOTHER")]

    told = [(matter.what, matter.key_id) for matter in history(entries)]

    assert told == [("created and deleted again", "AKIANEW"), ("deleted", "AKIAOTHER")]


def test_what_is_open_stands_first_then_the_latest() -> None:
    entries = [
        *creation(Event.CREATED, attempt="a1", minute=1),
        line(Event.DELETED, 2, key_id="AKIA2"),
        *creation(Event.CREATED, Event.STORED, attempt="a3", minute=3),
        *creation(attempt="a4", minute=4),
        line(Event.STATUS, 5, key_id="AKIA5", detail="Inactive"),
    ]

    minutes = [matter.at.minute for matter in history(entries) if matter.at]

    assert minutes == [4, 1, 5, 3, 2]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", True),
        ("alice", True),
        ("ALICE", True),
        ("akianew", True),
        ("created lost", False),
        ("keyring alice", True),
        ("2026-01-15", True),
        ("09:00", True),
        ("user/admin", True),
        ("123456789012", True),
        ("bob", False),
        ("alice bob", False),
    ],
)
def test_filter_wants_every_word(text: str, found: bool) -> None:
    matter = only(creation(Event.CREATED, Event.STORED, store="keyring"))

    assert matter.matches(text) is found


def test_export_is_the_lines_themselves_oldest_first() -> None:
    entries = [
        *creation(Event.CREATED, Event.STORED, minute=1),
        line(Event.DELETED, 2, key_id="AKIA2", user="bob\n"),
        *creation(attempt="a4", minute=3),
    ]

    exported = json_lines(history(entries)).splitlines()

    assert [json.loads(text) for text in exported] == [asdict(entry) for entry in entries]


def test_export_is_of_what_is_shown() -> None:
    entries = [line(Event.DELETED, 1, key_id="AKIA1"), line(Event.DELETED, 2, key_id="AKIA2")]
    shown = [matter for matter in history(entries) if matter.matches("akia1")]

    (text,) = json_lines(shown).splitlines()

    assert json.loads(text)["key_id"] == "AKIA1"


def test_damaged_time_sorts_last_and_is_shown_as_none() -> None:
    entries = [replace(line(Event.DELETED, key_id="AKIA1"), at="once"), line(Event.DELETED, 1)]

    first, last = history(entries)

    assert first.at
    assert last.at is None
    assert last.matches("akia1")


def test_damaged_lines_cost_only_themselves(tmp_path: Path) -> None:
    journal = Journal(tmp_path, WRITABLE)
    for entry in creation(Event.CREATED, Event.STORED, store="keyring"):
        journal.append(entry)
    begun, created, stored = journal.path.read_bytes().splitlines(keepends=True)
    journal.path.write_bytes(begun[:40] + b"\n" + created + b"\xff\x00\n" + stored)

    matter = only(journal.entries())

    assert (matter.what, matter.open) == ("created, its secret in the OS keyring", False)


@pytest.mark.parametrize(
    ("locator", "words"),
    [
        ("keyring", "the OS keyring"),
        ("csv:/home/me/a:b.csv", "/home/me/a:b.csv"),
        ("vault", "vault"),
        ("csv:", "csv:"),
    ],
)
def test_store_in_words(locator: str, words: str) -> None:
    assert place(locator) == words
