"""Standard streams that are closed, full or read by nobody; real descriptors behind them."""

import fcntl
import io
import os
import resource
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import pytest

from keytui.cli import streams
from keytui.cli.streams import deliver, failed, read_text, write
from keytui.core.errors import UsageError
from tests.support.sentinel import SENTINEL

LINE = f"Secret access key: {SENTINEL}\n"
PATIENCE = 10.0


def never() -> bool:
    return False


@pytest.fixture
def printing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], TextIO]]:
    """Let standard output be a file descriptor, until the test ends."""
    opened: list[TextIO] = []

    def to(number: int) -> TextIO:
        stream = open(number, "w", encoding="utf-8")  # noqa: SIM115
        opened.append(stream)
        monkeypatch.setattr(sys, "stdout", stream)
        return stream

    yield to
    for stream in opened:
        stream.close()


@pytest.fixture
def pipe(printing: Callable[[int], TextIO]) -> Iterator[Callable[[], int]]:
    """Let standard output be a pipe; return the descriptor of its other end."""
    ends = os.pipe()

    def to_pipe() -> int:
        printing(ends[1])
        return ends[0]

    yield to_pipe
    with suppress(OSError):  # The test may have closed it.
        os.close(ends[0])


def unread(number: int) -> int:
    return int.from_bytes(fcntl.ioctl(number, termios.FIONREAD, bytes(4)), sys.byteorder)


def once_written(reader: int, act: Callable[[], None]) -> threading.Thread:
    """Do something as soon as there is something to read."""

    def wait() -> None:
        until = time.monotonic() + PATIENCE
        while not unread(reader) and time.monotonic() < until:
            time.sleep(0.005)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def test_secret_in_a_pipe_counts_once_it_is_read(pipe: Callable[[], int]) -> None:
    reader = pipe()
    got: list[bytes] = []
    thread = once_written(reader, lambda: got.append(os.read(reader, 4096)))
    assert deliver(LINE, never, until_read=True)
    thread.join()
    assert got == [LINE.encode()]


def test_secret_whose_reader_goes_unread_does_not_count(pipe: Callable[[], int]) -> None:
    reader = pipe()
    thread = once_written(reader, lambda: os.close(reader))
    assert not deliver(LINE, never, until_read=True)
    thread.join()


def test_secret_that_nobody_reads_is_waited_for_until_the_end(
    pipe: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = pipe()
    assert not deliver(LINE, lambda: True, until_read=True)
    monkeypatch.setattr(streams, "_READ_SECONDS", 0.2)
    assert not deliver(LINE, never, until_read=True)
    assert deliver(LINE, never, until_read=False), "where it is stored, too, nobody waits"
    assert os.read(reader, 4096) == LINE.encode() * 3


def test_pipe_that_is_full_is_waited_for_until_the_end(pipe: Callable[[], int]) -> None:
    reader = pipe()
    number = sys.stdout.fileno()
    os.set_blocking(number, False)
    try:
        while os.write(number, bytes(4096)):
            pass
    except BlockingIOError:
        os.set_blocking(number, True)
    assert not deliver(LINE, lambda: True, until_read=False)
    assert unread(reader) % 4096 == 0, "nothing of the secret is in it"


def test_secret_that_is_written_in_part_does_not_count(
    tmp_path: Path, printing: Callable[[int], TextIO]
) -> None:
    path = tmp_path / "out"
    printing(os.open(path, os.O_WRONLY | os.O_CREAT))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(LINE) - 10, hard))
    try:
        assert not deliver(LINE, never, until_read=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not deliver(LINE, never, until_read=True), "nor once it has failed"
    assert len(path.read_text()) == len(LINE) - 10


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero", "/dev/full"])
def test_device_that_keeps_nothing_does_not_count(
    device: str, printing: Callable[[int], TextIO]
) -> None:
    printing(os.open(device, os.O_WRONLY))
    assert not deliver(LINE, never, until_read=False)


def test_secret_in_a_file_counts(tmp_path: Path, printing: Callable[[int], TextIO]) -> None:
    printing(os.open(tmp_path / "out", os.O_WRONLY | os.O_CREAT))
    assert deliver(LINE, never, until_read=True)
    assert (tmp_path / "out").read_text() == LINE


def test_full_disk_is_reported_once(
    printing: Callable[[int], TextIO], capsys: pytest.CaptureFixture[str]
) -> None:
    printing(os.open("/dev/full", os.O_WRONLY))
    assert not write("a\n", sys.stdout)
    assert not write("b\n", sys.stdout)
    assert failed()
    assert capsys.readouterr().err == (
        "keytui: Standard output can't be written: No space left on device. The work continues.\n"
    )


def test_reader_that_has_gone_is_no_failure(
    pipe: Callable[[], int], capsys: pytest.CaptureFixture[str]
) -> None:
    reader = pipe()
    os.close(reader)
    assert not write("a\n", sys.stdout)
    assert not failed()
    assert capsys.readouterr().err == ""


def test_what_an_encoding_lacks_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    assert write("café…\n", sys.stdout)
    assert raw.getvalue() == b"caf\\xe9\\u2026\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_number_is_given_to_no_other_file(closed: str, tmp_path: Path) -> None:
    """What is opened next must not stand where standard output is expected."""
    out = tmp_path / "numbers"
    code = (
        "import os, sys\n"
        "from keytui.cli.streams import secure, write\n"
        "secure()\n"
        "with open(sys.argv[1], 'w') as file:\n"
        "    file.write(str(file.fileno() > 2 and sys.stdin.read() == ''))\n"
        "    write('printed', sys.stdout), write('complained', sys.stderr)\n"
    )
    shell = ["bash", "-c", f'"$@" {closed}', "bash", sys.executable, "-c", code, str(out)]
    done = subprocess.run(shell, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert (done.returncode, out.read_text()) == (0, "True")


def test_input_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "in").open("w") as unreadable:
        monkeypatch.setattr(sys, "stdin", unreadable)
        with pytest.raises(UsageError, match=r"Standard input can't be read\. Nothing was changed"):
            read_text()


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"\xff\x00PK", "Standard input is not text."), (b"x" * 1_000_001, "longer than 1 MB")],
)
def test_input_that_is_no_text_is_refused(
    data: bytes, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "in"
    path.write_bytes(data)
    with path.open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        with pytest.raises(UsageError, match=said):
            read_text()


def test_input_without_end_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path("/dev/zero").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        with pytest.raises(UsageError, match="longer than 1 MB"):
            read_text()


def test_what_follows_a_text_answers_no_question(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").write_text("café\n")
    with (tmp_path / "in").open() as file:
        monkeypatch.setattr(sys, "stdin", file)
        assert read_text() == "café\n"
        with (tmp_path / "in").open("a") as more:
            more.write("y\n")
        assert sys.stdin.readline() == ""
        assert not sys.stdin.isatty()
