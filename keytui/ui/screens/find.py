"""The dialog that picks access key IDs out of a text."""

from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from keytui.key_ids import key_ids
from keytui.ui.screens.dialogs import Dialog, Note
from keytui.ui.widgets.line_input import LineInput


class AnyText(LineInput):
    """A line that takes a paste of many lines: the access key IDs in it, and nothing else."""

    class Refused(Message):
        """What was pasted has no ID in it."""

    def on_paste(self, event: events.Paste) -> None:
        """Put in the IDs. Whatever else was pasted may be a secret: it is not shown."""
        event.stop()
        event.prevent_default()
        if found := _ids(event.text):
            before = " " if self.value else ""
            self.insert_text_at_cursor(before + " ".join(found))
        else:
            self.post_message(self.Refused())


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
        if found := _ids(self.query_one(LineInput).value):
            self.dismiss(found)
        else:
            self._none_in("it")

    @on(AnyText.Refused)
    def _refused(self) -> None:
        self._none_in("what was pasted")

    def _none_in(self, what: str) -> None:
        said = f"No access key ID is in {what}: AKIA and 16 more capital letters or digits."
        self.query_one(Note).say(Text(said))

    def action_leave(self) -> None:
        """Return none."""
        self.dismiss(())


def _ids(text: str) -> tuple[str, ...]:
    return key_ids(text) or key_ids(text.upper())
