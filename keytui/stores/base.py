"""The contract of a store: a place where a one-time secret can be kept.

One suite in ``tests/contract`` runs against every store. A store is worked from a thread;
each method returns or raises in bounded time.
"""

from dataclasses import dataclass, field
from enum import Enum
from time import monotonic
from typing import Protocol

from keytui.core.gate import Gate
from keytui.core.model import NewAccessKey, Secret

FRESH_SECONDS = 10.0
"""How long a test of a store still tells whether a secret can be kept there."""


class Mend(Enum):
    """What keytui can do about a store that can't be used."""

    NOTHING = "nothing"
    UNLOCK = "unlock it with its password"
    MAKE = "make it, with a new password"
    START = "start a D-Bus session for it"


@dataclass(frozen=True, slots=True)
class Probe:
    """What a store says of itself.

    Attributes:
        label: The store by name, such as ``OS keyring (Secret Service)``.
        writable: Whether a secret can be kept there now.
        reason: Why not, one sentence; empty when writable.
        next_step: How to mend it, one sentence; may be empty.
        mend: What keytui itself can do about it.
        chosen: Why this one is used, in a clause; empty where there is no choice.
        at: When it was tested, in seconds of the monotonic clock.
    """

    label: str
    writable: bool
    reason: str = ""
    next_step: str = ""
    mend: Mend = Mend.NOTHING
    chosen: str = ""
    at: float = field(default_factory=lambda: monotonic(), compare=False)

    @property
    def is_fresh(self) -> bool:
        """Whether the store was tested just now, so that it need not be tested again."""
        return monotonic() - self.at < FRESH_SECONDS

    @property
    def locked(self) -> bool:
        """Whether unlocking it would mend it."""
        return self.mend is Mend.UNLOCK

    @property
    def can_be_unlocked(self) -> bool:
        """Whether a password would mend it, be it the first one, which makes a keyring."""
        return self.mend in {Mend.UNLOCK, Mend.MAKE}


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
        """How a later run finds it again.

        ``keyring``, ``keyring:pass``, ``keyring:cryptfile``, or ``csv:`` and an absolute path.
        """

    def probe(self, *, canary: bool = True) -> Probe:
        """Say whether a secret can be kept here; never raises ``StoreError``.

        Args:
            canary: Prove it by writing, reading and deleting a made-up value. Without it, and
                in read-only mode, nothing is written.
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


class Keyring(SecretStore, Protocol):
    """The store that can be locked."""

    def unlock(self, password: Secret) -> None:
        """Unlock it, or make it with this password where there is none yet.

        Raises:
            WrongPasswordError: It is not the keyring's password.
            StoreError: The keyring can't be unlocked from here.
        """

    def hurried(self, seconds: float) -> "Keyring":
        """Return the same keyring with less patience."""


class Ask(Enum):
    """Which password to ask for."""

    PASSWORD = "the keyring's own, once"  # noqa: S105 - a description
    NEW_PASSWORD = "one for a new keyring, twice"  # noqa: S105 - a description


def what_to_ask(probe: Probe, gate: Gate) -> Ask | None:
    """Return which password opens a keyring; None where no password does.

    Raises:
        ReadOnlyError: There is no keyring yet, and read-only mode creates none.
    """
    if probe.mend is Mend.MAKE:
        gate.require_writable()
        return Ask.NEW_PASSWORD
    return Ask.PASSWORD if probe.mend is Mend.UNLOCK else None


def new_password_problem(password: Secret, again: Secret | None = None) -> str:
    """Return why a new keyring can't have this password; empty where it can.

    An existing keyring may have an empty password, so only the keyring itself can refuse one.

    Args:
        password: What was typed.
        again: What was typed the second time; None before that.
    """
    if not password.reveal().strip():
        return "An empty password protects nothing."
    if again is not None and not again.matches(password):
        return "The two differ."
    return ""
