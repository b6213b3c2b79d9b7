"""The doctor's rows as a page of text or as JSON. Pure."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from textwrap import wrap

from keytui import __version__
from keytui.cli.doctor.checks import Group, Row, Status
from keytui.core.text import plain

_TITLES = {
    Group.AWS: "AWS",
    Group.KEYRING: "Keyring",
    Group.TERMINAL: "Terminal",
    Group.STATE: "keytui's files",
}
_NAME_WIDTH = 12
_INDENT = 5 + _NAME_WIDTH
MIN_WIDTH, MAX_WIDTH = 40, 120

_MARKS = {Status.OK: "✓", Status.WARN: "!", Status.FAIL: "✗", Status.UNKNOWN: "–"}
_COLOURS = {Status.OK: "32", Status.WARN: "33", Status.FAIL: "31", Status.UNKNOWN: "2"}


@dataclass(frozen=True, slots=True)
class Style:
    """How a page is written.

    Attributes:
        width: Columns.
        colour: Whether marks are coloured.
        ascii_only: Whether nothing but ASCII may be written.
    """

    width: int = 80
    colour: bool = False
    ascii_only: bool = False


def page(rows: Sequence[Row], style: Style) -> str:
    """Return the page, without a line end after its last line."""
    lines: list[str] = []
    for group in Group:
        lines += [_TITLES[group]]
        for row in _shared(row for row in rows if row.group is group):
            lines += _row(row, style)
        lines += [""]
    text = "\n".join([*lines, _summary(rows)])
    return _to_ascii(text) if style.ascii_only else text


def to_json(rows: Iterable[Row]) -> str:
    """Return the rows as one JSON object; its keys are told by ``commands.doctor``."""
    groups: dict[str, dict[str, dict[str, object]]] = {group.value: {} for group in Group}
    found = list(rows)
    for row in found:
        text = f"{row.item}: {row.text}" if row.item else row.text
        groups[row.group][row.key] = {
            "status": row.status.value,
            "value": plain(row.value) if isinstance(row.value, str) else row.value,
            "text": plain(text),
            "advice": plain(row.advice),
            "command": plain(row.command),
        }
    whole = {"ok": passed(found), "version": __version__, **groups}
    return json.dumps(whole, indent=2, ensure_ascii=True)


def passed(rows: Iterable[Row]) -> bool:
    """Return whether nothing is in the way of keytui's work."""
    return not any(row.status is Status.FAIL for row in rows)


def _shared(rows: Iterable[Row]) -> list[Row]:
    """Join the rows of several items that say the same."""
    alike: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        said = (row.name, row.status, row.text, row.advice, row.command)
        alike.setdefault(said if row.item else (row.key,), []).append(row)
    return [_joined(same) for same in alike.values()]


def _joined(rows: Sequence[Row]) -> Row:
    items = ", ".join(row.item for row in rows if row.item)
    return replace(rows[0], text=f"{rows[0].text}: {items}." if items else rows[0].text)


def _row(row: Row, style: Style) -> list[str]:
    mark = _MARKS[row.status]
    if style.colour:
        mark = f"\x1b[{_COLOURS[row.status]}m{mark}\x1b[0m"
    words = f"{plain(row.text)} {plain(row.advice)}".strip()
    first, *more = wrap(words, style.width - _INDENT, break_on_hyphens=False) or [""]
    lines = [f"  {mark} {row.name:<{_NAME_WIDTH}} {first}".rstrip()]
    lines += [f"{'':{_INDENT}}{line}" for line in more]
    if row.command:
        # In one line whatever the width: it is made to be copied.
        lines += [f"{'':{_INDENT}}$ {plain(row.command)}"]
    return lines


def _summary(rows: Iterable[Row]) -> str:
    statuses = [row.status for row in rows]
    failed, warned = statuses.count(Status.FAIL), statuses.count(Status.WARN)
    if not failed:
        return f"Nothing is in the way.{f' Worth knowing: {warned} (!).' if warned else ''}"
    return f"To mend: {failed} (✗).{f' Worth knowing: {warned} (!).' if warned else ''}"


_LOOKALIKES = str.maketrans(
    {"✓": "+", "✗": "x", "–": "-", "·": "-", "×": "x", "…": "...", "→": "->"}
)


def _to_ascii(text: str) -> str:
    return text.translate(_LOOKALIKES).encode("ascii", "replace").decode("ascii")
