"""Work in daemon threads: results and errors come back, and a few run at once."""

import threading
from collections.abc import Iterator

import pytest

from keytui.core.parallel import Prefetched, in_background, in_parallel

SECONDS = 10.0


def test_background_work_hands_over_its_result() -> None:
    assert in_background(lambda: "done").result(SECONDS) == "done"


def test_background_work_hands_over_its_error_whole() -> None:
    error = KeyboardInterrupt()

    def fail() -> None:
        raise error

    assert in_background(fail).exception(SECONDS) is error


def test_background_work_holds_up_no_exit() -> None:
    assert in_background(lambda: threading.current_thread().daemon).result(SECONDS)


def test_background_work_is_not_cut_short_by_a_cancel() -> None:
    gate = threading.Event()
    future = in_background(lambda: gate.wait(SECONDS))
    assert not future.cancel()
    gate.set()
    assert future.result(SECONDS)


def test_parallel_results_come_with_their_index_as_they_end() -> None:
    first = threading.Event()

    def work(item: str) -> str:
        if item == "a":
            first.wait(SECONDS)
        return item.upper()

    found = in_parallel("abc", work, at_once=2)
    assert [next(found), next(found)] == [(1, "B"), (2, "C")]
    first.set()
    assert list(found) == [(0, "A")]


def test_parallel_work_never_exceeds_its_number_at_once() -> None:
    lock, under_way, most = threading.Lock(), 0, 0
    meeting = threading.Barrier(3, timeout=SECONDS)

    def work(_: int) -> None:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        meeting.wait()
        with lock:
            under_way -= 1

    assert len(list(in_parallel(range(9), work, at_once=3))) == 9
    assert most == 3


def test_parallel_work_begins_nothing_once_stopped() -> None:
    begun: list[int] = []
    found = in_parallel(range(9), begun.append, 2, lambda: len(begun) >= 2)
    assert len(list(found)) == len(begun) == 2


def test_parallel_work_starts_nothing_after_iteration_stops() -> None:
    begun: list[int] = []
    found = in_parallel(range(9), begun.append, at_once=1)
    next(found)
    found.close()  # type: ignore[attr-defined]
    assert begun == [0]


def test_parallel_error_reaches_the_caller() -> None:
    def work(item: int) -> int:
        return 1 // item

    with pytest.raises(ZeroDivisionError):
        list(in_parallel([1, 0], work, at_once=1))


def test_prefetched_items_are_one_ahead_and_end_with_none() -> None:
    begun = [threading.Event() for _ in range(3)]

    def items() -> Iterator[int]:
        for number, event in enumerate(begun):
            event.set()
            yield number

    prefetched = Prefetched(items())
    assert begun[0].wait(SECONDS)
    assert not begun[1].is_set()
    assert prefetched.next() == 0
    assert begun[1].wait(SECONDS)
    assert [prefetched.next() for _ in range(3)] == [1, 2, None]


def test_prefetched_error_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        Prefetched(1 // number for number in [0]).next()
