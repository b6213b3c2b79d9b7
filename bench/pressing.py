"""From a key press to the frame that it brings."""

from dataclasses import dataclass, field
from statistics import quantiles

from bench.accounts import Account
from bench.bare import READY
from bench.screens import Shown, confirmed, has_no_filter, is_complete, left_of
from bench.setting import Bench, middle
from bench.terminal import Lines, Terminal
from keytui.aws.demo.people import people

TYPED = ("nguyen", "maria.s", "svc", "vogel", "zoe")
"""Filters to type, a key at a time."""
PAGES = 40
PAGE_DOWN = "\x1b[6~"

_BURST = 0.03
"""Seconds of silence that end one key's first answer."""
_FIRST, _LAST = 12, -4
"""A line of the audit's table near its top, and one near its bottom."""


@dataclass(slots=True)
class Pressed:
    """What keys brought.

    Attributes:
        times: Milliseconds from each key to its frame.
        sizes: The bytes that each brought until the first pause.
    """

    times: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    @property
    def middle(self) -> float:
        """The median time."""
        return middle(self.times)

    @property
    def p95(self) -> float:
        """The time that 95 of 100 keys stay under."""
        return quantiles(self.times, n=20)[-1]

    def press(self, terminal: Terminal, key: str, shown: Shown) -> None:
        """Press a key and time its frame; what follows after a pause is not counted."""
        before = terminal.received
        pressed = terminal.press(key)
        self.times.append((terminal.wait(shown) - pressed) * 1000)
        terminal.settle(_BURST)
        self.sizes.append(terminal.received - before)
        terminal.settle()


def filtering(bench: Bench, account: Account) -> Pressed:
    """Type filters and time each key that changes how many users are left.

    A key's time ends with the byte that makes the screen show the new number of users. It stands
    below the list and is painted after it, in the same frame.
    """
    result = Pressed()
    users = account.users
    names = [person.name.casefold() for person in people(users)]
    with bench.open(account) as terminal:
        terminal.wait(confirmed(users), timeout=60)
        terminal.wait(is_complete, timeout=60)
        terminal.settle()
        for word in TYPED:
            terminal.press("/")
            terminal.settle()
            before = users
            for length, key in enumerate(word, start=1):
                left = sum(word[:length] in name for name in names)
                if left != before:
                    result.press(terminal, key, left_of(left, users))
                else:
                    terminal.press(key)
                    terminal.settle()
                before = left
            terminal.press("\x1b")
            terminal.wait(has_no_filter(users))
    return result


def echo(bench: Bench) -> Pressed:
    """Type the same into a bare Textual application's line."""
    result = Pressed()
    with bench.bare("--input") as terminal:
        terminal.wait(lambda lines: lines[0].startswith(READY))
        terminal.settle()
        typed = ""
        for key in "".join(TYPED):
            typed += key
            result.press(terminal, key, _has_typed(typed))
    return result


def paging(bench: Bench, account: Account, pages: int = PAGES) -> Pressed:
    """Page down through the audit; a page's time ends when its last lines stand."""
    result = Pressed()
    with bench.open(account) as terminal:
        terminal.wait(confirmed(account.users), timeout=60)
        terminal.wait(is_complete, timeout=60)
        terminal.press("A")
        terminal.wait(lambda lines: is_audited(account)(lines) and is_complete(lines), timeout=60)
        terminal.settle()
        for _ in range(pages):
            lines = terminal.lines
            result.press(terminal, PAGE_DOWN, _has_turned(lines[_FIRST], lines[_LAST]))
    return result


def is_audited(account: Account) -> Shown:
    """Return whether the audit's whole table stands: all keys counted, a key in each line."""
    heading = f" {account.keys:,} keys"

    def shown(lines: Lines) -> bool:
        table = lines[11:-3][: account.keys]
        return heading in lines[0] and all("●" in line or "○" in line for line in table)

    return shown


def _has_turned(first: str, last: str) -> Shown:
    """Return whether other rows stand than these."""
    return lambda lines: lines[_FIRST] != first and lines[_LAST] != last


def _has_typed(text: str) -> Shown:
    return lambda lines: lines[1].startswith(text)
