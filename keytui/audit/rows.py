"""All keys of an account as far as they are known, a row each. Pure."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from keytui.credential_report import CredentialReport
from keytui.findings import Finding, Thresholds
from keytui.model import AccessKey, User


@dataclass(frozen=True, slots=True)
class AuditRow:
    """A key with what is known of it.

    Attributes:
        key: The key; its ``id`` is empty while only the report tells of it.
        findings: What the rules say of it, gravest first.
        mfa: Whether its user has an MFA device; None where that is not known.
        slot: Its place among the user's keys, from 0; with the user's name it tells the row
            from others while the key ID is not known.
        live: Whether ID and status were read from AWS itself, not from the report.
    """

    key: AccessKey
    findings: tuple[Finding, ...]
    mfa: bool | None
    slot: int
    live: bool

    @property
    def fails(self) -> bool:
        """Whether the key breaks a rule."""
        return any(one.fails for one in self.findings)


class Audit:
    """The keys of an account; changed by one thread alone.

    Attributes:
        limits: After how many days a key counts as old or unused.
        report_made_at: When the report taken in was made; None for none.
        version: Grows with each change.
    """

    def __init__(self, limits: Thresholds, now: Callable[[], datetime]) -> None:
        self.limits = limits
        self.report_made_at: datetime | None = None
        self.version = 0
        self._now = now

    @property
    def rows(self) -> Sequence[AuditRow]:
        """All rows, worst first."""
        raise NotImplementedError

    def take_report(self, report: CredentialReport) -> None:
        """Take in a report. What was read live after it was made stays."""
        raise NotImplementedError

    def take_keys(
        self, user: User, keys: Iterable[AccessKey], read_at: datetime, mfa: bool | None = None
    ) -> None:
        """Take in a user's keys as AWS lists them; ``mfa`` None keeps what is known of it."""
        raise NotImplementedError

    def take_gone(self, user: User) -> None:
        """Take out a user who is gone."""
        raise NotImplementedError

    def of_user(self, name: str) -> tuple[AuditRow, ...]:
        """Return a user's rows, in the order of their slots; none where nothing is known."""
        raise NotImplementedError

    def is_live(self, name: str) -> bool:
        """Return whether a user's keys were read live."""
        raise NotImplementedError

    def reported(self, name: str) -> tuple[AccessKey, ...]:
        """Return a user's keys as the report has them, also after they were read live."""
        raise NotImplementedError

    def knows(self, name: str) -> bool:
        """Return whether anything is known of a user, be it that they have no keys."""
        raise NotImplementedError
