"""A D-Bus session of keytui's own, where an SSH login has none: for one run."""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from keytui.core.errors import StateError, StoreError
from keytui.core.gate import Gate
from keytui.core.private_files import lock, make_private, open_lock, replace_whole
from keytui.stores.keyring.session_bus import (
    VARIABLE,
    find_private_bus,
    has_keyring,
    named_socket,
    private_bus_file,
)

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
