"""The terminal that keytui draws on, with a real one."""

import os
import subprocess
import sys
import termios
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from keytui.tui.terminal.device import Terminal

PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Pair:
    """A pseudo-terminal: what a program has of it, and what the user has."""

    terminal: Terminal
    user: int


@pytest.fixture
def pair() -> Iterator[Pair]:
    user, program = os.openpty()
    os.set_blocking(program, False)
    yield Pair(Terminal(program), user)
    os.close(program)
    os.close(user)


def test_what_is_written_arrives(pair: Pair) -> None:
    pair.terminal.write("für \ud800 ")
    pair.terminal.write("you")
    pair.terminal.flush()
    assert os.read(pair.user, 100) == "für ? you".encode()


def test_blocked_terminal_is_waited_for_until_keytui_must_exit(pair: Pair) -> None:
    ended = threading.Event()

    def draw() -> None:
        for _ in range(100):
            pair.terminal.write("x" * 10_000)
            pair.terminal.flush()
        ended.set()

    threading.Thread(target=draw, daemon=True).start()
    assert not ended.wait(0.5)
    pair.terminal.hurry()
    assert ended.wait(PATIENCE)


def test_slow_terminal_gets_all_of_it(pair: Pair) -> None:
    wanted = 300_000
    writer = threading.Thread(target=lambda: pair.terminal.write("x" * wanted), daemon=True)
    writer.start()
    got = 0
    while got < wanted:
        got += len(os.read(pair.user, 1000))
    writer.join(PATIENCE)
    assert not writer.is_alive()


def test_terminal_that_is_gone_takes_anything() -> None:
    user, program = os.openpty()
    os.close(user)
    terminal = Terminal(program)
    terminal.write("x" * 100_000)
    terminal.flush()
    terminal.write_now("x")
    assert terminal.modes() is None or terminal.modes()
    os.close(program)


def test_modes_are_set_again(pair: Pair) -> None:
    before = pair.terminal.modes()
    assert before
    raw = termios.tcgetattr(pair.terminal.fileno())
    raw[3] &= ~(termios.ECHO | termios.ICANON)
    pair.terminal.set_modes(raw)
    changed = pair.terminal.modes()
    assert changed
    assert changed[:4] == raw[:4]
    pair.terminal.set_modes(before)
    assert pair.terminal.modes() == before
    pair.terminal.set_modes(None)
    assert pair.terminal.modes() == before


OPEN = """
from keytui.core.errors import UsageError
from keytui.tui.terminal.device import open_terminal
try:
    terminal = open_terminal()
except UsageError as error:
    print(error, file=open(REPORT, "w"))
else:
    terminal.write("drawn")
    terminal.flush()
"""


def run_on(report: str, stdin: int, stdout: int) -> None:
    program = OPEN.replace("REPORT", repr(report))
    subprocess.run(
        [sys.executable, "-c", program],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        timeout=PATIENCE,
        check=True,
    )


def test_terminal_is_that_of_standard_input_and_output(tmp_path: object) -> None:
    user, program = os.openpty()
    run_on(f"{tmp_path}/said", program, program)
    assert os.read(user, 100) == b"drawn"


def test_two_terminals_are_refused(tmp_path: object) -> None:
    (_one, first), (_two, second) = os.openpty(), os.openpty()
    run_on(f"{tmp_path}/said", first, second)
    with open(f"{tmp_path}/said") as said:  # noqa: PTH123 - a test's own file
        assert "two different terminals" in said.read()
