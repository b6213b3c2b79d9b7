"""``keytui rotate``: a rotation, or its next steps, without a screen."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import TypeVar

from keytui.aws.files.repoint import RepointChange
from keytui.cli.arguments import ids_in
from keytui.cli.console import (
    ConsolePort,
    agreed,
    complain,
    held_back,
    on_terminal,
    say,
    say_json,
    typed_last_four,
)
from keytui.cli.parser import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_OPEN,
    FROM_INPUT,
    STATUSES,
    Command,
    Request,
    add_account_flags,
    add_json,
    add_unlock,
    store_name,
)
from keytui.core.errors import KeytuiError, UsageError
from keytui.core.model import AccessKey
from keytui.core.port import run_now
from keytui.journal.rotations import Rotation, Step
from keytui.keys.local_use import own_shell
from keytui.keys.lookup import find
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
from keytui.session.account import Account, open_account
from keytui.session.context import Context

T = TypeVar("T")

AIMS = {
    "verified": Step.VERIFY,
    "watched": Step.REPOINT,
    "inactive": Step.RETIRE,
    "deleted": Step.DELETE,
}
"""What ``--to`` takes → the last step that is done."""


def rotate_key(ctx: Context, request: Request) -> int:
    """Begin or continue a rotation as far as asked; print what was done.

    With ``--json`` one object: ``rotation`` (its ID in the journal), ``old_key_id``,
    ``new_key_id`` (null while there is none), ``user``, ``account``, ``action`` (``rotate``),
    ``step`` (the number of the next step of ``STEPS``, null where none is left), ``result``
    (``done`` where it went as far as asked, ``left`` where it needs the user's word,
    ``failed``), and ``reason`` in words.

    Returns:
        0 where it went as far as asked; 3 where it waits for the user's word; 1 where a step
        failed: what was done before it stays done, and the command takes it up again.

    Raises:
        UsageError: Not one access key ID is named.
        KeytuiError: The rotation can't begin.
    """
    options = request.options
    ids = ids_in(options["text"])
    if len(ids) != 1:
        raise UsageError(f"{len(ids)} access key IDs are in that text.", next_step="Name one.")
    account = open_account(ctx, ctx.settings.profile)
    account.lifecycle.require_writable()
    with held_back("Stopping before the next step.") as stop:
        port = _RotationConsole(ctx, account, request, stop)
        stop.last = port.see_safe
        rotator = ctx.rotator(account.iam, account.lifecycle)
        repoints = options["profiles"] != "leave"
        driver = RotationDriver(rotator, port, repoints=repoints)
        result, reason = "done", ""
        try:
            run_now(_rotate(driver, account, request, ids[0]))
        except UndecidedError as error:
            result, reason = "left", str(error)
        except KeytuiError as error:
            if driver.rotation is None:
                raise
            result, reason = "failed", str(error)
    if reason:
        complain(reason)
    if driver.rotation:
        rotation = rotator.again(driver.rotation)
        rotator.release(rotation)
        _tell(rotation, result, reason, as_json=bool(options["json"]))
    if number := stop():
        return 128 + number
    return {"done": EXIT_DONE, "left": EXIT_OPEN}.get(result, EXIT_FAILED)


async def _rotate(
    driver: RotationDriver[RepointChange], account: Account, request: Request, key_id: str
) -> None:
    """Take up the rotation that a key is part of, or begin one; go on, or back, as asked."""
    options, aim = request.options, AIMS[request.options["to"] or "watched"]
    rotation = await driver.take_up(key_id)
    taken_up = rotation is not None
    if rotation is None:
        if options["roll_back"]:
            raise KeytuiError(f"{key_id} is part of no open rotation.", "Nothing was changed.")
        rotation = await driver.begin(find(account.iam, key_id).key)
    for sentence in own_shell(rotation.old_id, account.lifecycle.uses_here(rotation.old_id)):
        complain(sentence)
    if options["roll_back"]:
        await driver.roll_back()
        return
    step = rotation.step
    if taken_up and key_id == rotation.new_id and not (step and step.number <= aim.number):
        raise UndecidedError(
            f"{key_id} is the new key of a rotation under way.",
            "Nothing was changed.",
            "Go on with it (--to), or end it in keytui (R, l), before this key is rotated.",
        )
    await driver.go(aim)


def _tell(rotation: Rotation, result: str, reason: str, *, as_json: bool) -> None:
    """Say where the rotation stands."""
    step = rotation.step
    if as_json:
        say_json(
            {
                "rotation": rotation.id,
                "old_key_id": rotation.old_id,
                "new_key_id": rotation.new_id or None,
                "user": rotation.user,
                "account": rotation.account,
                "action": "rotate",
                "step": step.number if step else None,
                "result": result,
                "reason": reason,
            }
        )
    elif step:
        title = rotation.title
        say(f"{title[0].upper()}{title[1:]}, to come: {step.words}.")


class _RotationConsole(ConsolePort):
    """Answers a rotation's questions by the options, or asks on the terminal."""

    look_again = "keytui recover goes on."
    back = "--roll-back"

    def __init__(
        self, ctx: Context, account: Account, request: Request, stop: Callable[[], int]
    ) -> None:
        super().__init__(quiet=bool(request.options["json"]))
        self._ctx, self._account, self._stop = ctx, account, stop
        self._options, self._yes = request.options, bool(request.options["yes"])
        self._custody: Custody | None = None

    @property
    def _asks(self) -> bool:
        return on_terminal() and not self.quiet and not self._yes

    @property
    def stopped(self) -> bool:
        return self._stop() != 0

    def show(self, rotation: Rotation) -> None:
        """Where it stands is told at the end."""

    async def with_keyring(self, call: Callable[[], T]) -> T:
        """Nothing is unlocked on the way: ``--unlock-keyring`` is for that."""
        return call()

    async def choose_store(self, key: AccessKey) -> TestedStore:
        del key
        kind, _, path = (self._options["store"] or "keyring").partition(":")
        return (self._ctx.csv_file(path) if kind == "csv" else self._ctx.keyring), None

    # The new key.

    async def create_key(self, rotation: Rotation, create: Creation) -> Custody:
        """Create it; where its store fails, its secret goes to the keyring or the key goes."""
        del rotation
        try:
            custody = create(self.progress, self._take_custody)
        finally:
            # Whatever failed above: the secret is not let go of.
            if sentence := self.see_safe():
                complain(sentence)
        self._account.lifecycle.let_go(custody)
        if not custody.kept:
            raise custody.problem or KeytuiError("The secret could not be kept.")
        return custody

    def _take_custody(self, custody: Custody) -> None:
        self._custody = custody

    def see_safe(self) -> str:
        """See a secret safe that is not in its store; return what became of it. Any thread."""
        if self._custody is None or self._custody.kept or self._custody.discarded:
            return ""
        return self._account.lifecycle.rescue(self._custody, self._ctx.keyring)

    async def look_into(self, attempt: str) -> Finding | None:
        return self._account.recovery.examine(attempt, self.progress)

    # What it takes before a step.

    async def choose_profiles(self, plans: Plans[RepointChange]) -> tuple[RepointChange, ...]:
        """Choose by ``--profiles``; limits are agreed to by that alone, not by ``--yes``."""
        choice = self._options["profiles"]
        changes = plans.rewritten if choice == "rewrite" else plans.by_process or plans.rewritten
        self._tell_limits(plans, changes)
        if choice is None and not self._yes:
            self._confirm_profiles(changes)
        return changes

    def _tell_limits(self, plans: Plans[RepointChange], changes: tuple[RepointChange, ...]) -> None:
        uses = "; ".join(change.use.text for change in plans.limited(changes))
        if not uses:
            return
        said = (
            f"With the key in the keyring, these profiles are limited: {uses}. "
            f"{' '.join(plans.limits)}"
        )
        if self._yes and self._options["profiles"] is None:
            raise UndecidedError(
                said,
                "Both keys work, and the profiles were not changed.",
                "--profiles process agrees to that, --profiles rewrite keeps static keys in the "
                "files, --profiles leave changes none.",
            )
        complain(said)

    def _confirm_profiles(self, changes: tuple[RepointChange, ...]) -> None:
        if not self._asks:
            uses = "; ".join(change.use.text for change in changes)
            raise UndecidedError(
                f"AWS profiles here use the old key: {uses}.",
                "Both keys work.",
                "--profiles process, rewrite or leave says what becomes of them.",
            )
        for change in changes:
            for line in filter(None, (change.use.text, *change.diff, change.note)):
                say(line)
        if not agreed("Change them so?"):
            raise UndecidedError("The AWS profiles were left as they are.", "Both keys work.")

    async def confirm_deactivation(self, question: Deactivation) -> None:
        """Ask where something depends on the old key; ``--yes`` cuts nobody off."""
        old_id, said = question.rotation.old_id, " ".join(question.cut_off)
        if said and not self._options["own_key"]:
            if not self._typed(f"{said} Deactivate {old_id}?", old_id):
                raise UndecidedError(
                    f"{old_id} stays active. {said}",
                    "Both keys work.",
                    "--own-key agrees to be cut off; --yes does not.",
                )
            return
        reasons = " ".join(question.reasons)
        if reasons and not self._yes and not self._agreed(f"{reasons} Make {old_id} inactive?"):
            raise UndecidedError(
                f"{old_id} stays active: {reasons}", next_step="--yes agrees to it."
            )

    async def confirm_deletion(self, rotation: Rotation) -> None:
        old_id = rotation.old_id
        if not self._yes and not self._typed(f"Delete {old_id} for good?", old_id):
            raise UndecidedError(
                f"{old_id} was not deleted; it is inactive.", next_step="--yes agrees to it."
            )

    async def confirm_rollback(self, question: Rollback) -> None:
        """Ask; ``--yes`` deletes no new key that may be in use."""
        if question.warning and self._yes:
            raise UndecidedError(
                f"{question.warning} --yes alone does not delete such a key.",
                "The rotation stays as it is.",
                "Roll back on a terminal without --yes, or in keytui (R, b).",
            )
        words = f"Go back to {question.rotation.old_id}, and delete the new key?"
        if not self._yes and not self._agreed(f"{question.warning} {words}".strip()):
            raise UndecidedError("The rotation stays as it is.", next_step="--yes agrees to it.")

    def _agreed(self, question: str) -> bool:
        return self._asks and agreed(question)

    def _typed(self, question: str, key_id: str) -> bool:
        return self._asks and typed_last_four(question, key_id)


def _arguments(reader: ArgumentParser) -> None:
    reader.add_argument(
        "text",
        nargs="*",
        metavar="ID",
        help=f"the old or the new key's ID, or a text with it; {FROM_INPUT}",
    )
    reader.add_argument(
        "--to",
        choices=("verified", "watched", "inactive", "deleted"),
        help="how far to go (default: watched, where both keys work and nothing is cut off)",
    )
    reader.add_argument(
        "--profiles",
        choices=("process", "rewrite", "leave"),
        help="AWS profiles here: take the key from the keyring, keep static keys, or stay",
    )
    reader.add_argument(
        "--store", metavar="keyring|csv:PATH", type=store_name, help="where the new secret goes"
    )
    reader.add_argument("--roll-back", action="store_true", help="return to the old key")
    reader.add_argument("--yes", action="store_true", help="agree to what is asked")
    reader.add_argument(
        "--own-key", action="store_true", help="agree to be cut off: this shell has the old key"
    )
    add_account_flags(reader)
    add_unlock(reader)
    add_json(reader)


COMMANDS = {
    "rotate": Command(
        "replace a key by a new one, step by step",
        "Rotate an access key, or go on with its rotation: create a key, keep its secret, see "
        "that AWS accepts it, let the AWS profiles here use it; later make the old one inactive, "
        f"and delete it. Each run goes as far as --to says. {STATUSES}",
        _arguments,
        rotate_key,
        takes_text=True,
        refused=True,
    )
}
