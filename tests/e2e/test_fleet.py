"""All profiles side by side, with the real process, a real AWS config and real HTTP."""

import json
import shlex
import signal
import subprocess
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keytui.core.model import Identity
from tests.e2e.conftest import Desk
from tests.support.fake_iam import ACCOUNT, FakeIam
from tests.support.iam_server import IamServer
from tests.support.secret_service import wait_until
from tests.support.terminal import KEYTUI, PATIENCE, clean_env

OLD_ID = "AKIAOLDOLDOLDOLD0001"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/me"
NAMES = ("denied", "good", "hangs", "role", "unsourced")


def write_config(desk: Desk, stack: ExitStack) -> Path:
    """Write an AWS config with one profile of each kind; return where one tells its process."""
    now = datetime.now(UTC)
    good, denied, role = (FakeIam(clock=lambda: now) for _ in range(3))
    good.add_key(good.caller, good.signing_key_id(), created=now)
    good.add_key(good.caller, OLD_ID, created=now - timedelta(days=100))
    denied.deny.add("iam:ListAccessKeys")
    role._identity = Identity(ACCOUNT, ROLE)
    sections = []
    for name, account in (("good", good), ("denied", denied), ("role", role)):
        server = stack.enter_context(IamServer(account))
        sections.append(
            f"[profile {name}]\nendpoint_url = {server.url}\n"
            f"aws_access_key_id = {account.signing_key_id()}\naws_secret_access_key = made-up\n"
        )
    own = desk.home / "hanging"
    hangs = shlex.join(["sh", "-c", f"echo $$ > {own}; exec sleep 1000"])
    sections += [
        "[profile unsourced]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = gone\n",
        f"[profile hangs]\ncredential_process = {hangs}\n",
    ]
    folder = desk.home / ".aws"
    folder.mkdir(parents=True)
    folder.joinpath("config").write_text("".join(sections))
    return own


def fleet(desk: Desk, *flags: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [KEYTUI, "fleet", *flags],
        env=clean_env(desk.home) | {"AWS_EC2_METADATA_DISABLED": "true"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
        encoding="utf-8",
    )


def test_all_profiles_on_the_screen_and_in_json(desk: Desk) -> None:
    with ExitStack() as stack:
        hanging = write_config(desk, stack)
        run = desk.keytui("--profile", "role")
        run.wait_for("ops/me")
        run.send("P")
        # One that hangs keeps nobody waiting, and is no reason to stay.
        shown = run.wait_for("2 of 5 answered · 2 failed")
        lines = {line.replace("•", " ").split()[0]: line for line in shown.splitlines() if line}
        assert "2 keys · 1 old, 1 never used, two active · " in lines["good"]
        assert "no keys of its own" in lines["role"]
        assert "iam:ListAccessKeys" in lines["denied"]
        assert 'source_profile "gone"' in lines["unsourced"]
        assert "asking" in lines["hangs"]
        process = Path(f"/proc/{int(hanging.read_text())}")
        assert process.exists()
        run.send("Escape")
        run.wait_gone("Profiles  2 of 5")
        run.send("q")
        wait_until(lambda: not process.exists(), "the end of the process that hung")

        config = desk.home / ".aws/config"
        config.write_text(config.read_text().partition("[profile hangs]")[0])
        found = fleet(desk, "--json", "--findings")
        assert found.returncode == 1, found.stderr
        members = {one["profile"]: one for one in json.loads(found.stdout)}
        assert list(members) == [name for name in NAMES if name != "hangs"]
        assert members["good"]["keys"][0]["key_id"] == OLD_ID
        assert [one["rule"] for one in members["good"]["keys"][0]["findings"] if one["fails"]] == [
            "old",
            "never used",
            "two active",
        ]
        assert (members["role"]["caller"], members["role"]["error"]) == ("ops/me", None)
        assert members["denied"]["error"].startswith("You may not do this: iam:ListAccessKeys")
        assert "2 of 4 profiles answered" in found.stderr
        assert "keytui: unsourced: The AWS config does not fit together:" in found.stderr
        assert "made-up" not in found.stdout + found.stderr


def test_credential_process_gets_no_tty_and_ends_with_keytui(
    desk: Desk,
) -> None:
    own = desk.home / "asking"
    asks = shlex.join(["sh", "-c", f"echo $$ > {own}; read -r code < /dev/tty; exec sleep 1000"])
    folder = desk.home / ".aws"
    folder.mkdir(parents=True)
    folder.joinpath("config").write_text(f"[profile asks]\ncredential_process = {asks}\n")
    run = desk.keytui("--profile", "asks")
    run.wait_for("connecting…")
    wait_until(lambda: own.exists() and bool(own.read_text()), "the program")
    process = Path(f"/proc/{int(own.read_text())}")
    wait_until(lambda: b"sleep" in process.joinpath("cmdline").read_bytes(), "no terminal")
    run.send("q")
    run.wait_exit()
    wait_until(lambda: not process.exists(), "the end of the program")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_what_hangs_ends_with_the_command_that_is_told_to_leave(
    desk: Desk, number: signal.Signals
) -> None:
    with ExitStack() as stack:
        hanging = write_config(desk, stack)
        run = subprocess.Popen(
            [KEYTUI, "fleet"],
            env=clean_env(desk.home) | {"AWS_EC2_METADATA_DISABLED": "true"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        wait_until(lambda: hanging.exists() and bool(hanging.read_text()), "the hanging process")
        process = Path(f"/proc/{int(hanging.read_text())}")
        run.send_signal(number)
        _, errors = run.communicate(timeout=PATIENCE)
        assert run.returncode == 128 + number, errors
        assert b"Traceback" not in errors
        wait_until(lambda: not process.exists(), "the end of the process that hung")
