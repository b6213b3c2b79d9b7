"""Where an access key is used on this machine, as far as it can be seen. Pure."""

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
