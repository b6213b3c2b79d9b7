"""The way to the terminal: what keytui does better there than Textual's driver."""

import os
import select
import signal
import sys
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import Any

from textual import events
from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.geometry import Size

from keytui.tui.terminal.device import Terminal
from keytui.tui.terminal.glyphs import Glyphs, spell
from keytui.tui.terminal.wire import Painted

_LOOK_AGAIN = 0.1
_ALTERNATE_SCREEN = "\x1b[?1049h"
_KEYBOARD_BACK = "\x1b[<u"
"""Takes back one setting of Kitty's keyboard protocol; others pass over it."""
GIVEN_BACK = (
    "\x1b[?2004l\x1b[?7h\x1b[?2048l\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l"
    f"{_KEYBOARD_BACK}\x1b[?1049l\x1b[?25h\x1b[?1004l"
)
"""Ends all that Textual's driver sets: pasting, line wrap, sizes, mouse, keyboard, screen."""


def driver_for(
    base: type[Driver], glyphs: Glyphs, terminal: Terminal | None = None
) -> type[Driver]:
    """Return a driver that paints what the terminal can show, in few bytes.

    It also takes any bytes that the terminal sends, and neither stops nor waits: see ``Job``
    for what job control does to it.

    Args:
        base: Textual's driver.
        glyphs: What the terminal can show.
        terminal: Where to draw; None for where Textual does.
    """
    _set_no_handlers()
    painted = Painted()

    class Screen(base):  # type: ignore[misc, valid-type]
        """Textual's driver, with stand-ins for what can't be shown."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.attrs_before: list[Any] | None = None
            self._opening: list[str] | None = None
            self._modes_before: list[Any] | None = None
            self.away = False
            """Whether another job has the terminal: nothing is drawn on it."""
            self.when_back: Callable[[], object] = lambda: None
            """Called on the event loop when no other job has the terminal any more."""
            if terminal:
                self._file, self.fileno = terminal, terminal.fileno()

        def write(self, data: str) -> None:
            """Write to the terminal."""
            if self._opening is not None:
                self._opening.append(data)
            if self.away:
                painted.forget()
            elif reduced := painted.reduce(spell(data, glyphs)):
                super().write(reduced)

        def forget_screen(self) -> None:
            """Paint all anew next time."""
            painted.forget()

        def start_application_mode(self) -> None:
            """Take the terminal, and remember how."""
            self._opening = []
            super().start_application_mode()
            self._taken, self._opening = "".join(self._opening), None
            # After a stop the modes may be keytui's own: a shell sets again what a job had.
            self.attrs_before = self._modes_before = self._modes_before or self.attrs_before
            self._raw = terminal.modes() if terminal else None

        def stop_application_mode(self) -> None:
            """Give the terminal back; its modes only where it is still keytui's."""
            self.away = False
            if terminal and terminal.in_background:
                self.attrs_before = None
            super().stop_application_mode()

        def take_again(self) -> None:
            """Take the terminal as at the start: another job had it while keytui was stopped."""
            if terminal:
                terminal.set_modes(self._raw)
            painted.forget()
            # What was set before may still hold, or not.
            self.write(f"{_ALTERNATE_SCREEN}{_KEYBOARD_BACK}{self._taken}")
            painted.forget()
            self.tell_size()

        def give_back(self) -> None:
            """Give the terminal back at once, waiting for nothing. Any thread."""
            if terminal:
                terminal.write_now(GIVEN_BACK)
                terminal.set_modes(self.attrs_before)

        def tell_size(self) -> None:
            """Tell the app the terminal's size, unless the terminal does so itself."""
            if not self._in_band_window_resize:
                size = Size(*self._get_terminal_size())
                self._app.post_message(events.Resize(size, size))

        def run_input_thread(self) -> None:
            """Hand on what is typed, until the app has enough of it."""
            parser = XTermParser(self._debug)
            # A key in another encoding is ``�``: Textual's own decoder ends the program on it.
            decode = getincrementaldecoder("utf-8")(errors="replace").decode
            while not self.exit_event.is_set():
                if self.away and terminal and not terminal.in_background:
                    self._loop.call_soon_threadsafe(self.when_back)
                ready = select.select([self.fileno], [], [], _LOOK_AGAIN)[0]
                if text := decode(self._typed()) if ready else "":
                    for event in parser.feed(text):
                        self.process_message(event)
                for event in parser.tick():
                    self.process_message(event)

        def _typed(self) -> bytes:
            """Return what can be read; nothing where another reads it, or the terminal is gone."""
            try:
                if typed := os.read(self.fileno, 4096):
                    return typed
            except BlockingIOError:
                return b""
            except OSError:
                pass
            self.exit_event.wait(_LOOK_AGAIN)
            return b""

    return Screen


def forget_screen(driver: Driver | None) -> None:
    """Let all be painted anew next time: the terminal may show something else."""
    if forget := getattr(driver, "forget_screen", None):
        forget()


def when_terminal_is_gone(then: Callable[[], object]) -> None:
    """Wait for standard input to hang up.

    The signal reaches only the leader of the terminal's session, which may be a shell that
    was killed; Textual would read the end of the file for ever.
    """
    poll = select.poll()
    poll.register(sys.__stdin__.fileno() if sys.__stdin__ else 0, 0)
    poll.poll()
    then()


class _WithoutHandlers:
    """The module ``signal``, for a driver that is to set no handlers."""

    def __getattr__(self, name: str) -> Any:
        return getattr(signal, name)

    def signal(self, _number: int, _handler: object) -> None:
        """Leave it to ``keytui.core.signals``: Textual's handlers act in the midst of anything."""


def _set_no_handlers() -> None:
    from textual.drivers import linux_driver

    linux_driver.signal = _WithoutHandlers()  # type: ignore[assignment, attr-defined]
