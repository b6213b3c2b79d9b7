"""The commands without a screen, as a runbook runs them: real keyring, real HTTP, exit statuses."""

import json
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from secrets import token_hex

import pytest

from tests.e2e.conftest import Desk, on_bus, signed_by, statuses
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import Fault, IamServer
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService, wait_until
from tests.support.sentinel import SENTINEL, files_that_hold
from tests.support.terminal import KEYTUI, PATIENCE, clean_env
from tests.support.vt import Vt, vt

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


def test_leaked_key_is_shut_off_from_a_log_line(desk: Desk, moto: MotoAccount) -> None:
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


def test_new_key_goes_into_the_keyring_unseen(
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


def test_secret_under_way_is_kept_before_keytui_heeds_sigterm(
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


@contextmanager
def create_in_terminal(desk: Desk, server: IamServer, service: SecretService) -> Iterator[Vt]:
    """Create a key for carol in a terminal; AWS's reply is held until ``server.release()``."""
    server.fault("CreateAccessKey", Fault(hang=True))
    env = clean_env(desk.home) | signed_by(server.options) | on_bus(service)
    with vt([KEYTUI, "create", "--user", "carol", "--store", "keyring"], env) as run:
        wait_until(lambda: server.received()["CreateAccessKey"] == 1, "the request")
        yield run


@pytest.mark.parametrize("told", ["before the reply", "after the reply", "stopped meanwhile"])
def test_terminal_stopped_by_ctrl_s_delays_no_keeping(
    desk: Desk, iam: FakeIam, server: IamServer, keyring_service: SecretService, told: str
) -> None:
    iam.add_user("carol")
    iam.next_secret = secret = token_hex(20)  # Another run's may be in the keyring.

    def kept() -> bool:
        keys = iam.held(iam.find("carol"))
        return bool(keys) and secret in (keyring_service.lookup(keys[0].id) or "")

    with create_in_terminal(desk, server, keyring_service) as run:
        run.wait_for("Waiting for AWS to make the key")
        run.hold()
        if told != "after the reply":
            run.process.terminate()
        if told == "stopped meanwhile":
            for _ in range(3):
                run.process.send_signal(signal.SIGSTOP)
                run.process.send_signal(signal.SIGCONT)
                run.process.send_signal(signal.SIGHUP)
        server.release()
        wait_until(kept, "the secret is kept while the terminal takes nothing")
        run.process.terminate()
        assert run.wait_exit() in {128 + signal.SIGTERM, 128 + signal.SIGHUP}
    assert secret not in run.written().decode()


def test_create_that_is_suspended_goes_on(
    desk: Desk, iam: FakeIam, server: IamServer, keyring_service: SecretService
) -> None:
    iam.add_user("carol")
    iam.next_secret = secret = token_hex(20)
    with create_in_terminal(desk, server, keyring_service) as run:
        run.process.send_signal(signal.SIGSTOP)
        server.release()
        run.process.send_signal(signal.SIGCONT)
        assert run.wait_exit() == 0
    (key,) = iam.held(iam.find("carol"))
    assert secret in (keyring_service.lookup(key.id) or "")
