"""The OS keyring against a real gnome-keyring, and against children that misbehave."""

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from keytui.core.errors import (
    NotStoredError,
    StoreError,
    StoreLockedError,
    StoreTimeoutError,
    WrongPasswordError,
)
from keytui.core.model import ROOT_ACCOUNT, Secret
from keytui.stores.base import Mend
from keytui.stores.keyring.os_keyring import CHILD_COMMAND, OsKeyring
from tests.support.gates import WRITABLE
from tests.support.secret_service import (
    PATIENCE,
    SecretService,
    bus_program,
    secret_service,
    silent_prompter,
    wait_until,
)
from tests.support.sentinel import (
    KEY_ID,
    SENTINEL,
    files_that_hold,
    full_text,
    new_key,
    processes_that_show,
)

REPOSITORY = Path(__file__).parents[4]
LABEL = "OS keyring (Secret Service)"

PLAINTEXT_BACKEND = """
import os
from keyring.backend import KeyringBackend

class PlaintextKeyring(KeyringBackend):
    priority = 9
    def set_password(self, service, username, password):
        open(os.environ["PLAINTEXT_FILE"], "a").write(password)
    def get_password(self, service, username):
        return open(os.environ["PLAINTEXT_FILE"]).read()
"""


LONE = "made-up/secret/of/a/put/under+way01234"
"""In no other test: those beside this one may show theirs."""


def python_child(tmp_path: Path, body: str) -> tuple[str, ...]:
    """Return the command of a child that does ``body``, then what the real one does."""
    script = tmp_path / "child.py"
    script.write_text(
        "import os, sys, time\n"
        "from keytui.stores.keyring import child as keyring_child\n"
        "from keyring.backends.SecretService import Keyring\n"
        f"{body}\n"
        "keyring_child.main(sys.argv[1])\n"
    )
    return (sys.executable, "-P", str(script))


def shell_child(body: str) -> tuple[str, ...]:
    """Return the command of a child that is a shell script."""
    return ("/bin/sh", "-c", body, "child")


def alive(pid: int) -> bool:
    """Return whether a process runs (one that ended and waits to be reaped doesn't)."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


# What the keyring holds afterwards


def test_secret_tool_finds_what_was_put(keyring_service: SecretService) -> None:
    receipt = OsKeyring(env=keyring_service.env, gate=WRITABLE).put(new_key("svc+backup=x,y@z-_"))

    held = keyring_service.lookup(KEY_ID)
    assert held == json.dumps(
        {
            "AccessKeyId": KEY_ID,
            "SecretAccessKey": SENTINEL,
            "UserName": "svc+backup=x,y@z-_",
            "AccountId": "123456789012",
            "CreateDate": "2026-01-02T03:04:05+00:00",
        },
        separators=(",", ":"),
    )
    assert (receipt.store, receipt.where) == ("keyring", LABEL)


def test_root_users_key_is_kept_under_its_listing_name(keyring_service: SecretService) -> None:
    OsKeyring(env=keyring_service.env, gate=WRITABLE).put(
        new_key(ROOT_ACCOUNT, "AKIAROOT0000EXAMPLE1")
    )

    held = keyring_service.lookup("AKIAROOT0000EXAMPLE1")
    assert held is not None
    assert json.loads(held)["UserName"] == "<root account>"


def test_putting_again_replaces_and_makes_no_second_item(keyring_service: SecretService) -> None:
    store = OsKeyring(env=keyring_service.env, gate=WRITABLE)
    store.put(new_key(key_id="AKIATWICE000EXAMPLE1", secret="first"))
    count = keyring_service.item_count()

    store.put(new_key(key_id="AKIATWICE000EXAMPLE1"))

    assert keyring_service.item_count() == count
    assert store.get("AKIATWICE000EXAMPLE1").matches(Secret(SENTINEL))


@pytest.mark.parametrize("canary", [True, False])
def test_probe_leaves_no_item(keyring_service: SecretService, canary: bool) -> None:
    count = keyring_service.item_count()

    probe = OsKeyring(env=keyring_service.env, gate=WRITABLE).probe(canary=canary)

    assert probe.writable
    assert probe.label == LABEL
    assert keyring_service.item_count() == count


def test_probe_without_canary_writes_nothing(
    keyring_service: SecretService, tmp_path: Path
) -> None:
    body = "def stop(*args): os._exit(3)\nKeyring.set_password = stop"
    command = python_child(tmp_path, body)

    assert OsKeyring(command, env=keyring_service.env, gate=WRITABLE).probe(canary=False).writable
    assert (
        not OsKeyring(command, env=keyring_service.env, gate=WRITABLE).probe(canary=True).writable
    )


def test_deleted_key_is_gone_from_the_keyring(keyring_service: SecretService) -> None:
    store = OsKeyring(env=keyring_service.env, gate=WRITABLE)
    store.put(new_key(key_id="AKIAGONE0000EXAMPLE1"))
    assert keyring_service.lookup("AKIAGONE0000EXAMPLE1")

    store.delete("AKIAGONE0000EXAMPLE1")

    assert keyring_service.lookup("AKIAGONE0000EXAMPLE1") is None


@pytest.mark.parametrize(
    "value",
    [
        "hunter2",
        "{}",
        "[1]",
        '{"AccessKeyId":"AKIAOTHER"}',
        "[" * 100_000,
        r'{"AccessKeyId":"AKIAFOREIGN0EXAMPLE1","SecretAccessKey":"\ud800hunter2"}',
        r'{"AccessKeyId":"AKIAFOREIGN0EXAMPLE1","SecretAccessKey":"hunter2\u001b"}',
        r'{"AccessKeyId":"AKIAFOREIGN0EXAMPLE1","SecretAccessKey":5}',
    ],
)
def test_anothers_value_is_neither_returned_nor_shown(
    keyring_service: SecretService, value: str
) -> None:
    keyring_service.store("AKIAFOREIGN0EXAMPLE1", value)

    with pytest.raises(StoreError) as caught:
        OsKeyring(env=keyring_service.env, gate=WRITABLE).get("AKIAFOREIGN0EXAMPLE1")

    assert not isinstance(caught.value, NotStoredError)
    assert "not written by keytui" in caught.value.title
    assert "hunter2" not in str(caught.value)


# States of the service


def test_locked_keyring_is_said_to_be_locked_and_never_prompts(
    own_service: SecretService, tmp_path: Path
) -> None:
    store = OsKeyring(env=own_service.env, gate=WRITABLE)
    store.put(new_key())
    own_service.lock()
    with silent_prompter(own_service, tmp_path / "prompts"):
        probe, state = store.probe(), store.probe(canary=False)
        with pytest.raises(StoreLockedError) as caught:
            store.put(new_key())
        with pytest.raises(StoreLockedError):
            store.get(KEY_ID)
        with pytest.raises(StoreLockedError):
            store.delete(KEY_ID)

    assert probe == state
    assert probe.locked
    assert not probe.writable
    assert probe.label == LABEL
    assert probe.reason == caught.value.title == "The OS keyring is locked."
    assert (tmp_path / "prompts").read_text() == ""
    assert own_service.is_locked()


def test_lock_that_falls_after_the_check_does_not_prompt(
    own_service: SecretService, tmp_path: Path
) -> None:
    OsKeyring(env=own_service.env, gate=WRITABLE).put(new_key())
    own_service.lock()
    command = python_child(tmp_path, "keyring_child.check_secret_service = lambda *path: None")
    store = OsKeyring(command, env=own_service.env, gate=WRITABLE)
    calls: tuple[Callable[[], object], ...] = (
        lambda: store.put(new_key()),
        lambda: store.get(KEY_ID),
        lambda: store.delete(KEY_ID),
    )
    with silent_prompter(own_service, tmp_path / "prompts"):
        for call in calls:
            with pytest.raises(StoreLockedError):
                call()

    assert (tmp_path / "prompts").read_text() == ""


def test_password_unlocks_and_a_wrong_one_is_called_wrong(own_service: SecretService) -> None:
    store = OsKeyring(env=own_service.env, gate=WRITABLE)
    store.put(new_key())
    own_service.lock()

    with pytest.raises(WrongPasswordError) as caught:
        store.unlock(Secret("wrong horse"))
    assert caught.value.title == "That is not the keyring's password."
    assert "horse" not in full_text(caught.value)
    assert store.probe().mend is Mend.UNLOCK

    store.unlock(Secret("correct horse"))
    assert store.get(KEY_ID).reveal() == SENTINEL
    store.unlock(Secret("whatever, it is open"))


def test_first_password_makes_the_keyring(tmp_path: Path) -> None:
    with secret_service(tmp_path, password="") as service:
        store = OsKeyring(env=service.env, gate=WRITABLE)
        assert store.probe().mend is Mend.MAKE

        store.unlock(Secret("brand new"))

        assert store.probe().writable
        service.lock()
        with pytest.raises(WrongPasswordError):
            store.unlock(Secret("another"))
        store.unlock(Secret("brand new"))
        assert store.probe().writable


@pytest.mark.parametrize("password", ["", "  "])
def test_empty_password_creates_no_keyring(tmp_path: Path, password: str) -> None:
    with secret_service(tmp_path, password="") as service:
        store = OsKeyring(env=service.env, gate=WRITABLE)

        with pytest.raises(StoreError, match="no default collection"):
            store.unlock(Secret(password))

        assert store.probe().mend is Mend.MAKE


def test_keyring_with_an_empty_password_opens(tmp_path: Path) -> None:
    body = """
from keytui.stores.keyring import unlock as u
class Blank(bytes):
    strip = lambda self: "let through"
unlock = u._unlock
u._unlock = lambda connection, password, gate: unlock(connection, Blank(), gate)
"""
    with secret_service(tmp_path, password="") as service:
        OsKeyring(python_child(tmp_path, body), env=service.env, gate=WRITABLE).unlock(Secret(""))
        service.lock()
        store = OsKeyring(env=service.env, gate=WRITABLE)
        assert store.probe().mend is Mend.UNLOCK

        store.unlock(Secret(""))

        assert store.probe().writable


def test_bus_that_starts_no_keyring_gets_one(tmp_path: Path) -> None:
    with secret_service(tmp_path, daemon=False) as service:
        store = OsKeyring(env=service.env, gate=WRITABLE)

        store.unlock(Secret("brand new"))

        assert store.probe().writable


def test_service_that_takes_no_password_needs_its_own_window(
    tmp_path: Path, keyring_service: SecretService
) -> None:
    body = "from keytui.stores.keyring import unlock as u; u._INTERFACE = 'org.example.Other'"
    store = OsKeyring(python_child(tmp_path, body), env=keyring_service.env, gate=WRITABLE)
    keyring_service.lock()
    try:
        with pytest.raises(StoreError) as caught:
            store.unlock(Secret("correct horse"))
    finally:
        OsKeyring(env=keyring_service.env, gate=WRITABLE).unlock(Secret("correct horse"))
    assert caught.value.title == "This Secret Service can't be unlocked from here."


def test_without_a_bus_the_reason_is_the_bus(keyring_service: SecretService) -> None:
    env = keyring_service.env | {"XDG_RUNTIME_DIR": "/nonexistent"}
    del env["DBUS_SESSION_BUS_ADDRESS"]

    probe = OsKeyring(env=env, gate=WRITABLE).probe()
    assert "no D-Bus session" in probe.reason
    assert probe.mend is Mend.START


def test_bus_of_the_user_is_found_where_the_login_names_none(
    keyring_service: SecretService,
) -> None:
    env = dict(keyring_service.env)
    del env["DBUS_SESSION_BUS_ADDRESS"]

    assert OsKeyring(env=env, gate=WRITABLE).probe().writable


@pytest.mark.parametrize(
    "address", ["unix:path=/nonexistent/bus", "tcp:host=localhost,port=1", "", "nonsense"]
)
def test_stale_or_odd_bus_address_is_no_bus(keyring_service: SecretService, address: str) -> None:
    env = keyring_service.env | {
        "DBUS_SESSION_BUS_ADDRESS": address,
        "XDG_RUNTIME_DIR": "/nonexistent",
    }

    assert "no D-Bus session" in OsKeyring(env=env, gate=WRITABLE).probe().reason


def test_bus_without_a_keyring_is_no_service(tmp_path: Path) -> None:
    with secret_service(tmp_path, daemon=False) as service:
        probe = OsKeyring(env=service.env, gate=WRITABLE).probe()

    assert "No keyring service" in probe.reason
    assert not probe.locked


def test_killed_daemon_is_no_service(own_service: SecretService) -> None:
    store = OsKeyring(env=own_service.env, gate=WRITABLE)
    assert store.probe().writable

    own_service.kill_daemon()

    assert "No keyring service" in store.probe().reason
    with pytest.raises(StoreError) as caught:
        store.put(new_key())
    assert "still holds it" in caught.value.safe


def test_daemon_that_dies_during_put_is_no_service(
    own_service: SecretService, tmp_path: Path
) -> None:
    assert own_service.daemon is not None
    body = (
        "import signal\n"
        "def killed(path='', real=keyring_child.check_secret_service):\n"
        f"    real(path)\n    os.kill({own_service.daemon.pid}, signal.SIGKILL)\n"
        "keyring_child.check_secret_service = killed"
    )
    store = OsKeyring(python_child(tmp_path, body), env=own_service.env, gate=WRITABLE)

    with pytest.raises(StoreError) as caught:
        store.put(new_key())

    assert SENTINEL not in full_text(caught.value)


def test_service_without_a_collection_is_said_so(tmp_path: Path) -> None:
    with (
        secret_service(tmp_path, password="") as service,
        silent_prompter(service, tmp_path / "prompts"),
    ):
        probe = OsKeyring(env=service.env, gate=WRITABLE).probe()
        with pytest.raises(StoreError):
            OsKeyring(env=service.env, gate=WRITABLE).put(new_key())

    assert "no default collection" in probe.reason
    assert (tmp_path / "prompts").read_text() == ""


# Backends that must not be trusted


@pytest.fixture
def plaintext(keyring_service: SecretService, tmp_path: Path) -> dict[str, str]:
    """An environment in which a plaintext backend called as keyrings.alt's is installed."""
    module = tmp_path / "site" / "keyrings" / "alt" / "file.py"
    module.parent.mkdir(parents=True)
    module.write_text(PLAINTEXT_BACKEND)
    return keyring_service.env | {
        "PYTHONPATH": f"{tmp_path / 'site'}:{REPOSITORY}",
        "PLAINTEXT_FILE": str(tmp_path / "plain.txt"),
        "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring",
    }


@pytest.mark.parametrize("name", ["keyring.backends.fail.Keyring", "keyring.backends.null.Keyring"])
def test_backend_that_keeps_nothing_is_refused_by_name(
    keyring_service: SecretService, name: str
) -> None:
    store = OsKeyring(env=keyring_service.env | {"PYTHON_KEYRING_BACKEND": name}, gate=WRITABLE)

    assert name in store.probe(canary=False).reason
    with pytest.raises(StoreError) as caught:
        store.put(new_key())
    assert name in caught.value.title
    assert "PYTHON_KEYRING_BACKEND" in caught.value.next_step


def test_emptied_chainer_is_refused_by_name(keyring_service: SecretService) -> None:
    name = "keyring.backends.chainer.ChainerBackend"
    hostile = {"PYTHON_KEYRING_BACKEND": name, "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nothing"}

    probe = OsKeyring(env=keyring_service.env | hostile, gate=WRITABLE).probe()

    assert name in probe.reason
    assert "no keyring behind it" in probe.reason


def test_chainer_before_a_trusted_backend_is_taken_apart(keyring_service: SecretService) -> None:
    chainer = {"PYTHON_KEYRING_BACKEND": "keyring.backends.chainer.ChainerBackend"}

    receipt = OsKeyring(env=keyring_service.env | chainer, gate=WRITABLE).put(
        new_key(key_id="AKIACHAIN000EXAMPLE1")
    )

    assert receipt.where == LABEL
    assert keyring_service.lookup("AKIACHAIN000EXAMPLE1")


def test_chain_that_starts_with_plaintext_never_writes_to_it(
    keyring_service: SecretService, plaintext: dict[str, str], tmp_path: Path
) -> None:
    chainer = {"PYTHON_KEYRING_BACKEND": "keyring.backends.chainer.ChainerBackend"}
    command = python_child(tmp_path, "import keyrings.alt.file")

    OsKeyring(command, env=plaintext | chainer, gate=WRITABLE).put(
        new_key(key_id="AKIACHAIN000EXAMPLE2")
    )

    assert keyring_service.lookup("AKIACHAIN000EXAMPLE2")
    assert not (tmp_path / "plain.txt").exists()


def test_plaintext_backend_is_refused_by_name_and_gets_nothing(
    plaintext: dict[str, str], tmp_path: Path
) -> None:
    store = OsKeyring(env=plaintext, gate=WRITABLE)

    assert "keyrings.alt.file.PlaintextKeyring" in store.probe().reason
    with pytest.raises(StoreError):
        store.put(new_key())
    assert not (tmp_path / "plain.txt").exists()


@pytest.mark.parametrize(
    "name", ["bogus.Backend", "os.path.Nothing", "", "Backend", "os.path.join"]
)
def test_setting_that_names_nothing_is_said_by_its_name(
    keyring_service: SecretService, name: str
) -> None:
    probe = OsKeyring(
        env=keyring_service.env | {"PYTHON_KEYRING_BACKEND": name}, gate=WRITABLE
    ).probe()

    assert f"PYTHON_KEYRING_BACKEND={name} names no keyring" in probe.reason


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("default-keyring=keyring.backends.null.Keyring", "keyring.backends.null.Keyring"),
        ("default-keyring=bogus.Backend", "keyringrc.cfg"),
    ],
)
def test_keyrings_config_file_is_judged_alike(
    keyring_service: SecretService, tmp_path: Path, line: str, expected: str
) -> None:
    config = tmp_path / "python_keyring" / "keyringrc.cfg"
    config.parent.mkdir()
    config.write_text(f"[backend]\n{line}\n")

    probe = OsKeyring(
        env=keyring_service.env | {"XDG_CONFIG_HOME": str(tmp_path)}, gate=WRITABLE
    ).probe()

    assert expected in probe.reason


def test_missing_keyring_library_is_said_so(keyring_service: SecretService, tmp_path: Path) -> None:
    (tmp_path / "keyring.py").write_text("raise ImportError('broken')")

    probe = OsKeyring(
        env=keyring_service.env | {"PYTHONPATH": str(tmp_path)}, gate=WRITABLE
    ).probe()

    assert "library can't be loaded" in probe.reason


@pytest.mark.parametrize(("wallet", "trouble"), [("open", "fine"), ("closed", "locked")])
def test_closed_kwallet_is_locked_and_not_opened(
    keyring_service: SecretService, tmp_path: Path, wallet: str, trouble: str
) -> None:
    code = (
        "from keytui.stores.keyring import child as child\n"
        "try:\n    child.check_kwallet('org.kde.kwalletd5', '/modules/kwalletd5')\n"
        "except child.Refusal as refusal:\n    print(refusal.trouble)\n"
        "else:\n    print('fine')\n"
    )
    with bus_program(keyring_service, tmp_path / "calls", "tests.support.fake_kwallet", wallet):
        done = subprocess.run(
            [sys.executable, "-P", "-c", code],
            env=keyring_service.env,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )

    assert done.stdout.strip() == trouble
    assert (tmp_path / "calls").read_text().split() == ["networkWallet", "isOpen"]


# Backends that do odd things when they are looked at

LOADED = "odd backend was loaded"
ODD = {
    "no class": "Backend = 3",
    "a function": "def Backend(): return 3",
    "another class": "class Backend: pass",
    "a class that can't be made": "class Backend:\n    def __init__(self, needed): pass",
    "prints": f"print({LOADED!r}, flush=True)\nprint({LOADED!r}, file=sys.stderr, flush=True)\n"
    f"os.write(1, {LOADED.encode()!r})\nos.write(2, {LOADED.encode()!r})",
    "asks": "input('Password: ')",
    "asks on the terminal": "import getpass\ngetpass.getpass()",
    "reads": "sys.stdin.buffer.read()\nos.read(0, 1)",
    "exits": "sys.exit(0)",
    "exits at once": "os._exit(0)",
    "interrupts": "raise KeyboardInterrupt",
    "raises what nobody catches": "class Odd(BaseException): pass\nraise Odd",
    "raises an error with an odd name": "raise type('\\x1b[2J', (Exception,), {})",
    "raises an error without words": "class Odd(Exception):\n"
    "    def __str__(self): raise self\nraise Odd",
    "never ends": "while True: time.sleep(0.1)",
    "sleeps, deaf to signals": "signal.alarm(0)\n"
    "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\ntime.sleep(1000)",
    "stops": "os.kill(os.getpid(), signal.SIGSTOP)",
    "leaves a process behind": "os.fork() or time.sleep(1000)",
    "is broken": "this is not Python",
    "recurs": "def odd(): odd()\nodd()",
    "crashes": "import ctypes\nctypes.string_at(0)",
    "closes everything": "os.closerange(0, 256)",
    "floods": "os.write(2, b'x' * 1_000_000)\nos.write(1, b'x' * 1_000_000)",
    "has a name of escapes": "from keyring.backends.null import Keyring\n"
    "class Backend(Keyring): pass\nBackend.__qualname__ = '\\x1b[2J'",
}


@pytest.mark.parametrize(
    ("how", "by"),
    [(how, "variable") for how in ODD]
    + [(how, "config file") for how in ("a function", "prints", "exits at once", "never ends")],
)
def test_odd_backend_is_a_plain_refusal_in_time(
    keyring_service: SecretService,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    how: str,
    by: str,
) -> None:
    site, marks = tmp_path / "site", tmp_path / "marks"
    site.mkdir()
    body = f"import os, signal, sys, time\nopen({str(marks)!r}, 'a').write('x')\n{ODD[how]}\n"
    (site / "odd.py").write_text(body)
    env = dict(keyring_service.env)
    if by == "variable":
        env |= {"PYTHONPATH": f"{site}:{REPOSITORY}", "PYTHON_KEYRING_BACKEND": "odd.Backend"}
    else:
        config = tmp_path / "python_keyring" / "keyringrc.cfg"
        config.parent.mkdir()
        config.write_text(f"[backend]\ndefault-keyring=odd.Backend\nkeyring-path={site}\n")
        env |= {"XDG_CONFIG_HOME": str(tmp_path)}
    started = time.monotonic()
    store = OsKeyring(timeout=3, env=env, gate=WRITABLE)

    # At the same time, since some of them last until the limit.
    with ThreadPoolExecutor() as both:
        probing, putting = both.submit(store.probe), both.submit(store.put, new_key())
    probe = probing.result()
    with pytest.raises(StoreError) as caught:
        putting.result()

    assert time.monotonic() - started < PATIENCE
    assert len(marks.read_text()) == 2, "the backend was looked at"
    assert not probe.writable
    for text in (probe.reason, caught.value.title):
        assert text.isprintable()
        assert text.endswith(".")
    assert "still holds it" in caught.value.safe
    assert SENTINEL not in full_text(caught.value)
    assert "".join(capfd.readouterr()) == ""
    wait_until(lambda: processes_that_show(str(tmp_path)) == [], "none of its processes is left")


# Children that misbehave


def test_hanging_child_is_killed_with_all_it_started(tmp_path: Path) -> None:
    pids = shlex.quote(str(tmp_path / "pids"))
    command = shell_child(f"sleep 1000 & echo $$ $! >{pids}; wait")
    store = OsKeyring(command, timeout=2, gate=WRITABLE)

    with pytest.raises(StoreTimeoutError) as caught:
        store.put(new_key())

    child, grandchild = (int(pid) for pid in (tmp_path / "pids").read_text().split())
    wait_until(lambda: not alive(child) and not alive(grandchild), "both are gone")
    assert "within 2 s" in caught.value.title
    assert "still holds it" in caught.value.safe
    assert SENTINEL not in full_text(caught.value)


def test_child_that_ignores_its_input_cannot_block_keytui() -> None:
    with pytest.raises(StoreTimeoutError) as caught:
        OsKeyring(shell_child("exec sleep 1000"), timeout=1, gate=WRITABLE).put(
            new_key(secret="x" * 1_000_000)
        )

    assert "xxxx" not in full_text(caught.value)


def test_probe_of_a_hanging_keyring_says_so() -> None:
    probe = OsKeyring(shell_child("exec sleep 1000"), timeout=0.5, gate=WRITABLE).probe()

    assert not probe.writable
    assert "no answer within 0.5 s" in probe.reason


def test_child_whose_parent_is_gone_ends_by_itself(
    keyring_service: SecretService, tmp_path: Path
) -> None:
    command = python_child(tmp_path, "keyring_child.open_keyring = lambda *_: time.sleep(1000)")
    asked = {
        "kind": "os",
        "read_only": False,
        "password": "",
        "service": "s",
        "username": "u",
        "value": "v",
    }
    request = json.dumps(asked | {"limit": 0})

    done = subprocess.run(
        [*command, "get"],
        input=request.encode(),
        env=keyring_service.env,
        timeout=PATIENCE,
        check=False,
    )

    assert done.returncode == -signal.SIGALRM


@pytest.mark.parametrize(
    "body",
    [
        "exit 0",
        "exit 1",
        "kill -9 $$",
        f"echo '{SENTINEL}'",
        f"cat; echo '{SENTINEL}' >&2",
        f"""echo '{{"trouble":"{SENTINEL}","detail":"","backend":""}}'""",
        f"""echo '{{"value":"{SENTINEL}"}}'""",
        "echo null",
        "echo '[]'",
        """echo '"backend"'""",
        "head -c 100000 /dev/zero | tr '\\0' '['",
        "printf '\\377\\376'",
    ],
)
def test_child_without_a_proper_answer_is_a_plain_error(
    body: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StoreError) as caught:
        OsKeyring(shell_child(f"echo ready; {body}"), gate=WRITABLE).put(new_key())

    assert "ended without an answer" in caught.value.title
    assert SENTINEL not in full_text(caught.value)
    assert SENTINEL not in "".join(capfd.readouterr())


@pytest.mark.parametrize("said", ["", "read", "ready?", "noise; ready"])
def test_child_is_sent_nothing_before_it_is_ready(tmp_path: Path, said: str) -> None:
    read = tmp_path / "read"
    command = shell_child(f"printf '{said}'; cat >{shlex.quote(str(read))}")

    with pytest.raises(StoreError) as caught:
        OsKeyring(command, timeout=0.5, gate=WRITABLE).put(new_key())

    assert "still holds it" in caught.value.safe
    assert not read.exists() or read.read_text() == ""


def test_child_that_answers_without_end_is_a_plain_error() -> None:
    with pytest.raises(StoreError) as caught:
        OsKeyring(shell_child("echo ready; exec yes"), timeout=PATIENCE, gate=WRITABLE).put(
            new_key()
        )

    assert "ended without an answer" in caught.value.title


def test_command_that_is_not_there_is_a_plain_error() -> None:
    with pytest.raises(StoreError) as caught:
        OsKeyring(("/nonexistent/python",), gate=WRITABLE).put(new_key())

    assert SENTINEL not in full_text(caught.value)


@pytest.mark.parametrize(
    "body",
    [
        "Keyring.get_password = lambda *args: 'another value'",
        "Keyring.get_password = lambda *args: None",
        "Keyring.set_password = lambda *args: None",
    ],
)
def test_keyring_that_reads_back_otherwise_gives_no_receipt(
    own_service: SecretService, tmp_path: Path, body: str
) -> None:
    store = OsKeyring(python_child(tmp_path, body), env=own_service.env, gate=WRITABLE)

    with pytest.raises(StoreError) as caught:
        store.put(new_key())

    assert caught.value.title == "The OS keyring gave back something else than it was given."
    assert "still holds it" in caught.value.safe
    assert store.probe().reason == caught.value.title
    assert SENTINEL not in full_text(caught.value)


def test_keyring_that_does_not_forget_is_told(own_service: SecretService, tmp_path: Path) -> None:
    command = python_child(tmp_path, "Keyring.delete_password = lambda *args: None")
    store = OsKeyring(command, env=own_service.env, gate=WRITABLE)
    store.put(new_key())

    with pytest.raises(StoreError, match="still holds"):
        store.delete(KEY_ID)


def test_backend_error_that_holds_the_secret_stays_in_the_child(
    keyring_service: SecretService, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    body = (
        "def broken(self, service, username, password):\n"
        "    print(password, flush=True)\n"
        "    print(password, file=sys.stderr, flush=True)\n"
        "    raise RuntimeError(password)\n"
        "Keyring.set_password = broken"
    )
    store = OsKeyring(python_child(tmp_path, body), env=keyring_service.env, gate=WRITABLE)

    with pytest.raises(StoreError) as caught:
        store.put(new_key())

    assert caught.value.title == "The OS keyring failed (RuntimeError)."
    assert SENTINEL not in full_text(caught.value)
    assert SENTINEL not in "".join(capfd.readouterr())


def test_backend_that_prints_does_not_spoil_the_answer(
    keyring_service: SecretService, tmp_path: Path
) -> None:
    noisy = "def noisy(path=''): os.write(1, b'noise')\nkeyring_child.check_secret_service = noisy"

    store = OsKeyring(python_child(tmp_path, noisy), env=keyring_service.env, gate=WRITABLE)

    assert store.probe().writable


def test_program_left_running_does_not_delay_the_answer(
    keyring_service: SecretService, tmp_path: Path
) -> None:
    running = tmp_path / "running"
    running.touch()
    loop = f"while test -e {running}; do sleep 0.1; done"
    body = (
        "import subprocess\n"
        f"def start(path=''): subprocess.Popen(['/bin/sh', '-c', {loop!r}])\n"
        "keyring_child.check_secret_service = start"
    )
    try:
        store = OsKeyring(
            python_child(tmp_path, body), timeout=5, env=keyring_service.env, gate=WRITABLE
        )
        assert store.probe(canary=False).writable
    finally:
        running.unlink()


# Where the secret is while the child works


def test_secret_under_way_is_in_no_argument_environment_or_file(
    own_service: SecretService, tmp_path: Path
) -> None:
    facts, go = tmp_path / "facts", tmp_path / "go"
    body = (
        "import ctypes, resource\n"
        "def slow(*args, real=Keyring.set_password):\n"
        "    core = resource.getrlimit(resource.RLIMIT_CORE)[1]\n"
        "    dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)\n"
        f"    with open({str(facts)!r} + '.new', 'w') as file:\n"
        "        file.write(f'{core} {dumpable} {os.getsid(0)}')\n"
        f"    os.rename({str(facts)!r} + '.new', {str(facts)!r})\n"
        f"    while not os.path.exists({str(go)!r}): time.sleep(0.01)\n"
        "    real(*args)\n"
        "Keyring.set_password = slow"
    )
    folder = tmp_path / "tmp"
    folder.mkdir()
    env = own_service.env | {"TMPDIR": str(folder)}
    store = OsKeyring(python_child(tmp_path, body), timeout=PATIENCE, env=env, gate=WRITABLE)
    worker = threading.Thread(target=store.put, args=(new_key(secret=LONE),))
    worker.start()
    try:
        wait_until(facts.exists, "the child is about to store")
        shown = processes_that_show(LONE)
        marked = processes_that_show(str(folder))
    finally:
        go.touch()
        worker.join(PATIENCE)

    assert marked, "the search must see the child's environment"
    assert shown == []
    core, dumpable, session = facts.read_text().split()
    assert (core, dumpable) == ("0", "0")
    assert int(session) != os.getsid(0), "it has no terminal of keytui's"
    assert files_that_hold(LONE, tmp_path) == []
    assert files_that_hold(LONE, Path(own_service.env["XDG_RUNTIME_DIR"])) == []
    held = own_service.lookup(KEY_ID)
    assert held is not None
    assert LONE in held


def test_keytuis_own_process_never_imports_keyring() -> None:
    code = (
        "import sys\n"
        "from keytui.core.gate import Gate\n"
        "from keytui.stores import csv_file\n"
        "from keytui.tui.terminal import clipboard\n"
        "from keytui.stores.keyring import os_keyring\n"
        "os_keyring.OsKeyring(gate=Gate(False)).probe()\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'keyring', 'secretstorage', 'jeepney', 'cryptography'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )

    assert done.stdout.strip() == "[]"


def test_child_takes_no_module_from_the_current_folder(
    keyring_service: SecretService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keyring.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)

    assert OsKeyring(env=keyring_service.env, gate=WRITABLE).probe().writable
    assert not (tmp_path / "ran").exists()
    assert CHILD_COMMAND[:2] == (sys.executable, "-P")


def test_environment_is_keytuis_own_where_none_is_given(
    keyring_service: SecretService, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = OsKeyring(gate=WRITABLE)
    for name in ("HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.setenv(name, keyring_service.env[name])

    assert store.probe().writable
