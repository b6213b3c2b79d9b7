"""``keytui``: the screen, and what happens to an unkept secret when it goes away."""

import gc
import os
import signal
from argparse import ArgumentParser
from collections.abc import Callable
from signal import Signals
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING

from keytui.cli.console import say_in_time
from keytui.cli.parser import FROM_INPUT, Command, add_account_flags, add_unlock
from keytui.core.errors import UsageError
from keytui.core.signals import ENDING, handed_on, passed_over
from keytui.core.text import plain
from keytui.session.context import Context

if TYPE_CHECKING:
    from keytui.tui.app import KeytuiApp
    from keytui.tui.terminal.device import Terminal

UNWIND_SECONDS = 3.0
"""How long the screen may take to close; a terminal that hangs may never let it."""
END_SECONDS = 5.0
"""How long the rest may take after it, once the secret is safe."""


class Ending:
    """Sees to it that the process ends once it was told to, and that the secret is safe before.

    Attributes:
        number: The first signal that told it to end; None for none.
    """

    def __init__(
        self,
        rescue: Callable[[], None],
        give_back: Callable[[], None],
        leave: Callable[[int], object] = os._exit,
    ) -> None:
        """Take the parts; each may be called in any thread.

        Args:
            rescue: Sees an unkept secret safe, and says what became of it.
            give_back: Gives the terminal back, without waiting for anything.
            leave: Ends the process with an exit status, whatever else it is doing.
        """
        self._rescue, self._give_back, self._leave = rescue, give_back, leave
        self.number: Signals | None = None
        self._begun, self._rescuing = Lock(), Lock()
        self._rescued, self._closed = False, Event()

    def begin(self, number: Signals) -> None:
        """Give the screen its time to close; what is not over by then is ended. Any thread."""
        with self._begun:
            if self.number is not None:
                return
            self.number = number
        Thread(target=self._see_to_it, args=(number,), daemon=True).start()

    def closed(self) -> None:
        """The screen is closed."""
        self._closed.set()

    def rescue(self) -> None:
        """See an unkept secret safe; whoever comes second waits for the first. Any thread."""
        with self._rescuing:
            if not self._rescued:
                self._rescue()
                self._rescued = True

    def _see_to_it(self, number: Signals) -> None:
        in_order = self._closed.wait(UNWIND_SECONDS)
        try:
            self.rescue()
            if in_order:
                Event().wait(END_SECONDS)  # The main thread ends the process before that.
        finally:
            self._give_back()
            self._leave(128 + number)


RESCUE_SECONDS = 5.0
"""How long the keyring may take when the terminal is gone; whatever cut it may soon kill."""
_JOB = (signal.SIGCONT, signal.SIGTSTP, signal.SIGWINCH)
_STOPS_OTHERS = (signal.SIGTTOU, signal.SIGTTIN)
"""They stop a job in the background that uses the terminal; a rescue may have to."""


def show(ctx: Context) -> int:
    """Open the screen; return the exit status when it is left.

    However it ends, a new key's secret that is kept nowhere is put into the keyring, or its
    key is deleted.

    Raises:
        UsageError: There is no terminal to draw on.
    """
    # Importing makes many objects and no garbage: looking for it costs 6 % of the start.
    gc.set_threshold(20_000, 20, 50)
    # A key press is painted within 4 ms instead of 16; Textual reads this when it is imported.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    # The theme that keytui has: changing it at the start would parse all styles twice.
    os.environ.setdefault("TEXTUAL_THEME", "ansi-dark")
    from keytui.tui.app import KeytuiApp
    from keytui.tui.terminal.device import open_terminal
    from keytui.tui.terminal.driver import when_terminal_is_gone

    terminal = open_terminal()
    _come_to_the_foreground(terminal)
    app = KeytuiApp(ctx, terminal=terminal)
    ending = Ending(lambda: _rescue(app), app.give_back)

    def heed(number: Signals) -> None:
        if number in ENDING:
            terminal.hurry()
            ending.begin(number)
        app.job.heed(number)

    with passed_over(_STOPS_OTHERS), handed_on((*ENDING, *_JOB), heed, app.job.note):
        gone = lambda: heed(signal.SIGHUP)  # noqa: E731 - one line of it
        Thread(target=when_terminal_is_gone, args=(gone,), daemon=True).start()
        try:
            app.run()
        finally:
            ending.closed()
            ending.rescue()
            app.tell_fault()
        app.main.keep_users()
    return 128 + ending.number if ending.number else app.return_code or 0


def _come_to_the_foreground(terminal: "Terminal") -> None:
    """Stop where keytui was started in the background, as other programs do.

    Raises:
        UsageError: It is still there.
    """
    if terminal.in_background:
        os.kill(0, signal.SIGTTOU)
    if terminal.in_background:
        raise UsageError(
            "keytui was started in the background and can't draw there.",
            next_step="Start it without &, or bring it to the front with fg.",
        )


def _rescue(app: "KeytuiApp") -> None:
    """See an unkept secret safe, then say what became of it. Any thread."""
    stage, before = app.main.stage, app.job.continuations
    with stage.creating:  # A creation under way ends first; none begins any more.
        custody = stage.custody
        if custody is None or custody.kept or custody.discarded:
            return
        keyring = stage.ctx.keyring.hurried(RESCUE_SECONDS)
        said = stage.account.lifecycle.rescue(
            custody, keyring, stopped=lambda: app.job.continuations != before
        )
    # The terminal may be gone; the record has it too.
    say_in_time(f"keytui: {plain(said)}")


def _arguments(reader: ArgumentParser) -> None:
    reader.add_argument("text", nargs="*", metavar="TEXT", help=f"the text; {FROM_INPUT}")
    add_account_flags(reader)
    add_unlock(reader)


COMMANDS = {
    "find": Command(
        "open the screen at the key whose ID is in a text",
        "Open the screen at the access key whose ID is somewhere in a text: a log line, an "
        "alert, a diff. The word find may be left out.",
        _arguments,
        lambda ctx, _: show(ctx),
        takes_text=True,
    )
}
