"""A rotation where no D-Bus session is but keytui's own: no profile is left that can't be read."""

import subprocess
from dataclasses import replace

import pytest

from tests.e2e.rotating import Hire, Person, gate, hire
from tests.e2e.steps import FAULT
from tests.support.terminal import KEYTUI, PATIENCE, Terminal, clean_env

__all__ = ["gate", "hire"]

PASSWORD = "correct horse"


@pytest.fixture
def jon(hire: Hire) -> Person:
    """Somebody on a server without a D-Bus session."""
    jon = hire("jon")
    env = {name: value for name, value in jon.env.items() if name != "DBUS_SESSION_BUS_ADDRESS"}
    return replace(jon, env=env | {"XDG_RUNTIME_DIR": clean_env(jon.home)["XDG_RUNTIME_DIR"]})


def rotate(person: Person, *flags: str) -> Terminal:
    words: list[str | object] = [KEYTUI, "rotate", person.old_id, "--unlock-keyring", "--yes"]
    return person.desk.run([*map(str, words), *flags], env=person.env, size=(200, 50))


def signs(person: Person) -> bool:
    """Return whether the profile works in the aws command line, in a shell of its own."""
    words = [person.aws, "--profile", person.name, "--endpoint-url", person.gate.url]
    done = subprocess.run(
        [*words, "sts", "get-caller-identity"],
        env=clean_env(person.home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    return done.returncode == 0


def unlock(run: Terminal) -> Terminal:
    run.wait_for("Password of the OS keyring")
    run.type(PASSWORD)
    run.send("Enter")
    return run


def test_private_keyring_leaves_no_dead_profile(jon: Person) -> None:
    before = jon.credentials.read_bytes()
    assert signs(jon)

    first = rotate(jon, "--to", "inactive")
    first.wait_for("New password")
    first.type(PASSWORD)
    first.send("Enter")
    first.wait_for("The same again")
    first.type(PASSWORD)
    first.send("Enter")
    assert first.wait_exit() == 3
    assert "It works while this keytui runs" in " ".join(first.history().split())
    assert jon.credentials.read_bytes() == before
    assert jon.keys == {jon.old_id: "Active", jon.new_id: "Active"}
    assert signs(jon)

    # On the user's word it is written; the old key is not touched all the same.
    second = unlock(rotate(jon, "--profiles", "process", "--to", "inactive"))
    assert second.wait_exit() == 1
    assert "does not give the new key to a new process" in " ".join(second.history().split())
    assert jon.credentials.read_bytes() != before
    assert jon.keys == {jon.old_id: "Active", jon.new_id: "Active"}
    assert not signs(jon)

    third = unlock(rotate(jon, "--roll-back"))
    assert third.wait_exit() == 0
    assert jon.credentials.read_bytes() == before
    assert jon.keys == {jon.old_id: "Active"}
    assert signs(jon)

    # With static keys the rotation comes to its end.
    fourth = unlock(rotate(jon, "--profiles", "rewrite", "--to", "inactive"))
    assert fourth.wait_exit() == 0
    assert jon.keys == {jon.old_id: "Inactive", jon.new_id: "Active"}
    assert signs(jon)
    for run in (first, second, third, fourth):
        assert not FAULT.search(run.history())
