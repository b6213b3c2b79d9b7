"""The steps of a rotation, a line each: done when, under way, or still to come."""

from datetime import datetime

from rich.text import Text

from keytui.rotations import Rotation, Step
from keytui.ui.text import DIM, GOOD, WARNS, fit
from keytui.ui.widgets.lines import Lines

_TIME = 19
"""Cells of a date with its time."""


class StepList(Lines):
    """Draws a rotation's steps."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._rotation: Rotation | None = None
        self._under_way = ""

    def show(self, rotation: Rotation, under_way: str = "") -> None:
        """Show a rotation.

        Args:
            rotation: The rotation.
            under_way: What is being done now; empty for nothing.
        """
        self._rotation, self._under_way = rotation, under_way
        self.redraw()

    def draw_line(self, y: int, width: int) -> Text:
        """Return the line of a step."""
        steps = list(Step)
        if self._rotation is None or y >= len(steps):
            return Text()
        step, rotation = steps[y], self._rotation
        here = step is rotation.step and not rotation.rolling_back
        when = rotation.done.get(step)
        at = _local(when) if when else ""
        room = max(width - _TIME - 8, 10)
        words = step.words
        if here and self._under_way:
            words, room = self._under_way, width - 8
        style = DIM if when else "bold" if here else ""
        mark = ("✓", GOOD) if when else ("◌" if self._under_way else "▸", WARNS) if here else " "
        line = Text.assemble("  ", mark, f" {step.number}  ", (fit(words, room), style))
        if at and line.cell_len + _TIME + 2 <= width:
            line.pad_right(width - _TIME - line.cell_len)
            line.append(at, style=DIM)
        return line


def _local(when: datetime) -> str:
    """Return a time to the second as this machine's clock shows it."""
    return f"{when.astimezone():%Y-%m-%d %H:%M:%S}"
