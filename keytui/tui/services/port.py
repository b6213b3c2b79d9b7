"""The screen as a verb's driver sees it."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from keytui.tui.services.stage import Stage
from keytui.tui.services.threads import in_thread

T = TypeVar("T")


class ScreenPort:
    """Works in threads and says what came of it in the message bar; see ``core.port.Port``."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self._loop = asyncio.get_running_loop()

    async def work(self, call: Callable[[], T]) -> T:
        """Run a blocking call in a thread."""
        return await in_thread(call)

    def progress(self, step: str) -> None:
        """Show what is being done. Any thread."""
        self._loop.call_soon_threadsafe(self.stage.say, f"{step}…", False)

    def tell(self, sentence: str, *, good: bool = True) -> None:
        """Show what came of it."""
        self.stage.say(sentence, good)

    def committed(self) -> None:
        """No dialog comes any more: keys typed ahead go to the main screen again."""
        self.stage.no_more_questions()
