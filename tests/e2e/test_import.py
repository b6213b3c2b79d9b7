"""``keytui import`` with a real keyring, and the real ``aws`` command afterwards."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.e2e.conftest import Desk, on_bus
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService
from tests.support.sentinel import files_that_hold
from tests.support.terminal import KEYTUI, clean_env


def test_static_profile_goes_on_working_from_the_keyring(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService, aws: str
) -> None:
    made = moto.iam.create_access_key(UserName="carol")["AccessKey"]
    key_id, secret = made["AccessKeyId"], made["SecretAccessKey"]
    folder = desk.home / ".aws"
    folder.mkdir(parents=True)
    (folder / "config").write_text("[profile carol]\nregion = us-east-1\n")
    (folder / "credentials").write_text(
        f"[carol]\naws_access_key_id = {key_id}\naws_secret_access_key = {secret}\n"
    )
    assert moto.options.endpoint_url
    endpoint = ["--endpoint-url", moto.options.endpoint_url]
    env = clean_env(desk.home) | on_bus(keyring_service)
    caller = [aws, "--profile", "carol", *endpoint, "sts", "get-caller-identity"]
    before = run(caller, env)

    said = run([KEYTUI, "import", *endpoint, "--yes", folder / "credentials"], env)

    assert f"{key_id} is in the OS keyring (Secret Service), read back." in said
    assert "AWS knows it as carol in the account 123456789012." in said
    assert secret not in said
    assert secret in (keyring_service.lookup(key_id) or "")
    assert files_that_hold(secret, desk.home) == []
    assert run(caller, env) == before
    assert json.loads(before)["Arn"] == "arn:aws:iam::123456789012:user/carol"


def run(command: Sequence[str | Path], env: dict[str, str]) -> str:
    """Run a command without a terminal and return what it prints."""
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
