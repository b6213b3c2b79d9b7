"""The child process that works the ``keyring`` library; the only place that imports it.

A keyring call can hang on a prompt for ever and a thread can't be killed, so the calls are
made here. ``python -P -m keytui.stores.keyring.child OP`` closes its memory to other processes,
writes ``READY`` to standard output, reads one JSON object from standard input (``kind``,
``read_only``, ``password``, ``service``, ``username``, ``value``, ``limit`` in seconds) and writes
one to standard output: ``backend``, ``chosen`` and ``value``, or ``trouble``, ``detail`` and
``backend``.
"""

import configparser
import json
import math
import os
import secrets
import signal
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from keytui.core.gate import Gate
from keytui.core.hardening import go_on_unseen, harden_process
from keytui.stores.keyring.codes import (
    CRYPTFILE,
    LABELS,
    NAMED,
    PASS,
    PROBE_SERVICE,
    READY,
    SECRET_SERVICE,
    Op,
    Refusal,
    Trouble,
)
from keytui.stores.keyring.session_bus import VARIABLE as BUS_VARIABLE
from keytui.stores.keyring.session_bus import find_bus

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

_CHAINER = "keyring.backends.chainer"
_FAIL = "keyring.backends.fail"
_KWALLET = "keyring.backends.kwallet"
_SECRET_SERVICE = (SECRET_SERVICE, "keyring.backends.libsecret")
_SETTING = "PYTHON_KEYRING_BACKEND"

_BY_KIND = {"pass": PASS, "cryptfile": CRYPTFILE}

TROUBLE_OF = {
    "KeyringLocked": Trouble.LOCKED,
    "LockedException": Trouble.LOCKED,
    "PromptDismissedException": Trouble.LOCKED,
    "InitError": Trouble.NO_SERVICE,
    "NoKeyringError": Trouble.NO_SERVICE,
    "SecretServiceNotAvailableException": Trouble.NO_SERVICE,
    "ConnectionResetError": Trouble.NO_SERVICE,
    "CalledProcessError": Trouble.PASS_FAILED,
}
"""By name, so that libraries which this platform may lack need not be imported."""


def open_keyring(gate: Gate, kind: str = "os", password: str = "") -> "KeyringBackend":
    """Return the keyring to use: one that keytui trusts, and that is open.

    Args:
        gate: Whether an encrypted file may be made where there is none yet.
        kind: ``os`` for what the keyring library chooses, or the name of another.
        password: What unlocks an encrypted file.

    Raises:
        Refusal: There is none, it is locked, or it is one that loses or exposes secrets.
    """
    if kind != "os":
        from keytui.stores.keyring.named import open_named

        return open_named(kind, password, gate)
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
        links: list[KeyringBackend] = list(getattr(backend, "backends", ()))
        chain = [link for link in links if not type(link).__module__.startswith(tuple(NAMED))]
        trusted = [link for link in chain if type(link).__module__ in LABELS]
        if trusted:
            return trusted[0]
        backend = chain[0] if chain else backend
    elif module in LABELS:
        return backend
    nothing = (_FAIL, _CHAINER, *NAMED)
    if type(backend).__module__.startswith(nothing) and _SETTING not in os.environ:
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


def answer(op: Op, asked: Mapping[str, Any]) -> dict[str, str]:
    """Do what is asked and return the reply.

    Raises:
        Refusal: It was not done.
    """
    if bus := find_bus(os.environ):
        os.environ[BUS_VARIABLE] = bus.address
    kind, password, gate = asked["kind"], asked["password"], Gate(asked["read_only"])
    if op is Op.UNLOCK and kind == "os":
        from keytui.stores.keyring.unlock import unlock_secret_service

        unlock_secret_service(password, gate)
    backend = open_keyring(gate, kind, password)
    service, username = asked["service"], asked["username"]
    reply = {"backend": type(backend).__module__ if kind == "os" else _BY_KIND[kind]}
    if op in {Op.STATE, Op.CANARY} and kind == "os":
        reply["chosen"] = _why_chosen()
    if op is Op.CANARY:
        _prove(backend)
    elif op is Op.PUT:
        backend.set_password(service, username, asked["value"])
        reply["value"] = _read(backend, service, username)
    elif op is Op.GET:
        reply["value"] = _read(backend, service, username)
    elif op is Op.DELETE:
        _forget(backend, service, username)
    return reply


def _why_chosen() -> str:
    """Return why the keyring library uses this backend, in a clause."""
    from keyring.util.platform_ import config_root

    if _SETTING in os.environ:
        return f"{_SETTING} names it"
    named = Path(config_root(), "keyringrc.cfg").exists()
    return "keyringrc.cfg names it" if named else "the best of those that work here"


def _read(backend: "KeyringBackend", service: str, username: str) -> str:
    value = backend.get_password(service, username)
    if value is None:
        raise Refusal(Trouble.NOT_STORED)
    return value


def _forget(backend: "KeyringBackend", service: str, username: str) -> None:
    _read(backend, service, username)
    _delete(backend, service, username)


def _delete(backend: "KeyringBackend", service: str, username: str) -> None:
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
    _delete(backend, PROBE_SERVICE, username)


def _take_stdout() -> int:
    """Return standard output's descriptor and point 1 elsewhere: plugins may print."""
    reply_fd = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return reply_fd


def _read_request() -> bytes:
    """Return the request and point standard input elsewhere: what a plugin starts inherits it."""
    request = sys.stdin.buffer.read()
    nowhere = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nowhere, 0)
    os.close(nowhere)
    return request


def _reply_to(op: str, request: bytes) -> dict[str, str]:
    asked = json.loads(request)
    if hasattr(signal, "alarm"):
        # The parent may be killed while this waits: nobody would end it then.
        signal.alarm(math.ceil(asked["limit"]) + 1)
    return answer(Op(op), asked)


def main(op: str) -> None:
    """Answer one request. Never raises: a traceback could show the secret."""
    harden_process()
    go_on_unseen()
    reply_fd = _take_stdout()
    os.write(reply_fd, READY)
    # gpg's agent would ask for a passphrase on the terminal that keytui draws on.
    gpg_options = os.environ.get("PASSWORD_STORE_GPG_OPTS", "")
    os.environ["PASSWORD_STORE_GPG_OPTS"] = f"{gpg_options} --pinentry-mode=error".strip()
    try:
        reply = _reply_to(op, _read_request())
    except Refusal as refusal:
        reply = {
            "trouble": refusal.trouble,
            "detail": refusal.detail,
            "backend": refusal.backend,
        }
    except Exception as error:  # noqa: BLE001 - the child's one top-level guard
        name = type(error).__name__
        trouble = TROUBLE_OF.get(name, Trouble.FAILED)
        reply = {"trouble": trouble, "detail": name, "backend": ""}
    with os.fdopen(reply_fd, "w", encoding="utf-8") as out:
        json.dump(reply, out)


if __name__ == "__main__":
    main(sys.argv[1])
