"""Stands in for a screen that has no room."""

from typing import Any

from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static


def has_no_room(screen: Screen[Any]) -> bool:
    """Return whether the terminal is too small for what is on a screen."""
    return screen.has_class("-tiny") or screen.has_class("-flat")


def show(widget: Widget, wanted: bool) -> None:
    """Show or hide a widget; the style sheet's rule for a screen with no room comes first."""
    widget.styles.display = None if wanted else "none"


class TooSmall(Static):
    """Says how small the terminal is; the style sheet shows it where that is too small."""

    def on_resize(self) -> None:
        """Say the size."""
        width, height = self.app.size
        self.update(
            f"keytui needs 60×20 characters; this terminal has {width}×{height}.\n"
            "Nothing is lost: make it larger."
        )
