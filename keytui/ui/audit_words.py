"""What the audit says of itself: of when its knowledge is, and what is still to come."""

from datetime import datetime, timedelta

from rich.text import Text

from keytui.errors import AccessDeniedError
from keytui.plain import plain
from keytui.ui.account import Account
from keytui.ui.audit_marks import AuditMarks
from keytui.ui.audit_reader import AuditReader
from keytui.ui.text import ACCENT, DIM, ago, count

JUST_NOW = timedelta(minutes=1)


def heading(account: Account, reader: AuditReader, now: datetime, width: int) -> Text:
    """Return the line at the top: how many keys, and where they are known from.

    Where it is too long for the width, the account ID is left out.
    """
    rows = account.audit.rows
    failing = sum(row.fails for row in rows)
    told = Text(f"  {count(len(rows), 'key')}, {failing:,} with findings")
    told.append(f"  {_source(account, reader, now)}", DIM)
    title, place = Text("Audit", f"bold {ACCENT}"), f"  {plain(account.identity.account)}"
    fits = title.cell_len + len(place) + told.cell_len <= width
    return Text.assemble(title, place if fits else "", told)


def _source(account: Account, reader: AuditReader, now: datetime) -> str:
    made_at, progress = account.audit.report_made_at, reader.progress
    reading = account.report_task is not None and not account.report_task.done()
    if made_at is not None:
        newer = ", AWS makes a new one…" if reading else ""
        made = "just now" if now - made_at < JUST_NOW else ago(made_at, now)
        return f"report made {made}{newer}"
    if reading and not progress.running:
        return "asking AWS for the credential report…"
    if progress.running and not progress.total:
        return "reading users…"
    read = f"read live: {progress.done:,} of {count(progress.total, 'user')}"
    if not progress.running:
        return read
    left = progress.seconds_left
    return read + (f", about {_span(left)} left" if left is not None else "…")


def told(account: Account, reader: AuditReader, shown: int, marks: AuditMarks) -> str:
    """Return the line below the table: how many are shown and marked, and what is amiss."""
    words = [f"{shown:,} of {count(len(account.audit.rows), 'key')} shown"]
    if len(marks):
        words.append(f"{len(marks):,} marked")
    if marks.lost:
        words.append(f"{count(marks.lost, 'mark')} let go: it isn't certain which keys they were")
    words += _problems(account, reader)
    return " · ".join(words)


def _problems(account: Account, reader: AuditReader) -> list[str]:
    error, progress = account.audit.report_error, reader.progress
    found = []
    if progress.failed:
        also = f" ({count(progress.failures, 'user')})" if progress.failures else ""
        found.append(f"not all could be read{also}: {plain(progress.failed.title)}")
    elif reader.problem:
        found.append(plain(reader.problem.title))
    if isinstance(error, AccessDeniedError):
        found.append(f"no credential report: {plain(error.action)} is denied")
    elif error is not None:
        found.append(f"no credential report: {plain(error.title)}")
    return found


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
