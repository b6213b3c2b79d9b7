"""keytui over a real SSH login on a machine without a desktop: a bastion host.

The client stands in a terminal of its own (tmux); in the login there is a tmux too. A login
has no D-Bus address, as with most sshd; whether the user's own bus is there differs.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.conftest import Desk, statuses
from tests.e2e.steps import FAULT, NEW_KEY, choose_goal
from tests.support.aws_command import aws
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService, secret_service
from tests.support.sshd import Sshd, sshd
from tests.support.terminal import KEYTUI, PATIENCE, Terminal, clean_env

__all__ = ["aws"]

PASSWORD = "bastion horse"
ASK_AS_CAROL = """
import boto3, os
sts = boto3.Session(profile_name="carol").client("sts", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
print(sts.get_caller_identity()["Arn"])
"""
ACTIVATED = "<standard_session_servicedirs/>"


@dataclass(frozen=True, slots=True)
class Bastion:
    """A machine that one logs in to.

    Attributes:
        desk: Where the user sits.
        server: Its sshd.
        endpoint: Where IAM and STS are.
        service: The user's own bus and what is on it; None where there is none.
    """

    desk: Desk
    server: Sshd
    endpoint: str
    service: SecretService | None = None

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Log in, run a command without a terminal and log out."""
        return subprocess.run(
            self.server.ssh(*command, tty=False),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def keytui(self, *flags: str) -> Terminal:
        """Log in and start keytui in a tmux there."""
        inner = ["tmux", "-f", "/dev/null", "-S", str(self.desk.home / "inner"), "new-session"]
        return self.desk.run(list(self.server.ssh(*inner, KEYTUI, *flags)))

    def whoami(self, aws: str, profile: str) -> "subprocess.CompletedProcess[str]":
        """Ask as whom the aws command line signs with a profile, in a login of its own."""
        return self.run(
            aws, "--profile", profile, "--endpoint-url", self.endpoint, "sts", "get-caller-identity"
        )


def admin(home: Path, moto: MotoAccount, **more: str) -> dict[str, str]:
    """Return the environment of a login whose default AWS profile is the account's admin."""
    options = moto.options
    assert options.secret
    assert options.endpoint_url
    env = clean_env(
        home, AWS_ENDPOINT_URL=options.endpoint_url, AWS_DEFAULT_REGION="us-east-1", **more
    )
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text(
        f"[default]\naws_access_key_id = {options.access_key_id}\n"
        f"aws_secret_access_key = {options.secret.reveal()}\n"
    )
    return env


@pytest.fixture
def bare(desk: Desk, moto: MotoAccount) -> Iterator[Bastion]:
    """A machine without any D-Bus session."""
    with sshd(admin(desk.home, moto)) as server:
        yield Bastion(desk, server, moto.options.endpoint_url or "")


@pytest.fixture
def bus(desk: Desk, moto: MotoAccount, tmp_path: Path) -> Iterator[Bastion]:
    """A machine where each user has a bus that outlives their logins, as with systemd."""
    with ExitStack() as stack:
        service = stack.enter_context(secret_service(tmp_path, daemon=False, services=ACTIVATED))
        runtime = service.env["XDG_RUNTIME_DIR"]
        env = admin(desk.home, moto, XDG_RUNTIME_DIR=runtime)
        server = stack.enter_context(sshd(env))
        yield Bastion(desk, server, moto.options.endpoint_url or "", service)


def choose_password(run: Terminal) -> None:
    """Answer for the first password, twice."""
    run.wait_for("New password:")
    run.type(PASSWORD)
    run.send("Enter")
    run.wait_for("The same again:")
    run.type(PASSWORD)
    run.send("Enter")
    run.wait_for("Secret Service, unlocked")


def create(run: Terminal) -> str:
    """Create a key whose secret goes into the keyring; return its ID."""
    choose_goal(run, "OS keyring")
    run.wait_for("can be written")
    run.send("Enter")
    shown = run.wait_for("read back")
    return str(NEW_KEY.findall(shown)[-1])


def write_profile(run: Terminal) -> None:
    """Write the profile that is proposed."""
    run.send("p")
    run.wait_for("Name of the profile")
    run.send("Enter")
    run.wait_for("Profile carol in")


def leave(run: Terminal) -> None:
    """Close the reveal and keytui, which ends the login."""
    run.escape("shown only now")
    run.send("q")
    run.wait_for("[exited]")


def test_whole_job_where_the_users_bus_outlives_the_login(
    bus: Bastion, moto: MotoAccount, aws: str
) -> None:
    before = bus.run(str(KEYTUI), "doctor")
    assert before.returncode == 1, before.stdout
    assert "keytui --unlock-keyring" in before.stdout

    run = bus.keytui("--unlock-keyring", "--user", "carol")
    choose_password(run)
    key_id = create(run)
    write_profile(run)
    leave(run)

    second = bus.whoami(aws, "carol")
    assert second.returncode == 0, second.stderr
    assert json.loads(second.stdout)["Arn"].endswith(":user/carol")
    assert second.stderr == ""
    by_sdk = bus.run(sys.executable, "-c", ASK_AS_CAROL)
    assert by_sdk.stdout.strip().endswith(":user/carol"), by_sdk.stderr
    assert bus.service
    assert key_id in (bus.service.lookup(key_id) or "")
    after = bus.run(str(KEYTUI), "doctor")
    assert after.returncode == 0, after.stdout
    assert PASSWORD not in run.raw.read_text(errors="replace")
    assert not FAULT.search(run.history())


def test_machine_without_any_bus_gets_a_private_one(
    bare: Bastion, moto: MotoAccount, aws: str
) -> None:
    doctor = bare.run(str(KEYTUI), "doctor", "--json")
    assert doctor.returncode == 1
    assert "--unlock-keyring" in doctor.stdout
    assert "Traceback" not in doctor.stderr

    run = bare.keytui("--unlock-keyring", "--user", "carol")
    choose_password(run)
    key_id = create(run)
    write_profile(run)
    run.wait_for("It works while this keytui runs")
    while_it_runs = bare.whoami(aws, "carol")
    assert json.loads(while_it_runs.stdout)["Arn"].endswith(":user/carol")
    leave(run)

    gone = bare.run(str(KEYTUI), "credentials", key_id)
    assert (gone.returncode, gone.stdout) == (1, "")
    assert "There is no D-Bus session here" in gone.stderr
    assert "--unlock-keyring" in gone.stderr

    again = bare.keytui("--unlock-keyring")
    again.wait_for("Password of the OS keyring")
    again.type("wrong horse")
    again.send("Enter")
    again.wait_for("That is not the keyring's password.")
    again.type(PASSWORD)
    again.send("Enter")
    again.wait_for("Secret Service, unlocked")
    assert json.loads(bare.run(str(KEYTUI), "credentials", key_id).stdout)["AccessKeyId"] == key_id


def test_cut_line_leaves_the_secret_in_the_keyring(bus: Bastion, moto: MotoAccount) -> None:
    run = bus.desk.run(list(bus.server.ssh(KEYTUI, "--unlock-keyring", "--user", "carol")))
    choose_password(run)
    choose_goal(run, "Show only")
    run.send("Enter")
    key_id = str(NEW_KEY.findall(run.wait_for("It is kept nowhere yet"))[-1])

    os.kill(run.pid, signal.SIGKILL)  # the ssh client

    assert bus.service
    service = bus.service
    run.wait_until(lambda: key_id in (service.lookup(key_id) or ""), "the secret is rescued")
    assert statuses(moto, "carol") == {key_id: "Active"}


def test_cut_line_deletes_the_key_where_there_is_no_keyring(
    bare: Bastion, moto: MotoAccount
) -> None:
    run = bare.desk.run(list(bare.server.ssh(KEYTUI, "--user", "carol")))
    run.wait_for("There is no D-Bus session here")
    choose_goal(run, "Show only")
    run.send("Enter")
    run.wait_for("It is kept nowhere yet")
    assert len(statuses(moto, "carol")) == 1

    os.kill(run.pid, signal.SIGKILL)  # the ssh client

    run.wait_until(lambda: statuses(moto, "carol") == {}, "the key is deleted")


def test_line_cut_at_the_password_leaves_nothing_behind(bare: Bastion) -> None:
    run = bare.desk.run(list(bare.server.ssh(KEYTUI, "--unlock-keyring")))
    run.wait_for("New password:")
    named = bare.desk.state / "bus.json"
    socket = Path(json.loads(named.read_text())["socket"])

    os.kill(run.pid, signal.SIGKILL)  # the ssh client

    run.wait_until(lambda: not named.exists(), "the private bus is named no more")
    run.wait_until(lambda: not socket.parent.exists(), "its folder is gone")


def test_keyring_daemon_killed_in_mid_session_is_unlocked_again(
    bus: Bastion, moto: MotoAccount
) -> None:
    run = bus.keytui("--unlock-keyring", "--user", "carol")
    choose_password(run)
    choose_goal(run, "Show only")
    run.send("Enter")
    key_id = str(NEW_KEY.findall(run.wait_for("It is kept nowhere yet"))[-1])

    for pid in daemons(bus):
        os.kill(pid, signal.SIGKILL)
    run.send("k")
    run.wait_for("Unlock the keyring")
    run.type("wrong horse")
    run.send("Enter")
    run.wait_for("That is not the keyring's password.")
    run.type(PASSWORD)
    run.send("Enter")
    run.wait_for(re.compile("In the OS keyring.*read back"))

    assert bus.service
    assert key_id in (bus.service.lookup(key_id) or "")


def daemons(bus: Bastion) -> list[int]:
    """Return the keyring daemons on the user's bus."""
    assert bus.service
    mark = bus.service.env["DBUS_SESSION_BUS_ADDRESS"].encode()
    found = subprocess.run(["pgrep", "-f", "gnome-keyring-daemon"], capture_output=True, text=True)
    environments = {pid: Path(f"/proc/{pid}/environ") for pid in map(int, found.stdout.split())}
    return [pid for pid, env in environments.items() if env.exists() and mark in env.read_bytes()]
