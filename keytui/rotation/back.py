"""The way back from a rotation, from every step: the old key is the one again."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from keytui.errors import KeytuiError, NotFoundError
from keytui.journal import Event
from keytui.lifecycle import Lifecycle
from keytui.lookup import described
from keytui.model import AccessKey, KeyStatus
from keytui.ports import Iam
from keytui.rotation.kept import Kept
from keytui.rotation.log import Log
from keytui.rotation.profiles import Profiles
from keytui.rotation.proof import Proof
from keytui.rotation.state import Rotation, Step
from keytui.uses import LocalUse

_CUT_OFF = KeytuiError(
    "keytui's own calls were signed by the new key, and stop now.",
    "The old key is active.",
    "P picks a profile that has it; a new start does too.",
)


@dataclass(frozen=True, slots=True)
class WayBack:
    """Goes it; what is cut short is gone on with.

    Attributes:
        iam: The account.
        lifecycle: The verbs on keys.
        proof: Asks AWS about keys.
        kept: The secrets of both keys.
        log: The rotation's lines in the journal.
        profiles: The local AWS profiles.
        uses_here: Where this machine names a key.
    """

    iam: Iam
    lifecycle: Lifecycle
    proof: Proof
    kept: Kept
    log: Log
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
        if not rotation.rolling_back:
            self.log.write(Event.ROLLING_BACK, old, rotation.id)
        # From the step on that makes it inactive: the listing may not show that yet, nor the
        # record where keytui was killed in the middle.
        if old.status is not KeyStatus.ACTIVE or {Step.REPOINT, Step.RETIRE} & rotation.done.keys():
            progress("Making the old key active")
            self._reactivate(rotation, old)
        progress("Putting the profiles back")
        self._put_back(rotation)
        problems: list[KeytuiError] = []
        if rotation.new_id:
            progress("Deleting the new key")
            problems += self._discard(rotation)
        if new_id := rotation.new_id or rotation.gone_id:
            problems += self.kept.forget(new_id)
            problems += self.kept.left_in_file(rotation)
        self.log.write(Event.ROLLED_BACK, old, rotation.id)
        return problems

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
                self.log.write(Event.PUT_BACK, rotation.old, rotation.id, detail=change)
        new_id = rotation.new_id
        left = [use.text for use in self.uses_here(new_id) if use.depends] if new_id else []
        if left:
            raise KeytuiError(
                f"The new key is still used here: {'; '.join(left)}.",
                "Both keys are active; the new one was not deleted.",
                "Change that by hand, then roll back again.",
            )

    def _discard(self, rotation: Rotation) -> list[KeytuiError]:
        """Delete the new key; where the old one can sign that, it does.

        Returns:
            What the user has to know of it.
        """
        listed = self.proof.listed(rotation.owner, rotation.new_id)
        new = described(self.iam, listed or rotation.new)
        if self.iam.signing_key_id() == new.id:
            self._sign_with_old(rotation)
        # A key that signs its own end can't be made inactive first.
        at_once = self.iam.signing_key_id() == new.id
        attempt = rotation.attempt.id if rotation.attempt else ""
        try:
            self.proof.steady(lambda: self.lifecycle.discard_key(new, attempt, at_once=at_once))
        except NotFoundError:
            if listed:
                raise
        return [_CUT_OFF] * at_once

    def _sign_with_old(self, rotation: Rotation) -> None:
        """Let the old key sign keytui's calls again, where its secret is at hand."""
        if self.iam.sign_as_before(rotation.old_id):
            return
        secret = self.kept.old(rotation)
        if secret is not None:
            self.proof.accepted(rotation.old_id, secret)
            self.iam.sign_with(rotation.old_id, secret)
