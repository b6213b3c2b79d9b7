"""How the screen asks for MFA codes, whichever thread needs one."""

import asyncio
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial

from textual.app import App

from keytui.core.mfa import MfaDesk, MfaRequest
from keytui.core.model import Secret
from keytui.tui.services.typeahead import typed_ahead


class MfaDialogs:
    """The app's way to ask for codes, while it runs."""

    def __init__(self, app: App[None], desk: MfaDesk, signed_in: Callable[[], None]) -> None:
        """``signed_in`` is called on the event loop after each code that AWS took."""
        self._app, self._desk, self._signed_in = app, desk, signed_in
        self._answer: asyncio.Future[Secret | None] | None = None

    def begin(self) -> None:
        """From now on codes are asked for by a dialog of the app."""
        loop = asyncio.get_running_loop()

        def signed_in() -> None:
            with suppress(RuntimeError):  # The loop has ended.
                loop.call_soon_threadsafe(self._signed_in)

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
        from keytui.tui.dialogs.mfa import MfaScreen  # Not needed on the way to the first frame.

        answer = self._answer = asyncio.get_running_loop().create_future()
        await self._app.push_screen(MfaScreen(request), answer.set_result)
        with typed_ahead(self._app).interrupted():
            code: Secret | None = await answer
        return code
