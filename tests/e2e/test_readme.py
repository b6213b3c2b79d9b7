"""Every command that the README shows is run here, as it stands there."""

import argparse
import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keytui.aws.files.profiles import AwsFiles
from keytui.core.model import AccessKey, KeyStatus, NewAccessKey, Secret, User
from keytui.stores.csv_file import CsvFile
from keytui.stores.keyring.os_keyring import OsKeyring
from tests.e2e.conftest import Desk, on_bus, signed_by
from tests.support.fake_iam import FakeIam
from tests.support.gates import WRITABLE
from tests.support.iam_server import IamServer
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService
from tests.support.terminal import clean_env

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
SHOWN = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
    if line.strip()
]
DEMO = "make demo"
START = ".venv/bin/keytui"
GOALS = ("check", "test-fast", "test", "faults", "bench", "screenshots")
RECOVER = ".venv/bin/keytui recover --yes"
MAINTAIN = tuple(f"make {goal}" for goal in GOALS)
"""These take minutes, or would run this test again: make says what they would do."""
LOOKUP = next(line for line in SHOWN if line.startswith("secret-tool"))
DOCTOR = ".venv/bin/keytui doctor"
UNLOCK = ".venv/bin/keytui --unlock-keyring"
CREDENTIALS = ".venv/bin/keytui credentials AKIAIOSFODNN7EXAMPLE"
TAKE_IN = ".venv/bin/keytui import ~/Downloads/accessKeys.csv"
FIND = ".venv/bin/keytui AKIAIOSFODNN7EXAMPLE"
SHUT_OFF = ".venv/bin/keytui deactivate AKIAIOSFODNN7EXAMPLE"
AUDIT = ".venv/bin/keytui audit --fail-on old,unused"
FLEET = ".venv/bin/keytui fleet"
ROTATE = ".venv/bin/keytui rotate AKIAIOSFODNN7EXAMPLE"
SIGN = "aws --profile alice sts get-caller-identity"
IMPORT = next(line for line in SHOWN if line.startswith("aws configure"))

NEW = NewAccessKey(
    AccessKey(
        "AKIAIOSFODNN7EXAMPLE", User("alice"), KeyStatus.ACTIVE, datetime(2026, 1, 1, tzinfo=UTC)
    ),
    "123456789012",
    Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
)


def shell(command: str) -> list[str | Path]:
    """Return how to run a command of the README in the folder that it is meant for."""
    return ["sh", "-c", f"cd {ROOT} && {command}"]


def test_no_command_is_left_out() -> None:
    run_here = [DEMO, START, DOCTOR, UNLOCK, LOOKUP, SIGN, CREDENTIALS, TAKE_IN, RECOVER, IMPORT]
    assert sorted(SHOWN) == sorted([*run_here, FIND, SHUT_OFF, AUDIT, FLEET, ROTATE, *MAINTAIN])


def test_demo(desk: Desk) -> None:
    run = desk.run(shell(DEMO))
    run.wait_for("12 users", timeout=60)
    assert "DEMO" in run.text()
    run.send("q")
    assert run.wait_exit() == 0


def test_start(desk: Desk, moto: MotoAccount) -> None:
    run = desk.run(shell(START), env=signed_by(moto.options))
    run.wait_for("12 users")
    assert "admin @ 123456789012" in run.text()


def test_recover(desk: Desk, moto: MotoAccount) -> None:
    env = clean_env(desk.home) | signed_by(moto.options)
    done = subprocess.run(shell(RECOVER), env=env, capture_output=True, text=True, check=True)
    assert done.stdout == "Nothing is unfinished.\n"


def test_audit_and_fleet(desk: Desk, moto: MotoAccount) -> None:
    keys = signed_by(moto.options)
    config = desk.home / ".aws/config"
    config.parent.mkdir(parents=True)
    config.write_text(
        f"[profile acme]\naws_access_key_id = {keys['AWS_ACCESS_KEY_ID']}\n"
        f"aws_secret_access_key = {keys['AWS_SECRET_ACCESS_KEY']}\n"
    )
    env = clean_env(desk.home)
    audit = subprocess.run(
        shell(AUDIT), env=env | keys, capture_output=True, text=True, check=False
    )
    assert audit.returncode == 1, audit.stderr
    assert "AKIADEMOTERRAFORM001" in audit.stdout
    env |= {"AWS_ENDPOINT_URL": keys["AWS_ENDPOINT_URL"]}
    fleet = subprocess.run(shell(FLEET), env=env, capture_output=True, text=True, check=True)
    assert "acme" in fleet.stdout
    assert keys["AWS_ACCESS_KEY_ID"] in fleet.stdout


def test_lookup(keyring_service: SecretService) -> None:
    OsKeyring(env=keyring_service.env, gate=WRITABLE).put(NEW)
    found = subprocess.run(
        LOOKUP, shell=True, env=keyring_service.env, capture_output=True, text=True, check=True
    )
    assert '"SecretAccessKey":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"' in found.stdout


def test_doctor(desk: Desk, moto: MotoAccount, keyring_service: SecretService) -> None:
    env = clean_env(desk.home) | signed_by(moto.options) | on_bus(keyring_service)
    done = subprocess.run(shell(DOCTOR), env=env, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "arn:aws:iam::123456789012:user/admin" in done.stdout


def test_keyring_without_a_desktop(desk: Desk, moto: MotoAccount) -> None:
    run = desk.run(shell(UNLOCK), env=signed_by(moto.options))
    for prompt in ("New password:", "The same again:"):
        run.wait_for(prompt)
        run.type("correct horse")
        run.send("Enter")
    run.wait_for("Keyring: Secret Service, unlocked")
    run.send("q")
    assert run.wait_exit() == 0


def test_use_what_is_stored(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService, aws: str
) -> None:
    made = moto.iam.create_access_key(UserName="carol")["AccessKey"]
    secret, key_id = made["SecretAccessKey"], made["AccessKeyId"]
    downloads = desk.home / "Downloads"
    region = {"AWS_DEFAULT_REGION": "us-east-1"}
    env = clean_env(desk.home) | signed_by(moto.options) | on_bus(keyring_service) | region
    downloads.mkdir()
    (downloads / "accessKeys.csv").write_text(
        f"\ufeffAccess key ID,Secret access key\r\n{key_id},{secret}\r\n"
    )

    taken = subprocess.run(shell(TAKE_IN), env=env, capture_output=True, text=True, check=False)
    assert taken.returncode == 0, taken.stderr
    assert secret in (keyring_service.lookup(key_id) or "")

    told = CREDENTIALS.replace(NEW.key.id, key_id)
    done = subprocess.run(shell(told), env=env, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["SecretAccessKey"] == secret

    AwsFiles(env, desk.home, WRITABLE).write(
        "alice", f"{ROOT}/.venv/bin/keytui credentials {key_id}"
    )
    command = SIGN.replace("aws ", f"{aws} --endpoint-url {moto.options.endpoint_url} ", 1)
    signed = subprocess.run(command, shell=True, env=env, capture_output=True, check=True)
    assert json.loads(signed.stdout)["Arn"].endswith(":user/carol")


def test_find_and_shut_off(desk: Desk, server: IamServer, iam: FakeIam) -> None:
    key = iam.add_key(iam.add_user("alice"), NEW.key.id)
    run = desk.run(shell(FIND), env=signed_by(server.options))
    run.wait_for(f"▸ {NEW.key.id}")
    run.send("q")
    assert run.wait_exit() == 0

    env = clean_env(desk.home) | signed_by(server.options)
    done = subprocess.run(shell(SHUT_OFF), env=env, capture_output=True, text=True, check=True)
    assert done.stdout == f"{key.id} of alice is inactive.\n"
    assert iam.held(key.user)[0].status is KeyStatus.INACTIVE


def test_rotate(
    desk: Desk, server: IamServer, iam: FakeIam, keyring_service: SecretService
) -> None:
    key = iam.add_key(iam.add_user("alice"), NEW.key.id)
    env = clean_env(desk.home) | signed_by(server.options) | on_bus(keyring_service)
    done = subprocess.run(shell(ROTATE), env=env, capture_output=True, text=True, check=True)
    new = next(one.id for one in iam.held(key.user) if one.id != key.id)
    assert "Rotation of alice: step 6 of 8" in done.stdout
    assert iam.secrets[new].reveal() in (keyring_service.lookup(new) or "")


def test_import(tmp_path: Path, aws: str) -> None:
    home = tmp_path / "home"
    env = clean_env(home)
    CsvFile(home / "alice_accessKeys.csv", WRITABLE).put(NEW)
    command = IMPORT.replace("aws ", f"{aws} ", 1)
    subprocess.run(command, shell=True, env=env, check=True, capture_output=True)
    credentials = (home / ".aws/credentials").read_text()
    assert "[alice]" in credentials
    assert "aws_access_key_id = AKIAIOSFODNN7EXAMPLE" in credentials


@pytest.mark.parametrize("command", MAINTAIN)
def test_maintain(command: str) -> None:
    done = subprocess.run(
        command.replace("make", "make -n", 1),
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ".venv/bin/" in done.stdout


def test_screenshots_shown_exist() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert shown
    assert all((ROOT / path).is_file() for path in shown)


def test_every_key_of_the_main_screen_is_in_the_readme() -> None:
    from keytui.tui.main.screen import MainScreen

    table = README.split("## Keys")[1].split("##")[0]
    for binding in MainScreen.BINDINGS:
        key = getattr(binding, "key_display", None) or getattr(binding, "key", "")
        if getattr(binding, "show", False):
            assert f"`{key}`" in table, f"the README does not tell of {key}"


@pytest.mark.parametrize("flag", re.findall(r"`(--[a-z-]+)", README.split("## Keys")[0]))
def test_every_flag_shown_is_known(flag: str, desk: Desk) -> None:
    from keytui.cli.commands import MODULES, command
    from keytui.cli.parser import parser

    parsers = [parser({name: command(name) for name in MODULES})]
    for action in parsers[0]._actions:
        if isinstance(action, argparse._SubParsersAction):
            parsers += action.choices.values()
    assert any(flag in one._option_string_actions for one in parsers)
