"""The dialog that unlocks the keyring, or makes it with a first password."""

import os
from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from keytui.core.errors import KeytuiError, StoreError, StoreLockedError
from keytui.core.gate import Gate
from keytui.core.model import Secret
from keytui.core.text import plain
from keytui.stores.base import Ask, Keyring, Probe, new_password_problem, what_to_ask
from keytui.tui.dialogs.dialogs import Dialog, Note
from keytui.tui.services.stage import Stage
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.lines import LineInput
from keytui.tui.widgets.text import DIM

LISTENERS = ("TEXTUAL_LOG", "TEXTUAL")
"""Variables that make Textual write each key pressed into a log or to its developer tools."""


class UnlockScreen(Dialog[bool]):
    """Asks for the keyring's password; returns whether the keyring is open."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Unlock"),
        Binding("escape", "dismiss(False)", "Back", key_display="esc"),
    ]

    def __init__(self, keyring: Keyring, probe: Probe, gate: Gate) -> None:
        """Raises ``ReadOnlyError`` where a keyring would have to be created in read-only mode."""
        self._makes = what_to_ask(probe, gate) is Ask.NEW_PASSWORD
        super().__init__("Make the keyring" if self._makes else "Unlock the keyring")
        self._keyring, self._probe = keyring, probe
        self._busy = False

    def content(self) -> ComposeResult:
        """Yield the lines to type on; nothing typed is shown."""
        yield Static(Text(plain(self._probe.label), style=DIM))
        if self._makes:
            yield Static("There is none yet. Choose its password; nobody can recover it.")
        yield Static(Text("Password", style=DIM), classes="label")
        yield LineInput(password=True, id="password")
        if self._makes:
            yield Static(Text("The same again", style=DIM), classes="label")
            yield LineInput(password=True, id="again")
        yield Note(classes="wrong")

    @on(LineInput.Submitted)
    @work(description="unlock the keyring")
    async def action_submit(self) -> None:
        """Try what was typed; a wrong password is said, and the dialog stays."""
        if self._busy:
            return
        lines = list(self.query(LineInput))
        if self._makes and lines[0].has_focus and not lines[1].value:
            lines[1].focus()
            return
        password, *again = (Secret(line.value) for line in lines)
        if problem := _overheard() or (new_password_problem(password, *again) if again else ""):
            self._start_over(problem)
            return
        self._busy = True
        try:
            await in_thread(lambda: self._keyring.unlock(password))
            self.dismiss(True)
        except KeytuiError as error:
            self._start_over(str(error))
        finally:
            self._busy = False

    def _start_over(self, why: str) -> None:
        for line in self.query(LineInput):
            line.value = ""
        self.query_one("#password", LineInput).focus()
        self.query_one(Note).say(Text(plain(why)))


def _overheard() -> str:
    """Return why nothing typed on this screen stays secret; empty where it does."""
    if any(variable in os.environ for variable in LISTENERS):
        return "Textual logs every key here: unset TEXTUAL_LOG and TEXTUAL, and start again."
    return ""


T = TypeVar("T")


async def unlock(stage: Stage, keyring: Keyring) -> None:
    """Ask for the keyring's password, and say what came of it.

    Raises:
        StoreError: The keyring can't be unlocked from here.
        ReadOnlyError: There is none yet, and in read-only mode none is made.
    """
    probe = await in_thread(lambda: keyring.probe(canary=False))
    if probe.writable:
        stage.say(f"{probe.label} is open.")
    elif not probe.can_be_unlocked:
        raise StoreError(probe.reason, next_step=probe.next_step)
    elif await stage.ask(_dialog(stage, keyring, probe)):
        stage.say(f"{probe.label} is open now.")


async def when_open(stage: Stage, keyring: Keyring, work: Callable[[], Awaitable[T]]) -> T:
    """Do a piece of work on the keyring; where that is locked, ask for its password first.

    Raises:
        StoreLockedError: It stays locked.
        KeytuiError: As the work does.
    """
    try:
        return await work()
    except StoreLockedError as error:
        locked = error
    probe = await in_thread(lambda: keyring.probe(canary=False))
    if not probe.writable:
        if not probe.can_be_unlocked:
            raise locked
        if not await stage.ask(_dialog(stage, keyring, probe), unforeseen=True):
            again = "The same key asks for its password again."
            raise StoreLockedError(locked.title, locked.safe, again)
    return await work()


def _dialog(stage: Stage, keyring: Keyring, probe: Probe) -> UnlockScreen:
    return UnlockScreen(keyring, probe, stage.ctx.settings.gate)
