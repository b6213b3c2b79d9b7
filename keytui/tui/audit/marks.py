"""Marked rows of an audit, also of keys whose ID is not known yet."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from keytui.audit.rows import Audit, AuditRow
from keytui.core.credential_report import matched
from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, User


@dataclass(slots=True)
class AuditMarks:
    """What is marked.

    Attributes:
        ids: Access key ID → the owner, of keys that were read live.
        slots: User name → the place among the report's keys → the key that it was when marked,
            of others: in a newer report another may have its place.
        lost: How many marks of the report's keys belong to no listed key with certainty.
    """

    ids: dict[str, User] = field(default_factory=dict)
    slots: dict[str, dict[int, AccessKey]] = field(default_factory=dict)
    lost: int = 0

    def __len__(self) -> int:
        return len(self.ids) + sum(map(len, self.slots.values()))

    @property
    def hold_root(self) -> bool:
        """Whether a key of the root user is marked."""
        return bool(self.slots.get(ROOT_USER.name)) or ROOT_USER in self.ids.values()

    def holds(self, row: AuditRow) -> bool:
        """Return whether a row is marked."""
        if row.key.id:
            return row.key.id in self.ids
        return _same(self.slots.get(row.key.user.name, {}).get(row.slot), row.key)

    def set(self, rows: Iterable[AuditRow], *, on: bool) -> None:
        """Mark rows, or take their marks away."""
        for row in rows:
            name = row.key.user.name
            if row.key.id and on:
                self.ids[row.key.id] = row.key.user
            elif row.key.id:
                self.ids.pop(row.key.id, None)
            elif on:
                self.slots.setdefault(name, {})[row.slot] = row.key
            else:
                self.slots.get(name, {}).pop(row.slot, None)

    def clear(self) -> None:
        """Take all marks away."""
        self.ids.clear()
        self.slots.clear()

    def listed(self, user: User, keys: Sequence[AccessKey], reported: Sequence[AccessKey]) -> None:
        """Take over a user's marks to the keys that AWS lists."""
        marked = self.slots.pop(user.name, {})
        pairs = matched(keys, reported)
        for slot, key in marked.items():
            wanted = reported[slot] if slot < len(reported) else None
            found = [one for one, its in pairs.items() if its is wanted and _same(key, its)]
            self.ids.update(dict.fromkeys(found, user))
            self.lost += not found
        gone = {key_id for key_id, owner in self.ids.items() if owner.name == user.name}
        for key_id in gone - {key.id for key in keys}:
            del self.ids[key_id]

    def unread(self, audit: Audit) -> list[User]:
        """Return whose keys must be read before their marks can be acted on."""
        known = (audit.of_user(name) for name, slots in self.slots.items() if slots)
        owners = [rows[0].key.user for rows in known if rows]
        # A newer report may have taken the place of what was read.
        owners += [user for user in self.ids.values() if not audit.is_live(user.name)]
        return list({user.name: user for user in owners}.values())

    def keys(self, audit: Audit) -> tuple[AccessKey, ...]:
        """Return the marked keys whose IDs are known, in the order they were marked."""
        known = {
            row.key.id: row.key for user in self.ids.values() for row in audit.of_user(user.name)
        }
        return tuple(
            known[key_id]
            for key_id in self.ids
            if key_id in known and known[key_id].status is not KeyStatus.DELETED
        )


def _same(marked: AccessKey | None, key: AccessKey) -> bool:
    """Whether a report's key is the one that was marked, and was not changed since."""
    return marked is not None and marked.created == key.created
