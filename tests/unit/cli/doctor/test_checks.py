"""Probes run side by side: one that hangs, fails or is faulty is a line of its own."""

import threading
import time
from collections.abc import Iterable, Iterator

import pytest

from keytui.cli.doctor.checks import Group, Probe, Row, Status, blank, finish, start
from keytui.core.errors import AwsError

FIRST, SECOND = blank(Group.AWS, "one", "One"), blank(Group.AWS, "two", "Two")
GOOD = Row(Group.STATE, "good", "Good", Status.OK, "Fine.")


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """An event that is not set before the test ends."""
    event = threading.Event()
    yield event
    event.set()


def failing(error: BaseException, seconds: float = 30) -> Probe:
    def look() -> Iterable[Row]:
        raise error

    return Probe("AWS", (FIRST, SECOND), seconds, look)


def good() -> Probe:
    return Probe("The good one", (GOOD,), 30, lambda: [GOOD])


def test_one_that_hangs_says_so_and_holds_up_nothing(never: threading.Event) -> None:
    def hang() -> list[Row]:
        never.wait()
        return []

    begun = time.monotonic()
    rows = finish(start([Probe("AWS", (FIRST, SECOND), 0.1, hang), good()]))

    assert time.monotonic() - begun < 20
    assert rows[0].status is Status.FAIL
    assert rows[0].text == "AWS gave no answer within 0.1 s."
    assert rows[1:] == [SECOND, GOOD]
    hanging = [thread for thread in threading.enumerate() if thread.name == "keytui-doctor"]
    assert hanging
    assert all(thread.daemon for thread in hanging)


def test_all_run_at_the_same_time() -> None:
    both = threading.Barrier(2, timeout=20)

    def meet() -> list[Row]:
        both.wait()
        return [GOOD]

    probes = [Probe("One", (FIRST,), 30, meet), Probe("Two", (SECOND,), 30, meet)]

    assert finish(start(probes)) == [GOOD, GOOD]


def test_error_that_keytui_can_explain_is_told() -> None:
    error = AwsError("AWS can't be reached.", "Nothing was changed.", "Check the network.")

    told, rest, other = finish(start([failing(error), good()]))

    assert (told.status, told.text) == (Status.FAIL, "AWS can't be reached.")
    assert told.advice == "Check the network."
    assert (rest, other) == (SECOND, GOOD)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (PermissionError(13, "Permission denied"), "AWS can't be looked at: Permission denied."),
        (OSError("odd"), "AWS can't be looked at: OSError."),
        (ZeroDivisionError("a secret"), "keytui's look at this failed (ZeroDivisionError)."),
    ],
)
def test_fault_is_a_line_without_any_value(error: BaseException, text: str) -> None:
    told, _, other = finish(start([failing(error), good()]))

    assert (told.status, told.text, other) == (Status.FAIL, text, GOOD)


def test_rows_come_in_the_order_of_their_probes(never: threading.Event) -> None:
    done = threading.Event()

    def last() -> list[Row]:
        done.wait(20)
        return [FIRST]

    def first() -> list[Row]:
        done.set()
        return [SECOND]

    rows = finish(start([Probe("A", (FIRST,), 30, last), Probe("B", (SECOND,), 30, first)]))

    assert rows == [FIRST, SECOND]
