"""What ``keytui audit`` reads, and what it says meanwhile."""

from collections.abc import Container, Sequence
from enum import Enum

from keytui.audit.checking import Checked, check
from keytui.audit.reporting import reports
from keytui.audit.rows import AuditRow
from keytui.commands.console import complain, note, progress
from keytui.commands.meter import Meter
from keytui.commands.users import all_users
from keytui.errors import AccessDeniedError, AwsError, ThrottledError
from keytui.findings import Rule
from keytui.model import KeyStatus, User
from keytui.parts import Parts
from keytui.ui.account import Account

TRIALS = 8
"""After so many refusals and not one answer nobody else is asked about."""


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
        self._answered: set[str] = set()

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
            self._check(list(dict.fromkeys(row.key.user for row in self.rows if row.fails)))

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
        for sentence, names in self.unread.items():
            more = f" and {len(names) - 1:,} other users" if len(names) > 1 else ""
            complain(f"The keys of {names[0]}{more} could not be read. {sentence}")
        for sentence in self.notes:
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

    @property
    def _hopeless(self) -> bool:
        return not self._answered and sum(map(len, self.unread.values())) >= TRIALS

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
        """Read users' keys live; those AWS had no time for once more, while that leads on."""
        root = self._account.identity.is_root
        asked = waiting = [user for user in users if root or not user.is_root]
        with Meter("users", len(asked), self._parts.wait.clock) as meter:
            while waiting and not self._hopeless:
                late = self._round(waiting, meter)
                if len(late) == len(waiting):
                    break
                waiting = late
        told = self._answered.union(*self.unread.values())
        if silent := [user.name for user in asked if user.name not in told]:
            busy = "AWS went on asking for fewer calls. Try again later."
            why = next(iter(self.unread)) if self._hopeless else busy
            self.unread.setdefault(why, []).extend(silent)

    def _round(self, users: Sequence[User], meter: Meter) -> list[User]:
        """Ask once about each; return those whom AWS had no time for."""
        account, late = self._account, list[User]()
        for one in check(
            account.iam,
            users,
            account.pace,
            self._parts.now,
            lambda user: self._audit.reported(user.name),
            mfa=self._audit.report_made_at is None,
            left=lambda: self._hopeless,
        ):
            if isinstance(one.error, ThrottledError):
                late.append(one.user)
                continue
            self._take(one)
            slowed = ", as AWS asks for fewer" if account.pace.slowed else ""
            meter.went_on(f"{account.pace.rate:.0f} calls a second{slowed}")
        return late

    def _take(self, one: Checked) -> None:
        name = one.user.name
        if one.error:
            self.unread.setdefault(str(one.error), []).append(name)
            return
        self._answered.add(name)
        if one.note:
            self.notes[str(one.note)] = None
        if one.gone:
            self._audit.take_gone(one.user)
        else:
            self._audit.take_keys(one.user, one.keys, one.read_at, one.mfa)
