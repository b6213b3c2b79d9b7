"""The keys that work, and what they do."""

from typing import ClassVar

from rich.table import Table
from rich.text import Text
from textual.binding import Binding, BindingType

from keytui.ui.screens.long_dialog import LongDialog

MOVES = (
    ("↑ ↓ j k", "Move; page keys, g and G for first and last"),
    ("tab → ←", "Between users and keys; enter too"),
)


class HelpScreen(LongDialog[None]):
    """Lists a screen's bindings."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss(None)", "Back", key_display="esc"),
    ]

    def __init__(self, bindings: list[Binding]) -> None:
        super().__init__("Keys")
        self._shown = bindings

    def on_mount(self) -> None:
        """Show the table of keys."""
        super().on_mount()
        table = Table.grid(padding=(0, 2))
        for keys, does in MOVES:
            table.add_row(Text(keys, style="bold cyan"), does)
        for binding in self._shown:
            key = binding.key_display or binding.key
            table.add_row(Text(key, style="bold cyan"), binding.tooltip or binding.description)
        self.show_text(table)
