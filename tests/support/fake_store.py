"""A store in memory, for tests of what is built on a store."""

from keytui.errors import NotStoredError, StoreError
from keytui.model import NewAccessKey, Secret
from keytui.stores.base import Probe, Receipt


class FakeStore:
    """Keeps the contract of ``SecretStore``.

    Attributes:
        kept: Access key ID → secret.
        trouble: Raised by ``put``, ``get`` and ``delete``, and told by ``probe``, while set.
    """

    name = "fake"
    locator = "fake"

    def __init__(self) -> None:
        self.kept: dict[str, Secret] = {}
        self.trouble: StoreError | None = None

    def probe(self, *, canary: bool = True) -> Probe:
        """Say writable unless a trouble is set."""
        if self.trouble is None:
            return Probe("Fake store", writable=True)
        return Probe("Fake store", False, self.trouble.title, self.trouble.next_step)

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

    def _raise(self) -> None:
        if self.trouble is not None:
            raise self.trouble
