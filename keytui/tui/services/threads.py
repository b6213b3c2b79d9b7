"""Blocking work, away from the event loop."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

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


def look_at(task: asyncio.Future[Any]) -> None:
    """Take note of a failure that nobody waits for any more, or asyncio prints it."""
    if not task.cancelled():
        task.exception()
