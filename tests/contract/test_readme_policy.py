"""The README's IAM policy: enough for everything keytui does, and no more than that."""

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keytui.aws.options import ConnectOptions
from keytui.aws.session import connect
from keytui.core.errors import AccessDeniedError
from keytui.core.model import KeyStatus, Secret, User
from tests.support.gates import WRITABLE
from tests.support.moto_server import READY_SECONDS, bare_client

ROOT = Path(__file__).parents[2]
SETUP_CALLS = 4
"""Calls made before moto begins to enforce policies."""


def policy() -> str:
    found = re.search(r"```json\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert found, "the README shows no policy"
    return found[1]


def actions_called() -> set[str]:
    source = (ROOT / "keytui/aws/gateway.py").read_text()
    return set(re.findall(r'"(iam:[A-Za-z]+|sts:GetAccessKeyInfo)"', source))


@contextmanager
def enforcing_server() -> Iterator[str]:
    """Serve an empty account that enforces IAM policies after the set-up calls."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    env["INITIAL_NO_AUTH_ACTION_COUNT"] = str(SETUP_CALLS)
    command = [sys.executable, "-m", "moto.server", "-p", str(port)]
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as server:
        try:
            wait_for_port(port, server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def wait_for_port(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail("moto's server did not start: pip install 'moto[server]'")


def anywhere(document: str) -> str:
    """Return a policy whose statements hold for every resource: moto knows no other."""
    parsed = json.loads(document)
    for statement in parsed["Statement"]:
        statement["Resource"] = "*"
    return json.dumps(parsed)


def operator(url: str, document: str) -> ConnectOptions:
    """Make the users alice and operator, the latter with a policy, and return its credentials."""
    made_up = ConnectOptions(None, "us-east-1", url, "AKIAMADEUP0000000000", Secret("made-up"))
    client = bare_client(made_up)
    client.create_user(UserName="alice")
    client.create_user(UserName="operator")
    client.put_user_policy(
        UserName="operator", PolicyName="keytui", PolicyDocument=anywhere(document)
    )
    key = client.create_access_key(UserName="operator")["AccessKey"]
    client.close()
    return ConnectOptions(
        None, "us-east-1", url, key["AccessKeyId"], Secret(key["SecretAccessKey"])
    )


def test_policy_names_the_actions_that_keytui_calls_and_no_other() -> None:
    statements = json.loads(policy())["Statement"]
    allowed = {action for statement in statements for action in statement["Action"]}
    assert allowed == actions_called()


def test_policy_is_enough_for_everything(aws_env: object) -> None:
    with enforcing_server() as url:
        iam = connect(operator(url, policy()), WRITABLE)
        assert "alice" in {user.name for page in iam.users() for user in page}
        alice = iam.user("alice")
        new = iam.create_key(alice)
        iam.set_description(alice, new.key.id, "a description")
        assert iam.descriptions(alice) == {new.key.id: "a description"}
        iam.last_used(new.key.id)
        iam.set_status(new.key, KeyStatus.INACTIVE)
        iam.remove_description(alice, new.key.id)
        iam.delete_key(new.key)
        assert iam.keys(alice) == ()


def test_server_really_enforces_policies(aws_env: object) -> None:
    lacking = json.loads(policy())
    lacking["Statement"][1]["Action"].remove("iam:CreateAccessKey")
    with enforcing_server() as url:
        iam = connect(operator(url, json.dumps(lacking)), WRITABLE)
        with pytest.raises(AccessDeniedError) as denied:
            iam.create_key(User("alice"))
    assert denied.value.action == "iam:CreateAccessKey"
