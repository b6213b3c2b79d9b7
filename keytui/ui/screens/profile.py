"""The dialogs that write an AWS profile: its name, and what stands in its way."""

from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from keytui.plain import plain
from keytui.stores.aws_files.profile import ProfileState, name_problem
from keytui.ui.screens.dialogs import ConfirmScreen, Dialog, Note
from keytui.ui.text import DIM, fit
from keytui.ui.widgets.line_input import LineInput

NAME_LENGTH = 128
SHOWN, WIDTH = 5, 50
"""How many settings are shown, and how much of each; a small terminal has room for no more."""


class ProfileScreen(Dialog[str | None]):
    """Asks for a profile's name."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Write"),
        Binding("escape", "dismiss(None)", "Back", key_display="esc"),
    ]

    def __init__(self, name: str, key_id: str, path: str) -> None:
        super().__init__("Write an AWS profile")
        self._name, self._key_id, self._path = name, key_id, path

    def content(self) -> ComposeResult:
        """Yield the line with the name proposed."""
        what = f"It goes into {self._path}; with it, the AWS command line and the SDKs"
        yield Static(Text(plain(f"{what} take {self._key_id} from the keyring through keytui.")))
        yield Static(Text("Name of the profile", style=DIM), classes="label")
        yield LineInput(self._name, max_length=NAME_LENGTH)
        yield Note(classes="wrong")

    @on(LineInput.Submitted)
    def action_submit(self) -> None:
        """Return the name if it can be a profile's."""
        name = self.query_one(LineInput).value.strip()
        if problem := name_problem(name):
            self.query_one(Note).say(Text(problem))
        else:
            self.dismiss(name)


def exists_screen(state: ProfileState, key_id: str, path: str) -> ConfirmScreen:
    """Return the question whether a profile that exists is to take the key."""
    stays = fit(f"Stays: {', '.join(state.stays)}", WIDTH) if state.stays else ""
    aside = "Becomes a comment, so that nothing is lost:" if state.aside else ""
    return ConfirmScreen(
        f"The profile {state.name} exists",
        f"It is in {path}.",
        stays,
        aside,
        *_some(state.aside),
        f"All that uses this profile signs with {key_id} from then on.",
        "Write it?",
    )


def static_screen(state: ProfileState, config: str, credentials: str) -> ConfirmScreen:
    """Return the question whether an entry that would win is to be moved aside."""
    return ConfirmScreen(
        f"An older entry {state.name} would win",
        f"{credentials} has [{state.name}]:",
        *_some(state.static),
        f"The AWS tools take it before a profile in {config}.",
        f"Moved aside it stays there, as [{state.name}-set-aside].",
        "Move it aside?",
    )


def _some(settings: tuple[str, ...]) -> list[str]:
    more = len(settings) - SHOWN
    return [f"  {fit(one, WIDTH)}" for one in settings[:SHOWN]] + (
        [f"  and {more} more"] if more > 0 else []
    )
