"""From any state of a rotation, with any fault: a key works whose secret is stored."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from keytui.core.errors import KeytuiError, StoreError, UnknownKeyError, UnreachableError
from keytui.core.model import AccessKey, Identity, KeyStatus, Secret
from keytui.core.waiting import Wait
from keytui.journal.rotations import Rotation, Step, open_rotations
from keytui.keys.local_use import LocalUse, Place
from keytui.keys.recovery import Verdict
from keytui.rotation.rotator import Rotator
from keytui.stores.vault import Vault
from tests.property.world import How, Killed, Trouble, World
from tests.support.fake_iam import ACCOUNT

EXAMPLES = int(os.environ.get("KEYTUI_EXAMPLES", "40"))
STEPS = 25
VALID_AFTER = 10.0
"""Seconds after which AWS accepts a new key."""

faults = st.one_of(st.none(), st.tuples(st.integers(0, 9), st.sampled_from(How)))


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a profile in memory."""

    name: str
    old_id: str
    new_id: str

    @property
    def use(self) -> LocalUse:
        return LocalUse(Place.CREDENTIALS, "~/.aws/credentials", self.name)

    @property
    def diff(self) -> tuple[str, ...]:
        return (f"- {self.old_id}", f"+ {self.new_id}")

    @property
    def runs_keytui(self) -> bool:
        return False


class MemoryProfiles:
    """Profiles, each with the key that it names; every change may go wrong."""

    def __init__(self, trouble: Trouble) -> None:
        self._trouble = trouble
        self.named: dict[str, str] = {}

    def plan(self, old_id: str, new_id: str) -> tuple[Change, ...]:
        names = sorted(name for name, key_id in self.named.items() if key_id == old_id)
        return tuple(Change(name, old_id, new_id) for name in names)

    def record(self, change: Change, stamp: str) -> str:
        return f"{change.name} {change.old_id} {change.new_id}"

    def repoint(self, change: Change, secret: Secret, stamp: str) -> None:
        self._set(change.name, change.new_id)

    def put_back(self, text: str) -> bool:
        name, old_id, new_id = text.split()
        if self.named[name] == new_id:
            self._set(name, old_id)
        return self.named[name] == old_id

    def secret(self, key_id: str) -> Secret | None:
        return None

    def unusable(self, text: str, secret: Secret) -> str:
        return ""

    def backup(self, text: str) -> str:
        return ""

    def drop_backup(self, text: str) -> None:
        return

    def uses(self, key_id: str) -> tuple[LocalUse, ...]:
        return tuple(change.use for change in self.plan(key_id, "") if key_id)

    def _set(self, name: str, key_id: str) -> None:
        work = lambda: self.named.__setitem__(name, key_id)  # noqa: E731
        self._trouble.step(work, lambda: StoreError("Failed."))


class RotationWorld(World):
    """A user with a stored key that two profiles use."""

    def __init__(self, folder: Path, *, own: bool) -> None:
        self.rotator: Rotator[Change]
        self.trouble = Trouble()
        self.profiles = MemoryProfiles(self.trouble)
        super().__init__(folder)
        self.profiles._trouble = self.trouble
        self.old = self.iam.add_key(self.alice, "AKIAOLD0000000000001")
        self.stores["keyring"].kept[self.old.id] = self.iam.secrets[self.old.id]
        self.profiles.named = dict.fromkeys(("alice", "ci"), self.old.id)
        self.flaps: list[bool] = []
        """For the next questions whose a key is: whether AWS does not know it."""
        if own:
            self.iam._signing_key_id = self.old.id

    def start(self) -> None:
        super().start()
        wait = Wait(self.let_pass, lambda: self.time.timestamp())
        vault = Vault(self.journal, self.stores["keyring"], self.stores.get, lambda: self.time)
        self.rotator = Rotator(
            self.iam,
            self.journal,
            self.lifecycle,
            vault,
            self.stores.get,
            self.who,
            self.profiles,
            lambda key_id: self.profiles.uses(key_id),
            now=lambda: self.time,
            wait=wait,
        )

    def who(self, key_id: str, secret: Secret) -> Identity:
        """Say whose a key is, as AWS would."""
        return self.trouble.step(
            lambda: self._who(key_id, secret), lambda: UnreachableError("The reply is lost.")
        )

    def _who(self, key_id: str, secret: Secret) -> Identity:
        key = self.key(key_id)
        young = key and key.created and (self.time - key.created).total_seconds() < VALID_AFTER
        flaps = self.flaps.pop() if self.flaps else False
        if key is None or key.status is not KeyStatus.ACTIVE or young or flaps:
            raise UnknownKeyError("AWS does not accept the key.")
        assert secret.matches(self.iam.secrets[key_id])
        return Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/alice")

    def key(self, key_id: str) -> AccessKey | None:
        """Return a key as AWS has it."""
        return next((key for key in self.iam.held(self.alice) if key.id == key_id), None)

    def works(self, key_id: str) -> bool:
        """Return whether a key is active and its secret is in a store."""
        key = self.key(key_id)
        return bool(key and key.status is KeyStatus.ACTIVE and self.secret_is_stored(key_id))


class Rotating(RuleBasedStateMachine):
    """A rotation as its user, its faults and its killers work it."""

    own = False

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="keytui-rotation-"))
        self.world = RotationWorld(self.folder / "state", own=self.own)
        self.deactivated_elsewhere = False

    def teardown(self) -> None:
        try:
            self.finish()
        finally:
            shutil.rmtree(self.folder)

    @property
    def rotation(self) -> Rotation | None:
        """The open rotation."""
        return next(iter(open_rotations(self.world.journal.entries(), ACCOUNT)), None)

    @rule(fault=faults)
    def go_on(self, fault: tuple[int, How] | None) -> None:
        self.work(fault, self.next_step)

    @rule(step=st.sampled_from(Step), fault=faults, back=st.booleans())
    def a_step_goes_wrong(self, step: Step, fault: tuple[int, How] | None, back: bool) -> None:
        """Go as far as a step, which goes wrong; then, maybe, roll back."""
        for _ in Step:
            if self.rotation and self.rotation.step in {step, None}:
                break
            self.work(None, self.next_step)
        self.work(fault, self.next_step)
        if back and (rotation := self.rotation):
            self.work(None, lambda: self.back(rotation))

    @precondition(lambda self: self.rotation)
    @rule(verb=st.sampled_from(["repoint", "retire", "delete", "verify", "create"]))
    def out_of_turn(self, verb: str) -> None:
        """A verb at a step that is not its own does no harm."""
        rotation, rotator = self.rotation, self.world.rotator
        assert rotation
        verbs: dict[str, Callable[[], object]] = {
            "repoint": lambda: rotator.repoint(rotation, self.plan(rotation)),
            "retire": lambda: rotator.retire(rotation),
            "delete": lambda: rotator.delete(rotation),
            "verify": lambda: rotator.verify(rotation),
            "create": lambda: rotator.create(rotation),
        }
        if not rotation.unsettled:
            self.work(None, verbs[verb])

    @precondition(lambda self: self.rotation)
    @rule(fault=faults)
    def roll_back(self, fault: tuple[int, How] | None) -> None:
        rotation = self.rotation
        assert rotation
        self.work(fault, lambda: self.back(rotation))

    @rule()
    def kill(self) -> None:
        self.world.start()

    @rule(flaps=st.lists(st.booleans(), max_size=6))
    def aws_flaps(self, flaps: list[bool]) -> None:
        self.world.flaps = flaps

    @rule(lag=st.integers(0, 3))
    def listing_lags(self, lag: int) -> None:
        self.world.iam.lag = lag

    @rule(seconds=st.integers(0, 60))
    def time_passes(self, seconds: int) -> None:
        self.world.let_pass(seconds)

    @precondition(lambda self: self.rotation and self.rotation.new_id)
    @rule()
    def somebody_edits_a_profile(self) -> None:
        rotation = self.rotation
        if rotation and self.world.works(rotation.new_id):
            self.world.profiles.named["ci"] = rotation.new_id

    @precondition(lambda self: self.nobody_uses_the_new_key())
    @rule(lost=st.booleans())
    def somebody_breaks_the_new_key(self, lost: bool) -> None:
        """Its secret is lost half way, or it is made inactive, while the old key is in use."""
        rotation, world = self.rotation, self.world
        if rotation and lost:
            for store in world.stores.values():
                store.kept.pop(rotation.new_id, None)
        elif rotation and (key := world.key(rotation.new_id)):
            world.iam._holders["alice"].keys[key.id] = replace(key, status=KeyStatus.INACTIVE)

    @precondition(lambda self: self.nobody_needs_the_old_key())
    @rule(by_hand=st.booleans())
    def somebody_deletes_the_old_key(self, by_hand: bool) -> None:
        """With ``x``, or elsewhere."""
        world = self.world
        if not by_hand:
            world.iam.remove_key(world.old)
        elif (key := world.key(world.old.id)) and key.status is KeyStatus.INACTIVE:
            self.work(None, lambda: world.lifecycle.delete(key))

    @rule(fault=faults, back=st.booleans())
    def a_colleague_is_quicker(self, fault: tuple[int, How] | None, back: bool) -> None:
        """The old key is deactivated elsewhere; then the rotation goes on, or is rolled back.

        Not while it is open whether keytui's own change, cut short, has come to AWS.
        """
        for _ in Step:
            if self.rotation and self.rotation.step in {Step.WATCH, None}:
                break
            self.work(None, self.next_step)
        rotation, world = self.rotation, self.world
        key = world.key(world.old.id)
        if not rotation or rotation.retired or not self.nobody_needs_the_old_key():
            return
        if key and key.status is KeyStatus.ACTIVE:
            self.colleague_sets(KeyStatus.INACTIVE)
            self.deactivated_elsewhere = True
        self.work(fault, (lambda: self.back(rotation)) if back else self.next_step)

    def colleague_sets(self, status: KeyStatus) -> None:
        """Change the old key's status elsewhere; AWS lists it at once."""
        holder = self.world.iam._holders["alice"]
        holder.keys[self.world.old.id] = replace(holder.keys[self.world.old.id], status=status)
        holder.stale_reads = 0
        holder.read()

    def nobody_needs_the_old_key(self) -> bool:
        rotation, world = self.rotation, self.world
        return bool(
            rotation
            and world.works(rotation.new_id)
            and rotation.old_id not in world.profiles.named.values()
            and world.iam.signing_key_id() != rotation.old_id
            and world.key(rotation.old_id)
        )

    def nobody_uses_the_new_key(self) -> bool:
        rotation, world = self.rotation, self.world
        return bool(
            rotation
            and rotation.new_id
            and rotation.new_id not in world.profiles.named.values()
            and world.iam.signing_key_id() != rotation.new_id
            and world.works(rotation.old_id)
        )

    @invariant()
    def a_key_works_whose_secret_is_stored(self) -> None:
        world = self.world
        assert any(world.works(key.id) for key in world.iam.held(world.alice))

    @invariant()
    def what_the_profiles_name_works(self) -> None:
        for key_id in self.world.profiles.named.values():
            assert self.world.works(key_id), f"a profile names {key_id}"

    @invariant()
    def the_calls_are_signed_by_a_key_that_is_there(self) -> None:
        world = self.world
        if self.own:
            key = world.key(world.iam.signing_key_id())
            assert key is None or key.status is KeyStatus.ACTIVE

    @invariant()
    def what_a_colleague_deactivated_stays_inactive(self) -> None:
        key = self.world.key(self.world.old.id)
        if key and self.deactivated_elsewhere:
            assert key.status is KeyStatus.INACTIVE

    def next_step(self) -> None:
        """Do what the screen would do on enter."""
        world, rotator = self.world, self.world.rotator
        rotation = self.rotation
        if rotation is None:
            if world.works(world.old.id) and len(world.iam.held(world.alice)) == 1:
                rotator.begin(world.old, world.stores["keyring"])
            return
        if rotation.rolling_back:
            self.back(rotation)
        elif rotation.unsettled:
            self.settle(rotation)
        else:
            self.forward(rotation)

    def forward(self, rotation: Rotation) -> None:
        rotator, world = self.world.rotator, self.world
        match rotation.step:
            case Step.CREATE:
                custody = rotator.create(rotation, made=world.custodies.append)
                if not custody.kept:
                    world.lifecycle.rescue(custody, world.stores["csv:/a"])
            case Step.STORE:
                self.back(rotation)
            case Step.VERIFY:
                rotator.verify(rotation)
            case Step.REPOINT:
                rotator.repoint(rotation, self.plan(rotation))
            case Step.WATCH | Step.RETIRE:
                rotator.retire(rotation)
            case None:
                rotator.finish(rotation)
            case _:
                rotator.delete(rotation)

    def plan(self, rotation: Rotation) -> tuple[Change, ...]:
        return self.world.profiles.plan(rotation.old_id, rotation.new_id)

    def back(self, rotation: Rotation) -> None:
        """Roll back; a creation that was cut short is looked into before."""
        if rotation.unsettled:
            self.settle(rotation)
        self.world.rotator.roll_back(self.world.rotator.again(rotation))

    def settle(self, rotation: Rotation) -> None:
        assert rotation.attempt
        finding = self.world.recovery.examine(rotation.attempt)
        if finding and finding.verdict is Verdict.ORPHAN:
            assert finding.keys[0].id in self.world.iam.made
            self.world.recovery.delete(finding, agreed=True)

    def work(self, fault: tuple[int, How] | None, verb: Callable[[], object]) -> None:
        if fault:
            self.world.trouble.arm(*fault)
        try:
            verb()
        except KeytuiError:
            pass
        except Killed:
            self.world.start()
        finally:
            self.world.trouble.countdown = -1

    def finish(self) -> None:
        """Go on without faults: every rotation comes to an end, at one working key or two."""
        world = self.world
        world.iam.lag, world.flaps = 0, []
        world.start()
        world.let_pass(30)
        for _ in range(2 * len(Step)):
            if (rotation := self.rotation) is None:
                break
            if rotation.rolling_back and self.deactivated_elsewhere and world.key(world.old.id):
                self.colleague_sets(KeyStatus.ACTIVE)
                self.deactivated_elsewhere = False
            if rotation.rolling_back and world.key(world.old.id):
                # What somebody edited is theirs to change.
                world.profiles.named["ci"] = world.old.id
            try:
                self.next_step()
            except KeytuiError:
                if world.key(rotation.old_id):
                    self.back(rotation)
                else:  # There is no way back.
                    world.rotator.abandon(rotation)
        assert self.rotation is None
        self.a_key_works_whose_secret_is_stored()
        self.what_the_profiles_name_works()
        assert len(world.iam.held(world.alice)) == 1


class RotatingOwn(Rotating):
    """The same where the old key signs keytui's calls."""

    own = True


def run(machine: type[Rotating]) -> None:
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen)


def test_rotation_strands_nobody() -> None:
    run(Rotating)


def test_rotation_of_ones_own_key_strands_nobody() -> None:
    run(RotatingOwn)


@pytest.mark.parametrize("machine", [Rotating, RotatingOwn])
def test_rollback_works_right_after_a_kill_during_deactivation(
    machine: type[Rotating],
) -> None:
    """AWS still lists the old key as active then, and the record has no line of it."""
    for calls in range(8):
        rotating = machine()
        rotating.listing_lags(lag=1)
        rotating.a_step_goes_wrong(step=Step.WATCH, fault=(calls, How.KILL_AFTER), back=True)
        rotating.a_key_works_whose_secret_is_stored()
        rotating.what_the_profiles_name_works()
        rotating.teardown()
