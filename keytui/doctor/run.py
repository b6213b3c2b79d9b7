"""Probes run side by side, each within its time, none spoiling another."""

import time
from collections.abc import Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime
from dataclasses import dataclass, replace
from threading import Thread

from keytui.doctor.checks import Probe, Row, Status
from keytui.errors import KeytuiError

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
    future: Future[_Rows] = Future()

    def run() -> None:
        try:
            future.set_result(tuple(probe.look()))
        except BaseException as error:  # noqa: BLE001 - handed over to the one who waits
            future.set_exception(error)

    Thread(target=run, name="keytui-doctor", daemon=True).start()
    return Started(probe, future, time.monotonic() + probe.seconds)


def _rows(started: Started) -> _Rows:
    probe = started.probe
    try:
        return started.result.result(max(started.until - time.monotonic(), 0))
    except NotInTime:
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
