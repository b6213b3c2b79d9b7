"""Bytes on the line: keytui and another Textual AWS browser, over a real sshd on loopback.

What counts is what the ssh client writes to its terminal of 120×40.
"""

import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from bench.screens import shows
from bench.setting import FEW, Bench
from bench.terminal import Terminal
from keytui.aws.demo.server import DemoServer
from tests.support.sshd import sshd

PEER = "awstui==0.24.121"
"""Browses IAM users among others, in a tree; of PyPI's, the nearest to keytui."""
PEER_PYTHONS = (os.environ.get("PEER_PYTHON", "python3"), "python3.13", "python3.14", "python3.12")
"""It installs on older ones too, but ends at the first move of the cursor there."""
_ASK = "import sys; print(sys.executable if sys.version_info >= (3, 12) else '')"
INSTALL_SECONDS = 180
IDLE_SECONDS = 5.0
MOVES = 7
DOWN = "\x1b[B"


@dataclass(slots=True)
class Line:
    """Bytes for what a user does.

    Attributes:
        screen: Until the first screen is complete.
        moves: For a cursor move in the list of users, with all it brings, one figure a move.
        keys: For a key typed into the filter.
        reveal: From choosing where the secret goes until the reveal stands.
        idle: In five seconds without a key.
    """

    screen: int = 0
    moves: list[int] = field(default_factory=list)
    keys: list[int] = field(default_factory=list)
    reveal: int = 0
    idle: int = 0

    @property
    def move(self) -> float:
        """The median of a move."""
        return float(median(self.moves))


def keytui(bench: Bench) -> Line:
    """Measure keytui, on the demo's account: here a key is made."""
    result = Line()
    with (
        DemoServer(users=FEW) as server,
        _login(bench, [bench.keytui, "--endpoint-url", _url(server)]) as terminal,
    ):
        terminal.wait(shows("AKIA", " 12 users", "Keyring: There"))
        terminal.settle()
        result.screen = terminal.received
        result.moves = [_press(terminal, DOWN) for _ in range(MOVES)]
        _press(terminal, "/")
        result.keys = [_press(terminal, key) for key in "carol"]
        _press(terminal, "\r")
        terminal.press("c")
        terminal.wait(shows("can't be used"))
        _press(terminal, "jj")
        before = terminal.received
        terminal.press("\r")
        terminal.wait(shows("It is kept nowhere yet"))
        terminal.settle()
        result.reveal = terminal.received - before
        result.idle = _idle(terminal)
    return result


def peer(bench: Bench) -> tuple[Line | None, str]:
    """Measure the other browser; returns None where it can't be had, and a word about it."""
    with TemporaryDirectory(prefix="keytui-peer-") as folder:
        program, word = _install(Path(folder))
        if program is None:
            return None, word
        result = Line()
        try:
            with _login(bench, [program, "-s", "iam"], AWS_ENDPOINT_URL=bench.few.url) as terminal:
                terminal.wait(shows("AWS Services", "IAM", "arn:aws:iam"))
                terminal.settle(1.0)
                result.screen = terminal.received
                for key, shown in ((DOWN, ""), ("\r", "Users"), (DOWN, ""), ("\r", "zoe")):
                    terminal.press(key)
                    terminal.wait(shows(shown))
                    terminal.settle(1.0)
                result.moves = [_press(terminal, DOWN, 1.0) for _ in range(MOVES)]
                result.idle = _idle(terminal)
        except (EOFError, TimeoutError) as error:
            return None, f"{word} could not be measured: {str(error).splitlines()[0]}"
        return result, word


def _url(server: DemoServer) -> str:
    return server.wait_ready(30).endpoint_url or ""


@contextmanager
def _login(bench: Bench, command: Sequence[str], **more: str) -> Iterator[Terminal]:
    env: Mapping[str, str] = dict(bench.env) | more
    with sshd(env) as server, Terminal(server.ssh(*command), env) as terminal:
        yield terminal


def _install(folder: Path) -> tuple[str | None, str]:
    python = next((found for name in PEER_PYTHONS if (found := _works(name))), None)
    if python is None:
        return None, f"{PEER} needs Python 3.12 or newer, which is not here"
    pip = [str(folder / "bin/python"), "-m", "pip", "install", "-qq", PEER]
    end = time.monotonic() + INSTALL_SECONDS
    with suppress(OSError, subprocess.SubprocessError):
        for command in ([python, "-m", "venv", str(folder)], pip):
            subprocess.run(command, check=True, capture_output=True, timeout=end - time.monotonic())
        return str(folder / "bin/awstui"), PEER
    return None, f"{PEER} could not be installed from PyPI within {INSTALL_SECONDS} s"


def _works(name: str) -> str | None:
    """Return the path behind a name; a version manager's stand-in may lead nowhere."""
    with suppress(OSError):
        done = subprocess.run([name, "-c", _ASK], capture_output=True, text=True, check=False)
        return done.stdout.strip() or None
    return None


def _press(terminal: Terminal, key: str, quiet: float = 0.4) -> int:
    before = terminal.received
    terminal.press(key)
    terminal.settle(quiet)
    return terminal.received - before


def _idle(terminal: Terminal) -> int:
    before = terminal.received
    with suppress(TimeoutError):
        terminal.settle(IDLE_SECONDS, IDLE_SECONDS)
    return terminal.received - before
