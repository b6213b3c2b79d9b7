"""What the doctor finds, as plain values. Pure."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from enum import StrEnum

from keytui.core.errors import KeytuiError
from keytui.core.parallel import in_background

Value = str | int | bool | None


class Status(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARN = "warn"
    """Worth knowing; nothing fails for it."""
    FAIL = "fail"
    """keytui can't do its work like this."""
    UNKNOWN = "unknown"
    """Not known, or there is no such thing here."""


class Group(StrEnum):
    """What the page is divided into."""

    AWS = "aws"
    KEYRING = "keyring"
    TERMINAL = "terminal"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that was looked at.

    Attributes:
        group: Where it belongs.
        key: Its name for programs, the same for ever.
        name: Its name on the page; rows of one name that say the same share a line.
        status: How it is.
        text: That in words.
        value: The same for programs: a name, a number or a truth; None where not known.
        advice: What can be done, a sentence; may be empty.
        command: The command that mends it here; may be empty.
        item: What the line is about where several rows share one.
    """

    group: Group
    key: str
    name: str
    status: Status
    text: str
    value: Value = None
    advice: str = ""
    command: str = ""
    item: str = ""


@dataclass(frozen=True, slots=True)
class Probe:
    """One look at something that may hang.

    Attributes:
        what: What is looked at, as it stands at the start of a sentence.
        blank: The rows as they are where the look comes to nothing; the first one is told
            why. ``look`` returns rows with the same keys.
        seconds: How long it may take.
        look: Looks. Blocks, in a thread of its own; raises KeytuiError or OSError.
    """

    what: str
    blank: tuple[Row, ...]
    seconds: float
    look: Callable[[], Iterable[Row]]


def blank(group: Group, key: str, name: str, item: str = "") -> Row:
    """Return a row of something that was not looked at."""
    return Row(group, key, name, Status.UNKNOWN, "Not known" if item else "Not known.", item=item)


_Rows = tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """A probe under way.

    Attributes:
        probe: The probe.
        result: Its rows, once they are there.
        until: When its time is up, by the monotonic clock.
    """

    probe: Probe
    result: "Future[_Rows]"
    until: float


def start(probes: Iterable[Probe]) -> list[Started]:
    """Start probes, all at the same time.

    Each has a daemon thread, so that one which hangs holds up neither another nor the exit.
    """
    return [_started(probe) for probe in probes]


def finish(started: Iterable[Started]) -> list[Row]:
    """Return the rows of probes in their order, when all have ended or their time is up."""
    return [row for one in started for row in _rows(one)]


def _started(probe: Probe) -> Started:
    result = in_background(lambda: tuple(probe.look()), "keytui-doctor")
    return Started(probe, result, time.monotonic() + probe.seconds)


def _rows(started: Started) -> _Rows:
    probe = started.probe
    try:
        return started.result.result(max(started.until - time.monotonic(), 0))
    except TimeoutError:
        return _failed(probe, f"{probe.what} gave no answer within {probe.seconds:g} s.")
    except KeytuiError as error:
        return _failed(probe, error.title, error.next_step)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return _failed(probe, f"{probe.what} can't be looked at: {reason}.")
    except Exception as error:  # noqa: BLE001 - a fault in one probe is a line, not the end
        return _failed(probe, f"keytui's look at this failed ({type(error).__name__}).")


def _failed(probe: Probe, text: str, advice: str = "") -> _Rows:
    """Return the blank rows, the first of which says what failed."""
    first, *rest = probe.blank
    return (replace(first, status=Status.FAIL, text=text, advice=advice), *rest)
