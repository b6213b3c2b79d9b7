"""The secrets of both keys of a rotation, in their stores."""

from collections.abc import Callable
from contextlib import suppress

from keytui.core.errors import KeytuiError, StateError, StoreError
from keytui.core.model import Secret, User
from keytui.journal.rotations import Rotation, user_of
from keytui.rotation.verification import LISTED_SECONDS, Proof
from keytui.stores.base import SecretStore
from keytui.stores.vault import Vault


class Kept:
    """Reads and forgets them."""

    def __init__(
        self, vault: Vault, store_at: Callable[[str], SecretStore | None], proof: Proof
    ) -> None:
        """Take what the keyring holds, what opens the store of a locator, and what asks AWS."""
        self._vault, self._store_at, self._proof = vault, store_at, proof

    def store(self, rotation: Rotation) -> SecretStore:
        """Return the store that the new secret is to go to. Raises ``StoreError``."""
        store = self._store_at(rotation.chosen)
        if store is None:
            raise StoreError(
                f"keytui does not know the store {rotation.chosen}.", "No key was made."
            )
        return store

    def new(self, rotation: Rotation) -> Secret:
        """Return the new secret as its store has it. Raises ``StoreError``."""
        store = self._store_at(rotation.store) if rotation.store else None
        if store is None:
            raise StoreError(
                f"The secret of {rotation.new_id or 'the new key'} is in no store.",
                "The old key was not changed.",
                "Roll back: that deletes the new key.",
            )
        return store.get(rotation.new_id)

    def old(self, rotation: Rotation) -> Secret | None:
        """Return the old secret from a keyring; None where none can be read."""
        for one in self._vault.held():
            if one.key_id == rotation.old_id:
                with suppress(StoreError):
                    return self._vault.get(one)
        return None

    def left_in_file(self, rotation: Rotation) -> list[KeytuiError]:
        """Tell of a file that keeps the new secret after its key was deleted: it is the user's."""
        kind, _, path = rotation.store.partition(":")
        if kind != "csv":
            return []
        try:
            self.new(rotation)
        except StoreError:  # The file is gone, or holds another key by now.
            return []
        return [
            KeytuiError(
                f"{path} still has the new key's secret.",
                "It is of no use any more: its key is deleted.",
                "Remove the file.",
            )
        ]

    def forget(
        self, key_id: str, owner: User, seconds: float = LISTED_SECONDS
    ) -> list[KeytuiError]:
        """Forget a deleted key's secret in the keyrings; return what failed.

        Args:
            key_id: The key.
            owner: Whose it was, by keytui's history.
            seconds: How long AWS may take to show that it is deleted.

        Raises:
            KeytuiError: AWS does not say that the key is deleted; nothing was forgotten.
        """
        held = [one for one in self._vault.held() if one.key_id == key_id]
        # The history alone is not believed: a line in it may be wrong, or forged.
        owners = {owner, *(user_of(one.user) for one in held if one.user)}
        if not self._proof.gone(key_id, owners, seconds):
            raise KeytuiError(
                f"AWS does not confirm that {key_id} is deleted.",
                "Its secret and the backups of AWS files stay.",
                "They are removed as soon as AWS confirms it.",
            )
        problems: list[KeytuiError] = []
        for one in held:
            try:
                self._vault.forget(one)
            except (StoreError, StateError) as error:
                problems.append(error)
        return problems
