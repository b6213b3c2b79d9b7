"""The dialog that picks access key IDs out of a text."""

from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from keytui.key_ids import key_ids
from keytui.ui.screens.dialogs import Dialog, Note
from keytui.ui.widgets.line_input import LineInput


class AnyText(LineInput):
    """A line that takes a paste of many lines: the access key IDs in it."""

    def on_paste(self, event: events.Paste) -> None:
        """Put in the IDs; Textual's own input would take the first line alone."""
        if found := key_ids(event.text):
            event.stop()
            event.prevent_default()
            before = " " if self.value else ""
            self.insert_text_at_cursor(before + " ".join(found))


class FindScreen(Dialog[tuple[str, ...]]):
    """Asks for a text and returns the access key IDs in it; none where it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Find"),
        Binding("escape", "leave", "Back", key_display="esc"),
    ]

    def __init__(self) -> None:
        super().__init__("Find an access key")

    def content(self) -> ComposeResult:
        """Yield the line to type on."""
        yield Static(
            Text(
                "Paste anything with an access key ID in it: a log line, an alert, a diff. "
                "Whoever owns the key, in this account, is found in one call."
            )
        )
        yield AnyText(classes="line ask")
        yield Note(classes="wrong")

    @on(LineInput.Submitted)
    def action_submit(self) -> None:
        """Return the IDs."""
        text = self.query_one(LineInput).value
        if found := key_ids(text) or key_ids(text.upper()):
            self.dismiss(found)
        else:
            said = "No access key ID is in it: AKIA and 16 more capital letters or digits."
            self.query_one(Note).say(Text(said))

    def action_leave(self) -> None:
        """Return none."""
        self.dismiss(())
