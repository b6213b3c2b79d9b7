"""Blocking work, away from the event loop."""

import asyncio
from collections.abc import Callable, Iterator
from threading import Thread
from typing import Any, Generic, TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T]) -> T:
    """Run a blocking call in a thread and wait for its result.

    The thread is a daemon, so that leaving keytui never waits for a network call. Cancelling
    the wait leaves the call to end by itself; its result is dropped.

    Args:
        work: The call; it carries no secret among its arguments.

    Raises:
        Whatever the call raises.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 - handed over to the caller whole
            failure = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, failure)

    Thread(target=run, name="keytui-work", daemon=True).start()
    return await future


class Ahead(Generic[T]):
    """Takes items from a blocking iterator, always one ahead of whoever asks for them."""

    def __init__(self, items: Iterator[T]) -> None:
        """Begin with the first item at once."""
        self._items = items
        self._coming = self._begin()

    async def next(self) -> T | None:
        """Return the next item; None where there is none. Raises whatever the iterator does."""
        item = await self._coming
        if item is not None:
            self._coming = self._begin()
        return item

    def _begin(self) -> "asyncio.Future[T | None]":
        coming = asyncio.ensure_future(in_thread(lambda: next(self._items, None)))
        coming.add_done_callback(look_at)
        return coming


def look_at(task: asyncio.Future[Any]) -> None:
    """Take note of a failure that nobody waits for any more, or asyncio prints it."""
    if not task.cancelled():
        task.exception()
