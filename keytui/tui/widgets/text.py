"""How things are worded and drawn. Text from AWS is data: it goes through ``plain`` first."""

from datetime import UTC, datetime, timedelta

from rich.cells import cell_len, set_cell_size

from keytui.core.model import KeyStatus
from keytui.core.text import plain
from keytui.stores.base import Receipt

ACCENT = "cyan"
FAILS = "red"
WARNS = "yellow"
GOOD = "green"
DIM = "dim"

GLYPHS = {
    KeyStatus.ACTIVE: "●",
    KeyStatus.INACTIVE: "○",
    KeyStatus.EXPIRED: "⊘",
    KeyStatus.DELETED: "✕",
}
STATUS_STYLES = {
    KeyStatus.ACTIVE: GOOD,
    KeyStatus.INACTIVE: "",
    KeyStatus.EXPIRED: WARNS,
    KeyStatus.DELETED: DIM,
}


def age(when: datetime | None, now: datetime) -> str:
    """Return a time span in its largest whole unit: ``4 min``, ``3 h``, ``115 d``, ``2 y``.

    Days are counted up to two years, since the rules count days. ``–`` where not known.
    """
    if when is None:
        return "–"
    span = max(now - when, timedelta())
    if span < timedelta(hours=1):
        return f"{span // timedelta(minutes=1)} min"
    if span < timedelta(days=1):
        return f"{span // timedelta(hours=1)} h"
    if span < timedelta(days=730):
        return f"{span.days} d"
    return f"{span.days // 365} y"


def ago(when: datetime | None, now: datetime) -> str:
    """Return ``115 d ago``; ``–`` where not known."""
    return f"{age(when, now)} ago" if when else "–"


def moment(when: datetime | None) -> str:
    """Return a time to the minute, in UTC; ``unknown`` where not known."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if when else "unknown"


def count(number: int, noun: str) -> str:
    """Return ``1 user``, ``12 users``, ``5,000 users``, ``no users``."""
    if number == 0:
        return f"no {noun}s"
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def fit(text: str, width: int) -> str:
    """Return text cut to a width in cells, with an ellipsis where something was cut."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)) + "…"


def backend(label: str) -> str:
    """Return ``Secret Service`` for ``OS keyring (Secret Service)``; empty where none is known."""
    name, _, inside = label.partition("(")
    return plain(inside.rstrip(")") or name.removeprefix("OS keyring"))


def place(receipt: Receipt) -> str:
    """Return where a secret is kept, as it stands after ``in``."""
    if receipt.store != "keyring":
        return receipt.where
    first, rest = receipt.where[:1], receipt.where[1:]
    return f"the {first if rest[:1].isupper() else first.lower()}{rest}"
