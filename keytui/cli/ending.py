"""How the screen ends: in order, or where that takes too long all the same, secret safe."""

import os
from collections.abc import Callable
from signal import Signals
from threading import Event, Lock, Thread

UNWIND_SECONDS = 3.0
"""How long the screen may take to close; a terminal that hangs may never let it."""
END_SECONDS = 5.0
"""How long the rest may take after it, once the secret is safe."""


class Ending:
    """Sees to it that the process ends once it was told to, and that the secret is safe before.

    Attributes:
        number: The first signal that told it to end; None for none.
    """

    def __init__(
        self,
        rescue: Callable[[], None],
        give_back: Callable[[], None],
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        """Take the parts; each may be called in any thread.

        Args:
            rescue: Sees an unkept secret safe, and says what became of it.
            give_back: Gives the terminal back, without waiting for anything.
            leave: Ends the process with an exit status, whatever else it is doing.
        """
        self._rescue, self._give_back, self._leave = rescue, give_back, leave
        self.number: Signals | None = None
        self._begun, self._rescuing = Lock(), Lock()
        self._rescued, self._closed = False, Event()

    def begin(self, number: Signals) -> None:
        """Give the screen its time to close; what is not over by then is ended. Any thread."""
        with self._begun:
            if self.number is not None:
                return
            self.number = number
        Thread(target=self._see_to_it, args=(number,), daemon=True).start()

    def closed(self) -> None:
        """The screen is closed."""
        self._closed.set()

    def rescue(self) -> None:
        """See an unkept secret safe; whoever comes second waits for the first. Any thread."""
        with self._rescuing:
            if not self._rescued:
                self._rescue()
                self._rescued = True

    def _see_to_it(self, number: Signals) -> None:
        in_order = self._closed.wait(UNWIND_SECONDS)
        try:
            self.rescue()
            if in_order:
                Event().wait(END_SECONDS)  # The main thread ends the process before that.
        finally:
            self._give_back()
            self._leave(128 + number)
