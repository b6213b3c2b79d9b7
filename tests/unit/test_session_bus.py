"""Which D-Bus session is found: the login's, the user's own, a private one of keytui's."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from keytui.errors import StoreError
from keytui.stores.private_bus import private_bus
from keytui.stores.session_bus import Bus, BusKind, find_bus, private_bus_file

ADDRESS = "unix:path=/somewhere"


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose sockets' paths are short enough."""
    with TemporaryDirectory(prefix="keytui-") as folder:
        yield Path(folder)


def listening(path: Path) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(path))
    return server


def test_the_logins_own_bus_wins(short: Path) -> None:
    with listening(short / "bus"):
        env = {"DBUS_SESSION_BUS_ADDRESS": ADDRESS, "XDG_RUNTIME_DIR": str(short)}
        assert find_bus(env) == Bus(ADDRESS, BusKind.SESSION)


def test_then_the_users_own(short: Path) -> None:
    with listening(short / "bus"):
        env = {"XDG_RUNTIME_DIR": str(short), "HOME": str(short)}
        assert find_bus(env) == Bus(f"unix:path={short}/bus", BusKind.USER)


def test_then_a_private_one(short: Path) -> None:
    env = {"XDG_RUNTIME_DIR": "/nonexistent", "HOME": str(short)}
    named = private_bus_file(env)
    named.parent.mkdir(parents=True)
    named.write_text(json.dumps({"socket": str(short / "private")}))
    assert find_bus(env) is None, "it is named, but gone"

    with listening(short / "private"):
        assert find_bus(env) == Bus(f"unix:path={short}/private", BusKind.PRIVATE)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"socket": 7}', "\x00", '{"socket": "a\\u0000"}']
)
def test_a_damaged_file_names_none(short: Path, text: str) -> None:
    env = {"XDG_RUNTIME_DIR": "/nonexistent", "XDG_STATE_HOME": str(short)}
    private_bus_file(env).parent.mkdir()
    private_bus_file(env).write_text(text)

    assert find_bus(env) is None


def test_a_plain_file_is_no_bus(short: Path) -> None:
    (short / "bus").write_text("")
    assert find_bus({"XDG_RUNTIME_DIR": str(short), "HOME": str(short)}) is None


def test_a_private_bus_is_found_by_other_logins_while_it_lasts(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_login = {"XDG_RUNTIME_DIR": "/nonexistent", "HOME": str(short)}
    env = other_login | {"PATH": "/usr/bin:/bin"}

    with private_bus(env):
        bus = find_bus(other_login)
        assert bus == Bus(env["DBUS_SESSION_BUS_ADDRESS"], BusKind.PRIVATE)
        assert find_bus(env) == bus, "it is the same for the run itself"
        assert private_bus_file(env).stat().st_mode & 0o077 == 0

    assert find_bus(other_login) is None
    assert "DBUS_SESSION_BUS_ADDRESS" not in env
    assert not private_bus_file(env).exists()


def test_a_later_runs_name_is_left_alone(short: Path) -> None:
    env = {"XDG_RUNTIME_DIR": "/nonexistent", "HOME": str(short), "PATH": "/usr/bin:/bin"}
    with private_bus(env):
        private_bus_file(env).write_text('{"socket": "/of/another"}')

    assert private_bus_file(env).exists()


def test_what_is_missing_is_named_with_how_to_install_it(
    short: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(short))
    with pytest.raises(StoreError) as caught, private_bus({"HOME": str(short)}):
        pass
    assert "needs dbus-daemon and gnome-keyring-daemon" in caught.value.title
    assert "sudo apt install dbus gnome-keyring" in caught.value.next_step
