"""Every command that the README shows is run here, as it stands there."""

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keytui.model import AccessKey, KeyStatus, NewAccessKey, Secret, User
from keytui.stores.csv_file import CsvFile
from keytui.stores.os_keyring import OsKeyring
from tests.e2e.conftest import Desk, signed_by
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
RECOVER = ".venv/bin/keytui recover --yes"
MAINTAIN = ("make check", "make test", "make faults", "make bench", "make screenshots")
"""These take minutes, or would run this test again: make says what they would do."""
LOOKUP = next(line for line in SHOWN if line.startswith("secret-tool"))
UNLOCK = next(line for line in SHOWN if line.startswith("dbus-run-session"))
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
    assert sorted(SHOWN) == sorted([DEMO, START, RECOVER, LOOKUP, UNLOCK, IMPORT, *MAINTAIN])


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


def test_lookup(keyring_service: SecretService) -> None:
    OsKeyring(env=keyring_service.env).put(NEW)
    found = subprocess.run(
        LOOKUP, shell=True, env=keyring_service.env, capture_output=True, text=True, check=True
    )
    assert '"SecretAccessKey":"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"' in found.stdout


def test_keyring_for_one_run(desk: Desk, moto: MotoAccount, tmp_path: Path) -> None:
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o700)
    env = signed_by(moto.options) | {"PW": "correct horse", "XDG_RUNTIME_DIR": str(runtime)}
    run = desk.run(shell(UNLOCK), env=env)
    run.wait_for("Keyring: Secret Service, unlocked")
    run.send("q")
    assert run.wait_exit() == 0


def test_import(tmp_path: Path, aws: str) -> None:
    home = tmp_path / "home"
    env = clean_env(home)
    CsvFile(home / "alice_accessKeys.csv").put(NEW)
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
    from keytui.ui.screens.main import MainScreen

    table = README.split("## Keys")[1].split("##")[0]
    for binding in MainScreen.BINDINGS:
        key = getattr(binding, "key_display", None) or getattr(binding, "key", "")
        if getattr(binding, "show", False):
            assert f"`{key}`" in table, f"the README does not tell of {key}"


@pytest.mark.parametrize("flag", re.findall(r"`(--[a-z-]+)", README.split("## Keys")[0]))
def test_every_flag_shown_is_known(flag: str, desk: Desk) -> None:
    from keytui.cli import _parser

    assert flag in _parser().format_help()
