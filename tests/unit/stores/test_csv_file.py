"""The CSV file: what is on the disk, what is never touched, and what the real aws reads."""

import configparser
import errno
import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from keytui.core import new_files
from keytui.core.errors import NotStoredError, StoreError
from keytui.core.model import ROOT_ACCOUNT, ROOT_USER, Secret, User
from keytui.stores.csv_file import CsvFile, default_path, expand
from tests.support.gates import WRITABLE
from tests.support.modes import umask
from tests.support.sentinel import KEY_ID, SENTINEL, files_that_hold, full_text, new_key

NOBODY = 65534
PATIENCE = 60.0
"""Seconds that the real aws may take."""


@pytest.fixture(params=["nameless", "named"])
def path(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A free path; on a system with and without files that have no name while written."""
    if request.param == "named":
        monkeypatch.setattr(new_files, "_NAMELESS", 0)
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder / "alice_accessKeys.csv"


def refuse_put(path: Path, reason: str) -> StoreError:
    """Return the error of a put that must leave the secret nowhere."""
    with pytest.raises(StoreError) as caught:
        CsvFile(path, WRITABLE).put(new_key())
    error = caught.value
    assert reason in error.title
    assert "Nothing was written" in error.safe
    assert error.next_step
    assert SENTINEL not in full_text(error)
    return error


# What is on the disk


def test_user_s_file_holds_the_columns_aws_imports(path: Path) -> None:
    receipt = CsvFile(path, WRITABLE).put(new_key())

    assert path.read_bytes() == (
        f"User Name,Access key ID,Secret access key\nalice,{KEY_ID},{SENTINEL}\n".encode()
    )
    assert (receipt.store, receipt.where) == ("csv", str(path))


def test_root_user_s_file_has_the_console_s_two_lines(tmp_path: Path) -> None:
    CsvFile(tmp_path / "rootkey.csv", WRITABLE).put(new_key(ROOT_ACCOUNT))

    assert (tmp_path / "rootkey.csv").read_text() == (
        f"AWSAccessKeyId={KEY_ID}\nAWSSecretKey={SENTINEL}\n"
    )


@pytest.mark.parametrize("mask", [0, 0o022, 0o777])
def test_file_is_the_owner_s_alone_whatever_the_umask(path: Path, mask: int) -> None:
    with umask(mask):
        CsvFile(path, WRITABLE).put(new_key())

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_nlink == 1


def test_mode_is_0600_from_the_moment_the_file_is_there(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes = []

    def opened(name: str, flags: int, *args: int, real=os.open, **dir_fd: int) -> int:  # type: ignore[no-untyped-def]
        fd = int(real(name, flags, *args, **dir_fd))
        if flags & os.O_CREAT or flags & os.O_TMPFILE == os.O_TMPFILE:
            modes.append(stat.S_IMODE(os.fstat(fd).st_mode))
        return fd

    def written(fd: int, data: bytes, real=os.write) -> int:  # type: ignore[no-untyped-def]
        modes.append(stat.S_IMODE(os.fstat(fd).st_mode))
        return int(real(fd, data[:7]))

    monkeypatch.setattr(os, "open", opened)
    monkeypatch.setattr(os, "write", written)
    with umask(0):
        CsvFile(path, WRITABLE).put(new_key())

    assert set(modes) == {0o600}
    assert SENTINEL in path.read_text(), "short writes are continued"


def test_final_name_never_holds_half_a_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []

    def watched(fd: int, data: bytes, real=os.write) -> int:  # type: ignore[no-untyped-def]
        seen.append(path.exists())
        return int(real(fd, data[:1]))

    monkeypatch.setattr(os, "write", watched)
    CsvFile(path, WRITABLE).put(new_key())

    assert set(seen) == {False}
    assert path.exists()


def test_only_the_asked_for_file_is_left(path: Path) -> None:
    store = CsvFile(path, WRITABLE)
    assert store.probe().writable
    store.put(new_key())

    assert list(path.parent.iterdir()) == [path]


def test_file_system_without_hard_links_is_served_too(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*args: object, **options: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "link", unsupported)
    CsvFile(path, WRITABLE).put(new_key())

    assert SENTINEL in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("links", [True, False])
def test_full_disk_leaves_nothing(path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    writes = []

    def full(fd: int, data: bytes, real=os.write) -> int:  # type: ignore[no-untyped-def]
        writes.append(fd)
        # Without links the second file, under the final name, is the one that fails.
        if len(writes) == (2 if links else 3):
            raise OSError(errno.ENOSPC, "full")
        return int(real(fd, data[: None if not links and len(writes) == 1 else 60]))

    def unsupported(*args: object, **options: object) -> None:
        raise OSError(errno.EPERM, "no hard links here")

    monkeypatch.setattr(os, "write", full)
    if not links:
        monkeypatch.setattr(os, "link", unsupported)

    refuse_put(path, "is full")
    assert list(path.parent.iterdir()) == []


def test_real_limit_on_file_size_leaves_nothing(path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20, before[1]))
    try:
        probe = CsvFile(path, WRITABLE).probe()
        refuse_put(path, "file size limit")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert not probe.writable
    assert "file size limit" in probe.reason
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("call", ["fsync", "fchmod", "link", "fstat"])
def test_failing_disk_leaves_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def broken(*args: object, **options: object) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(os, call, broken)
    refuse_put(path, "Input/output error")
    monkeypatch.undo()

    assert files_that_hold(SENTINEL, path.parent) == []


def test_file_that_reads_back_otherwise_is_removed(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def otherwise(*args: object) -> bytes:
        return b"something else"

    monkeypatch.setattr(new_files, "_read_back", otherwise)

    refuse_put(path, "reads back differently")
    assert list(path.parent.iterdir()) == []


def test_file_system_without_modes_gets_no_byte(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_to_all(fd: int, mode: int, real=os.fchmod) -> None:  # type: ignore[no-untyped-def]
        real(fd, 0o666)
        raise PermissionError(errno.EPERM, "no modes here")

    writes = []

    def watched(fd: int, data: bytes) -> int:
        writes.append(fd)
        return len(data)

    monkeypatch.setattr(os, "fchmod", open_to_all)
    monkeypatch.setattr(os, "write", watched)

    assert "other users' eyes" in CsvFile(path, WRITABLE).probe().reason
    refuse_put(path, "other users' eyes")
    assert writes == []
    assert list(path.parent.iterdir()) == []


DIE = """
import os, pathlib, signal, sys
from keytui.core.gate import Gate
from keytui.core import new_files
from keytui.core.model import Secret
if sys.argv[2] == "named":
    new_files._NAMELESS = 0
def die(fd, data, real=os.write):
    real(fd, data[:-1])
    os.kill(os.getpid(), signal.SIGKILL)
os.write = die
new_files.create(pathlib.Path(sys.argv[1]), Secret(sys.stdin.read()), Gate(False))
"""


@pytest.mark.parametrize("kind", ["nameless", "named"])
def test_kill_during_a_write_leaves_nothing_of_a_nameless_file(tmp_path: Path, kind: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DIE, str(tmp_path / "key.csv"), kind],
        cwd=Path(__file__).parents[3],
        input=SENTINEL + "\n",
        text=True,
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == -signal.SIGKILL
    left = files_that_hold(SENTINEL, tmp_path)
    assert len(left) == (0 if kind == "nameless" else 1)
    assert all(file.name.startswith(".keytui-") for file in left), "never the final name"
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in left)


def test_hardened_unprivileged_process_makes_nameless_files() -> None:
    """Such a process can't open what is below its own folder in /proc; a link is enough."""
    code = (
        "import os, pathlib, sys\n"
        "from keytui.core.gate import Gate\n"
        "from keytui.core.hardening import harden_process\n"
        "from keytui.core.model import Secret\n"
        "from keytui.core import new_files\n"
        "harden_process()\n"
        "os.geteuid() or os.setresuid(65534, 65534, 65534)\n"
        "harden_process()\n"
        "def never(*args):\n    sys.exit('a file with a name')\n"
        "new_files._write_new = never\n"
        "new_files.create(pathlib.Path(sys.argv[1]), Secret('x'), Gate(False))\n"
    )
    with tempfile.TemporaryDirectory(prefix="keytui-") as folder:
        Path(folder).chmod(0o777)
        path = Path(folder) / "key.csv"
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)],
            cwd=Path(__file__).parents[3],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert path.read_text() == "x"


@pytest.mark.parametrize("number", [errno.EOPNOTSUPP, errno.EISDIR])
def test_file_system_without_nameless_files_is_served_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    refused = []

    def opened(name: str, flags: int, *args: int, real=os.open, **dir_fd: int) -> int:  # type: ignore[no-untyped-def]
        if flags & os.O_TMPFILE == os.O_TMPFILE:
            refused.append(name)
            raise OSError(number, "none here")
        return int(real(name, flags, *args, **dir_fd))

    monkeypatch.setattr(os, "open", opened)
    CsvFile(tmp_path / "key.csv", WRITABLE).put(new_key())

    assert refused
    assert SENTINEL in (tmp_path / "key.csv").read_text()
    assert len(list(tmp_path.iterdir())) == 1


def test_real_full_disk_leaves_nothing(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("needs root, to mount a small disk")
    with small_disk(tmp_path / "disk") as disk:
        filler = disk / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        probe = CsvFile(disk / "key.csv", WRITABLE).probe()
        refuse_put(disk / "key.csv", "is full")
        left = list(disk.iterdir())
        filler.unlink()
        CsvFile(disk / "key.csv", WRITABLE).put(new_key())

    assert "is full" in probe.reason
    assert left == [filler]


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    subprocess.run(mount, check=True, timeout=PATIENCE)
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True, timeout=PATIENCE)


# What is never replaced, followed or removed


def test_existing_file_is_left_as_it_is(path: Path) -> None:
    path.write_text("mine")

    probe = CsvFile(path, WRITABLE).probe()

    assert not probe.writable
    assert "There is a file" in probe.reason
    refuse_put(path, "There is a file")
    assert path.read_text() == "mine"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("dangling", [True, False])
def test_symbolic_link_is_not_followed(path: Path, tmp_path: Path, dangling: bool) -> None:
    target = tmp_path / "target"
    if not dangling:
        target.write_text("theirs")
    path.symlink_to(target)

    assert "symbolic link" in CsvFile(path, WRITABLE).probe().reason
    refuse_put(path, "symbolic link")
    with pytest.raises(StoreError, match="symbolic link"):
        CsvFile(path, WRITABLE).get(KEY_ID)
    assert path.is_symlink()
    assert target.exists() is not dangling
    assert dangling or target.read_text() == "theirs"


@pytest.mark.parametrize("kind", ["file", "dangling link", "folder"])
@pytest.mark.parametrize("links", [True, False])
def test_path_taken_between_check_and_write_is_not_replaced(
    path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, links: bool
) -> None:
    def too_late(*args: object, real=os.link, **options: object) -> None:  # type: ignore[no-untyped-def]
        if kind == "file":
            path.write_text("mine")
        elif kind == "folder":
            path.mkdir()
        else:
            path.symlink_to(path.parent / "target")
        if not links:
            raise OSError(errno.EPERM, "no hard links here")
        real(*args, **options)

    monkeypatch.setattr(os, "link", too_late)

    refuse_put(path, str(path))
    assert list(path.parent.iterdir()) == [path]
    assert kind != "file" or path.read_text() == "mine"
    assert not (path.parent / "target").exists()


@pytest.mark.parametrize("kind", ["fifo", "socket", "device", "hard link"])
def test_what_is_no_plain_file_is_left_as_it_is(path: Path, tmp_path: Path, kind: str) -> None:
    other = tmp_path / "other"
    other.write_text("theirs")
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "socket":
        socket.socket(socket.AF_UNIX).bind(str(path))
    elif kind == "hard link":
        path.hardlink_to(other)
    else:
        path.symlink_to("/dev/null")
    before = path.lstat()

    assert not CsvFile(path, WRITABLE).probe().writable
    refuse_put(path, str(path))
    assert path.lstat() == before
    assert other.read_text() == "theirs"
    assert list(path.parent.iterdir()) == [path]


def test_folder_behind_a_symbolic_link_is_the_users_choice(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(path.parent)

    CsvFile(tmp_path / "link" / path.name, WRITABLE).put(new_key())

    assert SENTINEL in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("how", ["link", "folder"])
def test_folder_swapped_during_the_write_gets_no_receipt(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """The receipt names a path: the file must be there, not where the folder was moved to."""
    other = tmp_path / "other"
    other.mkdir()
    moved = tmp_path / "moved"

    def too_late(*args: object, real=os.link, **options: object) -> None:  # type: ignore[no-untyped-def]
        path.parent.rename(moved)
        if how == "link":
            path.parent.symlink_to(other)
        else:
            path.parent.mkdir()
        real(*args, **options)

    monkeypatch.setattr(os, "link", too_late)
    with pytest.raises(StoreError) as caught:
        CsvFile(path, WRITABLE).put(new_key())

    assert SENTINEL not in full_text(caught.value)
    assert files_that_hold(SENTINEL, tmp_path) == []


def test_receipt_is_never_wrong_in_a_constantly_swapped_folder(path: Path, tmp_path: Path) -> None:
    """Somebody turns the folder into a link to their own one and back, as fast as they can."""
    folder, aside, theirs = path.parent, tmp_path / "aside", tmp_path / "theirs"
    theirs.mkdir()
    over = threading.Event()

    def swap() -> None:
        while not over.wait(0.0005):
            folder.rename(aside)
            folder.symlink_to(theirs)
            folder.unlink()
            aside.rename(folder)

    swapper = threading.Thread(target=swap)
    swapper.start()
    outcomes: list[StoreError | None] = []
    try:
        for number in range(300):
            try:
                CsvFile(folder / f"{number}.csv", WRITABLE).put(
                    new_key(secret=f"secret-{number}-end")
                )
                outcomes.append(None)
            except StoreError as error:
                outcomes.append(error)
    finally:
        over.set()
        swapper.join()

    assert None in outcomes
    for number, problem in enumerate(outcomes):
        held = files_that_hold(f"secret-{number}-end", tmp_path)
        assert len(held) == (problem is None), (number, held)
        assert problem is None or f"secret-{number}-" not in full_text(problem)
        assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in held)


def test_of_two_at_once_one_wins_and_keeps_its_file_whole(path: Path) -> None:
    barrier = threading.Barrier(8)
    receipts, errors = [], []

    def race(number: int) -> None:
        new = new_key(secret=f"secret-{number}")
        barrier.wait()
        try:
            receipts.append((CsvFile(path, WRITABLE).put(new), number))
        except StoreError as error:
            errors.append(error)

    threads = [threading.Thread(target=race, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (len(receipts), len(errors)) == (1, 7)
    assert CsvFile(path, WRITABLE).get(KEY_ID).matches(Secret(f"secret-{receipts[0][1]}"))
    assert list(path.parent.iterdir()) == [path]


def test_delete_leaves_a_file_that_holds_another_key(path: Path) -> None:
    CsvFile(path, WRITABLE).put(new_key(key_id="AKIAOTHER000EXAMPLE1"))

    with pytest.raises(NotStoredError):
        CsvFile(path, WRITABLE).delete(KEY_ID)

    assert SENTINEL in path.read_text()


def test_delete_leaves_a_file_that_is_not_keytui_s(path: Path) -> None:
    path.write_text(f"notes about {KEY_ID}\n{KEY_ID},{KEY_ID},{KEY_ID}\n")

    with pytest.raises(NotStoredError):
        CsvFile(path, WRITABLE).delete(KEY_ID)

    assert path.exists()


@pytest.mark.parametrize("user", ["alice", ROOT_ACCOUNT])
def test_delete_removes_the_file_of_its_key(path: Path, user: str) -> None:
    CsvFile(path, WRITABLE).put(new_key(user))

    CsvFile(path, WRITABLE).delete(KEY_ID)

    assert list(path.parent.iterdir()) == []


def test_reading_never_waits_on_a_pipe(path: Path) -> None:
    os.mkfifo(path)

    with pytest.raises(StoreError, match="not a file of access keys"):
        CsvFile(path, WRITABLE).get(KEY_ID)


# Places where no file can be


@pytest.mark.parametrize("canary", [True, False])
@pytest.mark.parametrize(
    ("relative", "reason"),
    [
        ("nowhere/key.csv", "There is no folder"),
        ("plain/key.csv", "is not a folder"),
        ("folder", "is a folder"),
        ("n" * 300 + ".csv", "too long"),
        ("nul\0.csv", "holds a character"),
        ("surrogate\udcff\ud800.csv", "holds a character"),
    ],
)
def test_place_where_no_file_can_be_is_said_plainly(
    tmp_path: Path, relative: str, reason: str, canary: bool
) -> None:
    (tmp_path / "plain").write_text("")
    (tmp_path / "folder").mkdir()

    probe = CsvFile(tmp_path / relative, WRITABLE).probe(canary=canary)

    assert not probe.writable
    assert reason in probe.reason
    assert probe.next_step
    refuse_put(tmp_path / relative, reason)


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ("", "No file is named."),
        ("  ", "No file is named."),
        ("/", "is a folder"),
        ("~nobody-by-this-name/key.csv", "There is no folder ~nobody-by-this-name"),
    ],
)
def test_what_can_be_typed_by_mistake_is_said_plainly(typed: str, reason: str) -> None:
    assert reason in CsvFile(expand(typed), WRITABLE).probe().reason


def test_folder_of_another_user_is_said_plainly() -> None:
    folder = Path(tempfile.mkdtemp(prefix="keytui-"))
    folder.chmod(0o555)
    as_root = os.geteuid() == 0
    if as_root:  # to whom every folder is writable
        os.seteuid(NOBODY)
    try:
        probe = CsvFile(folder / "key.csv", WRITABLE).probe()
        sure = CsvFile(folder / "key.csv", WRITABLE).probe(canary=False)
        refuse_put(folder / "key.csv", "You may not write")
    finally:
        if as_root:
            os.seteuid(0)
        shutil.rmtree(folder)

    assert "You may not write to the folder" in probe.reason
    assert probe == sure


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.EROFS, "read-only file system"),
        (errno.ENOSPC, "is full"),
        (errno.EDQUOT, "quota"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_canary_finds_what_the_folder_does_not_tell(
    path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    def broken(*args: object) -> None:
        raise OSError(number, "broken")

    monkeypatch.setattr(os, "write", broken)

    assert reason in CsvFile(path, WRITABLE).probe().reason
    assert CsvFile(path, WRITABLE).probe(canary=False).writable
    assert list(path.parent.iterdir()) == []


def test_read_only_file_system_is_told_by_the_folder(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*args: object, **options: object) -> bool:
        return False

    def read_only(folder: Path) -> SimpleNamespace:
        return SimpleNamespace(f_flag=os.ST_RDONLY)

    monkeypatch.setattr(os, "access", never)
    monkeypatch.setattr(os, "statvfs", read_only)

    assert "read-only file system" in CsvFile(path, WRITABLE).probe(canary=False).reason


# Paths


def test_tilde_and_a_relative_path_are_resolved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    assert expand("~/key.csv") == tmp_path / "key.csv"
    assert expand("  key.csv ") == tmp_path / "key.csv"
    assert expand("/a/b.csv") == Path("/a/b.csv")
    CsvFile(expand("~/key.csv"), WRITABLE).put(new_key())
    assert (tmp_path / "key.csv").exists()


def test_vanished_current_folder_is_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert not CsvFile(expand("key.csv"), WRITABLE).probe().writable


@pytest.mark.parametrize(
    ("user", "name"),
    [
        (User("alice"), "alice_accessKeys.csv"),
        (User("svc+backup=x@z-1_."), "svc+backup=x@z-1_._accessKeys.csv"),
        (User("Smith,John"), "Smith_John_accessKeys.csv"),
        (User("../../etc/passwd"), "_._.._etc_passwd_accessKeys.csv"),
        (User("-rf"), "_rf_accessKeys.csv"),
        (User(".hidden"), "_hidden_accessKeys.csv"),
        (User("né\n"), "n___accessKeys.csv"),
        (ROOT_USER, "rootkey.csv"),
    ],
)
def test_default_path_is_safe_and_in_the_home_folder(tmp_path: Path, user: User, name: str) -> None:
    assert default_path(user, tmp_path) == tmp_path / name
    assert CsvFile(default_path(user, tmp_path), WRITABLE).probe().writable


@pytest.mark.parametrize(
    ("user", "stem"), [(User("alice"), "alice_accessKeys"), (ROOT_USER, "rootkey")]
)
def test_default_path_is_the_next_free_one(tmp_path: Path, user: User, stem: str) -> None:
    (tmp_path / f"{stem}.csv").write_text("")
    (tmp_path / f"{stem}-2.csv").symlink_to("dangling")

    assert default_path(user, tmp_path) == tmp_path / f"{stem}-3.csv"


# The real aws


@pytest.mark.parametrize(
    ("user", "profile"),
    [
        ("svc+backup=x@z-1_.", "svc+backup=x@z-1_."),
        ("=1+1@a.b", "=1+1@a.b"),
        ("Smith,John", "Smith_John"),
        (",", "_"),
        ("n" * 128, "n" * 128),
    ],
)
def test_real_aws_imports_the_file(tmp_path: Path, aws: str, user: str, profile: str) -> None:
    path = tmp_path / "key.csv"
    CsvFile(path, WRITABLE).put(new_key(user))
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [aws, "configure", "import", "--csv", f"file://{path}"]
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (done.stdout, done.returncode) == ("Successfully imported 1 profile(s)\n", 0)

    written = configparser.RawConfigParser()
    written.read(tmp_path / "credentials")
    assert written.sections() == [profile]
    assert dict(written[profile]) == {
        "aws_access_key_id": KEY_ID,
        "aws_secret_access_key": SENTINEL,
    }
