"""What stands before ListAccessKeys in tests of how an audit reads."""

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from keytui.audit.pace import Pace
from keytui.core.errors import ThrottledError
from keytui.core.model import AccessKey, User
from tests.support.app import SECONDS, Desk
from tests.support.fake_iam import START


class Listing:
    """Counts the calls of ListAccessKeys, holds some up, and throttles some.

    Attributes:
        asked: User name → how often their keys were asked for.
        under_way: How many calls are under way.
        most: The most that were at once.
        held: Says whose keys are held up until ``go``.
        go: Lets go what is held up.
        throttled: The numbers of the calls, from 1, that AWS throttles.
    """

    def __init__(self, desk: Desk) -> None:
        self.asked: Counter[str] = Counter()
        self.most = self.under_way = 0
        self.held: Callable[[str], bool] = lambda _: False
        self.throttled: range = range(0)
        self.go = threading.Event()
        self._changing = threading.Lock()
        self._keys = desk.iam.keys
        desk.iam.gates["what is held up here"] = self.go  # Let go at the end, whatever comes.
        desk.iam.keys = self.keys  # type: ignore[method-assign]

    def keys(self, user: User) -> tuple[AccessKey, ...]:
        """Stand in for ``FakeIam.keys``."""
        with self._changing:
            self.asked[user.name] += 1
            number = self.asked.total()
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        try:
            if self.held(user.name):
                self.go.wait(SECONDS)
            if number in self.throttled:
                raise ThrottledError("Rate exceeded.")
            return self._keys(user)
        finally:
            with self._changing:
                self.under_way -= 1


def add_users(desk: Desk, count: int) -> list[str]:
    """Add users with a young key each; return their key IDs, in the audit's order."""
    ids = [f"AKIAMANY{number:012d}" for number in range(count)]
    for number, key_id in enumerate(ids):
        made = START - timedelta(days=5) + timedelta(minutes=number)
        desk.iam.add_key(desk.iam.add_user(f"user{number:03d}"), key_id, created=made)
    return ids


async def hurry(desk: Desk) -> None:
    """Wait for what the main screen reads; no call of an audit waits for its turn from now on."""
    await desk.settled()
    clock = [0.0]

    def sleep(seconds: float) -> None:
        clock[0] += seconds

    desk.app.main.stage.account.pace = Pace(lambda: clock[0], sleep)
