"""The secret on its way to a clipboard: over ssh, through tmux or screen, to the terminal."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.e2e.conftest import Desk, signed_by
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import IamServer
from tests.support.sentinel import SENTINEL
from tests.support.sshd import sshd
from tests.support.terminal import clean_env
from tests.support.vt import Vt, vt

SECONDS = 1.0
"""After how long keytui clears the clipboard here."""

RUNNER = (
    "import sys; from keytui.tui.services.copier import Copier; from keytui.cli.main import main; "
    f"Copier.SECONDS = {SECONDS}; sys.exit(main(['--user', 'carol']))"
)
Ask = Callable[..., str]


@pytest.fixture
def env(desk: Desk, iam: FakeIam, server: IamServer) -> dict[str, str]:
    """The environment of somebody whose account has carol, and a secret that is known."""
    iam.add_user("carol")
    iam.next_secret = SENTINEL
    return clean_env(desk.home) | signed_by(server.options)


def test_secret_goes_through_tmux_over_ssh_as_tmux_is_set(
    desk: Desk, env: Mapping[str, str]
) -> None:
    command, ask = _in_tmux(desk, env)
    with sshd(env) as server, vt(server.ssh(*command), env) as outside:
        _create_to_show(outside)

        for setting in ("external", "off"):
            ask("set", "-s", "set-clipboard", setting)
            outside.type("y")
            outside.wait_for(f"Not sent; tmux drops it, since its set-clipboard is {setting}")
            outside.wait_for("tmux set -s set-clipboard on")
        assert outside.clipboard() == []

        ask("set", "-g", "allow-passthrough", "on")
        _sends(outside, [SENTINEL])
        _clears(outside, [SENTINEL, " ", ""])
        assert ask("list-buffers") == ""

        ask("set", "-g", "allow-passthrough", "off")
        ask("set", "-s", "set-clipboard", "on")
        ask("set-buffer", "-b", "users-own", SENTINEL)
        _sends(outside, [SENTINEL, " ", "", SENTINEL])
        outside.wait_for("tmux passed it on, and its paste buffer is deleted")
        _clears(outside, [SENTINEL, " ", "", SENTINEL, " "])
        outside.wait_until(
            lambda: ask("list-buffers", "-F", "#{buffer_name}") == "users-own\n",
            "only the user's own paste buffer is left",
        )

        _sends(outside, [SENTINEL, " ", "", SENTINEL, " ", SENTINEL])
        os.kill(_keytui(ask), signal.SIGTERM)
        _clears(outside, [SENTINEL, " ", "", SENTINEL, " ", SENTINEL, " "])
        outside.wait_until(
            lambda: ask("list-buffers", "-F", "#{buffer_name}") == "users-own\n",
            "only the user's own paste buffer is left",
        )
        ask("kill-server")


def test_secret_goes_through_screen(desk: Desk, env: dict[str, str]) -> None:
    sockets = desk.home / "screen"
    sockets.mkdir(mode=0o700)
    env |= {"SCREENDIR": str(sockets), "SYSSCREENRC": "/dev/null"}
    try:
        screen = ["screen", "-c", "/dev/null", "-S", "keytui", sys.executable, "-c", RUNNER]
        with vt(screen, env) as outside:
            _create_to_show(outside)
            _sends(outside, [SENTINEL])
            _clears(outside, [SENTINEL, " ", ""])
            subprocess.run(["screen", "-S", "keytui", "-X", "quit"], env=env, check=True)
            outside.wait_exit()
    except FileNotFoundError:
        pytest.fail("screen is missing: apt-get install screen")


def _in_tmux(desk: Desk, env: Mapping[str, str]) -> tuple[list[str | Path], Ask]:
    """Return the command that starts keytui in tmux, and how to speak to that tmux."""
    tmux = ["tmux", "-f", "/dev/null", "-S", str(desk.home / "tmux")]

    def ask(*words: str) -> str:
        done = subprocess.run([*tmux, *words], env=dict(env), capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    keytui = shlex.join([sys.executable, "-c", RUNNER])
    return [*tmux, "set", "-g", "status", "off", ";", "new-session", f"exec {keytui}"], ask


def _keytui(ask: Ask) -> int:
    return int(ask("display-message", "-p", "#{pane_pid}"))


def _create_to_show(outside: Vt) -> None:
    outside.wait_for("carol has no access keys")
    outside.type("c")
    outside.wait_for("Create an access key")
    outside.type("jj")
    outside.wait_until(lambda: bool(re.search("◉ Show only", outside.text())), "the choice")
    outside.type("\r")
    outside.wait_for("It is kept nowhere yet")


def _sends(outside: Vt, clipboard: list[str]) -> None:
    outside.type("y")
    outside.wait_until(lambda: outside.clipboard() == clipboard, "the secret arrives")
    outside.wait_for("Sent to the terminal's clipboard")


def _clears(outside: Vt, clipboard: list[str]) -> None:
    outside.wait_until(lambda: outside.clipboard() == clipboard, "the clipboard is cleared")
