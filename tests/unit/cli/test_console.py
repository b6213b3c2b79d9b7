"""Signals that wait for an end, and a line that nobody takes."""

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO

import pytest

from keytui.cli import console
from keytui.cli.console import Held, held_back, progress, say
from tests.support.secret_service import wait_until

TERM = signal.SIGTERM


@dataclass(frozen=True, slots=True)
class Full:
    """What a program has of a terminal, and what the user has."""

    stream: TextIO
    user: int


@pytest.fixture
def full() -> Iterator[Full]:
    """A terminal that takes nothing more."""
    user, program = os.openpty()
    os.set_blocking(program, False)
    with suppress(BlockingIOError):
        while True:
            os.write(program, b"x" * 1000)
    os.set_blocking(program, True)
    with open(program, "w") as stream:  # noqa: PTH123 - a descriptor
        yield Full(stream, user)
    os.close(user)


def test_line_that_nobody_takes_holds_no_end_up(
    full: Full, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "SAY_SECONDS", 0.2)
    monkeypatch.setattr(sys, "stdout", full.stream)
    done: list[object] = []
    left, over = threading.Event(), threading.Event()
    reader = threading.Thread(target=drain, args=(full.user, over))

    def leave(status: int) -> None:
        done.append(status)
        if not left.is_set():
            left.set()
            reader.start()

    held = Held("Waiting.", leave)
    held.last = lambda: done.append("safe")
    held.note(TERM)
    threading.Thread(target=held.heed, args=(TERM,), daemon=True).start()
    say("y" * 100_000)  # Would take for ever.
    held.over()
    assert left.is_set()
    over.set()
    reader.join()
    assert done[:2] == ["safe", 128 + TERM]
    assert held() == TERM


def drain(user: int, over: threading.Event) -> None:
    """Take what is printed, until it is over."""
    while not over.is_set():
        if select.select([user], [], [], 0.02)[0]:
            os.read(user, 65536)


def test_progress_is_not_waited_for(full: Full, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", full.stream)
    progress("Keeping the secret")


def test_handler_prints_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs in the midst of a print, maybe, which allows no second one."""
    spoke: list[threading.Thread] = []
    monkeypatch.setattr(console, "say_in_time", lambda _: spoke.append(threading.current_thread()))
    with held_back("Waiting.") as stop:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            os.kill(os.getpid(), number)
        wait_until(lambda: bool(spoke), "it is said")
        assert stop() == signal.SIGINT
    assert len(spoke) == 1
    assert spoke[0] is not threading.main_thread()
