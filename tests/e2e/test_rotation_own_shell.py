"""The user's own shell has the old key in its variables: it is not cut off without a word."""

import subprocess
from dataclasses import replace

from tests.e2e.rotating import Hire, Person, gate, hire
from tests.support.terminal import PATIENCE

__all__ = ["gate", "hire"]


def shell_works(person: Person) -> bool:
    """Return whether the aws command line can sign in the user's own shell."""
    words = [
        person.aws,
        "--region",
        "us-east-1",
        "--endpoint-url",
        person.gate.url,
        "sts",
        "get-caller-identity",
    ]
    done = subprocess.run(
        words,
        env=person.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=2 * PATIENCE,
        check=False,
    )
    return done.returncode == 0


def test_own_shell_is_cut_off_on_its_users_word_only(hire: Hire) -> None:
    kim = hire("kim", own=True)
    variables = {"AWS_ACCESS_KEY_ID": kim.old_id, "AWS_SECRET_ACCESS_KEY": kim.old_secret}
    env = {name: value for name, value in kim.env.items() if name != "AWS_PROFILE"}
    kim = replace(kim, env=env | variables)
    assert shell_works(kim)

    stopped = kim.rotate("--to", "inactive", "--profiles", "rewrite")

    assert stopped.returncode == 3
    said = " ".join(stopped.stderr.split())
    assert said.count(f"This shell has {kim.old_id} in AWS_ACCESS_KEY_ID") == 2
    assert "use a profile that has the new key" in said
    assert kim.keys == {kim.old_id: "Active", kim.new_id: "Active"}
    assert shell_works(kim)

    # The way out: the profile has the new key.
    way_out = replace(kim, env=env | {"AWS_PROFILE": kim.name})
    done = way_out.rotate("--to", "inactive")
    assert done.returncode == 0, done.stderr
    assert kim.keys == {kim.old_id: "Inactive", kim.new_id: "Active"}
    assert way_out.whoami() == kim.new_id
    assert not shell_works(kim)
