"""What the journal alone does not decide: whose key it is, who deactivated it, what is gone."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import FrameType

import pytest

from keytui.aws.files.repoint import RepointChange
from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, Identity, KeyStatus, NewAccessKey
from keytui.journal.log import Entry, Event
from keytui.journal.rotations import Rotation, Step, rotations
from keytui.rotation.rotator import Rotator
from keytui.session.account import Account, open_account
from keytui.session.settings import Settings
from tests.support.app import BOB_ID, OWN_ID, Desk, an_account, parts_of
from tests.support.fake_iam import ACCOUNT, START

ACTIVE, INACTIVE = KeyStatus.ACTIVE, KeyStatus.INACTIVE


class Machine:
    """One machine with a journal and a keyring of its own, in a shared account."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        ctx = parts_of(desk, Settings())
        self.account: Account = open_account(ctx, None)
        self.rotator: Rotator[RepointChange] = ctx.rotator(self.account.iam, self.account.lifecycle)

    def begin(self) -> Rotation:
        return self.rotator.begin(bobs(self.desk), self.desk.keyring)

    def now(self, key_id: str = BOB_ID) -> Rotation:
        found = self.rotator.of_key(key_id)
        assert found
        return found

    def forward(self, last: Step) -> Rotation:
        """Go on as far as a step, that included."""
        verbs: dict[Step, Callable[[Rotation], object]] = {
            Step.CREATE: self.rotator.create,
            Step.VERIFY: self.rotator.verify,
            Step.REPOINT: lambda rotation: self.rotator.repoint(rotation, ()),
            Step.WATCH: self.rotator.retire,
            Step.RETIRE: self.rotator.retire,
        }
        while (step := self.now().step) and step.number <= last.number:
            verbs[step](self.now())
        return self.now()


def bobs(desk: Desk) -> AccessKey:
    return next(key for key in desk.iam.held(desk.iam.find("bob")) if key.id == BOB_ID)


def elsewhere(desk: Desk, status: KeyStatus) -> None:
    """Change bob's key as a colleague does."""
    holder = desk.iam._holders["bob"]
    holder.keys[BOB_ID] = replace(holder.keys[BOB_ID], status=status)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path / "one", an_account())
    desk.who = lambda key_id, _: who(desk, key_id)
    return desk


@pytest.fixture
def machine(desk: Desk) -> Machine:
    return Machine(desk)


def who(desk: Desk, key_id: str) -> Identity:
    return Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/{desk.iam.owner_of(key_id).name}")


@pytest.fixture
def other(desk: Desk, tmp_path: Path) -> Machine:
    """A colleague's machine."""
    theirs = Desk(tmp_path / "two", desk.iam)
    theirs.who = desk.who
    return Machine(theirs)


def test_one_rotation_of_a_key_is_enough(machine: Machine, desk: Desk) -> None:
    first = machine.begin()

    with pytest.raises(KeytuiError, match="Another keytui"):
        machine.begin()

    assert machine.now() == first


# Who deactivated the old key.


@pytest.mark.parametrize("both", [True, False])
def test_loser_of_two_rotations_activates_nothing(
    machine: Machine, other: Machine, monkeypatch: pytest.MonkeyPatch, both: bool
) -> None:
    """Both have begun; AWS's quota is racy, so both may have created a key, too."""
    desk = machine.desk
    machine.begin()
    other.begin()
    if both:
        desk.iam.quota = 3
        monkeypatch.setattr("keytui.keys.operations.QUOTA", 3)
        machine.forward(Step.REPOINT)
    other.forward(Step.RETIRE)
    before, lines = desk.held("bob"), len(desk.journal.entries())
    assert before[BOB_ID] is INACTIVE

    with pytest.raises(KeytuiError, match="not by this rotation"):
        machine.rotator.roll_back(machine.now())

    assert desk.held("bob") == before
    assert len(desk.journal.entries()) == lines


def test_one_listing_says_who_deactivated_the_old_key(
    machine: Machine, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one might fail, and a colleague's change would count as the rotation's own."""
    machine.begin()
    machine.forward(Step.REPOINT)
    elsewhere(desk, INACTIVE)
    monkeypatch.setattr("keytui.keys.operations.Lifecycle._status_now", lambda *_: None)

    assert not machine.forward(Step.RETIRE).retired


def test_loser_that_found_it_inactive_activates_nothing(machine: Machine, desk: Desk) -> None:
    machine.begin()
    machine.forward(Step.REPOINT)
    elsewhere(desk, INACTIVE)

    rotation = machine.forward(Step.RETIRE)

    assert rotation.step is Step.DELETE
    assert not rotation.retired
    with pytest.raises(KeytuiError, match="somebody else has deactivated it"):
        machine.rotator.roll_back(rotation)
    assert desk.held("bob")[BOB_ID] is INACTIVE
    elsewhere(desk, ACTIVE)
    machine.rotator.roll_back(machine.now())
    assert desk.held("bob") == {BOB_ID: ACTIVE}


def test_own_deactivation_is_rolled_back(machine: Machine, desk: Desk) -> None:
    machine.begin()
    assert machine.forward(Step.RETIRE).retired

    machine.rotator.roll_back(machine.now())

    assert desk.held("bob") == {BOB_ID: ACTIVE}


@pytest.mark.parametrize("reached", [True, False])
def test_deactivation_killed_before_its_line_is_rolled_back(
    machine: Machine, desk: Desk, monkeypatch: pytest.MonkeyPatch, reached: bool
) -> None:
    machine.begin()
    machine.forward(Step.REPOINT)
    change = desk.iam.set_status

    def killed(key: AccessKey, status: KeyStatus) -> None:
        if reached:
            change(key, status)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(desk.iam, "set_status", killed)
        with pytest.raises(KeyboardInterrupt):
            machine.rotator.retire(machine.now())

    machine.rotator.roll_back(machine.now())

    assert desk.held("bob") == {BOB_ID: ACTIVE}


def test_deactivation_killed_before_its_line_goes_on(
    machine: Machine, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.begin()
    machine.forward(Step.REPOINT)
    change = desk.iam.set_status

    def killed(key: AccessKey, status: KeyStatus) -> None:
        change(key, status)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(desk.iam, "set_status", killed)
        with pytest.raises(KeyboardInterrupt):
            machine.rotator.retire(machine.now())

    assert machine.forward(Step.RETIRE).retired


def test_recorded_times_are_not_rewritten(machine: Machine, desk: Desk) -> None:
    machine.begin()
    before = machine.forward(Step.RETIRE)
    desk.now = START + timedelta(hours=1)

    machine.rotator.retire(machine.now())
    desk.journal.append(replace(line(Event.STATUS, detail="Inactive"), at=desk.now.isoformat()))

    assert machine.now().done == before.done


# What the journal says of keys that AWS has.


@contextmanager
def forged(desk: Desk) -> Iterator[list[Entry]]:
    """Let the lines that are put into the list be written into the journal."""
    lines: list[Entry] = []
    yield lines
    for line in lines:
        desk.journal.append(line)


def line(event: Event, key_id: str = BOB_ID, user: str = "bob", **more: str) -> Entry:
    fields = {"key_id": key_id, "rotation": "f0f0"} | more
    return Entry(START.isoformat(), event, ACCOUNT, user, "arn", **fields)


def keep(desk: Desk, key_id: str = BOB_ID, user: str = "bob") -> None:
    """Put bob's secret into the keyring, as an import does."""
    secret = desk.iam.secrets[key_id]
    new = NewAccessKey(AccessKey(key_id, desk.iam.find(user), ACTIVE, None), ACCOUNT, secret)
    parts_of(desk, Settings()).vault.take(new)


@pytest.mark.parametrize("user", ["bob", "nobody", "alice"])
def test_forged_deletion_forgets_no_secret(machine: Machine, desk: Desk, user: str) -> None:
    """Whosever key it is said to be."""
    keep(desk)
    with forged(desk) as lines:
        lines += [line(Event.ROTATING, user=user), line(Event.DELETED, user=user)]

    (problem,) = machine.rotator.tidy()

    assert f"AWS does not confirm that {BOB_ID} is deleted." in str(problem)
    assert desk.keyring.get(BOB_ID).matches(desk.iam.secrets[BOB_ID])
    assert Event.FORGOTTEN not in {entry.event for entry in desk.journal.entries()}


@pytest.mark.parametrize("event", [Event.DELETED, Event.GONE])
def test_forged_deletion_is_not_believed_where_aws_denies(
    machine: Machine, desk: Desk, event: Event
) -> None:
    keep(desk)
    desk.iam.deny = {"iam:ListAccessKeys", "iam:GetAccessKeyLastUsed"}
    with forged(desk) as lines:
        lines += [line(Event.ROTATING), line(event)]

    assert machine.rotator.tidy()

    assert BOB_ID in desk.keyring.kept


def test_last_use_denied_and_the_user_forged_forgets_no_secret(
    machine: Machine, desk: Desk
) -> None:
    keep(desk)
    desk.iam.deny = {"iam:GetAccessKeyLastUsed"}
    with forged(desk) as lines:
        lines += [line(Event.ROTATING, user="alice"), line(Event.DELETED, user="alice")]

    machine.rotator.tidy()

    assert BOB_ID in desk.keyring.kept


def test_key_that_aws_has_no_more_is_cleared_away(machine: Machine, desk: Desk) -> None:
    keep(desk)
    machine.begin()
    machine.forward(Step.RETIRE)
    machine.rotator.release(machine.now())
    desk.iam.delete_key(bobs(desk))
    with forged(desk) as lines:
        lines += [replace(line(Event.DELETED), rotation="")]

    assert machine.rotator.tidy() == []

    assert BOB_ID not in desk.keyring.kept


def forged_creation(key_id: str, user: str, asked: str) -> list[Entry]:
    more = {"attempt": "abcd", "user": user, "asked": asked}
    return [
        line(Event.ROTATING, user=user),
        line(Event.CREATING, "", **more),
        line(Event.CREATED, key_id, **more),
        line(Event.STORED, key_id, store="keyring", **more),
    ]


@pytest.mark.parametrize("asked", [START.isoformat(), ""])
def test_roll_back_deletes_no_key_older_than_the_rotation(
    machine: Machine, desk: Desk, asked: str
) -> None:
    """Also where the line with AWS's time is lost."""
    victim = desk.iam.add_key(
        desk.iam.find("bob"), "AKIAVICTIM0000000001", created=START - timedelta(days=40)
    )
    with forged(desk) as lines:
        lines += forged_creation(victim.id, "bob", asked)

    with pytest.raises(KeytuiError, match="older than this rotation"):
        machine.rotator.roll_back(machine.now())

    assert desk.held("bob")[victim.id] is ACTIVE


def test_roll_back_deletes_no_key_that_signs(machine: Machine, desk: Desk) -> None:
    """The old key's secret is nowhere at hand, so nothing else could sign."""
    admin = desk.iam.caller
    old = desk.iam.add_key(admin, "AKIAADMINOLD00000001")
    with forged(desk) as lines:
        creation = forged_creation(OWN_ID, "admin", (START - timedelta(days=2)).isoformat())
        lines += [replace(creation[0], key_id=old.id), *creation[1:]]

    with pytest.raises(KeytuiError, match="signs keytui's own calls"):
        machine.rotator.roll_back(machine.now(OWN_ID))

    assert desk.held("admin")[OWN_ID] is ACTIVE


# Many of them.


def many(count: int) -> list[Entry]:
    found = []
    for number in range(count):
        name, old, new = f"r{number}", f"AKIAOLD{number:013}", f"AKIANEW{number:013}"
        found += [
            line(Event.ROTATING, old, rotation=name),
            line(Event.CREATING, "", rotation=name, attempt=f"a{number}"),
            line(Event.STORED, new, rotation=name, attempt=f"a{number}", store="keyring"),
            line(Event.STATUS, old, rotation=name, detail="Inactive"),
            line(Event.DELETED, old, rotation=""),
        ]
    return found


def calls_to_read(count: int) -> int:
    """Return how many function calls it takes to read so many rotations."""
    lines, calls = many(count), 0

    def counted(frame: FrameType, event: str, arg: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(counted)
    try:
        found = rotations(lines)
    finally:
        sys.setprofile(None)
    assert len(found) == count
    assert all(one.retired and Step.DELETE in one.done for one in found)
    return calls


def test_rotations_are_read_in_linear_time() -> None:
    assert calls_to_read(800) < 5 * calls_to_read(200)
