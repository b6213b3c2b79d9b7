"""What the keys of a rotation's screen do: the next step, the way back, the end."""

from collections.abc import Callable
from functools import partial

from keytui.aws.files.repoint import How, LocalProfiles, RepointChange
from keytui.core.errors import KeytuiError, StateError
from keytui.core.model import AccessKey, KeyStatus
from keytui.journal.rotations import Rotation, Step
from keytui.keys.local_use import own_shell
from keytui.keys.operations import QUOTA
from keytui.keys.outcomes import Concern, Custody, StatusChange, UnansweredError
from keytui.rotation.rotator import Rotator
from keytui.session.account import complete_keys, read_keys
from keytui.stores.base import SecretStore
from keytui.tui.dialogs.dialogs import ConfirmScreen, TypeScreen, WorkingScreen
from keytui.tui.dialogs.unlock import when_open
from keytui.tui.keys import create, recover
from keytui.tui.keys.change import DeleteScreen
from keytui.tui.keys.change import delete as delete_key
from keytui.tui.rotation import flow as rotation_keys
from keytui.tui.rotation.dialogs import (
    Repointing,
    RepointScreen,
    RotateChoice,
    RotateScreen,
    TwoKeysScreen,
    back_lines,
)
from keytui.tui.rotation.screen import RotationScreen
from keytui.tui.services.reading import reread_user
from keytui.tui.services.stage import Stage
from keytui.tui.services.threads import in_thread


async def go_on(stage: Stage, screen: RotationScreen) -> None:
    """Do the next step; while nobody has to decide anything, the ones after it too."""
    if screen.rotation.unsettled:
        await _settle(stage, screen)
        return
    step = screen.rotation.step
    if step is None:
        _tell(screen, await in_thread(lambda: screen.rotator.finish(screen.rotation)))
        return
    if step not in _VERBS:
        return
    await _VERBS[step](stage, screen)
    await screen.again()
    goes_on = _FOLLOWS.get(step) is screen.rotation.step
    if step in _FOLLOWS and goes_on and not screen.rotation.unsettled:
        await go_on(stage, screen)


async def _settle(stage: Stage, screen: RotationScreen) -> None:
    """Find out what became of a creation that was cut short.

    Raises:
        StateError: It is not known yet. The stage has said so, but the screen is in front of it.
    """
    attempt = screen.rotation.attempt
    if attempt is None:
        return
    await recover.look_into(stage, attempt.id)
    await screen.again()
    if screen.rotation.unsettled:
        found = stage.account.unfinished.get(attempt.id)
        raise StateError(
            found.title if found else "What became of the new key is being looked into just now.",
            f"{found.advice if found else ''} The old key is as it was.".strip(),
            "Enter looks again.",
        )


async def _create(stage: Stage, screen: RotationScreen) -> None:
    rotation, rotator, lifecycle = screen.rotation, screen.rotator, stage.account.lifecycle

    def work(progress: Callable[[str], None]) -> Custody:
        with stage.creating:
            return rotator.create(rotation, progress, stage.take_custody)

    result = await stage.ask(
        WorkingScreen[Custody](
            f"Creating a key for {rotation.user}",
            work,
            "Please wait: the secret comes with AWS's reply, and only once.",
        )
    )
    if isinstance(result, UnansweredError):
        await screen.again()
        await _settle(stage, screen)
    elif isinstance(result, KeytuiError):
        raise result
    elif result.kept:
        lifecycle.let_go(result)
        stage.release_custody()
        stage.no_more_questions()
    else:
        await create.reveal(stage, result)


async def _verify(stage: Stage, screen: RotationScreen) -> None:
    rotation = screen.rotation
    stage.no_more_questions()
    screen.under_way(f"asking AWS whether it accepts {rotation.new_id}…")

    async def work() -> None:
        await in_thread(lambda: screen.rotator.verify(rotation, screen.tell, screen.left.is_set))

    await when_open(stage, stage.ctx.keyring, work)
    screen.under_way("")


async def _repoint(stage: Stage, screen: RotationScreen) -> None:
    rotation, files = screen.rotation, stage.ctx.aws_files()
    old, new = rotation.old_id, rotation.new_id
    kept = rotation.store == stage.ctx.keyring.locator

    def plans() -> dict[Repointing, tuple[RepointChange, ...]]:
        if stage.ctx.settings.demo:
            return {}
        rewritten = LocalProfiles(files, How.REWRITE, in_keyring=kept).plan(old, new)
        process = LocalProfiles(files, How.PROCESS, in_keyring=kept).plan(old, new)
        return {Repointing.REWRITE: rewritten, Repointing.PROCESS: process if kept else ()}

    found = await in_thread(plans)
    changes: tuple[RepointChange, ...] = ()
    if any(found.values()):
        limits = await in_thread(lambda: _limits(stage))
        dialog = RepointScreen(found[Repointing.PROCESS], found[Repointing.REWRITE], limits)
        answer = await stage.ask(dialog)
        if answer is None:
            return
        changes = found.get(answer, ())

    stage.no_more_questions()
    screen.under_way("letting the AWS profiles use the new key…")

    async def work() -> None:
        await in_thread(lambda: screen.rotator.repoint(rotation, changes))

    await when_open(stage, stage.ctx.keyring, work)
    if changes:
        names = ", ".join(dict.fromkeys(change.use.profile for change in changes))
        screen.say(f"{names} uses {new} now.")
    elif any(found.values()):
        screen.say("The AWS profiles here were left as they are: change them by hand.", good=False)
    else:
        screen.say("No AWS profile on this machine uses the old key.")


def _limits(stage: Stage) -> tuple[str, ...]:

    return stage.ctx.profile_limits()


async def _retire(stage: Stage, screen: RotationScreen) -> None:
    """Make the old key inactive; that is always asked about, with what ``d`` would say."""
    rotation, lifecycle = screen.rotation, stage.account.lifecycle
    found = await in_thread(lambda: lifecycle.dependence(rotation.old))
    reasons = [reason for reason in found.reasons if reason]
    if found.concern is Concern.OWN_KEY:
        reasons[0] = "It signs keytui's own calls: the new key takes over before."
    if not reasons:
        reasons = ["Nothing that keytui can see uses it."]
    title = f"Make {rotation.old_id} inactive?"
    reasons.append("Whatever else still has it stops working. b makes it active again.")
    question: ConfirmScreen | TypeScreen = ConfirmScreen(title, *reasons)
    if shell := own_shell(rotation.old_id, found.here):
        what = "the last four characters of its ID"
        question = TypeScreen(title, rotation.old_id[-4:], what, *shell, *reasons)
    if not await stage.ask(question):
        return
    stage.no_more_questions()
    screen.under_way("making the old key inactive…")

    async def work() -> StatusChange | None:
        return await in_thread(lambda: screen.rotator.retire(rotation))

    change = await when_open(stage, stage.ctx.keyring, work)
    if change is None:
        screen.say(f"{rotation.old_id} is deleted already, by somebody else.")
    elif change.problem:
        raise KeytuiError(
            change.problem.title, "The change itself was made.", change.problem.next_step
        )
    elif not change.made:
        screen.say(f"{rotation.old_id} was inactive already; {rotation.new_id} works.")
    elif change.listed:
        screen.say(f"{rotation.old_id} is inactive; {rotation.new_id} works.")
    else:
        screen.say("AWS took the change, but does not list it yet.", good=False)


async def _delete(stage: Stage, screen: RotationScreen) -> None:
    rotation = screen.rotation
    old = AccessKey(rotation.old_id, rotation.owner, KeyStatus.INACTIVE, rotation.old_created)
    if screen.seen:
        old = AccessKey(old.id, old.user, old.status, old.created, screen.seen.old)
    here = await in_thread(lambda: stage.ctx.uses_here(old.id))
    uses = tuple(use for use in here if use.depends)
    if not await stage.ask(DeleteScreen(old, stage.ctx.now(), uses)):
        screen.say(f"{old.id} was not deleted.", good=False)
        return
    stage.no_more_questions()
    screen.under_way("deleting the old key…")

    async def work() -> list[KeytuiError]:
        return await in_thread(lambda: screen.rotator.delete(rotation))

    problems = await when_open(stage, stage.ctx.keyring, work)
    screen.say(f"{old.id} is deleted; {rotation.new_id} has taken its place.")
    _tell(screen, problems)


async def roll_back(stage: Stage, screen: RotationScreen) -> None:
    """Return to the old key, after a question that says what that does."""
    rotation = screen.rotation
    if rotation.unsettled:
        await _settle(stage, screen)
        rotation = screen.rotation
    watch = await in_thread(lambda: screen.rotator.watch(rotation))
    count = len(rotation.repointed)
    lines = back_lines(rotation.old_id, rotation.new_id, watch, stage.ctx.now(), count)
    if not await stage.ask(ConfirmScreen("Roll back to the old key?", *lines)):
        return
    stage.no_more_questions()
    screen.under_way("rolling back…")
    problems = await in_thread(lambda: screen.rotator.roll_back(rotation, screen.tell))
    screen.say(f"Rolled back: {rotation.old_id} is the key again.")
    _tell(screen, problems)


async def leave(stage: Stage, screen: RotationScreen) -> None:
    """End the rotation with both keys as they are, after a question."""
    rotation = screen.rotation
    if not rotation.new_id:
        lines = ["No new key was made. The old key stays as it is."]
    else:
        lines = [
            f"{rotation.old_id} and {rotation.new_id} both stay as they are, and keytui does not "
            "remind you of them any more.",
        ]
        backups = await in_thread(lambda: screen.rotator.backups(rotation))
        if backups:
            lines.append(f"With the old secret in it stays: {', '.join(backups)}.")
    if await stage.ask(ConfirmScreen("End the rotation here?", *lines)):
        await in_thread(lambda: screen.rotator.abandon(rotation))
        screen.say("The rotation was ended; both keys stay." if rotation.new_id else "Ended.")


def _tell(screen: RotationScreen, problems: list[KeytuiError]) -> None:
    if problems:
        screen.say(" ".join(str(problem) for problem in problems), good=False)


_VERBS = {
    Step.CREATE: _create,
    Step.VERIFY: _verify,
    Step.REPOINT: _repoint,
    Step.WATCH: _retire,
    Step.RETIRE: _retire,
    Step.DELETE: _delete,
}
_FOLLOWS = {Step.CREATE: Step.VERIFY, Step.VERIFY: Step.REPOINT}
"""The steps after which the next one begins by itself."""


Rotations = Rotator[RepointChange]


async def rotate(stage: Stage, key: AccessKey) -> None:
    """Begin the rotation of a key, or take up the one it is part of; show it until it is left."""
    account = stage.account
    account.lifecycle.require_writable()
    rotator = stage.ctx.rotator(account.iam, account.lifecycle)
    found = await in_thread(lambda: rotator.of_key(key.id))
    rotation = await (_take_up(rotator, found) if found else _begin(stage, rotator, key))
    if rotation is None:
        return
    try:
        await _show(stage, rotator, rotation, begin=not found)
    finally:
        await in_thread(lambda: rotator.release(rotation))
    await reread_user(stage, account, key.user)


async def _take_up(rotator: Rotations, rotation: Rotation) -> Rotation:
    if not await in_thread(lambda: rotator.claim(rotation)):
        raise KeytuiError("Another keytui is at work on this rotation.", "Nothing was changed.")
    # Read after the claim: whoever had it before may have gone on.
    return await in_thread(lambda: rotator.again(rotation))


async def _show(stage: Stage, rotator: Rotations, rotation: Rotation, *, begin: bool) -> None:
    problems = await in_thread(lambda: rotator.end_if_gone(rotation))
    if problems is not None:
        said = f"{rotation.old_id} is deleted: its rotation has ended."
        stage.say(" ".join([said, *map(str, problems)]), good=not problems)
        return
    verbs = {
        "next": partial(rotation_keys.go_on, stage),
        "back": partial(rotation_keys.roll_back, stage),
        "leave": partial(rotation_keys.leave, stage),
    }
    await stage.ask(RotationScreen(rotation, rotator, stage.ctx, verbs, begin=begin))
    stage.no_more_questions()


async def _begin(stage: Stage, rotator: Rotations, key: AccessKey) -> Rotation | None:
    account, ctx = stage.account, stage.ctx
    if key.status is not KeyStatus.ACTIVE:
        raise KeytuiError(
            f"{key.id} is {key.status.value.lower()}: only an active key is rotated.",
            "Nothing was changed.",
        )
    known = await in_thread(lambda: read_keys(account, ctx, key.user))
    if len(known.keys) >= QUOTA:
        await _make_room(stage, key)
        return None
    own = key.id == account.iam.signing_key_id()
    here = await in_thread(lambda: ctx.uses_here(key.id))
    choice = await stage.ask(RotateScreen(key, here, own, ctx))
    if choice is None:
        return None
    store = _store(stage, choice)
    return await in_thread(lambda: rotator.begin(key, store))


async def _make_room(stage: Stage, key: AccessKey) -> None:
    """Let the user say which of two keys goes; it goes the usual way, with its questions."""
    account, ctx = stage.account, stage.ctx

    def read() -> tuple[AccessKey, ...]:
        return complete_keys(account, read_keys(account, ctx, key.user), key.user).keys

    keys = await in_thread(read)
    going = await stage.ask(TwoKeysScreen(keys, ctx.now(), ctx.settings.limits))
    if going is not None:
        await delete_key(stage, going)


def _store(stage: Stage, choice: RotateChoice) -> SecretStore:
    return stage.ctx.csv_file(choice.path) if choice.path else stage.ctx.keyring
