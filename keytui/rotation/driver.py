"""A rotation from its beginning to its end: the order of its steps, and what each one takes.

What became of an interrupted key creation is found out before any other step. A step that has
left no trace in the journal is not repeated.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, Protocol, TypeVar

from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, LastUsed
from keytui.core.port import Port
from keytui.journal.rotations import Rotation, Step
from keytui.keys.local_use import own_shell
from keytui.keys.outcomes import Concern, Custody, Dependence, UnansweredError
from keytui.keys.recovery import Finding
from keytui.rotation.profiles import Plans, R
from keytui.rotation.rotator import Rotator, Watch
from keytui.stores.base import Probe, SecretStore

T = TypeVar("T")
_OWN_SERVICES = {"sts", "iam"}
"""What keytui itself uses a new key for: to try it, and to sign its own calls."""
_HANDED_OVER = "It signs keytui's own calls: the new key takes over before."


class UndecidedError(KeytuiError):
    """A step waits for the user's answer; the title is empty where the user has just declined."""


@dataclass(frozen=True, slots=True)
class Deactivation:
    """The question before the old key is deactivated.

    Attributes:
        rotation: The rotation.
        reasons: What depends on the old key, a sentence each; none where nothing seems to.
        cut_off: How its user would be cut off, a sentence each; where there are any, only the
            last four characters of the key's ID, or a flag for just that, mean yes.
    """

    rotation: Rotation
    reasons: tuple[str, ...]
    cut_off: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rollback:
    """The question before a rotation is rolled back.

    Attributes:
        rotation: The rotation.
        new: The new key's last use; None where it is unknown.
        warning: Who else may depend on the new key, one sentence; empty where nobody seems to.
    """

    rotation: Rotation
    new: LastUsed | None
    warning: str


TestedStore = tuple[SecretStore, Probe | None]
"""A store, and what a test said of it just now; None where it should be tested again."""
Creation = Callable[[Callable[[str], None], Callable[[Custody], None]], Custody]
"""Creates the new key; blocks. It is given what shows progress and what takes the secret into
custody the moment it is there; see ``Lifecycle.create``."""


class RotationPort(Port, Protocol[R]):
    """A rotation's questions. One that returns was agreed to; else it raises UndecidedError.

    Attributes:
        look_again: How to look into an interrupted key creation again, a sentence.
        back: What to press or type to roll back.
    """

    look_again: str
    back: str

    @property
    def stopped(self) -> bool:
        """Whether the user waits no longer. Any thread."""

    def show(self, rotation: Rotation) -> None:
        """Show where the rotation stands."""

    async def with_keyring(self, call: Callable[[], T]) -> T:
        """Run a blocking call that reads the keyring; offer to unlock a locked one."""

    async def choose_store(self, key: AccessKey) -> TestedStore:
        """Ask where to store the new secret."""

    async def create_key(self, rotation: Rotation, create: Creation) -> Custody:
        """Run a creation, and let go of its secret only when that is stored or the key deleted.

        Raises:
            UnansweredError: AWS may have created a key whose secret is lost.
            UndecidedError: The user has closed the secret without storing it.
            KeytuiError: No key was created, or its secret is not stored.
        """

    async def look_into(self, attempt: str) -> Finding | None:
        """Find out what became of a key creation; None where nothing is open, or it is unknown."""

    async def choose_profiles(self, plans: Plans[R]) -> tuple[R, ...]:
        """Ask which of the planned changes to make; none leaves the profiles to the user."""

    async def confirm_deactivation(self, question: Deactivation) -> None:
        """Ask before the old key is deactivated."""

    async def confirm_deletion(self, rotation: Rotation) -> None:
        """Ask before the old key is deleted."""

    async def confirm_rollback(self, question: Rollback) -> None:
        """Ask before the old key is used again and the new one is deleted."""


class RotationDriver(Generic[R]):
    """Works on one rotation at a time.

    Attributes:
        rotation: The rotation as the journal has it; None before one was taken up or begun.
        ended: Whether ``take_up`` found that a rotation has ended.
    """

    def __init__(
        self, rotator: Rotator[R], port: RotationPort[R], *, repoints: bool = True
    ) -> None:
        """Take the parts; ``repoints`` says whether local profiles may be changed at all."""
        self._rotator, self._port, self._repoints = rotator, port, repoints
        self._signed_by = rotator.signing_key_id
        self._begun: Probe | None = None
        self.rotation: Rotation | None = None
        self.ended = False

    # Which rotation.

    async def take_up(self, key_id: str) -> Rotation | None:
        """Take up the open rotation that a key is part of.

        Returns:
            The rotation, which has ended where its old key is deleted by now; None where there is
            none, or where it has ended so and the key is its new one.

        Raises:
            KeytuiError: Another keytui is at work on it, or it can't be read.
        """
        port, rotator = self._port, self._rotator
        self._tell("", await port.work(rotator.tidy))
        found = await port.work(lambda: rotator.of_key(key_id))
        if found is None:
            return None
        if not await port.work(partial(self._claim, found)):
            raise KeytuiError("Another keytui is at work on this rotation.", "Nothing was changed.")
        # Read after the claim: whoever had it before may have gone on.
        rotation = await self.read()
        problems = await port.work(lambda: rotator.end_if_gone(rotation))
        if problems is None:
            return rotation
        self.ended = True
        self._tell(f"{rotation.old_id} is deleted: its rotation has ended.", problems)
        if key_id == rotation.old_id:
            return await self.read()
        await self.release()
        return None

    async def begin(self, key: AccessKey) -> Rotation:
        """Begin the rotation of a key, after asking where to store the new secret.

        Raises:
            QuotaError: The user has two keys already; one has to go first.
            KeytuiError: The key can't be rotated now. Nothing was changed.
        """
        store, tested = await self._port.choose_store(key)

        def begin() -> tuple[Rotation, Probe]:
            listed = self._rotator.require_ready(key)
            probe = tested or store.probe()
            return self._rotator.begin(listed, store, probe), probe

        self._port.committed()  # What is claimed and written down from here on is taken in.
        rotation, probe = await self._port.work(begin)
        self._begun = probe
        return self._take(rotation)

    def _claim(self, found: Rotation) -> bool:
        if claimed := self._rotator.claim(found):
            self.rotation = found
        return claimed

    async def release(self) -> None:
        """Work on it no longer."""
        rotation, self.rotation = self.rotation, None
        if rotation:
            await self._port.work(lambda: self._rotator.release(rotation))

    async def read(self) -> Rotation:
        """Return the rotation as the journal has it now. Raises ``StateError``."""
        rotation = self._mine
        return self._take(await self._port.work(lambda: self._rotator.again(rotation)))

    async def watch(self, rotation: Rotation) -> Watch:
        """Ask AWS when both keys were last used."""
        return await self._port.work(lambda: self._rotator.watch(rotation))

    # Forward.

    async def go(self, aim: Step) -> None:
        """Do the next steps up to one, that included.

        Raises:
            UndecidedError: A step waits for the user's answer; those before it are done.
            KeytuiError: A step failed; those before it are done.
        """
        deactivated = False
        while (step := self._mine.step) and step.number <= aim.number:
            if self._port.stopped:
                raise UndecidedError("Stopped before the next step.", "What was done so far stays.")
            before = await self.settle()
            self._require_way_on(before)
            if before.step is Step.DELETE and deactivated:
                raise UndecidedError(
                    f"{before.old_id} was made inactive just now, and is not deleted in the same "
                    "run.",
                    "Both keys are there.",
                    "See that nothing misses it, then run this again.",
                )
            deactivated = before.step in {Step.WATCH, Step.RETIRE}
            await self._do(before)
            if (await self.read()).step is before.step:
                raise KeytuiError(
                    "The rotation stopped: a step did not complete, or could not be written down.",
                    "What was done so far stays.",
                    "Fix what is reported above, then run the command again.",
                )
        ending = self._mine
        if ending.step is None and not ending.ended:
            self._tell("", await self._port.work(lambda: self._rotator.finish(ending)))

    async def settle(self) -> Rotation:
        """Find out what became of an interrupted key creation; return the rotation as it is then.

        Raises:
            UndecidedError: It is still unknown, or its key waits to be deleted.
        """
        rotation = self._mine
        if rotation.unsettled and rotation.attempt:
            await self._look_into(rotation.attempt.id)
        return self._mine

    async def _look_into(self, attempt: str) -> Finding | None:
        finding = await self._port.look_into(attempt)
        if (await self.read()).unsettled:
            title, advice = (finding.title, finding.advice) if finding else (_LOOKED_INTO, "")
            safe = f"{advice} The old key is as it was.".strip()
            raise UndecidedError(title, safe, self._port.look_again)
        return finding

    def _require_way_on(self, rotation: Rotation) -> None:
        back, safe = self._port.back, "The old key is as it was."
        if rotation.rolling_back:
            raise UndecidedError(
                "This rotation is being rolled back.", next_step=f"{back} goes on with it."
            )
        if rotation.keyless:
            raise UndecidedError(
                "The new key was deleted, and AWS profiles here still name it.",
                safe,
                f"{back} puts the profiles back.",
            )
        if rotation.secretless:
            title = f"The secret of {rotation.new_id} is kept nowhere."
            raise UndecidedError(title, safe, f"{back} deletes the new key.")

    async def _do(self, rotation: Rotation) -> None:
        match rotation.step:
            case Step.CREATE:
                await self._create(rotation)
            case Step.VERIFY:
                await self._verify(rotation)
            case Step.REPOINT:
                await self._repoint(rotation)
            case Step.WATCH | Step.RETIRE:
                await self._deactivate(rotation)
            case Step.DELETE:
                await self._delete(rotation)

    async def _create(self, rotation: Rotation) -> None:
        probe, self._begun = self._begun, None
        probe = probe if probe and probe.is_fresh else None

        def create(progress: Callable[[str], None], made: Callable[[Custody], None]) -> Custody:
            return self._rotator.create(rotation, progress, made, probe)

        try:
            custody = await self._port.create_key(rotation, create)
        except UnansweredError as lost:
            await self._after_lost_reply(lost)
        else:
            where = custody.receipts[-1].where
            made = f"{custody.new.key.id} is made; its secret is in {where}."
            self._tell(made, custody.warnings)

    async def _after_lost_reply(self, lost: UnansweredError) -> None:
        """Raise what AWS has created; a second key is never requested without the user."""
        await self.read()
        finding = await self._look_into(lost.attempt)
        title = finding.title if finding else "The key whose secret did not arrive is deleted."
        raise KeytuiError(title, "The old key is as it was.")

    async def _verify(self, rotation: Rotation) -> None:
        port, new_id = self._port, rotation.new_id
        self._commit(f"Asking AWS whether it accepts {new_id}")
        await port.with_keyring(
            lambda: self._rotator.verify(rotation, port.progress, lambda: port.stopped)
        )
        port.tell(f"AWS accepts {new_id}.")

    async def _repoint(self, rotation: Rotation) -> None:
        port, rotator, changes = self._port, self._rotator, tuple[R, ...]()
        plans: Plans[R] = Plans()
        if self._repoints:
            plans = await port.work(lambda: rotator.plans(rotation))
        if found := bool(plans.by_process or plans.rewritten):
            changes = await port.choose_profiles(plans)
        self._commit("Letting the AWS profiles use the new key")
        await port.with_keyring(lambda: rotator.repoint(rotation, changes))
        if changes:
            names = ", ".join(dict.fromkeys(change.use.profile for change in changes))
            port.tell(f"{names} uses {rotation.new_id} now.")
        elif found:
            port.tell(
                "The AWS profiles here were left as they are: change them by hand.", good=False
            )
        elif self._repoints:
            port.tell("No AWS profile on this machine uses the old key.")

    async def _deactivate(self, rotation: Rotation) -> None:
        port, old_id, new_id = self._port, rotation.old_id, rotation.new_id
        found = await port.work(lambda: self._rotator.dependence(rotation))
        await port.confirm_deactivation(self._deactivation(rotation, found))
        self._commit("Making the old key inactive")
        change = await port.with_keyring(lambda: self._rotator.retire(rotation))
        if change is None:
            port.tell(f"{old_id} is deleted already, by somebody else.")
        elif problem := change.problem:
            raise KeytuiError(problem.title, "The change itself was made.", problem.next_step)
        elif not change.made:
            port.tell(f"{old_id} was inactive already; {new_id} works.")
        elif change.listed:
            port.tell(f"{old_id} is inactive; {new_id} works.")
        else:
            port.tell("AWS took the change, but does not list it yet.", good=False)

    def _deactivation(self, rotation: Rotation, found: Dependence) -> Deactivation:
        old_id, reasons = rotation.old_id, [reason for reason in found.reasons if reason]
        if found.concern is Concern.OWN_KEY:
            reasons[0] = _HANDED_OVER
        cut_off = own_shell(old_id, found.here)
        uses = "; ".join(use.text for use in found.here if use.depends)
        if not cut_off and uses and self._signed_by == old_id:
            # A later keytui would sign with it again, and could not undo this.
            cut_off = (f"It signs keytui's own calls, and is still used on this machine: {uses}.",)
        return Deactivation(rotation, tuple(reasons), cut_off)

    async def _delete(self, rotation: Rotation) -> None:
        port = self._port
        await port.confirm_deletion(rotation)
        self._commit("Deleting the old key")
        problems = await port.with_keyring(lambda: self._rotator.delete(rotation))
        self._tell(
            f"{rotation.old_id} is deleted; {rotation.new_id} has taken its place.", problems
        )

    # Back.

    async def roll_back(self) -> None:
        """Return to the old key, after a question.

        Raises:
            UndecidedError: Nobody agreed, or it is open what became of the new key.
            KeytuiError: It is not done; whatever depends on the new key keeps working.
        """
        rotation, port = await self.settle(), self._port
        used = (await self.watch(rotation)).new
        question = Rollback(rotation, used, _use_of_new(rotation, used))
        await port.confirm_rollback(question)
        self._commit("Rolling back")
        problems = await port.work(lambda: self._rotator.roll_back(rotation, port.progress))
        await self.read()
        self._tell(f"Rolled back: {rotation.old_id} is the key again.", problems)

    # What the steps share.

    @property
    def _mine(self) -> Rotation:
        if self.rotation is None:
            raise KeytuiError("No rotation was taken up.")
        return self.rotation

    def _take(self, rotation: Rotation) -> Rotation:
        self.rotation = rotation
        self._port.show(rotation)
        return rotation

    def _commit(self, step: str) -> None:
        self._port.committed()
        self._port.progress(step)

    def _tell(self, done: str, problems: list[KeytuiError]) -> None:
        if done:
            self._port.tell(done)
        if problems:
            self._port.tell(" ".join(map(str, problems)), good=False)


_LOOKED_INTO = "What became of the new key is being looked into just now."


def _use_of_new(rotation: Rotation, used: LastUsed | None) -> str:
    """Return what is known of the new key's use beside keytui's own; empty for none."""
    if not rotation.new_id or (used and (not used.when or used.service in _OWN_SERVICES)):
        return ""
    if used is None:
        return f"When {rotation.new_id} was last used is unknown."
    return f"{rotation.new_id} is in use by {used.service}."
