"""How a verb's driver speaks with the face that started it: the command line or the screen.

A driver holds a verb's order of steps and its rules, once. It is a coroutine that waits for its
port and for nothing else: the screen's port opens dialogs and works in threads, the command
line's answers at once, so that ``run_now`` needs no event loop.
"""

from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Port(Protocol):
    """What every driver needs; a verb's own port adds its questions."""

    async def work(self, call: Callable[[], T]) -> T:
        """Run a blocking call and return its result, or raise its error."""

    def progress(self, step: str) -> None:
        """Show what is being done. Any thread."""

    def tell(self, sentence: str, *, good: bool = True) -> None:
        """Show what came of it."""

    def committed(self) -> None:
        """Say that a change begins: nothing more is asked before it."""


def run_now(driver: Coroutine[Any, Any, T]) -> T:
    """Run a driver whose port answers at once; return its result, or raise its error."""
    try:
        driver.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    driver.close()
    raise RuntimeError("A port that answers at once was waited for")
