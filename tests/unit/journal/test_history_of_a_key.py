"""What keytui's record says of one key."""

from keytui.journal.history import Dossier, dossier
from keytui.journal.log import Entry, Event


def line(minute: int, event: Event, key_id: str = "AKIA1", **more: str) -> Entry:
    at = f"2026-01-02T10:{minute:02}:00+00:00"
    return Entry(at, event, "123456789012", "alice", f"arn:{minute}", key_id, **more)


def test_key_that_keytui_never_saw() -> None:
    assert dossier([line(0, Event.STATUS, "AKIA2", detail="Active")], "AKIA1") == Dossier()


def test_history_has_creator_stores_and_events_newest_first() -> None:
    lines = [
        line(0, Event.CREATING, "", attempt="1"),
        line(1, Event.CREATED, attempt="1"),
        line(2, Event.STORED, attempt="1", store="csv:/a.csv"),
        line(3, Event.STORED, store="keyring"),
        line(4, Event.STATUS, detail="Inactive"),
        line(5, Event.STATUS, "AKIA2", detail="Inactive"),
        line(6, Event.FORGOTTEN, store="keyring"),
    ]
    found = dossier(lines, "AKIA1")
    assert found.creator == "arn:0"
    assert found.kept_in == ("/a.csv",)
    assert [matter.at.minute for matter in found.matters if matter.at] == [6, 4, 3, 0]


def test_secret_put_back_is_kept_again() -> None:
    events = (Event.STORED, Event.FORGOTTEN, Event.STORED)
    lines = [line(n, event, store="keyring") for n, event in enumerate(events)]
    assert dossier(lines, "AKIA1").kept_in == ("the OS keyring",)
    assert dossier(lines[:2], "AKIA1").kept_in == ()
