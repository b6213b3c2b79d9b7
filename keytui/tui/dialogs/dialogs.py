"""The small dialogs: a question, a word to type, a path, a choice, work to wait for.

A dialog returns a typed value and does nothing else.
"""

import asyncio
from collections.abc import Callable
from typing import ClassVar, Generic, TypeVar

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widgets import OptionList, Static
from typing_extensions import override

from keytui.core.errors import KeytuiError
from keytui.core.text import plain
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.bars import KeyHints, TooSmall
from keytui.tui.widgets.lines import LineInput
from keytui.tui.widgets.rows import Rows

T = TypeVar("T")


def sentences(*lines: str) -> Text:
    """Return lines of plain text, one under the other, empty ones left out."""
    return Text("\n".join(plain(line) for line in lines if line))


class Note(Static):
    """A line or two that take no room while there is nothing to say."""

    def say(self, text: Text) -> None:
        """Say something; an empty text takes it back."""
        self.update(text)
        self.display = bool(text)

    def on_mount(self) -> None:
        self.display = False


class Dialog(ModalScreen[T], Generic[T]):
    """The frame that dialogs share: a box with a title and the keys that work."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.box_title = title

    @override
    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="box", can_focus=False) as box:
            box.border_title = Content(plain(self.box_title))
            yield from self.content()
            yield KeyHints()
        yield TooSmall()

    def content(self) -> ComposeResult:
        """Yield what stands in the box."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.show_hints()

    def on_resize(self) -> None:
        """Give the focus back after the terminal was too small."""
        if self.focused is None and not self.query_one(TooSmall).display:
            self.focus_next()

    def show_hints(self) -> None:
        """Show this dialog's own bindings."""
        shown = [b for b in self.BINDINGS if isinstance(b, Binding) and b.show]
        self.hint([b for b in shown if self.check_action(b.action, ())])

    def hint(self, bindings: list[Binding]) -> None:
        """Show these keys."""
        self.query_one(KeyHints).show(bindings)


class ConfirmScreen(Dialog[bool]):
    """A yes-or-no question; No unless y is pressed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes"),
        Binding("n,escape,enter", "answer(False)", "No", key_display="n"),
    ]

    def __init__(self, title: str, *lines: str) -> None:
        super().__init__(title)
        self._lines = lines

    @override
    def content(self) -> ComposeResult:
        yield Static(sentences(*self._lines))

    def action_answer(self, yes: bool) -> None:
        self.dismiss(yes)


class TypeScreen(Dialog[bool]):
    """A question that is answered by typing a word; nothing else means yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Confirm"),
        Binding("escape", "dismiss(False)", "No, leave it", key_display="esc"),
    ]

    def __init__(self, title: str, word: str, what: str, *lines: str) -> None:
        super().__init__(title)
        self._word, self._what, self._lines = word, what, lines

    @override
    def content(self) -> ComposeResult:
        yield Static(sentences(*self._lines))
        yield Static(Text(f"Type {self._what}, then enter."), classes="ask")
        yield LineInput(max_length=32, classes="line")
        yield Note(classes="wrong")

    @on(LineInput.Submitted)
    def action_submit(self) -> None:
        if self.query_one(LineInput).value.strip().casefold() == self._word.casefold():
            self.dismiss(True)
        else:
            self.query_one(Note).say(Text("That is not it. esc leaves it as it is."))


class PathScreen(Dialog[str | None]):
    """Asks for the path of a file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Save"),
        Binding("escape", "dismiss(None)", "Back", key_display="esc"),
    ]

    def __init__(self, title: str, path: str) -> None:
        super().__init__(title)
        self._path = path

    @override
    def content(self) -> ComposeResult:
        yield Static(Text("Only you can read the file; an existing one is never replaced."))
        yield LineInput(self._path, classes="line")

    @on(LineInput.Submitted)
    def action_submit(self) -> None:
        self.dismiss(self.query_one(LineInput).value)


class ChoiceScreen(Dialog[str | None]):
    """A choice among names."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "Choose"),
        Binding("escape", "dismiss(None)", "Back", key_display="esc"),
    ]

    def __init__(self, title: str, names: list[str], current: str) -> None:
        super().__init__(title)
        self._names, self._current = names, current

    @override
    def content(self) -> ComposeResult:
        options = OptionList(*[Text(plain(name)) for name in self._names], compact=True)
        if self._current in self._names:
            options.highlighted = self._names.index(self._current)
        yield options

    @on(OptionList.OptionSelected)
    def action_choose(self) -> None:
        index = self.query_one(OptionList).highlighted
        self.dismiss(None if index is None else self._names[index])


class WorkingScreen(Dialog[T | KeytuiError], Generic[T]):
    """Work that is waited for; it can be left only where its result can be had again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Wait no longer", key_display="esc"),
    ]

    def __init__(
        self,
        title: str,
        work: Callable[[Callable[[str], None]], T],
        wait: str,
        leave: Callable[[], None] | None = None,
    ) -> None:
        """Take the work.

        Args:
            title: What is being done.
            work: The work; blocks, and is given a function to tell how far it has come.
            wait: A sentence for the user who waits.
            leave: Tells the work that nobody waits any more; None where it must be waited for.
        """
        super().__init__(title)
        self._work, self._wait, self._leave = work, wait, leave
        self._left = False
        self._resumed = asyncio.Event()

    @property
    def can_leave(self) -> bool:
        """Whether the work can be left."""
        return self._leave is not None

    @override
    def content(self) -> ComposeResult:
        yield Static("…", classes="progress")
        yield Static(Text(plain(self._wait)), classes="quiet")

    def on_mount(self) -> None:
        super().on_mount()
        self.run()

    class Progress(Message):
        """The work has come to another step.

        Attributes:
            text: What is being done.
        """

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def on_working_screen_progress(self, message: Progress) -> None:
        self.query_one(".progress", Static).update(Text(message.text + "…"))

    @work(description="work that is waited for")
    async def run(self) -> None:
        """Do the work and return its result, or the error it ended with."""
        try:
            result: T | KeytuiError = await in_thread(lambda: self._work(self._tell))
        except KeytuiError as error:
            result = error
        # A question for an MFA code may be open: it would be closed in place of this.
        while self.app.screen is not self and not self._left:
            self._resumed.clear()
            await self._resumed.wait()
        if not self._left:
            self.dismiss(result)

    def on_screen_resume(self) -> None:
        self._resumed.set()

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        del parameters
        return action != "leave" or self.can_leave

    def action_leave(self) -> None:
        if self._leave:
            self._left = True
            self._leave()
            self.dismiss(KeytuiError("It was not waited for."))

    def _tell(self, text: str) -> None:
        self.post_message(self.Progress(text))


class FilteredScreen(Screen[T], Generic[T]):
    """Moves between the list and its filter; ``esc`` clears the filter, then goes back."""

    def on_resize(self) -> None:
        """Give the focus back after the terminal was too small."""
        if self.focused is None and not self.query_one(TooSmall).display:
            self.query_one(Rows).focus()

    def action_filter(self) -> None:
        self.query_one(LineInput).focus()

    def action_back(self) -> None:
        line = self.query_one(LineInput)
        if line.value or line.has_focus:
            line.value = ""
            self.query_one(Rows).focus()
        else:
            self.dismiss(None)

    @on(LineInput.Submitted)
    def _filter_done(self) -> None:
        self.query_one(Rows).focus()


class LongDialog(Dialog[T], Generic[T]):
    """A dialog with a text that the arrows and page keys scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "lines(1)", show=False),
        Binding("up,k", "lines(-1)", show=False),
        Binding("pagedown,ctrl+d,space", "page(1)", show=False),
        Binding("pageup,ctrl+u", "page(-1)", show=False),
        Binding("home,g", "end(-1)", show=False),
        Binding("end,G", "end(1)", show=False),
    ]

    @override
    def content(self) -> ComposeResult:
        with VerticalScroll(classes="long", can_focus=False):
            yield Static(id="text")
        yield from self.below()

    def below(self) -> ComposeResult:
        """Yield what stands below the text."""
        yield from ()

    def show_text(self, text: RenderableType) -> None:
        """Show a text; it stays where it has been scrolled to."""
        self.query_one("#text", Static).update(text)

    @property
    def _long(self) -> VerticalScroll:
        return self.query_one(".long", VerticalScroll)

    def action_lines(self, by: int) -> None:
        self._long.scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        self._long.scroll_relative(y=by * max(self._long.size.height - 1, 1), animate=False)

    def action_end(self, end: int) -> None:
        if end < 0:
            self._long.scroll_home(animate=False)
        else:
            self._long.scroll_end(animate=False)


MOVES = (
    ("↑ ↓ j k", "Move; page keys, g and G for first and last"),
    ("tab → ←", "Between users and keys; enter too"),
)


class HelpScreen(LongDialog[None]):
    """Lists a screen's bindings."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss(None)", "Back", key_display="esc"),
    ]

    def __init__(self, bindings: list[Binding]) -> None:
        super().__init__("Keys")
        self._shown = bindings

    def on_mount(self) -> None:
        super().on_mount()
        table = Table.grid(padding=(0, 2))
        for keys, does in MOVES:
            table.add_row(Text(keys, style="bold cyan"), does)
        for binding in self._shown:
            key = binding.key_display or binding.key
            table.add_row(Text(key, style="bold cyan"), binding.tooltip or binding.description)
        self.show_text(table)
