"""The two keys of a rotation: what AWS says of them, and where their secrets are."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TypeVar

from keytui.core.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    KeytuiError,
    NotFoundError,
    StateError,
    StoreError,
    UnknownKeyError,
)
from keytui.core.iam import Iam
from keytui.core.model import AccessKey, Identity, KeyStatus, Secret, User
from keytui.core.waiting import Keys, Wait
from keytui.journal.rotations import Rotation, user_of
from keytui.stores.base import SecretStore
from keytui.stores.vault import Vault

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


class Proof:
    """Asks AWS about keys, repeatedly while a new key may not be known everywhere."""

    def __init__(self, iam: Iam, who: Callable[[str, Secret], Identity], wait: Wait) -> None:
        self._iam, self._who, self._wait = iam, who, wait

    def accepted(
        self,
        key_id: str,
        secret: Secret,
        *,
        in_a_row: int = 1,
        seconds: float = STEADY_SECONDS,
        progress: Callable[[str], None] = lambda _: None,
        left: Callable[[], bool] = lambda: False,
    ) -> None:
        """Wait until AWS accepts a key of this account some times in a row.

        Raises:
            KeytuiError: It does not, or not in time, or nobody waits any more.
        """
        deadline, seen = self._wait.clock() + seconds, 0
        error: AwsError | None = None
        for _ in range(int(seconds / BETWEEN_SECONDS) + in_a_row):
            progress(f"Asking AWS whether it accepts {key_id}: {seen} of {in_a_row}")
            error = self._ask(key_id, secret)
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

    def steady(self, call: Callable[[], T]) -> T:
        """Make a call; repeat it while AWS does not know the key that signs it yet."""
        deadline = self._wait.clock() + STEADY_SECONDS
        for _ in range(int(STEADY_SECONDS / BETWEEN_SECONDS)):
            try:
                return call()
            except UnknownKeyError:
                if self._wait.clock() >= deadline:
                    raise
            self._wait.sleep(BETWEEN_SECONDS)
        return call()

    def listed(self, owner: User, key_id: str, *, active: bool = False) -> AccessKey | None:
        """Wait until AWS lists a key, as active where that is asked for; None where it doesn't."""
        seen: list[AccessKey] = []

        def reached(keys: Keys) -> bool:
            here = [key for key in keys if key.id == key_id]
            seen[:] = [k for k in here if not active or k.status is KeyStatus.ACTIVE]
            return bool(seen)

        self._wait.until(self._iam, owner, reached, LISTED_SECONDS)
        return seen[0] if seen else None

    def gone(self, key_id: str, owners: Iterable[User], seconds: float = LISTED_SECONDS) -> bool:
        """Wait until AWS confirms that a key is deleted; return whether it does.

        Args:
            key_id: The key.
            owners: Whose it may have been.
            seconds: How long AWS may take; it is asked at least once.
        """
        whose, deadline = tuple(owners), self._wait.clock() + seconds
        for _ in range(int(seconds / BETWEEN_SECONDS)):
            if self._is_gone(key_id, whose):
                return True
            if self._wait.clock() >= deadline:
                return False
            self._wait.sleep(BETWEEN_SECONDS)
        return self._is_gone(key_id, whose)

    def _is_gone(self, key_id: str, owners: tuple[User, ...]) -> bool:
        try:
            self._iam.owner(key_id)
        except (NotFoundError, AccessDeniedError):
            pass  # AWS answers either for a key that is deleted; the listings decide.
        except AwsError:
            return False
        else:
            return False
        return all(self._lists_no(key_id, owner) for owner in owners)

    def _lists_no(self, key_id: str, owner: User) -> bool:
        try:
            return all(key.id != key_id for key in self._iam.keys(owner))
        except NotFoundError:
            return True
        except AwsError:
            return False

    def _ask(self, key_id: str, secret: Secret) -> AwsError | None:
        """Ask AWS once whose a key is; return why it could not say.

        Raises:
            KeytuiError: The secret is not the key's, or the key is another account's.
        """
        try:
            identity = self._who(key_id, secret)
        except UnknownKeyError as error:
            return error  # Not valid yet, which is common for some seconds.
        except CredentialsError:
            raise
        except AwsError as error:
            return error
        account = self._iam.identity().account
        if identity.account != account:
            raise KeytuiError(
                f"{key_id} is of the account {identity.account}, not {account}.",
                "Both keys are as they were.",
            )
        return None


class KeySecrets:
    """The secrets of both keys, in their stores."""

    def __init__(
        self, vault: Vault, store_at: Callable[[str], SecretStore | None], proof: Proof
    ) -> None:
        self._vault, self._store_at, self._proof = vault, store_at, proof

    def store(self, rotation: Rotation) -> SecretStore:
        """Return the store chosen for the new secret. Raises ``StoreError``."""
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
        """Return what to say of a file of the user's that keeps the deleted new key's secret."""
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
