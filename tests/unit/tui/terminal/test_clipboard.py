"""How a text reaches the clipboard: what tmux, screen and a desktop need, what is cleared."""

import base64
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from keytui.core.model import Secret
from keytui.tui.terminal.clipboard import (
    Clipboard,
    Way,
    osc52,
    osc52_clear,
    through_screen,
    through_tmux,
)
from keytui.tui.terminal.desktop import runner
from tests.support.sentinel import SENTINEL

TTY = "/dev/pts/7"
SECRET = Secret(SENTINEL)
SSH = {"SSH_CONNECTION": "10.0.0.1 5 10.0.0.2 22", "TERM": "xterm-256color"}
IN_TMUX = SSH | {"TMUX": "/tmp/tmux-0/default,1,0", "TMUX_PANE": "%3", "TERM": "tmux-256color"}
SPACE = osc52(" ")


class FakeTmux:
    """A tmux 3.x, as far as keytui asks it; ``write`` is the pane that keytui draws in."""

    def __init__(
        self, setting: str = "on", passthrough: str = "0", version: str = "3.3a", tty: str = TTY
    ) -> None:
        self.answer = f"{version}|{setting}|{passthrough}|{tty}|bpaste,clipboard,title\n"
        self.terminals = ""
        self.buffers: dict[str, str] = {"mine": SENTINEL}
        self.written: list[str] = []
        self.commands: list[Sequence[str]] = []
        self.keeps = setting == "on"

    def run(self, command: Sequence[str], text: str | None) -> str | None:
        assert text is None
        self.commands.append(command)
        name = command[-1]
        match command[1]:
            case "display-message":
                return self.answer
            case "list-buffers":
                return "".join(f"{name}\n" for name in self.buffers)
            case "show-buffer":
                return self.buffers.get(name)
            case "delete-buffer":
                return "" if self.buffers.pop(name, None) is not None else None
            case "show-messages":
                return self.terminals
        raise AssertionError(command)

    def write(self, sequence: str) -> None:
        self.written.append(sequence)
        payload = sequence.removeprefix("\x1b]52;c;").removesuffix("\a")
        if self.keeps and payload and "\x1b" not in payload:
            self.buffers[f"buffer{len(self.written)}"] = base64.b64decode(payload).decode()


def clipboard(env: Mapping[str, str], tmux: FakeTmux | None = None) -> Clipboard:
    """Return a clipboard on the terminal ``TTY``, without any program but tmux."""
    run = tmux.run if tmux else lambda *_: None
    return Clipboard(env, run, tty=TTY, which=lambda _: None, sleep=lambda _: None)


def test_text_travels_as_base64_between_the_marks() -> None:
    payload = osc52("né " + SENTINEL).removeprefix("\x1b]52;c;").removesuffix("\a")

    assert base64.b64decode(payload, validate=True).decode() == "né " + SENTINEL
    assert osc52_clear() == osc52("") == "\x1b]52;c;\a"


def test_tmux_gets_every_escape_doubled() -> None:
    assert through_tmux(osc52("a")) == "\x1bPtmux;\x1b\x1b]52;c;YQ==\a\x1b\\"


def test_screen_gets_pieces_that_it_can_hold() -> None:
    wrapped = through_screen(osc52(SENTINEL * 20))
    pieces = re.findall("\x1bP(.*?)\x1b\\\\", wrapped, re.DOTALL)

    assert "".join(pieces) == osc52(SENTINEL * 20)
    assert max(map(len, pieces)) < 256


def test_without_anything_between_it_is_sent_and_nobody_knows() -> None:
    board, written = clipboard(SSH), list[str]()
    outlook = board.outlook()
    sent = board.send(SECRET, written.append)

    assert (outlook.way, outlook.arrives, outlook.mend) == (Way.PLAIN, None, "")
    assert sent.sentence == (
        "Sent to the terminal's clipboard; keytui can't know whether it arrived."
    )
    assert written == [osc52(SENTINEL)]
    board.clear(written.append)
    board.clear(written.append)
    assert written[1:] == [SPACE, osc52_clear()], "cleared once"


@pytest.mark.parametrize("setting", ["external", "off"])
def test_what_tmux_would_drop_is_not_sent(setting: str) -> None:
    tmux = FakeTmux(setting)
    board = clipboard(IN_TMUX, tmux)
    outlook, sent = board.outlook(), board.send(SECRET, tmux.write)

    assert (outlook.way, outlook.arrives) == (Way.DROPPED, False)
    assert outlook.mend == "tmux set -s set-clipboard on"
    assert not sent.sent
    assert sent.sentence == (
        f"Not sent; tmux drops it, since its set-clipboard is {setting}. "
        "Mend: tmux set -s set-clipboard on"
    )
    board.clear(tmux.write)
    assert tmux.written == []


def test_tmux_keeps_the_users_paste_buffers_but_not_the_secret() -> None:
    tmux = FakeTmux("on")
    board = clipboard(IN_TMUX, tmux)

    sent = board.send(SECRET, tmux.write)
    assert sent.note == "tmux passed it on, and its paste buffer is deleted."
    assert tmux.buffers == {"mine": SENTINEL}
    tmux.buffers["copied-since"] = "something else"
    board.clear(tmux.write)
    assert tmux.written == [osc52(SENTINEL), SPACE, osc52_clear()]
    assert tmux.buffers == {"mine": SENTINEL, "copied-since": "something else"}
    assert not any(SENTINEL in word for command in tmux.commands for word in command)


def test_late_paste_buffer_is_reported_and_deleted_on_clearing() -> None:
    tmux = FakeTmux("on")
    tmux.keeps = False
    board = clipboard(IN_TMUX, tmux)

    assert board.send(SECRET, tmux.write).note.endswith("a paste buffer may hold it still.")
    tmux.buffers["buffer9"] = SENTINEL
    board.clear(tmux.write)
    assert tmux.buffers == {"mine": SENTINEL}


@pytest.mark.parametrize(
    ("setting", "allowed", "version"),
    [("on", "1", "3.3a"), ("external", "on", "3.4"), ("off", "all", "3.5"), ("off", "", "3.2a")],
)
def test_tmux_hands_on_what_is_wrapped_where_it_may(
    setting: str, allowed: str, version: str
) -> None:
    tmux = FakeTmux(setting, allowed, version)
    board = clipboard(IN_TMUX, tmux)

    assert board.outlook().way is Way.PASSTHROUGH
    assert board.send(SECRET, tmux.write).sent
    board.clear(tmux.write)
    assert tmux.written == [through_tmux(s) for s in (osc52(SENTINEL), SPACE, osc52_clear())]
    assert tmux.buffers == {"mine": SENTINEL}


def test_access_key_id_is_neither_cleared_nor_taken_from_tmux() -> None:
    tmux = FakeTmux("on")
    board = clipboard(IN_TMUX, tmux)

    assert board.send(Secret("AKIA"), tmux.write, secret=False).sent
    board.clear(tmux.write)
    assert tmux.written == [osc52("AKIA")]
    assert "AKIA" in tmux.buffers.values()


def test_access_key_id_takes_the_place_of_a_secret() -> None:
    board, written = clipboard(SSH), list[str]()
    board.send(SECRET, written.append)
    board.send(Secret("AKIA"), written.append, secret=False)
    board.clear(written.append)

    assert written == [osc52(SENTINEL), osc52("AKIA")]


def test_terminal_that_tmux_knows_no_clipboard_of_is_told() -> None:
    tmux = FakeTmux("on")
    tmux.answer = tmux.answer.replace("clipboard,", "")
    tmux.terminals = " 141: Ms: [missing]\n"
    assert clipboard(IN_TMUX, tmux).outlook().arrives is False
    tmux.terminals += " 141: Ms: (string) \\033]52;%p1%s;%p2%s\\a\n"
    assert clipboard(IN_TMUX, tmux).outlook().way is Way.TMUX


@pytest.mark.parametrize("answer", ["", "3.3a|on|0|/dev/pts/1|clipboard\n"])
def test_tmux_that_is_silent_or_elsewhere_is_not_relied_on(answer: str) -> None:
    tmux = FakeTmux("on")
    tmux.answer = answer
    board = clipboard(IN_TMUX, tmux)

    assert board.outlook().way is Way.PLAIN
    assert board.send(SECRET, tmux.write).note.startswith("a tmux or screen before this login")


@pytest.mark.parametrize("env", [{"STY": "12.pts"}, {"TERM": "screen.xterm-256color"}])
def test_screen_gets_it_wrapped(env: dict[str, str]) -> None:
    written: list[str] = []
    board = clipboard(SSH | env)
    board.send(SECRET, written.append)

    assert board.outlook().way is Way.SCREEN
    assert written == [through_screen(osc52(SENTINEL))]


@pytest.mark.parametrize("term", ["tmux-256color", "screen-256color"])
def test_tmux_before_the_login_cannot_be_asked(term: str) -> None:
    outlook = clipboard(SSH | {"TERM": term}).outlook()

    assert (outlook.way, outlook.arrives) == (Way.PLAIN, None)
    assert "this login was made from may drop or keep it" in outlook.sentence


# The desktop's own clipboard, by programs that keep what they get in a file.


@pytest.fixture
def desktop(tmp_path: Path) -> dict[str, str]:
    """A desktop with xclip."""
    held = tmp_path / "held"
    program = tmp_path / "xclip"
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *-out) cat {held} ;; *-in) cat > {held}; sleep 5 & ;; esac\n'
        f'echo "$*" >> {tmp_path}/calls\n'
    )
    program.chmod(0o755)
    return {"DISPLAY": ":0", "PATH": f"{tmp_path}:{os.defpath}", "TERM": "xterm"}


def test_desktops_own_clipboard_is_used_and_cleared(
    desktop: Mapping[str, str], tmp_path: Path
) -> None:
    board, written = Clipboard(desktop, tty=TTY), list[str]()
    outlook, sent = board.outlook(), board.send(SECRET, written.append)

    assert (outlook.way, outlook.arrives) == (Way.LOCAL, True)
    assert sent.sentence == "Sent to this desktop's clipboard; xclip took it."
    assert (tmp_path / "held").read_text() == SENTINEL
    board.clear(written.append)
    assert (tmp_path / "held").read_text() == ""
    assert SENTINEL not in (tmp_path / "calls").read_text()
    assert written == []


def test_what_was_copied_since_stays_in_a_desktops_clipboard(
    desktop: Mapping[str, str], tmp_path: Path
) -> None:
    board = Clipboard(desktop, tty=TTY)
    board.send(SECRET, print)
    (tmp_path / "held").write_text("something else")
    board.clear(print)

    assert (tmp_path / "held").read_text() == "something else"


def test_program_that_fails_is_told(desktop: Mapping[str, str], tmp_path: Path) -> None:
    (tmp_path / "xclip").write_text("#!/bin/sh\nexit 1\n")

    assert Clipboard(desktop, tty=TTY).send(SECRET, print).sentence == "Not sent; xclip failed."


def test_over_ssh_the_desktop_of_the_server_is_left_alone(desktop: Mapping[str, str]) -> None:
    forwarded = dict(desktop) | SSH

    assert Clipboard(forwarded, tty=TTY).outlook().way is Way.PLAIN


def test_program_that_hangs_is_given_up() -> None:
    assert runner({"PATH": os.defpath}, seconds=0.05)(["sleep", "60"], None) is None
