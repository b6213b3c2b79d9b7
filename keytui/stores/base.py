"""The contract of a store: a place where a one-time secret can be kept.

One suite in ``tests/contract`` runs against every store. A store is worked from a thread;
each method returns or raises in bounded time.
"""

from dataclasses import dataclass
from typing import Protocol

from keytui.model import NewAccessKey, Secret


@dataclass(frozen=True, slots=True)
class Probe:
    """What a store says of itself.

    Attributes:
        label: The store by name, such as ``OS keyring (Secret Service)``.
        writable: Whether a secret can be kept there now.
        reason: Why not, one sentence; empty when writable.
        next_step: How to mend it, one sentence; may be empty.
        locked: Whether unlocking it would mend it.
    """

    label: str
    writable: bool
    reason: str = ""
    next_step: str = ""
    locked: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that a secret is kept: it was read back and compared.

    Attributes:
        store: The store's short name, ``keyring`` or ``csv``; goes into the journal.
        where: The place in words, such as ``OS keyring (Secret Service)`` or a path.
    """

    store: str
    where: str


class SecretStore(Protocol):
    """A place for secrets."""

    @property
    def name(self) -> str:
        """The store's short name."""

    @property
    def locator(self) -> str:
        """How a later run finds it again: ``keyring``, or ``csv:`` and an absolute path."""

    def probe(self, *, canary: bool = True) -> Probe:
        """Say whether a secret can be kept here; never raises ``StoreError``.

        Args:
            canary: Prove it by writing, reading and deleting a made-up value. Without it,
                nothing is written.
        """

    def put(self, new: NewAccessKey) -> Receipt:
        """Keep a secret, read it back and compare; a Receipt only if they are the same.

        Raises:
            StoreError: It is not kept. Nothing of the secret is in the error.
        """

    def get(self, key_id: str) -> Secret:
        """Return a kept secret. Raises ``NotStoredError`` where there is none."""

    def delete(self, key_id: str) -> None:
        """Forget a secret. Raises ``NotStoredError`` where there is none."""
