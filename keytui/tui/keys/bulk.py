"""All marked keys on the screen: one summary, then a result for each; and undo."""

from collections.abc import Callable, Sequence
from enum import Enum
from threading import Event
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static
from typing_extensions import override

from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey
from keytui.core.text import plain
from keytui.keys.change import (
    NOT_LISTED,
    Assent,
    ChangePort,
    Look,
    Plan,
    Planned,
    Progress,
    Result,
    Told,
    Work,
    change,
)
from keytui.keys.change import undo as take_back
from keytui.keys.outcomes import ChangedSinceError, Concern, Verb
from keytui.tui.dialogs.dialogs import LongDialog, Note, WorkingScreen
from keytui.tui.keys.change import OneKey, take_in
from keytui.tui.services.reading import look_at_rotations
from keytui.tui.services.stage import ScreenPort, Stage
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.lines import LineInput
from keytui.tui.widgets.text import DIM, FAILS, GOOD, WARNS, count, fit

WIDE = 76
"""The width of a dialog that has all the room it takes."""


async def work_on_marked(stage: Stage, verb: Verb) -> None:
    """Do one thing to all marked keys, after a summary of what will happen to which."""
    await work_on(stage, verb, stage.account.marked)
    await look_at_rotations(stage)


async def work_on(stage: Stage, verb: Verb, wanted: Sequence[AccessKey]) -> Sequence[AccessKey]:
    """Do one thing to some keys, after a summary; return those that were changed."""
    results = await change(stage.account.lifecycle, verb, wanted, ManyKeys(stage))
    return [result.key for result in results if result.change]


async def undo(stage: Stage) -> None:
    """Take back the last change of status that this run has made, or the last batch of them."""
    account = stage.account
    account.lifecycle.require_writable()
    if not account.changes:
        stage.say("There is no change of status to undo.", good=False)
        return
    batch = account.changes[-1]
    if any(change.key.id in account.pending for change in batch):
        return
    port: ChangePort = OneKey(stage, undoing=True)
    if len(batch) > 1:
        port = ManyKeys(stage, undoing=True)
    await take_back(account.lifecycle, batch, port)


class ManyKeys(ScreenPort):
    """Shows one summary of many keys, then a result for each."""

    def __init__(self, stage: Stage, *, undoing: bool = False) -> None:
        super().__init__(stage)
        self._account, self._undoing = stage.account, undoing

    @override
    def committed(self) -> None:
        """Keys typed ahead go into the dialog with the results."""

    async def check(self, verb: Verb, keys: Sequence[AccessKey], look: Look) -> Plan:
        del verb
        left = Event()
        wait = "Nothing is changed before you have seen what will happen."
        title = f"Looking at {count(len(keys), 'key')}"

        def work(progress: Progress) -> Plan:
            return look(progress, left.is_set)

        plan = await self.stage.ask(WorkingScreen(title, work, wait, leave=left.set))
        if left.is_set():
            raise KeytuiError("Left.", "Nothing was changed.")
        if isinstance(plan, KeytuiError):
            raise plan
        return plan

    async def agree(self, plan: Plan) -> Sequence[Planned]:
        deletes = plan.verb is Verb.DELETE and bool(plan.others)
        chosen = await self.stage.ask(BulkDeleteScreen(plan) if deletes else BulkScreen(plan))
        if not chosen:
            self.stage.say("Nothing was changed.", good=False)
        return chosen

    async def carry_out(self, plan: Plan, work: Work) -> tuple[Result, ...]:
        stage, stop = self.stage, Event()
        keys = [one.key for one in plan.keys]
        title = plan.verb.does(count(len(keys), "key"))
        if self._undoing:
            title = f"Undo {count(len(keys), 'change')}"
        dialog = BatchScreen(title, keys, lambda told: work(told, stop.is_set), stop.set)
        results = await stage.ask(dialog)
        take_in(self._account, results, undoing=self._undoing)
        stage.no_more_questions()
        stage.view.draw_marks()
        stage.view.reread()
        self._tell(plan, results)
        return results

    def _tell(self, plan: Plan, results: Sequence[Result]) -> None:
        asked, done = len(plan.keys), sum(result.change is not None for result in results)
        word = "as before" if self._undoing else plan.verb.word
        said = f"{'is' if done == 1 else 'are'} {word}"
        undo = any(result.change and result.change.undoable for result in results)
        hint = " u undoes that." if undo and not self._undoing else ""
        if done == asked:
            self.stage.say(f"{count(done, 'key')} {said}.{hint}")
            return
        since = sum(isinstance(result.error, ChangedSinceError) for result in results)
        failed, left = len(results) - done - since, asked - len(results)
        parts = [f"{failed} failed"] * bool(failed)
        parts += [f"{since} changed since by somebody else and not touched"] * bool(since)
        parts += [f"{left} not begun and as before"] * bool(left)
        if self._undoing and failed + left:
            hint = " u undoes the rest."
        told = f"{done} of {count(asked, 'key')} {said}; {', '.join(parts)}.{hint}"
        self.stage.say(told, good=False)


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

    class Ended(Message):
        """A key is done, or has failed."""

        def __init__(self, result: Result) -> None:
            super().__init__()
            self.result = result

    def __init__(
        self,
        title: str,
        keys: Sequence[AccessKey],
        work: Callable[[Told], tuple[Result, ...]],
        stop: Callable[[], None],
    ) -> None:
        """``work`` blocks, and tells each result; after ``stop`` it begins with no other key."""
        super().__init__(title)
        self._keys, self._work, self._stop = keys, work, stop
        self._known: dict[str, Result] = {}
        self._results: tuple[Result, ...] = ()
        self._state = _State.UNDER_WAY

    @property
    def can_leave(self) -> bool:
        """Whether the work has ended: what was changed is on keytui's record."""
        return self._state is _State.ENDED

    @override
    def below(self) -> ComposeResult:
        yield Static(classes="quiet progress")

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self._draw()
        self.begin()

    @work(description="work on several keys")
    async def begin(self) -> None:
        """Do the work."""

        def told(result: Result) -> None:
            self.post_message(self.Ended(result))

        self._results = await in_thread(lambda: self._work(told))
        self._known = {result.key.id: result for result in self._results}
        self._state = _State.ENDED
        self._draw()
        self.show_hints()

    def on_batch_screen_ended(self, message: Ended) -> None:
        self._known[message.result.key.id] = message.result
        self._draw()

    @override
    def show_hints(self) -> None:
        words = "Close" if self.can_leave else "Stop"
        self.hint([Binding("escape", "close", words, key_display="esc")])

    def action_close(self) -> None:
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
    if result.change and result.change.warning:
        return str(result.change.warning)
    return "" if result.change and result.change.listed else NOT_LISTED


class BulkScreen(LongDialog[tuple[Planned, ...]]):
    """Shows what will happen and returns the keys it shall happen to; none where it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer('free')", show=False),
        Binding("Y", "answer('all')", show=False),
        Binding("n,escape,enter", "answer('')", show=False),
    ]

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        what = plan.verb.does(count(len(plan.others), "key"))
        super().__init__(f"{what}?" if plan.others else "None of them can be changed here")

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self.show_text(_told(self._plan, name_width(self)))

    @override
    def show_hints(self) -> None:
        plan, hints = self._plan, []
        if plan.free:
            hints.append(Binding("y", "answer('free')", plan.verb.does(f"{len(plan.free)}")))
        if plan.used:
            every = f"all {len(plan.others)}" if plan.free else f"{len(plan.used)}"
            hints.append(Binding("Y", "answer('all')", plan.verb.does(every)))
        self.hint([*hints, Binding("n", "answer('')", "No")])

    def action_answer(self, which: str) -> None:
        if which == "free" and not self._plan.free:
            return
        chosen = {"free": self._plan.free, "all": self._plan.others}
        self.dismiss(chosen.get(which, ()))


class BulkDeleteScreen(LongDialog[tuple[Planned, ...]]):
    """The same for what can't be undone: the number of keys is typed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Delete if it is right"),
        Binding("escape", "leave", "No, keep them", key_display="esc"),
    ]

    def __init__(self, plan: Plan) -> None:
        every = plan.others
        super().__init__(f"DELETE {count(len(every), 'ACCESS KEY').upper()} FOR EVER")
        self._plan = plan
        self._ways = {f"delete {len(some)}": some for some in (plan.free, every) if some}
        if plan.assent is Assent.LAST_FOUR:
            self._ways = {every[0].key.id[-4:].casefold(): every}

    @override
    def below(self) -> ComposeResult:
        *fewer, every = self._ways
        if self._plan.assent is Assent.LAST_FOUR:
            ask = Text.assemble("Type its ", ("last four characters", "bold"))
        else:
            ask = Text.assemble("Type ", (every, "bold"))
        for free in fewer:
            ask.append(" for all of them, or ")
            ask.append(free, "bold").append(" for those not in use")
        yield Static(ask.append(", then enter."), classes="ask")
        yield LineInput(max_length=16, classes="line")
        yield Note(classes="wrong")

    @override
    def on_mount(self) -> None:
        super().on_mount()
        self.show_text(_told(self._plan, name_width(self)))

    @on(LineInput.Submitted)
    def action_submit(self) -> None:
        """Return the keys that were meant by what was typed; nothing typed means none."""
        typed = " ".join(self.query_one(LineInput).value.casefold().split())
        if not typed or typed in self._ways:
            self.dismiss(self._ways.get(typed, ()))
        else:
            self.query_one(Note).say(Text("That is not it. Nothing is deleted."))

    def action_leave(self) -> None:
        self.dismiss(())


_OWN = "It signs keytui's own calls: unmark it, and work on it alone."


def _told(plan: Plan, width: int) -> Text:
    becomes = plan.verb.value.value
    asks = "" if plan.verb is Verb.DELETE else "; only Y takes them"
    parts = [
        _part(Text(), plan.free, becomes, width),
        _part(Text(f"Something may depend on these{asks}:", WARNS), plan.used, becomes, width),
        _part(Text("These stay as they are:", "bold"), (*plan.refused, *plan.own), "", width),
    ]
    return Text("\n\n").join(Text("\n").join(lines) for lines in parts if lines)


def _part(title: Text, planned: tuple[Planned, ...], becomes: str, width: int) -> list[Text]:
    """Return the lines of some keys, and below each why it is asked about or left."""
    lines = [title] if planned and title else []
    for one in planned:
        status = one.key.status.value
        lines.append(key_row(one.key, Text(f"{status} → {becomes}" if becomes else status), width))
        own = one.concern is Concern.OWN_KEY
        lines += [Text(f"  {plain(why)}", DIM) for why in ((_OWN,) if own else one.reasons)]
    return lines
