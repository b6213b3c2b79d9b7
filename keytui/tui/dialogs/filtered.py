"""A whole screen with a list and a line that filters it."""

from typing import Generic, TypeVar

from textual import on
from textual.screen import Screen

from keytui.tui.widgets.line_input import LineInput
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.too_small import TooSmall

T = TypeVar("T")


class FilteredScreen(Screen[T], Generic[T]):
    """Moves between the list and its filter; ``esc`` clears the filter, then goes back."""

    def on_resize(self) -> None:
        """Give the focus back after the terminal was too small."""
        if self.focused is None and not self.query_one(TooSmall).display:
            self.query_one(Rows).focus()

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(LineInput).focus()

    def action_back(self) -> None:
        """Leave the filter and clear it, or go back."""
        line = self.query_one(LineInput)
        if line.value or line.has_focus:
            line.value = ""
            self.query_one(Rows).focus()
        else:
            self.dismiss(None)

    @on(LineInput.Submitted)
    def _filter_done(self) -> None:
        self.query_one(Rows).focus()
