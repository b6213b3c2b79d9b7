"""keytui on terminals of many kinds: without UTF-8, without colours, resized, re-attached."""

import re
import signal
import subprocess
from collections.abc import Callable

import pytest

from tests.e2e.conftest import Desk, signed_by
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import IamServer
from tests.support.sentinel import SENTINEL
from tests.support.terminal import KEYTUI, clean_env
from tests.support.vt import Vt, vt

COLOUR = re.compile(rb"\x1b\[(?:\d+;)*(?:[34][0-8]|9\d|10[0-7])(?:;\d+)*m")
"""A sequence that sets a colour."""
MANY_COLOURS = re.compile(rb"[34]8;[25];")
"""One of more than sixteen."""


@pytest.fixture
def env(desk: Desk, iam: FakeIam, server: IamServer) -> dict[str, str]:
    """The environment of somebody whose account has alice, with a key that has a description."""
    iam.add_key(iam.add_user("alice"), "AKIAIOSFODNN7EXAMPLE", description="für 日本")
    return clean_env(desk.home) | signed_by(server.options)


@pytest.mark.parametrize(("width", "height"), [(120, 40), (60, 20)])
def test_without_utf8_all_is_ascii(env: dict[str, str], width: int, height: int) -> None:
    env |= {"LANG": "C", "TERM": "xterm"}
    with vt([KEYTUI, "--user", "alice"], env, width, height) as run:
        run.wait_for("> AKIAIOSFODNN7EXAMPLE  * Active")
        run.wait_for('"f?r ????"')
        run.type_bytes(b"/\xe9z")  # é, as a terminal in Latin-1 sends it
        run.wait_for("no match")
        run.type("\x1b")
        run.wait_for("> a")
        run.type("c")
        run.wait_for("Create an access key")
        run.wait_for("* OS keyring x can't be used")
        assert re.search(r"\+- Create an access key -+\+", run.text())
        assert run.written().isascii()


@pytest.mark.parametrize("term", ["xterm", "screen", "tmux-256color", "linux"])
def test_sixteen_colours_do(env: dict[str, str], term: str) -> None:
    env |= {"TERM": term}
    with vt([KEYTUI, "--user", "alice"], env, 80, 24) as run:
        cursor, status = ("> ", "* ") if term == "linux" else ("▸ ", "● ")
        run.wait_for(f"{cursor}AKIAIOSFODNN7EXAMPLE  {status}Active")
        run.wait_for("für 日本")
        run.settle()
        assert COLOUR.search(run.written())
        assert not MANY_COLOURS.search(run.written())


def test_no_color_means_none(env: dict[str, str]) -> None:
    env |= {"NO_COLOR": "1"}
    with vt([KEYTUI, "--user", "alice"], env) as run:
        run.wait_for("▸ AKIAIOSFODNN7EXAMPLE  ● Active")
        run.settle()
        assert not COLOUR.search(run.written())
        assert re.search(rb"\x1b\[(?:\d+;)*7[;m]", run.written()), "the cursor is reversed"


def test_terminal_may_change_its_size_and_come_back(desk: Desk, env: dict[str, str]) -> None:
    tmux = ["tmux", "-f", "/dev/null", "-S", str(desk.home / "tmux")]
    begin = [*tmux, "set", "-g", "status", "off", ";", "new-session", f"{KEYTUI} --user alice"]
    try:
        with vt(begin, env) as first:
            _shows(first, "Keyring:", "alice", "● Active", "q Quit")
            first.resize(60, 20)
            first.wait_until(lambda: "│" not in first.text(), "one pane")
            _shows(first, "● Active", "d Make inactive", "q Quit")
            first.resize(50, 10)
            first.wait_for("keytui needs 60×20 characters")
            first.resize(100, 30)
            _shows(first, "Keyring:", "alice", "● Active", "q Quit")
            subprocess.run([*tmux, "detach-client"], env=env, check=True)
            first.wait_exit()
        with vt([*tmux, "attach"], env, 80, 24) as second:
            _shows(second, "● Active", "d Make inactive", "q Quit")
            second.type("\t")
            _shows(second, "▸ alice", "Keyring:")
    finally:
        subprocess.run([*tmux, "kill-server"], env=env, check=False)


@pytest.mark.parametrize("elsewhere", ["2>$FILE", "2>/dev/null", "2>&-", "2>>$FILE", "</dev/tty"])
def test_screen_is_drawn_on_the_terminal_and_nowhere_else(
    desk: Desk, iam: FakeIam, env: dict[str, str], elsewhere: str
) -> None:
    iam.next_secret = SENTINEL
    file = desk.home / "errors"
    file.touch()
    env |= {"FILE": str(file)}
    with vt(["sh", "-c", f"exec {KEYTUI} --user alice {elsewhere}"], env) as run:
        run.wait_for("▸ AKIAIOSFODNN7EXAMPLE  ● Active")
        run.type("c")
        run.wait_for("Create an access key")
        run.type("\x1b[B\x1b[B")
        run.wait_for("◉ Show only")
        run.type("\r")
        run.wait_for("It is kept nowhere yet")
        run.type("s")
        run.wait_for(SENTINEL)
        run.resize(100, 30)
        run.wait_for(SENTINEL)
        run.process.terminate()
        assert run.wait_exit() == 128 + signal.SIGTERM
    said = file.read_text()
    assert SENTINEL not in said
    assert "\x1b" not in said
    if "FILE" in elsewhere:
        assert "was deleted again: its secret could not be kept." in said


@pytest.mark.parametrize("elsewhere", ["2>&1 | cat", "> $FILE", "< $FILE"])
def test_screen_needs_a_terminal(desk: Desk, env: dict[str, str], elsewhere: str) -> None:
    file = desk.home / "file"
    file.touch()
    env |= {"FILE": str(file)}
    with vt(["sh", "-c", f"{KEYTUI} --user alice {elsewhere}"], env) as run:
        run.wait_exit()
        assert b"\x1b" not in run.written() + file.read_bytes()
        assert "keytui needs a terminal to draw on" in run.text()


def _shows(run: Vt, *texts: str) -> None:
    def all_shown() -> bool:
        return all(run.shows(text) for text in texts)

    reached: Callable[[], bool] = all_shown
    run.wait_until(reached, f"{texts!r} shown")
