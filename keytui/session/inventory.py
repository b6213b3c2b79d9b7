"""What is known of one account: its users as they arrive, and the keys read so far."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, KeyStatus, User


@dataclass(frozen=True, slots=True)
class KeyList:
    """The keys of one user, as last read.

    Attributes:
        keys: The keys that AWS lists, oldest first.
        read_at: When they were read.
        deleted: The keys that keytui has deleted, from its own record.
        complete: Whether last use and descriptions were read too (or may not be).
        note: What could not be read besides, such as the last use; None if all was.
    """

    keys: tuple[AccessKey, ...]
    read_at: datetime
    deleted: tuple[AccessKey, ...] = ()
    complete: bool = False
    note: KeytuiError | None = None

    def with_status(self, key_id: str, status: KeyStatus) -> "KeyList":
        """Return these keys with another status for one of them."""
        changed = tuple(replace(key, status=status) for key in self.keys if key.id == key_id)
        if status is KeyStatus.DELETED:
            rest = tuple(key for key in self.keys if key.id != key_id)
            return replace(self, keys=rest, deleted=(*self.deleted, *changed))
        keys = (changed[0] if changed and key.id == key_id else key for key in self.keys)
        return replace(self, keys=tuple(keys))

    def with_listing(self, keys: tuple[AccessKey, ...]) -> "KeyList | None":
        """Return these keys as AWS has listed them since; None where there is more to read."""
        known = {key.id: key for key in self.keys}
        if not (self.complete and known.keys() >= {key.id for key in keys}):
            return None
        return replace(self, keys=tuple(replace(known[key.id], status=key.status) for key in keys))


class Inventory:
    """The users and keys of one account; changed by the screens' thread alone."""

    def __init__(self) -> None:
        self.users: list[User] = []
        """All users read so far, root first, then by name."""
        self.asked = False
        """Whether AWS is or was asked for all users, not only for one by name or key."""
        self.all_read = False
        """Whether every page has arrived."""
        self.stopped = False
        """Whether reading them has failed; it is not going on any more."""
        self.last_seen_at: datetime | None = None
        """When the users were read that an earlier run has kept; None once AWS lists them all."""
        self.key_ids: Mapping[str, tuple[str, ...]] = {}
        """User name → the access key IDs that an earlier run has seen."""
        self._folded: list[str] = []
        self.keys: dict[str, KeyList] = {}
        """User name → the keys read so far."""

    @classmethod
    def last_seen(
        cls, names: Iterable[str], key_ids: Mapping[str, tuple[str, ...]], at: datetime
    ) -> "Inventory":
        """Return what an earlier run has kept, in its order; AWS has not confirmed it."""
        inventory = cls()
        inventory._take(User(name) for name in names)
        inventory.key_ids, inventory.last_seen_at = key_ids, at
        return inventory

    def add(self, page: Iterable[User]) -> None:
        """Take in a page of users."""
        merged = {user.name: user for user in (*self.users, *page)}
        self._take(sorted(merged.values(), key=lambda u: (not u.is_root, u.name.casefold())))

    def _take(self, users: Iterable[User]) -> None:
        self.users = list(users)
        self._folded = [user.name.casefold() for user in self.users]

    def has(self, user: User) -> bool:
        """Return whether a user of this name was read."""
        return any(user.name == other.name for other in self.users)

    def matching(self, text: str) -> list[User]:
        """Return the users whose name holds every word of a text, whatever its case.

        A text that is part of an access key ID read so far finds that key's user too.
        """
        words = text.casefold().split()
        if not words:
            return self.users
        first, rest = words[0], words[1:]
        found = [u for u, name in zip(self.users, self._folded, strict=True) if first in name]
        if rest:
            found = [u for u in found if all(word in u.name.casefold() for word in rest)]
        return found or self._owners(text.strip().upper())

    def _owners(self, part_of_id: str) -> list[User]:
        return [
            user
            for user in self.users
            if any(part_of_id in key_id for key_id in self._ids_of(user.name))
        ]

    def _ids_of(self, name: str) -> Iterable[str]:
        """Return a user's key IDs: as read, else as an earlier run has seen them."""
        known = self.keys.get(name)
        return [key.id for key in known.keys] if known else self.key_ids.get(name, ())

    def keys_of(self, user: User) -> KeyList | None:
        """Return what is known of a user's keys; None before they were read."""
        return self.keys.get(user.name)

    def set_keys(self, user: User, keys: KeyList) -> None:
        """Remember a user's keys."""
        self.keys[user.name] = keys
