"""The commands without a screen, as a runbook runs them: real keyring, real HTTP, exit statuses."""

import json
import signal
import subprocess
from collections.abc import Mapping

from tests.e2e.conftest import Desk, on_bus, signed_by, statuses
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import Fault, IamServer
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService, wait_until
from tests.support.sentinel import SENTINEL, files_that_hold
from tests.support.terminal import KEYTUI, PATIENCE, clean_env

USED_ID = "AKIADEMOALICE0000002"
"""Used some hours ago."""
BOB_ID = "AKIADEMOBOB000000001"
"""Used more than a day ago."""


def keytui(desk: Desk, env: Mapping[str, str], *argv: str) -> "subprocess.CompletedProcess[str]":
    """Run keytui without a terminal."""
    return subprocess.run(
        [KEYTUI, *argv],
        env=clean_env(desk.home) | dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_leaked_key_is_shut_off_from_a_log_line(desk: Desk, moto: MotoAccount) -> None:
    env = signed_by(moto.options)
    line = f"2026-01-15T09:00:00Z DENY principal=bob key={BOB_ID}; also {USED_ID}"

    refused = keytui(desk, env, "deactivate", line, "--read-only", "--yes")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "keytui is in read-only mode. Nothing was changed." in refused.stderr
    assert statuses(moto, "bob") == {BOB_ID: "Active"}

    done = keytui(desk, env, "deactivate", line, "--json")
    assert done.returncode == 3
    told = {one["key_id"]: (one["result"], one["status"]) for one in json.loads(done.stdout)}
    assert told == {BOB_ID: ("done", "Inactive"), USED_ID: ("left", "Active")}
    assert f"{USED_ID} of alice stays active: It was used in the last 24 hours" in done.stderr
    assert statuses(moto, "bob") == {BOB_ID: "Inactive"}
    assert statuses(moto, "alice")[USED_ID] == "Active"

    sure = keytui(desk, env, "deactivate", USED_ID, "--yes")
    assert (sure.returncode, sure.stdout) == (0, f"{USED_ID} of alice is inactive.\n")
    assert statuses(moto, "alice")[USED_ID] == "Inactive"


def test_a_new_key_goes_into_the_keyring_unseen(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService
) -> None:
    env = signed_by(moto.options) | on_bus(keyring_service)

    made = keytui(desk, env, "create", "--user", "carol", "--store", "keyring", "--json")

    assert made.returncode == 0, made.stderr
    key_id = json.loads(made.stdout)["key_id"]
    assert statuses(moto, "carol") == {key_id: "Active"}
    printed = keytui(desk, env, "credentials", key_id)
    secret = json.loads(printed.stdout)["SecretAccessKey"]
    assert secret in (keyring_service.lookup(key_id) or "")
    assert secret not in made.stdout + made.stderr
    assert files_that_hold(secret, desk.home) == []


def test_a_secret_under_way_is_kept_before_keytui_heeds_sigterm(
    desk: Desk, iam: FakeIam, server: IamServer, keyring_service: SecretService
) -> None:
    iam.add_user("carol")
    iam.next_secret = SENTINEL
    server.fault("CreateAccessKey", Fault(hang=True))
    run = subprocess.Popen(
        [KEYTUI, "create", "--user", "carol", "--store", "keyring"],
        env=clean_env(desk.home) | signed_by(server.options) | on_bus(keyring_service),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: server.received()["CreateAccessKey"] == 1, "the request")
    run.send_signal(signal.SIGTERM)
    assert run.stderr
    assert "instead of AWS" in run.stderr.readline()
    assert "Waiting" in run.stderr.readline()
    server.release()
    said, errors = run.communicate(timeout=PATIENCE)

    assert run.returncode == 128 + signal.SIGTERM, errors
    (key,) = iam.held(iam.find("carol"))
    assert SENTINEL in (keyring_service.lookup(key.id) or "")
    assert f"{key.id} of carol is made." in said
    assert SENTINEL not in said + errors
