"""The credential report: what AWS says of all users and their keys in one reply.

It holds no access key IDs and two keys a user at most, and is up to four hours old. Its format:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, LastUsed, User

_ROOT = "<root_account>"
_NEEDED = ("user", "access_key_1_active", "access_key_1_last_rotated")
_SLOTS = ("access_key_1_", "access_key_2_")
_NOTHING = frozenset({"", "N/A", "no_information", "not_supported"})
_NEVER = LastUsed()


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
        users: Its rows, the root user among them; each user once.
    """

    made_at: datetime
    users: tuple[ReportedUser, ...]


def parse(content: bytes, made_at: datetime) -> CredentialReport:
    """Read the report's CSV. Columns are found by name; unknown ones are passed over.

    Raises:
        ValueError: It is no credential report.
    """
    import csv  # Not needed on the way to the first frame.

    try:
        rows = csv.reader(content.decode("utf-8-sig").splitlines(), strict=True)
        columns = {name.strip(): index for index, name in enumerate(next(rows, []))}
        if any(name not in columns for name in _NEEDED):
            raise ValueError("Its columns are not those of a credential report")
        cells = _Cells(columns)
        users = {one.user.name: one for row in rows if (one := cells.user_of(row)) is not None}
    except (UnicodeDecodeError, csv.Error):
        problem = ValueError("It is no CSV")
    else:
        return CredentialReport(made_at, tuple(users.values()))
    raise problem


def joined(listed: Sequence[AccessKey], reported: Sequence[AccessKey]) -> tuple[AccessKey, ...]:
    """Return the listed keys with the report's last use where it is certain which is which.

    The report tells when a key was made *or last changed*: a time that only one listed and one
    reported key has is certain, and so are the last two that are left over, where the listed
    one is not the younger. The others' ``last_used`` stays None.
    """
    pairs = matched(listed, reported)
    return tuple(
        replace(key, last_used=pairs[key.id].last_used) if key.id in pairs else key
        for key in listed
    )


def in_report_order(
    listed: Sequence[AccessKey], reported: Sequence[AccessKey]
) -> tuple[AccessKey, ...]:
    """Return the listed keys as the report has them one after the other, what it lacks last."""
    pairs = matched(listed, reported)
    places = {id(one): place for place, one in enumerate(reported)}

    def place(key: AccessKey) -> int:
        return places[id(pairs[key.id])] if key.id in pairs else len(reported)

    return tuple(sorted(listed, key=place))


def matched(listed: Sequence[AccessKey], reported: Sequence[AccessKey]) -> dict[str, AccessKey]:
    """Return access key ID → the reported key that it certainly is."""
    pairs: dict[str, AccessKey] = {}
    left = list(reported)
    for key in listed:
        same = [one for one in reported if _seconds(one.created) == _seconds(key.created)]
        alike = [one for one in listed if _seconds(one.created) == _seconds(key.created)]
        if key.created and len(same) == len(alike) == 1:
            pairs[key.id] = same[0]
            left.remove(same[0])
    rest = [key for key in listed if key.id not in pairs]
    if len(rest) == len(left) == len(reported) - len(pairs) == 1 and _may_be(rest[0], left[0]):
        pairs[rest[0].id] = left[0]
    return pairs


class _Cells:
    """Reads rows by the names of their columns."""

    def __init__(self, columns: Mapping[str, int]) -> None:
        self._columns = columns
        self._times: dict[str, datetime | None] = {}

    def user_of(self, row: Sequence[str]) -> ReportedUser | None:
        """Return the user of a row; None for a row without one."""
        name = self._text(row, "user")
        if not name:
            return None
        created = self._time(row, "user_creation_time")
        user = ROOT_USER if name == _ROOT else User(name, created)
        keys = (self._key(row, slot, user) for slot in _SLOTS)
        return ReportedUser(user, self._mfa(row), tuple(key for key in keys if key is not None))

    def _key(self, row: Sequence[str], slot: str, user: User) -> AccessKey | None:
        active = self._text(row, f"{slot}active").casefold() == "true"
        changed = self._time(row, f"{slot}last_rotated")
        if not active and changed is None:
            return None
        status = KeyStatus.ACTIVE if active else KeyStatus.INACTIVE
        return AccessKey("", user, status, changed, self._last_used(row, slot))

    def _last_used(self, row: Sequence[str], slot: str) -> LastUsed | None:
        """Return the last use; None where the report has no column for it."""
        if f"{slot}last_used_date" not in self._columns:
            return None
        when = self._time(row, f"{slot}last_used_date")
        if when is None:
            return _NEVER
        service, region = (self._text(row, f"{slot}last_used_{of}") for of in ("service", "region"))
        return LastUsed(when, service, region)

    def _mfa(self, row: Sequence[str]) -> bool | None:
        return {"true": True, "false": False}.get(self._text(row, "mfa_active").casefold())

    def _time(self, row: Sequence[str], column: str) -> datetime | None:
        text = self._text(row, column)
        if text not in self._times:
            self._times[text] = _time(text)
        return self._times[text]

    def _text(self, row: Sequence[str], column: str) -> str:
        index = self._columns.get(column, len(row))
        text = row[index].strip() if index < len(row) else ""
        return "" if text in _NOTHING else text


def _time(text: str) -> datetime | None:
    """Return a time such as ``2019-07-01T09:00:00+00:00``; None for anything else."""
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _may_be(key: AccessKey, reported: AccessKey) -> bool:
    """Whether a listed key, made at its time, may be one that was last changed at another."""
    return bool(key.created and reported.created and key.created <= reported.created)


def _seconds(when: datetime | None) -> datetime | None:
    return when and when.replace(microsecond=0)
