"""What the doctor says of a terminal, and its one question to a real one."""

import os
import pty
import signal
import subprocess
import sys
import termios
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from select import select

import pytest

from keytui.cli.doctor import clipboard
from keytui.cli.doctor.checks import Row, Status
from keytui.cli.doctor.terminal import _terminal, colours
from keytui.tui.terminal.clipboard import Clipboard, Outlook, Way

PATIENCE = 20.0
QUESTION = b"\x1b[c"


def rows(env: Mapping[str, str], size: tuple[int, int] | None = (120, 40)) -> dict[str, Row]:
    return {row.key: row for row in _terminal(env, size)}


@pytest.mark.parametrize(
    ("env", "count"),
    [
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, "16 million"),
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "tmux-256color"}, "256"),
        ({"TERM": "screen"}, "16"),
        ({"TERM": "linux"}, "16"),
        ({"TERM": "dumb"}, "none"),
        ({}, "none"),
        ({"TERM": "xterm-256color", "COLORTERM": "24bit", "NO_COLOR": "1"}, "none"),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, "256"),
    ],
)
def test_colours(env: dict[str, str], count: str) -> None:
    assert colours(env)[0] == count


@pytest.mark.parametrize(
    ("env", "utf8"),
    [
        ({"LANG": "en_GB.UTF-8"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LANG": "C"}, False),
        ({}, False),
        ({"LANG": "en_GB.UTF-8", "LC_ALL": "C"}, False),
        ({"LANG": "en_GB.ISO-8859-1", "LC_CTYPE": "en_GB.UTF-8"}, True),
        ({"LC_CTYPE": "UTF-8"}, True),
    ],
)
def test_character_sets(env: dict[str, str], utf8: bool) -> None:
    found = rows(env)["encoding"]
    assert found.status is (Status.OK if utf8 else Status.WARN)
    assert bool(found.command) is not utf8


@pytest.mark.parametrize("term", ["", "dumb"])
def test_terminal_that_can_not_be_drawn_on(term: str) -> None:
    found = rows({"TERM": term})["term"]

    assert (found.status, found.command) == (Status.FAIL, "export TERM=xterm-256color")


def test_no_terminal_at_all_is_no_failure() -> None:
    found = rows({}, size=None)

    assert found["term"].status is Status.UNKNOWN
    assert "ssh -t" in found["term"].text
    assert found["size"].value is None


@pytest.mark.parametrize(("size", "ok"), [((60, 20), True), ((59, 20), False), ((60, 19), False)])
def test_sizes(size: tuple[int, int], ok: bool) -> None:
    found = rows({"TERM": "xterm"}, size)["size"]

    assert (found.status is Status.OK) is ok
    assert found.value == f"{size[0]}x{size[1]}"


def test_over_ssh_or_not() -> None:
    assert (
        rows({"SSH_CONNECTION": "10.1.2.3 4 5.6.7.8 22"})["line"].text == "Over SSH from 10.1.2.3."
    )
    assert rows({"SSH_TTY": "/dev/pts/1"})["line"].value == "ssh"
    assert rows({})["line"].value == "local"


# The clipboard.


@pytest.mark.parametrize(
    ("outlook", "says", "status", "value"),
    [
        (Outlook(Way.PLAIN, None, "Not known."), True, Status.OK, True),
        (Outlook(Way.PLAIN, None, "Not known."), False, Status.UNKNOWN, None),
        (Outlook(Way.PLAIN, None, "Not known."), None, Status.UNKNOWN, None),
        (Outlook(Way.LOCAL, True, "By xclip."), None, Status.OK, True),
        (Outlook(Way.DROPPED, False, "Dropped.", "tmux set"), None, Status.WARN, False),
    ],
)
def test_what_becomes_of_a_copy(
    monkeypatch: pytest.MonkeyPatch,
    outlook: Outlook,
    says: bool | None,
    status: Status,
    value: bool | None,
) -> None:
    monkeypatch.setattr(Clipboard, "outlook", lambda _: outlook)

    found = clipboard._clipboard({}, says)

    assert (found.status, found.value, found.command) == (status, value, outlook.mend)


@pytest.mark.parametrize(
    "env",
    [{"TERM": "xterm", "TMUX": "/tmp/x,1,0"}, {"TERM": "xterm", "STY": "1.x"}, {"TERM": "dumb"}],
)
def test_multiplexer_or_a_dumb_terminal_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str]
) -> None:
    monkeypatch.setattr(clipboard, "terminal_says", lambda: pytest.fail("it was asked"))

    assert clipboard.ask(env) is None


@dataclass(frozen=True, slots=True)
class Screen:
    """A terminal of the test's own, with the doctor's question running in it."""

    leader: int
    follower: int
    process: "subprocess.Popen[str]"

    def wait_for_question(self) -> None:
        seen = b""
        while QUESTION not in seen:
            assert select([self.leader], [], [], PATIENCE)[0], seen
            seen += os.read(self.leader, 100)

    def answer(self, reply: bytes) -> None:
        os.write(self.leader, reply)

    def said(self) -> str:
        said, errors = self.process.communicate(timeout=PATIENCE)
        assert not errors
        return said.strip()

    def left_over(self) -> bytes:
        """Return what a shell would read next."""
        mode = termios.tcgetattr(self.follower)
        mode[3] &= ~termios.ICANON
        mode[6][termios.VMIN] = 0
        termios.tcsetattr(self.follower, termios.TCSANOW, mode)
        return os.read(self.follower, 1000)

    def echoes(self) -> bool:
        local = termios.tcgetattr(self.follower)[3]
        return bool(local & termios.ECHO) and bool(local & termios.ICANON)


def asking(typed: bytes = b"") -> Iterator[Screen]:
    leader, follower = pty.openpty()
    if typed:
        os.write(leader, typed)
    code = (
        "import os, sys\n"
        "os.open(sys.argv[1], os.O_RDWR)\n"  # The first one of a new session is its own.
        "from keytui.cli.doctor import clipboard\n"
        "try:\n    print(clipboard.terminal_says())\n"
        "except KeyboardInterrupt:\n    print('interrupted')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, os.ttyname(follower)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield Screen(leader, follower, process)
    finally:
        process.kill()
        process.communicate()
        os.close(leader)
        os.close(follower)


@pytest.fixture
def screen() -> Iterator[Screen]:
    yield from asking()


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (b"\x1b[?62;22;52c", "True"),
        (b"\x1b[?52;1c", "False"),  # 52 as the kind of terminal is no word of the clipboard.
        (b"\x1b[?64;1;152;22c", "False"),
        (b"\x1b[?6c", "False"),
    ],
)
def test_answer_is_read_whole_and_nothing_after_it(screen: Screen, reply: bytes, says: str) -> None:
    screen.wait_for_question()
    screen.answer(reply[:4])
    screen.answer(reply[4:] + b"ls\r")

    assert screen.said() == says
    assert screen.echoes()
    assert screen.left_over() == b"ls\n"


def test_terminal_that_does_not_answer(screen: Screen) -> None:
    screen.wait_for_question()

    assert screen.said() == "None"
    assert screen.echoes()


def test_interrupt_leaves_the_terminal_as_it_was(screen: Screen) -> None:
    screen.wait_for_question()
    screen.answer(b"\x03")

    assert screen.said() == "interrupted"
    assert screen.echoes()


def test_what_was_typed_ahead_is_left_for_the_shell() -> None:
    for screen in asking(b"ls -l\r"):
        assert screen.said() == "None"
        assert screen.left_over() == b"ls -l\n"
        assert not select([screen.leader], [], [], 0)[0] or QUESTION not in os.read(
            screen.leader, 100
        )


def test_without_a_terminal_nothing_is_asked() -> None:
    code = "from keytui.cli.doctor import clipboard; print(clipboard.terminal_says())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=PATIENCE,
        check=True,
    )
    assert done.stdout.strip() == "None"


def test_in_the_background_the_terminal_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "tcgetpgrp", lambda _: os.getpgrp() + 1)
    monkeypatch.setattr(clipboard, "_TTY", os.devnull)
    monkeypatch.setattr(clipboard, "_asked", lambda _: pytest.fail("it was asked"))

    assert clipboard.terminal_says() is None
    assert signal.getsignal(signal.SIGTTOU) == signal.SIG_DFL
