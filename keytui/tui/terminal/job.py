"""keytui as a job: suspended, stopped by force, continued, in the background."""

import os
import signal
from contextlib import suppress
from typing import Any

from textual.app import App

from keytui.core.signals import ENDING
from keytui.tui.services.stage import Stage
from keytui.tui.terminal.device import Terminal

UNSAVED = "Not suspended: the new key's secret is not saved yet."
IN_PROGRESS = "Not suspended: a change is in progress."
NO_SHELL = "Not suspended: there is no shell to return to."


class Job:
    """What signals and job control do to the screen; nothing is done in the midst of anything.

    While a secret is at stake keytui is not suspended, and in the background it keeps running
    without drawing. A stop by force (SIGSTOP) can't be refused.

    Attributes:
        continuations: How often it was continued.
    """

    def __init__(self, app: App[None], stage: Stage, terminal: Terminal | None) -> None:
        self._app, self._stage, self._terminal = app, stage, terminal
        self._told: signal.Signals | None = None
        self.continuations = 0

    def note(self, number: signal.Signals) -> None:
        """Remember a signal at once. Any thread."""
        if number is signal.SIGCONT:
            self.continuations += 1
        elif number in ENDING:
            self._told = self._told or number

    def heed(self, number: signal.Signals) -> None:
        """Let the event loop act on a signal. Any thread."""
        if number in ENDING:
            self.note(number)
        if loop := self._app._loop:  # noqa: SLF001 - Textual has no other way
            with suppress(RuntimeError):  # It has ended: keytui is leaving already.
                loop.call_soon_threadsafe(self._act_on, number)

    def begin(self) -> None:
        """Act on what came before there was an event loop."""
        if self._terminal and self._driver:
            self._driver.when_back = self.continued
        if self._told:
            self._act_on(self._told)

    @property
    def leaving(self) -> bool:
        """Whether keytui was told to leave, by a signal or by its user."""
        return self._told is not None or self._app._exit  # noqa: SLF001 - Textual has no other way

    def _act_on(self, number: signal.Signals) -> None:
        match number:
            case signal.SIGCONT:
                self.continued()
            case signal.SIGTSTP:
                self.suspend()
            case signal.SIGWINCH if self._draws:
                self._driver.tell_size()
            case _ if number in ENDING:
                self._app.exit(return_code=128 + number)

    def suspend(self) -> None:
        """Give the terminal back and stop, as ``ctrl+z`` does to other programs."""
        if not self._draws:
            return
        if refusal := self._refusal:
            self._app.bell()
            self._stage.say(refusal, good=False)
        elif not self._suspend():
            self._stage.say(NO_SHELL, good=False)

    def continued(self) -> None:
        """Take the terminal again; where another job has it, draw nothing, and stop if possible."""
        if not self._draws:
            return
        if not self._in_background:
            self._driver.away = False
            self._driver.take_again()
            self._app.screen.refresh()
        else:
            self._driver.away = True
            if not self._refusal:
                self._stop_group(signal.SIGTTOU)

    @property
    def _driver(self) -> Any:
        return self._app._driver  # noqa: SLF001 - Textual has no other way

    @property
    def _draws(self) -> bool:
        up = self._terminal is not None and self._driver is not None and self._app.is_running
        return up and not self.leaving

    @property
    def _in_background(self) -> bool:
        return self._terminal is not None and self._terminal.in_background

    @property
    def _refusal(self) -> str:
        """Why it is not suspended now; empty where it can be."""
        app, custody = self._app, self._stage.custody
        if custody and not (custody.kept or custody.discarded):
            return UNSAVED
        at_work = any(not getattr(screen, "can_leave", True) for screen in app.screen_stack)
        return IN_PROGRESS if at_work or self._stage.creating.locked() else ""

    def _suspend(self) -> bool:
        """Stop until keytui has the terminal again; return whether it was stopped at all."""
        self._driver.suspend_application_mode()
        stopped = on = self._stop_group(signal.SIGTSTP)
        while on and self._in_background and not self.leaving:
            on = self._stop_group(signal.SIGTTOU)
        if not self.leaving:
            self._driver.resume_application_mode()
            self._app.screen.refresh()
        return stopped

    def _stop_group(self, number: signal.Signals) -> bool:
        """Stop all of the job, as the terminal does; return once it was continued.

        The kernel stops none that nobody could continue: then it returns False, as where
        keytui was told to end, which nobody may continue it for.
        """
        before = self.continuations
        handler = signal.signal(number, signal.SIG_DFL)
        if not self.leaving:
            os.kill(0, number)
        signal.signal(number, handler)
        return self.continuations > before
