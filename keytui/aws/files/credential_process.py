"""Whether a ``credential_process`` gives a key to a process that knows nothing of this run.

The AWS tools run it later, in other shells and from cron: what only this run has, such as a
private D-Bus session or a keyring's password, is not there then.
"""

import json
import os
import selectors
import shlex
import subprocess
import time
from collections.abc import Mapping
from typing import IO

from keytui.aws.bounded_process import end_tree, marked, new_mark
from keytui.core.model import Secret
from keytui.stores.keyring.session_bus import NO_PRIVATE_BUS, VARIABLE, find_private_bus

SECONDS = 30.0
"""How long the program may take."""
LIMIT = 65_536
"""Bytes that are read of what it prints, at most."""


def gives_key(
    command: str, key_id: str, secret: Secret, env: Mapping[str, str], seconds: float = SECONDS
) -> bool:
    """Return whether a command prints a key with its secret, as the AWS tools want it.

    It runs without a terminal, and without any private D-Bus session of keytui's. What it prints
    stays here.

    Args:
        command: The command line, as in an AWS file.
        key_id: The key that it is to print.
        secret: The key's secret.
        env: The user's own environment, from before this run added to it.
        seconds: How long it may take.
    """
    mark = new_mark()
    try:
        program = subprocess.Popen(
            shlex.split(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=_own(env) | marked(mark),
        )
    except (OSError, ValueError):
        return False
    printed = None
    try:
        assert program.stdout is not None  # noqa: S101 - a pipe was asked for
        printed = _read(program.stdout, time.monotonic() + seconds)
        if printed is None or program.wait(seconds) != 0:
            return False
    except subprocess.TimeoutExpired:
        printed = None
        return False
    finally:
        if printed is None:  # One that ended by itself may leave an agent of the user's behind.
            end_tree(program.pid if program.poll() is None else None, mark)
        program.wait()
        if program.stdout:
            program.stdout.close()
    return _is_key(printed, key_id, secret)


def _own(env: Mapping[str, str]) -> dict[str, str]:
    own, private = dict(env), find_private_bus(env)
    if private and own.get(VARIABLE) == private.address:
        del own[VARIABLE]
    return own | {NO_PRIVATE_BUS: "1"}


def _read(pipe: IO[bytes], deadline: float) -> bytes | None:
    """Return all that is printed; None where it is too much, or does not end in time."""
    printed = b""
    with selectors.DefaultSelector() as ready:
        ready.register(pipe, selectors.EVENT_READ)
        while ready.select(max(0.0, deadline - time.monotonic())):
            part = os.read(pipe.fileno(), LIMIT)
            printed += part
            if not part:
                return printed
            if len(printed) > LIMIT:
                return None
    return None


def _is_key(printed: bytes, key_id: str, secret: Secret) -> bool:
    try:
        fields = json.loads(printed)
        found = fields["AccessKeyId"], fields["SecretAccessKey"], fields["Version"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
    named, text, version = found
    right = isinstance(text, str) and Secret(text).matches(secret)
    return right and named == key_id and version == 1
