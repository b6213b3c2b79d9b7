"""How far a command has come, on one line of a terminal that is written over."""

import sys
from collections.abc import Callable
from types import TracebackType

from keytui.cli.streams import write
from keytui.core.text import plain, span
from keytui.core.waiting import seconds_left

_REDRAW_SECONDS = 0.2


class Meter:
    """Counts what is done and says how long the rest will take; silent off a terminal."""

    def __init__(self, what: str, total: int, clock: Callable[[], float]) -> None:
        """Begin to count.

        Args:
            what: What is counted, in the plural.
            total: How many there are.
            clock: Tells seconds.
        """
        self._what, self._total, self._clock = what, total, clock
        self._began = clock()
        self._drawn_at: float | None = None
        self._done = 0

    def __enter__(self) -> "Meter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Clear the line."""
        if self._drawn_at is not None:
            self._draw("")

    def went_on(self, more: str) -> None:
        """Count one more, and show that now and then; ``more`` is said of the work."""
        self._done += 1
        now = self._clock()
        fresh = self._drawn_at is not None and now - self._drawn_at < _REDRAW_SECONDS
        if sys.stderr.isatty() and not fresh:
            self._drawn_at = now
            self._draw(" · ".join(filter(None, (self.sentence(now), more))))

    def sentence(self, now: float) -> str:
        """Return how far it has come and how long the rest takes."""
        done = f"{self._done:,} of {self._total:,} {self._what}"
        left = seconds_left(self._done, self._total, now - self._began)
        return done if left is None else f"{done} · about {span(left)} left"

    def _draw(self, line: str) -> None:
        write(f"\r{plain(line)}\x1b[K", sys.stderr)
