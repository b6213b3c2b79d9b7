"""The dialog that works on several keys at once and tells what becomes of each."""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from keytui.batch import Result
from keytui.model import AccessKey
from keytui.plain import plain
from keytui.ui.screens.long_dialog import LongDialog
from keytui.ui.text import DIM, FAILS, GOOD, WARNS, fit
from keytui.ui.threads import in_thread

WIDE = 76
"""The width of a dialog that has all the room it takes."""


def name_width(dialog: Screen[Any]) -> int:
    """Return how many cells there are for a user's name."""
    return 14 if dialog.app.size.width < WIDE else 26


def key_row(key: AccessKey, what: Text, width: int) -> Text:
    """Return a key's line: its ID, its owner, and what is or becomes of it."""
    name = fit(plain(key.user.name), width)
    name += " " * (width - cell_len(name))
    return Text.assemble((plain(key.id), "bold"), f"  {name}  ", what)


class _State(Enum):
    UNDER_WAY = "esc stops before the next key"
    STOPPING = "Stopping; those under way come to their end"
    ENDED = ""


class BatchScreen(LongDialog[tuple[Result, ...]]):
    """Does the work and shows what becomes of each key; returns the results when it is closed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,enter", "close", show=False),
    ]

    class Told(Message):
        """A key is done, or has failed.

        Attributes:
            result: What became of it.
        """

        def __init__(self, result: Result) -> None:
            super().__init__()
            self.result = result

    def __init__(
        self,
        title: str,
        keys: Sequence[AccessKey],
        work: Callable[[Callable[[Result], None]], tuple[Result, ...]],
        stop: Callable[[], None],
    ) -> None:
        """Take the work.

        Args:
            title: What is done.
            keys: The keys that it is done to.
            work: The work; blocks, and is given a function to tell each result.
            stop: Tells the work to begin with no other key.
        """
        super().__init__(title)
        self._keys, self._work, self._stop = keys, work, stop
        self._known: dict[str, Result] = {}
        self._results: tuple[Result, ...] = ()
        self._state = _State.UNDER_WAY

    @property
    def can_leave(self) -> bool:
        """Whether the work has ended: what was changed is on keytui's record."""
        return self._state is _State.ENDED

    def below(self) -> ComposeResult:
        """Yield the line that says how far it is."""
        yield Static(classes="quiet progress")

    def on_mount(self) -> None:
        """Begin."""
        super().on_mount()
        self._draw()
        self.begin()

    @work(description="work on several keys")
    async def begin(self) -> None:
        """Do the work."""

        def told(result: Result) -> None:
            self.post_message(self.Told(result))

        self._results = await in_thread(lambda: self._work(told))
        self._known = {result.key.id: result for result in self._results}
        self._state = _State.ENDED
        self._draw()
        self.show_hints()

    def on_batch_screen_told(self, message: Told) -> None:
        """Show a result."""
        self._known[message.result.key.id] = message.result
        self._draw()

    def show_hints(self) -> None:
        """Show what esc does now."""
        words = "Close" if self.can_leave else "Stop"
        self.hint([Binding("escape", "close", words, key_display="esc")])

    def action_close(self) -> None:
        """Close when it has ended; stop it before."""
        if self.can_leave:
            self.dismiss(self._results)
        else:
            self._state = _State.STOPPING
            self._stop()
            self._draw()

    def _draw(self) -> None:
        lines = list[Text]()
        for key in sorted(self._keys, key=self._settled):
            lines.append(key_row(key, self._outcome(key), name_width(self)))
            if (result := self._known.get(key.id)) and (more := _problem(result)):
                lines.append(Text(f"  {plain(more)}", WARNS))
        self.show_text(Text("\n").join(lines))
        done = sum(result.change is not None for result in self._known.values())
        said = f"{done} of {len(self._keys)} done. {self._state.value}".strip()
        self.query_one(".progress", Static).update(Text(said))

    def _settled(self, key: AccessKey) -> bool:
        """Return whether a key needs no more looking at, once all has ended."""
        result = self._known.get(key.id)
        return self._state is _State.ENDED and result is not None and result.change is not None

    def _outcome(self, key: AccessKey) -> Text:
        result = self._known.get(key.id)
        if result and result.change:
            return Text(f"✓ {result.change.status.value}", GOOD)
        if result:
            return Text("✗ failed", FAILS)
        return Text("– left as it is" if self._state is _State.ENDED else "…", DIM)


def _problem(result: Result) -> str:
    if result.error:
        return str(result.error)
    if result.change and result.change.problem:
        return f"Done, but: {result.change.problem}"
    return "" if result.change and result.change.listed else "AWS does not list it so yet."
