"""``keytui credentials``, which each ``aws`` command waits for, beside a bare keyring call."""

import subprocess
import sys
import time
from datetime import UTC, datetime

from bench.setting import Bench
from keytui.core.model import AccessKey, KeyStatus, NewAccessKey, Secret, User
from keytui.stores.keyring.os_keyring import OsKeyring
from keytui.stores.keyring.session_bus import private_bus
from tests.support.gates import WRITABLE

_ID = "AKIABENCH000EXAMPLE1"
_BARE = f"import keyring; keyring.get_password('keytui:{_ID}', '{_ID}')"


def credentials(bench: Bench, runs: int) -> tuple[list[float], list[float]]:
    """Return the seconds that keytui takes and that a bare call takes, by turns."""
    # Both are told which backend: what others are installed here is looked at by neither.
    env = {**bench.env, "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring"}
    ours: list[float] = []
    bare: list[float] = []
    with private_bus(env, WRITABLE):
        keyring = OsKeyring(env=env, gate=WRITABLE)
        keyring.unlock(Secret("bench"))
        key = AccessKey(_ID, User("bench"), KeyStatus.ACTIVE, datetime.now(UTC))
        keyring.put(NewAccessKey(key, "123456789012", Secret("bench")))
        for _ in range(runs):
            ours.append(_timed([bench.keytui, "credentials", _ID], env))
            bare.append(_timed([sys.executable, "-c", _BARE], env))
    return ours, bare


def _timed(command: list[str], env: dict[str, str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, env=env, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start
