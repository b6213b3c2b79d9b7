"""The steps of a rotation, each safe to stop after and to continue in a later run.

Test the store → create → store → verify → repoint → watch → deactivate the old key → delete it.
Both keys work until the old key is deactivated; before that, the new key has been seen to work
with the secret as its store has it. The old key and its stored secret stay until the old key is
deleted: until then every step can be rolled back.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from secrets import token_hex
from typing import Generic

from keytui.core.errors import AwsError, KeytuiError, NotFoundError, StateError, StoreError
from keytui.core.iam import Iam
from keytui.core.model import AccessKey, Identity, KeyStatus, LastUsed, Secret
from keytui.core.waiting import Wait
from keytui.journal.log import Event, Journal
from keytui.journal.recorder import Record
from keytui.journal.rotations import Rotation, Step, left_over, open_rotations, rotations
from keytui.keys.local_use import LocalUse
from keytui.keys.lookup import described
from keytui.keys.operations import QUOTA, Lifecycle, quota_reached
from keytui.keys.outcomes import Custody, Dependence, StatusChange
from keytui.rotation.keys import IN_A_ROW, LISTED_SECONDS, VERIFY_SECONDS, KeySecrets, Proof
from keytui.rotation.profiles import Plans, Profiles, R
from keytui.rotation.rollback import WayBack
from keytui.stores.base import Probe, SecretStore
from keytui.stores.vault import Vault

TIDIED_AT_ONCE = 5
"""How many rotations are ended in one go, at most: AWS is asked about each."""


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
        plans: Callable[[Rotation], Plans[R]] = lambda _: Plans(),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        wait: Wait | None = None,
    ) -> None:
        """Take the parts.

        ``who`` asks AWS whose a key is, signing with it. ``plans`` says how local profiles could
        be given the new key; it blocks and raises ``StoreError``.
        """
        self._iam, self._journal, self._lifecycle = iam, journal, lifecycle
        self._profiles, self._uses_here, self.plans = profiles, uses_here, plans
        self._proof, self._record = Proof(iam, who, wait or Wait()), Record(iam, journal, now)
        self._secrets = KeySecrets(vault, store_at, self._proof)
        self._way_back = WayBack(
            iam, lifecycle, self._proof, self._secrets, self._record, profiles, uses_here
        )

    # Looking.

    @property
    def signing_key_id(self) -> str:
        """The key that signs keytui's own calls."""
        return self._iam.signing_key_id()

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
        """Reserve a rotation for this keytui; False where another has it. Raises ``StateError``."""
        return self._journal.claim(rotation.id)

    def release(self, rotation: Rotation) -> None:
        """Let another keytui work on it."""
        self._journal.release(rotation.id)

    def dependence(self, rotation: Rotation) -> Dependence:
        """Ask AWS what depends on the old key."""
        return self._lifecycle.dependence(rotation.old)

    def watch(self, rotation: Rotation) -> Watch:
        """Ask AWS when both keys were last used."""
        since = max(rotation.done.values(), default=rotation.at)
        here = tuple(use for use in self._uses_here(rotation.old_id) if use.depends)
        old, new = self._last_used(rotation.old_id), self._last_used(rotation.new_id)
        return Watch(old, new, since, here)

    def backups(self, rotation: Rotation) -> tuple[str, ...]:
        """Return where the AWS files' backups are."""
        found = (self._profiles.backup(change) for change in rotation.repointed)
        return tuple(dict.fromkeys(path for path in found if path))

    # Forward.

    def require_ready(self, key: AccessKey) -> AccessKey:
        """Return a key as AWS lists it, if it can be rotated now.

        Raises:
            QuotaError: The user has two keys already; one has to go first.
            KeytuiError: Only an active key is rotated.
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
        return listed

    def begin(self, key: AccessKey, store: SecretStore, probe: Probe | None = None) -> Rotation:
        """Test the store, and write down that a key is to be replaced.

        Args:
            key: The key, as ``require_ready`` has returned it.
            store: Where the new secret goes.
            probe: What a test of the store said just now; None to test it.

        Raises:
            KeytuiError: The store can't be used, or the key can't be rotated. Nothing was changed.
        """
        self._lifecycle.require_writable()
        probe = probe or store.probe()
        if not probe.writable:
            raise StoreError(probe.reason, "Nothing was changed.", probe.next_step)
        name = token_hex(8)
        self._journal.claim(name)
        try:
            self._record.write_key(Event.ROTATING, key, name, store=store.locator)
            rotation = self.of_key(key.id)
            if rotation is not None and rotation.id == name:
                return rotation
            # Another keytui was a moment earlier: one rotation of a key is enough.
            self._record.write_key(Event.ABANDONED, key, name)
        except StateError:
            self._journal.release(name)
            raise
        self._journal.release(name)
        raise KeytuiError("Another keytui has begun to rotate this key.", "Nothing was changed.")

    def create(
        self,
        rotation: Rotation,
        progress: Callable[[str], None] = lambda _: None,
        made: Callable[[Custody], None] = lambda _: None,
        probe: Probe | None = None,
    ) -> Custody:
        """Create the new key and put its secret into the store; see ``Lifecycle.create``.

        The old key's description goes over to it.

        Args:
            rotation: The rotation.
            progress: Called with a word on what is being done.
            made: Called with the secret the moment it is there.
            probe: What ``begin`` was given just now: it spares another test of the store, and
                another look whether the old key is active. None in a later run.
        """
        if rotation.new_id or rotation.rolling_back or rotation.keyless:
            raise _not_now(rotation)
        listed = probe or self._proof.listed(rotation.owner, rotation.old_id, active=True)
        if not listed:
            raise KeytuiError(
                f"AWS does not list the old key {rotation.old_id} as active.",
                "No key was made.",
                "Make it active (a), or end the rotation.",
            )
        store = self._secrets.store(rotation)
        text = described(self._iam, rotation.old).description
        return self._lifecycle.create(
            rotation.owner, store, text, progress, made, rotation.id, probe=probe
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
        self._proof.accepted(
            rotation.new_id,
            self._secrets.new(rotation),
            in_a_row=IN_A_ROW,
            seconds=VERIFY_SECONDS,
            progress=progress,
            left=left,
        )
        self._record.write_key(Event.VERIFIED, rotation.new, rotation.id)
        self._take_over(rotation)

    def repoint(self, rotation: Rotation, changes: Iterable[R]) -> None:
        """Let local profiles use the new key, and watch the old one from then on.

        Args:
            rotation: The rotation.
            changes: The changes wanted; none to leave the profiles to their user.

        Raises:
            StoreError: A profile could not be changed; those before it are.
        """
        secret = self._proved(rotation, Step.VERIFY)
        for change in changes:
            # Written down first: a way back is needed also from a change that was cut short.
            text = self._profiles.record(change, rotation.id)
            self._record.write_key(Event.REPOINTED, rotation.new, rotation.id, detail=text)
            self._profiles.repoint(change, secret, rotation.id)
        self._record.write_key(Event.WATCHING, rotation.old, rotation.id)

    def retire(self, rotation: Rotation) -> StatusChange | None:
        """Deactivate the old key, after checking once more that the new one works.

        Returns:
            The change; None where somebody else has deleted the old key.

        Raises:
            KeytuiError: The old key was not deactivated.
        """
        secret = self._proved(rotation, Step.REPOINT)
        self._require_usable_profiles(rotation, secret)
        self._take_over(rotation)
        try:
            return self._proof.steady(lambda: self._deactivate_old(rotation))
        except NotFoundError:
            self._record.write_key(Event.GONE, rotation.old, rotation.id)
            return None

    def _require_usable_profiles(self, rotation: Rotation, secret: Secret) -> None:
        """Raise ``KeytuiError`` where a repointed profile works only while this keytui runs."""
        found = (self._profiles.unusable(change, secret) for change in rotation.repointed)
        if dead := list(dict.fromkeys(one for one in found if one)):
            raise KeytuiError(
                f"{', '.join(dead)} does not give the new key to a new process: the AWS tools "
                "could not use it once keytui has ended.",
                "Nothing was changed; the old key is active.",
                "Make the keyring available there (keytui doctor shows how), or roll back and "
                "rotate again with static keys in the file (--profiles rewrite).",
            )

    def _deactivate_old(self, rotation: Rotation) -> StatusChange:
        """Deactivate the old key, and write down whether this rotation did it.

        Only then may a rollback activate it: a colleague may have had a reason.
        """
        old, name = rotation.old, rotation.id
        listed = self._iam.keys(rotation.owner)
        before = next((key.status for key in listed if key.id == old.id), None)
        active = before is KeyStatus.ACTIVE
        if active:
            self._record.write_key(Event.RETIRING, old, name)
        off = KeyStatus.INACTIVE
        change = self._lifecycle.set_status(old, off, before=before, rotation=name)
        if not change.made and Step.RETIRE not in rotation.done:
            # Killed between AWS's answer and the line about it, or somebody else was quicker.
            ours = rotation.retired and not active
            event = Event.STATUS if ours else Event.FOUND_INACTIVE
            self._record.write_key(event, old, name, detail=KeyStatus.INACTIVE.value)
        return change

    def delete(self, rotation: Rotation) -> list[KeytuiError]:
        """Delete the old key and its stored secret, which ends the rotation.

        Returns:
            What could not be cleared away after the key was deleted.

        Raises:
            KeytuiError: The old key was not deleted.
        """
        self._proved(rotation, Step.REPOINT)
        self._take_over(rotation)
        old = described(self._iam, replace(rotation.old, status=KeyStatus.INACTIVE))
        change = self._proof.steady(lambda: self._lifecycle.delete(old, rotation=rotation.id))
        return ([change.problem] if change.problem else []) + self.finish(rotation)

    def finish(self, rotation: Rotation, seconds: float = LISTED_SECONDS) -> list[KeytuiError]:
        """End a rotation whose old key is deleted: clear away its secret and the backups.

        Nothing is cleared away, and the rotation stays open, until AWS confirms that.

        Args:
            rotation: The rotation.
            seconds: How long AWS may take to confirm it.

        Returns:
            What could not be cleared away.

        Raises:
            StateError: The end could not be written down.
        """
        try:
            problems = self._secrets.forget(rotation.old_id, rotation.owner, seconds)
        except KeytuiError as error:
            return [error]
        for change in rotation.repointed:
            try:
                self._profiles.drop_backup(change)
            except StoreError as error:
                problems.append(error)
        self._record.write_key(Event.ROTATED, rotation.old, rotation.id)
        self._journal.release(rotation.id)
        return problems

    def end_if_gone(self, rotation: Rotation) -> list[KeytuiError] | None:
        """End a rotation whose inactive old key is deleted by now.

        Somebody else did that, or keytui was killed before it could write it down.

        Returns:
            What could not be cleared away; None where the key exists, and the rotation continues.

        Raises:
            AwsError: AWS can't be asked.
            StateError: The end could not be written down.
        """
        if Step.RETIRE not in rotation.done or rotation.rolling_back:
            return None
        if not self._proof.gone(rotation.old_id, (rotation.owner,), 0):
            return None
        self._record.write_key(Event.GONE, rotation.old, rotation.id)
        return self.finish(rotation)

    def tidy(self) -> list[KeytuiError]:
        """End the rotations whose old key was deleted by other means, and clear away.

        Returns:
            What could not be cleared away.
        """
        if self._lifecycle.read_only:
            return []
        problems: list[KeytuiError] = []
        found = left_over(self._journal.entries(), self._iam.identity().account)
        for one in found[:TIDIED_AT_ONCE]:
            if self._journal.claim(one.id):
                problems += self.finish(one, 0)
                self._journal.release(one.id)
        return problems

    def abandon(self, rotation: Rotation) -> None:
        """End a rotation where it is; both keys stay as they are.

        Raises:
            StateError: It could not be written down.
        """
        self._record.write_key(Event.ABANDONED, rotation.old, rotation.id)
        self._journal.release(rotation.id)

    # Back.

    def roll_back(
        self, rotation: Rotation, progress: Callable[[str], None] = lambda _: None
    ) -> list[KeytuiError]:
        """Activate the old key, put the profiles back, and delete the new key.

        Safe to repeat after an interruption.

        Returns:
            What could not be cleared away after the new key was deleted.

        Raises:
            KeytuiError: It is not done; whatever depends on the new key keeps working.
        """
        self._lifecycle.require_writable()
        problems = self._way_back.go(rotation, progress)
        self._journal.release(rotation.id)
        return problems

    # What the steps share.

    def _take_over(self, rotation: Rotation) -> None:
        """Let the new key sign keytui's calls, where the old one does."""
        if self._iam.signing_key_id() == rotation.old_id:
            self._iam.sign_with(rotation.new_id, self._secrets.new(rotation))

    def _proved(self, rotation: Rotation, after: Step) -> Secret:
        """Return the new secret, after checking once more that the new key works with it.

        Args:
            rotation: The rotation.
            after: The step that must be done.

        Raises:
            KeytuiError: It does not; nothing was changed.
        """
        self._lifecycle.require_writable()
        if not {Step.VERIFY, after} <= rotation.done.keys() or rotation.rolling_back:
            raise _not_now(rotation)
        if not self._proof.listed(rotation.owner, rotation.new_id, active=True):
            raise KeytuiError(
                f"AWS does not list the new key {rotation.new_id} as active.",
                "The old key was not changed: nothing else might be left that works.",
                "Make the new one active (a), or roll back.",
            )
        secret = self._secrets.new(rotation)
        self._proof.accepted(rotation.new_id, secret)
        return secret

    def _last_used(self, key_id: str) -> LastUsed | None:
        try:
            return self._iam.last_used(key_id) if key_id else None
        except AwsError:
            return None


def _not_now(rotation: Rotation) -> KeytuiError:
    return KeytuiError(
        f"This is not the next step of the {rotation.title}.", "Nothing was changed."
    )
