"""The dialog that picks access key IDs out of a text."""

from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static

from keytui.core.key_ids import IdsInText, read_ids
from keytui.keys.lookup import find as look_up
from keytui.session.account import listed_keys
from keytui.tui.dialogs.dialogs import Dialog, Note
from keytui.tui.services.stage import Stage
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.line_input import LineInput


async def find(stage: Stage, named: IdsInText | None = None) -> None:
    """Go to a key, without reading the account.

    Args:
        stage: The screen.
        named: The IDs known; where there are several, one is chosen. None to ask for a text.

    Raises:
        KeytuiError: It is not to be found, and why.
    """
    account = stage.account
    named = named or await _asked(stage)
    if not (key_id := await _which(stage, named.ids)):
        return
    stage.say(f"Looking for {key_id}…", good=False)
    found = await in_thread(lambda: look_up(account.iam, key_id, stage.ctx.wait))
    user = found.key.user
    keys = tuple(found.key if key.id == key_id else key for key in found.keys)
    known = await in_thread(lambda: listed_keys(account, stage.ctx, user, keys))
    if user.name not in {other.name for other in account.inventory.users}:
        account.inventory.add([user])
    account.inventory.set_keys(user, known)
    stage.say(named.problem, good=False)
    stage.go_to(found.key)


async def _asked(stage: Stage) -> IdsInText:
    return await stage.ask(FindScreen())


async def _which(stage: Stage, key_ids: tuple[str, ...]) -> str | None:
    if len(key_ids) <= 1:
        return key_ids[0] if key_ids else None
    from keytui.tui.dialogs.dialogs import ChoiceScreen

    return await stage.ask(ChoiceScreen("Which of these keys?", list(key_ids), key_ids[0]))


class AnyText(LineInput):
    """A line that takes a paste of many lines: the access key IDs in it, and nothing else."""

    class Refused(Message):
        """What was pasted has no ID in it, or something that was meant as one."""

        def __init__(self, found: IdsInText) -> None:
            super().__init__()
            self.found = found

    def on_paste(self, event: events.Paste) -> None:
        """Put in the IDs. Whatever else was pasted may be a secret: it is not shown."""
        event.stop()
        event.prevent_default()
        found = _ids(event.text)
        if found.ids:
            before = " " if self.value else ""
            self.insert_text_at_cursor(before + " ".join(found.ids))
        if found.problem:
            self.post_message(self.Refused(found))


class FindScreen(Dialog[IdsInText]):
    """Asks for a text and returns the access key IDs in it; none where it is left."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Find"),
        Binding("escape", "leave", "Back", key_display="esc"),
    ]

    def __init__(self) -> None:
        super().__init__("Find an access key")

    def content(self) -> ComposeResult:
        """Yield the line to type on."""
        yield Static(
            Text(
                "Paste anything with an access key ID in it: a log line, an alert, a diff. "
                "Whoever owns the key, in this account, is found in one call."
            )
        )
        yield AnyText(classes="line ask")
        yield Note(classes="wrong")

    @on(LineInput.Submitted)
    def action_submit(self) -> None:
        """Return the IDs."""
        found = _ids(self.query_one(LineInput).value)
        if found.ids:
            self.dismiss(found)
        else:
            self._say_problem(found, "it")

    @on(AnyText.Refused)
    def _refused(self, event: AnyText.Refused) -> None:
        self._say_problem(event.found, "what was pasted")

    def _say_problem(self, found: IdsInText, where: str) -> None:
        title = found.problem if found.broken else f"No access key ID is in {where}."
        said = f"{title.removesuffix('.')}: AKIA and 16 more capital letters or digits."
        self.query_one(Note).say(Text(said))

    def action_leave(self) -> None:
        """Return none."""
        self.dismiss(IdsInText(()))


def _ids(text: str) -> IdsInText:
    found = read_ids(text)
    return found if found.ids else read_ids(text.upper())
