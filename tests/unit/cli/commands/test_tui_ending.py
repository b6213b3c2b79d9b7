"""A screen that was told to end, whatever its threads do."""

import threading
from collections.abc import Callable
from signal import SIGHUP, SIGTERM
from threading import Event, Thread

import pytest

from keytui.cli.commands import tui
from keytui.cli.commands.tui import Ending

PATIENCE = 20.0


class World:
    """Notes what an ``Ending`` does, in order."""

    def __init__(self, rescue: Callable[[], None] = lambda: None) -> None:
        self.done: list[object] = []
        self.left = Event()
        self._rescue = rescue
        self.ending = Ending(self.rescue, lambda: self.done.append("given back"), self.leave)

    def rescue(self) -> None:
        self._rescue()
        self.done.append("rescued")

    def leave(self, status: int) -> None:
        self.done.append(status)
        self.left.set()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tui, "UNWIND_SECONDS", 0.01)
    monkeypatch.setattr(tui, "END_SECONDS", 0.01)


def test_screen_that_never_closes_is_ended_with_the_secret_safe() -> None:
    world = World()
    world.ending.begin(SIGTERM)
    assert world.left.wait(PATIENCE)
    assert world.done == ["rescued", "given back", 128 + SIGTERM]


def test_first_signal_counts() -> None:
    world = World()
    world.ending.begin(SIGHUP)
    world.ending.begin(SIGTERM)
    assert world.left.wait(PATIENCE)
    assert world.ending.number is SIGHUP
    assert world.done == ["rescued", "given back", 128 + SIGHUP]


def test_rescue_under_way_ends_before_the_process() -> None:
    goes_on = Event()
    world = World(lambda: assert_waited(goes_on))
    main = Thread(target=world.ending.rescue)
    main.start()
    world.ending.closed()
    world.ending.begin(SIGTERM)
    assert not world.left.is_set()
    goes_on.set()
    assert world.left.wait(PATIENCE)
    main.join()
    assert world.done == ["rescued", "given back", 128 + SIGTERM]


def test_rescue_that_fails_ends_the_process_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails() -> None:
        raise SystemExit

    # The process ends before Python could print what its thread has raised.
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    world = World(fails)
    world.ending.begin(SIGTERM)
    assert world.left.wait(PATIENCE)
    assert world.done == ["given back", 128 + SIGTERM]
    for thread in threading.enumerate():
        if "_see_to_it" in thread.name:
            thread.join(PATIENCE)


def test_nothing_is_ended_that_was_not_told_to() -> None:
    world = World()
    world.ending.closed()
    world.ending.rescue()
    world.ending.rescue()
    assert world.done == ["rescued"]


def assert_waited(event: Event) -> None:
    assert event.wait(PATIENCE)
