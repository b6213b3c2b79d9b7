"""Signals, handed on by a thread of their own: in the main thread they interrupt nothing."""

import os
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from threading import Thread

ENDING = tuple(
    getattr(signal, name)
    for name in (
        *("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2"),
        *("SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU", "SIGIO", "SIGPWR", "SIGSTKFLT"),
    )
    if hasattr(signal, name)
)
"""The signals by which others end a process that does not handle them.

Not those that report a crash, nor the nameless real-time ones: after them, as after SIGKILL,
the next start tells what became of a secret.
"""

Heed = Callable[[signal.Signals], None]


def not_ignored(numbers: Collection[signal.Signals]) -> tuple[signal.Signals, ...]:
    """Return those that whoever started keytui does not want it to ignore, as nohup does."""
    return tuple(one for one in numbers if signal.getsignal(one) is not signal.SIG_IGN)


@contextmanager
def handed_on(
    numbers: Collection[signal.Signals], heed: Heed, note: Heed = lambda _: None
) -> Iterator[None]:
    """Hand each signal on to a thread while the block runs. Main thread only.

    Python runs a handler between any two instructions of the main thread: one that raises or
    prints breaks what is under way there, and none runs while the main thread is blocked. So
    the handlers set here do next to nothing, and the number takes the way through a pipe,
    which the interpreter writes at once.

    Args:
        numbers: The signals.
        heed: Called in the thread, once for several that arrive at the same time.
        note: Called in the main thread: it must neither block nor raise.
    """

    def noted(number: int, _frame: object) -> None:
        note(signal.Signals(number))

    heard, told = os.pipe()
    os.set_blocking(told, False)
    pipe_before = signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    before = {number: signal.signal(number, noted) for number in numbers}
    Thread(target=_hand_on, args=(heard, before.keys(), heed), daemon=True).start()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(pipe_before)
        os.close(told)


@contextmanager
def passed_over(numbers: Collection[signal.Signals]) -> Iterator[None]:
    """Let signals do nothing while the block runs. Main thread only."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _hand_on(heard: int, numbers: Collection[signal.Signals], heed: Heed) -> None:
    while arrived := os.read(heard, 4096):
        for number in dict.fromkeys(arrived):
            if number in numbers:
                heed(signal.Signals(number))
    os.close(heard)
