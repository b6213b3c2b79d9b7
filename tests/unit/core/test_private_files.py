"""Files that keytui reads by itself: none without an end, none that others can have written."""

import errno
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keytui.aws.options import ConnectOptions
from keytui.aws.session import connect, profiles
from keytui.core.errors import CredentialsError, UsageError
from keytui.core.private_files import (
    RefusedFileError,
    append_line,
    is_locked,
    lock,
    open_lock,
    read_private,
    read_trusted,
    replace_whole,
)
from keytui.session.settings import load
from keytui.stores.keyring.session_bus import find_bus, private_bus_file
from tests.support.aws_env import AwsHome
from tests.support.gates import WRITABLE


def grow(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 40)


WITHOUT_END: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a terminal": lambda path: path.symlink_to("/dev/ptmx"),
    "a large file": lambda path: grow(path),
}


def config_file(home: Path) -> Path:
    path = home / ".config/keytui/config.toml"
    path.parent.mkdir(parents=True)
    return path


@pytest.mark.parametrize(
    "text", ["a=" + "[" * 100_000, "a=" + "{b=" * 100_000, "old_days = " + "1" * 5_000]
)
def test_config_file_that_is_too_deep_is_a_sentence(tmp_path: Path, text: str) -> None:
    path = config_file(tmp_path)
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(UsageError, match="can't be read") as caught:
        load({}, {}, tmp_path)
    assert str(path) in caught.value.title


@pytest.mark.parametrize("kind", WITHOUT_END)
def test_config_file_without_end_is_a_sentence(tmp_path: Path, kind: str) -> None:
    path = config_file(tmp_path)
    WITHOUT_END[kind](path)
    with pytest.raises(UsageError, match="can't be read") as caught:
        load({}, {}, tmp_path)
    assert str(path) in caught.value.title
    assert caught.value.next_step


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o620, 0o602])
def test_config_file_that_others_can_write_is_refused(tmp_path: Path, mode: int) -> None:
    path = config_file(tmp_path)
    path.write_text("read_only = true\n")
    path.chmod(mode)
    with pytest.raises(UsageError, match="other users can write to it") as caught:
        load({}, {}, tmp_path)
    assert caught.value.next_step == f"Run: chmod go-w {path}"
    path.chmod(0o644)
    assert load({}, {}, tmp_path).read_only


def owned_by(monkeypatch: pytest.MonkeyPatch, user: int, reader: int) -> None:
    """Let all files belong to a user, and this process to another."""
    real = os.fstat

    def status(handle: int) -> os.stat_result:
        fields: list[Any] = list(real(handle))
        return os.stat_result([*fields[:4], user, *fields[5:]])

    monkeypatch.setattr(os, "fstat", status)
    monkeypatch.setattr(os, "geteuid", lambda: reader)


def test_config_file_of_another_user_but_root_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_file(tmp_path).write_text("read_only = true\n")
    owned_by(monkeypatch, user=1001, reader=1000)
    with pytest.raises(UsageError, match="belongs to another user"):
        load({}, {}, tmp_path)
    owned_by(monkeypatch, user=0, reader=1000)
    assert load({}, {}, tmp_path).read_only


def test_private_file_is_nobody_elses_and_no_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    path.chmod(0o600)
    assert read_private(path, 1) == b"x"
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(OSError, match="symbolic"):
        read_private(tmp_path / "link", 1)
    assert read_trusted(tmp_path / "link", 1) == b"x"
    path.chmod(0o640)
    with pytest.raises(RefusedFileError):
        read_private(path, 1)
    path.chmod(0o600)
    owned_by(monkeypatch, user=0, reader=1000)
    with pytest.raises(RefusedFileError):
        read_private(path, 1)


def test_lock_is_one_process_alone(tmp_path: Path) -> None:
    first, second = (open_lock(tmp_path / "lock") for _ in range(2))
    try:
        assert lock(first)
        assert not lock(second, seconds=0.05)
        assert is_locked(tmp_path / "lock")
    finally:
        os.close(first)
    assert lock(second)
    os.close(second)
    assert not is_locked(tmp_path / "lock")


@pytest.mark.parametrize("call", ["fdopen", "rename"])
def test_replacement_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    path = tmp_path / "file"
    replace_whole(path, b"old")
    monkeypatch.setattr(os, "replace" if call == "rename" else call, full)
    with pytest.raises(OSError, match="full"):
        replace_whole(path, b"new")
    monkeypatch.undo()

    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_line_is_appended_to_no_file_that_others_made(tmp_path: Path) -> None:
    path = tmp_path / "folder/lines"
    append_line(path, b"one\n", 100)
    path.write_bytes(b"one\ncut sh")
    append_line(path, b"two\n", 100)
    assert path.read_bytes() == b"one\ncut sh\ntwo\n"
    with pytest.raises(RefusedFileError, match="too large"):
        append_line(path, b"three\n", 10)
    path.chmod(0o622)
    with pytest.raises(RefusedFileError, match="others may write"):
        append_line(path, b"three\n", 100)


@pytest.mark.parametrize("kind", WITHOUT_END)
def test_private_bus_is_not_sought_in_a_file_without_end(tmp_path: Path, kind: str) -> None:
    env = {"XDG_RUNTIME_DIR": "/nonexistent", "XDG_STATE_HOME": str(tmp_path)}
    private_bus_file(env).parent.mkdir()
    WITHOUT_END[kind](private_bus_file(env))
    assert find_bus(env) is None


def test_private_bus_is_not_believed_where_others_can_name_it(tmp_path: Path) -> None:
    env = {"XDG_RUNTIME_DIR": "/nonexistent", "XDG_STATE_HOME": str(tmp_path)}
    named, path = private_bus_file(env), tmp_path / "bus"
    named.parent.mkdir()
    tmp_path.chmod(0o700)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        named.write_text(json.dumps({"socket": str(path)}))
        assert find_bus(env)
        named.chmod(0o666)
        assert find_bus(env) is None


@pytest.mark.parametrize("kind", WITHOUT_END)
@pytest.mark.parametrize("which", ["config", "credentials"])
def test_aws_file_without_end_is_a_sentence(aws_env: AwsHome, kind: str, which: str) -> None:
    path = getattr(aws_env, which)
    WITHOUT_END[kind](path)
    for read in (
        lambda: connect(ConnectOptions(), WRITABLE),
        lambda: connect(ConnectOptions(quiet=True), WRITABLE),
        profiles,
    ):
        with pytest.raises(CredentialsError) as caught:
            read()
        assert str(path) in caught.value.title
        assert caught.value.next_step


def test_aws_file_may_be_the_null_device(aws_env: AwsHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    aws_env.credentials.write_text("[ops]\naws_access_key_id = AKIAX\naws_secret_access_key = x\n")
    assert profiles() == ["ops"]
