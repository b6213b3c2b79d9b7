"""A real, unlocked Secret Service of the tests' own: dbus-daemon and gnome-keyring-daemon.

``secret_service(tmp_path)`` starts one on a private bus with a home of its own; the fixtures
of ``tests.support.keyring_fixtures`` give one to each test worker or to each test.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import secretstorage
from jeepney import DBusErrorResponse  # type: ignore[import-untyped]
from jeepney.io.blocking import (  # type: ignore[import-untyped]
    DBusConnection,
    open_dbus_connection,
)
from secretstorage.collection import SESSION_COLLECTION
from secretstorage.util import add_match_rules

PATIENCE = 30.0
"""Seconds to wait for a state before a test fails; nothing takes that long."""

_PACKAGES = {
    "dbus-daemon": "dbus",
    "gnome-keyring-daemon": "gnome-keyring",
    "secret-tool": "libsecret-tools",
}

_BUS_CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  {services}
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


def wait_until(state: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Return once a state holds; fail naming it when it doesn't within ``seconds``."""
    deadline = time.monotonic() + seconds
    while not state():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {seconds:g} s: {what}")
        time.sleep(0.01)


@dataclass(frozen=True, slots=True)
class SecretService:
    """A running Secret Service.

    Attributes:
        env: A whole environment for programs that are to use it (and no other keyring).
        daemon: gnome-keyring-daemon; None where none was started.
        home: The home folder in ``env``.
    """

    env: dict[str, str]
    daemon: subprocess.Popen[bytes] | None
    home: Path

    @property
    def alive(self) -> bool:
        """Whether its daemon is there."""
        return self.daemon is None or self.daemon.poll() is None

    def connect(self) -> DBusConnection:
        """Return a new connection to the private bus; the caller closes it."""
        connection = open_dbus_connection(self.env["DBUS_SESSION_BUS_ADDRESS"])
        add_match_rules(connection)
        return connection

    def lookup(self, key_id: str) -> str | None:
        """Return what ``secret-tool`` finds for an access key; None where it finds nothing."""
        return self.find(service=f"keytui:{key_id}", username=key_id)

    def find(self, **attributes: str) -> str | None:
        """Return what ``secret-tool lookup`` finds for these attributes."""
        words = [word for pair in attributes.items() for word in pair]
        found = subprocess.run(
            ["secret-tool", "lookup", *words],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return found.stdout if found.returncode == 0 else None

    def store(self, key_id: str, value: str) -> None:
        """Put any value where keytui would keep an access key, by ``secret-tool``."""
        command = ["secret-tool", "store", "--label", key_id]
        attributes = ["service", f"keytui:{key_id}", "username", key_id]
        subprocess.run(
            [*command, *attributes],
            env=self.env,
            input=value.encode(),
            timeout=PATIENCE,
            check=True,
        )

    def item_count(self) -> int:
        """Return how many items the default collection holds."""
        with closing(self.connect()) as connection:
            return len(list(secretstorage.Collection(connection).get_all_items()))

    def lock(self) -> None:
        """Lock the default collection."""
        with closing(self.connect()) as connection:
            secretstorage.Collection(connection).lock()

    def is_locked(self) -> bool:
        """Return whether the default collection is locked."""
        with closing(self.connect()) as connection:
            return secretstorage.Collection(connection).is_locked()

    def kill_daemon(self) -> None:
        """Kill gnome-keyring-daemon and wait until the bus has noticed."""
        assert self.daemon is not None
        self.daemon.kill()
        self.daemon.wait()
        wait_until(lambda: not self._answers(SESSION_COLLECTION), "the daemon is off the bus")

    def _answers(self, collection: str) -> bool:
        try:
            with closing(self.connect()) as connection:
                secretstorage.Collection(connection, collection)
        except (secretstorage.SecretStorageException, DBusErrorResponse, OSError):
            return False
        return True


@contextmanager
def secret_service(
    tmp_path: Path, password: str = "correct horse", *, daemon: bool = True, services: str = ""
) -> Iterator[SecretService]:
    """Start a private bus and an unlocked gnome-keyring on it; end both afterwards.

    Args:
        tmp_path: Where the home folder is made.
        password: The keyring's password. Empty: a daemon that has no collection.
        daemon: Whether a keyring daemon is started at all.
        services: XML for the bus's configuration, such as a folder of activated services.
    """
    for command, package in _PACKAGES.items():
        if shutil.which(command) is None:
            pytest.fail(f"{command} is missing: apt-get install {package}")
    with ExitStack() as stack:
        # Short: a socket's path may have 107 characters.
        runtime = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="keytui-")))
        home = tmp_path / "keyring-home"
        env = _environment(home, runtime)
        config = runtime / "bus.conf"
        config.write_text(_BUS_CONFIG.format(socket=runtime / "bus", services=services))
        _start(["dbus-daemon", "--nofork", "--nopidfile", f"--config-file={config}"], env, stack)
        wait_until((runtime / "bus").exists, "dbus-daemon listens")
        process = None
        if daemon:
            process = _start_keyring(env, password, stack)
        service = SecretService(env, process, home)
        if process is not None:
            _wait_for_keyring(service, process, unlocked=bool(password))
        yield service


def _environment(home: Path, runtime: Path) -> dict[str, str]:
    data = home / ".local" / "share"
    data.mkdir(parents=True, exist_ok=True)
    dropped = ("DISPLAY", "WAYLAND_DISPLAY", "PYTHON_KEYRING_BACKEND", "GNOME_KEYRING_CONTROL")
    env = {name: value for name, value in os.environ.items() if name not in dropped}
    return env | {
        "HOME": str(home),
        "XDG_DATA_HOME": str(data),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_RUNTIME_DIR": str(runtime),
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime / 'bus'}",
    }


def _start_keyring(env: dict[str, str], password: str, stack: ExitStack) -> subprocess.Popen[bytes]:
    command = ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"]
    process = _start(command, env, stack)
    assert process.stdin is not None
    process.stdin.write(password.encode())
    process.stdin.close()
    return process


def _wait_for_keyring(
    service: SecretService, process: subprocess.Popen[bytes], *, unlocked: bool
) -> None:
    def ready() -> bool:
        if process.poll() is not None:
            pytest.fail(f"gnome-keyring-daemon ended with {process.returncode}")
        if not service._answers(SESSION_COLLECTION):
            return False
        return not unlocked or not service.is_locked()

    wait_until(ready, "gnome-keyring-daemon is unlocked on the bus")


def _start(command: list[str], env: dict[str, str], stack: ExitStack) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    stack.callback(_stop, process)
    return process


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin is not None and not process.stdin.closed:
        process.stdin.close()


@contextmanager
def silent_prompter(service: SecretService, log: Path) -> Iterator[None]:
    """Answer for the desktop's password prompt, and never answer: a screen nobody looks at.

    Each call that it gets adds a line to ``log``.
    """
    with bus_program(service, log, "tests.support.fake_prompter"):
        yield


@contextmanager
def bus_program(service: SecretService, log: Path, module: str, *words: str) -> Iterator[None]:
    """Run one of the tests' own D-Bus programs, which makes ``log`` once it is on the bus."""
    root = str(Path(__file__).parents[2])
    with ExitStack() as stack:
        command = [sys.executable, "-m", module, str(log), *words]
        _start(command, service.env | {"PYTHONPATH": root}, stack)
        wait_until(log.exists, f"{module} is on the bus")
        yield
