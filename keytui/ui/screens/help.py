"""The keys that work, and what they do."""

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from keytui.ui.screens.dialogs import Dialog

MOVES = (
    ("↑ ↓ j k", "Move; page keys, g and G for first and last"),
    ("tab → ←", "Between users and keys; enter too"),
)


class HelpScreen(Dialog[None]):
    """Lists a screen's bindings."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss(None)", "Back", key_display="esc"),
    ]

    def __init__(self, bindings: list[Binding]) -> None:
        super().__init__("Keys")
        self._shown = bindings

    def content(self) -> ComposeResult:
        """Yield the table of keys."""
        table = Table.grid(padding=(0, 2))
        for keys, does in MOVES:
            table.add_row(Text(keys, style="bold cyan"), does)
        for binding in self._shown:
            key = binding.key_display or binding.key
            table.add_row(Text(key, style="bold cyan"), binding.tooltip or binding.description)
        yield Static(table)
