"""``keytui audit``: every key of the account with findings, for people and for CI jobs."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

from keytui.arguments import Request
from keytui.audit.export import as_csv, as_json, as_markdown, day, last_use, yes_no
from keytui.audit.rows import Audit, AuditRow
from keytui.audit.view import totals
from keytui.commands.audit_reading import Reading, Way
from keytui.commands.console import complain, note, say_document
from keytui.commands.table import aligned
from keytui.exits import EXIT_DONE, EXIT_INTERRUPTED
from keytui.findings import Rule
from keytui.parts import Parts
from keytui.plain import plain
from keytui.ui.account import open_account

EXIT_FINDINGS = 1
"""A key breaks a rule."""
EXIT_UNREAD = 2
"""None of those read does, but not all could be read."""
COLUMNS = ("User", "Access key ID", "Status", "Created", "Last used", "MFA", "Findings")
_SHAPES = {"json": as_json, "csv": as_csv, "markdown": as_markdown}


def audit(parts: Parts, request: Request) -> int:
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
    account = open_account(parts, parts.settings.profile)
    reading, stopped = Reading(parts, account, _way(options)), False
    try:
        reading.read()
    except KeyboardInterrupt:
        stopped = True
    reading.tell()
    _tell_of_report(account.audit, parts.now())
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
            one.rule.told(known.limits),
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
        ", ".join(f"{one.rule.word} {one.rule.cis}" for one in row.findings if one.fails),
    )
