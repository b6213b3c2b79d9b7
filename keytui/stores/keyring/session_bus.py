"""Which D-Bus session a keyring is reached on, also where no desktop has set one up.

An SSH login often has no ``DBUS_SESSION_BUS_ADDRESS`` although the user's own bus is there, at
the place that systemd gives it; cron and ``credential_process`` have none either.

Two GNOME Keyrings on two buses would write over each other's file, so a private bus that lives
is taken before the user's own.
"""

import json
import os
import socket
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from keytui.core.private_files import keytui_folder, read_trusted

VARIABLE = "DBUS_SESSION_BUS_ADDRESS"
PRIVATE_BUS = "bus.json"
"""The file in keytui's state folder that names the private bus, while there is one."""
_MOST_BYTES = 4_000
CONNECT_SECONDS = 1.0
NO_PRIVATE_BUS = "KEYTUI_NO_PRIVATE_BUS"
"""Set for a process that is to find only what is there without any ``keytui --unlock-keyring``."""


class BusKind(Enum):
    """How a bus was found."""

    SESSION = "the session's own"
    USER = "the user's own"
    PRIVATE = "a private one of keytui's"


@dataclass(frozen=True, slots=True)
class Bus:
    """A D-Bus session.

    Attributes:
        address: As ``DBUS_SESSION_BUS_ADDRESS`` has it.
        kind: How it was found.
    """

    address: str
    kind: BusKind


def find_bus(env: Mapping[str, str]) -> Bus | None:
    """Return the bus to use; None where there is none. It may still not answer.

    Args:
        env: The environment; ``DBUS_SESSION_BUS_ADDRESS`` wins, even a stale one.
    """
    private = find_private_bus(env)
    if address := env.get(VARIABLE):
        own = private is not None and private.address == address
        return private if own else Bus(address, BusKind.SESSION)
    if private is not None:
        return private
    runtime = Path(env.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")
    if _is_own_socket(runtime / "bus"):
        return Bus(f"unix:path={runtime / 'bus'}", BusKind.USER)
    return None


def find_private_bus(env: Mapping[str, str]) -> Bus | None:
    """Return the bus that a running ``keytui --unlock-keyring`` has made, if it answers."""
    path = None if env.get(NO_PRIVATE_BUS) else named_socket(private_bus_file(env))
    if path is None:
        return None
    if _is_own_socket(path) and _is_own_folder(path.parent) and _answers(path):
        return Bus(f"unix:path={path}", BusKind.PRIVATE)
    return None


def named_socket(named: Path) -> Path | None:
    """Return the socket that a file names; None where it names none, or may be another's."""
    try:
        return Path(json.loads(read_trusted(named, _MOST_BYTES))["socket"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def has_keyring(env: Mapping[str, str]) -> bool:
    """Return whether GNOME Keyring has a file here; where it has none, starting it makes one."""
    data = Path(env.get("XDG_DATA_HOME") or Path(env.get("HOME") or Path.home(), ".local/share"))
    return any((data / "keyrings").glob("*.keyring"))


def private_bus_file(env: Mapping[str, str]) -> Path:
    """Return where the private bus is named: in keytui's state folder."""
    home = Path(env.get("HOME") or Path.home())
    return keytui_folder(env, "XDG_STATE_HOME", home / ".local/state") / PRIVATE_BUS


def _is_own_socket(path: Path) -> bool:
    """Return whether this is a socket of the user's: another's would see each secret."""
    status = _status(path)
    return status is not None and stat.S_ISSOCK(status.st_mode) and status.st_uid == os.getuid()


def _is_own_folder(path: Path) -> bool:
    """Return whether nobody else can put another socket in this one's place."""
    status = _status(path)
    if status is None or not stat.S_ISDIR(status.st_mode):
        return False
    return status.st_uid == os.getuid() and not status.st_mode & 0o077


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (OSError, ValueError):
        return None


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(CONNECT_SECONDS)
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True
