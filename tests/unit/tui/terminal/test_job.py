"""When keytui may be suspended, and what a signal does before there is a screen."""

import signal
from threading import Lock
from types import SimpleNamespace

import pytest

from keytui.keys.outcomes import Custody
from keytui.stores.base import Receipt
from keytui.tui.terminal.job import IN_PROGRESS, UNSAVED, Job
from tests.support.sentinel import new_key


class App:
    """As much of the app as job control needs."""

    def __init__(self, custody: Custody | None = None, *, can_leave: bool = True) -> None:
        self.stage = SimpleNamespace(custody=custody, creating=Lock())
        self.screen_stack = [SimpleNamespace(can_leave=can_leave)]
        self._exit, self._loop, self._driver = False, None, None
        self.is_running = True
        self.status: int | None = None

    def exit(self, return_code: int) -> None:
        self.status = return_code


def job(app: App) -> Job:
    return Job(app, app.stage, None)  # type: ignore[arg-type]


def unkept() -> Custody:
    return Custody(new_key(), "abc")


def test_unsaved_secret_is_not_suspended() -> None:
    assert job(App(unkept()))._refusal == UNSAVED


@pytest.mark.parametrize(
    "custody",
    [
        None,
        Custody(new_key(), "abc", receipts=[Receipt("csv", "/a.csv")]),
        Custody(new_key(), "abc", discarded=True),
    ],
    ids=["none", "kept", "discarded"],
)
def test_nothing_at_stake_is_suspended(custody: Custody | None) -> None:
    assert job(App(custody))._refusal == ""


def test_change_in_progress_is_not_suspended() -> None:
    assert job(App(can_leave=False))._refusal == IN_PROGRESS
    app = App()
    with app.stage.creating:
        assert job(app)._refusal == IN_PROGRESS
    assert job(app)._refusal == ""


def test_early_exit_signal_is_handled_once_the_screen_is_up() -> None:
    app = App()
    early = job(app)
    early.heed(signal.SIGCONT)
    early.heed(signal.SIGHUP)
    early.heed(signal.SIGTERM)
    assert early.leaving
    assert app.status is None
    early.begin()
    assert app.status == 128 + signal.SIGHUP


def test_continuations_are_counted() -> None:
    one = job(App())
    for number in (signal.SIGCONT, signal.SIGTERM, signal.SIGCONT):
        one.note(number)
    assert one.continuations == 2


def test_job_that_was_told_to_end_does_not_stop_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped, it would wait for somebody to continue it."""
    sent: list[int] = []
    monkeypatch.setattr("os.kill", lambda _pid, number: sent.append(number))
    told = job(App())

    told._stop_group(signal.SIGTTOU)
    told.note(signal.SIGTERM)
    told._stop_group(signal.SIGTTOU)

    assert sent == [signal.SIGTTOU]
