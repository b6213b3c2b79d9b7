"""The users last seen: kept for their owner alone, and nothing odd is ever believed."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keytui.session import users_cache
from keytui.session.users_cache import KnownUsers, UsersCache

KNOWN = KnownUsers(
    "123456789012",
    datetime(2026, 1, 15, 9, 0, tzinfo=UTC),
    ["alice", "svc+backup=x,y@z-1_."],
    {"alice": ("AKIAALICE00000000001",)},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache/keytui"


def the_file(folder: Path) -> Path:
    (file,) = folder.glob("*")
    return file


def test_cached_users_load_only_for_the_same_profile_and_place(folder: Path) -> None:
    UsersCache(folder, ["here"]).save("acme", KNOWN)

    found = UsersCache(folder, ["here"]).load("acme")
    assert found is not None
    assert (found.account, found.read_at, list(found.names)) == (
        KNOWN.account,
        KNOWN.read_at,
        list(KNOWN.names),
    )
    assert dict(found.key_ids) == dict(KNOWN.key_ids)
    assert UsersCache(folder, ["here"]).load("other") is None
    assert UsersCache(folder, ["there"]).load("acme") is None


@pytest.mark.parametrize("odd", ["", "two words", "a\nb", "x" * 129, "n\u00e9e", "key \x1b[2J"])
def test_name_that_iam_would_not_take_is_let_go(folder: Path, odd: str) -> None:
    UsersCache(folder).save(None, replace(KNOWN, names=["alice", odd, "bob"]))

    found = UsersCache(folder).load(None)
    assert found is not None
    assert list(found.names) == ["alice", "bob"]


def test_it_is_for_its_owner_alone(folder: Path) -> None:
    UsersCache(folder).save(None, KNOWN)

    assert the_file(folder).stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o644, 0o660, 0o606])
def test_file_that_others_may_read_or_write_is_passed_over(folder: Path, mode: int) -> None:
    cache = UsersCache(folder)
    cache.save(None, KNOWN)
    the_file(folder).chmod(mode)
    assert cache.load(None) is None


def test_link_is_not_followed_and_not_written_through(folder: Path, tmp_path: Path) -> None:
    cache = UsersCache(folder)
    cache.save(None, KNOWN)
    file, target = the_file(folder), tmp_path / "target"
    file.rename(target)
    before = target.read_bytes()
    file.symlink_to(target)

    assert cache.load(None) is None
    cache.save(None, KNOWN)
    assert target.read_bytes() == before
    assert not file.is_symlink()


def test_pipe_is_not_waited_for(folder: Path) -> None:
    cache = UsersCache(folder)
    cache.save(None, KNOWN)
    file = the_file(folder)
    file.unlink()
    os.mkfifo(file, 0o600)
    assert cache.load(None) is None


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"account": "12"},
        {"read_at": "2026-01-15T09:00:00"},
        {"users": "al\x1b[31mice\n"},
        {"users": ["alice"]},
        {"users": "a" * 500 + "\n"},
        {"read_at": None},
    ],
)
def test_what_keytui_would_not_write_is_passed_over(
    folder: Path, change: dict[str, object]
) -> None:
    cache = UsersCache(folder)
    cache.save(None, KNOWN)
    file = the_file(folder)
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    assert cache.load(None) is None


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 5000, "null", "\x00"])
def test_what_is_no_such_file_is_passed_over(folder: Path, text: str) -> None:
    cache = UsersCache(folder)
    cache.save(None, KNOWN)
    the_file(folder).write_text(text)
    assert cache.load(None) is None


def test_all_is_forgotten(folder: Path) -> None:
    cache = UsersCache(folder)
    cache.save("a", KNOWN)
    cache.save("b", KNOWN)
    cache.forget()
    assert list(folder.glob("*")) == []


def test_those_not_seen_for_long_do_not_pile_up(folder: Path) -> None:
    # Keys in the environment that live for an hour make a place of their own each time.
    for number in range(users_cache.MOST_FILES + 3):
        UsersCache(folder, [f"ASIA{number}"]).save(None, KNOWN)
        os.utime(max(folder.glob("*"), key=lambda file: file.stat().st_mtime_ns), (number, number))
    assert len(list(folder.glob("*"))) == users_cache.MOST_FILES
    assert UsersCache(folder, ["ASIA2"]).load(None) is None
    assert UsersCache(folder, ["ASIA3"]).load(None) is not None


def test_partial_cache_file_of_a_killed_run_is_deleted_too(folder: Path) -> None:
    UsersCache(folder).save(None, KNOWN)
    file = the_file(folder)
    file.rename(folder / f".{file.name}.4711")

    UsersCache(folder).forget()
    assert not list(folder.glob("*"))


def test_folder_that_can_not_be_written_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = UsersCache(tmp_path / "file/cache")
    cache.save(None, KNOWN)
    assert cache.load(None) is None
    cache.forget()
    UsersCache(None).save(None, KNOWN)
    assert UsersCache(None).load(None) is None
