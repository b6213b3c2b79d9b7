"""keytui's record on a disk where others have been: what holds whatever stands there."""

import resource
from pathlib import Path

import pytest

from keytui.core.errors import StateError
from keytui.journal.log import Entry, Event, Journal
from tests.support.gates import WRITABLE
from tests.support.modes import mode, umask


def entry(key_id: str = "AKIAIOSFODNN7EXAMPLE") -> Entry:
    return Entry("2026-01-02T03:04:05+00:00", Event.DELETED, "1", "alice", "arn", key_id)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state" / "keytui"


@pytest.mark.parametrize("mask", [0, 0o022, 0o077])
def test_file_and_its_folder_are_the_owners_alone(folder: Path, mask: int) -> None:
    with umask(mask):
        Journal(folder, WRITABLE).append(entry())

    assert (mode(folder), mode(folder / "journal.jsonl")) == (0o700, 0o600)


@pytest.mark.parametrize("dangling", [True, False])
def test_nothing_is_written_through_a_symbolic_link(
    folder: Path, tmp_path: Path, dangling: bool
) -> None:
    target = tmp_path / "target"
    if not dangling:
        target.write_text("theirs")
    folder.mkdir(parents=True)
    (folder / "journal.jsonl").symlink_to(target)

    with pytest.raises(StateError) as caught:
        Journal(folder, WRITABLE).append(entry())

    assert "can't write its record" in caught.value.title
    assert target.exists() is not dangling
    assert dangling or target.read_text() == "theirs"


def test_folder_behind_a_symbolic_link_is_the_users_choice(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    folder.parent.mkdir()
    folder.symlink_to(elsewhere)

    Journal(folder, WRITABLE).append(entry())

    assert [line.key_id for line in Journal(folder, WRITABLE).entries()] == [entry().key_id]
    assert mode(elsewhere / "journal.jsonl") == 0o600


@pytest.mark.parametrize("dangling", [True, False])
def test_no_claim_is_taken_through_a_symbolic_link(
    folder: Path, tmp_path: Path, dangling: bool
) -> None:
    target = tmp_path / "target"
    if not dangling:
        target.write_text("theirs")
    folder.mkdir(parents=True)
    (folder / "abc.lock").symlink_to(target)

    with pytest.raises(StateError):
        Journal(folder, WRITABLE).claim("abc")

    assert target.exists() is not dangling


def test_line_over_the_file_size_limit_loses_no_other_line(folder: Path) -> None:
    journal = Journal(folder, WRITABLE)
    journal.append(entry())
    size = (folder / "journal.jsonl").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size + 10, before[1]))
    try:
        with pytest.raises(StateError):
            journal.append(entry("AKIASECOND00EXAMPLE1"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    journal.append(entry("AKIATHIRD000EXAMPLE1"))

    kept = [line.key_id for line in Journal(folder, WRITABLE).entries()]
    assert kept == [entry().key_id, "AKIATHIRD000EXAMPLE1"]
