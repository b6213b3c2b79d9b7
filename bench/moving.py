"""Bytes written for one cursor move, and while nothing happens."""

from contextlib import suppress
from dataclasses import dataclass, field

from bench.screens import has_keys, is_complete
from bench.server import Manners
from bench.setting import FEW, Bench


@dataclass(slots=True)
class Moves:
    """Bytes written.

    Attributes:
        user: To the next user, with all that the other pane shows as the keys arrive.
        key: To the next access key of a user.
        idle: In all the idle seconds.
    """

    user: list[int] = field(default_factory=list)
    key: list[int] = field(default_factory=list)
    idle: int = 0


def moves(bench: Bench, idle_seconds: float) -> Moves:
    """Move the cursor through the users and between keys, then do nothing for a while."""
    result = Moves()
    bench.few.set(Manners(report_age=1.0))  # One that AWS makes first would be painted later.
    with bench.open(bench.few) as terminal:
        terminal.wait(has_keys)
        terminal.wait(is_complete)
        terminal.settle()
        for _ in range(FEW - 2):
            before = terminal.received
            terminal.press("j")
            terminal.settle()
            result.user.append(terminal.received - before)
        terminal.press("gj\t")
        terminal.settle()
        for key in "jk" * 5:
            before = terminal.received
            terminal.press(key)
            terminal.settle()
            result.key.append(terminal.received - before)
        before = terminal.received
        with suppress(TimeoutError):
            terminal.settle(idle_seconds, idle_seconds)
        result.idle = terminal.received - before
    return result
