"""Blocking work, away from the event loop."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Generic, TypeVar

from keytui.core.parallel import in_background

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
    return await asyncio.wrap_future(in_background(work))


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
