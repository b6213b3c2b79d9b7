"""What a flow needs of the screen it runs on."""

from threading import Lock
from typing import Protocol, TypeVar

from textual.screen import Screen

from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, User
from keytui.keys.outcomes import Custody
from keytui.session.account import Account
from keytui.session.context import Context

T = TypeVar("T")


class Stage(Protocol):
    """The main screen, as flows see it."""

    @property
    def ctx(self) -> Context:
        """The parts of this run."""

    @property
    def account(self) -> Account:
        """The account worked on. Raises ``KeytuiError`` before one is open."""

    async def opened(self) -> Account | None:
        """Wait until AWS has answered; None where it refused, of which the screen tells."""

    @property
    def creating(self) -> Lock:
        """Held while AWS is asked for a key and until its secret is in custody."""

    @property
    def profile(self) -> str | None:
        """The profile in use; None for the SDK's choice."""

    def say(self, text: str, good: bool = True) -> None:
        """Show a sentence; an empty one clears it."""

    def problem(self, error: KeytuiError) -> None:
        """Show what went wrong."""

    async def ask(self, dialog: Screen[T], *, unforeseen: bool = False) -> T:
        """Open a dialog and wait for what it returns; keys typed ahead go into it.

        Not so for one that nobody could foresee: they were meant for something else.
        """

    def no_more_questions(self) -> None:
        """No further dialog comes: keys typed ahead go to this screen again."""

    def draw_users(self) -> None:
        """Draw the users anew, as they are known."""

    def draw_keys(self) -> None:
        """Draw the keys anew, as they are known."""

    def draw_marks(self) -> None:
        """Draw anew which keys are marked."""

    def reread(self) -> None:
        """Read the keys of the highlighted user again."""

    def go_to(self, key: AccessKey) -> None:
        """Put the cursor on a key that was read just now."""

    def draw_unfinished(self) -> None:
        """Show how many creations are open."""

    def not_read(self, user: User, error: KeytuiError) -> None:
        """Say beside a user's keys that they could not be read."""

    def take_custody(self, custody: Custody) -> None:
        """From now on an unkept secret is here: no leaving, no screenshots. Any thread."""

    def release_custody(self) -> None:
        """The secret is kept or discarded."""
