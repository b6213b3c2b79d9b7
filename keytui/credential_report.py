"""The credential report: what AWS says of all users and their keys in one reply.

It holds no access key IDs and two keys a user at most, and is up to four hours old. Its format:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from dataclasses import dataclass
from datetime import datetime

from keytui.model import AccessKey, User


@dataclass(frozen=True, slots=True)
class ReportedUser:
    """A row of the report.

    Attributes:
        user: The user, or the root user.
        mfa: Whether an MFA device is assigned; None where the report does not say.
        keys: The user's keys in the report's order. Their ``id`` is empty, and ``created`` is
            when they were made *or last changed*.
    """

    user: User
    mfa: bool | None
    keys: tuple[AccessKey, ...]


@dataclass(frozen=True, slots=True)
class CredentialReport:
    """A whole report.

    Attributes:
        made_at: When AWS made it.
        users: Its rows, the root user among them.
    """

    made_at: datetime
    users: tuple[ReportedUser, ...]


def parse(content: bytes, made_at: datetime) -> CredentialReport:
    """Read the report's CSV. Columns are found by name; unknown ones are passed over.

    Raises:
        ValueError: It is no credential report.
    """
    raise NotImplementedError
