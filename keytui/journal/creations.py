"""The creations that the journal tells of, each from its lines. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from keytui.core.model import ROOT_USER, User
from keytui.journal.log import CLOSING, Entry, Event, time_of


@dataclass(frozen=True, slots=True)
class Attempt:
    """One creation of a key, as far as it went.

    Attributes:
        id: Joins its journal lines.
        at: When it began, by this machine's clock.
        asked: The same by AWS's clock; None where that is not known.
        account: The account ID.
        user: The user name, or ``<root account>``.
        caller: The ARN that asked.
        before: The key IDs that the user had before.
        key_id: The new key's ID; empty while it is not known.
        stores: The locators of the stores that its secret may be in, the latest tried last.
        tried: The locators of those that it was about to be put into.
        made: Whether its key and secret arrived.
        lost: When its reply was seen to be lost, by AWS's clock; None where it was not.
        shown: Whether the secret was shown or sent to the clipboard.
        last: What was written of it last.
        open: Whether it may have left a key behind that nobody knows.
    """

    id: str
    at: datetime
    asked: datetime | None
    account: str
    user: str
    caller: str
    before: frozenset[str] = frozenset()
    key_id: str = ""
    stores: tuple[str, ...] = ()
    tried: frozenset[str] = frozenset()
    made: bool = False
    lost: datetime | None = None
    shown: bool = False
    last: Event = Event.CREATING
    open: bool = True

    @property
    def owner(self) -> User:
        """Whose key it is."""
        return ROOT_USER if self.user == ROOT_USER.name else User(self.user)


def attempts(entries: Iterable[Entry]) -> list[Attempt]:
    """Return the creations in these lines, oldest first."""
    found: dict[str, Attempt] = {}
    for entry in entries:
        if entry.attempt:
            found[entry.attempt] = _told(found.get(entry.attempt) or _begun(entry), entry)
    return list(found.values())


def _begun(entry: Entry) -> Attempt:
    at = time_of(entry.at) or datetime.now(UTC)
    return Attempt(entry.attempt, at, time_of(entry.asked), entry.account, entry.user, entry.caller)


def _lost(entry: Entry) -> datetime | None:
    return time_of(entry.asked) or time_of(entry.at)


def _told(attempt: Attempt, entry: Entry) -> Attempt:
    """Return an attempt with what one more of its lines tells."""
    before = frozenset(entry.detail.split()) if entry.event is Event.CREATING else attempt.before
    stores = tuple(store for store in attempt.stores if store != entry.store)
    if entry.store and entry.event is not Event.NOT_STORED:
        stores += (entry.store,)
    tried = attempt.tried
    if entry.event is Event.STORING:
        tried |= {entry.store}
    elif entry.event is Event.NOT_STORED:
        tried -= {entry.store}
    return replace(
        attempt,
        before=before,
        key_id=entry.key_id or attempt.key_id,
        stores=stores,
        tried=tried,
        made=attempt.made or entry.event is Event.CREATED,
        lost=_lost(entry) if entry.event is Event.REPLY_LOST else attempt.lost,
        shown=attempt.shown or entry.event is Event.SHOWN,
        last=entry.event,
        open=attempt.open and entry.event not in CLOSING,
    )
