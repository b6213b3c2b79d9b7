"""The dialog that asks for an MFA code."""

import re
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from keytui.core.mfa import MfaRequest
from keytui.core.model import Secret
from keytui.core.text import plain
from keytui.tui.dialogs.dialogs import Dialog, Note, sentences
from keytui.tui.widgets.lines import LineInput
from keytui.tui.widgets.text import DIM

DIGITS = 6


class CodeLine(LineInput):
    """A line that takes the digits of a code, also from a paste such as ``123 456``."""

    def __init__(self) -> None:
        super().__init__(max_length=DIGITS, classes="line")
        self.restrict = "[0-9]*"

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert_text_at_cursor(re.sub(r"[^0-9]", "", event.text)[:DIGITS])


class MfaScreen(Dialog[Secret | None]):
    """Asks for the code of an MFA device; None where it is declined."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Sign in"),
        Binding("escape", "dismiss(None)", "No code", key_display="esc"),
    ]

    def __init__(self, request: MfaRequest) -> None:
        super().__init__("AWS asks for an MFA code")
        self._request = request

    def content(self) -> ComposeResult:
        """Yield who signs in with which device, and the line to type on."""
        yield Static(Text("Who", style=DIM))
        yield Static(sentences(self._request.who))
        yield Static(Text("Device", style=DIM), classes="label")
        yield Static(sentences(self._request.serial))
        yield Static(Text("Its six digits", style=DIM), classes="label")
        yield CodeLine()
        yield Note(classes="wrong")

    def on_mount(self) -> None:
        super().on_mount()
        if self._request.problem:
            self._say(self._request.problem)

    @on(LineInput.Submitted)
    def action_submit(self) -> None:
        typed = self.query_one(CodeLine).value
        if len(typed) == DIGITS:
            self.dismiss(Secret(typed))
        else:
            self._say("A code has six digits. esc goes on without one.")

    def _say(self, text: str) -> None:
        self.query_one(Note).say(Text(plain(text)))
