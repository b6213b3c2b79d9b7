"""A rotation as a screen of steps: what is done, what comes next, and the way back."""

from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from threading import Event as Flag
from typing import Any, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static
from typing_extensions import override

from keytui.aws.files.repoint import RepointChange
from keytui.core.errors import KeytuiError, NotFoundError
from keytui.core.model import LastUsed
from keytui.core.text import plain
from keytui.journal.history import place
from keytui.journal.log import Event
from keytui.journal.rotations import Rotation, Step
from keytui.rotation.driver import RotationDriver, UndecidedError
from keytui.rotation.rotator import Watch
from keytui.tui.dialogs.dialogs import sentences
from keytui.tui.services.flow_runner import FlowRunner
from keytui.tui.widgets.bars import KeyHints, MessageBar, TooSmall
from keytui.tui.widgets.lines import Line, Lines
from keytui.tui.widgets.text import ACCENT, DIM, GOOD, WARNS, ago, fit, moment

GRAIN = "AWS tells of a use up to 15 minutes late."


def next_words(rotation: Rotation, watch: Watch | None, now: datetime) -> list[str]:
    """Return what happens next, a sentence a line."""
    old, new = rotation.old_id, rotation.new_id
    match rotation.ended:
        case Event.ROTATED:
            return [f"Done: {new} has taken the place of {old}, which is deleted."]
        case Event.ROLLED_BACK:
            return [f"Rolled back: {old} is the key again."]
        case Event.ABANDONED:
            return ["Left as it is: both keys stay."]
    if rotation.rolling_back:
        return ["The way back was not finished.", "b goes on with it; nothing else can be done."]
    if rotation.unsettled:
        return [
            "What became of the new key, or of its secret, is not known.",
            "Enter looks for it at AWS; the old key is as it was.",
        ]
    if rotation.keyless:
        return [
            "The new key was deleted, and AWS profiles here still name it.",
            "b rolls back: it puts the profiles back, and the old key stays.",
        ]
    if rotation.secretless:
        return [
            f"The secret of {new} is kept nowhere: nobody can use that key.",
            "b rolls back: it deletes the new key, and the old one stays.",
        ]
    if rotation.step is None:
        return [f"{old} is deleted.", "Enter ends the rotation: its secret and backups go."]
    return _of_step(rotation, watch, now)


def _of_step(rotation: Rotation, watch: Watch | None, now: datetime) -> list[str]:
    old, new = rotation.old_id, rotation.new_id
    match rotation.step:
        case Step.CREATE:
            return [
                "Enter creates the new key, and keeps its secret.",
                "The old key stays as it is.",
            ]
        case Step.VERIFY:
            return [
                f"Enter asks AWS until it accepts {new} three times in a row, with the secret "
                f"as {place(rotation.store)} has it.",
                "A new key takes 8 to 15 seconds as a rule. The old key stays as it is.",
            ]
        case Step.REPOINT:
            return [
                "Enter shows which AWS profiles here would be changed to use the new key.",
                "Both keys work.",
            ]
        case Step.WATCH | Step.RETIRE:
            return [
                "Now everything else that has the old key needs the new one. Enter then makes the "
                "old key inactive, and b undoes that.",
                *_watched(old, watch, now),
            ]
        case Step.DELETE:
            return [
                "The old key is inactive. Leave it so until you are sure that nothing misses it: "
                "R on this user comes back here.",
                "Enter deletes it for good, and the rotation ends. b makes it active again.",
            ]
    return []


def _watched(old: str, watch: Watch | None, now: datetime) -> list[str]:
    if watch is None or watch.old is None:
        return ["When the old key was last used can't be seen now."]
    here = "; ".join(use.text for use in watch.here)
    lines = [f"Still set up here: {here}."] if here else []
    if watch.still_used and watch.old.when:
        where = f"{watch.old.service} in {watch.old.region}".strip()
        return [
            *lines,
            f"{old} was used {ago(watch.old.when, now)} by {where}, after the new key was ready: "
            "something else still has it. Wait, and r looks again.",
        ]
    return [*lines, f"{old} was not used since {moment(watch.since)}. {GRAIN}"]


def key_line(
    title: str, key_id: str, used: LastUsed | None, watch: Watch | None, now: datetime
) -> Text:
    """Return a key with its last use."""
    if not key_id:
        return Text()
    line = Text.assemble((f"  {title}  ", DIM), (plain(key_id), "bold"))
    if used is None:
        return line
    if used.when is None:
        return line.append("  never used", style=DIM)
    where = plain(f"{used.service} {used.region}".strip())
    late = title == "Old key" and watch is not None and watch.still_used
    return line.append(f"  used {ago(used.when, now)} by {where}", style=WARNS if late else DIM)


_LONG, _SHORT = "%Y-%m-%d %H:%M:%S UTC", "%m-%d %H:%M"
_WIDE = 80
"""From how many cells on a time is shown whole."""


class StepList(Lines):
    """Draws a rotation's steps."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._rotation: Rotation | None = None
        self._under_way = ""

    def show(self, rotation: Rotation, under_way: str = "") -> None:
        """Show a rotation, and what is being done now; empty for nothing."""
        self._rotation, self._under_way = rotation, under_way
        self.redraw()

    @override
    def draw_line(self, y: int, width: int) -> Text:
        steps = list(Step)
        if self._rotation is None or y >= len(steps):
            return Text()
        step, rotation = steps[y], self._rotation
        here = step is rotation.step and not rotation.rolling_back
        when = rotation.done.get(step)
        at = f"{when.astimezone(UTC):{_LONG if width >= _WIDE else _SHORT}}" if when else ""
        words = self._under_way if here and self._under_way else step.words
        style = DIM if when else "bold" if here else ""
        mark = ("✓", GOOD) if when else ("◌" if self._under_way else "▸", WARNS) if here else " "
        room = width - 8 - len(at)
        line = Text.assemble("  ", mark, f" {step.number}  ", (fit(words, room), style))
        line.pad_right(width - len(at) - 1 - line.cell_len)
        return line.append(at, style=DIM)


WIDE = 100
"""From how many columns on both keys are named in the heading."""
WATCH_SECONDS = 60.0
"""How often AWS is asked for the last use while the screen stands open."""

Verbs = Mapping[str, Callable[[], Coroutine[Any, Any, None]]]


class RotationScreen(Screen[None]):
    """Shows one rotation, and does its steps one by one.

    Attributes:
        seen: What AWS says of the use of both keys; None before it was asked.
        left: Set when the step under way is not waited for any more.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "do('next')", "Go on"),
        Binding("r", "look", "Look"),
        Binding("l", "do('leave')", "Keep both"),
        Binding("b", "do('back')", "Roll back"),
        Binding("escape", "close", "Back", key_display="esc"),
        Binding("q", "close", show=False),
    ]

    def __init__(
        self,
        driver: RotationDriver[RepointChange],
        rotation: Rotation,
        now: Callable[[], datetime],
        verbs: Verbs,
        *,
        begins: bool,
    ) -> None:
        """Take the parts: ``next``, ``back`` and ``leave`` are the verbs, what the keys do."""
        super().__init__()
        self.seen: Watch | None = None
        self.left = Flag()
        self._driver, self._rotation, self._now = driver, rotation, now
        self._verbs, self._begins = verbs, begins
        self._flows = FlowRunner(self, self._problem, self._ended, forgets=True)
        self._doing = False
        self._verb = self._under_way = ""

    @override
    def compose(self) -> ComposeResult:
        yield Line(id="heading")
        yield StepList(id="steps")
        yield Line(id="old")
        yield Line(id="new")
        yield Static(id="next")
        yield MessageBar(id="message")
        yield KeyHints()
        yield TooSmall()

    def on_mount(self) -> None:
        self.query_one(MessageBar).say("")
        self.draw()
        self.action_look()
        self.set_interval(WATCH_SECONDS, self.action_look)
        if self._begins:
            self.call_after_refresh(self.action_do, "next")

    def on_resize(self) -> None:
        self.draw()

    @property
    def can_leave(self) -> bool:
        """Whether keytui may end now: not between AWS's answer and the record."""
        return not self._under_way or self._waits

    @property
    def _waits(self) -> bool:
        """Whether what is under way only asks AWS, and needs not be waited for."""
        verifies = self._verb == "next" and self._rotation.step is Step.VERIFY
        return bool(self._under_way) and verifies

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        if action == "close":
            return not self._doing or self._waits
        if action not in {"do", "look"}:
            return True
        rotation = self._rotation
        if self._doing or rotation.ended:
            return False
        match parameters:
            case ("back",):
                return Step.DELETE not in rotation.done
            case ("leave",):
                return not rotation.unsettled and rotation.step is not None
            case ("next",):
                return not rotation.only_back
        return True

    def action_do(self, verb: str) -> None:
        if not self.check_action("do", (verb,)) or self._flows.held:
            return
        self.say("")
        self._doing, self._verb = True, verb
        self.left.clear()
        work = self._verbs[verb]()
        self._flows.run(work, group="step", description="a step of a rotation")

    async def _ended(self) -> None:
        self._doing, self._under_way = False, ""
        try:
            await self._driver.read()
        except KeytuiError as error:
            self._problem(error)
        self.draw()
        self.action_look()

    def _problem(self, error: KeytuiError) -> None:
        if isinstance(error, NotFoundError):
            hint = f"{error.next_step} If the user is deleted, l ends the rotation.".strip()
            error = NotFoundError(error.title, error.safe, hint)
        if isinstance(error, UndecidedError) and not (error.safe or error.next_step):
            self.say(error.title, good=False)
        else:
            self.query_one(MessageBar).problem(error)

    def action_look(self) -> None:
        self.run_worker(self._look(), group="look", exclusive=True, description="look at both keys")

    async def _look(self) -> None:
        self.seen = await self._driver.watch(self._rotation)
        self.draw()

    def action_close(self) -> None:
        """Wait no longer for AWS; else, with nothing under way, leave the rotation as it is."""
        if self._waits:
            self.left.set()
        elif not self._doing:
            self.dismiss(None)

    # What its driver's port needs of it.

    def show(self, rotation: Rotation) -> None:
        """Show where the rotation stands, with nothing under way."""
        self._rotation = rotation
        self.under_way("")

    def under_way(self, words: str) -> None:
        """Show what is being done; an empty text ends that."""
        self._under_way = words
        self.draw()

    def progress(self, words: str) -> None:
        """Show how far it has come; nothing is shown where it has ended meanwhile."""
        if self._under_way:
            self.under_way(words)

    def say(self, text: str, good: bool = True) -> None:
        """Show a sentence; an empty one clears it."""
        self.query_one(MessageBar).say(text, good)

    def draw(self) -> None:
        """Draw where it stands."""
        if not self.is_mounted:
            return
        rotation, now, watch = self._rotation, self._now(), self.seen
        ids = ""
        if self.size.width >= WIDE:  # Both stand below, too.
            ids = f"{rotation.old_id} → {rotation.new_id}" if rotation.new_id else rotation.old_id
        head = Text.assemble(("Rotation", f"bold {ACCENT}"), f"  {plain(rotation.user)}  {ids}")
        self.query_one("#heading", Line).show_line(head)
        self.query_one(StepList).show(rotation, self._under_way)
        words = [] if self._under_way else next_words(rotation, watch, now)
        self.query_one("#next", Static).update(sentences(*words))
        old = key_line("Old key", rotation.old_id, watch.old if watch else None, watch, now)
        new = key_line("New key", rotation.new_id, watch.new if watch else None, watch, now)
        self.query_one("#old", Line).show_line(old)
        self.query_one("#new", Line).show_line(new)
        self._draw_hints()

    def _draw_hints(self) -> None:
        shown = []
        for binding in self.BINDINGS:
            if isinstance(binding, Binding) and binding.show:
                verb = binding.action.removeprefix("do('").removesuffix("')")
                action = "do" if binding.action.startswith("do(") else binding.action
                if self.check_action(action, (verb,)):
                    shown.append(binding)
        self.query_one(KeyHints).show(shown)
