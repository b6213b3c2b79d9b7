"""Runs the keyring child: one request, one reply, within a time limit."""

import contextlib
import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from keytui.model import Secret
from keytui.stores.keyring.codes import Trouble


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


def ask(
    command: Sequence[str], request: Secret, timeout: float, env: Mapping[str, str] | None
) -> Reply:
    """Run the child and return its reply; whatever it does, return in time.

    The child gets a session of its own: no terminal to prompt on, no Ctrl-C, and a process
    group that can be killed as a whole.

    Args:
        command: The child's command line; holds no secret.
        request: The JSON to write to its standard input.
        timeout: Seconds until it is killed.
        env: Its environment; None for keytui's own.
    """
    try:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=None if env is None else dict(env),
        )
    except OSError as error:
        return Reply(Trouble.CRASHED, type(error).__name__)
    try:
        output, _ = child.communicate(request.reveal().encode(), timeout=timeout)
    except subprocess.TimeoutExpired:
        return Reply(Trouble.TIMEOUT)
    except (OSError, ValueError):
        return Reply(Trouble.CRASHED)
    finally:
        _end(child)
    return _parse(Secret(output.decode(errors="replace")))


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the child's group and close its pipes; at once where it is over."""
    if child.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=1)
    for pipe in (child.stdin, child.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


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
    except (ValueError, KeyError, TypeError):
        return Reply(Trouble.CRASHED)


def _printable(text: str) -> str:
    # Names of classes and settings, which are whatever their authors made them.
    return "".join(char if char.isprintable() else "?" for char in text[:120])
