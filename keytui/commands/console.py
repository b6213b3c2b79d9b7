"""What commands without a screen say and ask, and signals that wait for an end."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn, TextIO

from keytui.plain import plain


def say(sentence: str) -> bool:
    """Print a line of the result; return whether it was taken.

    That nobody reads on is no reason to stop midway.
    """
    return _print(sentence, sys.stdout)


def complain(sentence: str) -> None:
    """Print what went wrong to standard error."""
    _print(f"keytui: {sentence}", sys.stderr)


def say_json(value: object) -> bool:
    """Print the one JSON value of a command; return whether it was taken."""
    return _print(json.dumps(value, indent=2), sys.stdout, is_plain=True)


def say_document(text: str) -> bool:
    """Print a text that moves no terminal's cursor as it is; return whether it was taken."""
    return _print(text, sys.stdout, is_plain=True, end="")


def note(sentence: str) -> None:
    """Print to standard error what is worth knowing beside the result."""
    _print(sentence, sys.stderr)


def progress(step: str) -> None:
    """Say on a terminal what is being done."""
    if sys.stderr.isatty():
        _print(f"{step}…", sys.stderr)


def on_terminal() -> bool:
    """Return whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def answer(question: str, *, at_end: str = "") -> str:
    """Ask on a terminal; return what was typed, ``at_end`` where the input ends instead."""
    try:
        return input(f"{plain(question)} ").strip()
    except EOFError:
        return at_end


def agreed(question: str) -> bool:
    """Ask on a terminal; the default is no."""
    return answer(f"{question} [y/N]").lower() in {"y", "yes"}


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


def _print(line: str, stream: TextIO, *, is_plain: bool = False, end: str = "\n") -> bool:
    try:
        print(line if is_plain else plain(line), file=stream, flush=True, end=end)
    except UnicodeEncodeError:
        print(line.encode("ascii", "backslashreplace").decode(), file=stream, flush=True, end=end)
    except OSError:
        _mute(stream)
        return False
    return True


def _mute(stream: TextIO) -> None:
    """Let what is printed from now on go nowhere; Python's own flush at the end would fail too."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, stream.fileno())
    finally:
        os.close(nowhere)
