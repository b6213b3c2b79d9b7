"""Keys typed ahead reach what they were meant for, also over a slow line.

Textual hands each key at once to the widget that has the focus at that moment, so of a burst
such as ``x`` and four characters the latter would act on the main screen before the dialog is
open. Here a key is handed on when the one before has had its effect, and while a dialog is on
its way keys wait for it.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, cast

from textual import events
from textual.app import App
from textual.message_pump import MessagePump

from keytui.tui.widgets.bars import has_no_room

LEAVING = ("escape", "ctrl+c", "ctrl+q")
ROUNDS = 2
"""A key may make a widget post a message to itself, which is one more round."""
PATIENCE_SECONDS = 1.0
"""A widget that is closing may never answer."""


class TypeAhead:
    """The keys that were typed and not yet handed on."""

    def __init__(
        self,
        app: App[None],
        hand_on: Callable[[events.Key], Awaitable[None]],
        give_up: Callable[[], bool],
    ) -> None:
        """Take the parts.

        Args:
            app: The app whose keys these are.
            hand_on: Gives a key to Textual.
            give_up: Gives up the dialog that keys wait for; False where that can't be.
        """
        self._app = app
        self._hand_on = hand_on
        self._give_up = give_up
        self._typed: deque[events.Key] = deque()
        self._some = asyncio.Event()
        self._holding = self._interrupted = False
        self._open = asyncio.Event()
        self._open.set()

    def take(self, key: events.Key) -> None:
        """Put a key behind those typed before.

        While keys wait, one that means to leave gives up what they wait for, and them.
        """
        if self.held and key.key in LEAVING and self._give_up():
            self.forget()
        else:
            self._typed.append(key)
            self._some.set()

    @property
    def held(self) -> bool:
        """Whether keys wait for a dialog that is on its way."""
        return not self._open.is_set()

    def hold(self) -> None:
        """A dialog is on its way: from now on keys wait."""
        self._holding = True
        self._settle()

    def release(self) -> None:
        """The dialog is open, or will not come: keys go on."""
        self._holding = False
        self._settle()

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """Let keys go to a dialog that nobody could foresee, also while they are held.

        What was typed and has not been handed on was meant for something else.
        """
        self.forget()
        self._interrupted = True
        self._settle()
        try:
            yield
        finally:
            self._interrupted = False
            self._settle()

    def _settle(self) -> None:
        if self._holding and not self._interrupted:
            self._open.clear()
        else:
            self._open.set()

    def forget(self) -> None:
        """Pass over what was typed and has not been handed on."""
        self._typed.clear()
        self._some.clear()

    async def run(self) -> None:
        """Hand keys on, one after the other, for as long as the app runs."""
        while True:
            await self._some.wait()
            await self._open.wait()
            if not self._typed or self.held:  # forgotten, or held again, meanwhile
                continue
            key = self._typed.popleft()
            if not self._typed:
                self._some.clear()
            if has_no_room(self._app.screen) and key.key not in LEAVING:
                continue  # Nobody can see what it would do.
            await self._hand_on(key)
            for _ in range(ROUNDS):
                for pump in self._on_the_way_up():
                    await _idle(pump)

    def _on_the_way_up(self) -> list[MessagePump]:
        """Return the widget with the focus and all that a message from it passes."""
        screen = self._app.screen
        if screen.focused is None:
            return [screen]
        return [node for node in screen.focused.ancestors_with_self if node is not self._app]


class _HasTypeAhead(Protocol):
    typed: TypeAhead


def typed_ahead(app: object) -> TypeAhead:
    """Return the keys typed ahead of keytui's application."""
    return cast("_HasTypeAhead", app).typed


async def _idle(pump: MessagePump) -> None:
    """Wait until a widget has worked off what it has been sent so far."""
    done = asyncio.Event()
    if pump.call_later(done.set):
        try:
            await asyncio.wait_for(done.wait(), PATIENCE_SECONDS)
        except TimeoutError:
            return
