"""The audit beside a loop of ``aws``, and its live way beside the limit that AWS sets."""

from dataclasses import dataclass, field
from itertools import islice

from bench.accounts import Account
from bench.pressing import is_audited
from bench.screens import confirmed, is_first_frame
from bench.server import Manners
from bench.setting import LATENCY, Bench
from bench.terminal import Lines
from keytui.aws.demo.people import people

SAMPLE = 50
"""So many users are asked for with ``aws``, one after the other; the rest is extrapolated."""
LIMIT = 20.0
LIVE_USERS = 200
_LIVE_SECONDS = 120.0
_THROTTLED = ("throttl", "too many", "fewer calls")


@dataclass(slots=True)
class Audited:
    """What an audit took.

    Attributes:
        screen: Seconds from launch until the whole table stands, a report being there.
        calls: Calls to AWS up to then, those of the main screen before it among them.
        fresh: Seconds from launch where AWS has to make the report first.
        fresh_calls: Calls up to then.
        command: Seconds of ``keytui audit``, whose findings are checked live.
        loop: Seconds that ``aws iam list-access-keys`` would take for all users.
    """

    screen: list[float] = field(default_factory=list)
    calls: int = 0
    fresh: list[float] = field(default_factory=list)
    fresh_calls: int = 0
    command: list[float] = field(default_factory=list)
    loop: float = 0.0


def audit(bench: Bench, account: Account, runs: int) -> Audited:
    """Measure the audit of an account where each call takes some time."""
    result = Audited()
    for _ in range(runs):
        seconds, result.calls = _table(bench, account, Manners(latency=LATENCY, report_age=1.0))
        result.screen.append(seconds)
        seconds, result.fresh_calls = _table(bench, account, Manners(latency=LATENCY))
        result.fresh.append(seconds)
        account.set(Manners(latency=LATENCY, report_age=1.0))
        command = [bench.keytui, "audit", "--report-only", "--csv", "--fail-on", "none"]
        result.command.append(bench.timed([*command, "--endpoint-url", account.url]))
    account.set(Manners(latency=LATENCY))
    result.loop = _loop(bench, account)
    account.set()
    return result


def _table(bench: Bench, account: Account, manners: Manners) -> tuple[float, int]:
    account.set(manners)
    with bench.open(account) as terminal:
        terminal.wait(is_first_frame)
        terminal.press("A")  # Typed ahead: it waits for AWS's first answer.
        stands = terminal.wait(is_audited(account))
        return stands - terminal.started, sum(account.counts().served.values())


def _loop(bench: Bench, account: Account) -> float:
    command = next(iter(bench.aws.values()))
    taken = 0.0
    for person in islice(people(account.users), SAMPLE):
        listing = [command, "iam", "list-access-keys", "--user-name", person.name]
        taken += bench.timed([*listing, "--endpoint-url", account.url])
    return taken * account.users / SAMPLE


@dataclass(frozen=True, slots=True)
class Live:
    """What reading all users took where AWS serves 20 calls a second.

    Attributes:
        seconds: From launch until all are read.
        floor: What the limit alone takes for these calls, after the burst that it lets pass.
        calls: How many were made.
        throttled: How many were refused.
        shown: Whether anything of that was on the screen.
    """

    seconds: float
    floor: float
    calls: int
    throttled: int
    shown: bool


def live(bench: Bench, burst: int) -> Live:
    """Read an account without its report, as fast as its limit lets."""
    shown = False

    def is_read(lines: Lines) -> bool:
        nonlocal shown
        shown = shown or any(word in line.casefold() for line in lines for word in _THROTTLED)
        return f"read live: {LIVE_USERS:,} of {LIVE_USERS:,} users" in lines[0]

    with Account(LIVE_USERS) as account:
        account.set(Manners(limit=LIMIT, burst=burst, report=False))
        with bench.open(account) as terminal:
            terminal.wait(confirmed(LIVE_USERS))
            terminal.press("A")
            seconds = terminal.wait(is_read, timeout=_LIVE_SECONDS) - terminal.started
        counts = account.counts()
    calls = counts.served.total() - counts.served["GetCallerIdentity"]
    return Live(seconds, (calls - burst) / LIMIT, calls, counts.throttled, shown)
