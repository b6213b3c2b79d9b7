"""The way to the terminal: what keytui does better there than Textual's driver."""

import codecs
from functools import partial
from typing import Any

from textual.driver import Driver

from keytui.ui.glyphs import Glyphs, spell
from keytui.ui.wire import thin


def driver_for(base: type[Driver], glyphs: Glyphs) -> type[Driver]:
    """Return a driver that paints what the terminal can show, in few bytes.

    It also takes any bytes that the terminal sends.
    """
    _take_any_input()

    class Terminal(base):  # type: ignore[misc, valid-type]
        """Textual's driver, with stand-ins for what can't be shown."""

        def write(self, data: str) -> None:
            """Write to the terminal."""
            super().write(thin(spell(data, glyphs)))

    return Terminal


def _take_any_input() -> None:
    """Let a key in another encoding be ``�``: Textual's own decoder ends the program on it."""
    from textual.drivers import linux_driver

    def decoder(encoding: str) -> Any:
        return partial(codecs.getincrementaldecoder(encoding), errors="replace")

    linux_driver.getincrementaldecoder = decoder  # type: ignore[attr-defined]
