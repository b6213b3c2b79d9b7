"""How much of a reply is read and for how long, whatever it is that answers.

The SDK reads a reply to its end, and its read timeout counts anew with each byte: one that
never ends would fill the memory or keep a call waiting for ever. So the bounds stand below
it, where bytes come from the socket: headers, a proxy's words and the body all count.

A list of such replies could still go on for ever: with a new marker each time, with empty
pages, or with ever more in them. So its pages have bounds too.
"""

import io
import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPResponse
from typing import Any

from botocore.awsrequest import (
    AWSHTTPConnection,
    AWSHTTPConnectionPool,
    AWSHTTPSConnection,
    AWSHTTPSConnectionPool,
)
from botocore.credentials import Credentials
from botocore.exceptions import HTTPClientError, PaginationError
from botocore.session import Session
from botocore.utils import parse_timestamp

_IAM = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?Z", re.ASCII)


def timestamp(text: Any) -> datetime:
    """Return a time as IAM writes it; the SDK reads whatever else there is.

    The SDK's own way, which takes dates of every kind, costs eighty times as much: at 5,000
    users a quarter of the start. Raises what the SDK does.
    """
    if isinstance(text, str) and _IAM.fullmatch(text):
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass  # Such as the 31st of February.
    read: datetime = parse_timestamp(text)
    return read


MAX_MEGABYTES = 16
"""The credential report of 5,000 users with the longest names and paths is 7 MB.

A page of 1,000 users is 0.3 MB; with the longest names, paths and policies, under 4 MB. Parsed,
the worst that fits takes 0.6 GB or some seconds, in a thread that can be left.
"""

MAX_SECONDS = 60
"""Enough for a page of 0.3 MB over a line of 64 kbit/s; the read timeout comes on top."""


class EndlessReplyError(Exception):
    """A reply, or a list of them, is larger or takes longer than any of AWS's.

    Attributes:
        reason: What the one that answers did, as it stands after its name.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class BoundedSession(Session):
    """The SDK's session; each client it makes, also on the way to credentials, has bounds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        parsers: Any = self.get_component("response_parser_factory")
        parsers.set_parser_defaults(timestamp_parser=timestamp)

    def create_client(self, *args: Any, **kwargs: Any) -> Any:
        """Return a client that gives up, at once and for good, on a reply without end."""
        client: Any = super().create_client(*args, **kwargs)
        pools = client._endpoint.http_session._pool_classes_by_scheme  # noqa: SLF001 - no other way
        pools.update(http=_Pool, https=_TlsPool)
        service = client.meta.service_model.service_id.hyphenize()
        client.meta.events.register_first(f"needs-retry.{service}", _never_again)
        return client

    def know(self, config: dict[str, Any]) -> None:
        """Take the AWS config as it was read already; it is not changed."""
        self._config = config

    def sign_by(self, credentials: Credentials | None) -> None:
        """Sign by these credentials, of whatever kind; None lets the SDK look for some."""
        self._credentials = credentials


def endless(error: BaseException) -> EndlessReplyError | None:
    """Return a reply without end, also where the SDK has wrapped it in its own error."""
    if isinstance(error, EndlessReplyError):
        return error
    cause = error.kwargs.get("error") if isinstance(error, HTTPClientError) else None
    return cause if isinstance(cause, EndlessReplyError) else None


def _never_again(caught_exception: BaseException | None = None, **_: object) -> bool | None:
    """Answer the SDK's question whether to send again; None leaves it to the SDK."""
    return False if caught_exception and endless(caught_exception) else None


class _Wire(io.RawIOBase):
    """A reply's bytes as they come from the socket, counted."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._left = MAX_MEGABYTES * 1_000_000
        self._deadline = time.monotonic() + MAX_SECONDS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        count = self._raw.readinto(buffer)
        self._left -= count or 0
        if self._left < 0:
            raise EndlessReplyError(f"sent more than {MAX_MEGABYTES} MB")
        if count and time.monotonic() > self._deadline:
            raise EndlessReplyError(f"was not done after {MAX_SECONDS} s")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Reply(HTTPResponse):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fp: Any = io.BufferedReader(_Wire(self.fp.detach()))


class _Connection(AWSHTTPConnection):
    response_class: Any = _Reply


class _TlsConnection(AWSHTTPSConnection):
    response_class: Any = _Reply


class _Pool(AWSHTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(AWSHTTPSConnectionPool):
    ConnectionCls = _TlsConnection


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
