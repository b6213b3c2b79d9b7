"""Stands in for a screen that has no room."""

from textual.widgets import Static


class TooSmall(Static):
    """Says how small the terminal is; the style sheet shows it where that is too small."""

    def on_resize(self) -> None:
        """Say the size."""
        width, height = self.app.size
        self.update(
            f"keytui needs 60×20 characters; this terminal has {width}×{height}.\n"
            "Nothing is lost: make it larger."
        )
