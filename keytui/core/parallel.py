"""Blocking work for several things, a few at a time."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from queue import SimpleQueue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def several(
    items: Sequence[T],
    work: Callable[[T], R],
    at_once: int,
    left: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[int, R]]:
    """Work on each item in threads, and yield its index and result as it ends.

    The threads are daemons, so that leaving keytui never waits for a network call. No longer
    iterating stops the work before the next item, as ``left`` does.

    Args:
        items: What is worked on.
        work: The call for one of them; it carries no secret among its arguments.
        at_once: How many at the same time, at most.
        left: Says that nobody waits any more: what has not begun is not begun, and not yielded.

    Raises:
        Whatever ``work`` raises; what else has begun goes on to its end.
    """
    waiting, stop = deque(enumerate(items)), Event()
    ended: SimpleQueue[Callable[[], tuple[int, R]] | None] = SimpleQueue()

    def run() -> None:
        with suppress(IndexError):  # None waits any more.
            while not stop.is_set() and not left():
                ended.put(_outcome(*waiting.popleft(), work))
        ended.put(None)

    threads = min(at_once, len(items))
    for _ in range(threads):
        Thread(target=run, name="keytui-several", daemon=True).start()
    try:
        while threads:
            if outcome := ended.get():
                yield outcome()
            else:
                threads -= 1
    finally:
        stop.set()


def _outcome(index: int, item: T, work: Callable[[T], R]) -> Callable[[], tuple[int, R]]:
    """Do one work; return what gives its result, or raises its error, where it is asked for."""
    failure: BaseException
    try:
        result = work(item)
    except BaseException as error:  # noqa: BLE001 - handed over to the caller whole
        failure = error
    else:
        return lambda: (index, result)

    def fail() -> tuple[int, R]:
        raise failure

    return fail
