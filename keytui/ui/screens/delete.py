"""The dialog that deletes a key. It looks like no other, and enter alone means No."""

from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from keytui.model import AccessKey
from keytui.plain import plain
from keytui.ui.screens.dialogs import Dialog, Note
from keytui.ui.text import WARNS, ago
from keytui.ui.widgets.line_input import LineInput
from keytui.uses import LocalUse


class DeleteScreen(Dialog[bool]):
    """Asks for the last four characters of the key's ID."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Delete if the four are right"),
        Binding("escape", "dismiss(False)", "No, keep it", key_display="esc"),
    ]

    def __init__(self, key: AccessKey, now: datetime, here: tuple[LocalUse, ...] = ()) -> None:
        super().__init__("DELETE THIS ACCESS KEY FOR EVER")
        self._key, self._now, self._here = key, now, here

    def content(self) -> ComposeResult:
        """Yield what is about to go, and the line to type on."""
        key = self._key
        used = key.last_used
        last = ago(used.when, self._now) if used and used.when else "never" if used else "unknown"
        uses = "; ".join(use.text for use in self._here)
        yield Static(
            Text.assemble(
                (plain(key.id), "bold"),
                f"\nof {plain(key.user.name)} · {key.status.value.lower()}",
                f" · created {ago(key.created, self._now)} · last used {last}",
                f"\n“{plain(key.description)}”" if key.description else "",
                (f"\nUsed here: {plain(uses)}." if uses else "", WARNS),
                "\n\nNo one can bring it back: not you, not AWS.",
                "\nIf in doubt, leave it inactive.",
            )
        )
        ask = Text.assemble("Type its ", ("last four characters", "bold"), ", then enter.")
        yield Static(ask, classes="ask")
        yield LineInput(max_length=4, classes="line")
        yield Note(classes="wrong")

    @on(LineInput.Submitted)
    def action_submit(self) -> None:
        """Return yes where the four characters are right; nothing typed means no."""
        typed = self.query_one(LineInput).value.strip().upper()
        if not typed:
            self.dismiss(False)
        elif typed == self._key.id[-4:].upper():
            self.dismiss(True)
        else:
            self.query_one(Note).say(Text("Those are not its last four. Nothing is deleted."))
