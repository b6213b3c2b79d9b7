"""The dialog that picks access key IDs out of a text."""

from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Static
from typing_extensions import override

from keytui.core.key_ids import IdsInText, read_ids
from keytui.keys.lookup import find as look_up
from keytui.session.account import listed_keys
from keytui.tui.dialogs.dialogs import ChoiceScreen, Dialog, Note
from keytui.tui.services.stage import Stage
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.lines import LineInput


async def find(stage: Stage, named: IdsInText | None = None) -> None:
    """Go to a key, without reading the account.

    Args:
        stage: The screen.
        named: The IDs known; where there are several, one is chosen. None to ask for a text.

    Raises:
        KeytuiError: It is not to be found, and why.
    """
    account = stage.account
    if named is None:
        named = await stage.ask(FindScreen())
    key_id: str | None = next(iter(named.ids), "")
    if len(named.ids) > 1:
        key_id = await stage.ask(ChoiceScreen("Which of these keys?", [*named.ids], named.ids[0]))
    if not key_id:
        return
    stage.say(f"Looking for {key_id}…", good=False)
    found = await in_thread(partial(look_up, account.iam, key_id, stage.ctx.wait))
    user = found.key.user
    keys = tuple(found.key if key.id == key_id else key for key in found.keys)
    known = await in_thread(lambda: listed_keys(account, stage.ctx, user, keys))
    if user.name not in {other.name for other in account.inventory.users}:
        account.inventory.add([user])
    account.inventory.set_keys(user, known)
    stage.say(named.problem, good=False)
    stage.view.go_to(found.key)


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

    @override
    def content(self) -> ComposeResult:
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
        self.dismiss(IdsInText(()))


def _ids(text: str) -> IdsInText:
    found = read_ids(text)
    return found if found.ids else read_ids(text.upper())
