"""The process that all runs of keytui are forked from: it has imported everything already.

It reads one JSON object a line from standard input (``argv``, ``env``, ``cwd``, ``files``:
the paths of standard input, output and error, empty for one that is closed, and ``terminal``:
whether they are one), and writes one a line: ``{"pid": …}`` for each request, and
``{"exited": …, "code": …}`` when a child has ended. It has one thread, since a fork copies no
other; it ends with its standard input.
"""

import atexit
import fcntl
import gc
import importlib
import io
import json
import os
import pkgutil
import select
import sys
import tempfile
import termios
import threading
import time
import traceback
from contextlib import suppress
from typing import Any, NoReturn, cast

LAST_FD = 4096
OTHER_PROCESSES = {"keytui.__main__", "keytui.aws.demo.account", "keytui.stores.keyring.child"}
"""Modules that no run imports: they are programs, or run in processes of their own."""


def warm_up() -> None:
    """Import what a run imports, and nothing that starts a thread."""
    from botocore.session import Session

    import keytui

    for found in pkgutil.walk_packages(keytui.__path__, "keytui."):
        if found.name not in OTHER_PROCESSES:
            importlib.import_module(found.name)
    shorten_waits()
    # The SDK imports much of itself only when a client is made.
    session = Session()
    for service in ("iam", "sts"):
        session.create_client(
            service,
            region_name="us-east-1",
            endpoint_url="http://127.0.0.1:9",
            aws_access_key_id="warm-up",
            aws_secret_access_key="warm-up",
        ).close()
    gc.collect()
    gc.freeze()
    assert threading.active_count() == 1, threading.enumerate()


def shorten_waits() -> None:
    """Wait a tenth as long as keytui does: here a reply comes at once or never.

    The true limits are tested where they are set.
    """
    from keytui.aws import clients
    from keytui.keys import operations as lifecycle
    from keytui.keys import recovery
    from keytui.rotation import keys as proof

    recovery.LOOK_SECONDS = lifecycle.SETTLE_SECONDS = 2.0
    proof.BETWEEN_SECONDS = 0.1
    for limits in (clients.ORDINARY, clients.FIRST_CALL, clients.ONE_ATTEMPT):
        limits["read_timeout"] = 5


def serve() -> None:
    """Fork a child for each request until standard input ends."""
    poll = select.poll()
    poll.register(0, select.POLLIN)
    children: dict[int, int] = {}
    pending = b""
    while True:
        for handle, _ in poll.poll():
            if handle in children:
                poll.unregister(handle)
                pid = children.pop(handle)
                os.close(handle)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                _tell({"exited": pid, "code": code})
                continue
            received = os.read(0, 65536)
            if not received:
                return
            *lines, pending = (pending + received).split(b"\n")
            for line in lines:
                pid = _fork(json.loads(line))
                _tell({"pid": pid})
                handle = os.pidfd_open(pid)
                children[handle] = pid
                poll.register(handle, select.POLLIN)


def _tell(message: dict[str, int]) -> None:
    os.write(1, json.dumps(message).encode() + b"\n")


def _fork(request: dict[str, Any]) -> int:
    # Opened here, so that the terminal has two ends whatever becomes of the child.
    modes = (os.O_RDONLY, os.O_WRONLY | os.O_CREAT, os.O_WRONLY | os.O_CREAT)
    if request["terminal"]:
        modes = (os.O_RDWR | os.O_NOCTTY,) * 3
    files = [
        os.open(path, mode, 0o600) if path else -1
        for path, mode in zip(request["files"], modes, strict=True)
    ]
    pid = os.fork()
    if pid == 0:
        _become(request, files)
    for handle in files:
        if handle >= 0:
            os.close(handle)
    return pid


def _become(request: dict[str, Any], files: list[int]) -> NoReturn:
    """Be a new process as far as keytui can tell, run it and end."""
    code = 1
    try:
        os.setsid()
        for number, handle in enumerate(files):
            if handle >= 0:
                os.dup2(handle, number)
            else:
                os.close(number)
        os.closerange(3, LAST_FD)
        if request["terminal"]:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["env"])
        time.tzset()
        tempfile.tempdir = None
        sys.argv = ["keytui", *request["argv"]]
        sys.stdin = _input()
        sys.stdout = _output(1, "strict")
        sys.stderr = _output(2, "backslashreplace")
        # Textual draws on these.
        vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)
        code = _run(request["argv"])
    except BaseException:  # noqa: BLE001 - the child's last frame
        traceback.print_exc()
    finally:
        os._exit(code)


def _run(argv: list[str]) -> int:
    """Run keytui as its console script does, up to what the interpreter does at its end."""
    from keytui.cli.main import main

    try:
        code = main(argv)
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:  # noqa: BLE001 - as the interpreter does
        traceback.print_exc()
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError:
        code = 120  # the interpreter's own status for that
    with suppress(OSError):
        if sys.stderr:
            sys.stderr.flush()
    return code


def _input() -> io.TextIOWrapper:
    try:
        return open(0, encoding="utf-8", closefd=False)
    except OSError:
        return _CLOSED


def _output(number: int, errors: str) -> io.TextIOWrapper:
    try:
        raw = open(number, "wb", closefd=False)  # noqa: SIM115
    except OSError:
        return _CLOSED
    lines = number == 2 or raw.isatty()
    return io.TextIOWrapper(raw, encoding="utf-8", errors=errors, line_buffering=lines)


_CLOSED = cast("io.TextIOWrapper", None)
"""What the interpreter has for a stream whose number is closed, whatever the types say."""


if __name__ == "__main__":
    warm_up()
    serve()
