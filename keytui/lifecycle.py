"""The verbs: create, keep, discard, change the status, delete.

Each reads top to bottom like the README's account of it. Everything here blocks and is run
in a worker thread; nothing here knows of a screen, of boto3 or of keyring. Read-only mode is
enforced here, where every change passes, whatever key or screen asked for it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from secrets import token_hex

from keytui.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    KeytuiError,
    LostReplyError,
    QuotaError,
    ReadOnlyError,
    StateError,
    StoreError,
)
from keytui.findings import could_go
from keytui.journal import Entry, Event, Journal
from keytui.model import AccessKey, KeyStatus, NewAccessKey, User
from keytui.ports import Iam
from keytui.stores.base import Receipt, SecretStore

QUOTA = 2
"""Access keys that AWS allows per user, inactive ones counted."""
RECENT = timedelta(hours=24)
"""A key used since then is asked about before it is made inactive."""
SETTLE_SECONDS = 8.0
"""How long to wait for IAM, which is eventually consistent, to list a change."""
LOST_REPLY_SECONDS = 15.0
"""How long to look for the key of a creation whose reply was lost."""
POLL_SECONDS = 0.5


class Concern(Enum):
    """Why making a key inactive should be asked about first."""

    OWN_KEY = "It signs keytui's own calls: they stop working, and u can't undo it."
    USED_RECENTLY = "It was used in the last 24 hours: something still depends on it."
    LAST_USE_UNKNOWN = "keytui could not read when it was last used."


@dataclass(frozen=True, slots=True)
class StatusChange:
    """A change of status that AWS has accepted.

    Attributes:
        key: The key as it was before.
        status: The status asked for.
        listed: Whether AWS lists the new status already.
        problem: What went wrong beside the change itself; None where nothing did.
    """

    key: AccessKey
    status: KeyStatus
    listed: bool
    problem: KeytuiError | None = None


@dataclass(slots=True)
class Custody:
    """A new key's secret, from AWS's reply until it is kept or discarded.

    Attributes:
        new: The key with its secret.
        attempt: Joins this creation's journal lines.
        receipts: Where the secret has been kept, each read back.
        problem: Why the chosen store does not have it; None while all is well.
        warnings: What else went wrong, such as a description that may not be set.
    """

    new: NewAccessKey
    attempt: str
    receipts: list[Receipt] = field(default_factory=list)
    problem: KeytuiError | None = None
    warnings: list[KeytuiError] = field(default_factory=list)

    @property
    def kept(self) -> bool:
        """Whether the secret is anywhere but here."""
        return bool(self.receipts)


class OrphanError(LostReplyError):
    """A key was made and its secret never arrived.

    Attributes:
        orphans: The keys that are there now and were not before; the user decides.
    """

    def __init__(self, orphans: tuple[AccessKey, ...]) -> None:
        ids = " and ".join(key.id for key in orphans)
        one = len(orphans) == 1
        super().__init__(
            f"AWS made {ids}, but the reply with the secret did not arrive."
            if one
            else f"The reply did not arrive, and {ids} are new: keytui can't tell which is yours.",
            "Nobody has that secret, so nobody can use the key." if one else "Both are kept.",
            "Make it inactive and delete it, then create again."
            if one
            else "Ask who else created one for this user before you delete either.",
        )
        self.orphans = orphans


class Lifecycle:
    """The verbs on one account's access keys."""

    def __init__(
        self,
        iam: Iam,
        journal: Journal,
        *,
        read_only: bool = False,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._iam = iam
        self._journal = journal
        self.read_only = read_only
        self._now = now
        self._sleep = sleep

    def require_writable(self) -> None:
        """Raise ``ReadOnlyError`` in read-only mode."""
        if self.read_only:
            raise ReadOnlyError(
                "keytui is in read-only mode.",
                "Nothing was changed.",
                "Start it without --read-only (and without KEYTUI_READ_ONLY) to make changes.",
            )

    def concern(self, key: AccessKey) -> Concern | None:
        """Say why making this key inactive needs a question first; None where it does not.

        Asks AWS for the key's last use at this moment rather than trusting the listing.
        """
        if key.id == self._iam.signing_key_id():
            return Concern.OWN_KEY
        try:
            used = self._iam.last_used(key.id).when
        except AccessDeniedError:
            return Concern.LAST_USE_UNKNOWN
        return Concern.USED_RECENTLY if used and self._now() - used < RECENT else None

    def set_status(
        self, key: AccessKey, status: KeyStatus, accepted: Callable[[], None] = lambda: None
    ) -> StatusChange:
        """Make a key active or inactive and wait until AWS lists it so.

        Args:
            key: The key.
            status: Active or Inactive.
            accepted: Called once AWS has accepted the change, before the wait.

        Raises:
            KeytuiError: The status was not changed.
        """
        self.require_writable()
        self._iam.set_status(key, status)
        accepted()
        problem = self._record(Event.STATUS, key, detail=status.value)
        listed = self._settle(key.user, lambda keys: _status_in(keys, key.id) is status)
        return StatusChange(key, status, listed, problem)

    def delete(self, key: AccessKey, accepted: Callable[[], None] = lambda: None) -> StatusChange:
        """Delete an inactive key, remember it as deleted, and wait until AWS lists it no more.

        Raises:
            KeytuiError: The key was not deleted; also where AWS says that it is active.
        """
        self.require_writable()
        if _status_in(self._iam.keys(key.user), key.id) is KeyStatus.ACTIVE:
            raise KeytuiError(
                f"{key.id} is active; keytui deletes only inactive keys.",
                "Nothing was changed.",
                "Make it inactive first (d), and see that nothing breaks.",
            )
        self._iam.delete_key(key)
        accepted()
        problem = self._record(Event.DELETED, key, created=_iso(key.created))
        self._forget_description(key)
        listed = self._settle(key.user, lambda keys: _status_in(keys, key.id) is None)
        return StatusChange(key, KeyStatus.DELETED, listed, problem)

    def create(
        self,
        user: User,
        store: SecretStore | None,
        description: str = "",
        progress: Callable[[str], None] = lambda _: None,
        made: Callable[[Custody], None] = lambda _: None,
    ) -> Custody:
        """Create a key and put its secret into a store.

        The order is the promise: probe the store, write the journal, one request to AWS,
        put, read back. Once AWS has replied this only returns; whatever fails then is told
        in the result, which holds the secret.

        Args:
            user: Whose key.
            store: Where the secret goes; None to show it only.
            description: The key's description; empty for none.
            progress: Called with a word on what is being done.
            made: Called with the secret the moment it is here, before anything else can fail.

        Raises:
            OrphanError: A key was made and its secret is lost.
            KeytuiError: No key was made (or, for a ``LostReplyError``, none is listed).
        """
        self.require_writable()
        progress("Checking the user's keys")
        before = self._iam.keys(user)
        if len(before) >= QUOTA:
            raise quota_reached(user, before)
        if store:
            progress("Checking that the secret can be kept")
            probe = store.probe()
            if not probe.writable:
                raise StoreError(probe.reason, "No key was made.", probe.next_step)
        attempt = token_hex(8)
        progress("Writing keytui's record")
        known = " ".join(key.id for key in before)
        self._journal.append(self._entry(Event.CREATING, user, attempt=attempt, detail=known))
        progress("Waiting for AWS to make the key")
        new = self._request_key(user, before, attempt, progress)
        custody = Custody(new, attempt)
        made(custody)
        self._note(custody, Event.CREATED)
        if store:
            progress("Keeping the secret")
            self._try_to_keep(custody, store)
        if description:
            progress("Keeping the description")
            self._describe(custody, description)
        return custody

    def keep(self, custody: Custody, store: SecretStore) -> Receipt:
        """Put a secret into one more store.

        Raises:
            StoreError: It is not kept there; the custody still holds it.
        """
        receipt = store.put(custody.new)
        custody.receipts.append(receipt)
        custody.problem = None
        self._note(custody, Event.STORED, receipt.store)
        return receipt

    def discard(self, custody: Custody) -> None:
        """Delete a new key whose secret nobody keeps: inactive first, then gone.

        Raises:
            KeytuiError: The key is still there.
        """
        self.require_writable()
        key = custody.new.key
        self._iam.set_status(key, KeyStatus.INACTIVE)
        self._iam.delete_key(key)
        self._note(custody, Event.DISCARDED)
        self._record(Event.DELETED, key, created=_iso(key.created))
        self._forget_description(key)

    def rescue(self, custody: Custody, store: SecretStore) -> str:
        """Save a secret that its user can't see any more: the terminal is gone.

        It goes into the store; where that fails, the key is made inactive and deleted, since
        nobody could ever use it.

        Returns:
            What became of it, one sentence.
        """
        key_id = custody.new.key.id
        try:
            return f"The secret of {key_id} is in: {self.keep(custody, store).where}."
        except Exception:  # noqa: BLE001, S110 - the last guard: no fault may leave the key behind
            pass
        try:
            self.discard(custody)
        except KeytuiError as error:
            return f"{key_id} exists and its secret is lost: delete it. {error}"
        return f"{key_id} was deleted again: its secret could not be kept."

    def _request_key(
        self,
        user: User,
        before: tuple[AccessKey, ...],
        attempt: str,
        progress: Callable[[str], None],
    ) -> NewAccessKey:
        lost: LostReplyError | None = None
        try:
            return self._iam.create_key(user)
        except LostReplyError as error:
            lost = error
        except AwsError:
            self._try_record(self._entry(Event.NOT_CREATED, user, attempt=attempt))
            raise
        progress("AWS's reply was lost: looking for the key")
        known = {key.id for key in before}
        orphans: tuple[AccessKey, ...] = ()

        def something_new(keys: tuple[AccessKey, ...]) -> bool:
            nonlocal orphans
            orphans = tuple(key for key in keys if key.id not in known)
            return bool(orphans)

        self._settle(user, something_new, LOST_REPLY_SECONDS)
        ids = " ".join(key.id for key in orphans)
        event = self._entry(Event.REPLY_LOST, user, attempt=attempt, detail=ids)
        self._try_record(event)
        raise OrphanError(orphans) if orphans else lost

    def _try_to_keep(self, custody: Custody, store: SecretStore) -> None:
        try:
            self.keep(custody, store)
        except StoreError as error:
            custody.problem = error

    def _describe(self, custody: Custody, text: str) -> None:
        key = custody.new.key
        try:
            self._iam.set_description(key.user, key.id, text)
            custody.new = replace(custody.new, key=replace(key, description=text))
        except AwsError as error:
            custody.warnings.append(error)

    def _forget_description(self, key: AccessKey) -> None:
        if key.description:
            try:
                self._iam.remove_description(key.user, key.id)
            except AwsError:
                return  # A tag left behind names a key that is gone; it does no harm.

    def _settle(
        self,
        user: User,
        reached: Callable[[tuple[AccessKey, ...]], bool],
        seconds: float = SETTLE_SECONDS,
    ) -> bool:
        """Read a user's keys until they are as wanted; return whether they came to be."""
        for _ in range(int(seconds / POLL_SECONDS) + 1):
            try:
                if reached(self._iam.keys(user)):
                    return True
            except (AccessDeniedError, CredentialsError):
                return False
            except AwsError:
                pass  # A passing fault; the count of tries bounds it.
            self._sleep(POLL_SECONDS)
        return False

    def _entry(self, event: Event, user: User, **more: str) -> Entry:
        caller = self._iam.identity()
        at = self._now().isoformat(timespec="seconds")
        return Entry(at, event, caller.account, user.name, caller.arn, **more)

    def _note(self, custody: Custody, event: Event, detail: str = "") -> None:
        key = custody.new.key
        more = {"attempt": custody.attempt, "detail": detail}
        if problem := self._record(event, key, **more):
            custody.warnings.append(problem)

    def _record(self, event: Event, key: AccessKey, **more: str) -> StateError | None:
        return self._try_record(self._entry(event, key.user, key_id=key.id, **more))

    def _try_record(self, entry: Entry) -> StateError | None:
        """Write a line about what has been done already; a failure is told, not raised."""
        try:
            self._journal.append(entry)
        except StateError as error:
            return error
        return None


def quota_reached(user: User, keys: tuple[AccessKey, ...]) -> QuotaError:
    """Return the sentence for a user who has all the keys that AWS allows."""
    return QuotaError(
        f"{user.name} has {len(keys)} access keys; AWS allows {QUOTA}.",
        "No key was made.",
        f"{could_go(keys)} Delete one first (x).",
    )


def _status_in(keys: tuple[AccessKey, ...], key_id: str) -> KeyStatus | None:
    return next((key.status for key in keys if key.id == key_id), None)


def _iso(when: datetime | None) -> str:
    return when.isoformat(timespec="seconds") if when else ""
