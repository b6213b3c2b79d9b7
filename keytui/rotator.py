"""The verbs of a rotation: each step safe to stop after, and to take up in a later run.

probe → create → store → verify → repoint → watch → make the old inactive → delete the old.
Until the old key is made inactive, both keys work; before that is done, the new one has been
seen to work with the secret as the store has it. The old key and its stored secret stay until
the old key is deleted. Until then there is a way back from every step.
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from secrets import token_hex
from typing import Generic, Protocol, TypeVar

from keytui.errors import (
    AwsError,
    CredentialsError,
    KeytuiError,
    NotFoundError,
    StateError,
    StoreError,
    UnknownKeyError,
)
from keytui.journal import Event, Journal
from keytui.lifecycle import QUOTA, Lifecycle, quota_reached
from keytui.model import AccessKey, Identity, KeyStatus, LastUsed, Secret
from keytui.outcomes import Custody, StatusChange
from keytui.ports import Iam
from keytui.record import Record
from keytui.rotations import Rotation, Step, open_rotations, rotations
from keytui.settle import Keys, Wait
from keytui.stores.base import SecretStore
from keytui.uses import LocalUse
from keytui.vault import Vault

IN_A_ROW = 3
"""How often AWS has to accept a new key, one time after the other: it may flap."""
VERIFY_SECONDS = 120.0
"""How long a new key may take to be accepted; 8 to 15 s are common."""
STEADY_SECONDS = 30.0
"""How long a call is tried again that a new key signs and AWS does not know yet."""
BETWEEN_SECONDS = 1.0
LISTED_SECONDS = 15.0
"""How long AWS may take to list a new key, or its new status."""

T = TypeVar("T")


class Repoint(Protocol):
    """A change of one local profile, planned and not made yet."""

    @property
    def use(self) -> LocalUse:
        """The profile."""

    @property
    def diff(self) -> tuple[str, ...]:
        """The change as lines to show, without any secret."""


R = TypeVar("R", bound=Repoint, contravariant=True)


class Profiles(Protocol[R]):
    """The local AWS profiles, as a rotation needs them. Methods block."""

    def record(self, change: R, stamp: str) -> str:
        """Return what ``put_back`` will need of a change, without a secret."""

    def repoint(self, change: R, secret: Secret, stamp: str) -> None:
        """Make a change, with a backup; one that is made already stays as it is.

        Raises:
            StoreError: Nothing was changed.
        """

    def put_back(self, change: str) -> bool:
        """Take a change back, if it was made; False where somebody has changed that profile since.

        Raises:
            StoreError: Nothing was changed.
        """

    def drop_backup(self, change: str) -> None:
        """Delete a change's backup. Raises ``StoreError``."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What AWS says of the use of both keys.

    Attributes:
        old: The old key's last use; None where it may not be read.
        new: The new key's last use; None where it may not be read.
        since: From when on nothing should use the old key.
        here: What on this machine still names the old key.
    """

    old: LastUsed | None
    new: LastUsed | None
    since: datetime
    here: tuple[LocalUse, ...] = ()

    @property
    def still_used(self) -> bool:
        """Whether the old key was used since it should not be."""
        return bool(self.old and self.old.when and self.old.when > self.since)


class Rotator(Generic[R]):
    """Rotations in one account."""

    def __init__(
        self,
        iam: Iam,
        journal: Journal,
        lifecycle: Lifecycle,
        vault: Vault,
        store_at: Callable[[str], SecretStore | None],
        who: Callable[[str, Secret], Identity],
        profiles: Profiles[R],
        uses_here: Callable[[str], tuple[LocalUse, ...]] = lambda _: (),
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Wait | None = None,
    ) -> None:
        """Take the parts.

        Args:
            iam: The account.
            journal: keytui's record.
            lifecycle: The verbs on keys.
            vault: The secrets that the keyring holds.
            store_at: Opens the store of a locator.
            who: Asks AWS whose a key is, signing with it.
            profiles: The local AWS profiles.
            uses_here: Where this machine names a key.
            now: The clock.
            wait: How IAM is waited for.
        """
        self._iam = iam
        self._journal = journal
        self._lifecycle = lifecycle
        self._vault = vault
        self._store_at = store_at
        self._who = who
        self._profiles = profiles
        self._uses_here = uses_here
        self._record = Record(iam, journal, now)
        self._now = now
        self._wait = wait or Wait()

    # Looking.

    def of_key(self, key_id: str) -> Rotation | None:
        """Return the open rotation that a key is part of. Raises ``StateError``."""
        account = self._iam.identity().account
        found = open_rotations(self._journal.entries(), account)
        return next((one for one in found if one.has(key_id)), None)

    def again(self, rotation: Rotation) -> Rotation:
        """Return a rotation as the journal has it now. Raises ``StateError``."""
        found = rotations(self._journal.entries())
        return next((one for one in found if one.id == rotation.id), rotation)

    def claim(self, rotation: Rotation) -> bool:
        """Say that this keytui works on it; False where another does. Raises ``StateError``."""
        return self._journal.claim(rotation.id)

    def release(self, rotation: Rotation) -> None:
        """Work on it no longer, far as it is."""
        self._journal.release(rotation.id)

    # Forward.

    def begin(self, key: AccessKey, store: SecretStore) -> Rotation:
        """Prove the store and write down that a key is to be replaced.

        Raises:
            QuotaError: The user has two keys already; one has to go first.
            KeytuiError: The key can't be rotated now. Nothing was changed.
        """
        self._lifecycle.require_writable()
        keys = self._iam.keys(key.user)
        listed = next((one for one in keys if one.id == key.id), None)
        if listed is None or listed.status is not KeyStatus.ACTIVE:
            raise KeytuiError(
                f"{key.id} is not active: only an active key is rotated.",
                "Nothing was changed.",
                "c creates a new key, x deletes this one.",
            )
        if len(keys) >= QUOTA:
            raise quota_reached(key.user, keys)
        probe = store.probe()
        if not probe.writable:
            raise StoreError(probe.reason, "Nothing was changed.", probe.next_step)
        name = token_hex(8)
        self._journal.claim(name)
        self._write(Event.ROTATING, listed, name, store=store.locator)
        found = rotations(self._journal.entries())
        return next(one for one in found if one.id == name)

    def store(self, rotation: Rotation) -> SecretStore:
        """Return the store that the new secret is to go to. Raises ``StoreError``."""
        store = self._store_at(rotation.chosen)
        if store is None:
            raise StoreError(
                f"keytui does not know the store {rotation.chosen}.", "No key was made."
            )
        return store

    def description(self, rotation: Rotation) -> str:
        """Return the old key's description, which the new one takes over; empty for none."""
        return self._described(rotation.old).description

    def create(
        self,
        rotation: Rotation,
        store: SecretStore,
        description: str = "",
        progress: Callable[[str], None] = lambda _: None,
        made: Callable[[Custody], None] = lambda _: None,
    ) -> Custody:
        """Create the new key and put its secret into the store; see ``Lifecycle.create``."""
        if rotation.new_id or rotation.rolling_back:
            raise _not_now(rotation)
        return self._lifecycle.create(
            rotation.owner, store, description, progress, made, rotation.id
        )

    def verify(
        self,
        rotation: Rotation,
        progress: Callable[[str], None] = lambda _: None,
        left: Callable[[], bool] = lambda: False,
    ) -> None:
        """Wait until AWS accepts the new key, with the secret as its store has it.

        Where the old key signs keytui's own calls, the new one takes over after it.

        Raises:
            StoreError: The secret can't be read.
            KeytuiError: AWS does not accept the key, or not yet; both keys are as they were.
        """
        secret = self._secret(rotation)
        self._accepted(rotation, rotation.new_id, secret, IN_A_ROW, VERIFY_SECONDS, progress, left)
        self._write(Event.VERIFIED, self._new(rotation), rotation.id)
        self._take_over(rotation)

    def repoint(self, rotation: Rotation, changes: Iterable[R]) -> None:
        """Let local profiles use the new key, and watch the old one from then on.

        Args:
            rotation: The rotation.
            changes: The changes wanted; none to leave the profiles to their user.

        Raises:
            StoreError: A profile could not be changed; those before it are.
        """
        self._lifecycle.require_writable()
        self._require_proof(rotation)
        secret = self._secret(rotation)
        for change in changes:
            # Written down first: a way back is needed also from a change that was cut short.
            text = self._profiles.record(change, rotation.id)
            self._write(Event.REPOINTED, self._new(rotation), rotation.id, detail=text)
            self._profiles.repoint(change, secret, rotation.id)
        self._write(Event.WATCHING, rotation.old, rotation.id)

    def watch(self, rotation: Rotation) -> Watch:
        """Ask AWS when both keys were last used."""
        since = max(rotation.done.values(), default=rotation.at)
        here = tuple(use for use in self._uses_here(rotation.old_id) if use.depends)
        old, new = self._last_used(rotation.old_id), self._last_used(rotation.new_id)
        return Watch(old, new, since, here)

    def retire(self, rotation: Rotation) -> StatusChange:
        """Make the old key inactive, once more seeing before it that the new one works.

        Raises:
            KeytuiError: The old key was not made inactive.
        """
        self._lifecycle.require_writable()
        self._require_proof(rotation)
        self._require_new_active(rotation)
        secret = self._secret(rotation)
        self._accepted(rotation, rotation.new_id, secret, 1, STEADY_SECONDS)
        self._take_over(rotation)
        return self._steady(
            lambda: self._lifecycle.set_status(
                rotation.old, KeyStatus.INACTIVE, rotation=rotation.id
            )
        )

    def delete(self, rotation: Rotation) -> list[KeytuiError]:
        """Delete the old key and forget its secret: the rotation has ended.

        Returns:
            What could not be cleared away after the key was deleted.

        Raises:
            KeytuiError: The old key was not deleted.
        """
        self._lifecycle.require_writable()
        self._require_proof(rotation)
        self._require_new_active(rotation)
        self._take_over(rotation)
        old = self._described(replace(rotation.old, status=KeyStatus.INACTIVE))
        self._steady(lambda: self._lifecycle.delete(old, rotation=rotation.id))
        problems = self._forget(rotation.old_id)
        for change in rotation.repointed:
            try:
                self._profiles.drop_backup(change)
            except StoreError as error:
                problems.append(error)
        self._write(Event.ROTATED, old, rotation.id)
        self._journal.release(rotation.id)
        return problems

    def abandon(self, rotation: Rotation) -> None:
        """End a rotation where it is, on the user's word: both keys stay as they are.

        Raises:
            StateError: It could not be written down.
        """
        self._write(Event.ABANDONED, rotation.old, rotation.id)
        self._journal.release(rotation.id)

    # Back.

    def roll_back(
        self, rotation: Rotation, progress: Callable[[str], None] = lambda _: None
    ) -> list[KeytuiError]:
        """Return to the old key: active again, profiles put back, the new key deleted.

        Safe to be repeated where it was cut short.

        Returns:
            What could not be cleared away after the new key was deleted.

        Raises:
            KeytuiError: It is not done; whatever depends on the new key keeps working.
        """
        self._lifecycle.require_writable()
        keys = {key.id: key for key in self._steady(lambda: self._iam.keys(rotation.owner))}
        old = keys.get(rotation.old_id)
        if old is None:
            raise KeytuiError(
                f"The old key {rotation.old_id} is deleted: there is no way back.",
                "The new key is as it was.",
            )
        if not rotation.rolling_back:
            self._write(Event.ROLLING_BACK, old, rotation.id)
        if old.status is not KeyStatus.ACTIVE or Step.RETIRE in rotation.done:
            progress("Making the old key active")
            self._reactivate(rotation, old)
        progress("Putting the profiles back")
        self._put_back(rotation)
        problems = []
        if rotation.new_id:
            progress("Deleting the new key")
            self._discard(rotation)
            problems = self._forget(rotation.new_id)
        self._write(Event.ROLLED_BACK, old, rotation.id)
        self._journal.release(rotation.id)
        return problems

    def _reactivate(self, rotation: Rotation, old: AccessKey) -> None:
        change = self._steady(
            lambda: self._lifecycle.set_status(
                old, KeyStatus.ACTIVE, undoing=True, rotation=rotation.id
            )
        )
        if not change.listed:
            raise KeytuiError(
                f"AWS does not list {old.id} as active yet.",
                "The new key is as it was.",
                "Roll back again in some seconds: it goes on where it is.",
            )

    def _put_back(self, rotation: Rotation) -> None:
        for change in reversed(rotation.repointed):
            if self._profiles.put_back(change):
                self._write(Event.PUT_BACK, rotation.old, rotation.id, detail=change)
        left = [use.text for use in self._uses_here(rotation.new_id) if use.depends]
        if rotation.new_id and left:
            raise KeytuiError(
                f"The new key is still used here: {'; '.join(left)}.",
                "Both keys are active; the new one was not deleted.",
                "Change that by hand, then roll back again.",
            )

    def _discard(self, rotation: Rotation) -> None:
        """Delete the new key; where the old one can sign that, it does."""
        listed = self._listed(rotation, lambda _: True)
        new = self._described(listed or self._new(rotation))
        if self._iam.signing_key_id() == new.id:
            self._sign_with_old(rotation)
        # A key that signs its own end can't be made inactive first.
        at_once = self._iam.signing_key_id() == new.id
        attempt = rotation.attempt.id if rotation.attempt else ""
        try:
            self._steady(lambda: self._lifecycle.discard_key(new, attempt, at_once=at_once))
        except NotFoundError:
            if listed:
                raise

    def _sign_with_old(self, rotation: Rotation) -> None:
        """Let the old key sign keytui's calls again, where its secret is at hand."""
        if self._iam.sign_as_before(rotation.old_id):
            return
        secret = self._kept(rotation.old_id)
        if secret is not None:
            self._accepted(rotation, rotation.old_id, secret, 1, STEADY_SECONDS)
            self._iam.sign_with(rotation.old_id, secret)

    # What the steps share.

    def _accepted(
        self,
        rotation: Rotation,
        key_id: str,
        secret: Secret,
        in_a_row: int,
        seconds: float,
        progress: Callable[[str], None] = lambda _: None,
        left: Callable[[], bool] = lambda: False,
    ) -> None:
        """Wait until AWS accepts a key some times in a row. Raises ``KeytuiError``."""
        deadline, seen = self._wait.clock() + seconds, 0
        error: AwsError | None = None
        for _ in range(int(seconds / BETWEEN_SECONDS) + in_a_row):
            progress(f"Asking AWS whether it accepts {key_id}: {seen} of {in_a_row}")
            error = self._ask(rotation, key_id, secret)
            seen = 0 if error else seen + 1
            if seen == in_a_row:
                return
            if left() or self._wait.clock() >= deadline:
                break
            self._wait.sleep(BETWEEN_SECONDS)
            if left():
                break
        why = "" if error is None or isinstance(error, UnknownKeyError) else error.title
        raise KeytuiError(
            f"AWS does not accept {key_id} reliably yet. {why}".strip(),
            "Both keys are as they were, and the new secret is kept.",
            "A new key may take some seconds: try again.",
        )

    def _ask(self, rotation: Rotation, key_id: str, secret: Secret) -> AwsError | None:
        """Ask AWS once whose a key is; return why it could not say.

        Raises:
            KeytuiError: The secret is not the key's, or the key is somebody else's.
        """
        try:
            identity = self._who(key_id, secret)
        except UnknownKeyError as error:
            return error  # Not valid yet, which is common for some seconds.
        except CredentialsError:
            raise
        except AwsError as error:
            return error
        if identity.account != rotation.account:
            raise KeytuiError(
                f"{key_id} is of the account {identity.account}, not {rotation.account}.",
                "Both keys are as they were.",
            )
        return None

    def _take_over(self, rotation: Rotation) -> None:
        """Let the new key sign keytui's calls, where the old one does."""
        if self._iam.signing_key_id() == rotation.old_id:
            self._iam.sign_with(rotation.new_id, self._secret(rotation))

    def _steady(self, call: Callable[[], T]) -> T:
        """Make a call, again where AWS does not know the new key that signs it yet."""
        deadline = self._wait.clock() + STEADY_SECONDS
        for _ in range(int(STEADY_SECONDS / BETWEEN_SECONDS)):
            try:
                return call()
            except UnknownKeyError:
                if self._wait.clock() >= deadline:
                    raise
            self._wait.sleep(BETWEEN_SECONDS)
        return call()

    def _require_proof(self, rotation: Rotation) -> None:
        if Step.VERIFY not in rotation.done or rotation.rolling_back:
            raise _not_now(rotation)

    def _require_new_active(self, rotation: Rotation) -> None:
        if not self._listed(rotation, lambda key: key.status is KeyStatus.ACTIVE):
            raise KeytuiError(
                f"AWS does not list the new key {rotation.new_id} as active.",
                "The old key was not changed: nothing else might be left that works.",
                "Make the new one active (a), or roll back.",
            )

    def _listed(self, rotation: Rotation, so: Callable[[AccessKey], bool]) -> AccessKey | None:
        """Wait until AWS lists the new key, and it is so; return it, None where it isn't."""
        seen: list[AccessKey] = []

        def reached(keys: Keys) -> bool:
            seen[:] = [key for key in keys if key.id == rotation.new_id and so(key)]
            return bool(seen)

        self._wait.until(self._iam, rotation.owner, reached, LISTED_SECONDS)
        return seen[0] if seen else None

    def _secret(self, rotation: Rotation) -> Secret:
        """Return the new secret as its store has it. Raises ``StoreError``."""
        store = self._store_at(rotation.store) if rotation.store else None
        if store is None:
            raise StoreError(
                f"The secret of {rotation.new_id or 'the new key'} is in no store.",
                "The old key was not changed.",
                "Roll back: that deletes the new key.",
            )
        return store.get(rotation.new_id)

    def _kept(self, key_id: str) -> Secret | None:
        """Return a secret from a keyring; None where none can be read."""
        for one in self._vault.held():
            if one.key_id == key_id:
                with suppress(StoreError):
                    return self._vault.get(one)
        return None

    def _forget(self, key_id: str) -> list[KeytuiError]:
        """Forget a deleted key's secret in the keyrings; return what failed."""
        problems: list[KeytuiError] = []
        for one in self._vault.held():
            if one.key_id == key_id:
                try:
                    self._vault.forget(one)
                except (StoreError, StateError) as error:
                    problems.append(error)
        return problems

    def _last_used(self, key_id: str) -> LastUsed | None:
        try:
            return self._iam.last_used(key_id) if key_id else None
        except AwsError:
            return None

    def _described(self, key: AccessKey) -> AccessKey:
        """Return a key with its description, which is to go with it."""
        with suppress(AwsError):
            texts = self._iam.descriptions(key.user)
            return replace(key, description=texts.get(key.id, ""))
        return key

    def _new(self, rotation: Rotation) -> AccessKey:
        return AccessKey(rotation.new_id, rotation.owner, KeyStatus.ACTIVE, None)

    def _write(self, event: Event, key: AccessKey, rotation: str, **more: str) -> None:
        created = key.created.isoformat(timespec="seconds") if key.created else ""
        ids = {"key_id": key.id, "created": created, "rotation": rotation}
        self._record.write(event, key.user, **ids, **more)


def _not_now(rotation: Rotation) -> KeytuiError:
    return KeytuiError(
        f"This is not the next step of the {rotation.title}.", "Nothing was changed."
    )
