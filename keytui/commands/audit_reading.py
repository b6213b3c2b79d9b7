"""What ``keytui audit`` reads, and what it says meanwhile."""

from collections.abc import Container, Sequence
from enum import Enum

from keytui.audit.reporting import reports
from keytui.audit.rows import AuditRow
from keytui.commands.checked import checked, unread
from keytui.commands.console import complain, note, progress
from keytui.commands.meter import span
from keytui.commands.users import all_users
from keytui.errors import AccessDeniedError, AwsError
from keytui.findings import Rule
from keytui.model import KeyStatus, User
from keytui.parts import Parts
from keytui.ui.account import Account

LONG = 30.0
"""Seconds from which on it is said that there is a shorter way."""


class Way(Enum):
    """How an account is read."""

    CHECKED = "the report, then the users whose keys break a rule"
    LIVE = "every user"
    REPORT = "the report alone"


class Reading:
    """What is read of an account; where it was cut short, what was read so far.

    Attributes:
        unread: A sentence that says why → the names of users whose keys could not be read.
        notes: What else could not be read, sentences.
    """

    def __init__(self, parts: Parts, account: Account, way: Way) -> None:
        self.unread: dict[str, list[str]] = {}
        self.notes: dict[str, None] = {}
        self._parts, self._account, self._way = parts, account, way
        self._audit = account.audit

    @property
    def rows(self) -> Sequence[AuditRow]:
        """All rows, worst first."""
        return self._audit.rows

    def read(self) -> None:
        """Read the account.

        Raises:
            AwsError: Nothing of it can be read.
        """
        self._take_report()
        if self._audit.report_made_at is None or self._way is Way.LIVE:
            self._check(self._everybody())
        elif self._way is Way.CHECKED:
            # Each once, those with the gravest findings first.
            users = list(dict.fromkeys(row.key.user for row in self.rows if row.fails))
            seconds = len(users) / self._account.pace.rate
            if seconds > LONG:
                note(
                    f"The keys of {len(users):,} users break a rule. To read them live takes "
                    f"about {span(seconds)}; --report-only does without their IDs."
                )
            self._check(users)

    def lacks(self, rules: Container[Rule]) -> bool:
        """Return whether something was not read that some rules ask for."""
        lives_by_report = self._way is Way.CHECKED and self._audit.report_made_at is not None
        active = [row.key for row in self.rows if row.key.status is KeyStatus.ACTIVE]
        return (
            bool(self.unread and not lives_by_report)
            or (Rule.ROOT_KEY in rules and not self._root_is_known)
            or (Rule.OLD in rules and any(key.created is None for key in active))
            or (
                (Rule.UNUSED in rules or Rule.NEVER_USED in rules)
                and any(key.last_used is None for key in active)
            )
        )

    def tell(self) -> None:
        """Say what was not read."""
        for sentence in (*unread(self.unread), *self.notes):
            complain(sentence)
        active = [row.key for row in self.rows if row.key.status is KeyStatus.ACTIVE]
        if number := sum(key.last_used is None or key.created is None for key in active):
            what = "1 active key" if number == 1 else f"{number:,} active keys"
            complain(f"Of {what} the creation or the last use is not known.")
        if not self._root_is_known:
            complain("Whether the root user has keys is not known: the credential report tells it.")

    @property
    def _root_is_known(self) -> bool:
        return self._audit.report_made_at is not None or self._account.identity.is_root

    def _take_report(self) -> None:
        """Take in AWS's newest report; for the live way, one that is there already."""
        progress("Asking for the credential report")
        audit, parts = self._audit, self._parts
        try:
            for report in reports(self._account.iam, parts.now, parts.wait.sleep):
                audit.take_report(report)
                if self._way is Way.LIVE:
                    break
        except AwsError as error:
            if audit.report_made_at is not None:
                note(f"AWS makes no newer credential report. {error}")
            elif self._way is Way.REPORT:
                raise
            else:
                note(f"There is no credential report; each user is asked about. {error}")

    def _everybody(self) -> Sequence[User]:
        reported = self._audit.users
        try:
            listed = all_users(self._account)
        except AccessDeniedError as error:
            if not reported:
                raise
            note(f"Users made since the report are not known. {error}")
            return reported
        names = {user.name for user in listed}
        for user in reported:
            if user.name not in names and not user.is_root:
                self._audit.take_gone(user)
        return listed

    def _check(self, users: Sequence[User]) -> None:
        """Read users' keys live; the root user's, where it is the caller."""
        root, audit = self._account.identity.is_root, self._audit
        for one in checked(
            self._account,
            self._parts,
            [user for user in users if root or not user.is_root],
            lambda user: audit.reported(user.name),
            mfa=audit.report_made_at is None,
        ):
            if one.error:
                self.unread.setdefault(str(one.error), []).append(one.user.name)
            elif one.gone:
                audit.take_gone(one.user)
            else:
                audit.take_keys(one.user, one.keys, one.read_at, one.mfa)
            if one.note:
                self.notes[str(one.note)] = None
