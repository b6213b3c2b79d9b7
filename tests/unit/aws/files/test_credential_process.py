"""A credential_process is tried as later processes run it, within bounds."""

import json
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from keytui.aws.files.credential_process import LIMIT, gives_key
from keytui.core.model import Secret
from keytui.stores.keyring.session_bus import VARIABLE, find_bus, private_bus_file
from tests.support.secret_service import wait_until
from tests.support.sentinel import SENTINEL

KEY_ID = "AKIANEW0000000000001"
RIGHT = {"Version": 1, "AccessKeyId": KEY_ID, "SecretAccessKey": SENTINEL}
ENV = {"PATH": os.environ["PATH"]}


def command(folder: Path, script: str) -> str:
    path = folder / "process.py"
    path.write_text(script)
    return f"{sys.executable} {path}"


def gives(
    folder: Path, script: str, env: dict[str, str] | None = None, seconds: float = 30
) -> bool:
    line = command(folder, script)
    return gives_key(line, KEY_ID, Secret(SENTINEL), ENV if env is None else env, seconds)


def test_key_as_the_aws_tools_want_it(tmp_path: Path) -> None:
    assert gives(tmp_path, f"print({json.dumps(RIGHT)!r})")


@pytest.mark.parametrize(
    "wrong",
    [
        {"SecretAccessKey": "another"},
        {"AccessKeyId": "AKIAOLD0000000000001"},
        {"Version": "1"},
        {"SecretAccessKey": None},
    ],
)
def test_anything_else_is_no_key(tmp_path: Path, wrong: dict[str, object]) -> None:
    assert not gives(tmp_path, f"print({json.dumps(RIGHT | wrong)!r})")


@pytest.mark.parametrize(
    "script",
    [
        f"print({json.dumps(RIGHT)!r}); raise SystemExit(1)",
        f"print('x' * {LIMIT + 1})",
        "while True: print('x' * 1000)",
        "",
        "print('[]')",
    ],
    ids=["it fails", "too much", "without end", "nothing", "no object"],
)
def test_failure_is_no_key(tmp_path: Path, script: str) -> None:
    assert not gives(tmp_path, script)


@pytest.mark.parametrize(
    "script",
    [
        "import time; time.sleep(600)",
        "import signal, time\n"
        "for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):\n"
        "    signal.signal(one, signal.SIG_IGN)\n"
        "time.sleep(600)",
        "import os, time\nif os.fork():\n    os._exit(0)\nos.setsid()\ntime.sleep(20)",
    ],
    ids=["it hangs", "it ignores signals", "a child keeps the pipe open"],
)
def test_program_that_does_not_end_is_no_key(tmp_path: Path, script: str) -> None:
    assert not gives(tmp_path, script, seconds=0.5)


def test_what_a_program_started_ends_with_it(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    script = (
        "import os, time\nif not os.fork():\n    os.setsid()\n"
        f"    open({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)"
    )
    assert not gives(tmp_path, script, seconds=2)
    started = Path("/proc", pid.read_text(), "stat")
    wait_until(lambda: not started.exists() or b") Z" in started.read_bytes(), "it is gone")


def test_program_that_is_not_there_is_no_key() -> None:
    assert not gives_key("/nowhere/keytui credentials X", KEY_ID, Secret(SENTINEL), ENV)
    assert not gives_key("'", KEY_ID, Secret(SENTINEL), ENV)


@pytest.fixture
def private(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of somebody for whom a keytui runs with a private D-Bus session."""
    env = ENV | {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "none")}
    with TemporaryDirectory(prefix="bus-") as folder, socket.socket(socket.AF_UNIX) as bus:
        bus.bind(f"{folder}/bus")
        bus.listen()
        named = private_bus_file(env)
        named.parent.mkdir(parents=True)
        named.write_text(json.dumps({"socket": f"{folder}/bus"}))
        assert find_bus(env)
        yield env


@pytest.mark.parametrize("named", [True, False])
def test_private_bus_of_a_running_keytui_is_out_of_reach(
    tmp_path: Path, private: dict[str, str], named: bool
) -> None:
    """Found through its file, or named by the environment: it ends with its keytui."""
    bus = find_bus(private)
    assert bus
    env = private | ({VARIABLE: bus.address} if named else {})
    script = f"""
import os, sys
sys.path.insert(0, {str(Path.cwd())!r})
from keytui.stores.keyring.session_bus import find_bus
print({json.dumps(RIGHT)!r} if find_bus(os.environ) is None else "")
"""
    assert gives(tmp_path, script, env)


def test_session_of_the_users_own_stays(tmp_path: Path) -> None:
    own = {VARIABLE: "unix:path=/own"}
    script = f"import os; print({json.dumps(RIGHT)!r} if {VARIABLE!r} in os.environ else '')"
    assert gives(tmp_path, script, ENV | own)
