"""Standard output, error or input that is closed, full, or read by nobody."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from keytui.stores.keyring.codes import Op
from tests.e2e.conftest import Desk, on_bus, signed_by, statuses
from tests.faults.keyrings import BrokenLibrary, Library
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import Fault, IamServer
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService
from tests.support.sentinel import EXPOSED
from tests.support.terminal import KEYTUI, PATIENCE, clean_env

UNREAD = (">/dev/full", ">&-", "| true", ">/dev/null")
"""What the shell can do to standard output so that nobody reads it."""
ODD = (">/dev/full", ">&-", "| true", "2>&-", "2>/dev/full", "<&-", ">&- 2>&-", "<&- >&- 2>&-")
SECRET = re.compile(r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+=]{40}(?![A-Za-z0-9/+=])")


def shell(
    desk: Desk, env: Mapping[str, str], command: str, redirection: str = ""
) -> "subprocess.CompletedProcess[str]":
    """Run a command of keytui's by the shell, whose exit status is keytui's."""
    return subprocess.run(
        ["bash", "-c", f"{KEYTUI} {command} {redirection}; exit ${{PIPESTATUS[0]}}"],
        env=clean_env(desk.home) | dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
    )


@pytest.mark.parametrize("flags", ["", "--json"])
@pytest.mark.parametrize("redirection", UNREAD)
def test_secret_that_nobody_reads_does_not_count_as_shown(
    redirection: str,
    flags: str,
    desk: Desk,
    moto: MotoAccount,
    keyring_service: SecretService,
    tmp_path: Path,
) -> None:
    """The keyring fails after its probe, so that the secret is nowhere else."""
    library = BrokenLibrary(tmp_path / "library")
    library.set(Library.RAISES, Op.PUT)
    env = signed_by(moto.options) | on_bus(keyring_service) | library.env

    made = shell(
        desk, env, f"create --user carol --store keyring --show-secret {flags}", redirection
    )

    assert made.returncode == 1, made.stderr
    assert statuses(moto, "carol") == {}
    assert "Standard output did not take the secret." in made.stderr
    assert "was deleted again: its secret could not be kept." in made.stderr
    assert "still holds it" not in made.stderr
    assert not SECRET.search(made.stderr)
    left = shell(desk, env, "recover")
    assert (left.returncode, left.stdout) == (0, "Nothing is unfinished.\n")


@pytest.mark.parametrize("redirection", UNREAD)
def test_secret_that_is_stored_but_not_shown(
    redirection: str, desk: Desk, moto: MotoAccount, keyring_service: SecretService
) -> None:
    env = signed_by(moto.options) | on_bus(keyring_service)

    made = shell(desk, env, "create --user carol --store keyring --show-secret", redirection)

    assert made.returncode == 1, made.stderr
    (key_id,) = statuses(moto, "carol")
    assert keyring_service.lookup(key_id)
    assert "Standard output did not take the secret. It is in the OS keyring" in made.stderr


def test_secret_that_is_read_counts_as_shown(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService, tmp_path: Path
) -> None:
    library = BrokenLibrary(tmp_path / "library")
    library.set(Library.RAISES, Op.PUT)
    env = signed_by(moto.options) | on_bus(keyring_service) | library.env
    command = "create --user carol --store keyring --show-secret"

    printed = tmp_path / "printed"
    for redirection in (f">{printed}", f"| cat >{printed}"):
        made = shell(desk, env, command, redirection)
        assert made.returncode == 1
        assert SECRET.search(printed.read_text())
        assert "The secret was printed and is not stored." in made.stderr
    assert list(statuses(moto, "carol").values()) == ["Active", "Active"]


@pytest.mark.parametrize("redirection", ODD)
def test_import_is_finished_though_nobody_reads(
    redirection: str, desk: Desk, moto: MotoAccount, keyring_service: SecretService
) -> None:
    made = moto.iam.create_access_key(UserName="carol")["AccessKey"]
    key_id, secret = made["AccessKeyId"], made["SecretAccessKey"]
    csv = clean_env(desk.home)["HOME"] + "/keys.csv"
    Path(csv).write_text(f"Access key ID,Secret access key\r\n{key_id},{secret}\r\n")
    env = on_bus(keyring_service)

    done = shell(
        desk, env, f"import --endpoint-url {moto.options.endpoint_url} --yes {csv}", redirection
    )

    assert (done.returncode, "Traceback" in done.stderr) == (0, False)
    assert secret in (keyring_service.lookup(key_id) or "")
    assert not Path(csv).exists()


@pytest.mark.parametrize("redirection", ODD)
def test_recovery_is_finished_though_nobody_reads(
    redirection: str, desk: Desk, iam: FakeIam, server: IamServer, keyring_service: SecretService
) -> None:
    """Two creations whose replies are lost: the second is looked into as well."""
    env = signed_by(server.options) | on_bus(keyring_service)
    for user in ("carol", "dave"):
        iam.add_user(user)
        server.fault("CreateAccessKey", Fault(end="reset"))
        assert shell(desk, env, f"create --user {user} --store keyring").returncode == 3

    done = shell(desk, env, "recover --yes", redirection)

    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    assert not iam.held(iam.find("carol"))
    assert not iam.held(iam.find("dave"))


@pytest.mark.parametrize("redirection", ODD)
@pytest.mark.parametrize("command", ["--help", "list --demo --json", "doctor --demo", "bogus"])
def test_no_stream_gives_a_traceback(command: str, redirection: str, desk: Desk) -> None:
    done = shell(desk, {}, command, redirection)

    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert done.returncode in {0, 1, 2}
    if redirection == ">/dev/full" and command != "bogus":
        assert done.returncode == 1
        assert "Standard output can't be written: No space left on device" in done.stderr


def test_what_is_printed_on_a_closed_output_lands_in_no_file(desk: Desk, moto: MotoAccount) -> None:
    env = signed_by(moto.options)
    done = shell(desk, env, "deactivate AKIADEMOBOB000000001", ">&- 2>&-")

    assert done.returncode == 0
    assert statuses(moto, "bob") == {"AKIADEMOBOB000000001": "Inactive"}
    for line in (desk.state / "journal.jsonl").read_text().splitlines():
        json.loads(line)


@pytest.mark.parametrize(
    "coding", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "POSIX"}, {"LC_ALL": "C"}]
)
def test_output_that_knows_ascii_alone(
    coding: dict[str, str], desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    key = iam.add_key(iam.add_user("carol"), description="café – Zürich")
    env = signed_by(server.options) | {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"} | coding
    for command in (
        "list",
        "list --json",
        "audit --live --csv",
        "audit --live --markdown",
        "deactivate -- é",
        f"deactivate {key.id}",
        "doctor",
        "--help",
    ):
        done = shell(desk, env, command)
        assert "Traceback" not in done.stderr, command
        assert (done.stdout + done.stderr).isascii(), command
    assert iam.held(iam.find("carol"))[0].status.value == "Inactive"
    assert EXPOSED not in shell(desk, env, f"list --fail-on {EXPOSED}").stderr
