"""What keytui's own record says of one access key. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from keytui.history import Matter, history, place
from keytui.journal import Entry, Event


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
