"""What keytui did, a line for each matter: from the journal's lines, the open ones first. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from keytui.journal.creations import Attempt, attempts
from keytui.journal.log import Entry, Event, time_of
from keytui.journal.rotations import Rotation, rotations

_ENDS = {
    Event.CREATING: "asked for a key, then cut short",
    Event.CREATED: "created, its secret not kept",
    Event.STORING: "created, its secret not kept",
    Event.NOT_STORED: "created, its secret not kept",
    Event.SHOWN: "created and shown, its secret not kept",
    Event.REPLY_LOST: "asked for a key, the reply was lost",
    Event.ORPHAN: "created, its secret is lost",
    Event.NOT_CREATED: "no key was created",
    Event.STORED: "created",
    Event.DISCARDED: "created and deleted again",
    Event.UNKEPT: "created, its secret in no store",
    Event.GONE: "created, then deleted elsewhere",
}


_CHANGES = {Event.STATUS, Event.UNDONE, Event.DELETED, Event.DISCARDED}
"""What stands in a line of its own also where it was a step of a rotation."""
_KEYRINGS = {
    "keyring": "the OS keyring",
    "keyring:pass": "pass",
    "keyring:cryptfile": "the encrypted file",
}


@dataclass(frozen=True, slots=True)
class Matter:
    """One thing that keytui did, or began.

    Attributes:
        at: When it began; None where the journal's line is damaged.
        what: What became of it, in words.
        key_id: The access key ID; empty where there is none.
        user: The user name.
        account: The account ID.
        caller: The ARN that did it.
        attempt: The creation it is; empty for anything else.
        open: Whether it may have left a key behind that nobody knows.
        entries: The journal's lines.
    """

    at: datetime | None
    what: str
    key_id: str
    user: str
    account: str
    caller: str
    attempt: str
    open: bool
    entries: tuple[Entry, ...]

    def matches(self, text: str) -> bool:
        """Return whether every word of a filter is in the line, whatever its case."""
        when = self.at.isoformat(" ") if self.at else ""
        whole = " ".join((when, self.what, self.key_id, self.user, self.account, self.caller))
        return all(word in whole.casefold() for word in text.casefold().split())


def history(entries: Iterable[Entry]) -> list[Matter]:
    """Return the matters of these lines: the open ones first, then the latest first."""
    lines = list(entries)
    of_attempt: dict[str, list[Entry]] = {}
    for entry in lines:
        of_attempt.setdefault(entry.attempt, []).append(entry)
    others = of_attempt.pop("", [])
    of_rotation: dict[str, list[Entry]] = {}
    for entry in others:
        if entry.rotation and entry.event not in _CHANGES:
            of_rotation.setdefault(entry.rotation, []).append(entry)
    changes = [e for e in others if not e.rotation or e.event in _CHANGES]
    # A creation's line tells already that its key was deleted again.
    discarded = {entry.key_id for entry in lines if entry.event is Event.DISCARDED}
    matters = [_creation(attempt, of_attempt[attempt.id]) for attempt in attempts(lines)]
    matters += [
        _rotation(rotation, of_rotation[rotation.id])
        for rotation in rotations(lines)
        if rotation.id in of_rotation
    ]
    matters += [
        _change(entry)
        for entry in changes
        if entry.event is not Event.DELETED or entry.key_id not in discarded
    ]
    latest_first = sorted(matters, key=_time, reverse=True)
    return sorted(latest_first, key=lambda matter: not matter.open)


def json_lines(matters: Sequence[Matter]) -> str:
    """Return the journal's lines of these matters, a JSON object a line, oldest first."""
    entries = sorted((e for m in matters for e in m.entries), key=lambda entry: entry.at)
    return "".join(json.dumps(asdict(entry)) + "\n" for entry in entries)


def _creation(attempt: Attempt, entries: Sequence[Entry]) -> Matter:
    what = _ENDS.get(attempt.last, attempt.last.value)
    stored = [e.store for e in entries if e.event is Event.STORED and e.store]
    if stored and attempt.last is not Event.DISCARDED:
        what = "created, its secret in " + " and ".join(place(store) for store in stored)
    return Matter(
        attempt.at,
        what,
        attempt.key_id,
        attempt.user,
        attempt.account,
        attempt.caller,
        attempt.id,
        attempt.open,
        tuple(entries),
    )


def _rotation(rotation: Rotation, entries: Sequence[Entry]) -> Matter:
    match rotation.ended:
        case Event.ROTATED:
            what = f"rotated: {rotation.new_id or 'a new key'} has taken its place"
        case Event.ROLLED_BACK:
            what = "its rotation rolled back"
        case Event.ABANDONED:
            what = "its rotation ended, both keys kept"
        case _:
            where = rotation.title.partition(": ")[2]
            what = f"its rotation: {where}"
    return Matter(
        rotation.at,
        what,
        rotation.old_id,
        rotation.user,
        rotation.account,
        entries[0].caller,
        "",
        False,
        tuple(entries),
    )


def _change(entry: Entry) -> Matter:
    match entry.event:
        case Event.STATUS:
            what = f"made {entry.detail.lower()}"
        case Event.UNDONE:
            what = f"made {entry.detail.lower()} again"
        case Event.STORED:
            what = f"its secret put into {place(entry.store)}"
        case Event.FORGOTTEN:
            what = f"its secret deleted from {place(entry.store)}"
        case _:
            what = entry.event.value
    at = time_of(entry.at)
    return Matter(
        at,
        what,
        entry.key_id,
        entry.user,
        entry.account,
        entry.caller,
        "",
        False,
        (entry,),
    )


def place(locator: str) -> str:
    """Return a store's locator in words, as it stands after ``in``."""
    return _KEYRINGS.get(locator) or locator.partition(":")[2] or locator


def _time(matter: Matter) -> float:
    return matter.at.timestamp() if matter.at else 0.0


@dataclass(frozen=True, slots=True)
class Dossier:
    """What is on record of a key.

    Attributes:
        creator: The ARN that created it with keytui; empty where keytui did not.
        kept_in: Where keytui has put its secret and not deleted it since, in words.
        matters: What keytui did with it, the latest first.
    """

    creator: str = ""
    kept_in: tuple[str, ...] = ()
    matters: tuple[Matter, ...] = ()


def dossier(entries: Iterable[Entry], key_id: str) -> Dossier:
    """Return what these lines of the journal say of a key."""
    lines = list(entries)
    of_key = [entry for entry in lines if entry.key_id == key_id]
    attempts = {entry.attempt for entry in of_key if entry.attempt}
    creators = [e.caller for e in lines if e.event is Event.CREATING and e.attempt in attempts]
    kept = dict[str, None]()
    for entry in of_key:
        if entry.event is Event.STORED and entry.store:
            kept[place(entry.store)] = None
        elif entry.event is Event.FORGOTTEN:
            kept.pop(place(entry.store), None)
    matters = [matter for matter in history(lines) if matter.key_id == key_id]
    matters.sort(key=lambda matter: matter.at.timestamp() if matter.at else 0.0, reverse=True)
    return Dossier(creators[0] if creators else "", tuple(kept), tuple(matters))
