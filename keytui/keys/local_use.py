"""Where an access key is used on this machine, as far as it can be seen. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Place(Enum):
    """What names an access key."""

    CREDENTIALS = "the AWS credentials file"
    CONFIG = "the AWS config file"
    PROCESS = "a profile that runs keytui"
    ENVIRONMENT = "the environment"
    KEYRING = "a keyring"
    UNREADABLE = "a file that can't be read"


@dataclass(frozen=True, slots=True)
class LocalUse:
    """One place that names an access key.

    Attributes:
        place: What kind of place it is.
        where: A path as the user writes it, a variable's name, or a keyring in words.
        profile: The AWS profile; empty outside the AWS files.
    """

    place: Place
    where: str
    profile: str = ""

    @property
    def depends(self) -> bool:
        """Whether something here stops working without the key."""
        return self.place not in {Place.KEYRING, Place.UNREADABLE}

    @property
    def text(self) -> str:
        """The place in a clause."""
        match self.place:
            case Place.CREDENTIALS | Place.CONFIG:
                return f"profile {self.profile} in {self.where}"
            case Place.PROCESS:
                return f"profile {self.profile} in {self.where}, by credential_process"
            case Place.ENVIRONMENT:
                return f"{self.where} in keytui's environment"
            case Place.KEYRING:
                return f"its secret in {self.where}"
            case Place.UNREADABLE:
                return f"{self.where} can't be read: whether it uses the key is not known"


def own_shell(key_id: str, uses: Iterable[LocalUse]) -> tuple[str, ...]:
    """Return what deactivating a key does to the shell that keytui was started from.

    Args:
        key_id: The key that is to go.
        uses: Where this machine names it.

    Returns:
        Two sentences: what happens, and the way out; none where no variable names the key.
    """
    names = " and ".join(use.where for use in uses if use.place is Place.ENVIRONMENT)
    if not names:
        return ()
    return (
        f"This shell has {key_id} in {names}: once it is inactive, commands in this shell can't "
        "sign any more.",
        "Before that, set the variables to the new key and its secret, or unset them and use a "
        "profile that has the new key.",
    )
