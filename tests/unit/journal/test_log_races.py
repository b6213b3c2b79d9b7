"""keytui's record where others could have put something: what it says decides what is deleted."""

import os
import threading
from collections.abc import Callable
from dataclasses import asdict
from json import dumps
from pathlib import Path

import pytest

from keytui.core.errors import StateError
from keytui.journal.log import Entry, Event, Journal
from tests.support.gates import WRITABLE
from tests.support.modes import mode, umask

NOBODY = 65534
PATIENCE = 10.0
"""Seconds until something that waits is taken to wait for ever."""


def entry(key_id: str = "AKIAIOSFODNN7EXAMPLE") -> Entry:
    return Entry("2026-01-02T03:04:05+00:00", Event.DELETED, "1", "alice", "arn", key_id)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "base" / "state" / "keytui"


@pytest.fixture
def file(folder: Path) -> Path:
    """The journal's path in a folder that is there, without a file."""
    folder.mkdir(parents=True, mode=0o700)
    return folder / "journal.jsonl"


def refused(work: Callable[[], object]) -> StateError:
    """Return the error of what must be refused, and at once."""
    errors: list[Exception | None] = []

    def run() -> None:
        try:
            work()
        except StateError as error:
            errors.append(error)
        else:
            errors.append(None)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert errors, "it waits for ever"
    assert isinstance(errors[0], StateError), "it was done"
    assert errors[0].next_step
    return errors[0]


def test_pipe_is_not_waited_for(file: Path) -> None:
    os.mkfifo(file)

    assert "not a plain file" in refused(Journal(file.parent, WRITABLE).entries).title
    assert (
        "not a plain file" in refused(lambda: Journal(file.parent, WRITABLE).append(entry())).title
    )


def test_file_without_an_end_is_not_read(file: Path) -> None:
    file.write_text(dumps(asdict(entry())) + "\n")
    file.chmod(0o600)
    os.truncate(file, 3_000_000_000)  # It takes no room: what was never written is a hole.

    assert "it is too large" in refused(Journal(file.parent, WRITABLE).entries).title


def test_another_file_of_the_same_size_is_read_anew(file: Path) -> None:
    journal = Journal(file.parent, WRITABLE)
    journal.append(entry())
    assert [line.key_id for line in journal.entries()] == [entry().key_id]
    other = file.with_name("other")
    other.write_text(dumps(asdict(entry("AKIAANOTHER00EXAMPLE")), separators=(",", ":")) + "\n")
    other.chmod(0o600)
    assert other.stat().st_size == file.stat().st_size
    other.replace(file)

    assert [line.key_id for line in journal.entries()] == ["AKIAANOTHER00EXAMPLE"]


@pytest.mark.parametrize("target", ["a file", "/dev/null"])
def test_nothing_is_read_through_a_symbolic_link(file: Path, tmp_path: Path, target: str) -> None:
    forged = tmp_path / "forged"
    forged.write_text(dumps(asdict(entry())) + "\n")
    file.symlink_to(forged if target == "a file" else target)

    refused(Journal(file.parent, WRITABLE).entries)
    refused(lambda: Journal(file.parent, WRITABLE).append(entry()))


def test_file_of_another_user_is_neither_believed_nor_written(file: Path) -> None:
    if os.geteuid():
        pytest.skip("needs root, to make a file of another user")
    line = dumps(asdict(entry())) + "\n"
    file.write_text(line)
    os.chown(file, NOBODY, NOBODY)

    assert "belongs to another user" in refused(Journal(file.parent, WRITABLE).entries).title
    assert (
        "belongs to another user"
        in refused(lambda: Journal(file.parent, WRITABLE).append(entry())).title
    )
    assert file.read_text() == line


def test_file_that_others_can_read_is_so_no_longer(file: Path) -> None:
    file.write_text(dumps(asdict(entry())) + "\n")
    file.chmod(0o644)

    assert len(Journal(file.parent, WRITABLE).entries()) == 1
    assert mode(file) == 0o600


@pytest.mark.parametrize("before", [0o666, 0o620, 0o602])
def test_journal_writable_by_others_is_not_trusted_or_written(file: Path, before: int) -> None:
    line = dumps(asdict(entry())) + "\n"
    file.write_text(line)
    file.chmod(before)

    error = refused(Journal(file.parent, WRITABLE).entries)
    assert "others may write to it" in error.title
    assert f"chmod 600 {file}" in error.next_step
    assert (
        "others may write to it"
        in refused(lambda: Journal(file.parent, WRITABLE).append(entry())).title
    )
    assert file.read_text() == line


def test_file_with_a_second_name_is_neither_believed_nor_written(
    file: Path, tmp_path: Path
) -> None:
    line = dumps(asdict(entry())) + "\n"
    file.write_text(line)
    (tmp_path / "second").hardlink_to(file)

    assert "a second name" in refused(Journal(file.parent, WRITABLE).entries).title
    assert "a second name" in refused(lambda: Journal(file.parent, WRITABLE).append(entry())).title
    assert file.read_text() == line


def test_folder_that_others_can_read_is_so_no_longer(file: Path) -> None:
    file.parent.chmod(0o755)

    Journal(file.parent, WRITABLE).append(entry())

    assert mode(file.parent) == 0o700


@pytest.mark.parametrize("before", [0o777, 0o775, 0o1777, 0o703])
def test_nothing_is_believed_in_a_folder_that_others_may_write(file: Path, before: int) -> None:
    Journal(file.parent, WRITABLE).append(entry())
    file.parent.chmod(before)

    assert "others may write to its folder" in refused(Journal(file.parent, WRITABLE).entries).title
    refused(lambda: Journal(file.parent, WRITABLE).append(entry()))
    refused(lambda: Journal(file.parent, WRITABLE).claim("abc"))
    assert mode(file.parent) == before


def test_nothing_is_believed_in_a_folder_of_another_user(file: Path) -> None:
    if os.geteuid():
        pytest.skip("needs root, to make a folder of another user")
    Journal(file.parent, WRITABLE).append(entry())
    os.chown(file.parent, NOBODY, NOBODY)

    title = refused(Journal(file.parent, WRITABLE).entries).title
    assert "its folder belongs to another user" in title
    refused(lambda: Journal(file.parent, WRITABLE).append(entry()))


@pytest.mark.parametrize("mask", [0, 0o022, 0o777])
@pytest.mark.parametrize("by", ["append", "claim"])
def test_journal_folders_are_private_under_any_umask(folder: Path, mask: int, by: str) -> None:
    with umask(mask):
        journal = Journal(folder, WRITABLE)
        if by == "claim":
            journal.claim("abc")
        journal.append(entry())

    made = (folder, folder.parent, folder.parent.parent)
    assert [mode(path) for path in made] == [0o700] * 3
    assert mode(folder / "journal.jsonl") == 0o600


def test_folders_that_were_there_above_keep_their_modes(folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.parent.chmod(0o755)

    Journal(folder, WRITABLE).append(entry())

    assert (mode(folder.parent), mode(folder)) == (0o755, 0o700)


def test_name_that_is_swapped_all_the_time_is_never_followed(file: Path, tmp_path: Path) -> None:
    """Somebody turns the file into a link to their own one and back, as fast as they can."""
    theirs, aside = tmp_path / "theirs", tmp_path / "aside"
    theirs.write_text(dumps(asdict(entry("AKIAFORGED00EXAMPLE1"))) + "\n")
    Journal(file.parent, WRITABLE).append(entry())
    before = theirs.read_text()
    over = threading.Event()

    def swap() -> None:
        while not over.wait(0.0005):
            file.rename(aside)
            file.symlink_to(theirs)
            file.unlink()
            aside.rename(file)

    swapper = threading.Thread(target=swap)
    swapper.start()
    believed: set[str] = set()
    try:
        for _ in range(500):
            try:
                believed.update(line.key_id for line in Journal(file.parent, WRITABLE).entries())
            except StateError:
                continue
    finally:
        over.set()
        swapper.join()

    assert believed == {entry().key_id}
    assert theirs.read_text() == before
