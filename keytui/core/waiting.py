"""Waiting for IAM, which is eventually consistent: a change is listed some seconds later."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from keytui.core.errors import AccessDeniedError, AwsError, CredentialsError, NotFoundError
from keytui.core.iam import Iam
from keytui.core.model import AccessKey, User

POLL_SECONDS = 0.5
Keys = tuple[AccessKey, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """How waiting is done; tests give a clock and a sleep of their own.

    Attributes:
        sleep: Waits some seconds.
        clock: Tells seconds; only differences count.
    """

    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def until(
        self,
        iam: Iam,
        user: User,
        reached: Callable[[Keys], bool],
        seconds: float,
        left: Callable[[], bool] = lambda: False,
    ) -> bool:
        """Read a user's keys until they are as wanted; return whether they came to be.

        Args:
            iam: Who is asked.
            user: Whose keys.
            reached: Says of a listing whether it is as wanted.
            seconds: How long to go on; at least one listing is asked for.
            left: Says that nobody waits any more.

        Raises:
            NotFoundError: The user is gone.
        """
        deadline = self.clock() + seconds
        for _ in range(int(seconds / POLL_SECONDS) + 1):
            try:
                if reached(iam.keys(user)):
                    return True
            except (AccessDeniedError, CredentialsError):
                return False
            except NotFoundError:
                raise
            except AwsError:
                pass  # A passing fault; the time bounds it.
            if left() or self.clock() >= deadline:
                return False
            self.sleep(POLL_SECONDS)
            if left():
                return False
        return False


ESTIMATE_AFTER = 2.0
"""Seconds of work from which an estimate can be made."""


def seconds_left(done: int, total: int, passed: float) -> float | None:
    """Return how long the rest takes at the speed so far; None where it is too soon to tell."""
    if passed < ESTIMATE_AFTER or not done:
        return None
    return passed / done * (total - done)
