"""What stands in a table's cells about a key."""

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text

from keytui.core.model import AccessKey, KeyStatus
from keytui.core.rules import Finding
from keytui.core.text import plain
from keytui.tui.widgets.text import DIM, FAILS, age, fit

LONG_AGE = 9
"""Cells from which on an age is told as ``115 d ago``."""
SERVICE, REGION = 11, 16
"""Cells from which on the service, and its Region, stand beside the time of a last use."""
FINDING_WORDS = 24
"""Cells that findings take in full words."""
FINDING_NUMBERS = 25
"""Cells from which on the audit names the CIS numbers too."""


def last_used(key: AccessKey, now: datetime, cells: int) -> Text:
    """Return when a key was last used, and where if there is room."""
    used = key.last_used
    if key.status is KeyStatus.DELETED:
        return Text("–")
    if used is None:
        return Text("…", style=DIM)
    if used.when is None:
        return Text("never")
    text = Text(age(used.when, now))
    if cells >= SERVICE:
        region = used.region if cells >= REGION else ""
        where = plain(f"{used.service} {region}".strip())
        text.append(" ").append(fit(where, cells - text.cell_len), DIM)
    return text


def findings_in(found: Sequence[Finding], cells: int, *, numbers: bool = False) -> Text:
    """Return which rules a key breaks: in full words, or the first word of each.

    Args:
        found: The findings.
        cells: The width of the column; it alone decides how they are worded.
        numbers: Whether the CIS numbers stand there too, where there is room.
    """
    text, full = Text(), cells >= FINDING_WORDS
    for one in found:
        text.append((", " if full else " ") if text else "")
        word = one.rule.word if full else one.rule.word.split()[0]
        if numbers and cells >= FINDING_NUMBERS:
            word = f"{word} {one.rule.cis}"
        text.append(word, FAILS if one.fails else DIM if numbers else "")
    return text
