"""The bench's side of its server: starts it, sets its manners and asks for its counts."""

import json
import select
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.request import Request, urlopen

from bench.server import CONTROL, Counts, Manners

_FOLDER = Path(__file__).parents[1]
_READY_SECONDS = 60.0
_STOP_SECONDS = 3.0


class Account:
    """An account with so many users, in a process of its own; use it as a context manager.

    Attributes:
        users: How many users it has.
        keys: How many access keys they have together.
        url: Where it answers.
    """

    def __init__(self, users: int, keys_each: int = 2) -> None:
        """Start the process. It ends when this one does, however that ends.

        Raises:
            TimeoutError: It did not get ready.
        """
        self.users, self.keys = users, users * keys_each
        sizes = ["--users", str(users), "--keys-each", str(keys_each)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.server", *sizes],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=_FOLDER,
        )
        self.url = self._announced()

    def set(self, manners: Manners | None = None) -> None:
        """Let it answer in another manner, or as at first, and count anew."""
        self._control(json.dumps(asdict(manners or Manners())).encode())

    def counts(self) -> Counts:
        """Return what it was asked since ``set``."""
        told = json.loads(self._control(None))
        counts = Counts(throttled=told["throttled"])
        counts.served.update(told["served"])
        return counts

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it was started with pipes
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def _announced(self) -> str:
        output = self._process.stdout
        assert output is not None  # noqa: S101 - it was started with a pipe
        ready = select.select([output], [], [], _READY_SECONDS)[0]
        url = output.readline().decode().strip() if ready else ""
        if not url:
            self._process.kill()
            raise TimeoutError(f"The bench's account of {self.users:,} users did not start")
        return url

    def _control(self, body: bytes | None) -> bytes:
        method = "GET" if body is None else "PUT"
        request = Request(self.url + CONTROL, body, method=method)  # noqa: S310 - on loopback
        with urlopen(request, timeout=_READY_SECONDS) as reply:  # noqa: S310
            content: bytes = reply.read()
            return content
