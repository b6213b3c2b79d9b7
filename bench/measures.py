"""The measurements. Each starts a real program in a real pseudo-terminal and watches it."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from bench.bare import READY
from bench.terminal import Lines, Memory, Terminal
from keytui.aws.demo import DemoServer
from keytui.aws.demo_people import DEMO_KEY_ID, DEMO_SECRET, people

FEW, MANY = 12, 5000

_BARE = Path(__file__).with_name("bare.py")
_TYPED = ("nguyen", "maria.s", "svc", "vogel", "zoe")
"""Filters to type, a key at a time."""

_READING = ("reading…", "connecting…", "looking…", "  …")
"""What stands on keytui's screen while something is still to come."""

_BURST = 0.03
"""Seconds of silence that end one key's first answer."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the measurements run.

    Attributes:
        env: The environment of all programs: no home, no AWS, no desktop of this machine.
        keytui: The installed command.
        few: The URL of a demo account with 12 users.
        many: The URL of one with 5,000.
    """

    env: Mapping[str, str]
    keytui: str
    few: str
    many: str

    def open(self, url: str) -> Terminal:
        """Start keytui on an account."""
        return Terminal([self.keytui, "--endpoint-url", url], self.env)

    def bare(self, *options: str) -> Terminal:
        """Start the bare Textual application."""
        return Terminal([sys.executable, str(_BARE), *options], self.env)


@contextmanager
def bench() -> Iterator[Bench]:
    """Start the accounts and lay out an empty home."""
    with (
        TemporaryDirectory(prefix="keytui-bench-") as home,
        DemoServer(users=FEW) as few,
        DemoServer(users=MANY) as many,
    ):
        urls = [server.wait_ready(30).endpoint_url or "" for server in (few, many)]
        yield Bench(_environment(Path(home)), str(Path(sys.executable).with_name("keytui")), *urls)


def _environment(home: Path) -> dict[str, str]:
    nowhere = str(home / "none")
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_DATA_HOME": str(home / "data"),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "AWS_ACCESS_KEY_ID": DEMO_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": DEMO_SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": nowhere,
        "AWS_SHARED_CREDENTIALS_FILE": nowhere,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }


@dataclass(slots=True)
class Launch:
    """Seconds from launch, one figure a run.

    Attributes:
        aws: By each aws command found, its version: until it has listed the users.
        bare: Until a bare Textual application's line stands.
        frame: Until keytui's first whole frame.
        users: Until all users and their number stand.
        keys: Until the first user's keys stand too.
        frame_bytes: Bytes written until the first whole frame.
        all_bytes: Bytes written until the last thing stands, the keyring's state.
    """

    aws: dict[str, list[float]] = field(default_factory=dict)
    bare: list[float] = field(default_factory=list)
    frame: list[float] = field(default_factory=list)
    users: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    frame_bytes: list[int] = field(default_factory=list)
    all_bytes: list[int] = field(default_factory=list)


def launch(bench: Bench, runs: int) -> Launch:
    """Measure from launch to what one waits for; by turns, so that all meet the same machine."""
    result = Launch()
    commands = _aws_commands(bench.env)
    _launch_once(bench, Launch())  # so that what is measured finds its files in memory
    for _ in range(runs):
        for version, command in commands.items():
            result.aws.setdefault(version, []).append(_list_users(command, bench))
        with bench.bare() as terminal:
            moment = terminal.wait(lambda lines: lines[0].startswith(READY))
            result.bare.append(moment - terminal.started)
        _launch_once(bench, result)
    return result


def _launch_once(bench: Bench, result: Launch) -> None:
    with bench.open(bench.few) as terminal:
        result.frame.append(terminal.wait(_is_first_frame) - terminal.started)
        result.frame_bytes.append(terminal.received)
        result.users.append(terminal.wait(_has_users(FEW)) - terminal.started)
        result.keys.append(terminal.wait(_has_keys) - terminal.started)
        terminal.wait(_is_complete)
        terminal.settle()
        result.all_bytes.append(terminal.received)


def _is_first_frame(lines: Lines) -> bool:
    return "Quit" in lines[-1] and lines[0].strip().startswith("keytui")


def _has_users(count: int) -> Callable[[Lines], bool]:
    """Return whether all users are counted and as many names stand as there is room for."""
    first = people(count)[0].name

    def shown(lines: Lines) -> bool:
        counted = f" {count:,} users" in lines[-2] and "reading…" not in lines[-2]
        return counted and any(first in line for line in lines[:-2])

    return shown


def _has_keys(lines: Lines) -> bool:
    return any(DEMO_KEY_ID in line for line in lines)


def _is_complete(lines: Lines) -> bool:
    return not any(word in line for line in lines for word in _READING)


def _aws_commands(env: Mapping[str, str]) -> dict[str, str]:
    """Return the aws commands of this machine by version: the first on the PATH, and Debian's."""
    found: dict[str, str] = {}
    for command in (shutil.which("aws"), "/usr/bin/aws"):
        if command and Path(command).exists():
            reply = subprocess.run(
                [command, "--version"], env=env, capture_output=True, text=True, check=False
            )
            if match := re.match(r"aws-cli/(\S+)", reply.stdout):
                found.setdefault(match[1], command)
    return found


def _list_users(command: str, bench: Bench) -> float:
    start = time.perf_counter()
    subprocess.run(
        [command, "iam", "list-users", "--endpoint-url", bench.few],
        env=bench.env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - start


def memory(bench: Bench) -> dict[str, Memory]:
    """Return what keytui holds in memory with few and many users, and what bare programs do."""
    result = {}
    for name, url, count in (("few", bench.few, FEW), ("many", bench.many, MANY)):
        with bench.open(url) as terminal:
            terminal.wait(_has_users(count))
            terminal.wait(lambda lines: _has_keys(lines) or _is_complete(lines))
            terminal.settle()
            result[name] = terminal.memory()
    for name, options in (("bare", []), ("sdk", ["--sdk"])):
        with bench.bare(*options) as terminal:
            terminal.wait(lambda lines: lines[0].startswith(READY))
            terminal.settle()
            result[name] = terminal.memory()
    return result


@dataclass(slots=True)
class Filtering:
    """Milliseconds from a key press in the filter to the frame it brings.

    Attributes:
        keytui: With 5,000 users, one figure a key.
        bare: A key typed into a bare Textual application's line.
        size: The bytes that each key brought until the first pause.
    """

    keytui: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    size: list[int] = field(default_factory=list)

    @property
    def p95(self) -> float:
        """The time that 95 of 100 keys stay under."""
        return quantiles(self.keytui, n=20)[-1]


def filtering(bench: Bench) -> Filtering:
    """Type filters and time each key that changes how many users are left.

    A key's time ends with the byte that makes the screen show the new number of users. It stands
    below the list and is painted after it, in the same frame.
    """
    result = Filtering()
    names = [person.name.casefold() for person in people(MANY)]
    with bench.open(bench.many) as terminal:
        terminal.wait(_has_users(MANY))
        terminal.wait(_is_complete)
        terminal.settle()
        terminal.press("/")
        terminal.settle()
        for word in _TYPED:
            before = MANY
            for length in range(1, len(word) + 1):
                left = sum(word[:length] in name for name in names)
                if left != before:
                    key = word[length - 1]
                    _time_key(terminal, key, _has_count(left), result.keytui, result.size)
                else:
                    terminal.press(word[length - 1])
                    terminal.settle()
                before = left
            terminal.press("\x1b")
            terminal.wait(_has_no_filter)
            terminal.press("/")
            terminal.settle()
    with bench.bare("--input") as terminal:
        terminal.wait(lambda lines: lines[0].startswith(READY))
        terminal.settle()
        typed = ""
        for key in "".join(_TYPED):
            typed += key
            _time_key(terminal, key, _has_typed(typed), result.bare, [])
    return result


def _time_key(
    terminal: Terminal,
    key: str,
    shown: Callable[[Lines], bool],
    times: list[float],
    sizes: list[int],
) -> None:
    before = terminal.received
    pressed = terminal.press(key)
    times.append((terminal.wait(shown) - pressed) * 1000)
    # The keys of the first user left come later and are not counted.
    terminal.settle(_BURST)
    sizes.append(terminal.received - before)
    terminal.settle()


def _has_count(left: int) -> Callable[[Lines], bool]:
    some = f" {left:,} of {MANY:,} users" if left else f" 0 of {MANY:,} users"
    return lambda lines: some in lines[-2]


def _has_no_filter(lines: Lines) -> bool:
    return f" {MANY:,} users" in lines[-2] and " of " not in lines[-2]


def _has_typed(text: str) -> Callable[[Lines], bool]:
    return lambda lines: lines[1].startswith(text)


@dataclass(slots=True)
class Moves:
    """Bytes written for one cursor move, and while nothing happens.

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
    with bench.open(bench.few) as terminal:
        terminal.wait(_has_keys)
        terminal.wait(_is_complete)
        terminal.settle()
        for _ in range(FEW - 2):
            before = terminal.received
            terminal.press("j")
            terminal.settle()
            result.user.append(terminal.received - before)
        terminal.press("gj\t")  # alice, who has two keys
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


def demo(bench: Bench, runs: int) -> list[float]:
    """Return the seconds from ``keytui --demo-users 5000`` to all of them on the screen."""
    times = []
    for _ in range(runs):
        with Terminal([bench.keytui, "--demo-users", str(MANY)], bench.env) as terminal:
            times.append(terminal.wait(_has_users(MANY), timeout=60) - terminal.started)
    return times


def middle(figures: list[float] | list[int]) -> float:
    """Return the median."""
    return float(median(figures))
