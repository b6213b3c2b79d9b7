"""How many pages of a list are read, and for how long, whatever it is that answers.

Each page has the bounds of any reply (``bounds``). A list of such pages could still go on for
ever: with a new marker each time, with empty pages, or with ever more in them.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import PaginationError

from keytui.aws.bounds import EndlessReplyError


@dataclass(frozen=True, slots=True)
class Limits:
    """What a list of AWS's never exceeds.

    Attributes:
        pages: How many pages.
        empty: How many pages without anything, one after the other.
        items: How many items in all.
        characters: How much text in all.
        seconds: How long AWS may take for all of them; the reader's own time does not count.
    """

    pages: int
    empty: int
    items: int
    characters: int
    seconds: float


ALL_USERS = Limits(pages=2_000, empty=50, items=200_000, characters=64_000_000, seconds=900)
"""An account has 5,000 users unless AWS has raised its quota.

50,000 in pages of AWS's default, 100, are a quarter of this, and 15 MB, which a line of
128 kbit/s takes in this time.
"""
OF_ONE_USER = Limits(pages=100, empty=10, items=1_000, characters=1_000_000, seconds=120)
"""A user has two keys, eight in the worst case seen, and 50 tags."""


def listed(
    pages: Iterable[Any],
    field: str,
    limits: Limits,
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[list[Any]]:
    """Yield the items of each page.

    Args:
        pages: The SDK's pages.
        field: Where a page has its items.
        limits: How far to go.
        clock: Seconds, from any start.

    Raises:
        EndlessReplyError: The list goes further than any of AWS's.
    """
    coming = iter(pages)
    read = empty = items = characters = 0
    seconds = 0.0
    while True:
        before = clock()
        page = _next(coming)
        seconds += clock() - before
        if page is None:
            return
        found: list[Any] = page[field]
        read, items, empty = read + 1, items + len(found), 0 if found else empty + 1
        characters += sum(len(text) for item in found for text in _texts(item))
        if items > limits.items or characters > limits.characters:
            raise EndlessReplyError(f"lists more than {limits.items:,} items, or very long ones")
        yield found
        if read >= limits.pages or empty >= limits.empty or seconds > limits.seconds:
            raise EndlessReplyError(f"lists without end: {read:,} pages in {seconds:.0f} s")


def _next(coming: Iterator[Any]) -> Any:
    """Return the next page; None after the last."""
    try:
        return next(coming, None)
    except PaginationError:
        raise EndlessReplyError("gives the same page again and again") from None


def _texts(item: dict[str, Any]) -> Iterator[str]:
    return (value for value in item.values() if isinstance(value, str))
