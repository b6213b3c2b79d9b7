"""The matrix, outputs: every way in which nobody reads × every way a store fails × every end."""

import fcntl
import os
import signal
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import pytest

from tests.faults.keyrings import BrokenLibrary, Daemon, Library, ServicePool, break_daemon
from tests.faults.play import END_SECONDS, Cell, End
from tests.faults.proxy import Break, Kind
from tests.faults.rotations import complete, rotating, words

LOST = Break(Kind.RESET, after=True)
STORES = (Library.RAISES, Library.RAISES_AFTER, Daemon.KILLED, None)
"""What happens to the keyring between its test and the secret; None for nothing."""

LINE = 100
"""Bytes that the line before the secret is shorter than, and both together are longer."""


class Output(Enum):
    """A standard output that nobody reads."""

    FULL = "/dev/full"
    NOWHERE = "/dev/null"
    CLOSED = ""
    GONE = "a pipe whose reader goes while AWS is asked"


DEAD = (Output.FULL, Output.CLOSED, Output.GONE)
OUTPUTS = pytest.mark.parametrize("output", Output, ids=lambda one: one.name.lower())
DEAD_OUTPUTS = pytest.mark.parametrize("output", DEAD, ids=lambda one: one.name.lower())


@dataclass(frozen=True, slots=True)
class Quiet:
    """A run without a terminal.

    Attributes:
        cell: Where.
        pid: The process ID.
        err: The file that has what it writes to standard error.
    """

    cell: Cell
    pid: int
    err: Path

    def ended(self, how: End | None = None) -> int:
        """Wait until it has ended; return its exit status. That it hangs is a loss."""
        source = self.cell.source
        if not source.ends_within(self.pid, END_SECONDS):
            self.cell.hung.append(how.name if how else "its work was done")
            os.kill(self.pid, signal.SIGKILL)
        status = source.wait_exit(self.pid, self.err.read_text)
        self.cell.written += self.err.read_bytes()
        assert "Traceback" not in self.err.read_text()
        return status


@contextmanager
def nobody(output: Output, folder: Path) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield the path of an output, and what to call once AWS is asked."""
    if output is not Output.GONE:
        yield output.value, lambda: None
        return
    path = folder / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    yield str(path), lambda: os.close(reader)


def start(cell: Cell, argv: list[str], output: str) -> Quiet:
    """Start a run whose standard output is this."""
    err = cell.home / "tmp" / "err"
    err.unlink(missing_ok=True)
    files = [os.devnull, output, str(err)]
    return Quiet(cell, cell.source.fork(argv, cell.env, files, terminal=False), err)


def create(cell: Cell, output: str, *flags: str) -> Quiet:
    """Start a creation that prints the secret."""
    cell.asked += 1
    argv = ["create", "--user", cell.user, "--store", "keyring", "--show-secret", *flags]
    return start(cell, argv, output)


def breaking(cell: Cell, store: Library | Daemon | None, library: BrokenLibrary) -> None:
    """Let the keyring go wrong once AWS has made the key."""
    service = cell.service
    assert service
    if isinstance(store, Library):
        cell.env |= library.env
        cell.proxy.at("CreateAccessKey", when="after", call=lambda: library.set(store))
    elif store:
        cell.proxy.at("CreateAccessKey", when="after", call=lambda: break_daemon(service, store))


def judge(
    cell: Cell,
    request: pytest.FixtureRequest,
    services: ServicePool,
    library: BrokenLibrary,
    *,
    certain: bool = True,
) -> None:
    """Mend everything, start anew, and count what was lost."""
    library.clear()
    cell.mended(services.take())
    cell.proxy.clear()
    if cell.judge(request).status:
        cell.settle(request, certain=certain)


@pytest.mark.parametrize("flags", [(), ("--json",)], ids=["text", "json"])
@pytest.mark.parametrize("store", STORES, ids=lambda one: one.value if one else "works")
@OUTPUTS
def test_secret_that_nobody_reads(
    cell: Cell,
    request: pytest.FixtureRequest,
    services: ServicePool,
    library: BrokenLibrary,
    tmp_path: Path,
    output: Output,
    store: Library | Daemon | None,
    flags: tuple[str, ...],
) -> None:
    breaking(cell, store, library)
    with nobody(output, tmp_path) as (path, let_go):
        cell.proxy.at("CreateAccessKey", when="before", call=let_go)
        run = create(cell, path, *flags)
        assert run.ended() == 1
    assert bool(cell.key_ids()) is (store is None), "it is stored, or its key is deleted again"
    assert "still holds it" not in run.err.read_text()
    judge(cell, request, services, library)


@pytest.mark.whole
@pytest.mark.parametrize("end", [End.KILL, End.HANG_UP, End.TERMINATE], ids=lambda end: end.name)
@DEAD_OUTPUTS
def test_end_while_nobody_reads(
    cell: Cell,
    request: pytest.FixtureRequest,
    services: ServicePool,
    library: BrokenLibrary,
    tmp_path: Path,
    output: Output,
    end: End,
) -> None:
    """The keyring fails, nobody reads, and keytui is told to end: all at once."""
    breaking(cell, Library.RAISES, library)
    runs: list[Quiet] = []
    with nobody(output, tmp_path) as (path, let_go):
        cell.proxy.at("CreateAccessKey", when="before", call=let_go)
        cell.proxy.at("CreateAccessKey", when="after", call=lambda: os.kill(runs[0].pid, end.value))
        runs.append(create(cell, path))
        runs[0].ended(end)
    judge(cell, request, services, library, certain=end is not End.KILL)


@pytest.mark.whole
@pytest.mark.parametrize("end", [End.KILL, End.HANG_UP, End.TERMINATE], ids=lambda end: end.name)
@pytest.mark.parametrize("store", [None, Library.RAISES], ids=["works", "raises"])
def test_pipe_that_is_not_read(
    cell: Cell,
    request: pytest.FixtureRequest,
    services: ServicePool,
    library: BrokenLibrary,
    tmp_path: Path,
    store: Library | None,
    end: End,
) -> None:
    """The reader is there, has taken nothing when the end comes, and never does."""
    breaking(cell, store, library)
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    run = create(cell, str(path))
    while not (_holds_secret(reader, cell) or cell.source.has_ended(run.pid)):
        time.sleep(0.01)
    if not cell.source.has_ended(run.pid):
        os.kill(run.pid, end.value)
    run.ended(end)
    os.close(reader)
    if store is None:
        assert cell.key_ids()
    elif end is not End.KILL:
        assert not cell.key_ids(), "nobody has its secret"
    judge(cell, request, services, library, certain=end is not End.KILL)


@pytest.mark.whole
@DEAD_OUTPUTS
def test_rotation_that_nobody_reads(
    cell: Cell, request: pytest.FixtureRequest, tmp_path: Path, output: Output
) -> None:
    rotating(cell)
    cell.asked += 1
    with nobody(output, tmp_path) as (path, let_go):
        cell.proxy.at("CreateAccessKey", when="before", call=let_go)
        assert start(cell, words(cell), path).ended() in {0, 1}
    complete(cell, request)
    assert len(cell.proxy.secrets) == 1, "one run was enough"


@pytest.mark.whole
@DEAD_OUTPUTS
def test_recovery_that_nobody_reads(
    cell: Cell, request: pytest.FixtureRequest, tmp_path: Path, output: Output
) -> None:
    cell.proxy.arrange("CreateAccessKey", LOST)
    cell.asked += 1
    made = cell.source.run(["create", "--user", cell.user, "--store", "keyring"], cell.env)
    assert made.status == 3
    with nobody(output, tmp_path) as (path, let_go):
        cell.proxy.at("UpdateAccessKey", when="before", call=let_go)
        start(cell, ["recover", "--yes"], path).ended()
    cell.judge(request)
    assert not cell.key_ids()


def _holds_secret(reader: int, cell: Cell) -> bool:
    """Return whether a pipe holds more than the line before the secret."""
    there = int.from_bytes(fcntl.ioctl(reader, termios.FIONREAD, bytes(4)), "little")
    return bool(cell.proxy.secrets) and there > LINE
