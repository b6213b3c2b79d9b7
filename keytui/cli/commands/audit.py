"""``keytui audit``: every key of the account with findings, for people and for CI jobs."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Collection, Container, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum

from keytui.audit.export import as_csv, as_json, as_markdown, broken_rules, day, last_use, yes_no
from keytui.audit.live import all_users
from keytui.audit.report import read_report
from keytui.audit.rows import Audit, AuditRow
from keytui.audit.view import totals
from keytui.cli.console import ConsolePort, aligned, complain, note, progress, say_document
from keytui.cli.live_keys import Unread, live_keys
from keytui.cli.parser import (
    EXIT_DONE,
    EXIT_INTERRUPTED,
    EXIT_USAGE,
    Command,
    Request,
    add_account_flags,
)
from keytui.core.errors import AccessDeniedError
from keytui.core.model import AccessKey, KeyStatus, User
from keytui.core.port import run_now
from keytui.core.rules import Rule
from keytui.core.text import plain, span
from keytui.session.account import Account, open_account
from keytui.session.context import Context

LONG = 30.0
"""Seconds from which on it is said that there is a shorter way."""


class Way(Enum):
    """How an account is read."""

    CHECKED = "the report, then the users whose keys break a rule"
    LIVE = "every user"
    REPORT = "the report alone"


class Reading(ConsolePort):
    """What is read of an account; where it was cut short, what was read so far."""

    def __init__(self, ctx: Context, account: Account, way: Way) -> None:
        super().__init__()
        self.unread = Unread()
        self._ctx, self._account, self._way = ctx, account, way
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
        self._read_report()
        if self._audit.report_made_at is None or self._way is Way.LIVE:
            self._read_live(self._everybody())
        elif self._way is Way.CHECKED:
            # Each once, those with the gravest findings first.
            users = list(dict.fromkeys(row.key.user for row in self.rows if row.fails))
            seconds = len(users) / self._account.pace.rate
            if seconds > LONG:
                note(
                    f"The keys of {len(users):,} users break a rule. To read them live takes "
                    f"about {span(seconds)}; --report-only does without their IDs."
                )
            self._read_live(users)

    def lacks(self, rules: Container[Rule]) -> bool:
        """Return whether something was not read that some rules ask for."""
        lives_by_report = self._way is Way.CHECKED and self._audit.report_made_at is not None
        active = self._active
        return (
            bool(self.unread.users and not lives_by_report)
            or (Rule.ROOT_KEY in rules and not self._root_is_known)
            or (Rule.OLD in rules and any(key.created is None for key in active))
            or (
                (Rule.UNUSED in rules or Rule.NEVER_USED in rules)
                and any(key.last_used is None for key in active)
            )
        )

    def tell_unread(self) -> None:
        """Say what was not read."""
        for sentence in self.unread.sentences():
            complain(sentence)
        if number := sum(key.last_used is None or key.created is None for key in self._active):
            what = "1 active key" if number == 1 else f"{number:,} active keys"
            complain(f"Of {what} the creation or the last use is not known.")
        if not self._root_is_known:
            complain("Whether the root user has keys is not known: the credential report tells it.")

    def report_read(self) -> None:
        """Nothing is shown before all is read."""

    @property
    def _active(self) -> Sequence[AccessKey]:
        return [row.key for row in self.rows if row.key.status is KeyStatus.ACTIVE]

    @property
    def _root_is_known(self) -> bool:
        return self._audit.report_made_at is not None or self._account.identity.is_root

    def _read_report(self) -> None:
        """Take in AWS's newest report; for the live way, one that is there already."""
        progress("Asking for the credential report")
        ctx, newest = self._ctx, self._way is not Way.LIVE
        iam, audit = self._account.iam, self._audit
        run_now(read_report(iam, audit, self, ctx.now, ctx.wait.sleep, newest=newest))
        if (error := audit.report_error) is None:
            return
        if audit.report_made_at is not None:
            note(f"AWS makes no newer credential report. {error}")
        elif self._way is Way.REPORT:
            raise error
        else:
            note(f"There is no credential report; each user is asked about. {error}")

    def _everybody(self) -> Sequence[User]:
        reported = self._audit.users
        progress("Reading users")
        try:
            listed = all_users(self._account.iam)
        except AccessDeniedError as error:
            if not reported:
                raise
            note(f"Users made since the report are not known. {error}")
            return reported
        self._audit.take_users(listed)
        return listed

    def _read_live(self, users: Sequence[User]) -> None:
        audit = self._audit
        for one in live_keys(
            self._account,
            self._ctx,
            users,
            lambda user: audit.reported(user.name),
            mfa=audit.report_made_at is None,
        ):
            audit.take_read(one)
            self.unread.note(one)


EXIT_FINDINGS = 1
"""A key breaks a rule."""
EXIT_UNREAD = 2
"""None of those read does, but not all could be read."""
COLUMNS = ("User", "Access key ID", "Status", "Created", "Last used", "MFA", "Findings")
_SHAPES = {"json": as_json, "csv": as_csv, "markdown": as_markdown}


def audit(ctx: Context, request: Request) -> int:
    """Audit the account; print a table with totals, or JSON, CSV or Markdown.

    The credential report tells of all keys; those of users who break a rule are then read
    live, which gives their IDs and their status now. Told to stop, it prints what is known.

    Returns:
        0 where no key breaks one of the rules asked for, 1 where one does, 2 where not all
        could be read that these rules ask for, 130 where it was told to stop.

    Raises:
        KeytuiError: The account can't be read.
    """
    options = request.options
    account = open_account(ctx, ctx.settings.profile)
    reading, stopped = Reading(ctx, account, _way(options)), False
    try:
        reading.read()
    except KeyboardInterrupt:
        stopped = True
    reading.tell_unread()
    _tell_of_report(account.audit, ctx.now())
    if stopped:
        complain("Stopped before all was read: this is what is known.")
    rules = _rules(options["fail_on"])
    rows = [row for row in reading.rows if row.fails or not options["findings"]]
    shape = next((make for name, make in _SHAPES.items() if options[name]), None)
    if shape:
        say_document(shape(rows, account.identity.account))
        note(_sum(reading.rows))
    else:
        _print_table(rows, account.audit)
    if stopped:
        return EXIT_INTERRUPTED
    if any(one.fails and one.rule in rules for row in reading.rows for one in row.findings):
        return EXIT_FINDINGS
    return EXIT_UNREAD if reading.lacks(rules) else EXIT_DONE


def _way(options: dict[str, object]) -> Way:
    if options["report_only"]:
        return Way.REPORT
    return Way.LIVE if options["live"] else Way.CHECKED


def _rules(words: Collection[str] | None) -> Collection[Rule]:
    return [rule for rule in Rule if words is None or rule.option in words]


def _tell_of_report(known: Audit, now: datetime) -> None:
    if known.report_made_at:
        old = max(now - known.report_made_at, timedelta())
        hours, minutes = divmod(old // timedelta(minutes=1), 60)
        when = f"{known.report_made_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        age = f"{hours} h {minutes} min ago" if hours else f"{minutes} min ago"
        note(f"The credential report was made {when}, {age if hours or minutes else 'just now'}.")


def _print_table(rows: Sequence[AuditRow], known: Audit) -> None:
    table = [*aligned([COLUMNS, *map(_cells, rows)]), ""] if rows else []
    sums = [
        (
            one.rule.word,
            f"{one.judged - one.failing:,} of {one.judged:,} active keys pass",
            f"CIS {one.rule.cis}",
            one.rule.text(known.limits),
        )
        for one in totals(known.rows)
    ]
    lines = [*table, _sum(known.rows), *(aligned(sums) if known.rows else ())]
    say_document("".join(f"{plain(line)}\n" for line in lines))


def _sum(rows: Sequence[AuditRow]) -> str:
    failing = sum(row.fails for row in rows)
    keys = "1 key" if len(rows) == 1 else f"{len(rows):,} keys"
    return f"{keys}; {failing:,} break{'s' if failing == 1 else ''} a rule."


def _cells(row: AuditRow) -> tuple[str, ...]:
    key = row.key
    return (
        key.user.name,
        key.id or "-",
        key.status.value,
        day(key.created),
        last_use(key),
        yes_no(row.mfa),
        broken_rules(row.findings),
    )


def _rule_names(text: str) -> tuple[str, ...]:
    words = tuple(word.strip() for word in text.split(","))
    if words == ("none",):
        return ()
    known = [rule.option for rule in Rule]
    if not set(words) <= set(known):
        raise ArgumentTypeError(f"takes a list of {', '.join(known)}, or none")
    return words


def _arguments(reader: ArgumentParser) -> None:
    shape = reader.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="print JSON")
    shape.add_argument("--csv", action="store_true", help="print CSV")
    shape.add_argument("--markdown", action="store_true", help="print a Markdown table")
    reader.add_argument(
        "--fail-on",
        metavar="RULES",
        type=_rule_names,
        help="only these give status 1: a list such as old,unused (default: all; "
        f"{', '.join(rule.option for rule in Rule)}), or none",
    )
    reader.add_argument("--findings", action="store_true", help="only keys that break a rule")
    way = reader.add_mutually_exclusive_group()
    way.add_argument("--live", action="store_true", help="read every user live")
    way.add_argument(
        "--report-only",
        action="store_true",
        help="read the report alone: no access key IDs, up to four hours old, a few calls",
    )
    add_account_flags(reader)


COMMANDS = {
    "audit": Command(
        "judge every key of the account, for CI jobs too",
        "Judge every access key of the account by the rules, worst first. The credential report "
        "tells of all keys in a few calls; users whose keys break a rule are then read live, for "
        "the IDs and the status now. Where the report may not be read, every user is. Exit status: "
        "0 no key breaks a rule; 1 one does; 2 none of those read does, but not all could be read; "
        "128 + a signal that ended it.",
        _arguments,
        audit,
        failed=EXIT_USAGE,
        unprinted=EXIT_USAGE,  # Its 1 is a finding.
    )
}
