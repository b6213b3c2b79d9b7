"""The main job on real input: from launch to a key in the keyring, and to the key's end."""

import json

from tests.e2e.conftest import Desk, on_bus, signed_by, statuses
from tests.e2e.steps import REVEAL, SECRET, read_secret, row
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService
from tests.support.terminal import Terminal


def test_key_from_launch_to_its_end(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService
) -> None:
    env = on_bus(keyring_service) | signed_by(moto.options)
    url = env.pop("AWS_ENDPOINT_URL")
    run = desk.keytui("--endpoint-url", url, env=env)

    run.wait_for("12 users")
    run.wait_for("Keyring: Secret Service, unlocked")
    run.send("/")
    run.type("caro")
    run.wait_for("1 of 12 users")
    run.send("Enter")
    run.wait_for("carol has no access keys")

    key_id, secret = create_in_keyring(run)
    assert statuses(moto, "carol") == {key_id: "Active"}
    kept = json.loads(keyring_service.lookup(key_id) or "{}")
    assert kept.pop("CreateDate").startswith("20")
    assert kept == {
        "AccessKeyId": key_id,
        "SecretAccessKey": secret,
        "UserName": "carol",
        "AccountId": "123456789012",
    }

    change(run, "d", key_id, "Inactive")
    assert statuses(moto, "carol") == {key_id: "Inactive"}
    change(run, "a", key_id, "Active")
    assert statuses(moto, "carol") == {key_id: "Active"}
    change(run, "u", key_id, "Inactive")
    assert statuses(moto, "carol") == {key_id: "Inactive"}
    change(run, "a", key_id, "Active")
    change(run, "d", key_id, "Inactive")
    assert statuses(moto, "carol") == {key_id: "Inactive"}

    run.send("x")
    run.wait_for("last four characters")
    run.type(key_id[-4:])
    run.send("Enter")
    run.wait_for(f"{key_id} is deleted")
    assert statuses(moto, "carol") == {}
    run.wait_for(row(key_id, "Deleted"))
    run.send("q")
    assert run.wait_exit() == 0

    again = desk.keytui("--endpoint-url", url, "--user", "carol", env=env)
    again.wait_for(row(key_id, "Deleted"))
    again.send(".")
    again.wait_gone(row(key_id, "Deleted"))
    again.send(".")
    again.wait_for(row(key_id, "Deleted"))


def create_in_keyring(run: Terminal) -> tuple[str, str]:
    """Create a key with what the dialog proposes; return its ID and secret."""
    run.send("c")
    run.wait_for("Create an access key")
    run.wait_for("can be written")
    run.send("Enter")
    shown = run.wait_for("In the OS keyring (Secret Service), read back")
    assert not SECRET.search(shown)
    key_id, secret = read_secret(run)
    run.escape(REVEAL)
    run.wait_for(row(key_id, "Active"))
    return key_id, secret


def change(run: Terminal, key: str, key_id: str, status: str) -> None:
    """Press a key and wait until the table shows the status."""
    run.send(key)
    run.wait_for(f"{key_id} is {status.lower()}")
    run.wait_for(row(key_id, status))
