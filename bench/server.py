"""A server of IAM's and STS's query protocol that is fast, pages, delays and throttles.

``python -m bench.server --users 5000`` prints its URL and serves until its standard input
ends. How it serves is told and asked for at ``/bench``: GET returns the calls so far, PUT
takes ``Manners`` as JSON and begins to count anew.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import formatdate
from typing import Any, cast
from urllib.parse import parse_qsl

from bench.made_up import MadeUpAccount, utc_now
from bench.replies import Replies, failure

CONTROL = "/bench"
_HEAD_END = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Manners:
    """How the account answers.

    Attributes:
        latency: Seconds that each call takes; calls do not wait for each other.
        limit: How many calls of IAM a second are served; 0 for any number.
        burst: How many may come at once before the limit is felt.
        report: Whether the credential report is allowed.
        report_age: The hours since it was made; None for one that was never made.
    """

    latency: float = 0.0
    limit: float = 0.0
    burst: int = 1
    report: bool = True
    report_age: float | None = None


@dataclass(slots=True)
class Counts:
    """What was asked since the manners were set.

    Attributes:
        served: Action → calls answered.
        throttled: Calls refused because there were too many.
    """

    served: Counter[str] = field(default_factory=Counter)
    throttled: int = 0


class Service:
    """The account with its manners and counts; used by one thread."""

    def __init__(self, account: MadeUpAccount) -> None:
        self.manners = Manners()
        self.counts = Counts()
        self._replies = Replies(account)
        self._tokens = 0.0
        self._filled = 0.0

    def set(self, manners: Manners) -> None:
        """Take on other manners and begin to count anew."""
        self.manners, self.counts = manners, Counts()
        self._tokens, self._filled = float(manners.burst), time.monotonic()
        hours = manners.report_age
        made = None if hours is None else utc_now() - timedelta(hours=hours)
        self._replies.set_report(allowed=manners.report, made=made)

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """Return the reply to a call."""
        parameters = dict(parse_qsl(body.decode(), keep_blank_values=True))
        action = parameters.get("Action", "")
        if action != "GetCallerIdentity" and not self._may_pass():
            self.counts.throttled += 1
            return 400, failure("Throttling")
        self.counts.served[action] += 1
        return self._replies.answer(parameters)

    def _may_pass(self) -> bool:
        """Take a token from the bucket, where there is one."""
        if not self.manners.limit:
            return True
        now = time.monotonic()
        gained = (now - self._filled) * self.manners.limit
        self._tokens = min(self._tokens + gained, self.manners.burst)
        self._filled = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class _Connection(asyncio.Protocol):
    """One kept-alive connection."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(_HEAD_END)) >= 0:
            head, rest = self._held[:end], self._held[end + len(_HEAD_END) :]
            length = _length(head)
            if len(rest) < length:
                return
            self._held = rest[length:]
            self._serve(head, rest[:length])

    def _serve(self, head: bytes, body: bytes) -> None:
        method, path = head.split(b" ", 2)[:2]
        if path == CONTROL.encode():
            if method == b"PUT":
                self._service.set(Manners(**json.loads(body)))
            told = self._service.counts
            counts = json.dumps({"served": told.served, "throttled": told.throttled}).encode()
            self._send(200, counts, "application/json")
            return
        status, reply = self._service.answer(body)
        if latency := self._service.manners.latency:
            asyncio.get_running_loop().call_later(latency, self._send, status, reply)
        else:
            self._send(status, reply)

    def _send(self, status: int, reply: bytes, kind: str = "text/xml") -> None:
        head = (
            f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nDate: {formatdate(usegmt=True)}\r\n"
            f"Content-Length: {len(reply)}\r\n\r\n"
        )
        self._transport.writelines([head.encode(), reply])


def _length(head: bytes) -> int:
    """Return how many bytes follow a request's head."""
    for line in head.split(b"\r\n"):
        if line.lower().startswith(_LENGTH):
            return int(line[len(_LENGTH) :])
    return 0


async def _serve(service: Service) -> None:
    loop: Any = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(service), "127.0.0.1", 0, backlog=128)
    sys.stdout.write(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


def main() -> None:
    """Serve an account."""
    parser = argparse.ArgumentParser(prog="python -m bench.server", description=__doc__)
    parser.add_argument("--users", type=int, default=12)
    parser.add_argument("--keys-each", type=int, default=2)
    chosen = parser.parse_args()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(_serve(Service(MadeUpAccount(chosen.users, chosen.keys_each, utc_now()))))


if __name__ == "__main__":
    main()
