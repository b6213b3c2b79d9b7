"""The steps of a rotation, a line each: done when, under way, or still to come."""

from datetime import UTC

from rich.text import Text

from keytui.rotation.state import Rotation, Step
from keytui.ui.text import DIM, GOOD, WARNS, fit
from keytui.ui.widgets.lines import Lines

_LONG, _SHORT = "%Y-%m-%d %H:%M:%S UTC", "%m-%d %H:%M"
_WIDE = 80
"""From how many cells on a time is shown whole."""


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
        at = f"{when.astimezone(UTC):{_LONG if width >= _WIDE else _SHORT}}" if when else ""
        words = self._under_way if here and self._under_way else step.words
        style = DIM if when else "bold" if here else ""
        mark = ("✓", GOOD) if when else ("◌" if self._under_way else "▸", WARNS) if here else " "
        room = width - 8 - len(at)
        line = Text.assemble("  ", mark, f" {step.number}  ", (fit(words, room), style))
        line.pad_right(width - len(at) - 1 - line.cell_len)
        return line.append(at, style=DIM)
