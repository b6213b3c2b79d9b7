"""Rolls a rotation back from any step: the old key is in use again, the new one deleted."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from keytui.core.errors import KeytuiError, NotFoundError
from keytui.core.iam import Iam
from keytui.core.model import AccessKey, KeyStatus
from keytui.core.waiting import Keys
from keytui.journal.log import Event
from keytui.journal.recorder import Record
from keytui.journal.rotations import Rotation
from keytui.keys.local_use import LocalUse
from keytui.keys.lookup import described
from keytui.keys.operations import Lifecycle
from keytui.rotation.keys import KeySecrets, Proof
from keytui.rotation.profiles import Profiles

CLOCK_SLACK = timedelta(minutes=1)
"""How much earlier than AWS was asked for it a new key may seem to be created."""
ANY_CLOCK = timedelta(minutes=5)
"""The same where only this machine's time is known: AWS refuses signatures further off."""


@dataclass(frozen=True, slots=True)
class WayBack:
    """Rolls a rotation back. Safe to resume after an interruption."""

    iam: Iam
    lifecycle: Lifecycle
    proof: Proof
    secrets: KeySecrets
    record: Record
    profiles: Profiles[Any]
    uses_here: Callable[[str], tuple[LocalUse, ...]]

    def go(self, rotation: Rotation, progress: Callable[[str], None]) -> list[KeytuiError]:
        """Return to the old key; see ``Rotator.roll_back``."""
        keys = self.proof.steady(lambda: self.iam.keys(rotation.owner))
        old = next((key for key in keys if key.id == rotation.old_id), None)
        if old is None:
            raise KeytuiError(
                f"The old key {rotation.old_id} is deleted: there is no way back.",
                "The new key is as it was.",
            )
        self._require_ours(rotation, keys)
        if not rotation.retired and old.status is not KeyStatus.ACTIVE:
            self._require_active(rotation)
        if not rotation.rolling_back:
            self.record.write_key(Event.ROLLING_BACK, old, rotation.id)
        # The listing may not show yet that this rotation has deactivated it.
        if rotation.retired:
            progress("Activating the old key")
            self._reactivate(rotation, old)
        progress("Putting the profiles back")
        self._put_back(rotation)
        problems: list[KeytuiError] = []
        if rotation.new_id:
            progress("Deleting the new key")
            self._discard(rotation)
        if new_id := rotation.new_id or rotation.gone_id:
            problems += self._forget(new_id, rotation)
            problems += self.secrets.left_in_file(rotation)
        self.record.write_key(Event.ROLLED_BACK, old, rotation.id)
        return problems

    def _require_active(self, rotation: Rotation) -> None:
        """Raise ``KeytuiError`` where somebody else has deactivated the old key."""
        if self.proof.listed(rotation.owner, rotation.old_id, active=True) is None:
            raise KeytuiError(
                f"The old key {rotation.old_id} is inactive, and not by this rotation: somebody "
                "else has deactivated it.",
                "Nothing was changed.",
                "If it may be used again, activate it (a, or keytui activate), then roll back. "
                "To keep both keys as they are, end the rotation (R, l).",
            )

    def _require_ours(self, rotation: Rotation, keys: Keys) -> None:
        """Raise ``KeytuiError`` where AWS says that the new key is none of this rotation.

        keytui's history alone is not believed: a wrong or forged line could name any key.
        """
        attempt = rotation.attempt
        new = next((key for key in keys if key.id == rotation.new_id), None)
        if attempt is None or new is None:
            return
        earliest = attempt.asked - CLOCK_SLACK if attempt.asked else rotation.at - ANY_CLOCK
        early = new.created and new.created < earliest
        if early or new.id in {rotation.old_id, *attempt.before}:
            raise KeytuiError(
                f"{new.id} is older than this rotation: it can't be its new key.",
                "Nothing was changed.",
                "End the rotation (R, l), and change the key by itself.",
            )

    def _forget(self, key_id: str, rotation: Rotation) -> list[KeytuiError]:
        try:
            return self.secrets.forget(key_id, rotation.owner)
        except KeytuiError as error:
            return [error]

    def _reactivate(self, rotation: Rotation, old: AccessKey) -> None:
        change = self.proof.steady(
            lambda: self.lifecycle.set_status(
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
            if self.profiles.put_back(change):
                self.record.write_key(Event.PUT_BACK, rotation.old, rotation.id, detail=change)
        new_id = rotation.new_id
        left = [use.text for use in self.uses_here(new_id) if use.depends] if new_id else []
        if left:
            raise KeytuiError(
                f"The new key is still used here: {'; '.join(left)}.",
                "Both keys are active; the new one was not deleted.",
                "Change that by hand, then roll back again.",
            )

    def _discard(self, rotation: Rotation) -> None:
        """Delete the new key; where it signs keytui's calls, the old one takes over before."""
        listed = self.proof.listed(rotation.owner, rotation.new_id)
        new = described(self.iam, listed or rotation.new)
        if self.iam.signing_key_id() == new.id:
            self._sign_with_old(rotation)
        if self.iam.signing_key_id() == new.id:
            raise KeytuiError(
                f"{new.id} signs keytui's own calls, and the old key's secret is not at hand.",
                "Both keys are active, and the profiles use the old one again.",
                "Roll back again with a profile or variables that have the old key.",
            )
        attempt = rotation.attempt.id if rotation.attempt else ""
        try:
            self.proof.steady(lambda: self.lifecycle.discard_key(new, attempt))
        except NotFoundError:
            if listed:
                raise

    def _sign_with_old(self, rotation: Rotation) -> None:
        """Let the old key sign keytui's calls again, where its secret is at hand."""
        if self.iam.sign_as_before(rotation.old_id):
            return
        secret = self.secrets.old(rotation) or self.profiles.secret(rotation.old_id)
        if secret is not None:
            self.proof.accepted(rotation.old_id, secret)
            self.iam.sign_with(rotation.old_id, secret)
