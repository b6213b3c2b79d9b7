"""Blocking work in daemon threads, so that leaving keytui never waits for a network call."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from queue import SimpleQueue
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


def in_background(work: Callable[[], T], name: str = "keytui-work") -> Future[T]:
    """Start a call in a thread of its own; the future gets its result or its error.

    Cancelling the future has no effect: the call ends by itself.

    Args:
        work: The call; it carries no secret among its arguments.
        name: The thread's name.
    """
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed over to the caller whole
            future.set_exception(error)
        else:
            future.set_result(result)

    Thread(target=run, name=name, daemon=True).start()
    return future


def in_parallel(
    items: Sequence[T],
    work: Callable[[T], R],
    at_once: int,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[int, R]]:
    """Work on each item in a thread, and yield its index and result as it ends.

    An item begins only while the iterator is asked for more and is not ``stopped``.

    Args:
        items: What is worked on.
        work: The call for one of them; it carries no secret among its arguments.
        at_once: How many at the same time, at most.
        stopped: Says that nobody waits any more: what has not begun is not begun, and not yielded.

    Raises:
        Whatever ``work`` raises; what else has begun continues to its end.
    """
    waiting, under_way = deque(enumerate(items)), 0
    ended: SimpleQueue[tuple[int, Future[R]]] = SimpleQueue()
    while True:
        while waiting and under_way < at_once and not stopped():
            index, item = waiting.popleft()
            future = in_background(partial(work, item), "keytui-parallel")
            future.add_done_callback(partial(_put, ended, index))
            under_way += 1
        if not under_way:
            return
        index, future = ended.get()
        under_way -= 1
        yield index, future.result()


def _put(ended: SimpleQueue[tuple[int, Future[R]]], index: int, future: Future[R]) -> None:
    ended.put((index, future))


class Prefetched(Generic[T]):
    """Takes items from a blocking iterator in the background, one ahead of whoever asks."""

    def __init__(self, items: Iterator[T]) -> None:
        """Begin with the first item at once."""
        self._items = items
        self._coming = self._begin()

    def next(self) -> T | None:
        """Return the next item; None where there is none. Blocks; raises what the iterator does."""
        item = self._coming.result()
        if item is not None:
            self._coming = self._begin()
        return item

    def _begin(self) -> Future[T | None]:
        return in_background(lambda: next(self._items, None))
