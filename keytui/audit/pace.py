"""How fast AWS is asked: a token bucket that slows down when AWS says so.

AWS publishes no number for IAM's throttle. What is known is that it is a token bucket for each
account and action; 20 calls a second are below what people report to be refused.
"""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from keytui.errors import ThrottledError

RATE = 20.0
"""Calls a second to begin with, and at most."""
SLOWEST = 1.0
"""Calls a second that are tried however often AWS says no."""
_SLOWER = 0.8
_FASTER = 0.02
"""How much is added for each call that passes, of what is missing to the most."""
_REST = 1.0
"""Seconds in which AWS's asking for fewer calls counts once: it is of calls sent before."""
TRIES = 12
"""How often a call is made at most: at the slowest pace, for some minutes."""

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
        self._next = clock()
        self._slowed_at = clock() - _REST
        self._throttles = 0

    def ask(
        self,
        call: Callable[[], T],
        throttles: Callable[[], int] = lambda: 0,
        left: Callable[[], bool] = lambda: False,
    ) -> T:
        """Wait for a turn, make a call and return its result; a throttled one is repeated.

        Args:
            call: One call to AWS that may be made again.
            throttles: How many times AWS has asked for fewer calls so far, also where the SDK
                made the call again by itself.
            left: Says that nobody waits any more.

        Raises:
            ThrottledError: AWS goes on asking for fewer calls, or nobody waits any more.
            AwsError: Whatever else the call raises.
        """
        for again in range(TRIES):
            self._wait_for_turn(left)
            try:
                result = call()
            except ThrottledError:
                self._heed(throttles(), refused=True)
                if again == TRIES - 1:
                    raise
            else:
                self._heed(throttles())
                return result
        raise AssertionError("unreachable")

    def _wait_for_turn(self, left: Callable[[], bool]) -> None:
        with self._changing:
            now = self._clock()
            turn = max(self._next, now)
            self._next = turn + 1 / self.rate
        while (rest := turn - self._clock()) > 0 and not left():
            self._sleep(min(rest, 0.25))
        if left():
            raise ThrottledError("Left.", "Nothing was changed.")

    def _heed(self, throttles: int, *, refused: bool = False) -> None:
        """Slow down where AWS has asked for it since, else go a little faster again."""
        with self._changing:
            told = refused or throttles > self._throttles
            self._throttles = max(throttles, self._throttles)
            if not told:
                self.rate += (RATE - self.rate) * _FASTER
                return
            self.slowed = True
            now = self._clock()
            if now - self._slowed_at >= _REST:
                self._slowed_at = now
                self.rate = max(self.rate * _SLOWER, SLOWEST)
                self._next = max(self._next, now + 1 / self.rate)
