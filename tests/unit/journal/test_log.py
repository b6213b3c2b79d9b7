"""keytui's own record: append-only, for its owner alone, and never a secret in it."""

import json
import os
import stat
import subprocess
import sys
import threading
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keytui.core.errors import StateError
from keytui.core.model import AccessKey, KeyStatus, User
from keytui.journal.log import CLOSING, Entry, Event, Journal
from tests.support.gates import WRITABLE
from tests.support.sentinel import SENTINEL, new_key

ACCOUNT = "123456789012"
ADMIN = f"arn:aws:iam::{ACCOUNT}:user/admin"
ALICE = User("alice")
STATUS = Entry("2026-01-15T09:00:00+00:00", Event.STATUS, ACCOUNT, "alice", ADMIN, "AKIA1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "keytui"


@pytest.fixture
def journal(folder: Path) -> Journal:
    return Journal(folder, WRITABLE)


def path_of(folder: Path) -> Path:
    (only,) = folder.iterdir()
    return only


def deleted(key_id: str, account: str = ACCOUNT, user: str = "alice", created: str = "") -> Entry:
    return replace(
        STATUS, event=Event.DELETED, key_id=key_id, account=account, user=user, created=created
    )


def test_there_is_nothing_before_the_first_line(journal: Journal, folder: Path) -> None:
    assert journal.entries() == []
    assert journal.deleted_keys(ACCOUNT, ALICE) == []
    assert not folder.exists()


def test_what_was_written_is_read_by_a_later_run(journal: Journal, folder: Path) -> None:
    full = Entry(
        "2026-01-15T09:00:00+00:00",
        Event.CREATED,
        ACCOUNT,
        "svc+reports=eu,prod.batch@acme-corp",
        ADMIN,
        key_id="AKIA1",
        attempt="abc",
        created="2026-01-15T08:59:59+00:00",
        detail="naïve\nwith a line break\r\x85\u2028",
    )
    journal.append(STATUS)
    journal.append(full)

    assert journal.entries() == [STATUS, full]
    assert Journal(folder, WRITABLE).entries() == [STATUS, full]


def test_it_is_for_its_owner_alone(journal: Journal, folder: Path) -> None:
    before = os.umask(0)
    try:
        journal.append(STATUS)
    finally:
        os.umask(before)

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(path_of(folder).stat().st_mode) == 0o600


def test_what_stands_there_is_never_changed(journal: Journal, folder: Path) -> None:
    journal.append(STATUS)
    first = path_of(folder).read_bytes()
    journal.append(replace(STATUS, key_id="AKIA2"))

    both = path_of(folder).read_bytes()
    assert both.startswith(first)
    assert both.count(b"\n") == 2
    assert both.endswith(b"\n")


def test_each_line_is_one_json_object(journal: Journal, folder: Path) -> None:
    journal.append(replace(STATUS, detail="two\nlines"))

    (line,) = path_of(folder).read_text().splitlines()
    assert json.loads(line)["detail"] == "two\nlines"


def test_line_is_on_the_disk_before_append_returns(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        synced.append(handle)
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)

    journal.append(STATUS)

    assert len(synced) >= 1


def test_line_torn_by_a_power_cut_costs_only_itself(journal: Journal, folder: Path) -> None:
    journal.append(STATUS)
    journal.append(replace(STATUS, key_id="AKIATORN"))
    path = path_of(folder)
    path.write_bytes(path.read_bytes()[:-20])

    after = replace(STATUS, key_id="AKIAAFTER")
    journal.append(after)

    assert journal.entries() == [STATUS, after]
    assert Journal(folder, WRITABLE).entries() == [STATUS, after]


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"   ",
        b"not json",
        b"\xff\xfe\x00",
        b"\x00\x00\x00\x00",
        b"null",
        b"5",
        b'"event"',
        b'["event"]',
        b"{}",
        b'{"event":"status"}',
        b'{"event":"no such event","at":"","account":"","user":"","caller":""}',
        b'{"event":["status"],"at":"","account":"","user":"","caller":""}',
        b"[" * 100_000,
    ],
    ids=lambda garbage: repr(garbage[:24]),
)
def test_line_that_can_not_be_read_is_passed_over(
    journal: Journal, folder: Path, garbage: bytes
) -> None:
    journal.append(STATUS)
    path = path_of(folder)
    path.write_bytes(garbage + b"\n" + path.read_bytes() + garbage + b"\n")

    assert journal.entries() == [STATUS]


def test_line_from_a_later_version_is_read_as_far_as_it_is_known(
    journal: Journal, folder: Path
) -> None:
    journal.append(STATUS)
    path = path_of(folder)
    raw = json.loads(path.read_bytes())
    path.write_text(json.dumps({**raw, "colour": "green"}) + "\n")

    assert journal.entries() == [STATUS]


def test_what_another_keytui_writes_is_seen(journal: Journal, folder: Path) -> None:
    journal.append(STATUS)
    assert len(journal.entries()) == 1

    Journal(folder, WRITABLE).append(replace(STATUS, key_id="AKIA2"))

    assert [e.key_id for e in journal.entries()] == ["AKIA1", "AKIA2"]


def test_two_journals_lose_nothing(folder: Path) -> None:
    start = threading.Barrier(4)

    def write(writer: int) -> None:
        journal = Journal(folder, WRITABLE)
        start.wait()
        for number in range(50):
            journal.append(replace(STATUS, key_id=f"AKIA{writer}X{number}"))

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    ids = [entry.key_id for entry in Journal(folder, WRITABLE).entries()]
    assert sorted(ids) == sorted(f"AKIA{w}X{n}" for w in range(4) for n in range(50))
    for writer in range(4):
        mine = [i for i in ids if i.startswith(f"AKIA{writer}X")]
        assert mine == [f"AKIA{writer}X{n}" for n in range(50)]


WRITER = """
import sys
from pathlib import Path
from keytui.core.gate import Gate
from keytui.journal.log import Entry, Event, Journal
folder, writer = Path(sys.argv[1]), sys.argv[2]
sys.stdin.read()
for number in range(50):
    key_id = f"{writer}X{number}"
    entry = Entry("2026-01-15T09:00:00+00:00", Event.STATUS, "1", "alice", "arn", key_id)
    Journal(folder, Gate(False)).append(entry)
"""


def test_two_processes_lose_nothing(folder: Path) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder), str(writer)], stdin=subprocess.PIPE
        )
        for writer in range(3)
    ]
    for writer in writers:
        assert writer.stdin
        writer.stdin.close()
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]

    ids = {entry.key_id for entry in Journal(folder, WRITABLE).entries()}
    assert ids == {f"{w}X{n}" for w in range(3) for n in range(50)}


def test_folder_that_can_not_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file is in the way")
    journal = Journal(tmp_path / "state" / "keytui", WRITABLE)

    with pytest.raises(StateError) as caught:
        journal.append(STATUS)

    assert "can't write its record" in caught.value.title
    assert "XDG_STATE_HOME" in caught.value.next_step
    assert caught.value.__cause__ is None


def test_journal_that_is_a_folder_is_said(journal: Journal, folder: Path) -> None:
    journal.append(STATUS)
    path = path_of(folder)
    path.unlink()
    path.mkdir()

    with pytest.raises(StateError, match="can't write"):
        journal.append(STATUS)
    with pytest.raises(StateError, match="can't read"):
        Journal(folder, WRITABLE).entries()


def test_it_is_not_written_through_a_symbolic_link(
    journal: Journal, folder: Path, tmp_path: Path
) -> None:
    journal.append(STATUS)
    path = path_of(folder)
    path.unlink()
    (tmp_path / "elsewhere").write_text("")
    path.symlink_to(tmp_path / "elsewhere")

    with pytest.raises(StateError):
        journal.append(STATUS)
    assert (tmp_path / "elsewhere").read_text() == ""


def test_full_disk_is_said(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "write", lambda _, data: len(data) - 1)

    with pytest.raises(StateError, match="full"):
        journal.append(STATUS)


def test_no_field_could_hold_a_secret(journal: Journal, folder: Path) -> None:
    names = {field.name for field in fields(Entry)}
    assert not {name for name in names if "secret" in name or "password" in name}

    new = new_key()
    with pytest.raises(TypeError):
        journal.append(replace(STATUS, detail=new.secret))  # type: ignore[arg-type]
    journal.append(replace(STATUS, detail=f"{new}"))
    assert SENTINEL not in path_of(folder).read_text()


def test_deleted_keys_are_those_of_one_account_and_user(journal: Journal) -> None:
    journal.append(deleted("AKIAMINE1", created="2025-01-02T03:04:05+00:00"))
    journal.append(deleted("AKIAOTHERUSER", user="bob"))
    journal.append(deleted("AKIAOTHERCASE", user="Alice"))
    journal.append(deleted("AKIAOTHERACCOUNT", account="999999999999"))
    journal.append(STATUS)
    journal.append(deleted("AKIAMINE2"))

    assert journal.deleted_keys(ACCOUNT, ALICE) == [
        AccessKey("AKIAMINE1", ALICE, KeyStatus.DELETED, datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)),
        AccessKey("AKIAMINE2", ALICE, KeyStatus.DELETED, None),
    ]


def test_key_deleted_from_two_terminals_is_one_key(journal: Journal) -> None:
    journal.append(deleted("AKIAMINE1"))
    journal.append(deleted("AKIAMINE1"))

    assert [key.id for key in journal.deleted_keys(ACCOUNT, ALICE)] == ["AKIAMINE1"]


def test_date_that_can_not_be_read_is_not_known(journal: Journal) -> None:
    journal.append(deleted("AKIAMINE1", created="yesterday"))

    assert journal.deleted_keys(ACCOUNT, ALICE)[0].created is None


def test_date_is_always_aware(journal: Journal) -> None:
    """The screens subtract it from an aware clock."""
    journal.append(deleted("AKIAMINE1", created="2025-01-02T03:04:05"))

    created = journal.deleted_keys(ACCOUNT, ALICE)[0].created
    assert created is None or created.tzinfo is not None


# The claims on creations.

BEGUN = replace(STATUS, event=Event.CREATING, key_id="", attempt="abcdef")


@pytest.mark.parametrize("event", list(Event))
def test_what_ends_a_creation_ends_the_claim_on_it(
    journal: Journal, folder: Path, event: Event
) -> None:
    assert journal.claim("abcdef")
    assert not Journal(folder, WRITABLE).claim("abcdef")

    journal.append(replace(BEGUN, event=event))

    assert Journal(folder, WRITABLE).claim("abcdef") is (event in CLOSING)


def test_end_of_one_creation_leaves_the_others_claimed(journal: Journal, folder: Path) -> None:
    journal.claim("abcdef")
    journal.claim("012345")

    journal.append(replace(BEGUN, event=Event.STORED, attempt="012345"))

    assert not Journal(folder, WRITABLE).claim("abcdef")


def test_claim_that_is_released_is_free(journal: Journal, folder: Path) -> None:
    journal.claim("abcdef")

    journal.release("abcdef")

    assert Journal(folder, WRITABLE).claim("abcdef")


def test_what_could_not_be_written_down_as_ended_stays_claimed(
    journal: Journal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.claim("abcdef")
    monkeypatch.setattr(os, "write", lambda *_: 0)

    with pytest.raises(StateError):
        journal.append(replace(BEGUN, event=Event.STORED))

    assert not Journal(folder, WRITABLE).claim("abcdef")


def test_claim_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file is in the way")

    with pytest.raises(StateError, match="can't write its record"):
        Journal(tmp_path / "state" / "keytui", WRITABLE).claim("abcdef")


# Two at once, and no room.

RACER = """
import sys
from pathlib import Path
from keytui.core.gate import Gate
from keytui.journal.log import Entry, Event, Journal
journal, writer = Journal(Path(sys.argv[1]), Gate(False)), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for number in range(400):
    text = "x" * (number * 7 % 300)
    at = "2026-01-15T09:00:00+00:00"
    journal.append(Entry(at, Event.STATUS, "1", "alice", "arn", f"{writer}X{number}", detail=text))
"""


def test_journal_keeps_all_lines_of_two_busy_writers_in_order(
    journal: Journal, folder: Path
) -> None:
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(folder), name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in "ab"
    ]
    for writer in writers:
        assert writer.stdout
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        assert writer.stdin
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0

    lines = [line for line in journal.path.read_bytes().splitlines() if line]
    assert len(lines) == len(journal.entries()) == 800
    for name in "ab":
        mine = [e.key_id for e in journal.entries() if e.key_id.startswith(name)]
        assert mine == [f"{name}X{number}" for number in range(400)]


LIMITED = """
import resource, signal, sys
from pathlib import Path
from dataclasses import replace
from keytui.core.errors import StateError
from keytui.core.gate import Gate
from keytui.journal.log import Entry, Event, Journal
journal = Journal(Path(sys.argv[1]), Gate(False))
(entry,) = journal.entries()
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
room = journal.path.stat().st_size + int(sys.argv[2])
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
try:
    journal.append(replace(entry, key_id="AKIANOROOM"))
except StateError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
journal.append(replace(entry, key_id="AKIAAFTER"))
"""


@pytest.mark.parametrize("room", [0, 1, 40])
def test_line_there_is_no_room_for_is_said_and_costs_only_itself(
    journal: Journal, folder: Path, room: int
) -> None:
    journal.append(STATUS)

    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(folder), str(room)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert done.stdout.startswith("keytui can't write its record")
    assert [entry.key_id for entry in journal.entries()] == ["AKIA1", "AKIAAFTER"]
