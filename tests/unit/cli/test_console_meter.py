"""How far a command has come: on a terminal only, and an estimate once it is worth something."""

import io
import sys

import pytest

from keytui.cli.console import Meter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class FakeTerminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_estimate_is_made_from_what_was_done(clock: Clock) -> None:
    meter = Meter("users", 5000, clock)
    meter.went_on("")
    assert meter.sentence(clock.now) == "1 of 5,000 users"
    for _ in range(99):
        meter.went_on("")
    assert meter.sentence(clock.now + 5) == "100 of 5,000 users · about 4 min left"
    assert meter.sentence(clock.now + 1.9) == "100 of 5,000 users"


def test_short_times_are_in_seconds(clock: Clock) -> None:
    meter = Meter("users", 100, clock)
    for _ in range(50):
        meter.went_on("")
    assert meter.sentence(clock.now + 10) == "50 of 100 users · about 10 s left"


def test_line_is_written_over_and_cleared(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = FakeTerminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Meter("users", 1000, clock) as meter:
        for _ in range(1000):
            clock.now += 0.01
            meter.went_on("20 calls a second")
    text = terminal.getvalue()
    assert "\n" not in text
    assert text.startswith("\r1 of 1,000 users · 20 calls a second\x1b[K\r")
    assert text.endswith("\r\x1b[K")
    assert text.count("\r") < 60, "a few times a second is enough"


def test_nothing_is_written_where_there_is_no_terminal(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with Meter("users", 2, clock) as meter:
        meter.went_on("")
    with Meter("users", 0, clock):
        pass
    assert capsys.readouterr() == ("", "")
