"""The local AWS profiles as a rotation changes them; ``aws.files.repoint`` implements it."""

from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from keytui.core.model import Secret
from keytui.keys.local_use import LocalUse


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
