"""Undo restores: whatever the order of own and others' changes, and however late the listing."""

import shutil
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from keytui.core.model import AccessKey, KeyStatus
from keytui.journal.log import Event
from keytui.keys.outcomes import StatusChange
from tests.property.test_rotation import EXAMPLES, STEPS
from tests.property.world import World
from tests.support.change_port import undo

statuses = st.sampled_from([KeyStatus.ACTIVE, KeyStatus.INACTIVE])
whose = st.integers(0, 1)


class Undoing(RuleBasedStateMachine):
    """Two keys, keytui with a screen that may be stale, and a colleague elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="keytui-undo-"))
        self.world = World(self.folder / "state")
        self.ids = [self.world.iam.add_key(self.world.alice).id for _ in range(2)]
        self.changes: list[StatusChange] = []

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def key(self, key_id: str) -> AccessKey:
        return next(key for key in self.world.iam.held(self.world.alice) if key.id == key_id)

    @rule(which=whose, shown=statuses, status=statuses)
    def we_change(self, which: int, shown: KeyStatus, status: KeyStatus) -> None:
        """The screen may show any status; what counts is what AWS has."""
        key = self.key(self.ids[which])
        lines = len(self.world.journal.entries())

        change = self.world.lifecycle.set_status(replace(key, status=shown), status)

        assert self.key(key.id).status is status
        assert change.made == (key.status is not status)
        assert (len(self.world.journal.entries()) > lines) == change.made
        if change.undoable:
            assert change.key.status is key.status
            self.changes.append(change)

    @rule(which=whose, status=statuses)
    def colleague_changes(self, which: int, status: KeyStatus) -> None:
        """AWS lists it by the time that anything else is done."""
        holder = self.world.iam._holders["alice"]
        key = self.key(self.ids[which])
        if key.status is not status:
            holder.keys[key.id] = replace(key, status=status)
        holder.stale_reads = 0
        holder.read()

    @rule(lag=st.integers(0, 12))
    def listing_lags(self, lag: int) -> None:
        self.world.iam.lag = lag

    @precondition(lambda self: self.changes)
    @rule()
    def we_undo(self) -> None:
        change = self.changes.pop()
        before = self.key(change.key.id)

        (result,) = undo(self.world.lifecycle, [change])

        now = self.key(change.key.id)
        if result.change is None:
            assert now == before, "an undo that is refused changes nothing"
            assert before.status is not change.status, "an undo was refused without reason"
        else:
            assert before.status is change.status
            assert now.status is change.key.status
            assert self.world.journal.entries()[-1].event is Event.UNDONE


def test_undo_restores_and_changes_nothing_of_others() -> None:
    chosen = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Undoing, settings=chosen)
