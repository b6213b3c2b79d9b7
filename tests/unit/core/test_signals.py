"""Signals reach a thread, and interrupt nothing in the main thread."""

import os
import signal
import subprocess
import sys
import threading
from queue import SimpleQueue

from keytui.core.signals import ENDING, handed_on, not_ignored, passed_over
from tests.support.secret_service import wait_until

PATIENCE = 20.0


def test_signals_are_handed_on_in_another_thread() -> None:
    heard: SimpleQueue[tuple[signal.Signals, bool]] = SimpleQueue()
    noted: list[signal.Signals] = []
    before = signal.getsignal(signal.SIGTERM)

    def heed(number: signal.Signals) -> None:
        heard.put((number, threading.current_thread() is threading.main_thread()))

    with handed_on(ENDING, heed, noted.append):
        for number in ENDING:
            os.kill(os.getpid(), number)
            assert heard.get(timeout=PATIENCE) == (number, False)
        wait_until(lambda: len(noted) == len(ENDING), "the main thread has noted them")

    assert noted == list(ENDING)
    assert signal.getsignal(signal.SIGTERM) is before
    assert signal.set_wakeup_fd(-1) == -1


def test_main_thread_that_is_blocked_is_no_hindrance() -> None:
    """A write to a terminal that takes nothing holds the main thread for ever."""
    program = """
import os, signal, sys
from keytui.core.signals import handed_on

def heed(number):
    os.write(1, number.name.encode())
    os._exit(0)

reading, writing = os.pipe()
with handed_on([signal.SIGTERM], heed):
    os.write(1, b"ready ")
    while True:
        os.write(writing, b"x" * 65536)
"""
    run = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert run.stdout
    assert run.stdout.read(6) == b"ready "
    run.terminate()
    said, _ = run.communicate(timeout=PATIENCE)
    assert (run.returncode, said) == (0, b"SIGTERM")


def test_every_signal_that_ends_a_process_is_among_them() -> None:
    """The rest is ignored, stops, reports a crash, or has its own use in Python."""
    others = {
        *("SIGKILL", "SIGSTOP", "SIGCHLD", "SIGCONT", "SIGURG", "SIGWINCH"),
        *("SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGPIPE", "SIGXFSZ"),
        *("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV", "SIGSYS", "SIGTRAP"),
    }
    named = {one.name for one in signal.Signals if not one.name.startswith("SIGRT")}
    assert {one.name for one in ENDING} == named - others


def test_what_is_ignored_stays_so() -> None:
    with passed_over([signal.SIGHUP]):
        assert signal.SIGHUP not in not_ignored(ENDING)
        os.kill(os.getpid(), signal.SIGHUP)
    assert signal.SIGHUP in not_ignored(ENDING)
