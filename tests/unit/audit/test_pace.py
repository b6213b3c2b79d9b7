"""How fast AWS is asked: a burst, then so many calls a second, fewer when AWS says so."""

from threading import Event, Thread

import pytest

from keytui.audit.pace import BURST, RATE, Pace
from keytui.core.errors import ThrottledError


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_burst_passes_and_then_so_many_a_second() -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    for _ in range(BURST):
        pace.ask(lambda: None)
    assert clock.now == 0
    for _ in range(100):
        pace.ask(lambda: None)
    assert clock.now == pytest.approx(100 / RATE, rel=0.02)


def test_it_slows_down_when_told_and_finds_its_way_back() -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    refusals = [True] * 6

    def call() -> None:
        if refusals:
            refusals.pop()
            clock.sleep(1.1)
            raise ThrottledError("Slow down.")

    pace.ask(call)
    slow = pace.rate
    assert slow < RATE * 0.8
    for _ in range(2000):
        pace.ask(lambda: None)
    assert slow < pace.rate <= RATE


def test_whoever_left_is_not_waited_for() -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    with pytest.raises(ThrottledError):
        pace.ask(lambda: None, stopped=lambda: True)


def test_turns_that_nobody_waits_for_any_more_cost_no_time() -> None:
    clock = Clock()
    pace = Pace(clock, clock.sleep)
    for _ in range(BURST):
        pace.ask(lambda: None)
    for _ in range(100):
        with pytest.raises(ThrottledError):
            pace.ask(lambda: None, lambda: True)

    before = clock.now
    pace.ask(lambda: None)
    assert clock.now - before < 2 / RATE


def test_no_call_passes_while_something_more_urgent_is_done() -> None:
    pace, passed = Pace(), Event()
    with pace.held():
        waiting = Thread(target=lambda: pace.ask(passed.set))
        waiting.start()
        with pytest.raises(ThrottledError):
            pace.ask(passed.set, stopped=lambda: True)
        assert not passed.is_set()
    waiting.join(10)
    assert passed.is_set()


def test_no_call_passes_until_all_that_is_more_urgent_is_done() -> None:
    pace, passed = Pace(), Event()
    waiting = Thread(target=lambda: pace.ask(passed.set))
    with pace.held():
        with pace.held():
            pass
        waiting.start()
        assert not passed.wait(0.1)
    waiting.join(10)
    assert passed.is_set()
