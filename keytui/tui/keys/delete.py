"""The dialog that deletes a key. It looks like no other, and enter alone means No."""

from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from keytui.core.model import AccessKey, KeyStatus
from keytui.core.text import plain
from keytui.keys.local_use import LocalUse
from keytui.tui.dialogs.dialogs import ConfirmScreen, Dialog, Note
from keytui.tui.keys.status import deactivate
from keytui.tui.services.reading import reread_user
from keytui.tui.services.stage import Stage
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.line_input import LineInput
from keytui.tui.widgets.text import WARNS, ago


class DeleteScreen(Dialog[bool]):
    """Asks for the last four characters of the key's ID."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Delete if the four are right"),
        Binding("escape", "dismiss(False)", "No, keep it", key_display="esc"),
    ]

    def __init__(self, key: AccessKey, now: datetime, here: tuple[LocalUse, ...] = ()) -> None:
        super().__init__("DELETE THIS ACCESS KEY FOR EVER")
        self._key, self._now, self._here = key, now, here

    def content(self) -> ComposeResult:
        """Yield what is about to go, and the line to type on."""
        key = self._key
        used = key.last_used
        last = ago(used.when, self._now) if used and used.when else "never" if used else "unknown"
        uses = "; ".join(use.text for use in self._here)
        yield Static(
            Text.assemble(
                (plain(key.id), "bold"),
                f"\nof {plain(key.user.name)} · {key.status.value.lower()}",
                f" · created {ago(key.created, self._now)} · last used {last}",
                f"\n“{plain(key.description)}”" if key.description else "",
                (f"\nUsed here: {plain(uses)}." if uses else "", WARNS),
                "\n\nNo one can bring it back: not you, not AWS.",
                "\nIf in doubt, leave it inactive.",
            )
        )
        ask = Text.assemble("Type its ", ("last four characters", "bold"), ", then enter.")
        yield Static(ask, classes="ask")
        yield LineInput(max_length=4, classes="line")
        yield Note(classes="wrong")

    @on(LineInput.Submitted)
    def action_submit(self) -> None:
        """Return yes where the four characters are right; nothing typed means no."""
        typed = self.query_one(LineInput).value.strip().upper()
        if not typed:
            self.dismiss(False)
        elif typed == self._key.id[-4:].upper():
            self.dismiss(True)
        else:
            self.query_one(Note).say(Text("Those are not its last four. Nothing is deleted."))


async def delete(stage: Stage, key: AccessKey) -> None:
    """Delete an inactive key after its last four characters were typed.

    An active key is offered to be made inactive instead.
    """
    stage.account.lifecycle.require_writable()
    if key.status is KeyStatus.DELETED:
        stage.say(f"{key.id} is deleted already.", good=False)
        return
    if key.status is KeyStatus.ACTIVE:
        offer = ConfirmScreen(
            f"{key.id} is active",
            "An active key can't be deleted. Make it inactive first, and see that nothing breaks.",
            "Make it inactive now?",
        )
        if await stage.ask(offer):
            await deactivate(stage, key)
        return
    here = await in_thread(lambda: stage.ctx.uses_here(key.id))
    if not await stage.ask(DeleteScreen(key, stage.ctx.now(), here)):
        stage.say(f"{key.id} was not deleted.", good=False)
        return
    await _delete(stage, key)


async def _delete(stage: Stage, key: AccessKey) -> None:
    account = stage.account
    account.pending[key.id] = KeyStatus.DELETED
    stage.no_more_questions()
    stage.draw_keys()
    try:
        change = await in_thread(lambda: account.lifecycle.delete(key))
        account.apply(change)
    finally:
        account.pending.pop(key.id, None)
        stage.draw_keys()
    stage.say(f"{key.id} is deleted. It stays in the listing; . hides it.")
    if change.problem:
        stage.problem(change.problem)
    await reread_user(stage, account, key.user)
