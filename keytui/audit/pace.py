"""How fast AWS is asked: a token bucket that slows down when AWS says so.

AWS publishes no number for IAM's throttle. What is known is that it is a token bucket for each
account and action; 20 calls a second are below what people report to be refused.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from keytui.core.errors import ThrottledError

RATE = 20.0
"""Calls a second to begin with, and at most."""
BURST = 20
"""How many calls may be made at once after a while without any: a small account is read at once."""
AT_ONCE = 8
"""How many calls are under way at the same time, at most, whoever makes them."""
SLOWEST = 1.0
"""Calls a second that are tried however often AWS says no."""
TRIES = 30
"""How often a call is made at most: at the slowest pace, for some minutes."""
_SLOWER, _CEILING = 0.9, 0.98
"""What is left of the rate when AWS asks for fewer calls, and how near it soon comes again."""
_BACK, _BEYOND = 0.1, 0.02
"""How much of that each call that passes brings back, and how many calls a second beyond it."""
_REST = 1.0
"""Seconds in which AWS's asking for fewer calls counts once: it is of calls sent before."""
_NAP = 0.25
"""Seconds after which it is looked whether anybody waits still."""

T = TypeVar("T")


class Pace:
    """Lets so many calls a second pass; may be used from any thread.

    Attributes:
        rate: Calls a second that pass now.
        slowed: Whether AWS has asked for fewer calls.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.rate = RATE
        self.slowed = False
        self._clock = clock
        self._sleep = sleep
        self._changing = threading.Lock()
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._released = threading.Event()
        self._released.set()
        self._holding = 0
        self._next = clock() - BURST / RATE
        """When the next call may be made; so far in the past as there are calls in the bucket."""
        self._burst = BURST
        self._ceiling = RATE
        self._slowed_at = clock() - _REST

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let no call pass meanwhile: what AWS bears is left to something more urgent."""
        with self._changing:
            self._holding += 1
            self._released.clear()
        try:
            yield
        finally:
            with self._changing:
                self._holding -= 1
                if not self._holding:
                    self._released.set()

    def ask(
        self,
        call: Callable[[], T],
        stopped: Callable[[], bool] = lambda: False,
    ) -> T:
        """Wait for a turn, make a call and return its result; a throttled one is repeated.

        Args:
            call: One call to AWS that may be made again, and is not repeated by the SDK.
            stopped: Says that nobody waits any more.

        Raises:
            ThrottledError: AWS goes on asking for fewer calls, or nobody waits any more.
            AwsError: Whatever else the call raises.
        """
        for again in range(TRIES):
            with self._place(stopped):
                self._wait_for_turn(stopped)
                try:
                    result = call()
                except ThrottledError:
                    self._slow_down()
                    if again == TRIES - 1:
                        raise
                else:
                    self._speed_up()
                    return result
        raise AssertionError("unreachable")

    @contextmanager
    def _place(self, stopped: Callable[[], bool]) -> Iterator[None]:
        """Be one of the calls that are under way."""
        while not self._places.acquire(timeout=_NAP):
            if stopped():
                raise _cancelled()
        try:
            yield
        finally:
            self._places.release()

    def _wait_for_turn(self, stopped: Callable[[], bool]) -> None:
        with self._changing:
            turn = max(self._next, self._clock() - self._burst / self.rate)
            self._next = turn + 1 / self.rate
        while (rest := turn - self._clock()) > 0 and not stopped():
            self._sleep(min(rest, _NAP))
        while not self._released.wait(_NAP) and not stopped():
            pass
        if stopped():
            with self._changing:
                self._next -= 1 / self.rate  # Else scrolling would use up turns for nothing.
            raise _cancelled()

    def _speed_up(self) -> None:
        with self._changing:
            if self.rate < self._ceiling:
                self.rate += (self._ceiling - self.rate) * _BACK
            else:
                self.rate = self._ceiling = min(self.rate + _BEYOND, RATE)

    def _slow_down(self) -> None:
        """Drop the burst allowance; the rate recovers gradually."""
        with self._changing:
            now = self._clock()
            if now - self._slowed_at < _REST:
                return
            if self.slowed:  # The first time it is the burst that was too much, maybe.
                self._ceiling = max(self.rate * _CEILING, SLOWEST)
                self.rate = max(self.rate * _SLOWER, SLOWEST)
            self.slowed, self._slowed_at, self._burst = True, now, 0
            self._next = max(self._next, now + 1 / self.rate)


def _cancelled() -> ThrottledError:
    return ThrottledError("Left.", "Nothing was changed.")
