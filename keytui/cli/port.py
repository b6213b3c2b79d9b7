"""The command line as a verb's driver sees it."""

from collections.abc import Callable
from typing import TypeVar

from keytui.cli.console import complain, progress, say

T = TypeVar("T")


class ConsolePort:
    """Works at once and prints what came of it; see ``core.port.Port``.

    Attributes:
        quiet: JSON is to be the only output on standard output.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet

    async def work(self, call: Callable[[], T]) -> T:
        """Run a blocking call in this thread."""
        return call()

    def progress(self, step: str) -> None:
        """Show what is being done. Any thread."""
        progress(step)

    def tell(self, sentence: str, *, good: bool = True) -> None:
        """Print a line of the result, or to standard error what went wrong."""
        if not good:
            complain(sentence)
        elif not self.quiet:
            say(sentence)

    def committed(self) -> None:
        """Nothing waits here."""
