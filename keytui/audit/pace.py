"""How fast AWS is asked: a token bucket that slows down when AWS says so."""

import time
from collections.abc import Callable
from typing import TypeVar

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
        self.rate = 20.0
        self.slowed = False
        self._clock = clock
        self._sleep = sleep

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
        raise NotImplementedError
