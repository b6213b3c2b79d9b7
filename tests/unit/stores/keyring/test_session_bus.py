"""Which D-Bus session is found: the login's, the user's own, a private one of keytui's."""

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from jeepney import message_bus  # type: ignore[import-untyped]
from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]
from jeepney.wrappers import unwrap_msg  # type: ignore[import-untyped]

from keytui.core.errors import StoreError
from keytui.core.model import Secret
from keytui.stores.keyring import session_bus as bus_of_one_run
from keytui.stores.keyring.os_keyring import OsKeyring
from keytui.stores.keyring.session_bus import Bus, BusKind, find_bus, private_bus, private_bus_file
from tests.support.gates import WRITABLE
from tests.support.sentinel import EXPOSED

ADDRESS = "unix:path=/somewhere"


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose sockets' paths are short enough."""
    with TemporaryDirectory(prefix="keytui-") as folder:
        yield Path(folder)


def listening(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    server.listen()
    return server


def name_private_bus(env: dict[str, str], path: Path) -> None:
    private_bus_file(env).parent.mkdir(parents=True, exist_ok=True)
    private_bus_file(env).write_text(json.dumps({"socket": str(path)}))


def test_logins_own_bus_wins(short: Path) -> None:
    with listening(short / "bus"):
        env = {"DBUS_SESSION_BUS_ADDRESS": ADDRESS, "XDG_RUNTIME_DIR": str(short)}
        assert find_bus(env) == Bus(ADDRESS, BusKind.SESSION)


def test_then_the_users_own(short: Path) -> None:
    with listening(short / "bus"):
        env = {"XDG_RUNTIME_DIR": str(short), "HOME": str(short)}
        assert find_bus(env) == Bus(f"unix:path={short}/bus", BusKind.USER)


def test_private_one_that_lives_comes_before_the_users_own(short: Path) -> None:
    """Two GNOME Keyrings on two buses would lose each other's secrets."""
    env = {"XDG_RUNTIME_DIR": str(short), "HOME": str(short)}
    name_private_bus(env, short / "private")
    with listening(short / "bus"):
        assert find_bus(env) == Bus(f"unix:path={short}/bus", BusKind.USER), "it is named, but gone"
        with listening(short / "private"):
            assert find_bus(env) == Bus(f"unix:path={short}/private", BusKind.PRIVATE)
        assert (short / "private").exists()
        assert find_bus(env) == Bus(f"unix:path={short}/bus", BusKind.USER), "nobody listens"


def test_socket_that_another_could_have_put_there_is_none(short: Path) -> None:
    env = {"XDG_RUNTIME_DIR": "/nonexistent", "HOME": str(short)}
    with listening(short / "real"):
        (short / "link").symlink_to(short / "real")
        name_private_bus(env, short / "link")
        assert find_bus(env) is None

        name_private_bus(env, short / "real")
        assert find_bus(env)
        short.chmod(0o770)
        assert find_bus(env) is None


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"socket": 7}', "\x00", '{"socket": "a\\u0000"}']
)
def test_damaged_file_names_none(short: Path, text: str) -> None:
    env = {"XDG_RUNTIME_DIR": "/nonexistent", "XDG_STATE_HOME": str(short)}
    private_bus_file(env).parent.mkdir()
    private_bus_file(env).write_text(text)

    assert find_bus(env) is None


def test_plain_file_is_no_bus(short: Path) -> None:
    (short / "bus").write_text("")
    assert find_bus({"XDG_RUNTIME_DIR": str(short), "HOME": str(short)}) is None


def test_private_bus_is_found_by_other_logins_while_it_lasts(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_login = {"XDG_RUNTIME_DIR": "/nonexistent", "HOME": str(short)}
    env = other_login | {"PATH": "/usr/bin:/bin"}

    with private_bus(env, WRITABLE):
        bus = find_bus(other_login)
        assert bus == Bus(env["DBUS_SESSION_BUS_ADDRESS"], BusKind.PRIVATE)
        assert find_bus(env) == bus, "it is the same for the run itself"
        assert private_bus_file(env).stat().st_mode & 0o077 == 0

    assert find_bus(other_login) is None
    assert "DBUS_SESSION_BUS_ADDRESS" not in env
    assert not private_bus_file(env).exists()


def test_two_runs_share_one_bus(short: Path) -> None:
    first = {"XDG_RUNTIME_DIR": "/nonexistent", "HOME": str(short), "PATH": "/usr/bin:/bin"}
    second = dict(first)
    with private_bus(first, WRITABLE) as own:
        with private_bus(second, WRITABLE) as also_own:
            assert (own, also_own) == (True, False)
            assert first["DBUS_SESSION_BUS_ADDRESS"] == second["DBUS_SESSION_BUS_ADDRESS"]
        assert find_bus(first), "the second leaves it as it is"


def test_session_bus_stuck_at_start_is_not_waited_for_forever(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bus_of_one_run, "TURN_SECONDS", 0.2)
    env = {"HOME": str(short)}
    named = private_bus_file(env)
    named.parent.mkdir(parents=True)
    with named.with_suffix(".lock").open("w") as stopped:
        fcntl.flock(stopped, fcntl.LOCK_EX)
        with (
            pytest.raises(StoreError, match="Another keytui") as caught,
            private_bus(env, WRITABLE),
        ):
            pass
    assert caught.value.next_step


def test_later_runs_name_is_left_alone(short: Path) -> None:
    env = {"XDG_RUNTIME_DIR": "/nonexistent", "HOME": str(short), "PATH": "/usr/bin:/bin"}
    with private_bus(env, WRITABLE):
        private_bus_file(env).write_text('{"socket": "/of/another"}')

    assert private_bus_file(env).exists()


def test_what_is_missing_is_named_with_how_to_install_it(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(short))
    with pytest.raises(StoreError) as caught, private_bus({"HOME": str(short)}, WRITABLE):
        pass
    assert "needs dbus-daemon and gnome-keyring-daemon" in caught.value.title
    assert "sudo apt install dbus gnome-keyring" in caught.value.next_step


def environment_of(process: int) -> dict[str, str]:
    lines = Path(f"/proc/{process}/environ").read_text().split("\0")
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_private_bus_and_its_keyring_inherit_no_secret(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets = (
        *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "GH_TOKEN"),
        *("KEYRING_CRYPTFILE_PASSWORD", "AWS_BEARER_TOKEN_BEDROCK"),
    )
    env = {"XDG_RUNTIME_DIR": str(short), "HOME": str(short), "PATH": os.environ["PATH"]}
    env |= dict.fromkeys(secrets, EXPOSED)
    with private_bus(env, WRITABLE):
        OsKeyring(env=env, gate=WRITABLE).unlock(Secret("correct horse"))
        assert OsKeyring(env=env, gate=WRITABLE).probe().writable
        address = env["DBUS_SESSION_BUS_ADDRESS"]
        with closing(open_dbus_connection(address)) as bus:
            ids = [
                unwrap_msg(bus.send_and_get_reply(message_bus.GetConnectionUnixProcessID(name)))[0]
                for name in ("org.freedesktop.DBus", "org.freedesktop.secrets")
            ]
        found = [environment_of(process) for process in ids]
    assert [one["HOME"] for one in found] == [str(short)] * 2
    assert not any(EXPOSED in one.values() for one in found)


def test_private_bus_is_closed_to_others_whatever_the_umask(short: Path) -> None:
    env = {"XDG_RUNTIME_DIR": str(short), "HOME": str(short), "PATH": os.environ["PATH"]}
    before = os.umask(0)
    try:
        with private_bus(env, WRITABLE):
            OsKeyring(env=env, gate=WRITABLE).unlock(Secret("correct horse"))
            assert OsKeyring(env=env, gate=WRITABLE).probe().writable
            socket_path = Path(env["DBUS_SESSION_BUS_ADDRESS"].removeprefix("unix:path="))
            made = [*short.rglob("*"), socket_path.parent]
            # A socket takes part in its folder's mode: dbus-daemon opens its own to all.
            modes = {path: path.lstat().st_mode for path in made if not path.is_socket()}
    finally:
        os.umask(before)
    assert len(modes) > 6
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}
