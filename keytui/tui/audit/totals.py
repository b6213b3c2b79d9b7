"""How many keys pass each rule, with a small bar."""

from collections.abc import Sequence

from rich.text import Text
from textual import events
from textual.message import Message
from typing_extensions import override

from keytui.audit.view import Total
from keytui.core.rules import Rule
from keytui.tui.widgets.lines import Lines
from keytui.tui.widgets.text import ACCENT, DIM, FAILS, GOOD

BAR = 10
"""Cells of a bar."""
RULES = tuple(Rule)


class AuditTotals(Lines):
    """A line for each rule, or one for all where there is no room; a click filters by a rule."""

    class Chosen(Message):
        """A rule was chosen."""

        def __init__(self, rule: Rule) -> None:
            super().__init__()
            self.rule = rule

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._totals: Sequence[Total] = ()
        self._chosen: frozenset[Rule] = frozenset()
        self._ends: list[int] = []

    def show(self, totals: Sequence[Total], chosen: frozenset[Rule]) -> None:
        """Show these totals, and which rules are filtered by."""
        if (totals, chosen) != (self._totals, self._chosen):
            self._totals, self._chosen = totals, chosen
            self.redraw()

    @override
    def draw_line(self, y: int, width: int) -> Text:
        if not self._totals:
            return Text()
        if self.size.height < len(self._totals):
            return self._all(width) if y == 0 else Text()
        return self._one(self._totals[y]) if y < len(self._totals) else Text()

    def _one(self, total: Total) -> Text:
        passing = total.judged - total.failing
        filled = passing * BAR // total.judged if total.judged else BAR
        share = f"{100 * passing // total.judged}%" if total.judged else "–"
        line = self._rule(total, 10)
        line.append(f" {total.rule.cis:4}  ", DIM)
        line.append("█" * filled, GOOD).append("·" * (BAR - filled), FAILS)
        line.append(f" {share:>4} pass")
        if total.failing:
            line.append(f"  {total.failing:,} of {total.judged:,} fail", FAILS)
        return line

    def _all(self, width: int) -> Text:
        """Return all rules in one line, by their first words where there isn't room for more."""
        line, self._ends = Text(), []
        short = sum(len(f"1 {one.rule.word} {one.failing:,}  ") for one in self._totals) > width + 2
        for total in self._totals:
            line.append_text(self._rule(total, 0, short=short))
            line.append(f" {total.failing:,}", FAILS if total.failing else DIM)
            self._ends.append(line.cell_len)
            line.append("  ")
        line.truncate(width)
        return line

    def _rule(self, total: Total, room: int, *, short: bool = False) -> Text:
        number = RULES.index(total.rule) + 1
        chosen = "bold reverse" if total.rule in self._chosen else ""
        word = total.rule.word.split()[0] if short else total.rule.word
        name = Text.assemble((f"{number}", f"bold {ACCENT}"), " ", (word, chosen))
        name.pad_right(max(room - len(total.rule.word), 0))
        return name

    def on_click(self, event: events.Click) -> None:
        if self.size.height >= len(self._totals):
            at = event.y
        else:
            at = next((i for i, end in enumerate(self._ends) if event.x <= end), len(RULES))
        if at < len(self._totals):
            self.post_message(self.Chosen(self._totals[at].rule))
