"""The dialog about a key whose secret is lost."""

from enum import Enum
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from keytui.plain import plain
from keytui.ui.screens.dialogs import Dialog
from keytui.ui.text import WARNS
from keytui.verdicts import Finding, Verdict


class Answer(Enum):
    """What the user wants done."""

    DELETE = "delete"
    LEAVE = "leave"
    LATER = "later"


class OrphanScreen(Dialog[Answer]):
    """Offers to delete an orphan: with enter alone where nobody can use it, else only with y.

    Where several keys may be the one, it deletes none.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "delete", "Delete it"),
        Binding("enter", "enter", show=False),
        Binding("n,escape", "answer('LATER')", "Not now", key_display="n"),
        Binding("o", "answer('LEAVE')", "Leave it, and ask no more"),
    ]

    def __init__(self, finding: Finding) -> None:
        lost = finding.deletable or finding.verdict is Verdict.AMBIGUOUS
        super().__init__("A key whose secret is lost" if lost else "A key that somebody uses")
        self._finding = finding

    def content(self) -> ComposeResult:
        """Yield what was found."""
        finding = self._finding
        yield Static(Text(plain(finding.title)))
        yield Static(Text(plain(finding.advice)), classes="quiet")
        if finding.verdict is Verdict.ORPHAN:
            yield Static(Text(plain(finding.times), style="dim"), classes="quiet")
            if not finding.deletable:
                yield Static("If it is of no use, x deletes it as any other key.", classes="quiet")
        if finding.deletable:
            ask = "Delete it? enter means yes." if finding.useless else "Delete it?"
            yield Static(Text(ask, style="bold" if finding.useless else WARNS), classes="ask")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Offer to delete only one key, and none that somebody uses."""
        del parameters
        return action != "delete" or self._finding.deletable

    def action_delete(self) -> None:
        """Delete it."""
        self.dismiss(Answer.DELETE)

    def action_enter(self) -> None:
        """Delete what nobody can use; leave the rest for later."""
        self.dismiss(Answer.DELETE if self._finding.useless else Answer.LATER)

    def action_answer(self, answer: str) -> None:
        """Return another answer."""
        self.dismiss(Answer[answer])
