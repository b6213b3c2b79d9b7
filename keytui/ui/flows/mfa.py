"""Ask for an MFA code over whatever is on the screen, in the name of a thread that waits for it."""

import asyncio
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from keytui.mfa import MfaDesk, MfaRequest
from keytui.model import Secret

if TYPE_CHECKING:
    from keytui.ui.app import KeytuiApp


class MfaDialogs:
    """The app's way to ask for codes, while it runs."""

    def __init__(self, app: "KeytuiApp", desk: MfaDesk) -> None:
        self._app, self._desk = app, desk
        self._answer: asyncio.Future[Secret | None] | None = None

    def begin(self) -> None:
        """From now on codes are asked for by a dialog of the app."""
        loop = asyncio.get_running_loop()

        def signed_in() -> None:
            with suppress(RuntimeError):  # The loop has ended.
                loop.call_soon_threadsafe(self._app.main.show_top)

        self._desk.ask_by(self._ask, signed_in)

    def end(self) -> None:
        """Nobody can be asked any more; a thread that waits for a code gets none."""
        self._desk.ask_by(None)
        if self._answer and not self._answer.done():
            self._answer.set_result(None)

    def _ask(self, request: MfaRequest) -> Secret | None:
        dialog = partial(self._open, request)
        try:
            code: Secret | None = self._app.call_from_thread(dialog)  # type: ignore[arg-type]
        except (CancelledError, RuntimeError):  # The app has ended meanwhile.
            return None
        return code

    async def _open(self, request: MfaRequest) -> Secret | None:
        """Open the dialog and wait for what it returns."""
        from keytui.ui.screens.mfa import MfaScreen  # Not needed on the way to the first frame.

        answer = self._answer = asyncio.get_running_loop().create_future()
        await self._app.push_screen(MfaScreen(request), answer.set_result)
        with self._app.typed.interrupted():
            code: Secret | None = await answer
        return code
