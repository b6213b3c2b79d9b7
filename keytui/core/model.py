"""The nouns: pure values with IAM's own names. Nothing here does input or output."""

import hmac
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NoReturn

LENGTH = 256
"""The longest value of an IAM tag."""
CHARACTERS = " _.:/=+-@"
"""What the value of an IAM tag may hold besides letters and digits."""


def description_problem(text: str) -> str:
    """Return why a text can't be a description, one sentence; empty where it can."""
    if not all(char.isalnum() or char in CHARACTERS for char in text):
        return f"A description takes letters, digits and {CHARACTERS.strip()} only."
    if len(text) > LENGTH:
        return f"A description takes {LENGTH} characters at most."
    return ""


ROOT_ACCOUNT = "<root account>"
"""How the account's root user is called in listings; no IAM user can have this name."""


class Secret:
    """A secret access key that does not show itself.

    ``repr``, ``str`` and formatting are redacted, and it can't be pickled, so that it
    stays out of logs, tracebacks and worker descriptions. ``reveal`` is the only way out.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the secret itself; keep the result out of any variable that lives on."""
        return self._value

    def matches(self, other: "Secret") -> bool:
        """Return whether both hold the same text."""
        return hmac.compare_digest(self._value.encode(), other.reveal().encode())

    def __repr__(self) -> str:
        return "Secret(••••)"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Secret can't be pickled or copied")


class KeyStatus(StrEnum):
    """The status of an access key."""

    ACTIVE = "Active"
    INACTIVE = "Inactive"
    EXPIRED = "Expired"
    """In newer IAM models; like Inactive, it does not authenticate."""
    DELETED = "Deleted"
    """keytui's own: AWS no longer lists the key, keytui's record remembers it."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who signs keytui's calls, as sts:GetCallerIdentity tells it.

    Attributes:
        account: The 12-digit account ID.
        arn: ``arn:PARTITION:iam::ACCOUNT:user/PATH/NAME``, ``…:root``,
            ``arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/SESSION`` and the like.
    """

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """``aws``, ``aws-us-gov`` or ``aws-cn``."""
        parts = self.arn.split(":")
        return parts[1] if len(parts) > 1 else "aws"

    @property
    def is_root(self) -> bool:
        """Whether the caller is the account's root user."""
        return self.arn.endswith(":root")

    @property
    def user_name(self) -> str | None:
        """The caller's IAM user name; None for root, roles and federated users."""
        resource = self.arn.split(":", 5)[-1]
        return resource.rsplit("/", 1)[-1] if resource.startswith("user/") else None

    @property
    def principal(self) -> str:
        """The ARN, for a role without its session: the SDK may name that anew each time."""
        is_role = self.arn.split(":", 5)[-1].startswith("assumed-role/")
        return self.arn.rpartition("/")[0] if is_role else self.arn

    @property
    def label(self) -> str:
        """The caller in a word: a user name, ``root``, or a role with its session."""
        resource = self.arn.split(":", 5)[-1]
        return self.user_name or resource.removeprefix("assumed-role/")


@dataclass(frozen=True, slots=True)
class User:
    """An IAM user, or the account's root user.

    Attributes:
        name: The user name, as AWS has it (it may hold ``+=,.@_-``).
        created: When the user was made; None where it was not read.
        is_root: Whether this stands for the root user.
    """

    name: str
    created: datetime | None = None
    is_root: bool = False

    @property
    def api_name(self) -> str | None:
        """The UserName to pass to IAM; None for root, whose calls must leave it out."""
        return None if self.is_root else self.name


ROOT_USER = User(ROOT_ACCOUNT, is_root=True)


@dataclass(frozen=True, slots=True)
class LastUsed:
    """What iam:GetAccessKeyLastUsed says of a key (15-minute grain, since 2015-04-22).

    Attributes:
        when: The last use; None where the key was never used.
        service: The service's short name, such as ``s3``; empty when never used.
        region: The region; empty when never used.
    """

    when: datetime | None = None
    service: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class AccessKey:
    """An access key without its secret.

    Attributes:
        id: The access key ID.
        user: Who owns it.
        status: Its status.
        created: When it was made; None where AWS did not say.
        last_used: Its last use; None while that has not been read (or may not be).
        description: The console's description tag; empty where there is none.
    """

    id: str
    user: User
    status: KeyStatus
    created: datetime | None
    last_used: LastUsed | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class NewAccessKey:
    """A key that AWS has just made: the only moment its secret is known.

    Attributes:
        key: The key.
        account: The account ID it belongs to.
        secret: The one-time secret.
    """

    key: AccessKey
    account: str
    secret: Secret = field(repr=False)
