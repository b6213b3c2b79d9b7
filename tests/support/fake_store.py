"""A store in memory, for tests of what is built on a store."""

from typing import Self

from keytui.core.errors import NotStoredError, StoreError, WrongPasswordError
from keytui.core.model import NewAccessKey, Secret
from keytui.stores.base import Mend, Probe, Receipt


class FakeStore:
    """Keeps the contract of ``SecretStore``.

    Attributes:
        kept: Access key ID → secret.
        trouble: Raised by ``put``, ``get`` and ``delete``, and told by ``probe``, while set.
        mend: What ``probe`` says can be done about it.
        password: What ``unlock`` takes; it ends the trouble.
    """

    name = "fake"
    locator = "fake"

    def __init__(self) -> None:
        self.kept: dict[str, Secret] = {}
        self.trouble: StoreError | None = None
        self.mend = Mend.NOTHING
        self.password = "correct horse"

    def probe(self, *, canary: bool = True) -> Probe:
        """Say writable unless a trouble is set."""
        if self.trouble is None:
            return Probe("Fake store", writable=True)
        return Probe("Fake store", False, self.trouble.title, self.trouble.next_step, self.mend)

    def put(self, new: NewAccessKey) -> Receipt:
        """Keep a secret."""
        self._raise()
        self.kept[new.key.id] = new.secret
        return Receipt(self.name, "memory")

    def get(self, key_id: str) -> Secret:
        """Return a kept secret."""
        self._raise()
        if key_id not in self.kept:
            raise NotStoredError(f"The fake store holds no secret for {key_id}.")
        return self.kept[key_id]

    def delete(self, key_id: str) -> None:
        """Forget a secret."""
        self.get(key_id)
        del self.kept[key_id]

    def unlock(self, password: Secret) -> None:
        """Unlock it."""
        if password.reveal() != self.password:
            raise WrongPasswordError("That is not the keyring's password.")
        self.trouble = None

    def hurried(self, _seconds: float) -> Self:
        """Return this store, which is always quick."""
        return self

    def _raise(self) -> None:
        if self.trouble is not None:
            raise self.trouble
