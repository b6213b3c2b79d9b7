"""What goes wrong with an OS keyring, on a real gnome-keyring.

The daemon can be locked and unlocked again, stopped (it hangs) and killed. What no daemon
does on demand, such as giving back something else than it was given, is done in keytui's
keyring child: ``BrokenLibrary`` puts a ``sitecustomize.py`` on its PYTHONPATH that wraps the
``keyring`` library's backend there. All of it can be switched in the middle of a run.
"""

import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from enum import Enum
from pathlib import Path

import secretstorage
from jeepney import DBusAddress, new_method_call  # type: ignore[import-untyped]
from jeepney.wrappers import unwrap_msg  # type: ignore[import-untyped]
from secretstorage.util import format_secret, open_session

from keytui.stores.keyring.codes import Op
from tests.support.secret_service import SecretService, secret_service

PASSWORD = "correct horse"
_SERVICE = "org.freedesktop.secrets"
_INTERNAL = DBusAddress(
    "/org/freedesktop/secrets",
    _SERVICE,
    "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface",
)
"""gnome-keyring's own way to be unlocked without a prompt; PAM's module uses it."""


class Daemon(Enum):
    """What is done to the daemon."""

    LOCKED = "locked"
    STOPPED = "stopped"
    KILLED = "killed"


class Library(Enum):
    """What is done to the keyring library in keytui's child."""

    DIFFERS = "differs"
    """What is read is not what was written."""
    FORGETS = "forgets"
    """Nothing is written, without an error."""
    RAISES = "raises"
    """Writing fails, and nothing is written."""
    RAISES_AFTER = "raises after"
    """Writing fails, yet all is written."""
    DIES = "dies"
    """The child ends before anything is written."""
    DIES_AFTER = "dies after"
    """The child ends once all is written."""
    HANGS = "hangs"
    """Writing never ends, and nothing is written; keytui gives up after 10 s."""


def break_daemon(service: SecretService, how: Daemon) -> None:
    """Do something to the daemon; ``mend`` undoes all but the killing."""
    assert service.daemon
    match how:
        case Daemon.LOCKED:
            service.lock()
        case Daemon.STOPPED:
            service.daemon.send_signal(signal.SIGSTOP)
        case Daemon.KILLED:
            service.kill_daemon()


def mend(service: SecretService) -> bool:
    """Let the daemon go on, unlocked; return whether it can."""
    assert service.daemon
    if service.daemon.poll() is not None:
        return False
    service.daemon.send_signal(signal.SIGCONT)
    if service.is_locked():
        unlock(service)
    return True


def unlock(service: SecretService, password: str = PASSWORD) -> None:
    """Unlock the default collection without a prompt."""
    with closing(service.connect()) as connection:
        session = open_session(connection)
        path = secretstorage.Collection(connection).collection_path
        words = (path, format_secret(session, password.encode(), "text/plain"))
        call = new_method_call(_INTERNAL, "UnlockWithMasterPassword", "o(oayays)", words)
        unwrap_msg(connection.send_and_get_reply(call))


class ServicePool:
    """A Secret Service for one test after another, whatever they do to it.

    What was kept stays, also where the daemon has to be started anew.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._service: SecretService | None = None

    def take(self) -> SecretService:
        """Return an unlocked service; the last one, unless its daemon is gone."""
        if self._service is None or not mend(self._service):
            self._stack.close()
            started = secret_service(self._folder, PASSWORD)
            self._service = self._stack.enter_context(started)
        return self._service

    def close(self) -> None:
        """End the service."""
        if self._service:
            mend(self._service)  # A stopped process would not hear that it is to end.
        self._stack.close()


@contextmanager
def service_pool(folder: Path) -> Iterator[ServicePool]:
    """Keep a service while the block runs."""
    pool = ServicePool(folder)
    try:
        yield pool
    finally:
        pool.close()


class BrokenLibrary:
    """The keyring library of keytui's child, which does as it is told.

    Attributes:
        env: To add to keytui's environment.
    """

    def __init__(self, folder: Path) -> None:
        """Lay the trap, which does nothing yet.

        Args:
            folder: A folder of its own, made where it is missing.
        """
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sitecustomize.py").write_text(_SITECUSTOMIZE)
        self._order = folder / "order.json"
        self._calls = folder / "calls"
        self.env = {"PYTHONPATH": str(folder)}

    def set(self, how: Library, op: Op = Op.PUT) -> None:
        """Break what the child does from now on; the probe's own writing is left alone."""
        fresh = self._order.with_suffix(".new")
        fresh.write_text(json.dumps({"how": how.value, "op": op.value}))
        fresh.replace(self._order)

    def clear(self) -> None:
        """Break nothing any more."""
        self._order.unlink(missing_ok=True)

    def calls(self) -> list[str]:
        """Return what was asked of the library: operation and method, such as ``put set``."""
        return self._calls.read_text().splitlines() if self._calls.exists() else []


_SITECUSTOMIZE = '''"""Breaks the keyring library in keytui's child, as order.json says."""

import sys

if "keytui.stores.keyring.child" in sys.orig_argv:
    import json
    import os
    import time
    from importlib.machinery import PathFinder
    from pathlib import Path

    _HERE = Path(__file__).parent
    _OP = sys.orig_argv[-1]
    _BACKEND = "keyring.backends.SecretService"

    def _order(method):
        with open(_HERE / "calls", "a") as calls:
            calls.write(f"{_OP} {method}\\n")
        try:
            order = json.loads((_HERE / "order.json").read_text())
        except FileNotFoundError:
            return ""
        return order["how"] if order["op"] == _OP else ""

    def _wrap(keyring):
        real_set, real_get = keyring.set_password, keyring.get_password

        def set_password(self, service, username, password):
            how = _order("set")
            if how == "hangs":
                time.sleep(3600)
            if how == "dies":
                os._exit(1)
            if how not in ("raises", "forgets"):
                real_set(self, service, username, password)
            if how == "dies after":
                os._exit(1)
            if how.startswith("raises"):
                raise RuntimeError("broken on purpose")

        def get_password(self, service, username):
            how = _order("get")
            value = real_get(self, service, username)
            return value[::-1] if how == "differs" and value else value

        keyring.set_password, keyring.get_password = set_password, get_password

    class _Finder:
        @staticmethod
        def find_spec(name, path=None, target=None):
            if name != _BACKEND:
                return None
            spec = PathFinder.find_spec(name, path, target)
            load = spec.loader.exec_module

            def exec_module(module):
                load(module)
                _wrap(module.Keyring)

            spec.loader.exec_module = exec_module
            return spec

    sys.meta_path.insert(0, _Finder)
'''
