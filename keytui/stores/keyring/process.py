"""Runs the keyring child: one request, one reply, within a time limit."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keytui.model import Secret
from keytui.stores.helpers import HelperError, talk
from keytui.stores.keyring.codes import READY, Trouble

_MOST_BYTES = 1_000_000
"""A reply with a stored key takes a thousandth of it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the child answered.

    Attributes:
        trouble: Why it was not done; None where it was.
        detail: A name that belongs to the trouble.
        backend: The module of the keyring backend in use; empty where unknown.
        value: The value read from the keyring; None where none was asked for.
        chosen: Why this backend is the one; empty where unknown.
    """

    trouble: Trouble | None = None
    detail: str = ""
    backend: str = ""
    value: Secret | None = None
    chosen: str = ""


def ask(command: Sequence[str], request: Secret, timeout: float, env: Mapping[str, str]) -> Reply:
    """Run the child and return its reply; whatever it does, return in time.

    Args:
        command: The child's command line; holds no secret.
        request: The JSON to write to its standard input.
        timeout: Seconds until it is killed.
        env: Its environment.
    """
    try:
        output, _ = talk(
            command,
            request,
            env=env,
            seconds=timeout,
            most_bytes=_MOST_BYTES,
            ready=READY,
            apart=True,
        )
    except TimeoutError:
        return Reply(Trouble.TIMEOUT)
    except HelperError as error:
        return Reply(Trouble.CRASHED, str(error))
    return _parse(output)


def _parse(output: Secret) -> Reply:
    # The exceptions' own attributes hold the output, so none of them leaves this function.
    try:
        reply = json.loads(output.reveal())
        if "trouble" in reply:
            trouble = Trouble(reply["trouble"])
            return Reply(trouble, _printable(str(reply["detail"])), str(reply["backend"]))
        value = Secret(str(reply["value"])) if "value" in reply else None
        chosen = _printable(str(reply.get("chosen", "")))
        return Reply(backend=str(reply["backend"]), value=value, chosen=chosen)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Reply(Trouble.CRASHED)


def _printable(text: str) -> str:
    # Names of classes and settings, which are whatever their authors made them.
    return "".join(char if char.isprintable() else "?" for char in text[:120])
