"""The secrets of both keys of a rotation, in their stores."""

from collections.abc import Callable
from contextlib import suppress

from keytui.errors import KeytuiError, StateError, StoreError
from keytui.model import Secret
from keytui.rotation.state import Rotation
from keytui.stores.base import SecretStore
from keytui.vault import Vault


class Kept:
    """Reads and forgets them."""

    def __init__(self, vault: Vault, store_at: Callable[[str], SecretStore | None]) -> None:
        """Take what the keyring holds, and what opens the store of a locator."""
        self._vault, self._store_at = vault, store_at

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

    def forget(self, key_id: str) -> list[KeytuiError]:
        """Forget a deleted key's secret in the keyrings; return what failed."""
        problems: list[KeytuiError] = []
        try:
            held = self._vault.held()
        except StateError as error:
            return [error]
        for one in held:
            if one.key_id == key_id:
                try:
                    self._vault.forget(one)
                except (StoreError, StateError) as error:
                    problems.append(error)
        return problems
