"""What a flow works with: the account, the dialogs, the message bars, a secret on its way."""

import asyncio
from collections.abc import Callable
from threading import Lock
from typing import Any, Protocol, TypeVar

from textual.screen import Screen

from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, User
from keytui.keys.outcomes import Custody
from keytui.session.context import Context
from keytui.stores.base import Probe
from keytui.tui.services.connection import Connection
from keytui.tui.services.flow_runner import FlowRunner
from keytui.tui.services.state import AccountState
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.bars import MessageBar

T = TypeVar("T")


class View(Protocol):
    """The main screen, which draws the account as it is known."""

    def draw_users(self, keep: User | None = None) -> None: ...

    def draw_keys(self, keep: str = "") -> None: ...

    def draw_marks(self) -> None: ...

    def draw_unfinished(self) -> None: ...

    def draw_connecting(self) -> None: ...

    def draw_connected(self, *, another: bool) -> None: ...

    def draw_stopped(self) -> None: ...

    def draw_keyring(self, probe: Probe) -> None: ...

    def clear_users(self) -> None: ...

    def user_changed(self) -> None:
        """Read the keys of the user under the cursor, once it rests there."""

    def action_to_keys(self) -> None: ...

    def reread(self) -> None:
        """Read the keys of the highlighted user again."""

    def go_to(self, key: AccessKey) -> None:
        """Put the cursor on a key that was read just now."""

    def not_read(self, user: User, error: KeytuiError) -> None:
        """Say beside a user's keys that they could not be read."""


class Stage:
    """What flows work with.

    Attributes:
        ctx: The parts of this run.
        view: Draws the account.
        connection: The account, and how keytui is connected to it.
        flows: Runs the main screen's flows.
        custody: A new key's secret, from AWS's reply until the reveal is closed.
        creating: Held while AWS is asked for a key and until its secret is in ``custody``.
    """

    def __init__(self, screen: Screen[Any], ctx: Context, view: View) -> None:
        self.ctx, self.view, self._screen = ctx, view, screen
        self.connection = Connection(ctx)
        self.flows = FlowRunner(screen, self.problem)
        self.custody: Custody | None = None
        self.creating = Lock()

    @property
    def account(self) -> AccountState:
        """The account worked on. Raises ``KeytuiError`` before one is open."""
        return self.connection.account

    def say(self, text: str, good: bool = True) -> None:
        """Show a sentence; an empty one clears it."""
        for bar in self._bars:
            bar.say(text, good)

    def problem(self, error: KeytuiError) -> None:
        """Show what went wrong."""
        for bar in self._bars:
            bar.problem(error)

    @property
    def _bars(self) -> list[MessageBar]:
        """The main screen's bar, and that of each screen that stands open over it."""
        main = self._screen
        screens = [main, *(one for one in main.app.screen_stack if one is not main)]
        return [bar for screen in screens for bar in screen.query(MessageBar)]

    async def ask(self, dialog: Screen[T], *, unforeseen: bool = False) -> T:
        """Open a dialog and wait for what it returns; see ``FlowRunner.ask``."""
        return await self.flows.ask(dialog, unforeseen=unforeseen)

    def no_more_questions(self) -> None:
        """No further dialog comes: keys typed ahead go to the screen again."""
        self.flows.typed.release()

    def give_up(self) -> bool:
        """Cancel a flow before it has asked anything; False where a secret is at stake."""
        if self.custody or self._screen.app.screen is not self._screen:
            return False
        if given_up := self.flows.give_up():
            self.say("Left; nothing was changed.", good=False)
        return given_up

    def take_custody(self, custody: Custody) -> None:
        """From now on an unkept secret is here: no leaving, no screenshots. Any thread."""
        self.custody = custody

    def release_custody(self) -> None:
        """The secret is kept or discarded."""
        self.custody = None


class ScreenPort:
    """Works in threads and says what came of it in the message bar; see ``core.port.Port``."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._loop = asyncio.get_running_loop()

    async def work(self, call: Callable[[], T]) -> T:
        """Run a blocking call in a thread."""
        return await in_thread(call)

    def progress(self, step: str) -> None:
        """Show what is being done. Any thread."""
        self._loop.call_soon_threadsafe(self.stage.say, f"{step}…", False)

    def tell(self, sentence: str, *, good: bool = True) -> None:
        """Show what came of it."""
        self.stage.say(sentence, good)

    def committed(self) -> None:
        """No dialog comes any more: keys typed ahead go to the main screen again."""
        self.stage.no_more_questions()
