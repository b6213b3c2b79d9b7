"""A dialog whose text may be longer than the terminal: it scrolls, its keys stay in sight."""

from typing import ClassVar, Generic, TypeVar

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from keytui.tui.dialogs.dialogs import Dialog

T = TypeVar("T")


class LongDialog(Dialog[T], Generic[T]):
    """A dialog with a text that the arrows and page keys scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "lines(1)", show=False),
        Binding("up,k", "lines(-1)", show=False),
        Binding("pagedown,ctrl+d,space", "page(1)", show=False),
        Binding("pageup,ctrl+u", "page(-1)", show=False),
        Binding("home,g", "end(-1)", show=False),
        Binding("end,G", "end(1)", show=False),
    ]

    def content(self) -> ComposeResult:
        """Yield the text, and below it what does not scroll."""
        with VerticalScroll(classes="long", can_focus=False):
            yield Static(id="text")
        yield from self.below()

    def below(self) -> ComposeResult:
        """Yield what stands below the text."""
        yield from ()

    def show_text(self, text: RenderableType) -> None:
        """Show a text; it stays where it has been scrolled to."""
        self.query_one("#text", Static).update(text)

    @property
    def _long(self) -> VerticalScroll:
        return self.query_one(".long", VerticalScroll)

    def action_lines(self, by: int) -> None:
        """Scroll by some lines."""
        self._long.scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        """Scroll by a screenful."""
        self._long.scroll_relative(y=by * max(self._long.size.height - 1, 1), animate=False)

    def action_end(self, end: int) -> None:
        """Scroll to the beginning or the end."""
        if end < 0:
            self._long.scroll_home(animate=False)
        else:
            self._long.scroll_end(animate=False)


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
