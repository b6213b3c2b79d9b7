"""Ends a program with all that it has started, also what has left its process group."""

import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_VARIABLE = "KEYTUI_STARTED"
_PROC = Path("/proc")
_ROUNDS = 20
"""So often it is looked again for what was being started meanwhile."""


def new_mark() -> str:
    """Return what tells the processes of one program from all others."""
    return secrets.token_hex(16)


def marked(mark: str) -> dict[str, str]:
    """Return what to add to a program's environment: what it starts inherits that."""
    return {_VARIABLE: mark}


def end_tree(program: int | None, mark: str) -> None:
    """Kill a program and what it has started.

    Where there is no /proc, that is its own process group, if it has one.

    Args:
        program: Its process ID, which has not been waited for; None where it has ended.
        mark: What its environment is marked with.
    """
    for _ in range(_ROUNDS):
        started = {*_marked(mark), *(_descendants(program) if program else ())} - {program}
        with suppress(ProcessLookupError, PermissionError):
            if program and os.getpgid(program) == program:
                os.killpg(program, signal.SIGKILL)
        for process in (*started, program):
            with suppress(ProcessLookupError, PermissionError):
                if process and process != os.getpid():
                    os.kill(process, signal.SIGKILL)
        if not started:
            return


def _descendants(program: int) -> set[int]:
    children: dict[int, list[int]] = {}
    for process in _processes():
        with suppress(OSError, ValueError, IndexError):
            fields = (_PROC / str(process) / "stat").read_bytes().rpartition(b")")[2].split()
            if fields[0] != b"Z":
                children.setdefault(int(fields[1]), []).append(process)
    found, waiting = set[int](), [program]
    while waiting:
        started = children.get(waiting.pop(), [])
        waiting += started
        found.update(started)
    return found


def _marked(mark: str) -> Iterator[int]:
    text = f"{_VARIABLE}={mark}".encode()
    for process in _processes():
        with suppress(OSError):
            # It is empty where the process has ended.
            if text in (_PROC / str(process) / "environ").read_bytes().split(b"\0"):
                yield process


def _processes() -> Iterator[int]:
    with suppress(OSError):
        for entry in os.scandir(_PROC):
            if entry.name.isdigit():
                yield int(entry.name)
