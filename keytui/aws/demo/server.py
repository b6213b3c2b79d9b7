"""The demo account: a made-up AWS on this machine, in a process that ends with keytui.

keytui's side, ``DemoServer``, needs neither the AWS SDK nor moto. The process is this file run
as a program: it serves ``keytui.aws.demo.account``.
"""

import argparse
import contextlib
import json
import logging
import os
import select
import subprocess
import sys
from datetime import datetime
from threading import Lock, Thread
from types import TracebackType
from typing import Self

from keytui.aws.demo.people import DEMO_KEY_ID, DEMO_SECRET, people
from keytui.aws.options import ConnectOptions
from keytui.core.errors import KeytuiError
from keytui.core.model import Secret

_STOP_SECONDS = 3


class DemoServer:
    """The demo account's process.

    It is started by the constructor, which does not wait, so that it gets ready while the
    rest of keytui starts. It ends when this process does, however that ends: its standard
    input reaches its end.
    """

    def __init__(self, users: int = 12, now: datetime | None = None) -> None:
        """Start the process.

        Args:
            users: How many users the account has, 1 or more.
            now: The account's clock, aware, standing still; with it the account and all that
                it makes later are the same in each run. None for the real time.
        """
        command = [sys.executable, "-P", "-m", "keytui.aws.demo.server", "--users", str(users)]
        if now is not None:
            command += ["--now", now.isoformat()]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            # A hang-up or Ctrl+C is keytui's to handle, while the account is still there.
            start_new_session=True,
        )
        self._announced: dict[str, str] = {}
        self._listening = Lock()

    @property
    def pid(self) -> int:
        """The process's ID."""
        return self._process.pid

    def wait_ready(self, timeout: float = 10) -> ConnectOptions:
        """Wait until the account answers and return how to reach it; any thread, any time.

        Args:
            timeout: Seconds; once the account has answered, nothing is waited for.

        Raises:
            KeytuiError: moto is not installed, or the account did not start in time.
        """
        with self._listening:  # It tells where it is once.
            self._announced = self._announced or self._announcement(timeout)
        url = self._announced.get("url")
        if url is None:
            self.stop()
            raise KeytuiError(
                "The demo account needs moto, which is not installed.",
                "Nothing was changed.",
                "Install it with: pip install 'keytui[demo]'.",
            )
        return ConnectOptions(
            region="us-east-1",
            endpoint_url=url,
            access_key_id=DEMO_KEY_ID,
            secret=Secret(DEMO_SECRET),
        )

    def stop(self) -> None:
        """End the process; returns when it is gone."""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _announcement(self, timeout: float) -> dict[str, str]:
        output = self._process.stdout
        assert output is not None  # noqa: S101 - it was started with a pipe
        line = b""
        if select.select([output], [], [], timeout)[0]:
            line = output.readline()
        try:
            announced: dict[str, str] = json.loads(line)
        except ValueError:
            announced = {}
        if "url" not in announced and "missing" not in announced:
            self.stop()
            raise KeytuiError(
                "The demo account did not start.",
                "Nothing was changed.",
                "Run python -m keytui.aws.demo.server to see what it says.",
            )
        return announced


def _environment() -> dict[str, str]:
    """Return this environment without what would steer the SDK or moto in the process."""
    foreign = ("AWS_", "MOTO_", "INITIAL_NO_AUTH")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(foreign) and not name.lower().endswith("_proxy")
    }


def _run() -> None:
    """Serve an account until standard input ends; announce its URL as a line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m keytui.aws.demo.server", description=__doc__)
    parser.add_argument("--users", type=int, default=12, help="how many users, 1 or more")
    parser.add_argument(
        "--now",
        type=datetime.fromisoformat,
        help="the account's clock, standing still (default: the real time)",
    )
    options = parser.parse_args()
    parent = Thread(target=_end_with_parent, daemon=True)
    parent.start()
    logging.disable(logging.CRITICAL)
    try:
        from keytui.aws.demo.account import serve

        announced = {"url": serve(people(options.users), options.now)}
    except ModuleNotFoundError as error:
        announced = {"missing": error.name or "moto"}
    sys.stdout.write(json.dumps(announced) + "\n")
    sys.stdout.flush()
    if "url" not in announced:
        sys.exit(1)
    parent.join()


def _end_with_parent() -> None:
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    _run()
