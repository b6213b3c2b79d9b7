"""A loopback server of the IAM and STS query protocol that really pages and can go wrong.

``python -m tests.support.iam_server --users 5000 --page-size 100 --latency-ms 80`` prints
its URL and serves until its standard input ends.
"""

import argparse
import socket
import struct
import sys
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self
from urllib.parse import parse_qsl

from keytui.aws.options import ConnectOptions
from keytui.core.model import KeyStatus, LastUsed, Secret
from tests.support.fake_iam import FakeIam
from tests.support.iam_replies import Replies, failure

_ALWAYS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one reply.

    Attributes:
        works: Whether the request takes effect first.
        reply: The bytes sent in place of the true reply's body; None for the true body.
        status: The HTTP status sent.
        cut: Whether only half of the body is sent (with a Content-Length that fits).
        end: How the connection ends in place of a reply; empty for a reply.
        hang: Whether the reply waits until ``IamServer.release``.
    """

    works: bool = True
    reply: bytes | None = None
    status: int = 200
    cut: bool = False
    end: Literal["", "reset", "close"] = ""
    hang: bool = False


class IamServer:
    """Serves a ``FakeIam`` over HTTP; use it as a context manager.

    Attributes:
        state: The account it serves.
        page_size: The most users in one ListUsers reply, whatever MaxItems asks for.
        key_page_size: The most keys or tags in one reply.
        latency: Seconds that each request takes.
        requests: The actions received, in order.
        sources: The same with the client's port, which tells connections apart.
    """

    def __init__(
        self,
        state: FakeIam,
        *,
        page_size: int = 1000,
        key_page_size: int = 1000,
        latency: float = 0,
    ) -> None:
        self.state = state
        self.page_size = page_size
        self.key_page_size = key_page_size
        self.latency = latency
        self.requests: list[str] = []
        self.sources: list[tuple[str, int]] = []
        self.replies = Replies(self)
        self.released = threading.Event()
        self._faults: dict[str, deque[tuple[Fault, int]]] = {}
        self._lock = threading.Lock()
        self._http = _Server(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def options(self) -> ConnectOptions:
        """How to connect to it with made-up credentials, isolated from the environment."""
        return ConnectOptions(
            endpoint_url=self.url,
            access_key_id=self.state.signing_key_id(),
            secret=Secret("made-up"),
        )

    def fail(
        self, action: str, code: str, status: int = 400, message: str = "", times: int = _ALWAYS
    ) -> None:
        """Refuse an action (without its prefix) with AWS's error code, ``times`` times."""
        reply = failure(code, message or f"Made up for the test: {code}", status)
        self.fault(action, Fault(works=False, reply=reply, status=status), times)

    def fault(self, action: str, fault: Fault, times: int = _ALWAYS) -> None:
        """Let an action's next replies go wrong; later faults follow earlier ones."""
        with self._lock:
            self._faults.setdefault(action, deque()).append((fault, times))

    def mend(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._faults.clear()

    def release(self) -> None:
        """Let the replies that hang go on."""
        self.released.set()

    def received(self) -> Counter[str]:
        """Return how many requests of each action came."""
        with self._lock:
            return Counter(self.requests)

    def next_fault(self, action: str, source: int) -> Fault:
        """Log a request and return what goes wrong with it."""
        with self._lock:
            self.requests.append(action)
            self.sources.append((action, source))
            queue = self._faults.get(action)
            if not queue:
                return Fault()
            fault, left = queue.popleft()
            if left > 1:
                queue.appendleft((fault, left - 1))
            return fault

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    block_on_close = False

    def __init__(self, owner: IamServer) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that gave up is part of the tests."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_POST(self) -> None:
        owner = self.server.owner
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parameters = dict(parse_qsl(body.decode(), keep_blank_values=True))
        parameters["Signer"] = _signer(self.headers.get("Authorization", ""))
        fault = owner.next_fault(parameters.get("Action", ""), self.client_address[1])
        if owner.latency:
            time.sleep(owner.latency)
        status, reply = fault.status, b""
        if fault.works:
            status, reply = owner.replies.answer(parameters)
        if fault.reply is not None or fault.status != 200:
            status, reply = fault.status, fault.reply or b""
        if fault.hang:
            owner.released.wait()
        if fault.end:
            self._break_off(reset=fault.end == "reset")
            return
        self._send(status, reply[: len(reply) // 2] if fault.cut else reply)

    def _send(self, status: int, reply: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)
        self.wfile.flush()

    def _break_off(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def _signer(authorization: str) -> str:
    """Return the access key ID in a header such as ``AWS4-HMAC-SHA256 Credential=AKIA…/…``."""
    return authorization.partition("Credential=")[2].partition("/")[0]


def populate(state: FakeIam, count: int, now: datetime) -> None:
    """Fill an account with the demo's people, ``count`` users with the caller."""
    from keytui.aws.demo.people import people

    for person in people(count):
        if person.name == "admin":
            continue
        user = state.add_user(person.name, now - person.age)
        for key in person.keys:
            used = key.used and LastUsed(now - key.used, key.service, key.region)
            state.add_key(
                user,
                key.id,
                status=KeyStatus(key.status),
                created=now - key.age,
                last_used=used or None,
                description=key.description,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--users", type=int, default=12)
    parser.add_argument("--page-size", type=int, default=1000)
    parser.add_argument("--latency-ms", type=float, default=0)
    chosen = parser.parse_args()
    state = FakeIam()
    populate(state, chosen.users, datetime.now(UTC))
    with IamServer(state, page_size=chosen.page_size, latency=chosen.latency_ms / 1000) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
