"""A proxy before an IAM server that breaks the calls it is told to break.

``FaultProxy(url)`` is transparent until something is arranged: a ``Break`` of the nth call of
an action from now on, or a callable that is run at exactly that moment. Before means that the
request has come and was not forwarded; after, that the server has done the work and its reply
has not been handed on. No moment is found by waiting, so a test hits the same one each time.
"""

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum
from http.client import HTTPConnection, HTTPResponse
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Literal, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

PATIENCE = 20.0
"""Seconds to wait for a call before a test fails; nothing takes that long."""

When = Literal["before", "after"]

_NAMES = ("Action", "UserName", "AccessKeyId")
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"}


class Kind(Enum):
    """What happens to a call."""

    DELAY = "delay"
    """It goes on after some time; the one fault that sleeps."""
    HANG = "hang"
    """It goes on when it is released, and ends when the client goes."""
    RESET = "reset"
    """The connection ends with RST."""
    CLOSE = "close"
    """The connection ends with FIN, with nothing sent."""
    TRUNCATED = "truncated"
    """Half the body arrives under the whole one's Content-Length, then FIN; after only."""
    SHORT = "short"
    """Half the body arrives under a Content-Length that fits it; after only."""
    STATUS_500 = "500"
    STATUS_503 = "503"
    STATUS_429 = "429"
    """The answer is Throttling."""
    PAGE = "page"
    """The answer is a 200 with an HTML page, as a captive portal gives."""
    DENIED = "denied"
    """The answer is AccessDenied; before only, since AWS says so before it does any work."""


@dataclass(frozen=True, slots=True)
class Break:
    """A fault of one call.

    Attributes:
        kind: What happens.
        after: Whether the server does the work first; else it never hears of the call
            (but for DELAY and HANG, after which the call goes on).
        seconds: How long a DELAY takes.
    """

    kind: Kind
    after: bool = False
    seconds: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what has no meaning."""
        if self.kind in {Kind.TRUNCATED, Kind.SHORT} and not self.after:
            raise ValueError(f"{self.kind} breaks a reply, and before the work there is none")
        if self.kind is Kind.DENIED and self.after:
            raise ValueError("AWS denies a call before it does the work")

    def __str__(self) -> str:
        return f"{self.kind.value} {'after' if self.after else 'before'}"


BREAKS = tuple(
    Break(kind, after)
    for kind in Kind
    if kind not in {Kind.DELAY, Kind.DENIED}
    for after in (False, True)
    if after or kind not in {Kind.TRUNCATED, Kind.SHORT}
)
"""All of them but the delays and the denials."""


@dataclass(slots=True)
class Exchange:
    """One call that came.

    Attributes:
        action: The API action.
        user: The request's UserName; empty where it has none.
        key_id: The request's AccessKeyId; empty where it has none.
        forwarded: Whether the server got it.
        status: The server's own HTTP status; 0 where it did not get the call.
    """

    action: str
    user: str = ""
    key_id: str = ""
    forwarded: bool = False
    status: int = 0


class NewSecret(NamedTuple):
    """A key that the server made, with its secret."""

    key_id: str
    secret: str


@dataclass(slots=True)
class _Order:
    """What is to happen at a call: ``nth`` counts down, then ``times`` does (None: no end)."""

    action: str
    nth: int
    times: int | None
    what: Break | None = None
    when: When = "before"
    call: Callable[[], None] | None = None


@dataclass(slots=True)
class _Reply:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    length: int
    """The Content-Length to claim."""


class _GoneError(Exception):
    """The connection ends here."""


class FaultProxy:
    """An HTTP proxy on loopback; its threads end with the block.

    Attributes:
        url: The endpoint URL to give to the client.
        log: All calls, in the order they came.
        secrets: All keys that the server made through here, with their secrets.
    """

    def __init__(self, upstream_url: str) -> None:
        upstream = urlsplit(upstream_url)
        assert upstream.hostname
        assert upstream.port
        self.upstream = (upstream.hostname, upstream.port)
        self.log: list[Exchange] = []
        self.secrets: list[NewSecret] = []
        self._orders: list[_Order] = []
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []
        self._clients: set[socket.socket] = set()
        self._hanging: set[socket.socket] = set()
        self._errors: list[Exception] = []
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._changed:
            self._closed = True
            clients = list(self._clients)
        self._listener.shutdown(socket.SHUT_RDWR)
        self.release()
        for client in clients:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)
        self._listener.close()
        if self._errors and error is None:
            raise self._errors[0]

    # What is to happen.

    def arrange(self, action: str, what: Break, nth: int = 1, times: int | None = 1) -> None:
        """Break the nth call of an action, counted from now on.

        Args:
            action: The API action, such as ``CreateAccessKey``.
            what: How.
            nth: 1 for the next one.
            times: How many in a row from there; None for all. Reads are tried again by the
                SDK, so that breaking one of them once may go unnoticed.
        """
        with self._changed:
            self._orders.append(_Order(action, nth, times, what))

    def at(self, action: str, nth: int = 1, *, when: When, call: Callable[[], None]) -> None:
        """Run a callable at the nth call of an action, counted from now on.

        It runs in the proxy's thread, ahead of a ``Break`` of the same moment, and the call
        goes on when it returns. What it raises is raised at the end of the block.
        """
        with self._changed:
            self._orders.append(_Order(action, nth, 1, None, when, call))

    def clear(self) -> None:
        """Arrange nothing any more."""
        with self._changed:
            self._orders.clear()

    def release(self) -> None:
        """Let all calls that hang now go on."""
        with self._changed:
            for waker in self._hanging:
                waker.shutdown(socket.SHUT_RDWR)

    # What has happened.

    def count(self, action: str) -> int:
        """Return how many calls of an action have come."""
        with self._changed:
            return sum(seen.action == action for seen in self.log)

    def forwards(self, action: str) -> int:
        """Return how many calls of an action the server got."""
        with self._changed:
            return sum(seen.action == action and seen.forwarded for seen in self.log)

    def wait_for(self, action: str, count: int = 1) -> None:
        """Wait until so many calls of an action have come, counted from the beginning."""
        self._wait(lambda: self.count(action) >= count, f"{count} {action}")

    def wait_hanging(self) -> None:
        """Wait until a call hangs."""
        self._wait(lambda: bool(self._hanging), "a call that hangs")

    def wait_answered(self, action: str) -> None:
        """Wait until the server has answered all calls of an action, whoever hears it."""
        calls = self.log
        answered = lambda: all(seen.status for seen in calls if seen.action == action)  # noqa: E731
        self._wait(answered, f"an answer to each {action}")

    def _wait(self, reached: Callable[[], bool], what: str) -> None:
        with self._changed:
            if not self._changed.wait_for(reached, PATIENCE):
                calls = " ".join(seen.action for seen in self.log)
                raise AssertionError(f"not within {PATIENCE:g} s: {what}; there were: {calls}")

    # The threads.

    def _run(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name="fault-proxy", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, address = self._listener.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._changed:
                if self._closed:
                    client.close()
                    return
                self._clients.add(client)
            self._run(lambda client=client, address=address: self._serve(client, address))  # type: ignore[misc]

    def _serve(self, client: socket.socket, address: tuple[str, int]) -> None:
        with suppress(OSError):
            _Handler(client, address, self)
        with self._changed:
            self._clients.discard(client)
            self._changed.notify_all()
        client.close()

    def _handle(self, handler: "_Handler", body: bytes) -> _Reply:
        """Do what is arranged for one call; return what the client is told."""
        form = parse_qs(body.decode(errors="replace"))
        action, user, key_id = (form.get(name, [""])[0] for name in _NAMES)
        seen = Exchange(action, user, key_id)
        with self._changed:
            self.log.append(seen)
            due = [order for order in self._orders if _is_due(order, seen.action)]
            self._orders = [order for order in self._orders if order.times != 0]
            self._changed.notify_all()
        for when in ("before", "after"):
            after = when == "after"
            if after:
                reply = self._forward(handler, body, seen)
            for order in due:
                if order.call and order.when == when:
                    self._call(order.call)
            for order in due:
                if order.what and order.what.after is after:
                    instead = self._break(order.what, handler, reply if after else None)
                    if instead:
                        return instead
        return reply

    def _call(self, call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:  # noqa: BLE001 - it is raised at the end of the block
            self._errors.append(error)

    def _forward(self, handler: "_Handler", body: bytes, seen: Exchange) -> _Reply:
        seen.forwarded = True
        upstream = HTTPConnection(*self.upstream, timeout=PATIENCE)
        try:
            headers = {**handler.headers, "Connection": "close"}
            upstream.request(handler.command, handler.path, body, headers)
            reply = _read(upstream.getresponse())
        finally:
            upstream.close()
        with self._changed:
            seen.status = reply.status
            self._changed.notify_all()
        if seen.action == "CreateAccessKey" and reply.status == 200:
            self.secrets.append(_new_secret(reply.body))
        return reply

    def _break(self, what: Break, handler: "_Handler", reply: _Reply | None) -> _Reply | None:
        """Break a call; return what the client is told, None for what it would be anyway."""
        match what.kind:
            case Kind.DELAY:
                threading.Event().wait(what.seconds)
                return None
            case Kind.HANG:
                self._hang(handler.connection)
                return None
            case Kind.RESET:
                linger = b"\1\0\0\0\0\0\0\0"  # on, for no time: close() sends RST
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                raise _GoneError
            case Kind.CLOSE:
                raise _GoneError
            case Kind.TRUNCATED | Kind.SHORT:
                assert reply
                half = reply.body[: len(reply.body) // 2]
                whole = what.kind is Kind.TRUNCATED
                return replace(reply, body=half, length=len(reply.body if whole else half))
        return _answer(*_ANSWERS[what.kind])

    def _hang(self, client: socket.socket) -> None:
        """Return when released; end the connection when the client has gone."""
        waker, other = socket.socketpair()
        with waker, other:
            with self._changed:
                self._hanging.add(waker)
                self._changed.notify_all()
                if self._closed:
                    raise _GoneError
            poll = select.poll()
            poll.register(client, select.POLLRDHUP)
            poll.register(other, select.POLLIN)
            woken = {handle for handle, _ in poll.poll()}
            with self._changed:
                self._hanging.discard(waker)
            if client.fileno() in woken:
                raise _GoneError


class _Handler(BaseHTTPRequestHandler):
    """One connection, which may bring several calls."""

    protocol_version = "HTTP/1.1"

    def __init__(self, client: socket.socket, address: tuple[str, int], proxy: FaultProxy) -> None:
        self._proxy = proxy
        super().__init__(client, address, None)  # type: ignore[arg-type]

    def do_POST(self) -> None:
        """Take one call."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            reply = self._proxy._handle(self, body)
        except _GoneError:
            self.close_connection = True
            return
        self.send_response_only(reply.status)
        for name, value in reply.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(reply.length))
        self.end_headers()
        self.wfile.write(reply.body)
        if reply.length != len(reply.body):
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Print nothing."""


def _is_due(order: _Order, action: str) -> bool:
    """Count a call; return whether it is one to break."""
    if order.action != action:
        return False
    if order.nth > 1:
        order.nth -= 1
        return False
    if order.times is not None:
        order.times -= 1
    return True


def _read(response: HTTPResponse) -> _Reply:
    body = response.read()
    headers = [item for item in response.getheaders() if item[0].lower() not in _HOP_BY_HOP]
    return _Reply(response.status, headers, body, len(body))


def _new_secret(body: bytes) -> NewSecret:
    key = ElementTree.fromstring(body).find(".//{*}AccessKey")
    assert key is not None
    key_id, secret = key.findtext("{*}AccessKeyId"), key.findtext("{*}SecretAccessKey")
    assert key_id
    assert secret
    return NewSecret(key_id, secret)


def _answer(status: int, content_type: str, text: str) -> _Reply:
    body = text.encode()
    return _Reply(status, [("Content-Type", content_type)], body, len(body))


def _error(status: int, code: str, message: str) -> tuple[int, str, str]:
    kind = "Sender" if status < 500 else "Receiver"
    return (
        status,
        "text/xml",
        '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">'
        f"<Error><Type>{kind}</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        "<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>",
    )


_ANSWERS = {
    Kind.STATUS_500: _error(500, "ServiceFailure", "The request failed."),
    Kind.STATUS_503: _error(503, "ServiceUnavailable", "Service is unavailable."),
    Kind.STATUS_429: _error(429, "Throttling", "Rate exceeded"),
    Kind.DENIED: _error(403, "AccessDenied", "User is not authorized to perform the action."),
    Kind.PAGE: (200, "text/html", "<html><body><h1>Welcome to the hotel</h1></body></html>"),
}
