"""Where the measurements run: the programs, their environment, and the accounts they ask."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.accounts import Account
from bench.terminal import Terminal
from keytui.aws.demo.people import DEMO_KEY_ID, DEMO_SECRET

FEW, MANY = 12, 5000
LATENCY = 0.05
"""The seconds that each call takes where it is measured with a latency."""

_BARE = Path(__file__).with_name("bare.py")
_AWS_VERSION = re.compile(r"aws-cli/(\S+)")
_KEPT_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the measurements run.

    Attributes:
        env: The environment of all programs: no home, no AWS, no desktop of this machine.
        keytui: The installed command.
        aws: The aws commands of this machine by version.
        few: An account with 12 users.
        many: One with 5,000 users and 10,000 keys.
    """

    env: Mapping[str, str]
    keytui: str
    aws: Mapping[str, str]
    few: Account
    many: Account

    def open(self, account: Account, *options: str, cached: bool = False) -> Terminal:
        """Start keytui on an account; ``cached`` with the users that ``remember`` has kept."""
        if not cached:
            shutil.rmtree(self._cache, ignore_errors=True)
        return Terminal([self.keytui, "--endpoint-url", account.url, *options], self.env)

    def remember(self, account: Account) -> None:
        """Run keytui until it has kept an account's users for the next start."""
        with self.open(account):
            end = time.monotonic() + _KEPT_SECONDS
            while not list(self._cache.glob("*/users-*.json")):
                if time.monotonic() > end:
                    raise TimeoutError(f"keytui kept no users within {_KEPT_SECONDS:.0f} s")
                time.sleep(0.02)

    def demo(self, users: int) -> Terminal:
        """Start keytui on the demo account."""
        return Terminal([self.keytui, "--demo-users", str(users)], self.env)

    def bare(self, *options: str) -> Terminal:
        """Start the bare Textual application."""
        return Terminal([sys.executable, str(_BARE), *options], self.env)

    def timed(self, command: Sequence[str]) -> float:
        """Run a command to its end and return the seconds that it took."""
        start = time.perf_counter()
        subprocess.run(
            command,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return time.perf_counter() - start

    @property
    def _cache(self) -> Path:
        return Path(self.env["XDG_CACHE_HOME"])


@contextmanager
def bench() -> Iterator[Bench]:
    """Start the accounts and lay out an empty home."""
    with (
        TemporaryDirectory(prefix="keytui-bench-") as home,
        Account(FEW) as few,
        Account(MANY) as many,
    ):
        env = _environment(Path(home))
        keytui = str(Path(sys.executable).with_name("keytui"))
        yield Bench(env, keytui, _aws_commands(env), few, many)


def middle(figures: Sequence[float] | Sequence[int]) -> float:
    """Return the median."""
    return float(median(figures))


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


def _aws_commands(env: Mapping[str, str]) -> dict[str, str]:
    """Return the aws commands of this machine by version, the quickest first."""
    found: dict[str, tuple[float, str]] = {}
    for command in _candidates(env):
        start = time.perf_counter()
        reply = subprocess.run(
            [command, "--version"], env=env, capture_output=True, text=True, check=False
        )
        taken = time.perf_counter() - start
        if match := _AWS_VERSION.match(reply.stdout):
            found.setdefault(match[1], (taken, command))
    return {version: command for version, (_, command) in sorted(found.items(), key=_taken)}


def _taken(one: tuple[str, tuple[float, str]]) -> float:
    return one[1][0]


def _candidates(env: Mapping[str, str]) -> Iterator[str]:
    """Yield the aws commands on the PATH, and what a version manager's one stands for.

    That is a shell script that takes a tenth of a second before aws begins: it would make aws
    look slower than it is.
    """
    with suppress(OSError, subprocess.CalledProcessError):
        asked = ["pyenv", "which", "aws"]
        yield subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
    for folder in env["PATH"].split(os.pathsep):
        command = Path(folder, "aws")
        if command.exists() and command.parent.name != "shims":
            yield str(command)
