"""The dialogs about several keys at once: what will happen, and what has."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from keytui.batch import Planned, Verb
from keytui.outcomes import Concern
from keytui.plain import plain
from keytui.ui.screens.batch import key_row, name_width
from keytui.ui.screens.dialogs import Note
from keytui.ui.screens.long_dialog import LongDialog
from keytui.ui.text import DIM, WARNS, count
from keytui.ui.widgets.line_input import LineInput

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
