"""The dialog that creates an access key: where the secret goes, and a description."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static
from typing_extensions import override

from keytui.core.errors import KeytuiError
from keytui.core.model import LENGTH, User, description_problem
from keytui.core.text import plain
from keytui.keys.operations import QUOTA, quota_reached
from keytui.keys.outcomes import Custody, UnansweredError
from keytui.session.account import read_keys
from keytui.session.context import Context
from keytui.stores.base import Probe, SecretStore
from keytui.tui.dialogs.dialogs import ConfirmScreen, Dialog, Note, WorkingScreen
from keytui.tui.dialogs.unlock import UnlockScreen
from keytui.tui.keys import recover
from keytui.tui.keys.reveal import Closing, RevealScreen
from keytui.tui.services.reading import reread_user
from keytui.tui.services.stage import Stage
from keytui.tui.services.state import AccountState
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.lines import LineInput
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import DIM, FAILS, GOOD, backend, place


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
        probe: What the test of the store said; None where none is needed.
    """

    goal: Goal
    path: str
    description: str
    probe: Probe | None = None


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

    def __init__(self, user: User, keys: int | None, ctx: Context) -> None:
        super().__init__("Create an access key")
        self._user, self._count, self._ctx = user, keys, ctx
        self._keyring: Probe | None = None

    @override
    def content(self) -> ComposeResult:
        has = "" if self._count is None else f"   {self._count} of 2 keys"
        yield Static(Text.assemble(("For ", DIM), (plain(self._user.name), "bold"), (has, DIM)))
        yield Static(Text("The secret goes to", style=DIM), classes="label")
        yield Goals()
        yield Note(id="why", classes="wrong")
        yield Static(Text("Path of the CSV file", style=DIM), classes="label csv")
        yield LineInput(str(self._ctx.csv_path(self._user)), id="path", classes="csv")
        yield Static(Text("Description, optional", style=DIM), classes="label")
        yield LineInput(max_length=LENGTH, id="description")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one(Goals).focus()
        self._show_goal()
        self.look()

    @work(group="look", exclusive=True, description="look at the keyring")
    async def look(self) -> None:
        """Probe the OS keyring by writing to it, and show what it says."""
        probe = self._keyring = await in_thread(self._ctx.keyring.probe)
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
            probe = self._keyring or await in_thread(self._ctx.keyring.probe)
            if probe and probe.can_be_unlocked and self._still_open:
                probe = await self._unlocked(probe)
        elif goal is Goal.CSV:
            probe = await in_thread(lambda: self._ctx.csv_file(path).probe())
        if not self._still_open:
            return
        if probe and not probe.writable:
            self._block(_why(probe))
            return
        self.dismiss(CreateChoice(goal, path, description, probe))

    async def _unlocked(self, probe: Probe) -> Probe:
        """Ask for the keyring's password; return what the keyring says afterwards."""
        keyring = self._ctx.keyring
        screen = UnlockScreen(keyring, probe, self._ctx.settings.gate)
        if not await self.app.push_screen_wait(screen):
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


async def create(stage: Stage, user: User) -> None:
    """Ask how, create the key, reveal it once; a discarded one is offered to be deleted."""
    account, ctx = stage.account, stage.ctx
    account.lifecycle.require_writable()
    await _check_quota(account, ctx, user)
    known = account.inventory.keys_of(user)
    choice = await stage.ask(CreateScreen(user, len(known.keys) if known else None, ctx))
    if choice is None:
        return
    try:
        custody = await _create(stage, user, choice)
    except UnansweredError as lost:
        await recover.look_into(stage, lost.attempt)
        return
    await reveal(stage, custody)
    await reread_user(stage, account, user)


async def reveal(stage: Stage, custody: Custody) -> None:
    """Show a new secret until it is kept or discarded."""
    lifecycle = stage.account.lifecycle
    closing = await stage.ask(RevealScreen(custody, lifecycle, stage.ctx))
    # Where the terminal goes away meanwhile, the secret stays in custody and is rescued.
    try:
        await _closed(stage, custody, closing)
    except KeytuiError as error:
        stage.problem(error)
    lifecycle.let_go(custody)
    stage.release_custody()
    stage.no_more_questions()


async def _closed(stage: Stage, custody: Custody, closing: Closing) -> None:
    """Say where the secret is; offer to delete a key whose secret is nowhere."""
    key_id, lifecycle = custody.new.key.id, stage.account.lifecycle
    if closing is Closing.KEPT:
        where = " and in ".join(place(receipt) for receipt in custody.receipts)
        stage.say(f"{key_id} is active; its secret is in {where}.")
        return
    stage.say(f"{key_id} is active, and keytui keeps its secret nowhere.", good=False)
    offer = ConfirmScreen(
        f"Delete {key_id}?",
        "Its secret is kept nowhere. Unless you wrote it down, nobody can ever use this key.",
        "Delete the key?",
    )
    if await stage.ask(offer):
        stage.no_more_questions()
        await in_thread(lambda: lifecycle.discard(custody))
        stage.say(f"{key_id} is deleted.")
    else:
        await in_thread(lambda: lifecycle.leave(custody))


async def _check_quota(account: AccountState, ctx: Context, user: User) -> None:
    """Stop before the dialog where the listing shows a full quota; AWS is asked once more."""
    known = account.inventory.keys_of(user)
    if known and len(known.keys) >= QUOTA:
        now = await in_thread(lambda: read_keys(account, ctx, user))
        if len(now.keys) >= QUOTA:
            raise quota_reached(user, known.keys if known.complete else now.keys)
        account.inventory.set_keys(user, now)


async def _create(stage: Stage, user: User, choice: CreateChoice) -> Custody:
    lifecycle, store = stage.account.lifecycle, _store(stage, choice)

    def work(progress: Callable[[str], None]) -> Custody:
        with stage.creating:
            return lifecycle.create(
                user, store, choice.description, progress, stage.take_custody, probe=choice.probe
            )

    result = await stage.ask(
        WorkingScreen[Custody](
            f"Creating a key for {user.name}",
            work,
            "Please wait: the secret comes with AWS's reply, and only once.",
        )
    )
    if isinstance(result, UnansweredError):
        raise result
    if isinstance(result, KeytuiError):
        stage.no_more_questions()
        await reread_user(stage, stage.account, user)
        raise result
    return result


def _store(stage: Stage, choice: CreateChoice) -> SecretStore | None:
    match choice.goal:
        case Goal.KEYRING:
            return stage.ctx.keyring
        case Goal.CSV:
            return stage.ctx.csv_file(choice.path)
        case Goal.SHOW:
            return None
