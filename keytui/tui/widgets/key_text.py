"""What is known of a key: in the cells of a table, and in sentences."""

from collections.abc import Sequence
from datetime import datetime

from rich.text import Text
from typing_extensions import override

from keytui.core.model import AccessKey, KeyStatus, User
from keytui.core.rules import Finding, Thresholds, findings
from keytui.core.text import plain
from keytui.session.inventory import KeyList
from keytui.tui.widgets.lines import Lines
from keytui.tui.widgets.text import DIM, FAILS, WARNS, age, ago, fit, moment

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


class KeyDetail(Lines):
    """The detail below the table."""

    INDENT = 2
    """Cells to the left, and as many to the right."""

    def __init__(
        self,
        limits: Thresholds,
        *,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self._limits = limits
        self._sentences: list[Text] = []
        self._wrapped: list[Text] = []

    def show(
        self, user: User | None, key: AccessKey | None, known: KeyList | None, now: datetime
    ) -> None:
        """Show one key; where there is none, what to do about that."""
        lines: list[Text] = []
        if key:
            lines.append(_dates(key, now))
        elif user and known:
            lines.append(Text(f"{plain(user.name)} has no access keys. c creates one."))
        if key and key.description:
            lines.append(Text(f"“{plain(key.description)}”"))
        if key and known and key.status is not KeyStatus.DELETED:
            lines += _findings(key, known, now, self._limits)
        if known and known.note:
            lines.append(Text(plain(f"{known.note.title} {known.note.next_step}"), style=WARNS))
        self.show_sentences(lines)

    def show_sentences(self, sentences: list[Text]) -> None:
        """Show these, each on a line of its own and wrapped."""
        self._sentences = sentences
        self._wrap()
        self.redraw()

    @override
    def draw_line(self, y: int, width: int) -> Text:
        del width
        if y >= len(self._wrapped):
            return Text()
        return Text.assemble(" " * self.INDENT, self._wrapped[y])

    def on_resize(self) -> None:
        super().on_resize()
        self._wrap()

    def _wrap(self) -> None:
        room = max(self.size.width - 2 * self.INDENT, 1)
        console = self.app.console
        self._wrapped = [part for text in self._sentences for part in text.wrap(console, room)]


def _findings(key: AccessKey, known: KeyList, now: datetime, limits: Thresholds) -> list[Text]:
    lines = []
    for finding in findings(key, known.keys, now, limits):
        rule = finding.rule.text(limits)
        word = (finding.rule.word, FAILS if finding.fails else "bold")
        lines.append(Text.assemble(word, f": {rule} ", (f"CIS {finding.rule.cis}", "dim")))
    return lines


def _dates(key: AccessKey, now: datetime) -> Text:
    created = f"Created {moment(key.created)}"
    if key.status is KeyStatus.DELETED:
        return Text(f"{created} · deleted with keytui", style="dim")
    if key.last_used is None:
        return Text(created, style="dim")
    if key.last_used.when is None:
        return Text(f"{created} · never used", style="dim")
    where = plain(f"{key.last_used.service} {key.last_used.region}").strip()
    used = f"last used {ago(key.last_used.when, now)} by {where}"
    return Text(f"{created} · {used}", style="dim")
