"""The two promises under random sequences of actions, faults and kills."""

import os
import shutil
from enum import Enum
from functools import partial
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from keytui.core.errors import KeytuiError
from keytui.core.model import KeyStatus, LastUsed
from keytui.keys.outcomes import Custody
from keytui.keys.recovery import Finding, Verdict
from tests.property.world import How, Killed, World

EXAMPLES = int(os.environ.get("KEYTUI_EXAMPLES", "75"))
"""How many sequences are tried."""
STEPS = 30
"""How many actions a sequence has."""
APART = 10.0
"""Keys made at the same moment can't be told apart; those of others are made this far from
keytui's, or in its very request."""

CREATE_STEP = 2
"""The request to AWS, counted from 0, where the secret goes to no store."""


class Sign(Enum):
    """How somebody's use of a key shows, or does not."""

    USED = "it was used"
    NAMED_HERE = "a profile names it"
    SIGNS = "it signs keytui's calls"
    UNKNOWN = "its last use can't be read"


early_faults = st.one_of(st.none(), st.tuples(st.integers(0, 1), st.sampled_from(How)))
faults = st.one_of(st.none(), st.tuples(st.integers(0, 8), st.sampled_from(How)))
places = st.sampled_from(["keyring", "csv:/a", None])


class Promises(RuleBasedStateMachine):
    """keytui as its users, its faults and its killers work it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="keytui-property-"))
        self.world = World(self.folder / "state")

    def teardown(self) -> None:
        """At the end all is mended: each key is then in a store, told, or decided on."""
        try:
            self.settle_everything()
        finally:
            shutil.rmtree(self.folder)

    # What users do, with a fault on the way.

    @rule(place=places, description=st.sampled_from(["", "for ci"]), fault=faults)
    def create(self, place: str | None, description: str, fault: tuple[int, How] | None) -> None:
        self.create_at(place, description, fault)

    def create_at(self, place: str | None, description: str, fault: tuple[int, How] | None) -> None:
        world, asked = self.world, len(self.world.iam.made)
        store = world.stores[place] if place else None
        self.work(
            fault,
            lambda: world.lifecycle.create(
                world.alice, store, description, made=world.custodies.append
            ),
        )
        assert len(world.iam.made) <= asked + 1, "a second key was made"

    @precondition(lambda self: self.custody() is not None)
    @rule(place=st.sampled_from(["keyring", "csv:/a"]), fault=faults)
    def keep(self, place: str, fault: tuple[int, How] | None) -> None:
        if custody := self.custody():
            self.work(fault, lambda: self.world.lifecycle.keep(custody, self.world.stores[place]))

    @precondition(lambda self: self.custody() is not None)
    @rule(fault=faults)
    def show(self, fault: tuple[int, How] | None) -> None:
        if custody := self.custody():
            self.work(fault, lambda: self.world.lifecycle.shown(custody))

    @precondition(lambda self: self.custody() is not None)
    @rule(fault=faults)
    def discard(self, fault: tuple[int, How] | None) -> None:
        if custody := self.custody():
            self.world.deletions.add(custody.new.key.id)
            self.work(fault, lambda: self.world.lifecycle.discard(custody))

    @precondition(lambda self: self.custody() is not None)
    @rule()
    def close_and_leave(self) -> None:
        if custody := self.custody():
            if not custody.kept:
                self.world.decided.add(custody.new.key.id)
                self.world.lifecycle.leave(custody)
            self.world.lifecycle.let_go(custody)
            self.world.custodies.remove(custody)

    @precondition(lambda self: self.custody() is not None)
    @rule(fault=faults)
    def hang_up(self, fault: tuple[int, How] | None) -> None:
        world = self.world
        for custody in [c for c in world.custodies if not c.kept and not c.discarded]:
            world.deletions.add(custody.new.key.id)
            self.work(fault, partial(world.lifecycle.rescue, custody, world.stores["keyring"]))
        world.start()

    @rule()
    def kill(self) -> None:
        self.world.start()

    @precondition(lambda self: self.world.iam.held(self.world.alice))
    @rule(fault=early_faults, which=st.integers(0, 1), status=st.sampled_from(list(KeyStatus)[:2]))
    def change_status(self, fault: tuple[int, How] | None, which: int, status: KeyStatus) -> None:
        world = self.world
        for key in world.iam.held(world.alice)[which : which + 1]:
            if self.work(fault, partial(world.lifecycle.set_status, key, status)):
                now = {k.id: k.status for k in world.iam.held(world.alice)}
                assert now[key.id] is status, "a change was told that AWS has not made"

    @precondition(lambda self: self.world.iam.held(self.world.alice))
    @rule(fault=early_faults, which=st.integers(0, 1))
    def delete(self, fault: tuple[int, How] | None, which: int) -> None:
        world = self.world
        for key in world.iam.held(world.alice)[which : which + 1]:
            if key.status is KeyStatus.ACTIVE or not world.iam.owner_of(key.id):
                continue
            world.deletions.add(key.id)
            if self.work(fault, partial(world.lifecycle.delete, key)):
                assert key.id not in {k.id for k in world.iam.held(world.alice)}

    @rule(fault=faults, between=st.sampled_from([None, *Sign]))
    def recover(self, fault: tuple[int, How] | None, between: Sign | None) -> None:
        """Look into what is open and accept what is offered by default.

        Between the two somebody may begin to use the key.
        """
        world = self.world

        def look() -> bool:
            for attempt in world.recovery.open_attempts():
                finding = world.recovery.examine(attempt)
                if finding and finding.useless:
                    self.only_lost_keys(finding)
                    (key,) = finding.keys
                    if between:
                        self.give_a_sign(key.id, between)
                    else:
                        world.deletions.add(key.id)
                    world.recovery.delete(finding)
            return True

        self.work(fault, look)

    # What the world does.

    @precondition(lambda self: self.world.iam.held(self.world.alice))
    @rule(which=st.integers(0, 1), sign=st.sampled_from(Sign))
    def somebody_uses_a_key(self, which: int, sign: Sign) -> None:
        for key in self.world.iam.held(self.world.alice)[which : which + 1]:
            self.give_a_sign(key.id, sign)

    @rule()
    def last_uses_can_be_read_again(self) -> None:
        self.world.iam.deny.clear()

    @rule()
    def somebody_else_makes_a_key(self) -> None:
        world = self.world
        world.let_pass(APART)
        if len(world.iam.held(world.alice)) < 2:
            world.iam.add_key(world.alice, created=world.time)
        world.let_pass(APART)

    @rule(how=st.sampled_from(How))
    def request_goes_wrong(self, how: How) -> None:
        self.create_at(None, "", (CREATE_STEP, how))

    @rule(how=st.sampled_from([How.BEFORE, How.KILL_BEFORE]))
    def somebody_else_makes_one_after_a_request_in_vain(self, how: How) -> None:
        self.create_at(None, "", (CREATE_STEP, how))
        self.somebody_else_makes_a_key()

    @rule(lag=st.integers(0, 3))
    def listing_lags(self, lag: int) -> None:
        self.world.iam.lag = lag

    @rule(seconds=st.integers(0, 600))
    def time_passes(self, seconds: int) -> None:
        self.world.let_pass(seconds)

    @rule(place=places, lines=st.integers(0, 4))
    def create_on_a_disk_that_fills(self, place: str | None, lines: int) -> None:
        self.world.journal.room = lines
        self.create_at(place, "", None)
        self.world.journal.room = None

    @precondition(lambda self: len(self.world.iam.held(self.world.alice)) >= 2)
    @rule()
    def somebody_else_cleans_up(self) -> None:
        for key in self.world.iam.held(self.world.alice):
            self.world.deletions.add(key.id)
            self.world.iam.remove_key(key)
        self.world.let_pass(APART)

    # What always holds.

    @invariant()
    def no_key_is_deleted_that_nobody_wanted_gone(self) -> None:
        world = self.world
        there = {key.id for key in world.iam.held(world.alice)}
        gone = {entry.split()[1] for entry in world.iam.calls if "DeleteAccessKey" in entry}
        assert gone <= world.deletions | there

    @invariant()
    def no_secret_is_on_the_disk(self) -> None:
        files = [path for path in (self.folder / "state").glob("*") if path.is_file()]
        text = "".join(path.read_text() for path in files)
        assert not [s for s in self.world.iam.secrets.values() if s.reveal() in text]

    # How.

    def work(self, fault: tuple[int, How] | None, verb: object) -> bool:
        """Do something with a fault on the way; return whether it said that it was done."""
        assert callable(verb)
        if fault:
            self.world.trouble.arm(*fault)
        try:
            verb()
        except KeytuiError:
            return False
        except Killed:
            self.world.start()
            return False
        finally:
            self.world.trouble.countdown = -1
        return True

    def custody(self) -> Custody | None:
        """Return the custody whose reveal is open."""
        return next((c for c in self.world.custodies if not c.discarded), None)

    def give_a_sign(self, key_id: str, sign: Sign) -> None:
        """Let somebody have a key's secret, or nobody know whether they do."""
        iam = self.world.iam
        match sign:
            case Sign.USED:
                iam._uses[key_id] = LastUsed(self.world.time, "s3", "eu-west-1")
            case Sign.NAMED_HERE:
                self.world.named.add(key_id)
            case Sign.SIGNS:
                iam._signing_key_id = key_id
            case Sign.UNKNOWN:
                iam.deny = {"iam:GetAccessKeyLastUsed"}

    def only_lost_keys(self, finding: Finding) -> None:
        """What is called useless is keytui's own, and nobody has its secret."""
        iam = self.world.iam
        assert "iam:GetAccessKeyLastUsed" not in iam.deny, "whether it is used is unknown"
        for key in finding.keys:
            assert key.id in iam.made, "somebody else's key would be deleted"
            used = {key_id for key_id, use in iam._uses.items() if use.when}
            assert key.id not in {*used, *self.world.named, iam.signing_key_id()}
            assert not self.world.secret_is_stored(key.id)
            assert not self.world.in_memory(key.id)

    def settle_everything(self) -> None:
        world = self.world
        world.iam.lag = 0
        world.start()
        world.let_pass(30)
        told: set[str] = set()
        for attempt in world.recovery.open_attempts():
            finding = world.recovery.examine(attempt)
            assert finding is not None
            assert finding.verdict is not Verdict.UNSURE
            told |= {key.id for key in finding.keys if finding.open}
            if finding.useless:
                self.only_lost_keys(finding)
        for key in world.iam.held(world.alice):
            if key.id in world.iam.made:
                known = key.id in told | world.decided or world.secret_is_stored(key.id)
                assert known, f"{key.id} exists, and nobody knows of its secret"


def test_no_secret_is_lost_and_nobody_is_locked_out() -> None:
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Promises, settings=chosen)
