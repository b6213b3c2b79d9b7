"""The child process that works the ``keyring`` library; the only place that imports it.

A keyring call can hang on a prompt for ever and a thread can't be killed, so the calls are
made here. ``python -P -m keytui.stores.keyring_child OP`` reads one JSON object from
standard input (``service``, ``username``, ``value``, ``limit`` in seconds) and writes one
to standard output: ``backend`` and ``value``, or ``trouble``, ``detail`` and ``backend``.
"""

import configparser
import json
import math
import os
import secrets
import signal
import sys
from contextlib import closing
from typing import TYPE_CHECKING

from keytui.hygiene import harden_process
from keytui.stores.keyring_codes import LABELS, PROBE_SERVICE, Op, Trouble

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_CHAINER = "keyring.backends.chainer"
_FAIL = "keyring.backends.fail"
_KWALLET = "keyring.backends.kwallet"
_SECRET_SERVICE = ("keyring.backends.SecretService", "keyring.backends.libsecret")
_SETTING = "PYTHON_KEYRING_BACKEND"

_BY_EXCEPTION = {
    "KeyringLocked": Trouble.LOCKED,
    "LockedException": Trouble.LOCKED,
    "PromptDismissedException": Trouble.LOCKED,
    "InitError": Trouble.NO_SERVICE,
    "NoKeyringError": Trouble.NO_SERVICE,
    "SecretServiceNotAvailableException": Trouble.NO_SERVICE,
    "ConnectionResetError": Trouble.NO_SERVICE,
}
"""By name, so that libraries which this platform may lack need not be imported."""


class Refusal(Exception):  # noqa: N818 - an answer, not a fault
    """The keyring can't or must not be used.

    Attributes:
        trouble: Why.
        detail: A name to show with it: a backend, a setting or an exception type.
        backend: The module of the backend, where it is a trusted one.
    """

    def __init__(self, trouble: Trouble, detail: str = "", backend: str = "") -> None:
        super().__init__(trouble)
        self.trouble = trouble
        self.detail = detail
        self.backend = backend


def open_keyring() -> "KeyringBackend":
    """Return the keyring to use: one that keytui trusts, and that is open.

    Raises:
        Refusal: There is none, it is locked, or it is one that loses or exposes secrets.
    """
    backend = _trusted(_configured_backend())
    module = type(backend).__module__
    if module in _SECRET_SERVICE:
        check_secret_service(getattr(backend, "preferred_collection", ""))
        forbid_prompts()
    elif module == _KWALLET:
        check_kwallet(getattr(backend, "bus_name", ""), getattr(backend, "object_path", ""))
    return backend


def _configured_backend() -> "KeyringBackend":
    """Return what the keyring library would use."""
    try:
        from keyring.core import get_keyring
    except ImportError:
        raise Refusal(Trouble.NO_LIBRARY) from None
    named = os.environ.get(_SETTING)
    try:
        backend = get_keyring()
    except (ImportError, AttributeError, ValueError, TypeError, configparser.Error):
        pass
    except (RuntimeError, OSError):
        # A setting names a real backend that does not work here: say why if that is known.
        if (named or "").rpartition(".")[0] in _SECRET_SERVICE:
            check_secret_service()
    else:
        return backend
    detail = "default-keyring in keyringrc.cfg" if named is None else f"{_SETTING}={named}"
    raise Refusal(Trouble.BAD_SETTING, detail)


def _trusted(backend: "KeyringBackend") -> "KeyringBackend":
    """Return the backend if it is on the list, taking it out of a chain where it is in one."""
    module = type(backend).__module__
    if module == _CHAINER:
        chain: list[KeyringBackend] = list(getattr(backend, "backends", ()))
        trusted = [link for link in chain if type(link).__module__ in LABELS]
        if trusted:
            return trusted[0]
        backend = chain[0] if chain else backend
    elif module in LABELS:
        return backend
    elif module == _FAIL and _SETTING not in os.environ:
        # keyring found nothing to use: say what is missing, which is more use than a name.
        check_secret_service()
    raise Refusal(Trouble.REFUSED, f"{type(backend).__module__}.{type(backend).__qualname__}")


def check_secret_service(collection_path: str = "") -> None:
    """See that the Secret Service has an unlocked collection, without any prompt (2 ms).

    Args:
        collection_path: The collection's D-Bus path; empty for the default one.

    Raises:
        Refusal: NO_BUS, NO_SERVICE, NO_COLLECTION or LOCKED.
    """
    try:
        import secretstorage.collection
        from jeepney import DBusErrorResponse  # type: ignore[import-untyped]
    except ImportError:
        return
    unavailable = secretstorage.SecretServiceNotAvailableException
    try:
        connection = secretstorage.dbus_init()
    except (unavailable, OSError, ValueError, RuntimeError):
        raise Refusal(Trouble.NO_BUS) from None
    with closing(connection):
        try:
            if not secretstorage.check_service_availability(connection):
                raise Refusal(Trouble.NO_SERVICE)
            path = collection_path or secretstorage.collection.DEFAULT_COLLECTION
            if secretstorage.Collection(connection, path).is_locked():
                raise Refusal(Trouble.LOCKED, backend=_SECRET_SERVICE[0])
        except secretstorage.ItemNotFoundException:
            raise Refusal(Trouble.NO_COLLECTION, backend=_SECRET_SERVICE[0]) from None
        except (unavailable, DBusErrorResponse, OSError):
            raise Refusal(Trouble.NO_SERVICE) from None


def forbid_prompts() -> None:
    """Make secretstorage refuse where it would ask the user.

    The collection may be locked between the check and the call, and an item can have a
    lock of its own; a prompt would wait without limit, perhaps on a screen far away.
    """
    try:
        import secretstorage.collection
        import secretstorage.item
        import secretstorage.util
    except ImportError:
        return

    def refuse(*_args: object, **_options: object) -> None:
        raise Refusal(Trouble.LOCKED)

    for module in (secretstorage.collection, secretstorage.item, secretstorage.util):
        vars(module)["exec_prompt"] = refuse


def check_kwallet(bus_name: str, object_path: str) -> None:
    """See that KWallet's network wallet is open; opening a closed one would prompt.

    Raises:
        Refusal: LOCKED, NO_BUS or NO_SERVICE.
    """
    from jeepney import DBusAddress, DBusErrorResponse, new_method_call
    from jeepney.io.blocking import open_dbus_connection  # type: ignore[import-untyped]
    from jeepney.wrappers import unwrap_msg  # type: ignore[import-untyped]

    wallet = DBusAddress(object_path, bus_name=bus_name, interface="org.kde.KWallet")
    try:
        with closing(open_dbus_connection()) as bus:
            call = new_method_call(wallet, "networkWallet")
            (name,) = unwrap_msg(bus.send_and_get_reply(call))
            call = new_method_call(wallet, "isOpen", "s", (name,))
            (is_open,) = unwrap_msg(bus.send_and_get_reply(call))
    except (OSError, KeyError, ValueError, RuntimeError):
        raise Refusal(Trouble.NO_BUS) from None
    except DBusErrorResponse:
        raise Refusal(Trouble.NO_SERVICE) from None
    if not is_open:
        raise Refusal(Trouble.LOCKED, backend=_KWALLET)


def answer(op: Op, service: str, username: str, value: str) -> dict[str, str]:
    """Do what is asked and return the reply.

    Raises:
        Refusal: It was not done.
    """
    backend = open_keyring()
    reply = {"backend": type(backend).__module__}
    if op is Op.CANARY:
        _prove(backend)
    elif op is Op.PUT:
        backend.set_password(service, username, value)
        reply["value"] = _read(backend, service, username)
    elif op is Op.GET:
        reply["value"] = _read(backend, service, username)
    elif op is Op.DELETE:
        _forget(backend, service, username)
    return reply


def _read(backend: "KeyringBackend", service: str, username: str) -> str:
    value = backend.get_password(service, username)
    if value is None:
        raise Refusal(Trouble.NOT_STORED)
    return value


def _forget(backend: "KeyringBackend", service: str, username: str) -> None:
    _read(backend, service, username)
    backend.delete_password(service, username)
    if backend.get_password(service, username) is not None:
        raise Refusal(Trouble.STILL_THERE)


def _prove(backend: "KeyringBackend") -> None:
    """Write, read and delete a made-up value of a stored key's size."""
    # A user name of its own, so that two probes at once don't read each other's value.
    username, value = secrets.token_hex(8), secrets.token_urlsafe(120)
    backend.set_password(PROBE_SERVICE, username, value)
    if backend.get_password(PROBE_SERVICE, username) != value:
        raise Refusal(Trouble.DIFFERS)
    _forget(backend, PROBE_SERVICE, username)


def _take_stdout() -> int:
    """Return standard output's descriptor and point 1 elsewhere: plugins may print."""
    reply_fd = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return reply_fd


def _reply_to(op: str, request: bytes) -> dict[str, str]:
    asked = json.loads(request)
    if hasattr(signal, "alarm"):
        # The parent may be killed while this waits: nobody would end it then.
        signal.alarm(math.ceil(asked["limit"]) + 1)
    return answer(Op(op), asked["service"], asked["username"], asked["value"])


def main(op: str) -> None:
    """Answer one request. Never raises: a traceback could show the secret."""
    harden_process()
    reply_fd = _take_stdout()
    try:
        reply = _reply_to(op, sys.stdin.buffer.read())
    except Refusal as refusal:
        reply = {
            "trouble": refusal.trouble,
            "detail": refusal.detail,
            "backend": refusal.backend,
        }
    except Exception as error:  # noqa: BLE001 - the child's one top-level guard
        name = type(error).__name__
        trouble = _BY_EXCEPTION.get(name, Trouble.FAILED)
        reply = {"trouble": trouble, "detail": name, "backend": ""}
    with os.fdopen(reply_fd, "w", encoding="utf-8") as out:
        json.dump(reply, out)


if __name__ == "__main__":
    main(sys.argv[1])
