"""All keys of an account as far as they are known, a row each. Pure."""

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from keytui.core.credential_report import (
    CredentialReport,
    ReportedUser,
    in_report_order,
    joined,
)
from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, KeyStatus, User
from keytui.core.rules import Finding, Thresholds, findings

_NO_DATE = datetime.max.replace(tzinfo=UTC)
_WORTH_KNOWING, _NOTHING = 100, 200
"""Above the rank of every rule."""


@dataclass(frozen=True, slots=True)
class UserKeys:
    """What AWS said of one user's keys.

    Attributes:
        user: The user.
        keys: Their keys with ``last_used``, oldest first; empty also where the user is gone.
        read_at: When they were read.
        gone: Whether the user is gone.
        mfa: Whether they have an MFA device; None where that was not asked, or may not be.
        error: Why the keys could not be read; None where they were.
        notes: What could not be read besides, such as the last use.
    """

    user: User
    keys: tuple[AccessKey, ...]
    read_at: datetime
    gone: bool = False
    mfa: bool | None = None
    error: KeytuiError | None = None
    notes: tuple[KeytuiError, ...] = ()


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


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known of a user.

    Attributes:
        user: The user.
        rows: A row for each key.
        mfa: Whether they have an MFA device; None where that is not known.
        reported: The keys as the report has them.
        read_at: When the keys were read live; None where only the report tells of them.
        mfa_read_at: When the MFA devices were.
    """

    user: User
    rows: tuple[AuditRow, ...] = ()
    mfa: bool | None = None
    reported: tuple[AccessKey, ...] = ()
    read_at: datetime | None = None
    mfa_read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A report joined with what was known of each user when that began.

    Attributes:
        made_at: When the report was made.
        reported: User name → what the report says.
        before: User name → what was known.
        users: User name → both joined.
        rows: All rows of these, worst first.
    """

    made_at: datetime
    reported: dict[str, ReportedUser]
    before: dict[str, _Known]
    users: dict[str, _Known]
    rows: list[AuditRow]


class Audit:
    """The keys of an account; changed by one thread alone.

    A key is judged when it is taken in. The report's ``created`` is judged as it is, which is
    when the key was made *or last changed*.

    Attributes:
        limits: After how many days a key counts as old or unused.
        report_made_at: When the report taken in was made; None for none.
        report_error: Why it can't be had; None where it can, or was not asked for.
        version: Grows with each change.
    """

    def __init__(self, limits: Thresholds, now: Callable[[], datetime]) -> None:
        self.limits = limits
        self.report_made_at: datetime | None = None
        self.report_error: KeytuiError | None = None
        self.version = 0
        self._now = now
        self._users: dict[str, _Known] = {}
        self._sorted: list[AuditRow] = []
        self._rows: tuple[AuditRow, ...] | None = ()

    @property
    def rows(self) -> Sequence[AuditRow]:
        """All rows, worst first; what is taken in later does not change them."""
        if self._rows is None:
            self._rows = tuple(self._sorted)
        return self._rows

    @property
    def users(self) -> Sequence[User]:
        """The users that something is known of, be it that they have no keys."""
        return [known.user for known in self._users.values()]

    def take_report(self, report: CredentialReport) -> None:
        """Take in a report, unless a newer one is here. What was read live after it was made stays.

        So do IDs read before, where the report has the same keys. It takes a while (100 ms for
        10,000 keys): ``prepared`` may do most of that in another thread.
        """
        self.take_prepared(self.prepared(report))

    def prepared(self, report: CredentialReport) -> Prepared:
        """Join a report with what is known now. Changes nothing; any thread may do it."""
        before, now = self._users.copy(), self._now()
        reported = {one.user.name: one for one in report.users}
        users = {
            name: self._reported(before.get(name) or _Known(one.user), one, report.made_at, now)
            for name, one in reported.items()
        }
        for name, known in before.items():
            if name not in users and known.read_at and known.read_at >= report.made_at:
                users[name] = replace(known, reported=())
        rows = (row for known in users.values() for row in known.rows)
        return Prepared(report.made_at, reported, before, users, sorted(rows, key=worst_first))

    def take_prepared(self, ready: Prepared) -> None:
        """Take in a prepared report, unless a newer one is here.

        What was taken in since it was prepared is joined with it too.
        """
        made_at = ready.made_at
        if self.report_made_at and made_at < self.report_made_at:
            return
        latest, now = self._users, self._now()
        self._users, self._sorted = ready.users, ready.rows
        self.report_made_at = made_at
        for name in ready.before.keys() - latest.keys():
            self._put(name, None)
        for name, known in latest.items():
            if known is ready.before.get(name):
                continue
            if name in ready.reported:
                self._put(name, self._reported(known, ready.reported[name], made_at, now))
            elif known.read_at and known.read_at >= made_at:
                self._put(name, replace(known, reported=()))
        self._changed()

    def take_keys(
        self, user: User, keys: Iterable[AccessKey], read_at: datetime, mfa: bool | None = None
    ) -> None:
        """Take in a user's keys as AWS lists them; ``mfa`` None keeps what is known of it.

        Keys that were read later and are here already stay. Each has the slot that the report
        gives it, where it is certain which is which, so that whoever looks at one does not
        find another in its place.
        """
        known = self._users.get(user.name) or _Known(user)
        if known.read_at and read_at < known.read_at:
            return
        has_mfa, mfa_read_at = (mfa, read_at) if mfa is not None else (known.mfa, known.mfa_read_at)
        listed = in_report_order(tuple(keys), known.reported)
        rows = self._judged(listed, has_mfa, self._now(), live=True)
        self._put(user.name, _Known(user, rows, has_mfa, known.reported, read_at, mfa_read_at))
        self._changed()

    def take_read(self, read: UserKeys) -> None:
        """Take in what AWS said of a user; what could not be read changes nothing."""
        if read.gone:
            self.take_gone(read.user)
        elif not read.error:
            self.take_keys(read.user, read.keys, read.read_at, read.mfa)

    def take_users(self, listed: Iterable[User]) -> None:
        """Take out who is not in a whole listing, but for the root user, whom AWS never lists."""
        names = {user.name for user in listed}
        for user in self.users:
            if user.name not in names and not user.is_root:
                self.take_gone(user)

    def take_change(self, key: AccessKey, status: KeyStatus) -> None:
        """Take in a change of status that AWS has accepted, where the key was read live.

        What was read or reported before it, and comes later, does not undo it.
        """
        known = self._users.get(key.user.name)
        if known is None or known.read_at is None:
            return
        others = [row.key for row in known.rows if row.key.id != key.id]
        changed = [replace(row.key, status=status) for row in known.rows if row.key.id == key.id]
        kept = others if status is KeyStatus.DELETED else [*others, *changed]
        order = {row.key.id: row.slot for row in known.rows}
        self.take_keys(known.user, sorted(kept, key=lambda one: order[one.id]), self._now())

    def take_gone(self, user: User) -> None:
        """Take out a user who is gone."""
        if user.name in self._users:
            self._put(user.name, None)
            self._changed()

    def of_user(self, name: str) -> tuple[AuditRow, ...]:
        """Return a user's rows, in the order of their slots; none where nothing is known."""
        known = self._users.get(name)
        return known.rows if known else ()

    def is_live(self, name: str) -> bool:
        """Return whether a user's keys were read live."""
        known = self._users.get(name)
        return known is not None and known.read_at is not None

    def read_at(self, name: str) -> datetime | None:
        """Return when a user's keys were read live; None where they were not."""
        known = self._users.get(name)
        return known.read_at if known else None

    def reported(self, name: str) -> tuple[AccessKey, ...]:
        """Return a user's keys as the report has them, also after they were read live."""
        known = self._users.get(name)
        return known.reported if known else ()

    def knows(self, name: str) -> bool:
        """Return whether anything is known of a user, be it that they have no keys."""
        return name in self._users

    def _reported(
        self, known: _Known, one: ReportedUser, made_at: datetime, now: datetime
    ) -> _Known:
        """Return what is known of a user with what a report says of them."""
        mfa, mfa_read_at = known.mfa, known.mfa_read_at
        if mfa_read_at is None or mfa_read_at < made_at:
            mfa, mfa_read_at = one.mfa, None
        keys, read_at = one.keys, None
        if known.read_at:
            listed = tuple(row.key for row in known.rows)
            still = listed if known.read_at >= made_at else _still(listed, known.read_at, one.keys)
            if still is not None:
                keys, read_at = still, known.read_at
        rows = self._judged(keys, mfa, now, live=read_at is not None)
        return _Known(one.user, rows, mfa, one.keys, read_at, mfa_read_at)

    def _judged(
        self, keys: tuple[AccessKey, ...], mfa: bool | None, now: datetime, *, live: bool
    ) -> tuple[AuditRow, ...]:
        return tuple(
            AuditRow(key, findings(key, keys, now, self.limits), mfa, slot, live)
            for slot, key in enumerate(keys)
        )

    def _put(self, name: str, known: _Known | None) -> None:
        """Put what is known of a user in the place of what was; None for nothing."""
        if before := self._users.pop(name, None):
            for row in before.rows:
                del self._sorted[bisect_left(self._sorted, worst_first(row), key=worst_first)]
        if known:
            self._users[name] = known
            for row in known.rows:
                insort(self._sorted, row, key=worst_first)

    def _changed(self) -> None:
        self.version += 1
        self._rows = None


def worst_first(row: AuditRow) -> tuple[int, int, datetime, str, str, int]:
    """Return what rows are sorted by: what fails first, and of no two rows the same.

    By the gravest rule broken, by how many are, by age, by user. Rows that something is only
    worth knowing of come after those that fail, and before those without a finding.
    """
    failing = [one.rule.rank for one in row.findings if one.fails]
    if failing:
        rank = failing[0]
    else:
        rank = _WORTH_KNOWING + row.findings[0].rule.rank if row.findings else _NOTHING
    name = row.key.user.name
    return rank, -len(failing), row.key.created or _NO_DATE, name.casefold(), name, row.slot


def _still(
    listed: tuple[AccessKey, ...], read_at: datetime, reported: tuple[AccessKey, ...]
) -> tuple[AccessKey, ...] | None:
    """Return keys read before a report was made with its last use; None where they have changed.

    They have not where the report has as many in the same states, none made or changed since,
    and it is certain which is which.
    """
    if Counter(key.status for key in listed) != Counter(key.status for key in reported):
        return None
    if not all(key.created and key.created <= read_at for key in reported):
        return None
    merged = joined([replace(key, last_used=None) for key in listed], reported)
    return merged if all(key.last_used for key in merged) else None
