"""A rotation on the screen: the questions of its driver as dialogs."""

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from keytui.aws.files.repoint import RepointChange
from keytui.core.errors import KeytuiError, QuotaError
from keytui.core.model import AccessKey, KeyStatus
from keytui.journal.rotations import Rotation, Step
from keytui.keys.operations import QUOTA
from keytui.keys.outcomes import Custody
from keytui.keys.recovery import Finding
from keytui.rotation.driver import (
    Creation,
    Deactivation,
    Rollback,
    RotationDriver,
    TestedStore,
    UndecidedError,
)
from keytui.rotation.profiles import Plans
from keytui.rotation.rotator import Rotator
from keytui.session.account import complete_keys, read_keys
from keytui.tui.dialogs.dialogs import ConfirmScreen, TypeScreen, WorkingScreen
from keytui.tui.dialogs.unlock import when_open
from keytui.tui.keys import recover
from keytui.tui.keys.change import DeleteScreen, delete
from keytui.tui.keys.create import reveal
from keytui.tui.rotation.dialogs import RepointScreen, RotateScreen, TwoKeysScreen, back_lines
from keytui.tui.rotation.screen import RotationScreen
from keytui.tui.services.reading import reread_user
from keytui.tui.services.stage import ScreenPort, Stage
from keytui.tui.services.threads import in_thread

T = TypeVar("T")


async def rotate(stage: Stage, key: AccessKey) -> None:
    """Begin the rotation of a key, or take up the one it is part of; show it until it is left."""
    account = stage.account
    account.lifecycle.require_writable()
    rotator = stage.ctx.rotator(account.iam, account.lifecycle)
    port = _RotationDialogs(stage, rotator)
    driver = RotationDriver(rotator, port)
    try:
        rotation = await driver.take_up(key.id)
        # Keys typed ahead of a rotation that has ended were not meant for a new one.
        begins = rotation is None and not driver.ended
        if begins:
            rotation = await driver.begin(key)
        if rotation and not rotation.ended:
            await _show(port, driver, rotation, begins=begins)
    except UndecidedError:
        return
    except QuotaError:
        await _make_room(stage, key)
        return
    finally:
        await driver.release()
    await reread_user(stage, account, key.user)


async def _show(
    port: "_RotationDialogs",
    driver: RotationDriver[RepointChange],
    rotation: Rotation,
    *,
    begins: bool,
) -> None:
    async def go_on() -> None:
        """Do the next step; where nobody has to decide anything, the ones after it too."""
        now = driver.rotation or rotation
        if now.unsettled:
            await driver.settle()
        else:
            decides_nothing = now.step in {Step.CREATE, Step.VERIFY}
            await driver.go(Step.REPOINT if decides_nothing else now.step or Step.DELETE)

    async def leave() -> None:
        await _end(port, driver.rotation or rotation)

    verbs = {"next": go_on, "back": driver.roll_back, "leave": leave}
    port.screen = RotationScreen(driver, rotation, port.stage.ctx.now, verbs, begins=begins)
    await port.stage.ask(port.screen)
    port.stage.no_more_questions()


async def _end(port: "_RotationDialogs", rotation: Rotation) -> None:
    """End the rotation with both keys as they are, after a question."""
    rotator, lines = port.rotator, ["No new key was made. The old key stays as it is."]
    if rotation.new_id:
        lines = [
            f"{rotation.old_id} and {rotation.new_id} both stay as they are, and keytui does not "
            "remind you of them any more."
        ]
        if backups := await in_thread(lambda: rotator.backups(rotation)):
            lines.append(f"With the old secret in it stays: {', '.join(backups)}.")
    await port.confirm(ConfirmScreen("End the rotation here?", *lines))
    await in_thread(lambda: rotator.abandon(rotation))
    port.tell("The rotation was ended; both keys stay." if rotation.new_id else "Ended.")


async def _make_room(stage: Stage, key: AccessKey) -> None:
    """Let the user say which of two keys goes; it goes the usual way, with its questions."""
    account, ctx = stage.account, stage.ctx

    def read() -> tuple[AccessKey, ...]:
        return complete_keys(account, read_keys(account, ctx, key.user), key.user).keys

    keys = await in_thread(read)
    going = await stage.ask(TwoKeysScreen(keys, ctx.now(), ctx.settings.limits))
    if going is not None:
        await delete(stage, going)


class _RotationDialogs(ScreenPort):
    """Asks by dialogs; says what came of it on the rotation's screen, once that is open."""

    look_again = "Enter looks again."
    back = "b"

    def __init__(self, stage: Stage, rotator: Rotator[RepointChange]) -> None:
        super().__init__(stage)
        self.rotator = rotator
        self.screen: RotationScreen | None = None

    def progress(self, step: str) -> None:
        if self.screen:
            self._loop.call_soon_threadsafe(self.screen.progress, step)

    def tell(self, sentence: str, *, good: bool = True) -> None:
        (self.screen or self.stage).say(sentence, good)

    def committed(self) -> None:
        super().committed()
        if self.screen:
            self.screen.under_way("…")

    @property
    def stopped(self) -> bool:
        return self.screen is not None and self.screen.left.is_set()

    def show(self, rotation: Rotation) -> None:
        if self.screen:
            self.screen.show(rotation)

    async def with_keyring(self, call: Callable[[], T]) -> T:
        return await when_open(self.stage, self.stage.ctx.keyring, lambda: in_thread(call))

    async def confirm(self, dialog: ConfirmScreen | TypeScreen | DeleteScreen) -> None:
        """Ask a question that only yes gets past."""
        if not await self.stage.ask(dialog):
            raise UndecidedError("")

    async def choose_store(self, key: AccessKey) -> TestedStore:
        account, ctx = self.stage.account, self.stage.ctx
        known = account.inventory.keys_of(key.user)
        if not known or len(known.keys) >= QUOTA or not account.rotates(key):
            await in_thread(lambda: self.rotator.require_ready(key))
        own = key.id == self.rotator.signing_key_id
        here = await in_thread(lambda: ctx.uses_here(key.id))
        choice = await self.stage.ask(RotateScreen(key, here, own, ctx))
        if choice is None:
            raise UndecidedError("")
        return choice

    async def create_key(self, rotation: Rotation, create: Creation) -> Custody:
        """Create it in a dialog; where its store fails, reveal the secret until it is stored."""
        stage = self.stage

        def work(progress: Callable[[str], None]) -> Custody:
            with stage.creating:
                return create(progress, stage.take_custody)

        custody = await stage.ask(
            WorkingScreen[Custody](
                f"Creating a key for {rotation.user}",
                work,
                "Please wait: the secret comes with AWS's reply, and only once.",
            )
        )
        if isinstance(custody, KeytuiError):
            raise custody
        if custody.kept:
            stage.account.lifecycle.let_go(custody)
            stage.release_custody()
            stage.no_more_questions()
        else:
            await reveal(stage, custody)
        if not custody.kept:
            raise UndecidedError("")
        return custody

    async def look_into(self, attempt: str) -> Finding | None:
        await recover.look_into(self.stage, attempt)
        return self.stage.account.unfinished.get(attempt)

    async def choose_profiles(self, plans: Plans[RepointChange]) -> tuple[RepointChange, ...]:
        changes = await self.stage.ask(RepointScreen(plans))
        if changes is None:
            raise UndecidedError("")
        return changes

    async def confirm_deactivation(self, question: Deactivation) -> None:
        """Always ask, with what ``d`` would say."""
        old_id = question.rotation.old_id
        lines = [
            *(question.reasons or ["Nothing that keytui can see uses it."]),
            "Whatever else still has it stops working. b makes it active again.",
        ]
        title = f"Make {old_id} inactive?"
        if question.cut_off:
            what = "the last four characters of its ID"
            await self.confirm(TypeScreen(title, old_id[-4:], what, *question.cut_off, *lines))
        else:
            await self.confirm(ConfirmScreen(title, *lines))

    async def confirm_deletion(self, rotation: Rotation) -> None:
        old, ctx = rotation.old, self.stage.ctx
        here = await in_thread(lambda: ctx.uses_here(old.id))
        uses = tuple(use for use in here if use.depends)
        seen = self.screen.seen.old if self.screen and self.screen.seen else None
        old = replace(old, status=KeyStatus.INACTIVE, last_used=seen)
        if not await self.stage.ask(DeleteScreen(old, ctx.now(), uses)):
            raise UndecidedError(f"{old.id} was not deleted.")

    async def confirm_rollback(self, question: Rollback) -> None:
        lines = back_lines(question, self.stage.ctx.now())
        await self.confirm(ConfirmScreen("Roll back to the old key?", *lines))
