"""Runs what a key sets going on a screen: its dialogs, the keys that wait for them, its end."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from textual.screen import Screen
from textual.worker import Worker

from keytui.core.errors import KeytuiError
from keytui.tui.services.typeahead import TypeAhead, typed_ahead

T = TypeVar("T")
Flow = Coroutine[Any, Any, None]


class FlowRunner:
    """Runs the flows of one screen, one at a time."""

    def __init__(
        self,
        screen: Screen[Any],
        problem: Callable[[KeytuiError], None],
        ended: Callable[[], Awaitable[None]] | None = None,
        *,
        forgets: bool = False,
    ) -> None:
        """Take the screen and what it does with a flow's end.

        Args:
            screen: The screen.
            problem: Shows what a flow could not do.
            ended: Awaited after a flow that was not cancelled.
            forgets: Drop the keys typed while a flow ran: they were meant for what stood there.
        """
        self._screen, self._problem, self._ended = screen, problem, ended
        self._forgets = forgets
        self._flow: Worker[None] | None = None
        self._latest = 0

    @property
    def typed(self) -> TypeAhead:
        """The keys typed ahead."""
        return typed_ahead(self._screen.app)

    @property
    def held(self) -> bool:
        """Whether a flow is on its way to a dialog, so that no other may begin."""
        return self.typed.held

    def run(self, flow: Flow, *, asks: bool = True, **worker: Any) -> None:
        """Set a flow going. While it has not asked anything yet, keys wait for it.

        Args:
            flow: What is done; its ``KeytuiError`` is shown.
            asks: Whether it opens a dialog.
            worker: Passed to ``run_worker``; no secret among it.
        """
        if self.held:
            flow.close()
            return
        if asks:
            self.typed.hold()
        self._latest += 1
        worker.setdefault("description", "a flow")
        self._flow = self._screen.run_worker(self._guarded(flow, self._latest), **worker)

    async def _guarded(self, flow: Flow, number: int) -> None:
        try:
            await flow
        except KeytuiError as error:
            self._problem(error)
        finally:
            if number == self._latest:  # Else the keys wait for the flow that took its place.
                if self._forgets:
                    self.typed.forget()
                self.typed.release()
        if self._ended:
            await self._ended()

    async def ask(self, dialog: Screen[T], *, unforeseen: bool = False) -> T:
        """Open a dialog and wait for what it returns; keys typed ahead go into it.

        Not so for one that nobody could foresee: they were meant for something else.
        """
        answer = asyncio.get_running_loop().create_future()
        # From here on leaving is the dialog's affair: it may be waiting for a secret.
        flow, self._flow = self._flow, None
        await self._screen.app.push_screen(dialog, answer.set_result)
        self._flow = flow
        if unforeseen:
            self.typed.forget()
        self.typed.release()
        result: T = await answer
        self.typed.hold()
        return result

    def give_up(self) -> bool:
        """Cancel a flow that has not asked anything yet; False where there is none."""
        if self._flow is None or self._flow.is_finished:
            return False
        self._flow.cancel()
        return True
