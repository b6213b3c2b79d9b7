"""A run that is stopped and continued, as a sleeping container and job control do it."""

import os
import signal
from enum import Enum
from pathlib import Path

from tests.faults.play import End, tell
from tests.faults.program import Program
from tests.support.secret_service import wait_until


class Stop(Enum):
    """How a run is stopped."""

    ONCE = "once"
    OFTEN = "five times"
    SUSPEND = "by job control"
    ENDED = "the end arrives while it is stopped"


def stop_and_go(run: Program, how: Stop, end: End | None) -> None:
    """Stop a run, let it go on, and end it.

    Args:
        run: The run.
        how: How it is stopped.
        end: How it ends; None to let it go on.
    """
    stop(run, how, end)
    go_on(run, how, end)


def stop(run: Program, how: Stop, end: End | None) -> None:
    """Do the first half: up to the last time that the run is stopped."""
    for _ in range(4 if how is Stop.OFTEN else 0):
        _stop(run)
        run.kill(signal.SIGCONT)
    if how is Stop.SUSPEND:
        run.kill(signal.SIGTSTP)  # Not waited for: with no shell above it, nothing stops.
    else:
        _stop(run)
    if how is Stop.ENDED:
        tell(run, end)


def go_on(run: Program, how: Stop, end: End | None) -> None:
    """Do the second half."""
    _continue(run)
    if how is not Stop.ENDED:
        tell(run, end)


def _stop(run: Program) -> None:
    run.kill(signal.SIGSTOP)
    wait_until(lambda: _state(run.pid) in {"T", ""}, "the run is stopped")


def _continue(run: Program) -> None:
    try:
        os.kill(run.pid, signal.SIGCONT)
    except ProcessLookupError:
        return  # The end that arrived meanwhile was kill -9.


def _state(pid: int) -> str:
    """Return a process's state as the kernel names it; empty where it has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""
