"""Widgets that repaint only what has changed: over SSH each painted byte is felt.

They draw themselves line by line and never ask for a new layout, which would paint the
whole screen.
"""

from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input, Static
from typing_extensions import override

PLAIN = Style.null()
"""A segment without a style is more than Textual's filter for NO_COLOR can bear."""


class Line(Static):
    """One line of text that is painted when it changes, and not else."""

    _text = Text()

    def show_line(self, text: Text) -> None:
        """Show a text."""
        if (text, text.style) != (self._text, self._text.style):
            self._text = text
            self.update(text, layout=False)


class Lines(Widget):
    """Lines of text. ``redraw`` draws them all and repaints those that have changed."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._drawn: list[Strip] = []

    def draw_line(self, y: int, width: int) -> Text:
        """Return the line at a place on the screen, at most ``width`` cells wide."""
        raise NotImplementedError

    def redraw(self) -> None:
        """Draw all lines and repaint those that differ from what is on the screen."""
        before, self._drawn = self._drawn, self._draw_all()
        if len(before) != len(self._drawn):
            self.refresh()
        elif changed := [
            y for y, (old, new) in enumerate(zip(before, self._drawn, strict=True)) if old != new
        ]:
            self.refresh(*(Region(0, y, self.size.width, height) for y, height in _runs(changed)))

    @override
    def render_line(self, y: int) -> Strip:
        if not self._drawn:
            self._drawn = self._draw_all()
        return self._drawn[y] if y < len(self._drawn) else Strip.blank(self.size.width)

    def on_resize(self) -> None:
        """All lines have another width or place; what was painted before this is of the old one."""
        if self._drawn:
            self._drawn = []
            self.refresh()

    def _draw_all(self) -> list[Strip]:
        width, height = self.size
        return [self.draw_strip(y, width) for y in range(height)]

    def draw_strip(self, y: int, width: int) -> Strip:
        """Return the line at a place as it goes onto the screen."""
        return self._strip(self.draw_line(y, width), width)

    def _strip(self, line: Text, width: int) -> Strip:
        line.no_wrap, line.end = True, ""
        segments = (Segment(s.text, s.style or PLAIN) for s in line.render(self.app.console))
        return Strip(segments).adjust_cell_length(width, PLAIN)


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """Return where lines begin that follow one another, and how many they are."""
    runs: list[tuple[int, int]] = []
    for y in places:
        if runs and sum(runs[-1]) == y:
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((y, 1))
    return runs


class LineInput(Input):
    """Textual's input in one line, with a cursor that does not blink: idle means no bytes."""

    # The line's size does not depend on its value: typing needs no new layout.
    value = reactive("", layout=False, init=False)
    virtual_size = reactive(Size(0, 0), layout=False)

    def __init__(
        self,
        value: str | None = None,
        placeholder: str = "",
        *,
        max_length: int = 0,
        password: bool = False,
        id: str | None = None,  # noqa: A002 - Textual's name
        classes: str | None = None,
    ) -> None:
        self.on_value: Callable[[], object] = lambda: None
        """Called at once when the value has changed, so that both are painted in one frame."""
        super().__init__(
            value,
            placeholder,
            max_length=max_length,
            password=password,
            id=id,
            classes=classes,
            compact=True,
        )
        self.cursor_blink = False

    def _watch_value(self, value: str) -> None:
        super()._watch_value(value)
        self.on_value()
