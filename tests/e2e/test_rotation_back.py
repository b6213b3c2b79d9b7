"""The ways out of a rotation with real parts: back from each step, two keys, a lost store."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from tests.e2e.rotating import Done, Hire, Person, gate, hire
from tests.support.gate import Gate
from tests.support.secret_service import SecretService

__all__ = ["gate", "hire"]

PASSWORD = "correct horse"
REPOINTS = "Let the AWS profiles here use the new key"


def done(run: Done) -> None:
    """See that a command did what was asked, without complaint."""
    assert run.returncode == 0, run.stdout + run.stderr


def goes_back(person: Person, flags: Iterable[str]) -> None:
    """Rotate as far as the flags say, and go back: all is as it was."""
    before = person.credentials.read_bytes()
    done(person.rotate(*flags))
    assert person.whoami() == person.new_id
    done(person.rotate("--roll-back"))
    is_as_before(person, before)
    assert person.whoami() == person.old_id


def is_as_before(person: Person, before: bytes) -> None:
    """See that nothing is left of a rotation, and that the old key is used."""
    assert person.keys == {person.old_id: "Active"}
    assert person.credentials.read_bytes() == before
    assert list(person.credentials.parent.iterdir()) == [person.credentials]
    assert not any(map(person.kept, person.made))
    assert person.leaks() == []


def goes_back_untried(person: Person) -> None:
    """Go back from a new key that AWS never came to accept."""
    before = person.credentials.read_bytes()
    person.rotate_killed(lambda die: person.gate.trials[person.name].extend([False, die]))
    assert person.kept(person.new_id)
    done(person.rotate("--roll-back"))
    is_as_before(person, before)


def goes_back_without_the_secret(person: Person) -> None:
    """Go back where the new secret is gone from the keyring before anything depends on it."""
    before = person.credentials.read_bytes()
    person.rotate_killed(person.gate.trials[person.name].append)
    new = person.new_id
    person.forget(new)

    stuck = person.rotate("--to", "deleted", "--profiles", "process")

    assert stuck.returncode == 1
    assert new in stuck.stderr
    assert person.keys == {person.old_id: "Active", new: "Active"}
    assert person.credentials.read_bytes() == before
    done(person.rotate("--roll-back"))
    is_as_before(person, before)


def test_back_from_each_step(hire: Hire, gate: Gate) -> None:
    """``dia`` rotates her own key: the new one signs that the old one is active again."""
    ben, dia, eva, gil = hire("ben"), hire("dia", own=True), hire("eva"), hire("gil")

    # Side by side: each waits for AWS most of the time.
    with ThreadPoolExecutor() as pool:
        going = [
            pool.submit(goes_back, ben, ("--to", "watched", "--profiles", "process")),
            pool.submit(goes_back, dia, ("--to", "inactive", "--profiles", "rewrite")),
            pool.submit(goes_back_untried, eva),
            pool.submit(goes_back_without_the_secret, gil),
        ]
    for went in going:
        went.result()
    assert {call.key_id for call in gate.refused} == set(eva.made)


def test_two_keys_are_left_to_the_user(hire: Hire, gate: Gate) -> None:
    fee = hire("fee")
    other = fee.account.iam.create_access_key(UserName="fee")["AccessKey"]["AccessKeyId"]

    said = fee.rotate()
    assert said.returncode == 1
    assert "keytui: fee has 2 access keys; AWS allows 2. No key was made." in said.stderr

    run = fee.screen()
    run.wait_for("2 keys")
    run.send("R")
    run.wait_for("One key has to go first")
    shown = run.text()
    assert fee.old_id in shown
    assert other in shown
    run.escape("One key has to go first")
    assert fee.keys == {fee.old_id: "Active", other: "Active"}
    assert gate.count("CreateAccessKey") == 0
    assert gate.count("UpdateAccessKey") == 0


def test_keyring_that_is_locked_and_dies_half_way(hire: Hire, own_service: SecretService) -> None:
    """It is one's own key, too, and the new one signs by the time that there is no way on."""
    hal = hire("hal", own=True, service=own_service)
    before = hal.credentials.read_bytes()
    hal.rotate_killed(hal.gate.trials["hal"].append)
    both = {hal.old_id: "Active", hal.new_id: "Active"}
    own_service.lock()

    stuck = hal.rotate()
    assert stuck.returncode == 1
    assert "locked" in stuck.stderr
    assert hal.keys == both

    run = hal.screen()
    run.wait_for("Rotation of hal: step 4 of 8")
    run.wait_for("2 keys")
    run.send("R")
    run.wait_for("Enter asks AWS")
    run.send("Enter")
    run.wait_for("Unlock the keyring")
    run.type(PASSWORD)
    run.send("Enter")
    run.wait_for(REPOINTS)
    own_service.kill_daemon()
    run.send("Enter")
    run.wait_for("No keyring service answers")
    assert hal.keys == both
    assert hal.credentials.read_bytes() == before
    assert hal.whoami() == hal.old_id

    run.send("b")
    run.wait_for("Roll back to the old key?")
    run.send("y")
    run.wait_for("Rolled back")
    run.send("Escape")
    run.wait_for("1 key")
    run.send("q")
    assert run.wait_exit() == 0
    assert hal.keys == {hal.old_id: "Active"}
    assert hal.credentials.read_bytes() == before
    assert hal.gate.refused == []
