"""What the screens hold of the open account: what was read, marked, changed and found open."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from keytui.core.model import AccessKey, KeyStatus, User
from keytui.core.parallel import Prefetched
from keytui.journal.rotations import Rotation
from keytui.keys.outcomes import StatusChange
from keytui.keys.recovery import Finding
from keytui.session.account import Account
from keytui.session.inventory import Inventory


@dataclass(slots=True)
class AccountState(Account):
    """An open account, with what the screens hold of it.

    Attributes:
        inventory: What has been read.
        pending: Access key ID → the status asked for and not listed yet.
        changes: The changes of status that can be undone, latest last; each a batch of one or
            more that were made together.
        marks: Access key ID → the owner of a marked key, in the order they were marked.
        unfinished: Attempt → what was found of a creation that is still open.
        rotations: The rotations that are open.
        report_task: The reading of the credential report; None before it was asked for.
        audit_watchers: Called when a report was taken into the audit, or can't be had.
        pages: The users' pages that were asked for ahead; None for none.
    """

    inventory: Inventory = field(default_factory=Inventory)
    pending: dict[str, KeyStatus] = field(default_factory=dict)
    changes: list[tuple[StatusChange, ...]] = field(default_factory=list)
    marks: dict[str, User] = field(default_factory=dict)
    unfinished: dict[str, Finding] = field(default_factory=dict)
    rotations: tuple[Rotation, ...] = ()
    report_task: asyncio.Future[None] | None = None
    audit_watchers: list[Callable[[], None]] = field(default_factory=list)
    pages: Prefetched[list[User]] | None = None

    @property
    def marked(self) -> tuple[AccessKey, ...]:
        """The marked keys that AWS lists, as they are known now."""
        found = []
        for key_id, user in self.marks.items():
            known = self.inventory.keys_of(user)
            found += [key for key in (known.keys if known else ()) if key.id == key_id]
        return tuple(found)

    def mark(self, key: AccessKey) -> None:
        """Mark a key, or take its mark away."""
        if self.marks.pop(key.id, None) is None:
            self.marks[key.id] = key.user

    def apply(self, *changes: StatusChange, undoing: bool = False) -> None:
        """Take in changes that AWS has accepted together: what can be undone, and what is listed.

        A key that was changed is marked no more.
        """
        if undoing:
            self.drop_undo({change.key.id for change in changes})
        else:
            gone = {c.key.id for c in changes if c.status is KeyStatus.DELETED}
            left = [tuple(c for c in batch if c.key.id not in gone) for batch in self.changes]
            batches = [*left, tuple(c for c in changes if c.undoable)]
            # In place: a connection made meanwhile has taken the list over.
            self.changes[:] = [batch for batch in batches if batch]
        for change in changes:
            self.marks.pop(change.key.id, None)
            if known := self.inventory.keys_of(change.key.user):
                known = known.with_status(change.key.id, change.status)
                self.inventory.set_keys(change.key.user, known)
            self.audit.take_change(change.key, change.status)

    def drop_undo(self, key_ids: set[str]) -> None:
        """Forget the last batch's changes of some keys: they are undone, or never can be."""
        if self.changes:
            last = tuple(c for c in self.changes[-1] if c.key.id not in key_ids)
            self.changes[-1:] = [last] if last else []

    def tell_audit(self) -> None:
        """Tell whoever shows the audit that a report was taken in, or can't be had."""
        for told in tuple(self.audit_watchers):
            told()

    def rotates(self, key: AccessKey) -> bool:
        """Return whether a key can be rotated, or its rotation taken up."""
        under_way = any(one.has(key.id) for one in self.rotations)
        return under_way or key.status is KeyStatus.ACTIVE

    def continue_from(self, before: "AccountState") -> None:
        """Take over what an earlier connection of the same caller knows."""
        self.inventory = before.inventory
        self.pending = before.pending
        self.changes = before.changes
        self.marks = before.marks
        self.unfinished = before.unfinished
        self.rotations = before.rotations
        self.audit = before.audit
        self.report_task = before.report_task
        self.audit_watchers = before.audit_watchers
        self.pace = before.pace
