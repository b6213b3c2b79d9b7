"""A process of the same user that opens the standard streams of every new process.

``python -m tests.support.eavesdropper TEXT FILE``: writes ``watching`` to the file, then each
stream (``PID/fd/0``) in which the text was found. Root's powers would open everything, so both
sides run without them.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.secret_service import wait_until

POWERLESS: list[str] = (
    [] if os.geteuid() else ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"]
)
"""Makes a command of root's as powerless as any user's."""


WATCHING = "watching\n"
"""What the file begins with."""


@contextmanager
def eavesdropper(text: str, found: Path) -> Iterator[None]:
    """Let a process of the same user read whatever streams it can open.

    Args:
        text: What is looked for.
        found: The file that it writes.
    """
    command = [*POWERLESS, sys.executable, "-m", "tests.support.eavesdropper", text, str(found)]
    spy = subprocess.Popen(command, cwd=Path(__file__).parents[2])
    try:
        wait_until(lambda: found.exists() and found.read_text() == WATCHING, "it watches")
        yield
    finally:
        spy.kill()
        spy.wait()


def _watch(text: bytes, found: Path) -> None:
    """Open, read, and begin again, until killed."""
    known = {name for name in os.listdir("/proc") if name.isdigit()}  # noqa: PTH208
    held: dict[Path, int] = {}
    found.write_text(WATCHING)
    while True:
        for pid in os.listdir("/proc"):  # noqa: PTH208
            if not pid.isdigit() or pid in known:
                continue
            for number in (0, 1):
                with suppress(OSError):
                    stream = Path(f"/proc/{pid}/fd/{number}")
                    if stream not in held and not str(stream.readlink()).startswith("/dev/"):
                        stream.chmod(0o600)  # The pipe is this user's.
                        held[stream] = os.open(stream, os.O_RDONLY | os.O_NONBLOCK)
        for stream, handle in held.items():
            with suppress(OSError):
                if text in os.read(handle, 1_000_000):
                    with found.open("a") as file:
                        file.write(f"{stream}\n")


if __name__ == "__main__":
    _watch(sys.argv[1].encode(), Path(sys.argv[2]))
