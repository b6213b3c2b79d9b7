"""Unlock GNOME Keyring with a password, without a desktop; child side.

The Secret Service's own way to unlock is a prompt on a screen. GNOME Keyring has a second one,
used by its own tools: methods of ``org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface``
that take the password over the bus, encrypted for the session, and say when it is wrong.
"""

import os
import shutil
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

from keytui.core.gate import Gate
from keytui.stores.keyring.codes import SECRET_SERVICE, Refusal, Trouble
from keytui.stores.keyring.session_bus import has_keyring

if TYPE_CHECKING:
    from jeepney.io.blocking import DBusConnection  # type: ignore[import-untyped]

_SERVICE_PATH = "/org/freedesktop/secrets"
_INTERFACE = "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface"
_DENIED = "org.gnome.keyring.Error.Denied"
_LABEL = {"org.freedesktop.Secret.Collection.Label": ("s", "login")}
"""What GNOME Keyring calls the collection that a login with the same password unlocks."""
_START_SECONDS = 5.0


def unlock_secret_service(password: str, gate: Gate) -> None:
    """Unlock the default collection, or make it with this password where there is none.

    None is made in read-only mode, nor with an empty password.

    Raises:
        Refusal: NO_BUS, NO_SERVICE, NO_COLLECTION, WRONG_PASSWORD, or FOREIGN where the Secret
            Service is another than GNOME Keyring and can only be unlocked in its own window.
    """
    import secretstorage
    from jeepney import DBusErrorResponse  # type: ignore[import-untyped]

    try:
        connection = secretstorage.dbus_init()
    except (secretstorage.SecretServiceNotAvailableException, OSError, ValueError, RuntimeError):
        raise Refusal(Trouble.NO_BUS) from None
    with closing(connection):

        def answers() -> bool:
            return bool(secretstorage.check_service_availability(connection))

        may_start = has_keyring(os.environ) or not gate.read_only
        if not answers() and not (may_start and _start_daemon(answers)):
            raise Refusal(Trouble.NO_SERVICE)
        denied = ""
        try:
            _unlock(connection, password.encode(), gate)
        except secretstorage.ItemNotFoundException:
            raise Refusal(Trouble.FOREIGN, backend=SECRET_SERVICE) from None
        except DBusErrorResponse as error:
            denied = str(error.name)
        if denied == _DENIED:
            raise Refusal(Trouble.WRONG_PASSWORD, backend=SECRET_SERVICE)
        if denied:
            raise Refusal(Trouble.FAILED, denied, SECRET_SERVICE)


def _unlock(connection: "DBusConnection", password: bytes, gate: Gate) -> None:
    import secretstorage
    from secretstorage.util import DBusAddressWrapper, format_secret, open_session

    keyring: Callable[..., Any] = DBusAddressWrapper(_SERVICE_PATH, _INTERFACE, connection).call
    master = format_secret(open_session(connection), password, "text/plain")
    try:
        collection = secretstorage.Collection(connection)
        locked = collection.is_locked()
    except secretstorage.ItemNotFoundException:
        if gate.read_only or not password.strip():
            raise Refusal(Trouble.NO_COLLECTION, backend=SECRET_SERVICE) from None
        (path,) = keyring("CreateWithMasterPassword", "a{sv}(oayays)", _LABEL, master)
        service = DBusAddressWrapper(_SERVICE_PATH, "org.freedesktop.Secret.Service", connection)
        service.call("SetAlias", "so", "default", path)
        return
    if locked:
        keyring("UnlockWithMasterPassword", "o(oayays)", collection.collection_path, master)


def _start_daemon(answers: Callable[[], bool]) -> bool:
    """Start GNOME Keyring where the bus does not do that by itself; it outlives this.

    Returns:
        Whether it answers.
    """
    daemon = shutil.which("gnome-keyring-daemon")
    if daemon is None:
        return False
    subprocess.run(
        [daemon, "--daemonize", "--components=secrets"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_START_SECONDS,
        check=False,
    )
    deadline = time.monotonic() + _START_SECONDS
    while not answers() and time.monotonic() < deadline:
        time.sleep(0.02)
    return answers()
