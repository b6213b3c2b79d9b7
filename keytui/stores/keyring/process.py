"""Runs the keyring child: one request, one reply, within a time limit."""

import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass

from keytui.core.model import Secret
from keytui.stores.helpers import HelperError, talk
from keytui.stores.keyring.codes import READY, Op, Refusal, Trouble

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


def ask_here(
    command: Sequence[str], request: Secret, timeout: float, _env: Mapping[str, str]
) -> Reply:
    """Answer one request; as ``ask`` does it in a child. Main thread only.

    Args:
        command: Its last word is the operation.
        request: The JSON with what is asked.
        timeout: Seconds until it is given up.
    """
    from keytui.stores.keyring import child as keyring_child

    try:
        with _silence(), _time_limit(timeout):
            reply = keyring_child.answer(Op(command[-1]), json.loads(request.reveal()))
    except Refusal as refusal:
        return Reply(refusal.trouble, refusal.detail, refusal.backend)
    except _TimeUpError:
        return Reply(Trouble.TIMEOUT)
    except Exception as error:  # noqa: BLE001 - the keyring library's plugins raise anything
        name = type(error).__name__
        return Reply(keyring_child.TROUBLE_OF.get(name, Trouble.FAILED), name)
    value = Secret(reply["value"]) if "value" in reply else None
    return Reply(backend=reply["backend"], value=value)


class _TimeUpError(BaseException):
    """Not an Exception: the keyring library must not take it for one of its own."""


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def give_up(_signal: int, _frame: object) -> None:
        raise _TimeUpError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep what plugins and their children print away: standard output is for the answer."""
    with open(os.devnull, "w") as nowhere:  # noqa: PTH123 - a device, no path
        kept = [os.dup(1), os.dup(2)]
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        try:
            with redirect_stdout(nowhere), redirect_stderr(nowhere):
                yield
        finally:
            for number, descriptor in enumerate(kept, start=1):
                os.dup2(descriptor, number)
                os.close(descriptor)
