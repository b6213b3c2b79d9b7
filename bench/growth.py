"""How cost grows with the account: the same measurements at 10 to 50,000 users and keys."""

from dataclasses import dataclass

from bench import memory
from bench.accounts import Account
from bench.pressing import filtering, is_audited, paging
from bench.screens import confirmed, has_users, is_complete
from bench.setting import Bench, middle

SIZES = (10, 100, 1000, 5000, 50_000)
RUNS = 3


@dataclass(frozen=True, slots=True)
class Size:
    """What an account of some size costs.

    Attributes:
        users: How many users, with one key each.
        last_seen: Seconds from launch until the users of an earlier run stand.
        confirmed: Seconds from launch until AWS has listed them all.
        filter: Milliseconds from a key in the filter to its frame.
        audit: Seconds from ``A`` until the whole table stands, the report being read already.
        page: Milliseconds from a page key in it to its frame; None where all is on one page.
        resident: Megabytes in memory after the start.
    """

    users: int
    last_seen: float
    confirmed: float
    filter: float
    audit: float
    page: float | None
    resident: float


def growth(bench: Bench, users: int) -> Size:
    """Measure an account of that size, with a report."""
    with Account(users, keys_each=1) as account:
        account.set()
        found: list[float] = []
        seen: list[float] = []
        for _ in range(RUNS):
            with bench.open(account) as terminal:
                moment = terminal.wait(confirmed(users), timeout=60)
                found.append(moment - terminal.started)
            bench.remember(account)
            with bench.open(account, cached=True) as terminal:
                seen.append(terminal.wait(has_users(users), timeout=60) - terminal.started)
        page = paging(bench, account, pages=10).middle if users > 100 else None
        return Size(
            users,
            middle(seen),
            middle(found),
            filtering(bench, account).middle,
            middle([_audit(bench, account) for _ in range(RUNS)]),
            page,
            memory.keytui(bench, account).resident,
        )


def _audit(bench: Bench, account: Account) -> float:
    with bench.open(account) as terminal:
        terminal.wait(confirmed(account.users), timeout=60)
        terminal.wait(is_complete, timeout=60)
        terminal.settle(0.5)
        pressed = terminal.press("A")
        return terminal.wait(is_audited(account), timeout=60) - pressed
