"""Undo restores what AWS had before, and changes nothing that this run did not change."""

from dataclasses import replace
from pathlib import Path

import pytest

from keytui.core.errors import KeytuiError, NotFoundError, UnreachableError
from keytui.core.model import AccessKey, KeyStatus
from keytui.core.waiting import Wait
from keytui.journal.log import Event, Journal
from keytui.keys.operations import Lifecycle
from keytui.keys.outcomes import ChangedSinceError, StatusChange
from tests.support.change_port import undo
from tests.support.fake_iam import START, FakeIam
from tests.support.gates import WRITABLE

ACTIVE, INACTIVE = KeyStatus.ACTIVE, KeyStatus.INACTIVE


class Stage:
    """A key of bob's, and a colleague who changes it elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.iam = FakeIam()
        self.journal = Journal(folder, WRITABLE)
        self.seconds = 0.0
        self.lifecycle = Lifecycle(
            self.iam,
            self.journal,
            now=lambda: START,
            wait=Wait(self.sleep, lambda: self.seconds),
            gate=WRITABLE,
        )
        self.key = self.iam.add_key(self.iam.add_user("bob"))

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def elsewhere(self, status: KeyStatus) -> None:
        """Change the key as a colleague does, and let AWS list it."""
        holder = self.iam._holders["bob"]
        holder.keys[self.key.id] = replace(holder.keys[self.key.id], status=status)
        holder.read()

    @property
    def status(self) -> KeyStatus:
        return self.iam.held(self.key.user)[0].status

    @property
    def events(self) -> list[Event]:
        return [entry.event for entry in self.journal.entries()]


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path / "state")


def refused(stage: Stage, change: StatusChange) -> KeytuiError:
    (result,) = undo(stage.lifecycle, [change])
    assert result.change is None
    assert result.error
    return result.error


def test_stale_deactivation_gives_nothing_to_undo(stage: Stage) -> None:
    stage.elsewhere(INACTIVE)

    change = stage.lifecycle.set_status(stage.key, INACTIVE)  # The screen still shows it active.

    assert change.key.status is INACTIVE
    assert not change.made
    assert not change.undoable
    assert stage.events == []


def test_undo_restores_the_status_in_aws_not_on_the_screen(stage: Stage) -> None:
    on_screen = stage.key
    stage.elsewhere(INACTIVE)
    change = stage.lifecycle.set_status(on_screen, INACTIVE)

    undo(stage.lifecycle, [change])

    assert stage.status is INACTIVE


def test_undo_leaves_a_key_that_a_colleague_changed_since(stage: Stage) -> None:
    stage.elsewhere(INACTIVE)
    change = stage.lifecycle.set_status(replace(stage.key, status=INACTIVE), ACTIVE)
    stage.elsewhere(INACTIVE)

    error = refused(stage, change)

    assert isinstance(error, ChangedSinceError)
    assert "is inactive now, changed since by somebody else" in str(error)
    assert stage.status is INACTIVE
    assert stage.events == [Event.STATUS]


def test_undo_of_a_deleted_key_says_so(stage: Stage) -> None:
    change = stage.lifecycle.set_status(stage.key, INACTIVE)
    stage.iam.remove_key(stage.key)

    assert f"{stage.key.id} is deleted." in str(refused(stage, change))


def test_undo_waits_for_a_late_listing(stage: Stage) -> None:
    stage.iam.lag = 3
    change = stage.lifecycle.set_status(stage.key, INACTIVE)
    stage.iam._holders["bob"].shown = (stage.key,)  # Another of AWS's servers answers.
    stage.iam._holders["bob"].stale_reads = 3

    back = stage.lifecycle.undo(change)

    assert stage.status is ACTIVE
    assert back.made
    assert stage.events == [Event.STATUS, Event.UNDONE]


def test_undo_of_a_change_never_listed_can_be_tried_again(stage: Stage) -> None:
    stage.iam.lag = 1000
    change = stage.lifecycle.set_status(stage.key, INACTIVE)
    assert not change.listed

    error = refused(stage, change)

    assert not isinstance(error, ChangedSinceError)
    assert "does not show" in str(error)
    stage.iam._holders["bob"].stale_reads = 0
    stage.lifecycle.undo(change)
    assert stage.status is ACTIVE


def test_denied_listing_does_not_keep_a_key_active(stage: Stage) -> None:
    stage.iam.deny.add("iam:ListAccessKeys")

    change = stage.lifecycle.set_status(stage.key, INACTIVE)

    assert stage.status is INACTIVE
    assert not change.undoable
    assert stage.events == [Event.STATUS]
    assert "can't be read" in str(refused(stage, change))


def test_key_shown_active_by_a_late_listing_is_deactivated(stage: Stage) -> None:
    """The other way round: what the listing shows as inactive already may be active."""
    holder = stage.iam._holders["bob"]
    stage.elsewhere(INACTIVE)
    holder.keys[stage.key.id] = stage.key
    holder.stale_reads = 2

    stage.lifecycle.set_status(stage.key, INACTIVE)

    assert stage.status is INACTIVE


def test_status_of_a_user_who_is_gone(stage: Stage) -> None:
    stage.iam.remove_user("bob")
    with pytest.raises(NotFoundError):
        stage.lifecycle.set_status(stage.key, INACTIVE)


def test_bulk_undo_passes_over_what_a_colleague_changed(stage: Stage) -> None:
    other: AccessKey = stage.iam.add_key(stage.iam.add_user("zoe"))
    changes = [stage.lifecycle.set_status(key, INACTIVE) for key in (stage.key, other)]
    stage.elsewhere(ACTIVE)
    stage.elsewhere(INACTIVE)
    stage.iam.remove_key(other)

    first, second = undo(stage.lifecycle, changes)

    assert first.change
    assert isinstance(second.error, ChangedSinceError)


def test_lost_reply_is_not_confirmed_by_an_outdated_listing(stage: Stage) -> None:
    """AWS has the key active, lists it as inactive for a while, and does not answer."""
    stage.lifecycle.set_status(stage.key, INACTIVE)
    stage.iam.lag = 3
    stage.iam.set_status(stage.key, ACTIVE)
    stage.iam.errors["iam:UpdateAccessKey"] = UnreachableError("The reply is lost.")

    with pytest.raises(UnreachableError):
        stage.lifecycle.set_status(stage.key, INACTIVE)
