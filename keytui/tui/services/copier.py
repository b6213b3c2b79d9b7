"""The clipboard as the screens use it: off the event loop, cleared in time and at the end."""

import asyncio
from contextlib import suppress
from threading import Thread
from typing import ClassVar, Protocol, cast

from textual.app import App
from textual.timer import Timer

from keytui.core.model import Secret
from keytui.tui.services.threads import in_thread
from keytui.tui.terminal.clipboard import Clipboard, Sent


class Copier:
    """Sends texts to the clipboard of whoever sits at the terminal.

    Textual's own ``copy_to_clipboard`` is not used: it keeps the text in the application.
    """

    SECONDS: ClassVar[float] = 30
    """After how long a secret is cleared."""
    PATIENCE: ClassVar[float] = 3
    """How many seconds clearing may take when keytui leaves: the terminal may be gone."""

    def __init__(self, app: App[None], clipboard: Clipboard) -> None:
        self._app, self._clipboard = app, clipboard
        self._timer: Timer | None = None

    async def send(self, text: Secret, *, secret: bool = True) -> Sent:
        """Send a text; a secret is cleared after a while, an access key ID stays."""
        self._stop()
        sent = await in_thread(lambda: self._clipboard.send(text, self._write, secret=secret))
        self._stop()
        if self._clipboard.holds_secret and self._app.is_running:
            self._timer = self._app.set_timer(self.SECONDS, self.clear_soon)
        return sent

    def clear_soon(self) -> None:
        """Clear the clipboard of a secret that was sent or is being sent; wait for nothing."""
        self._stop()
        Thread(target=self._clear, name="keytui-clear", daemon=True).start()

    async def close(self) -> None:
        """Clear it before keytui leaves, and wait for what is under way."""
        self._stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(in_thread(self._clear), self.PATIENCE)

    def _clear(self) -> None:
        self._clipboard.clear(self._write)

    def _stop(self) -> None:
        if self._timer:
            self._timer.stop()
            self._timer = None

    def _write(self, sequence: str) -> None:
        if driver := self._app._driver:  # noqa: SLF001 - Textual has no other way
            driver.write(sequence)


class _HasCopier(Protocol):
    copier: Copier


def copier(app: object) -> Copier:
    """Return the copier of keytui's application."""
    return cast("_HasCopier", app).copier
