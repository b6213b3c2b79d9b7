"""The dialog that works on several keys at once and tells what becomes of each."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static

from keytui.core.model import AccessKey
from keytui.core.text import plain
from keytui.keys.batch import Planned, Result, Verb
from keytui.keys.outcomes import Concern
from keytui.tui.dialogs.dialogs import Note
from keytui.tui.dialogs.long_dialog import LongDialog
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.line_input import LineInput
from keytui.tui.widgets.text import DIM, FAILS, GOOD, WARNS, count, fit

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


DOES = {
    Verb.DEACTIVATE: "Make {} inactive",
    Verb.ACTIVATE: "Make {} active",
    Verb.DELETE: "Delete {}",
}


@dataclass(frozen=True, slots=True)
class Summary:
    """What will happen to some keys.

    Attributes:
        verb: What is to be done to them.
        free: Those that nothing speaks against.
        used: Those whose guards ask.
        others: Those that are left as they are: one's own, and those that can't be done.
    """

    verb: Verb
    free: tuple[Planned, ...]
    used: tuple[Planned, ...]
    others: tuple[Planned, ...]

    @property
    def all(self) -> tuple[Planned, ...]:
        """All that can be done here."""
        return (*self.free, *self.used)


def summary(verb: Verb, planned: Sequence[Planned]) -> Summary:
    """Sort keys by what their guards say."""
    others = [one for one in planned if one.refusal or one.concern is Concern.OWN_KEY]
    rest = [one for one in planned if one not in others]
    free = tuple(one for one in rest if one.concern is None)
    used = tuple(one for one in rest if one.concern)
    return Summary(verb, free, used, tuple(others))


class BulkScreen(LongDialog[tuple[Planned, ...]]):
    """Shows what will happen and returns the keys it shall happen to; none where it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer('free')", show=False),
        Binding("Y", "answer('all')", show=False),
        Binding("n,escape,enter", "answer('')", show=False),
    ]

    def __init__(self, plan: Summary) -> None:
        what = DOES[plan.verb].format(count(len(plan.all), "key"))
        super().__init__(f"{what}?" if plan.all else "None of them can be changed here")
        self._plan = plan

    def on_mount(self) -> None:
        """Show the summary."""
        super().on_mount()
        self.show_text(_told(self._plan, name_width(self)))

    def show_hints(self) -> None:
        """Show what each key would do."""
        plan, does = self._plan, DOES[self._plan.verb]
        hints = []
        if plan.free:
            hints.append(Binding("y", "answer('free')", does.format(len(plan.free))))
        if plan.used:
            every = f"all {len(plan.all)}" if plan.free else f"{len(plan.used)}"
            hints.append(Binding("Y", "answer('all')", does.format(every)))
        self.hint([*hints, Binding("n", "answer('')", "No")])

    def action_answer(self, which: str) -> None:
        """Return the keys."""
        if which == "free" and not self._plan.free:
            return
        chosen = {"free": self._plan.free, "all": self._plan.all}
        self.dismiss(chosen.get(which, ()))


class BulkDeleteScreen(LongDialog[tuple[Planned, ...]]):
    """The same for what can't be undone: the number of keys is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Delete if the number is right"),
        Binding("escape", "leave", "No, keep them", key_display="esc"),
    ]

    def __init__(self, plan: Summary) -> None:
        super().__init__(f"DELETE {count(len(plan.all), 'ACCESS KEY').upper()} FOR EVER")
        self._plan = plan

    def below(self) -> ComposeResult:
        """Yield the line to type on."""
        free, every = len(self._plan.free), len(self._plan.all)
        ask = Text.assemble("Type ", (f"delete {every}", "bold"))
        if free and free < every:
            ask.append(" for all of them, or ")
            ask.append(f"delete {free}", "bold").append(" for those not in use")
        yield Static(ask.append(", then enter."), classes="ask")
        yield LineInput(max_length=16, classes="line")
        yield Note(classes="wrong")

    def on_mount(self) -> None:
        """Show the summary."""
        super().on_mount()
        self.show_text(_told(self._plan, name_width(self)))

    @on(LineInput.Submitted)
    def action_submit(self) -> None:
        """Return the keys whose number was typed; nothing typed means none."""
        typed = " ".join(self.query_one(LineInput).value.casefold().split())
        ways = {f"delete {len(some)}": some for some in (self._plan.free, self._plan.all) if some}
        if not typed or typed in ways:
            self.dismiss(ways.get(typed, ()))
        else:
            self.query_one(Note).say(Text("That is not it. Nothing is deleted."))

    def action_leave(self) -> None:
        """Return none."""
        self.dismiss(())


def _told(plan: Summary, width: int) -> Text:
    becomes = plan.verb.value.value
    asks = "" if plan.verb is Verb.DELETE else "; only Y takes them"
    parts = [
        _part(Text(), plan.free, becomes, width),
        _part(Text(f"Something may depend on these{asks}:", WARNS), plan.used, becomes, width),
        _part(Text("These stay as they are:", "bold"), plan.others, "", width),
    ]
    return Text("\n\n").join(Text("\n").join(lines) for lines in parts if lines)


def _part(title: Text, planned: tuple[Planned, ...], becomes: str, width: int) -> list[Text]:
    """Return the lines of some keys, and below each why it is asked about or left."""
    lines = [title] if planned and title else []
    for one in planned:
        status = one.key.status.value
        lines.append(key_row(one.key, Text(f"{status} → {becomes}" if becomes else status), width))
        lines += [Text(f"  {plain(why)}", DIM) for why in _reasons(one) if why]
    return lines


def _reasons(one: Planned) -> tuple[str, ...]:
    if one.refusal:
        return (one.refusal,)
    if one.concern is Concern.OWN_KEY:
        return ("It signs keytui's own calls: unmark it, and work on it alone.",)
    return one.dependence.reasons if one.dependence else ()
