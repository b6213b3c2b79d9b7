"""Who works on a creation: one process at a time, and a killed one no longer."""

import fcntl
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keytui.journal.locks import Claims
from tests.support.gates import WRITABLE

ATTEMPT = "0123456789abcdef"
HOLDER = """
import sys
from pathlib import Path
from keytui.journal.locks import Claims
from keytui.core.gate import Gate
claims = Claims(Path(sys.argv[1]), Gate(False))
print(claims.take(sys.argv[2]), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "keytui"


@contextmanager
def held_elsewhere(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Let another process hold the claim."""
    command = [sys.executable, "-c", HOLDER, str(folder), ATTEMPT]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with holder:
        assert holder.stdout
        assert holder.stdout.readline() == "True\n"
        yield holder
        holder.kill()


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_claim_is_taken_once(folder: Path) -> None:
    one, other = Claims(folder, WRITABLE), Claims(folder, WRITABLE)

    assert one.take(ATTEMPT)
    assert not one.take(ATTEMPT)
    assert not other.take(ATTEMPT)
    assert other.take("fedcba")


def test_claim_given_back_is_free_and_leaves_no_file(folder: Path) -> None:
    one, other = Claims(folder, WRITABLE), Claims(folder, WRITABLE)
    one.take(ATTEMPT)

    one.drop(ATTEMPT)

    assert list(folder.iterdir()) == []
    assert other.take(ATTEMPT)


def test_only_its_holder_gives_it_back(folder: Path) -> None:
    one, other = Claims(folder, WRITABLE), Claims(folder, WRITABLE)
    one.take(ATTEMPT)

    other.drop(ATTEMPT)

    assert not other.take(ATTEMPT)


def test_giving_back_what_was_never_taken(folder: Path) -> None:
    Claims(folder, WRITABLE).drop(ATTEMPT)
    Claims(folder, WRITABLE).drop("")

    assert not folder.exists()


def test_process_that_lives_keeps_it_and_a_killed_one_does_not(folder: Path) -> None:
    claims = Claims(folder, WRITABLE)
    with held_elsewhere(folder) as holder:
        assert not claims.take(ATTEMPT)

        holder.kill()
        holder.wait()

        assert claims.take(ATTEMPT)
        claims.drop(ATTEMPT)
    assert list(folder.iterdir()) == []


def test_children_of_a_killed_process_do_not_keep_it(folder: Path) -> None:
    """The one that works the keyring may live longer."""
    parent = """
import subprocess, sys
from pathlib import Path
from keytui.journal.locks import Claims
from keytui.core.gate import Gate
assert Claims(Path(sys.argv[1]), Gate(False)).take(sys.argv[2])
child = subprocess.Popen(["sleep", "60"], close_fds=False, stdout=subprocess.DEVNULL)
print(child.pid, flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-c", parent, str(folder), ATTEMPT]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        child = int(holder.stdout.readline())
        holder.kill()
        holder.wait()
        try:
            assert Claims(folder, WRITABLE).take(ATTEMPT)
        finally:
            os.kill(child, signal.SIGKILL)


def test_claim_given_back_holds_no_file_open(folder: Path) -> None:
    claims = Claims(folder, WRITABLE)
    before = open_files()

    claims.take(ATTEMPT)
    claims.drop(ATTEMPT)

    assert open_files() == before


def test_it_is_for_its_owner_alone(folder: Path) -> None:
    before = os.umask(0)
    try:
        Claims(folder, WRITABLE).take(ATTEMPT)
    finally:
        os.umask(before)

    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    "attempt", ["", ".", "..", "../x", "/tmp/x", "a/b", "ABC", "a b", "a\n", "a" * 65, "å"]
)
def test_what_is_no_attempt_makes_no_file(folder: Path, attempt: str) -> None:
    assert not Claims(folder, WRITABLE).take(attempt)
    assert not folder.exists()


def test_it_is_not_taken_through_a_symbolic_link(folder: Path, tmp_path: Path) -> None:
    folder.mkdir(parents=True)
    (folder / f"{ATTEMPT}.lock").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(OSError, match="symbolic link"):
        Claims(folder, WRITABLE).take(ATTEMPT)
    assert not (tmp_path / "elsewhere").exists()


def test_folder_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file is in the way")

    with pytest.raises(OSError, match="state"):
        Claims(tmp_path / "state", WRITABLE).take(ATTEMPT)


def test_file_that_its_holder_removes_meanwhile_is_no_claim(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Locking a file that has no name any more would keep nobody out."""
    first, second, third = (
        Claims(folder, WRITABLE),
        Claims(folder, WRITABLE),
        Claims(folder, WRITABLE),
    )
    first.take(ATTEMPT)
    lock = fcntl.flock

    def late(handle: int, how: int) -> None:
        monkeypatch.undo()
        first.drop(ATTEMPT)
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)

    taken = [second.take(ATTEMPT), third.take(ATTEMPT)]

    assert taken == [False, True]
