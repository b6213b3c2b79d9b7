"""The D-Bus session: which one there is, and one of keytui's own for a run where there is none."""

import ctypes
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from tempfile import TemporaryDirectory

from keytui.core.errors import StateError, StoreError
from keytui.core.gate import Gate
from keytui.core.private_files import (
    keytui_folder,
    lock,
    make_private,
    open_lock,
    read_trusted,
    replace_whole,
)

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


START_SECONDS = 5.0
TURN_SECONDS = 10.0
"""How long another keytui may take to start one."""
_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_VARIABLES = frozenset(
    {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TMPDIR", "TZ"}
    | {"DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "LD_LIBRARY_PATH", "G_MESSAGES_DEBUG"}
)
_VARIABLES_OF = ("LC_", "XDG_")
_HOW_TO_INSTALL = (
    "Install dbus and gnome-keyring, on Debian with: sudo apt install dbus gnome-keyring"
)


@contextmanager
def private_bus(env: MutableMapping[str, str], gate: Gate) -> Iterator[bool]:
    """Start a bus, name it in the environment and for other logins, and end it afterwards.

    A file in keytui's state folder names it, so that another login finds the keyring while
    this run lasts: ``keytui credentials``, and a second keytui, which then makes none. Two
    GNOME Keyrings of one user would write over each other's file.

    Args:
        env: The environment to name it in.
        gate: In read-only mode the bus is named in the environment alone, and there is one only
            for a keyring that is there: nothing is written into the state folder, nor for it.

    Yields:
        Whether it is this run's own; False where it is that of another keytui.

    Raises:
        StoreError: It can't be started.
        StateError: keytui's state folder can't be written.
        ReadOnlyError: In read-only mode there is no keyring to be unlocked.
    """
    if not has_keyring(env):
        gate.require_writable()
    with ExitStack() as stack:
        with nullcontext() if gate.read_only else _one_at_a_time(private_bus_file(env)):
            bus = find_private_bus(env)
            address = bus.address if bus else stack.enter_context(_own_bus(env, gate))
        before = env.get(VARIABLE)
        env[VARIABLE] = address
        try:
            yield bus is None
        finally:
            env.pop(VARIABLE)
            if before is not None:
                env[VARIABLE] = before


@contextmanager
def _one_at_a_time(named: Path) -> Iterator[None]:
    """Let no other keytui of the user look for a bus, or make one, meanwhile."""
    try:
        make_private(named.parent)
        turn = open_lock(named.with_suffix(".lock"))
    except OSError as error:
        raise _unwritable(named, error) from None
    try:
        if not lock(turn, TURN_SECONDS):
            raise StoreError(
                "Another keytui has been starting a private D-Bus session for "
                f"{TURN_SECONDS:.0f} s.",
                next_step="See whether it is stopped (ps), end it, and try again.",
            )
        yield
    finally:
        os.close(turn)


@contextmanager
def _own_bus(env: MutableMapping[str, str], gate: Gate) -> Iterator[str]:
    missing = [name for name in ("dbus-daemon", "gnome-keyring-daemon") if not shutil.which(name)]
    if missing:
        raise StoreError(
            f"A keyring without a desktop needs {' and '.join(missing)}, not found here.",
            next_step=f"{_HOW_TO_INSTALL}.",
        )
    # Short: a socket's path may have 107 characters.
    with TemporaryDirectory(prefix="keytui-bus-") as folder:
        socket = Path(folder) / "bus"
        daemon = _start(socket, env)
        named = private_bus_file(env)
        try:
            _wait_for(socket, daemon)
            if not gate.read_only:
                _name_it(named, socket)
            yield f"unix:path={socket}"
        finally:
            _forget(named, socket)
            _end(daemon)


def _start(socket: Path, env: MutableMapping[str, str]) -> subprocess.Popen[bytes]:
    # A session of its own: a cut line must not end it before a secret is rescued into it.
    return subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", "--nopidfile", f"--address=unix:path={socket}"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        umask=0o077,
        env=_needed(env),
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )


def _needed(env: Mapping[str, str]) -> dict[str, str]:
    """Return what the bus, and the keyring it starts, need of an environment: no secret."""
    return {
        name: value
        for name, value in env.items()
        if name in _VARIABLES or name.startswith(_VARIABLES_OF)
    }


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _wait_for(socket: Path, daemon: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not socket.exists():
        if daemon.poll() is not None or time.monotonic() > deadline:
            raise StoreError(
                "The private D-Bus session did not start.",
                next_step="Try: dbus-run-session -- true",
            )
        time.sleep(0.01)


def _name_it(named: Path, socket: Path) -> None:
    try:
        replace_whole(named, json.dumps({"socket": str(socket)}).encode())
    except OSError as error:
        raise _unwritable(named, error) from None


def _unwritable(named: Path, error: OSError) -> StateError:
    return StateError(
        f"keytui can't write {named}: {error.strerror or 'unknown reason'}.",
        next_step="Make that folder writable, or set XDG_STATE_HOME to another.",
    )


def _forget(named: Path, socket: Path) -> None:
    """Remove the file, unless a later run has named its own bus in it."""
    with suppress(OSError):
        if named_socket(named) == socket:
            named.unlink()


def _end(daemon: subprocess.Popen[bytes]) -> None:
    daemon.terminate()
    try:
        daemon.wait(START_SECONDS)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()
