"""What commands without a screen say and ask, and signals that wait for an end."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from keytui.plain import plain
from keytui.streams import deliver, write


def say(sentence: str) -> None:
    """Print a line of the result."""
    write(f"{plain(sentence)}\n", sys.stdout)


def complain(sentence: str) -> None:
    """Print what went wrong to standard error."""
    note(f"keytui: {sentence}")


def say_json(value: object) -> None:
    """Print the one JSON value of a command."""
    write(_json(value), sys.stdout)


def say_document(text: str) -> None:
    """Print a text that moves no terminal's cursor as it is."""
    write(text, sys.stdout)


def show_secret(text: str | dict[str, object], stopped: Callable[[], int], *, only: bool) -> bool:
    """Print a secret, as a line or as the JSON of a command; return whether it can be read there.

    Args:
        text: What to print.
        stopped: The number of the signal that told keytui to stop; 0 for none.
        only: The secret is nowhere else, so that its reader is waited for.
    """
    line = f"{plain(text)}\n" if isinstance(text, str) else _json(text)
    return deliver(line, lambda: stopped() != 0, until_read=only)


def note(sentence: str) -> None:
    """Print to standard error what is worth knowing beside the result."""
    write(f"{plain(sentence)}\n", sys.stderr)


def progress(step: str) -> None:
    """Say on a terminal what is being done."""
    if sys.stderr.isatty():
        note(f"{step}…")


def on_terminal() -> bool:
    """Return whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def answer(question: str) -> str:
    """Ask on a terminal; return what was typed, empty where nothing was."""
    return _typed(question) or ""


def agreed(question: str, *, default: bool = False) -> bool:
    """Ask on a terminal; the default is for Enter alone, and no answer at all is no."""
    typed = _typed(f"{question} [{'Y/n' if default else 'y/N'}]")
    return default if typed == "" else (typed or "").lower() in {"y", "yes"}


def leave_in_order() -> None:
    """Let SIGHUP and SIGTERM from now on end what was started, too: a cut line, for one."""

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    for number in (signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


@contextmanager
def held_back(notice: str) -> Iterator[Callable[[], int]]:
    """Let SIGINT, SIGTERM and SIGHUP wait while the block runs to an end of its own.

    Args:
        notice: Said when one arrives.

    Yields:
        What tells the number of the first one that arrived; 0 for none.
    """
    arrived: list[int] = []

    def hold(number: int, _frame: FrameType | None) -> None:
        if not arrived:
            complain(notice)
        arrived.append(number)

    before = {
        number: signal.signal(number, hold)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield lambda: arrived[0] if arrived else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _typed(question: str) -> str | None:
    """Return the line that was typed; None where the question or the answer never arrived."""
    if not write(f"{plain(question)} ", sys.stdout):
        return None
    try:
        line = sys.stdin.readline()
    except OSError:  # The terminal is gone.
        return None
    return line.strip() if line else None


def _json(value: object) -> str:
    return f"{json.dumps(value, indent=2)}\n"
