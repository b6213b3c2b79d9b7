"""The dialog that creates an access key: where the secret goes, and a description."""

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from keytui.descriptions import LENGTH, description_problem
from keytui.model import User
from keytui.parts import Parts
from keytui.plain import plain
from keytui.stores.base import Probe
from keytui.ui.screens.dialogs import Dialog, Note
from keytui.ui.screens.unlock import UnlockScreen
from keytui.ui.text import DIM, FAILS, GOOD, backend
from keytui.ui.threads import in_thread
from keytui.ui.widgets.line_input import LineInput
from keytui.ui.widgets.rows import Rows


class Goal(Enum):
    """Where the secret goes."""

    KEYRING = "OS keyring"
    CSV = "CSV file"
    SHOW = "Show only"


@dataclass(frozen=True, slots=True)
class CreateChoice:
    """What was chosen.

    Attributes:
        goal: Where the secret goes.
        path: The CSV file's path as typed.
        description: The key's description; empty for none.
    """

    goal: Goal
    path: str
    description: str


class Goals(Rows):
    """The places a secret can go, one a line."""

    def __init__(self) -> None:
        super().__init__(id="goals")
        self.notes: dict[Goal, Text] = {
            Goal.KEYRING: Text("looking…", style=DIM),
            Goal.CSV: Text("a file that only you can read", style=DIM),
            Goal.SHOW: Text("shown once, kept nowhere", style=DIM),
        }

    @property
    def row_count(self) -> int:
        """Three."""
        return len(Goal)

    @property
    def goal(self) -> Goal:
        """The place under the cursor."""
        return list(Goal)[self.cursor]

    def draw_row(self, index: int, width: int) -> Text:
        """Return a place with what is known of it."""
        goal = list(Goal)[index]
        mark = "◉" if index == self.cursor else "○"
        line = Text.assemble(f"{mark} {goal.value:<11}", self.notes[goal])
        line.truncate(width, overflow="ellipsis")
        return line


class CreateScreen(Dialog[CreateChoice | None]):
    """Asks how to create a key; ``enter`` creates with what is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "create", "Create"),
        Binding("up,down", "none", "Where", key_display="↑↓"),
        Binding("tab", "app.focus_next", "Description", key_display="tab"),
        Binding("escape", "dismiss(None)", "Back", key_display="esc"),
    ]

    def __init__(self, user: User, keys: int | None, parts: Parts) -> None:
        super().__init__("Create an access key")
        self._user, self._count, self._parts = user, keys, parts
        self._keyring: Probe | None = None

    def content(self) -> ComposeResult:
        """Yield the fields."""
        has = "" if self._count is None else f"   {self._count} of 2 keys"
        yield Static(Text.assemble(("For ", DIM), (plain(self._user.name), "bold"), (has, DIM)))
        yield Static(Text("The secret goes to", style=DIM), classes="label")
        yield Goals()
        yield Note(id="why", classes="wrong")
        yield Static(Text("Path of the CSV file", style=DIM), classes="label csv")
        yield LineInput(str(self._parts.csv_path(self._user)), id="path", classes="csv")
        yield Static(Text("Description, optional", style=DIM), classes="label")
        yield LineInput(max_length=LENGTH, id="description")

    def on_mount(self) -> None:
        """Look at the keyring."""
        super().on_mount()
        self.query_one(Goals).focus()
        self._show_goal()
        self.look()

    @work(group="look", exclusive=True, description="look at the keyring")
    async def look(self) -> None:
        """Probe the OS keyring by writing to it, and show what it says."""
        probe = self._keyring = await in_thread(self._parts.keyring.probe)
        if not self._still_open:
            return
        note = Text(backend(probe.label) + "  ", style=DIM) if backend(probe.label) else Text()
        note.append(*(("✓ can be written", GOOD) if probe.writable else ("✗ can't be used", FAILS)))
        goals = self.query_one(Goals)
        goals.notes[Goal.KEYRING] = note
        goals.redraw()
        if goals.goal is Goal.KEYRING:
            self._show_goal()

    @on(Rows.Highlighted)
    def _show_goal(self) -> None:
        goal = self.query_one(Goals).goal
        self.set_class(goal is Goal.CSV, "-csv")
        self._show(_why(self._keyring) if goal is Goal.KEYRING else "")

    def _show(self, why: str) -> None:
        self.query_one("#why", Note).say(Text(plain(why)))

    def _block(self, why: str) -> None:
        self._show(why)
        self.app.bell()

    @on(Rows.Chosen)
    @on(LineInput.Submitted)
    @work(group="choose", exclusive=True, description="look at the store chosen")
    async def action_create(self) -> None:
        """Return what is chosen, unless the store chosen can't be written."""
        goal, path = self.query_one(Goals).goal, self.query_one("#path", LineInput).value
        description = self.query_one("#description", LineInput).value.strip()
        if problem := description_problem(description):
            self._block(problem)
            return
        probe: Probe | None = None
        if goal is Goal.KEYRING:
            probe = self._keyring or await in_thread(self._parts.keyring.probe)
            if probe and probe.can_be_unlocked and self._still_open:
                probe = await self._unlocked(probe)
        elif goal is Goal.CSV:
            probe = await in_thread(lambda: self._parts.csv_file(path).probe())
        if not self._still_open:
            return
        if probe and not probe.writable:
            self._block(_why(probe))
            return
        self.dismiss(CreateChoice(goal, path, description))

    async def _unlocked(self, probe: Probe) -> Probe:
        """Ask for the keyring's password; return what the keyring says afterwards."""
        keyring = self._parts.keyring
        if not await self.app.push_screen_wait(UnlockScreen(keyring, probe)):
            return probe
        await self.look().wait()
        return self._keyring or probe

    @property
    def _still_open(self) -> bool:
        """Whether this was not closed while a store was looked at."""
        return self.app.screen is self

    def action_none(self) -> None:
        """The list itself moves; the binding is here to be shown."""


def _why(probe: Probe | None) -> str:
    """Return why a store can't be used; empty where it can."""
    if probe is None or probe.writable:
        return ""
    mend = "Enter asks for its password." if probe.can_be_unlocked else probe.next_step
    return f"{probe.reason} {mend}"
