"""A screen that flows run on: one at a time, with the dialogs they ask and the keys that wait."""

import asyncio
from collections.abc import Coroutine
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

from textual.screen import Screen
from textual.worker import Worker

from keytui.core.errors import KeytuiError
from keytui.keys.outcomes import Custody
from keytui.tui.services.typeahead import TypeAhead
from keytui.tui.widgets.bars import MessageBar

if TYPE_CHECKING:
    from keytui.tui.app import KeytuiApp

T = TypeVar("T")
Flow = Coroutine[Any, Any, None]


class StageScreen(Screen[None]):
    """Sets flows going; see ``flows.stage`` for what they need of it.

    Attributes:
        custody: A new key's secret, from AWS's reply until the reveal is closed.
        creating: Held while AWS is asked for a key and until its secret is in ``custody``.
    """

    def __init__(self) -> None:
        super().__init__()
        self.custody: Custody | None = None
        self.creating = Lock()
        self._flow: Worker[None] | None = None

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
        """Its own bar, and that of each screen that stands open over it."""
        screens = [self, *(one for one in self.app.screen_stack if one is not self)]
        return [bar for screen in screens for bar in screen.query(MessageBar)]

    def run(self, flow: Flow) -> None:
        """Set a flow going; what it can't do is told in the message bar.

        Until it asks something or says that it won't, keys wait and clicks are passed over.
        """
        if self._typed.held:
            flow.close()
            return
        self._typed.hold()
        self._flow = self.run_worker(self._guarded(flow), description="a flow")

    def run_first(self, flow: Flow) -> None:
        """Set going what keytui was started for: keys have waited for it from the beginning."""
        self._typed.release()
        self.run(flow)

    def give_up(self) -> bool:
        """Leave a flow before it has asked anything; False where a secret is at stake."""
        if self.custody or self._flow is None or self.app.screen is not self:
            return False
        self._flow.cancel()
        self.say("Left; nothing was changed.", good=False)
        return True

    async def ask(self, dialog: Screen[T], *, unforeseen: bool = False) -> T:
        """Open a dialog and wait for what it returns; keys typed ahead go into it.

        Not so for one that nobody could foresee: they were meant for something else.
        """
        answer = asyncio.get_running_loop().create_future()
        # From here on leaving is the dialog's affair: it may be waiting for a secret.
        flow, self._flow = self._flow, None
        await self.app.push_screen(dialog, answer.set_result)
        self._flow = flow
        if unforeseen:
            self._typed.forget()
        self._typed.release()
        result: T = await answer
        self._typed.hold()
        return result

    def no_more_questions(self) -> None:
        """No further dialog comes: keys typed ahead go to this screen again."""
        self._typed.release()

    def take_custody(self, custody: Custody) -> None:
        """From now on an unkept secret is here: no leaving, no screenshots. Any thread."""
        self.custody = custody

    def release_custody(self) -> None:
        """The secret is kept or discarded."""
        self.custody = None

    async def _guarded(self, flow: Flow) -> None:
        try:
            await flow
        except KeytuiError as error:
            self.problem(error)
        finally:
            self._typed.release()

    @property
    def _typed(self) -> TypeAhead:
        app = cast("KeytuiApp", self.app)
        return app.typed
