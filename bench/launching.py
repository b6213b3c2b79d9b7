"""From launch to what one waits for, beside ``aws iam list-users`` to its end."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from bench.accounts import Account
from bench.bare import READY
from bench.screens import confirmed, has_keys, has_users, is_complete, is_first_frame
from bench.server import Manners
from bench.setting import MANY, Bench


@dataclass(slots=True)
class Launch:
    """Seconds from launch, one figure a run.

    Attributes:
        aws: By the version of each aws command: until it has listed the users.
        bare: Until a bare Textual application's line stands.
        frame: Until keytui's first whole frame.
        last_seen: Until the users of an earlier run stand.
        users: Until all users stand that AWS lists, with none of an earlier run.
        keys: Until the first user's keys stand too.
        frame_bytes: Bytes written until the first whole frame.
        all_bytes: Bytes written until the last thing stands, the keyring's state.
    """

    aws: dict[str, list[float]] = field(default_factory=dict)
    bare: list[float] = field(default_factory=list)
    frame: list[float] = field(default_factory=list)
    last_seen: list[float] = field(default_factory=list)
    users: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    frame_bytes: list[int] = field(default_factory=list)
    all_bytes: list[int] = field(default_factory=list)


def launch(bench: Bench, account: Account, latency: float, runs: int) -> Launch:
    """Measure by turns, so that all meet the same machine."""
    result = Launch()
    account.set(Manners(latency=latency))
    bench.remember(account)
    _started(bench, account, Launch())  # so that what is measured finds its files in memory
    for _ in range(runs):
        for version, command in bench.aws.items():
            asked = [command, "iam", "list-users", "--endpoint-url", account.url]
            result.aws.setdefault(version, []).append(bench.timed(asked))
        with bench.bare() as terminal:
            moment = terminal.wait(lambda lines: lines[0].startswith(READY))
            result.bare.append(moment - terminal.started)
        _started(bench, account, result)
        bench.remember(account)
        with bench.open(account, cached=True) as terminal:
            moment = terminal.wait(has_users(account.users))
            result.last_seen.append(moment - terminal.started)
            terminal.wait(confirmed(account.users))
    account.set()
    return result


def _started(bench: Bench, account: Account, result: Launch) -> None:
    with bench.open(account) as terminal:
        result.frame.append(terminal.wait(is_first_frame) - terminal.started)
        result.frame_bytes.append(terminal.received)
        result.users.append(terminal.wait(confirmed(account.users)) - terminal.started)
        result.keys.append(terminal.wait(has_keys) - terminal.started)
        terminal.wait(is_complete)
        terminal.settle()
        result.all_bytes.append(terminal.received)


def demo(bench: Bench, runs: int) -> Sequence[float]:
    """Return the seconds from ``keytui --demo-users 5000`` to all of them on the screen."""
    times = []
    for _ in range(runs):
        with bench.demo(MANY) as terminal:
            times.append(terminal.wait(confirmed(MANY), timeout=60) - terminal.started)
    return times
