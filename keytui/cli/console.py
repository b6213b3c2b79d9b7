"""What commands without a screen say and ask, and signals that wait for an end."""

import json
import os
import re
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from types import FrameType, TracebackType
from typing import NoReturn, TextIO, TypeVar

from keytui.cli.streams import deliver, write
from keytui.core.iam import Iam
from keytui.core.mfa import MfaRequest
from keytui.core.model import Secret
from keytui.core.signals import ENDING, handed_on, not_ignored, passed_over
from keytui.core.text import plain, span
from keytui.core.waiting import seconds_left

T = TypeVar("T")

SAY_SECONDS = 2.0
"""How long a sentence may take that is said on the way out."""


def say_in_time(line: str) -> None:
    """Write a line to standard error, or give up after ``SAY_SECONDS``. Any thread."""
    thread = Thread(target=write, args=(f"{line}\n", sys.stderr), daemon=True)
    thread.start()
    thread.join(SAY_SECONDS)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line for each row; its columns stand under each other."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


_CODE = re.compile(r"\d{6}", re.ASCII)


def ask_on_terminal(request: MfaRequest) -> Secret | None:
    """Ask for a code; None for an empty line, and where there is no terminal to ask on.

    The code is shown while it is typed, as it works only once. Standard output is left alone.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None
    _say(request.problem or f"AWS asks for an MFA code of {request.who}.")
    while True:
        _say(f"Six digits from {request.serial} (an empty line: none): ", end="")
        try:
            typed = sys.stdin.readline()
        except OSError:  # The terminal can't be read.
            return None
        digits = "".join(typed.split())
        if _CODE.fullmatch(digits):
            return Secret(digits)
        if not digits:
            return None


def _say(text: str, end: str = "\n") -> None:
    write(f"keytui: {plain(text)}{end}", sys.stderr)


_LOOK_AGAIN = 0.1
_TELL_SECONDS = 10.0
"""How long the end of a command may take that was told to leave."""


def say(sentence: str) -> None:
    """Print a line of the result."""
    _put(f"{plain(sentence)}\n", sys.stdout)


def complain(sentence: str) -> None:
    """Print what went wrong to standard error."""
    note(f"keytui: {sentence}")


def say_json(value: object) -> None:
    """Print the one JSON value of a command."""
    _put(_json(value), sys.stdout)


def say_document(text: str) -> None:
    """Print a text that moves no terminal's cursor as it is."""
    _put(text, sys.stdout)


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
    _put(f"{plain(sentence)}\n", sys.stderr)


def progress(step: str) -> None:
    """Say on a terminal what is being done; that never waits, as a secret may be at stake."""
    if sys.stderr.isatty() and _takes_more(sys.stderr):
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


def typed_last_four(question: str, key_id: str) -> bool:
    """Ask on a terminal for the last four characters of a key's ID; say whether they came."""
    return answer(f"{question} Type the last four characters of its ID:").upper() == key_id[-4:]


def leave_in_order() -> None:
    """Let SIGHUP and SIGTERM from now on end what was started, too: a cut line, for one."""

    def leave(number: int, _frame: FrameType | None) -> NoReturn:
        raise SystemExit(128 + number)

    for number in (signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, leave)


class Held:
    """What is to end and is held back; called, the number of the signal, 0 while there is none.

    It ends by itself, in order. Only where a line is printed that nobody takes, as on a
    terminal stopped by ctrl+s, it is ended after ``SAY_SECONDS``.

    Attributes:
        last: Called before that: what must not be lost is to be seen safe.
    """

    def __init__(self, notice: str, leave: Callable[[int], object] = os._exit) -> None:
        self._notice, self._leave = notice, leave
        self._arrived: list[int] = []
        self._heeded, self._over = False, Event()
        self.last: Callable[[], object] = lambda: None

    def __call__(self) -> int:
        """Return the number of the first signal that arrived; 0 for none."""
        return self._arrived[0] if self._arrived else 0

    def note(self, number: signal.Signals) -> None:
        """Remember a signal."""
        self._arrived.append(number)

    def heed(self, number: signal.Signals) -> None:
        """Say that keytui goes on, and see to it that it does. In a thread of its own."""
        if not self._heeded:
            self._heeded = True
            Thread(target=self._see_to_it, args=(number,), daemon=True).start()
            say_in_time(f"keytui: {self._notice}")

    def over(self) -> None:
        """What was held back has come to its end; it may be told yet."""
        self._over.set()

    def _see_to_it(self, number: int) -> None:
        until: float | None = None
        while until is None or time.monotonic() < until:
            if any(time.monotonic() - since > SAY_SECONDS for since in _printing[:1]):
                self.last()
                self._leave(128 + number)
            if until is None and self._over.wait(_LOOK_AGAIN):
                until = time.monotonic() + _TELL_SECONDS
            elif until is not None:
                time.sleep(_LOOK_AGAIN)


@contextmanager
def held_back(notice: str) -> Iterator[Held]:
    """Let signals that end a process wait while the block runs to an end of its own.

    Args:
        notice: Said when one arrives.

    Yields:
        What tells the number of the first one that arrived; see ``Held``.
    """
    held = Held(notice)
    # In the background a line on the terminal would stop it, in the midst of anything.
    with passed_over([signal.SIGTTOU]), handed_on(not_ignored(ENDING), held.heed, held.note):
        try:
            yield held
        finally:
            held.over()


_printing: list[float] = []
"""Since when lines are being printed."""


def _put(text: str, stream: TextIO) -> bool:
    """Write a text, and note for ``Held`` that it is being written."""
    _printing.append(time.monotonic())
    try:
        return write(text, stream)
    finally:
        _printing.pop()


def _takes_more(stream: TextIO) -> bool:
    """Return whether a terminal takes a line now; one stopped by ctrl+s does not."""
    return bool(select.select([], [stream], [], 0)[1])


def _typed(question: str) -> str | None:
    """Return the line that was typed; None where the question or the answer never arrived."""
    if not _put(f"{plain(question)} ", sys.stdout):
        return None
    try:
        line = sys.stdin.readline()
    except OSError:  # The terminal is gone.
        return None
    return line.strip() if line else None


def _json(value: object) -> str:
    return f"{json.dumps(value, indent=2)}\n"


_REDRAW_SECONDS = 0.2


class Meter:
    """Counts what is done and says how long the rest will take; silent off a terminal."""

    def __init__(self, what: str, total: int, clock: Callable[[], float]) -> None:
        """Begin to count.

        Args:
            what: What is counted, in the plural.
            total: How many there are.
            clock: Tells seconds.
        """
        self._what, self._total, self._clock = what, total, clock
        self._began = clock()
        self._drawn_at: float | None = None
        self._done = 0

    def __enter__(self) -> "Meter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Clear the line."""
        if self._drawn_at is not None:
            self._draw("")

    def went_on(self, more: str) -> None:
        """Count one more, and show that now and then; ``more`` is said of the work."""
        self._done += 1
        now = self._clock()
        fresh = self._drawn_at is not None and now - self._drawn_at < _REDRAW_SECONDS
        if sys.stderr.isatty() and not fresh:
            self._drawn_at = now
            self._draw(" · ".join(filter(None, (self.sentence(now), more))))

    def sentence(self, now: float) -> str:
        """Return how far it has come and how long the rest takes."""
        done = f"{self._done:,} of {self._total:,} {self._what}"
        left = seconds_left(self._done, self._total, now - self._began)
        return done if left is None else f"{done} · about {span(left)} left"

    def _draw(self, line: str) -> None:
        write(f"\r{plain(line)}\x1b[K", sys.stderr)


class ConsolePort:
    """Works at once and prints what came of it; see ``core.port.Port``.

    Attributes:
        quiet: JSON is to be the only output on standard output.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet

    async def work(self, call: Callable[[], T]) -> T:
        """Run a blocking call in this thread."""
        return call()

    def progress(self, step: str) -> None:
        """Show what is being done. Any thread."""
        progress(step)

    def tell(self, sentence: str, *, good: bool = True) -> None:
        """Print a line of the result, or to standard error what went wrong."""
        if not good:
            complain(sentence)
        elif not self.quiet:
            say(sentence)

    def committed(self) -> None:
        """Nothing waits here."""


class Endpoints:
    """Names each endpoint that is not AWS's once."""

    def __init__(self) -> None:
        self._named: set[str] = set()
        self._later: dict[str, None] = {}

    def name(self, iam: Iam) -> None:
        """Name an account's endpoint, before anything is asked or changed there."""
        self._say(iam.custom_endpoint or "")

    def name_later(self, iam: Iam) -> None:
        """Keep an endpoint for ``name_rest``; any thread may do so."""
        self._later[iam.custom_endpoint or ""] = None

    def name_rest(self) -> None:
        """Name what was kept."""
        for url in self._later:
            self._say(url)

    def _say(self, url: str) -> None:
        if url and url not in self._named:
            self._named.add(url)
            complain(f"Using {url} instead of AWS.")
