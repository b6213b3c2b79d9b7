"""The secrets that this machine's keyring holds, by keytui's own record.

A keyring can't be asked what it holds, so the journal is the index: a key whose secret was
stored and not forgotten since. It has key IDs only.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from keytui.core.errors import AwsError, NotFoundError, NotStoredError
from keytui.core.iam import Iam
from keytui.core.model import (
    ROOT_ACCOUNT,
    ROOT_USER,
    AccessKey,
    Identity,
    KeyStatus,
    NewAccessKey,
    Secret,
    User,
)
from keytui.journal.log import Entry, Event, Journal, time_of
from keytui.stores.base import Receipt, SecretStore


@dataclass(frozen=True, slots=True)
class Held:
    """A secret in the keyring.

    Attributes:
        key_id: The access key ID.
        user: The user name; empty where it is not known.
        account: The account ID; empty where it is not known.
        stored_at: When it was put there; None where the record's line is damaged.
        locator: The store it is in, as ``SecretStore.locator`` has it.
        copies: The other stores that keytui has put it into, as locators.
    """

    key_id: str
    user: str
    account: str
    stored_at: datetime | None
    locator: str
    copies: tuple[str, ...] = ()


def held(entries: Iterable[Entry]) -> tuple[Held, ...]:
    """Return the secrets that these lines tell of, by user and age. Pure."""
    found: dict[tuple[str, str], Held] = {}
    for entry in entries:
        place = (entry.key_id, entry.store)
        if not entry.key_id or not entry.store:
            continue
        if entry.event is Event.STORED:
            found[place] = Held(
                entry.key_id, entry.user, entry.account, time_of(entry.at), entry.store
            )
        elif entry.event is Event.FORGOTTEN:
            found.pop(place, None)
    in_keyrings = [
        replace(one, copies=_copies(one, found))
        for one in found.values()
        if one.locator.partition(":")[0] == "keyring"
    ]
    return tuple(sorted(in_keyrings, key=lambda one: (one.user.casefold(), one.user)))


def _copies(one: Held, places: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(store for key_id, store in places if key_id == one.key_id and store != one.locator)


class Vault:
    """What the keyring holds, and the verbs on it. Methods block; any thread may call them."""

    def __init__(
        self,
        journal: Journal,
        keyring: SecretStore,
        store_at: Callable[[str], SecretStore | None],
        now: Callable[[], datetime],
    ) -> None:
        self._journal = journal
        self._keyring = keyring
        self._store_at = store_at
        self._now = now

    def held(self) -> tuple[Held, ...]:
        """Return what is held. Raises ``StateError`` where the record can't be read."""
        return held(self._journal.entries())

    def take(self, new: NewAccessKey, caller: str = "") -> Receipt:
        """Put a secret that came from elsewhere into the keyring, and remember that.

        Args:
            new: The key with its secret.
            caller: The ARN of the secret's own user, where it is known.

        Raises:
            StoreError: It is not kept.
            StateError: It is kept, but keytui can't remember it.
        """
        receipt = self._keyring.put(new)
        user, locator = new.key.user.name, self._keyring.locator
        self._journal.append(
            Entry(self._at(), Event.STORED, new.account, user, caller, new.key.id, store=locator)
        )
        return receipt

    def get(self, one: Held) -> Secret:
        """Return a secret. Raises ``NotStoredError``, ``StoreError``."""
        return self._store(one).get(one.key_id)

    def forget(self, one: Held) -> None:
        """Delete a secret from the keyring; one that is gone already counts as forgotten.

        Raises:
            StoreError: It may still be there.
            StateError: It is gone, but keytui can't remember that.
        """
        with suppress(NotStoredError):
            self._store(one).delete(one.key_id)
        self._journal.append(
            Entry(
                self._at(),
                Event.FORGOTTEN,
                one.account,
                one.user,
                "",
                one.key_id,
                store=one.locator,
            )
        )

    def _store(self, one: Held) -> SecretStore:
        # The one in use may have been unlocked with a password that only it knows.
        if one.locator == self._keyring.locator:
            return self._keyring
        return self._store_at(one.locator) or self._keyring

    def _at(self) -> str:
        return self._now().isoformat(timespec="seconds")


LISTED_AFTER = timedelta(minutes=1)
"""How long IAM may take to list a new key."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What IAM says of a key.

    Attributes:
        status: Its status; Deleted where IAM lists it no more, None where that is not known.
        why: Why it is not known, a sentence; empty while AWS is being asked.
    """

    status: KeyStatus | None = None
    why: str = ""

    @property
    def asking(self) -> bool:
        """Whether AWS is being asked."""
        return self.status is None and not self.why

    @property
    def gone(self) -> bool:
        """Whether IAM certainly has it no more."""
        return self.status is KeyStatus.DELETED


ASKING = Standing()
NOT_CONNECTED = Standing(why="keytui is not connected to AWS.")


def unasked(one: Held, identity: Identity | None) -> Standing | None:
    """Return why AWS can't be asked about a key; None where it can."""
    if identity is None:
        return NOT_CONNECTED
    if not one.account or not one.user:
        return Standing(why="keytui's record does not say whose key it is.")
    if one.account != identity.account:
        return Standing(why=f"it is of the account {one.account}; P switches to a profile of it.")
    if one.user == ROOT_ACCOUNT and not identity.is_root:
        return Standing(why="only the root user can list its own keys.")
    return None


def listed(iam: Iam, name: str) -> tuple[AccessKey, ...] | AwsError:
    """Return a user's keys, or why they can't be listed. Blocks."""
    try:
        return iam.keys(ROOT_USER if name == ROOT_ACCOUNT else User(name))
    except AwsError as error:
        return error


def standing(one: Held, answer: tuple[AccessKey, ...] | AwsError, now: datetime) -> Standing:
    """Return what a listing of a user's keys says of one."""
    if isinstance(answer, NotFoundError):
        return Standing(why=f"AWS has no user {one.user} now: deleted, or renamed.")
    if isinstance(answer, AwsError):
        return Standing(why=answer.title)
    for key in answer:
        if key.id == one.key_id:
            return Standing(key.status)
    if one.stored_at and now - one.stored_at < LISTED_AFTER:
        return Standing(why="it was stored just now, and AWS does not list it yet.")
    return Standing(KeyStatus.DELETED)
