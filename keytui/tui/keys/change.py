"""One key on the screen: deactivate, activate, delete."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static
from typing_extensions import override

from keytui.core.model import AccessKey, KeyStatus
from keytui.core.text import plain
from keytui.keys.change import Assent, Look, Plan, Planned, Result, Work, change
from keytui.keys.local_use import LocalUse
from keytui.keys.outcomes import ChangedSinceError, Concern, StatusChange, Verb
from keytui.tui.dialogs.dialogs import ConfirmScreen, Dialog, Note, TypeScreen
from keytui.tui.services.reading import reread_user
from keytui.tui.services.stage import ScreenPort, Stage
from keytui.tui.services.state import AccountState
from keytui.tui.widgets.lines import LineInput
from keytui.tui.widgets.text import WARNS, ago


async def deactivate(stage: Stage, key: AccessKey) -> None:
    """Deactivate a key; one that something depends on is asked about first."""
    await change(stage.account.lifecycle, Verb.DEACTIVATE, [key], OneKey(stage))


async def activate(stage: Stage, key: AccessKey) -> None:
    await change(stage.account.lifecycle, Verb.ACTIVATE, [key], OneKey(stage))


async def delete(stage: Stage, key: AccessKey) -> None:
    """Delete an inactive key after its last four characters were typed.

    An active key is offered to be deactivated instead.
    """
    lifecycle = stage.account.lifecycle
    lifecycle.require_writable()
    if key.status is not KeyStatus.ACTIVE:
        await change(lifecycle, Verb.DELETE, [key], OneKey(stage))
        return
    offer = ConfirmScreen(
        f"{key.id} is active",
        "An active key can't be deleted. Make it inactive first, and see that nothing breaks.",
        "Make it inactive now?",
    )
    if await stage.ask(offer):
        await deactivate(stage, key)


class OneKey(ScreenPort):
    """Asks about one key in dialogs, and shows its change in the table."""

    def __init__(self, stage: Stage, *, undoing: bool = False) -> None:
        super().__init__(stage)
        self._account, self._undoing = stage.account, undoing

    async def check(self, verb: Verb, keys: Sequence[AccessKey], look: Look) -> Plan:
        asks = verb is not Verb.ACTIVATE
        self.stage.say(f"Checking what depends on {keys[0].id}…" if asks else "", good=False)
        plan = await self.work(lambda: look(lambda _: None, lambda: False))
        self.stage.say("")
        return plan

    async def agree(self, plan: Plan) -> Sequence[Planned]:
        (one,) = plan.keys
        if one.refusal:
            self.stage.say(one.refusal, good=False)
            return ()
        if await self._sure(plan, one):
            return plan.keys
        if plan.verb is Verb.DELETE:
            self.stage.say(f"{one.key.id} was not deleted.", good=False)
        return ()

    async def _sure(self, plan: Plan, one: Planned) -> bool:
        stage, title = self.stage, f"{plan.verb.does(one.key.id)}?"
        if plan.verb is Verb.DELETE:
            return await stage.ask(_delete_screen(one, stage.ctx.now()))
        if plan.own:
            what = "the last four characters of its ID"
            return await stage.ask(TypeScreen(title, one.key.id[-4:], what, *one.reasons))
        if plan.assent is Assent.NOT_ASKED:
            return True
        undo_hint = f"{'a' if self._undoing else 'u'} makes it active again."
        return await stage.ask(ConfirmScreen(title, *one.reasons, undo_hint))

    async def carry_out(self, plan: Plan, work: Work) -> tuple[Result, ...]:
        stage, account, key = self.stage, self._account, plan.keys[0].key
        account.pending[key.id] = plan.verb.value
        stage.view.draw_keys()
        try:
            (result,) = await self.work(lambda: work(lambda _: None, lambda: False))
            take_in(account, [result], undoing=self._undoing)
        finally:
            account.pending.pop(key.id, None)
            stage.view.draw_keys()
        if result.error:
            if isinstance(result.error, ChangedSinceError):
                await reread_user(stage, account, key.user)
            raise result.error
        if made := result.change:
            own = bool(plan.own)
            said = result.sentence(key.id, own=own)
            stage.say(said + self._hint(made, own=own), good=made.listed)
            if made.warning:
                stage.problem(made.warning)
            if not own:
                await reread_user(stage, account, key.user, made.keys)
        return (result,)

    def _hint(self, made: StatusChange, *, own: bool) -> str:
        """Return what can be done now."""
        if own:
            return " P picks another profile."
        if made.status is KeyStatus.DELETED:
            return " It stays in the listing; . hides it."
        if not made.made:
            return " There is nothing to undo."
        return " u undoes it." if made.undoable and made.listed and not self._undoing else ""


def take_in(account: AccountState, results: Sequence[Result], *, undoing: bool) -> None:
    """Take in what AWS has changed, and what can't be undone any more."""
    if changes := [result.change for result in results if result.change]:
        account.apply(*changes, undoing=undoing)
    if undoing:
        account.drop_undo({r.key.id for r in results if isinstance(r.error, ChangedSinceError)})


class DeleteScreen(Dialog[bool]):
    """Asks for the last four characters of the key's ID; looks like no other dialog.

    Enter alone means No.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "submit", "Delete if the four are right"),
        Binding("escape", "dismiss(False)", "No, keep it", key_display="esc"),
    ]

    def __init__(
        self,
        key: AccessKey,
        now: datetime,
        here: tuple[LocalUse, ...] = (),
        warnings: tuple[str, ...] = (),
    ) -> None:
        """``here`` is where this machine names it, ``warnings`` why it may still be needed."""
        super().__init__("DELETE THIS ACCESS KEY FOR EVER")
        self._key, self._now, self._warnings = key, now, warnings
        if here:
            uses = "; ".join(use.text for use in here)
            self._warnings = (*warnings, f"Used here: {uses}.")

    @override
    def content(self) -> ComposeResult:
        key = self._key
        used = key.last_used
        last = ago(used.when, self._now) if used and used.when else "never" if used else "unknown"
        yield Static(
            Text.assemble(
                (plain(key.id), "bold"),
                f"\nof {plain(key.user.name)} · {key.status.value.lower()}",
                f" · created {ago(key.created, self._now)} · last used {last}",
                f"\n“{plain(key.description)}”" if key.description else "",
                *((f"\n{plain(warning)}", WARNS) for warning in self._warnings),
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


def _delete_screen(one: Planned, now: datetime) -> DeleteScreen:
    """Return the dialog with what AWS and this machine have just answered."""
    if (found := one.dependence) is None:
        return DeleteScreen(one.key, now)
    warnings = () if found.concern is Concern.USED_HERE else found.reasons[:1]
    return DeleteScreen(replace(one.key, last_used=found.last_used), now, found.here, warnings)
