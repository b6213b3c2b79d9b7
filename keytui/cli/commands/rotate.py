"""``keytui rotate``: a rotation, or its next steps, without a screen."""

from collections.abc import Callable, Sequence

from keytui.aws.files.repoint import How, LocalProfiles, RepointChange
from keytui.cli.arguments import Request, ids_in
from keytui.cli.console import (
    agreed,
    answer,
    complain,
    held_back,
    on_terminal,
    progress,
    say,
    say_json,
)
from keytui.cli.exit_codes import EXIT_DONE, EXIT_FAILED, EXIT_OPEN
from keytui.core.errors import KeytuiError, UsageError
from keytui.core.model import LastUsed
from keytui.journal.rotations import Rotation, Step
from keytui.keys.local_use import own_shell
from keytui.keys.lookup import find
from keytui.keys.outcomes import Concern, Custody, Dependence, UnansweredError
from keytui.session.account import Account, open_account
from keytui.session.context import Context

AIMS = {
    "verified": Step.VERIFY,
    "watched": Step.REPOINT,
    "inactive": Step.RETIRE,
    "deleted": Step.DELETE,
}
"""What ``--to`` takes → the last step that is done."""

_OWN_SERVICES = {"sts", "iam"}
"""What keytui itself uses a new key for: to try it, and to go on with."""


class _LeftError(KeytuiError):
    """Something needs the user's word, and nobody gave it."""


def rotate_key(ctx: Context, request: Request) -> int:
    """Begin a rotation or take it up, and go on as far as asked; print what was done.

    With ``--json`` one object: ``rotation`` (its ID in keytui's record), ``old_key_id``,
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
    run = _Run(ctx, account, request)
    with held_back("Stopping before the next step.") as stop:
        stop.last = run.see_safe
        try:
            run.open(ids[0])
            run.tell_own_shell()
            run.go(stop)
            result, reason = "done", ""
        except _LeftError as error:
            result, reason = "left", str(error)
        except KeytuiError as error:
            if run.rotation is None:
                raise
            result, reason = "failed", str(error)
    if reason:
        complain(reason)
    run.tell(result, reason)
    if number := stop():
        return 128 + number
    return {"done": EXIT_DONE, "left": EXIT_OPEN}.get(result, EXIT_FAILED)


class _Run:
    """One run of the command."""

    def __init__(self, ctx: Context, account: Account, request: Request) -> None:
        self._ctx, self._account, self._options = ctx, account, request.options
        self._rotator = ctx.rotator(account.iam, account.lifecycle)
        self._yes, self._json = bool(self._options["yes"]), bool(self._options["json"])
        self._aim = AIMS[self._options["to"] or "watched"]
        self._custody: Custody | None = None
        self._retired = False
        self._asked = ""
        self._signed_by = account.iam.signing_key_id()
        self.rotation: Rotation | None = None

    @property
    def _asks(self) -> bool:
        return on_terminal() and not self._json and not self._yes

    def open(self, key_id: str) -> None:
        """Take up the rotation that a key is part of, or begin one."""
        for problem in self._rotator.tidy():
            complain(str(problem))
        rotation = self._rotator.of_key(key_id)
        if rotation is not None:
            if not self._rotator.claim(rotation):
                raise KeytuiError("Another keytui is at work on this rotation.")
            # Read after the claim: whoever had it before may have gone on.
            rotation = self._rotator.again(rotation)
            problems = self._rotator.end_if_gone(rotation)
            if problems is None:
                self.rotation, self._asked = rotation, key_id
                return
            for problem in problems:
                complain(str(problem))
            if key_id == rotation.old_id:
                say_unless(self._json, f"{key_id} is deleted: its rotation has ended.")
                self.rotation = self._rotator.again(rotation)
                return
        if self._options["roll_back"]:
            raise KeytuiError(f"{key_id} is part of no open rotation.", "Nothing was changed.")
        key = find(self._account.iam, key_id).key
        kind, _, path = (self._options["store"] or "keyring").partition(":")
        store = self._ctx.csv_file(path) if kind == "csv" else self._ctx.keyring
        self.rotation = self._rotator.begin(key, store)

    def tell_own_shell(self) -> None:
        """Say at the beginning that the user's own shell has the key that goes."""
        old_id = self._now.old_id
        for sentence in own_shell(old_id, self._ctx.uses_here(old_id)):
            complain(sentence)

    def go(self, stop: Callable[[], int]) -> None:
        """Go on, or back, as far as asked."""
        if self._options["roll_back"]:
            self._settle()
            self._back()
            return
        if self._asked == self._now.new_id and not self._before_aim(self._now):
            raise _LeftError(
                f"{self._asked} is the new key of a rotation under way.",
                "Nothing was changed.",
                "Go on with it (--to), or end it in keytui (R, l), before this key is rotated.",
            )
        while self._before_aim(self._now):
            if stop():
                raise _LeftError("keytui was stopped.", "What was done so far stays.")
            if self._now.rolling_back:
                raise _LeftError(
                    "This rotation is being rolled back.", next_step="--roll-back goes on with it."
                )
            self._settle()
            before = self._now
            self._step(before)
            self.rotation = self._rotator.again(before)
            if self._now.step is before.step:
                raise _not_completed()
        if self._now.step is None and not self._now.ended:
            for problem in self._rotator.finish(self._now):
                complain(str(problem))

    def tell(self, result: str, reason: str) -> None:
        """Say where the rotation stands."""
        rotation = self.rotation and self._rotator.again(self.rotation)
        if rotation is None:
            return
        self._rotator.release(rotation)
        step = rotation.step
        if self._json:
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

    @property
    def _now(self) -> Rotation:
        assert self.rotation is not None  # noqa: S101 - set by open
        return self.rotation

    def _before_aim(self, rotation: Rotation) -> bool:
        return rotation.step is not None and rotation.step.number <= self._aim.number

    def _step(self, rotation: Rotation) -> None:
        rotator = self._rotator
        match rotation.step:
            case Step.CREATE if not rotation.keyless:
                self._create()
            case Step.VERIFY:
                rotator.verify(rotation, progress)
                say_unless(self._json, f"AWS accepts {rotation.new_id}.")
            case Step.REPOINT:
                self._repoint()
            case Step.WATCH | Step.RETIRE:
                self._require_word_for_retiring()
                self._retire(rotation)
            case Step.DELETE:
                self._require_word_for_deleting()
                for problem in rotator.delete(rotation):
                    complain(str(problem))
                say_unless(self._json, f"{rotation.old_id} is deleted.")
            case _ if rotation.keyless:
                raise _LeftError(
                    "The new key was deleted, and AWS profiles here still name it.",
                    "The old key is as it was.",
                    "--roll-back puts the profiles back.",
                )
            case _:
                raise _LeftError(
                    f"The secret of {rotation.new_id} is kept nowhere.",
                    "The old key is as it was.",
                    "--roll-back deletes the new key.",
                )

    def _create(self) -> None:
        rotation, rotator, lifecycle = self._now, self._rotator, self._account.lifecycle

        def take(custody: Custody) -> None:
            self._custody = custody

        try:
            custody = rotator.create(rotation, progress, take)
        except UnansweredError as lost:
            self._look_into(lost.attempt)
            return
        finally:
            # Whatever failed above: the secret is not let go of.
            if sentence := self.see_safe():
                complain(sentence)
        lifecycle.let_go(custody)
        if not custody.kept:
            raise custody.problem or KeytuiError("The secret could not be kept.")
        where = custody.receipts[-1].where
        say_unless(self._json, f"{custody.new.key.id} is made; its secret is in {where}.")

    def see_safe(self) -> str:
        """See a secret safe that is not in its store; return what became of it. Any thread."""
        if self._custody is None or self._custody.kept or self._custody.discarded:
            return ""
        return self._account.lifecycle.rescue(self._custody, self._ctx.keyring)

    def _settle(self) -> None:
        """Find out what became of a creation that was cut short."""
        if self._now.unsettled and (attempt := self._now.attempt):
            self._look_into(attempt.id)
            self.rotation = self._rotator.again(self._now)

    def _look_into(self, attempt: str) -> None:
        finding = self._account.recovery.examine(attempt, progress)
        if finding is None or finding.open:
            said = f"{finding.title} {finding.advice}" if finding else "It is not known yet."
            raise _LeftError(said.strip(), "The old key is as it was.", "keytui recover goes on.")

    def _repoint(self) -> None:
        rotation = self._now
        choice = self._options["profiles"]
        changes = () if choice == "leave" else self._plan(choice or How.PROCESS.value)
        self._tell_limits(changes)
        lines = [line for c in changes for line in (c.use.text, *c.diff, c.note) if line]
        if changes and choice is None and not self._yes:
            if not self._asks:
                uses = "; ".join(change.use.text for change in changes)
                raise _LeftError(
                    f"AWS profiles here use the old key: {uses}.",
                    "Both keys work.",
                    "--profiles process, rewrite or leave says what becomes of them.",
                )
            for line in lines:
                say(line)
            if not agreed("Change them so?"):
                raise _LeftError("The AWS profiles were left as they are.", "Both keys work.")
        self._rotator.repoint(rotation, changes)
        for change in changes:
            say_unless(self._json, f"{change.use.text} uses {rotation.new_id} now.")

    def _tell_limits(self, changes: Sequence[RepointChange]) -> None:
        """Show where changed profiles would not work; only the user's word lets that happen.

        Raises:
            _LeftError: ``--yes`` alone is none.
        """
        by_process = [change for change in changes if change.how is not How.REWRITE]
        limits = self._ctx.profile_limits() if by_process else ()
        if not limits:
            return
        uses = "; ".join(change.use.text for change in by_process)
        said = f"With the key in the keyring, these profiles are limited: {uses}."
        if self._yes and self._options["profiles"] is None:
            raise _LeftError(
                f"{said} {' '.join(limits)}",
                "Both keys work, and the profiles were not changed.",
                "--profiles process agrees to that, --profiles rewrite keeps static keys in the "
                "files, --profiles leave changes none.",
            )
        complain(f"{said} {' '.join(limits)}")

    def _plan(self, how: str) -> tuple[RepointChange, ...]:
        if self._ctx.settings.demo:
            return ()
        rotation, files = self._now, self._ctx.aws_files()
        kept = rotation.store == self._ctx.keyring.locator
        profiles = LocalProfiles(files, How(how) if kept else How.REWRITE, in_keyring=kept)
        return profiles.plan(rotation.old_id, rotation.new_id)

    def _retire(self, rotation: Rotation) -> None:
        change = self._rotator.retire(rotation)
        self._retired = True
        if change and change.problem:
            complain(f"{change.problem} The change itself was made.")
        done = "inactive" if change else "deleted already"
        more = "" if not change or change.listed else " AWS does not list it so yet."
        say_unless(self._json, f"{rotation.old_id} is {done}.{more}")

    def _require_word_for_retiring(self) -> None:
        rotation = self._now
        found = self._account.lifecycle.dependence(rotation.old)
        own = self._require_word_for_own_key(found)
        if own or found.concern is None or self._yes:
            return
        reasons = " ".join(filter(None, found.reasons))
        if found.concern is Concern.OWN_KEY:
            reasons = "It signs keytui's own calls; the new key takes over before."
        if not (self._asks and agreed(f"{reasons} Make {rotation.old_id} inactive?")):
            raise _LeftError(
                f"{rotation.old_id} stays active: {reasons}", next_step="--yes agrees to it."
            )

    def _require_word_for_own_key(self, found: Dependence) -> bool:
        """Return whether the user agrees to be cut off; ``--yes`` alone is no word for that."""
        old_id = self._now.old_id
        said = " ".join(own_shell(old_id, found.here))
        uses = "; ".join(use.text for use in found.here if use.depends)
        if not said and uses and self._signed_by == old_id:
            said = f"It signs keytui's own calls, and is still used on this machine: {uses}."
        if not said or self._options["own_key"]:
            return False
        question = f"{said} Deactivate {old_id}? Type the last four characters of its ID:"
        if self._asks and answer(question).upper() == old_id[-4:]:
            return True
        raise _LeftError(
            f"{old_id} stays active. {said}",
            "Both keys work.",
            "--own-key agrees to be cut off; --yes does not.",
        )

    def _require_word_for_deleting(self) -> None:
        old = self._now.old_id
        if self._retired:
            raise _LeftError(
                f"{old} was made inactive just now, and is not deleted in the same run.",
                "Both keys are there.",
                "See that nothing misses it, then run this again.",
            )
        if self._yes:
            return
        question = f"Delete {old} for good? Type the last four characters of its ID:"
        if not (self._asks and answer(question).upper() == old[-4:]):
            raise _LeftError(
                f"{old} was not deleted; it is inactive.", next_step="--yes agrees to it."
            )

    def _back(self) -> None:
        rotation = self._now
        used = self._rotator.watch(rotation).new
        warning = _use_of_new(rotation, used)
        if warning and self._yes:
            raise _LeftError(
                f"{warning} --yes alone does not delete such a key.",
                "The rotation stays as it is.",
                "Roll back on a terminal without --yes, or in keytui (R, b).",
            )
        words = f"{warning} Go back to {rotation.old_id}, and delete the new key?".strip()
        if not self._yes and not (self._asks and agreed(words)):
            raise _LeftError("The rotation stays as it is.", next_step="--yes agrees to it.")
        for problem in self._rotator.roll_back(rotation, progress):
            complain(str(problem))
        say_unless(self._json, f"Rolled back: {rotation.old_id} is the key again.")


def _not_completed() -> KeytuiError:
    """Return why a step is not repeated: it left no trace at AWS or in keytui's journal."""
    return KeytuiError(
        "The rotation stopped: a step did not complete, or could not be written down.",
        "What was done so far stays.",
        "Fix what is reported above, then run the command again.",
    )


def _use_of_new(rotation: Rotation, used: LastUsed | None) -> str:
    """Return what is known of the new key's use beside keytui's own; empty for none."""
    if not rotation.new_id or (used and (not used.when or used.service in _OWN_SERVICES)):
        return ""
    if used is None:
        return f"When {rotation.new_id} was last used is unknown."
    return f"{rotation.new_id} is in use by {used.service}."


def say_unless(quiet: bool, sentence: str) -> None:
    """Print a line of the result, unless JSON is to be the only output."""
    if not quiet:
        say(sentence)
