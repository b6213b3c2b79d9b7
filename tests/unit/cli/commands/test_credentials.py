"""``keytui credentials`` as the AWS SDKs run it: the answer alone on standard output."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from keytui.journal.log import Entry, Event, Journal
from keytui.stores.keyring.os_keyring import OsKeyring
from tests.support.gates import WRITABLE
from tests.support.secret_service import SecretService
from tests.support.sentinel import KEY_ID, SENTINEL, new_key
from tests.support.terminal import clean_env

NOISY = """
import sys
from keyring.backends import SecretService
class Keyring(SecretService.Keyring):
    priority = 9
    def get_password(self, *words):
        print("noise on stdout")
        print("noise on stderr", file=sys.stderr)
        return super().get_password(*words)
Keyring.__module__ = "keyring.backends.SecretService"
"""
HANGS = """
import time
from keyring.backends import SecretService
class Keyring(SecretService.Keyring):
    priority = 9
    def get_password(self, *words):
        while True:
            try:
                time.sleep(1000)
            except Exception:
                pass
Keyring.__module__ = "keyring.backends.SecretService"
"""


@pytest.fixture
def env(tmp_path: Path, keyring_service: SecretService) -> dict[str, str]:
    names = ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR")
    return clean_env(tmp_path) | {name: keyring_service.env[name] for name in names}


def run(env: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "keytui", "credentials", *words],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def remember(env: dict[str, str], *key_ids: str) -> None:
    journal = Journal(Path(env["HOME"]) / ".local/state/keytui", WRITABLE)
    for key_id in key_ids:
        at = "2026-11-24T10:00:00+00:00"
        journal.append(Entry(at, Event.STORED, "1", "svc+eu,x", "arn", key_id, store="keyring"))


def with_backend(env: dict[str, str], folder: Path, source: str) -> dict[str, str]:
    (folder / "odd_backend.py").write_text(source)
    return env | {"PYTHONPATH": str(folder), "PYTHON_KEYRING_BACKEND": "odd_backend.Keyring"}


@pytest.mark.parametrize("typed", [SENTINEL, f"{KEY_ID} {SENTINEL}", KEY_ID[:-1], ""])
def test_what_is_no_access_key_id_is_not_repeated(env: dict[str, str], typed: str) -> None:
    done = run(env, typed)

    assert (done.returncode, done.stdout) == (1, "")
    assert "no access key ID. It is AKIA" in done.stderr
    assert SENTINEL not in done.stderr


def test_answer_is_what_the_sdk_asks_for(env: dict[str, str]) -> None:
    OsKeyring(env=env, gate=WRITABLE).put(new_key())

    done = run(env, KEY_ID)

    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {
        "Version": 1,
        "AccessKeyId": KEY_ID,
        "SecretAccessKey": SENTINEL,
    }


def test_by_the_users_only_key(env: dict[str, str]) -> None:
    OsKeyring(env=env, gate=WRITABLE).put(new_key())
    remember(env, KEY_ID)

    assert json.loads(run(env, "--user", "svc+eu,x").stdout)["AccessKeyId"] == KEY_ID


def test_user_with_two_keys_is_asked_which(env: dict[str, str]) -> None:
    remember(env, "AKIAONE0000000000001", "AKIATWO0000000000002")

    done = run(env, "--user", "svc+eu,x")

    assert (done.returncode, done.stdout) == (1, "")
    assert "2 secrets of svc+eu,x: AKIAONE0000000000001, AKIATWO0000000000002." in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["AKIANOTTHERE00000001"], "The OS keyring holds no secret for AKIANOTTHERE00000001."),
        (["--user", "nobody"], "By keytui's record, the keyring holds no secret of nobody."),
    ],
)
def test_what_is_not_there_is_one_plain_line(
    env: dict[str, str], words: list[str], said: str
) -> None:
    done = run(env, *words)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"keytui: {said}")
    assert done.stderr.count("\n") == 1


def test_locked_keyring_fails_at_once(env: dict[str, str], own_service: SecretService) -> None:
    names = ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR")
    env = env | {name: own_service.env[name] for name in names}
    own_service.lock()

    done = run(env, KEY_ID)

    assert (done.returncode, done.stdout) == (1, "")
    assert "keytui: The OS keyring is locked." in done.stderr


def test_what_a_plugin_prints_is_not_in_the_answer(env: dict[str, str], tmp_path: Path) -> None:
    OsKeyring(env=env, gate=WRITABLE).put(new_key())

    done = run(with_backend(env, tmp_path, NOISY), KEY_ID)

    assert json.loads(done.stdout)["SecretAccessKey"] == SENTINEL
    assert done.stderr == ""


def test_keyring_that_hangs_is_given_up(
    env: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env = with_backend(env, tmp_path, HANGS)
    script = (
        "import sys; from keytui.cli.commands import credentials; credentials.SECONDS = 0.5;"
        "from keytui.cli.main import main; sys.exit(main(['credentials', 'AKIAHANGS00000000001']))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert "gave no answer within 0.5 s" in done.stderr
