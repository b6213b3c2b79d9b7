"""The verbs: create, keep, discard, rescue, change the status, delete.

Each reads top to bottom like the README's account of it. Everything here blocks and is run
in a worker thread; nothing here knows of a screen, of boto3 or of keyring. Read-only mode is
refused here before any question; the gate at the adapters holds whatever asks for a change.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from secrets import token_hex

from keytui.core.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    KeytuiError,
    LostReplyError,
    NotFoundError,
    QuotaError,
    StateError,
    StoreError,
    StoreTimeoutError,
)
from keytui.core.gate import Gate
from keytui.core.iam import Iam
from keytui.core.model import AccessKey, KeyStatus, LastUsed, NewAccessKey, User
from keytui.core.rules import could_go
from keytui.core.waiting import Keys, Wait
from keytui.journal.log import Event, Journal
from keytui.journal.recorder import Record
from keytui.keys.local_use import LocalUse
from keytui.keys.outcomes import (
    Concern,
    Custody,
    Dependence,
    StatusChange,
    UnansweredError,
    not_undone,
    unrecorded,
)
from keytui.stores.base import Probe, Receipt, SecretStore

QUOTA = 2
"""Access keys that AWS allows per user, inactive ones counted."""
RECENT = timedelta(hours=24)
"""A key used since then is asked about before it is made inactive."""
SETTLE_SECONDS = 8.0
"""How long to wait for IAM, which is eventually consistent, to list a change."""
REFUSALS = (AccessDeniedError, CredentialsError, NotFoundError)
"""After these AWS has certainly not made the change; after others it may have."""


class Lifecycle:
    """The verbs on one account's access keys."""

    def __init__(
        self,
        iam: Iam,
        journal: Journal,
        *,
        gate: Gate,
        uses_here: Callable[[str], tuple[LocalUse, ...]] = lambda _: (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Wait | None = None,
    ) -> None:
        self._iam = iam
        self._journal = journal
        self._record = Record(iam, journal, now)
        self._gate = gate
        self.uses_here = uses_here
        self._now = now
        self._wait = wait or Wait()

    @property
    def read_only(self) -> bool:
        """Whether every change is refused."""
        return self._gate.read_only

    def require_writable(self) -> None:
        """Raise ``ReadOnlyError`` in read-only mode."""
        self._gate.require_writable()

    # The status.

    def dependence(self, key: AccessKey, used: LastUsed | None = None) -> Dependence:
        """Return what depends on a key, and why deactivating it needs a question first.

        Args:
            key: The key.
            used: Its last use, where AWS was asked just now; None to ask for it: what a listing
                shows may be old.
        """
        here = self.uses_here(key.id)
        with suppress(AccessDeniedError):
            used = used or self._iam.last_used(key.id)
        return Dependence(self._concern(key, used, here), used, here)

    def _concern(
        self, key: AccessKey, used: LastUsed | None, here: tuple[LocalUse, ...]
    ) -> Concern | None:
        if key.id == self._iam.signing_key_id():
            return Concern.OWN_KEY
        if used and used.when and self._now() - used.when < RECENT:
            return Concern.USED_RECENTLY
        if any(use.depends for use in here):
            return Concern.USED_HERE
        return None if used else Concern.LAST_USE_UNKNOWN

    def set_status(
        self,
        key: AccessKey,
        status: KeyStatus,
        *,
        before: KeyStatus | None = None,
        undoing: bool = False,
        rotation: str = "",
    ) -> StatusChange:
        """Activate or deactivate a key and wait until AWS lists it so.

        Where AWS's reply is lost, its listing shows whether the change was made. A key that has
        the status already is sent it all the same, since the listing may be late; that counts
        as no change.

        Args:
            key: The key.
            status: Active or Inactive.
            before: The status that AWS has just listed; None to ask for it.
            undoing: Whether this takes back a change made before.
            rotation: The rotation it is a step of; empty for none.

        Raises:
            KeytuiError: The status was not changed, or the listing does not show whether it was.
        """
        self.require_writable()
        before = before or self._status_now(key)

        def reached(keys: Keys) -> bool:
            return _status_in(keys, key.id) is status

        # Where it was listed so before, a listing is no evidence of this change.
        evidence = None if before is status else reached
        keys = self._change(key, lambda: self._iam.set_status(key, status), evidence)
        problem = None
        if before is not status:
            event = Event.UNDONE if undoing else Event.STATUS
            problem = self._record.note_key(event, key, detail=status.value, rotation=rotation)
        if keys is None:
            keys = self._settle(key.user, reached)
        return StatusChange(
            replace(key, status=before or key.status), status, keys, problem, before
        )

    def undo(self, change: StatusChange) -> StatusChange:
        """Give a key the status that it had before a change, if AWS still has what that made.

        Raises:
            ChangedSinceError: The key's status was changed since, or the key is deleted.
            KeytuiError: The status was not changed, or AWS does not list the change yet.
        """
        self.require_writable()
        key, seen = change.key, list[KeyStatus | None]()

        def as_made(keys: Keys) -> bool:
            seen[:] = [_status_in(keys, key.id)]
            return seen[0] is change.status

        # Where the listing is late it shows the status from before for a while.
        if self._settle(key.user, as_made) is None:
            raise not_undone(change, seen)
        return self.set_status(key, key.status, before=change.status, undoing=True)

    def _status_now(self, key: AccessKey) -> KeyStatus | None:
        """Return the status that AWS lists for a key; None where it lists none or can't say.

        A listing that is denied or fails must not keep a key from being deactivated.
        """
        try:
            return _status_in(self._iam.keys(key.user), key.id)
        except NotFoundError:
            raise
        except AwsError:
            return None

    def delete(self, key: AccessKey, *, rotation: str = "") -> StatusChange:
        """Delete an inactive key, remember it as deleted, and wait until AWS lists it no more.

        Its description goes with it, also one that was not read yet.

        Raises:
            KeytuiError: The key was not deleted; also where AWS lists it as active.
        """
        self.require_writable()
        if _status_in(self._iam.keys(key.user), key.id) is KeyStatus.ACTIVE:
            raise KeytuiError(
                f"{key.id} is active; keytui deletes only inactive keys.",
                "Nothing was changed.",
                "Make it inactive first (d), and see that nothing breaks.",
            )

        def reached(keys: Keys) -> bool:
            return _status_in(keys, key.id) is None

        keys = self._change(key, lambda: self._iam.delete_key(key), reached)
        problem = self._record.note_key(Event.DELETED, key, rotation=rotation)
        self._forget_description(key)
        if keys is None:
            keys = self._settle(key.user, reached)
        return StatusChange(key, KeyStatus.DELETED, keys, problem)

    def _change(
        self,
        key: AccessKey,
        change: Callable[[], None],
        evidence: Callable[[Keys], bool] | None,
    ) -> Keys | None:
        """Make a change; return the listing that shows it, where one was asked for.

        ``evidence`` says of a listing whether it shows that the change was made; None where
        none can.

        Raises:
            AwsError: It was refused, or its reply is lost and no listing shows it.
        """
        try:
            change()
        except REFUSALS:
            raise
        except AwsError:
            keys = self._settle(key.user, evidence) if evidence else None
            if keys is None:
                raise
            return keys
        return None

    # A new key and its secret.

    def create(
        self,
        user: User,
        store: SecretStore | None,
        description: str = "",
        progress: Callable[[str], None] = lambda _: None,
        made: Callable[[Custody], None] = lambda _: None,
        rotation: str = "",
        *,
        probe: Probe | None = None,
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
            rotation: The rotation it is a step of; empty for none.
            probe: What a test of the store said just now; None to test it.

        Raises:
            UnansweredError: A key may have been made whose secret is lost.
            KeytuiError: No key was made.
        """
        self.require_writable()
        progress("Checking the user's keys")
        before = self._iam.keys(user)
        if len(before) >= QUOTA:
            raise quota_reached(user, before)
        if store:
            progress("Checking that the secret can be kept")
            if probe is None or not (probe.writable and probe.is_fresh):
                probe = store.probe()
            if not probe.writable:
                raise StoreError(probe.reason, "No key was made.", probe.next_step)
        progress("Writing keytui's record")
        attempt = self._begin(user, before, store, rotation)
        progress("Waiting for AWS to make the key")
        custody = Custody(self._request_key(user, attempt), attempt)
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
        self._note(custody, Event.STORING, store=store.locator)
        try:
            receipt = store.put(custody.new)
        except StoreTimeoutError:
            raise  # It may be there all the same.
        except StoreError:
            # An earlier line that it is there may have been lost on a full disk.
            if not custody.kept:
                self._note(custody, Event.NOT_STORED, store=store.locator)
            raise
        custody.receipts.append(receipt)
        custody.problem = None
        if problem := self._written(custody, Event.STORED, store=store.locator):
            self._journal.mark(custody.attempt)
            custody.unrecorded = True
            custody.warnings.append(unrecorded(custody, problem))
        return receipt

    def shown(self, custody: Custody) -> None:
        """Remember that the secret was shown or sent away: somebody may have it."""
        if not custody.shown:
            custody.shown = True
            self._note(custody, Event.SHOWN)

    def discard(self, custody: Custody) -> None:
        """Delete a new key whose secret nobody keeps: inactive first, then gone.

        Raises:
            KeytuiError: The key is still there.
        """
        self.discard_key(custody.new.key, custody.attempt)
        custody.discarded = True

    def leave(self, custody: Custody) -> None:
        """Leave a new key as it is, on its user's word, with its secret in no store."""
        self._note(custody, Event.UNKEPT)

    def let_go(self, custody: Custody) -> None:
        """The secret is no longer in this process: what is open is for ``recovery``."""
        self._journal.release(custody.attempt)

    def discard_key(self, key: AccessKey, attempt: str) -> None:
        """Delete a key that nobody should use: inactive first, then gone.

        Args:
            key: The key.
            attempt: Its creation, as the journal names it.

        Raises:
            KeytuiError: The key is still there, maybe inactive.
        """
        self.require_writable()
        try:
            self._iam.set_status(key, KeyStatus.INACTIVE)
        except REFUSALS:
            raise
        except AwsError:
            pass  # Whether or not it is inactive by now, deleting it is what counts.

        def reached(keys: Keys) -> bool:
            return _status_in(keys, key.id) is None

        self._change(key, lambda: self._iam.delete_key(key), reached)
        self._record.note_key(Event.DISCARDED, key, attempt=attempt)
        self._record.note_key(Event.DELETED, key)
        self._forget_description(key)

    def rescue(
        self, custody: Custody, store: SecretStore, stopped: Callable[[], bool] = lambda: False
    ) -> str:
        """Save a secret that its user can't see any more: the terminal is gone.

        It goes into the store; where that fails, the key is made inactive and deleted, since
        nobody could ever use it.

        Args:
            custody: The secret.
            store: Where it goes.
            stopped: Whether keytui was stopped meanwhile: then the time that the store had
                is no word on it, and it is asked once more.

        Returns:
            What became of it, one sentence.
        """
        key_id = custody.new.key.id
        try:
            return f"The secret of {key_id} is in: {self._keep(custody, store, stopped).where}."
        except Exception:  # noqa: BLE001, S110 - the last guard: no fault may leave the key behind
            pass
        try:
            self.discard(custody)
        except KeytuiError as error:
            return f"{key_id} exists and its secret is lost: delete it. {error}"
        return f"{key_id} was deleted again: its secret could not be kept."

    def _keep(self, custody: Custody, store: SecretStore, stopped: Callable[[], bool]) -> Receipt:
        try:
            return self.keep(custody, store)
        except StoreTimeoutError:
            if not stopped():
                raise
        return self.keep(custody, store)

    def _begin(self, user: User, before: Keys, store: SecretStore | None, rotation: str) -> str:
        """Write down that a key is about to be asked for. Raises ``StateError``."""
        attempt = token_hex(8)
        self._journal.claim(attempt)
        try:
            self._record.write(
                Event.CREATING,
                user,
                attempt=attempt,
                store=store.locator if store else "",
                asked=self._aws_time(),
                detail=" ".join(key.id for key in before),
                rotation=rotation,
            )
        except KeytuiError:
            self._journal.release(attempt)
            raise
        return attempt

    def _request_key(self, user: User, attempt: str) -> NewAccessKey:
        lost: LostReplyError | None = None
        try:
            return self._iam.create_key(user)
        except LostReplyError as error:
            lost = error
        except AwsError:
            self._record.note(Event.NOT_CREATED, user, attempt=attempt)
            raise
        self._record.note(Event.REPLY_LOST, user, attempt=attempt, asked=self._aws_time())
        self._journal.release(attempt)
        raise UnansweredError(lost, attempt)

    def _aws_time(self) -> str:
        return self._iam.clock().isoformat(timespec="seconds")

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
        """Remove a deleted key's tag; one that is left behind does no harm."""
        with suppress(AwsError):
            if key.description or key.id in self._iam.descriptions(key.user):
                self._iam.remove_description(key.user, key.id)

    def _settle(self, user: User, reached: Callable[[Keys], bool]) -> Keys | None:
        """Wait until AWS lists a user's keys as wanted; return that listing, else None.

        A user who is gone has no keys.
        """
        seen: Keys = ()

        def listed(keys: Keys) -> bool:
            nonlocal seen
            seen = keys
            return reached(keys)

        try:
            return seen if self._wait.until(self._iam, user, listed, SETTLE_SECONDS) else None
        except NotFoundError:
            return () if reached(()) else None

    def _note(self, custody: Custody, event: Event, store: str = "") -> None:
        problem = self._written(custody, event, store)
        if problem and str(problem) not in map(str, custody.warnings):
            custody.warnings.append(problem)

    def _written(self, custody: Custody, event: Event, store: str = "") -> StateError | None:
        more = {"attempt": custody.attempt, "store": store}
        return self._record.note_key(event, custody.new.key, **more)


def quota_reached(user: User, keys: Keys) -> QuotaError:
    """Return the sentence for a user who has all the keys that AWS allows."""
    return QuotaError(
        f"{user.name} has {len(keys)} access keys; AWS allows {QUOTA}.",
        "No key was made.",
        f"{could_go(keys)} Delete one first (x, or keytui delete).",
    )


def _status_in(keys: Keys, key_id: str) -> KeyStatus | None:
    return next((key.status for key in keys if key.id == key_id), None)
