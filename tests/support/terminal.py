"""keytui as a user has it: the installed command in a real terminal, which is tmux.

Waits poll for a state and fail with what the screen shows; nothing here waits for a time.
An Escape that is followed at once by another key is Alt and that key to any program in a
terminal: wait for what Escape does before the next key.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PATIENCE = 20.0
"""Seconds to wait for a state before a test fails; nothing takes that long."""

KEYTUI = Path(sys.executable).with_name("keytui")
"""The console script, as pip installs it."""

_POLL = 0.02
_LOOK_AGAIN = 0.5
"""Seconds after which the screen is looked at again though nothing was written to it.

A look costs a process; to ask whether anything was written costs next to nothing.
"""
_OPTIONS = (
    "set -g remain-on-exit on",
    "set -g history-limit 10000",
    "set -g status off",
    "set -s escape-time 0",
    "set -s set-clipboard on",
    "set -g default-terminal tmux-256color",
)
_LEFT_BUTTON = 0


def clean_env(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a user at a bare login: no AWS setup, no proxy, no keyring.

    Args:
        home: The home folder, made where it is missing; temporary files go below it too.
        more: Further variables.
    """
    temporary = home / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "SHELL": "/bin/sh",
        "HOME": str(home),
        "TMPDIR": str(temporary),
        "XDG_RUNTIME_DIR": str(home / "no-runtime"),
        "AWS_EC2_METADATA_DISABLED": "true",
        **more,
    }


class Terminal:
    """A terminal that runs one command and stays when that ends; see ``terminal``.

    Attributes:
        raw: The file that takes all bytes the command writes to the terminal.
    """

    def __init__(self, folder: Path) -> None:
        self.raw = folder / "raw"
        self._socket = folder / "tmux"
        self._status = folder / "status"

    def start(
        self, command: Sequence[str | Path], env: Mapping[str, str], width: int, height: int
    ) -> None:
        """Open the terminal and run the command in it."""
        size = ["-x", str(width), "-y", str(height)]
        # It begins with a wait, so that every byte of the command is recorded.
        script = 'read -r _; "$@"; echo $? > "$0"'
        shell = ["sh", "-c", script, str(self._status), *map(str, command)]
        options = [word for option in _OPTIONS for word in (*option.split(), ";")]
        self._tmux(*options, "new-session", "-d", *size, *shell, env=env)
        self._tmux("pipe-pane", f"exec cat > {self.raw}")
        self.wait_until(self.raw.exists, "the terminal's record is open")
        self.send("Enter")
        self.wait_until(lambda: self._child() is not None or self._ended(), "the command has begun")

    # What the user sees.

    def text(self) -> str:
        """Return the screen, a line for each of its lines."""
        return self._tmux("capture-pane", "-p")

    def history(self) -> str:
        """Return the screen with all that has scrolled off it."""
        return self._tmux("capture-pane", "-p", "-S", "-")

    def reversed(self) -> list[str]:
        """Return what is shown in reverse, one text for each stretch of it."""
        styled = self._tmux("capture-pane", "-p", "-e")
        # A colour of its own may follow.
        colours = r"(?:\x1b\[[349]\d(?:;\d+)*m)*"
        return re.findall(rf"\x1b\[(?:\d+;)*7(?:;\d+)*m{colours}([^\x1b\n]*)", styled)

    def line_of(self, text: str) -> str:
        """Return the first line on the screen that holds a text; empty where none does."""
        return next((line for line in self.text().splitlines() if text in line), "")

    def cursor(self) -> tuple[int, int]:
        """Return where the terminal's cursor is, column and line from 0."""
        column, line = self._tmux("display-message", "-p", "#{cursor_x} #{cursor_y}").split()
        return int(column), int(line)

    def written(self) -> bytes:
        """Return all bytes that were written to the terminal."""
        return self.raw.read_bytes()

    def wait_for(self, wanted: str | re.Pattern[str], timeout: float = PATIENCE) -> str:
        """Return the screen once it shows a text (over line ends too) or matches a pattern."""
        return self._wait(lambda screen: _shows(screen, wanted), f"{wanted!r} shown", timeout)

    def wait_gone(self, unwanted: str | re.Pattern[str], timeout: float = PATIENCE) -> str:
        """Return the screen once it no longer shows a text or matches a pattern."""
        return self._wait(
            lambda screen: not _shows(screen, unwanted), f"{unwanted!r} gone", timeout
        )

    def wait_until(self, reached: Callable[[], bool], what: str, timeout: float = PATIENCE) -> None:
        """Return once something outside the terminal holds; fail showing the screen."""
        _wait_until(reached, self.text, what, timeout)

    # What the user does.

    def send(self, *keys: str) -> None:
        """Press keys, by tmux's names: ``c``, ``Enter``, ``Escape``, ``C-q``."""
        self._tmux("send-keys", "--", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self._tmux("send-keys", "-l", "--", text)

    def escape(self, gone: str | re.Pattern[str]) -> str:
        """Press Escape and wait for its effect: something is no longer shown."""
        self.send("Escape")
        return self.wait_gone(gone)

    def click(self, text: str, *, line: str = "") -> None:
        """Click on a text on the screen, the first one in a line that holds ``line``."""
        for y, shown in enumerate(self.text().splitlines(), start=1):
            if line in shown and text in shown:
                self._mouse(shown.index(text) + 1, y)
                return
        pytest.fail(f"nothing to click: {text!r}\n{self.text()}")

    def resize(self, width: int, height: int) -> None:
        """Make the terminal larger or smaller."""
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    # The process in it.

    @property
    def pid(self) -> int:
        """The command's process ID, while it runs."""
        child = self._child()
        assert child is not None, f"the command has ended\n{self.text()}"
        return child

    def wait_exit(self, timeout: float = PATIENCE) -> int:
        """Wait until the command has ended and return its exit status (or 128 + a signal)."""
        self.wait_until(self._ended, "the command has ended", timeout)
        return int(self._status.read_text())

    def close(self) -> None:
        """End the command and the terminal."""
        with suppress(AssertionError):
            if child := self._child():
                os.kill(child, signal.SIGKILL)
                # Its shell writes the status down, in the folder that is removed next.
                self.wait_until(self._ended, "the command's status is written")
        with suppress(AssertionError):
            self._tmux("kill-server")

    def _child(self) -> int | None:
        """Return the process that the pane's shell runs."""
        shell = self._tmux("display-message", "-p", "#{pane_pid}").strip()
        with suppress(OSError):
            children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
            return int(children[0]) if children else None
        return None

    def _ended(self) -> bool:
        # tmux itself forgets the status of some commands.
        return self._status.exists() and self._status.read_text().endswith("\n")

    def _wait(self, reached: Callable[[str], bool], what: str, timeout: float) -> str:
        screen, seen = "", 0

        def look() -> bool:
            nonlocal screen, seen
            seen = self._size()
            screen = self.text()
            return reached(screen)

        def rest() -> None:
            again = time.monotonic() + _LOOK_AGAIN
            time.sleep(_POLL)
            while self._size() == seen and time.monotonic() < again:
                time.sleep(_POLL)

        _wait_until(look, lambda: screen, what, timeout, rest)
        return screen

    def _size(self) -> int:
        return self.raw.stat().st_size

    def _mouse(self, x: int, y: int) -> None:
        for end in ("M", "m"):
            report = f"\x1b[<{_LEFT_BUTTON};{x};{y}{end}"
            self._tmux("send-keys", "-H", *(f"{byte:02x}" for byte in report.encode()))

    def _tmux(self, *words: str, env: Mapping[str, str] | None = None) -> str:
        done = subprocess.run(
            ["tmux", "-f", "/dev/null", "-S", str(self._socket), *words],
            env=env,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, f"tmux {words[0]}: {done.stderr}"
        return done.stdout


@contextmanager
def terminal(
    command: Sequence[str | Path], env: Mapping[str, str], width: int = 120, height: int = 40
) -> Iterator[Terminal]:
    """Run a command in a terminal of its own while the block runs.

    Args:
        command: The command line; ``KEYTUI`` and its flags.
        env: The whole environment; see ``clean_env``.
        width: Columns.
        height: Lines.
    """
    if shutil.which("tmux") is None:
        pytest.fail("tmux is missing: apt-get install tmux")
    # Not in pytest's folder: a socket's path may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="keytui-") as folder:
        opened = Terminal(Path(folder))
        try:
            opened.start(command, env, width, height)
            yield opened
        finally:
            opened.close()


def _shows(screen: str, wanted: str | re.Pattern[str]) -> bool:
    if isinstance(wanted, str):
        return wanted in screen or wanted in " ".join(screen.split())
    return bool(wanted.search(screen))


def _wait_until(
    reached: Callable[[], bool],
    screen: Callable[[], str],
    what: str,
    timeout: float,
    rest: Callable[[], None] = lambda: time.sleep(_POLL),
) -> None:
    deadline = time.monotonic() + timeout
    while not reached():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout:g} s: {what}\n{screen()}")
        rest()
