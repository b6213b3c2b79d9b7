"""An audit as CSV, JSON or Markdown. Pure."""

from collections.abc import Sequence

from keytui.audit.rows import AuditRow
from keytui.model import AccessKey


def key_fields(key: AccessKey, account: str) -> dict[str, object]:
    """Return a key's fields as ``keytui list --json`` and the audit have them."""
    raise NotImplementedError


def as_json(rows: Sequence[AuditRow], account: str) -> str:
    """Return one JSON array with an object for each key, ending with a line feed."""
    raise NotImplementedError


def as_csv(rows: Sequence[AuditRow], account: str) -> str:
    """Return CSV with a heading, RFC 4180; no cell that a spreadsheet takes for a formula."""
    raise NotImplementedError


def as_markdown(rows: Sequence[AuditRow], account: str) -> str:
    """Return a Markdown table, with the totals above it."""
    raise NotImplementedError
