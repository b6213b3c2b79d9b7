"""What the doctor says of keytui's own files."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from keytui.cli.doctor import state
from keytui.cli.doctor.checks import Row, Status
from keytui.core.errors import StateError
from keytui.journal.log import Entry, Event, Journal
from tests.support.gates import WRITABLE
from tests.support.modes import mode

ENTRY = Entry(
    "2026-01-15T09:00:00+00:00", Event.CREATING, "123456789012", "alice", "arn", attempt="a1"
)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state", WRITABLE)


def written(journal: Journal) -> dict[str, Row]:
    return {row.key: row for row in state._written(journal.path, read_only=False)}


def test_before_anything_was_written(journal: Journal) -> None:
    found = written(journal)

    assert found["folder"].status is Status.OK
    assert str(journal.path.parent) in found["folder"].text
    assert found["journal"].status is Status.UNKNOWN
    assert not journal.path.parent.exists()


def test_folder_that_is_as_keytui_makes_it(journal: Journal) -> None:
    journal.append(ENTRY)
    before = journal.path.read_bytes()

    found = written(journal)

    assert (found["folder"].status, found["journal"].status) == (Status.OK, Status.OK)
    assert "mode 0700" in found["folder"].text
    assert list(journal.path.parent.iterdir()) == [journal.path]
    assert journal.path.read_bytes() == before


def test_folder_that_others_can_look_into(journal: Journal) -> None:
    journal.append(ENTRY)
    journal.path.parent.chmod(0o755)

    found = written(journal)["folder"]

    assert found.status is Status.WARN
    assert found.command == f"chmod 700 {journal.path.parent}"
    assert mode(journal.path.parent) == 0o755


def test_path_with_a_space_is_quoted(tmp_path: Path) -> None:
    folder = tmp_path / "a b"
    folder.mkdir(mode=0o755)

    assert state._folder(folder).command == f"chmod 700 '{folder}'"


def test_journal_that_is_no_plain_file(journal: Journal, tmp_path: Path) -> None:
    journal.path.parent.mkdir(mode=0o700)
    journal.path.symlink_to(tmp_path / "elsewhere")

    found = written(journal)["journal"]

    assert (found.status, found.value) == (Status.FAIL, False)
    assert "not a plain file" in found.text
    assert found.command


def test_disk_that_takes_nothing(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append(ENTRY)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    found = written(journal)["journal"]

    assert found.status is Status.FAIL
    assert "No space left on device" in found.text
    assert found.command == f"df -h {journal.path.parent}"


def test_folder_that_can_not_be_made(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")

    found = state._folder_to_be(state._FOLDER, file / "keytui")

    assert found.status is Status.FAIL
    assert "XDG_STATE_HOME" in found.advice


def test_unfinished_creations_are_counted(journal: Journal) -> None:
    assert state._unfinished(journal).value == 0
    journal.append(ENTRY)
    assert (state._unfinished(journal).value, state._unfinished(journal).status) == (1, Status.WARN)
    journal.append(replace(ENTRY, attempt="b2"))
    assert state._unfinished(journal).command == "keytui recover"
    journal.append(replace(ENTRY, event=Event.NOT_CREATED))
    journal.append(replace(ENTRY, event=Event.NOT_CREATED, attempt="b2"))
    assert state._unfinished(journal).status is Status.OK


def test_journal_that_can_not_be_read_is_told(journal: Journal) -> None:
    journal.path.mkdir(parents=True)

    with pytest.raises(StateError):
        state._unfinished(journal)


@pytest.mark.parametrize(
    ("bits", "status"), [(0o600, Status.OK), (0o644, Status.OK), (0o664, Status.WARN)]
)
def test_config_file(tmp_path: Path, bits: int, status: Status) -> None:
    path = tmp_path / "config.toml"
    path.write_text("")
    path.chmod(bits)

    found = state._config(path)

    assert (found.status, found.value) == (status, str(path))
    assert f"{bits:04o}" in found.text


def test_config_file_that_is_not_there_is_no_fault(tmp_path: Path) -> None:
    assert state._config(tmp_path / "none").status is Status.UNKNOWN
