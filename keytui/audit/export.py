"""An audit as CSV, JSON or Markdown. Pure."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from unicodedata import normalize

from keytui.audit.rows import AuditRow
from keytui.audit.view import totals
from keytui.core.model import AccessKey
from keytui.core.rules import Finding
from keytui.core.text import plain

CSV_COLUMNS = (
    "account",
    "user",
    "key_id",
    "status",
    "created",
    "last_used",
    "last_used_service",
    "last_used_region",
    "mfa",
    "live",
    "findings",
    "cis",
)
MARKDOWN_COLUMNS = (
    "User",
    "Access key ID",
    "Status",
    "Created",
    "Last used",
    "MFA",
    "Findings",
)
_FORMULA = frozenset("=+-@\t\r\n")
"""What a cell begins with that a spreadsheet takes for a formula, in full width too."""
_HARMLESS = re.compile(r"[\w+=,.@:/-]+(?: [\w+=,.@:/-]+)*", re.ASCII)
"""What stands in a code span as it is."""


def key_fields(key: AccessKey, account: str) -> dict[str, object]:
    """Return a key's fields as ``keytui list --json`` and the audit have them.

    ``key_id`` is None where the ID is not known; ``last_used`` is ISO 8601, ``never``, or None
    where it was not or may not be read.
    """
    used = key.last_used
    return {
        "key_id": key.id or None,
        "user": key.user.name,
        "account": account,
        "status": key.status.value,
        "created": _iso(key.created),
        "last_used": (_iso(used.when) or "never") if used else None,
        "last_used_service": used.service if used else "",
        "last_used_region": used.region if used else "",
        "description": key.description,
    }


def finding_fields(found: Iterable[Finding]) -> list[dict[str, object]]:
    """Return findings as the JSON has them: the rule's word, its CIS number, whether it fails."""
    return [{"rule": one.rule.word, "cis": one.rule.cis, "fails": one.fails} for one in found]


def broken_rules(found: Iterable[Finding]) -> str:
    """Return the rules that are broken with their CIS numbers: ``old 1.14, two active 1.13``."""
    return ", ".join(f"{one.rule.word} {one.rule.cis}" for one in found if one.fails)


def as_json(rows: Sequence[AuditRow], account: str) -> str:
    """Return one JSON array with an object for each key, each on a line, ending with a line feed.

    An object has the fields of ``key_fields``, with None for the description, which an audit
    does not read; ``mfa``: whether the user has a device, None where that is not known;
    ``live``: whether ID and status were read from AWS itself, not from the report, whose
    ``created`` is when the key was made *or last changed*; and ``findings``.
    """
    lines = [json.dumps(_json_fields(row, account)) for row in rows]
    return "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"


def as_csv(rows: Sequence[AuditRow], account: str) -> str:
    """Return CSV with a heading, RFC 4180; no cell that a spreadsheet takes for a formula.

    A cell that would be one begins with an apostrophe. ``findings`` and ``cis`` name the rules
    that the key breaks.
    """
    import csv
    from io import StringIO

    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    for row in rows:
        fields = key_fields(row.key, account)
        failing = [one.rule for one in row.findings if one.fails]
        fields |= {
            "mfa": row.mfa,
            "live": row.live,
            "findings": "; ".join(rule.word for rule in failing),
            "cis": "; ".join(rule.cis for rule in failing),
        }
        writer.writerow([_cell(fields[name]) for name in CSV_COLUMNS])
    return text.getvalue()


def as_markdown(rows: Sequence[AuditRow], account: str) -> str:
    """Return a Markdown table, with the totals above it."""
    lines = [
        f"# Access keys of the account {_code(account)}",
        "",
        *_markdown_row(["Rule", "CIS", "Active keys that pass", "that fail"], heading=True),
        *(
            line
            for one in totals(rows)
            for line in _markdown_row(
                [
                    one.rule.word,
                    one.rule.cis,
                    f"{one.judged - one.failing:,} of {one.judged:,}",
                    f"{one.failing:,}",
                ]
            )
        ),
        "",
        *_markdown_row(MARKDOWN_COLUMNS, heading=True),
        *(line for row in rows for line in _markdown_row(_markdown_cells(row))),
    ]
    return "\n".join(lines) + "\n"


def last_use(key: AccessKey) -> str:
    """Return a key's last use in words, in UTC; empty where it is not known."""
    used = key.last_used
    if used is None:
        return ""
    if used.when is None:
        return "never"
    when = f"{used.when.astimezone(UTC):%Y-%m-%d %H:%M}"
    return " ".join(filter(None, (when, used.service, used.region)))


def day(when: datetime | None) -> str:
    """Return a date in UTC; empty where it is not known."""
    return f"{when.astimezone(UTC):%Y-%m-%d}" if when else ""


def yes_no(answer: bool | None) -> str:
    """Return ``yes`` or ``no``; empty where it is not known."""
    return "" if answer is None else "yes" if answer else "no"


def _json_fields(row: AuditRow, account: str) -> dict[str, object]:
    return key_fields(row.key, account) | {
        "description": None,
        "mfa": row.mfa,
        "live": row.live,
        "findings": finding_fields(row.findings),
    }


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    raw = str(value)
    text = plain(raw)
    return f"'{text}" if normalize("NFKC", raw[:1]) in _FORMULA else text


def _markdown_cells(row: AuditRow) -> list[str]:
    key = row.key
    failing = [f"{one.rule.word} (CIS {one.rule.cis})" for one in row.findings if one.fails]
    return [
        _code(key.user.name),
        _code(key.id),
        key.status.value,
        day(key.created),
        _code(last_use(key)),
        yes_no(row.mfa),
        ", ".join(failing),
    ]


def _markdown_row(cells: Sequence[str], *, heading: bool = False) -> list[str]:
    line = f"| {' | '.join(cells)} |"
    return [line, "|" + " --- |" * len(cells)] if heading else [line]


def _code(text: str) -> str:
    """Return text that Markdown leaves as it is: no markup, no link, nobody's mention.

    What a code span can't hold in every dialect is written as HTML entities.
    """
    text = plain(text)
    if not text or _HARMLESS.fullmatch(text):
        return f"`{text}`" if text else ""
    return "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in text)


def _iso(when: datetime | None) -> str | None:
    return when.isoformat() if when else None
