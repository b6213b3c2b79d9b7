"""One connection: the account that the screens work on now."""

from dataclasses import dataclass, field, replace

from keytui.errors import AwsError, StateError
from keytui.inventory import Inventory, KeyList
from keytui.lifecycle import Lifecycle
from keytui.model import AccessKey, Identity, KeyStatus, User
from keytui.outcomes import StatusChange
from keytui.parts import Parts
from keytui.ports import Iam
from keytui.recovery import Recovery
from keytui.verdicts import Finding


@dataclass(slots=True)
class Account:
    """What the screens hold of one account.

    Attributes:
        iam: The account's gateway.
        identity: Who signs the calls.
        lifecycle: The verbs.
        recovery: Looks into creations that were cut short.
        inventory: What has been read.
        pending: Access key ID → the status asked for and not listed yet.
        changes: The changes of status that can be undone, latest last.
        unfinished: Attempt → what was found of a creation that is still open.
    """

    iam: Iam
    identity: Identity
    lifecycle: Lifecycle
    recovery: Recovery
    inventory: Inventory = field(default_factory=Inventory)
    pending: dict[str, KeyStatus] = field(default_factory=dict)
    changes: list[StatusChange] = field(default_factory=list)
    unfinished: dict[str, Finding] = field(default_factory=dict)

    def apply(self, change: StatusChange, *, undoing: bool = False) -> None:
        """Take in a change that AWS has accepted: what can be undone, and what is listed."""
        key, others = change.key, [c for c in self.changes if c.key.id != change.key.id]
        if change.status is KeyStatus.DELETED:
            self.changes = others
        elif undoing:
            self.changes = self.changes[:-1]
        else:
            self.changes = [*self.changes, change]
        known = self.inventory.keys_of(key.user)
        if known:
            self.inventory.set_keys(key.user, known.with_status(key.id, change.status))

    def continue_from(self, before: "Account") -> None:
        """Take over what an earlier connection of the same caller knows."""
        self.inventory = before.inventory
        self.pending = before.pending
        self.changes = before.changes
        self.unfinished = before.unfinished


def open_account(parts: Parts, profile: str | None) -> Account:
    """Connect and ask who the caller is. Blocks; raises KeytuiError."""
    iam = parts.connect(profile)
    lifecycle = Lifecycle(
        iam,
        parts.journal,
        read_only=parts.settings.read_only,
        uses_here=parts.uses_here,
        now=parts.now,
        wait=parts.wait,
    )
    recovery = Recovery(
        iam, parts.journal, lifecycle, parts.store_at, now=parts.now, wait=parts.wait
    )
    return Account(iam, iam.identity(), lifecycle, recovery)


def read_keys(account: Account, parts: Parts, user: User) -> KeyList:
    """Read a user's keys: what a responder needs first, in one call. Blocks."""
    return listed_keys(account, parts, user, account.iam.keys(user))


def listed_keys(account: Account, parts: Parts, user: User, keys: tuple[AccessKey, ...]) -> KeyList:
    """Join the keys that AWS lists with those that keytui remembers as deleted. Blocks."""
    known = KeyList(keys, parts.now())
    try:
        deleted = parts.journal.deleted_keys(account.identity.account, user)
    except StateError as error:
        return replace(known, note=error)
    ids = {key.id for key in keys}
    return replace(known, deleted=tuple(key for key in deleted if key.id not in ids))


def complete_keys(account: Account, known: KeyList, user: User) -> KeyList:
    """Add last use and descriptions to a user's keys; what may not be read is noted. Blocks.

    A last use that is known already is not asked for again.
    """
    note = known.note
    descriptions: dict[str, str] = {}
    try:
        descriptions = account.iam.descriptions(user)
    except AwsError as error:
        note = error
    keys = known.keys
    try:
        keys = tuple(
            key if key.last_used else replace(key, last_used=account.iam.last_used(key.id))
            for key in keys
        )
    except AwsError as error:
        note = error
    keys = tuple(replace(key, description=descriptions.get(key.id, "")) for key in keys)
    return replace(known, keys=keys, complete=True, note=note)
