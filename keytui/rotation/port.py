"""What a rotation asks for: its user's word, and the local AWS profiles."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, LastUsed, Secret
from keytui.core.port import Port
from keytui.journal.rotations import Rotation
from keytui.keys.local_use import LocalUse
from keytui.keys.outcomes import Custody
from keytui.keys.recovery import Finding
from keytui.stores.base import Probe, SecretStore

T = TypeVar("T")


class UndecidedError(KeytuiError):
    """A step waits for its user's word; without a title where the user has just declined."""


# The local AWS profiles.


class Repoint(Protocol):
    """A change of one local profile, planned and not made yet."""

    @property
    def use(self) -> LocalUse:
        """The profile."""

    @property
    def diff(self) -> tuple[str, ...]:
        """The change as lines to show, without any secret."""

    @property
    def runs_keytui(self) -> bool:
        """Whether the profile gets its key by running keytui."""


R = TypeVar("R", bound=Repoint)
_R = TypeVar("_R", bound=Repoint, contravariant=True)


@dataclass(frozen=True, slots=True)
class Plans(Generic[R]):
    """How the local profiles that use the old key could be given the new one.

    Attributes:
        by_process: They get it from the keyring; none where that does not have it.
        rewritten: They keep it with its secret in plain text.
        limits: Where a profile that runs keytui will not work, a sentence each.
    """

    by_process: tuple[R, ...] = ()
    rewritten: tuple[R, ...] = ()
    limits: tuple[str, ...] = ()

    def limited(self, changes: tuple[R, ...]) -> tuple[R, ...]:
        """Return the changes after which a profile works only within the limits."""
        return tuple(change for change in changes if change.runs_keytui and self.limits)


class Profiles(Protocol[_R]):
    """The local AWS profiles. Methods block."""

    def record(self, change: _R, stamp: str) -> str:
        """Return what ``put_back`` will need of a change, without a secret."""

    def repoint(self, change: _R, secret: Secret, stamp: str) -> None:
        """Make a change, with a backup; one that is made already stays as it is.

        Raises:
            StoreError: Nothing was changed.
        """

    def put_back(self, change: str) -> bool:
        """Take a change back, if it was made; False where somebody has changed that profile since.

        Raises:
            StoreError: Nothing was changed.
        """

    def secret(self, key_id: str) -> Secret | None:
        """Return the secret of a key that a profile holds; None where none does.

        Raises:
            StoreError: A file that may hold it can't be read.
        """

    def unusable(self, change: str, secret: Secret) -> str:
        """Return which profile would not work without this run of keytui; empty where it would.

        Args:
            change: A change that was made.
            secret: The new key's secret.

        Raises:
            StoreError: It can't be looked at.
        """

    def backup(self, change: str) -> str:
        """Return where a change's backup is, as the user writes it; empty where there is none."""

    def drop_backup(self, change: str) -> None:
        """Delete a change's backup. Raises ``StoreError``."""


# The user's word.


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


@dataclass(frozen=True, slots=True)
class Deactivation:
    """The question before the old key is deactivated.

    Attributes:
        rotation: The rotation.
        reasons: What depends on the old key, a sentence each; none where nothing seems to.
        cut_off: How its user would be cut off, a sentence each; where there are any, only the
            last four characters of the key's ID, or a flag for just that, mean yes.
    """

    rotation: Rotation
    reasons: tuple[str, ...]
    cut_off: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rollback:
    """The question before a rotation is rolled back.

    Attributes:
        rotation: The rotation.
        new: The new key's last use; None where it is unknown.
        warning: Who else may depend on the new key, one sentence; empty where nobody seems to.
    """

    rotation: Rotation
    new: LastUsed | None
    warning: str


Creation = Callable[[Callable[[str], None], Callable[[Custody], None]], Custody]
"""Creates the new key; blocks. It is given what shows progress and what takes the secret into
custody the moment it is there; see ``Lifecycle.create``."""


class RotationPort(Port, Protocol[R]):
    """Who rotates a key. A question that returns was agreed to; else it raises UndecidedError.

    Attributes:
        look_again: How its user looks into an unfinished creation again, a sentence.
        back: What its user presses or types to roll back.
    """

    look_again: str
    back: str

    @property
    def stopped(self) -> bool:
        """Whether its user waits no longer. Any thread."""

    def show(self, rotation: Rotation) -> None:
        """Take note of where the rotation stands."""

    async def with_keyring(self, call: Callable[[], T]) -> T:
        """Run a blocking call that reads the keyring; a locked one may be unlocked before."""

    async def choose_store(self, key: AccessKey) -> tuple[SecretStore, Probe | None]:
        """Ask where the new secret goes; also return what a test just now said of that store."""

    async def create_key(self, rotation: Rotation, create: Creation) -> Custody:
        """Run a creation, and let go of its secret only when that is stored or the key deleted.

        Raises:
            UnansweredError: A key may have been made whose secret is lost.
            UndecidedError: The secret is in no store, as the user wants it.
            KeytuiError: The new key has no stored secret.
        """

    async def look_into(self, attempt: str) -> Finding | None:
        """Find out what became of a creation; return what is left open, or was found."""

    async def choose_profiles(self, plans: Plans[R]) -> tuple[R, ...]:
        """Ask which of the planned changes to make; none leaves the profiles to their user."""

    async def confirm_deactivation(self, question: Deactivation) -> None:
        """Ask before the old key is deactivated."""

    async def confirm_deletion(self, rotation: Rotation) -> None:
        """Ask before the old key is deleted."""

    async def confirm_rollback(self, question: Rollback) -> None:
        """Ask before the old key is used again and the new one is deleted."""
