"""A rotation with real parts: AWS over HTTP, the keyring, a terminal, the aws command line."""

import os
import re
import signal

from tests.e2e.rotating import Hire, Person, gate, hire
from tests.e2e.steps import FAULT
from tests.support.gate import Gate
from tests.support.terminal import Terminal

__all__ = ["gate", "hire"]

REPOINTS = "Let the AWS profiles here use the new key"


def begin(run: Terminal) -> None:
    """Open the rotation of the user's one key and let it begin."""
    run.wait_for("1 key")
    run.send("R")
    run.wait_for("can be written")
    run.send("Enter")


def take_up(person: Person, step: int, also: str = "") -> Terminal:
    """Start keytui anew and go back to the rotation, which it tells of."""
    run = person.screen()
    run.wait_for(also)
    run.wait_for(f"Rotation of {person.name}: step {step} of 8")
    run.wait_for(re.compile(rf"{person.name}  \d key"))
    run.send("R")
    run.wait_for("Roll back")
    return run


def kill(run: Terminal) -> None:
    """Kill keytui outright and wait until it is gone."""
    os.kill(run.pid, signal.SIGKILL)
    assert run.wait_exit() == 128 + signal.SIGKILL


def test_from_first_to_last(hire: Hire, gate: Gate) -> None:
    """It is one's own key, too: no call of keytui's is cut off on the way."""
    mara = hire("mara", own=True)
    before = mara.credentials.read_bytes()
    assert mara.whoami() == mara.old_id
    # Not known yet; then once, and no more; then for good.
    gate.trials["mara"].extend([False, True, False, True, True, True])

    run = mara.screen()
    begin(run)
    run.wait_for("0 of 3")
    run.wait_for(REPOINTS)
    assert not gate.trials["mara"]
    new = mara.new_id
    assert mara.kept(new) == mara.secret_of(new)
    assert mara.credentials.read_bytes() == before
    assert mara.whoami() == mara.old_id
    run.wait_for(f"- aws_access_key_id = {mara.old_id}")

    run.send("Enter")
    run.wait_for(f"mara uses {new} now")
    assert mara.whoami() == new
    assert mara.keys == {mara.old_id: "Active", new: "Active"}

    run.send("Enter")
    run.wait_for(f"Make {mara.old_id} inactive?")
    run.send("y")
    run.wait_for(f"{mara.old_id} is inactive; {new} works.")
    assert mara.whoami() == new
    assert mara.keys == {mara.old_id: "Inactive", new: "Active"}

    run.send("Enter")
    run.wait_for("DELETE THIS ACCESS KEY FOR EVER")
    run.type(mara.old_id[-4:])
    run.send("Enter")
    run.wait_for(f"{new} has taken its place")
    assert mara.whoami() == new
    assert mara.keys == {new: "Active"}
    assert list(mara.credentials.parent.iterdir()) == [mara.credentials]
    assert mara.old_secret.encode() not in mara.credentials.read_bytes()
    assert [call.action for call in gate.refused] == ["GetCallerIdentity"] * 2
    assert gate.signer_of("DeleteAccessKey") == new
    assert mara.leaks(run) == []
    assert not FAULT.search(run.history())


def test_killed_at_every_step_and_taken_up_again(hire: Hire, gate: Gate) -> None:
    """It is somebody else's key: the admin's signs from first to last."""
    nele = hire("nele")
    old = nele.old_id

    # Before the new key is made; its description is read just before.
    nele.rotate_killed(lambda die: gate.at("ListUserTags", when="before", call=die))
    assert nele.keys == {old: "Active"}

    # AWS makes it, and nobody gets to know its secret.
    run = take_up(nele, 2)
    gate.at("CreateAccessKey", when="after", call=lambda: os.kill(run.pid, signal.SIGKILL))
    run.send("Enter")
    run.wait_exit()
    assert len(nele.keys) == 2
    assert nele.whoami() == old

    # The lost one goes first; then another one is made, and keytui dies between two trials.
    again = take_up(nele, 2, "1 creation unfinished: H")
    again.wait_for("What became of the new key, or of its secret, is not known.")
    again.send("Enter")
    again.wait_for("A key whose secret is lost")
    (lost,) = nele.keys.keys() - {old}
    again.send("y")
    again.wait_for("Type its last four characters")
    again.type(lost[-4:])
    again.send("Enter")
    again.wait_for("Enter creates the new key")
    assert nele.keys == {old: "Active"}
    gate.trials["nele"].extend([True, lambda: os.kill(again.pid, signal.SIGKILL)])
    again.send("Enter")
    again.wait_exit()
    new = nele.new_id

    # At the question about the profiles.
    third = take_up(nele, 4)
    third.send("Enter")
    third.wait_for(REPOINTS)
    kill(third)
    assert nele.whoami() == old

    # AWS makes the old one inactive, and keytui does not get to know it.
    to_inactive = "--to", "inactive", "--profiles", "process"
    nele.rotate_killed(lambda die: gate.at("UpdateAccessKey", when="after", call=die), *to_inactive)
    assert nele.keys == {old: "Inactive", new: "Active"}
    assert nele.whoami() == new
    again_inactive = nele.rotate(*to_inactive)
    assert again_inactive.returncode == 0, again_inactive.stderr

    # AWS deletes it, and again keytui does not get to know it.
    nele.rotate_killed(
        lambda die: gate.at("DeleteAccessKey", when="after", call=die), "--to", "deleted"
    )
    assert nele.keys == {new: "Active"}
    done = nele.rotate("--to", "deleted")
    assert done.returncode == 0, done.stderr
    assert nele.whoami() == new
    assert nele.keys == {new: "Active"}
    assert list(nele.credentials.parent.iterdir()) == [nele.credentials]
    admin = nele.account.options.access_key_id
    assert gate.signer_of("DeleteAccessKey") == admin
    assert nele.leaks(run, again, third) == []
