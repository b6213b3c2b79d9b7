"""Asks the keyring in this process: for a command that does nothing else and then ends.

A child that can be killed costs a second interpreter, and ``aws`` waits for each one. A time
limit holds here too, by a signal.
"""

import json
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout

from keytui.model import Secret
from keytui.stores.keyring.codes import Op, Refusal, Trouble
from keytui.stores.keyring.process import Reply


def ask_here(
    command: Sequence[str], request: Secret, timeout: float, _env: Mapping[str, str]
) -> Reply:
    """Answer one request; as ``keyring_process.ask`` does it in a child. Main thread only.

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
