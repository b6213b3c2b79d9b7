"""The way to the terminal: what keytui does better there than Textual's driver."""

import codecs
import select
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from textual.driver import Driver

from keytui.ui.glyphs import Glyphs, spell
from keytui.ui.painted import Painted


def driver_for(base: type[Driver], glyphs: Glyphs) -> type[Driver]:
    """Return a driver that paints what the terminal can show, in few bytes.

    It also takes any bytes that the terminal sends.
    """
    _take_any_input()
    painted = Painted()

    class Terminal(base):  # type: ignore[misc, valid-type]
        """Textual's driver, with stand-ins for what can't be shown."""

        def write(self, data: str) -> None:
            """Write to the terminal."""
            if reduced := painted.reduce(spell(data, glyphs)):
                super().write(reduced)

        def forget_screen(self) -> None:
            """Paint all anew next time."""
            painted.forget()

    return Terminal


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


def _take_any_input() -> None:
    """Let a key in another encoding be ``�``: Textual's own decoder ends the program on it."""
    from textual.drivers import linux_driver

    def decoder(encoding: str) -> Any:
        return partial(codecs.getincrementaldecoder(encoding), errors="replace")

    linux_driver.getincrementaldecoder = decoder  # type: ignore[attr-defined]
