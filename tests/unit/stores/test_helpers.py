"""What helpers get, and what others of the user's processes can see of it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keytui.stores.keyring.os_keyring import OsKeyring
from keytui.tui.terminal.desktop import runner
from tests.support.eavesdropper import POWERLESS, WATCHING, eavesdropper
from tests.support.gates import WRITABLE
from tests.support.secret_service import PATIENCE, wait_until
from tests.support.sentinel import EXPOSED, SENTINEL

REPOSITORY = Path(__file__).parents[3]
ROUNDS = 8

HARDENED = "from keytui.core.hardening import harden_process\nharden_process()\n"
KEYRING = """
import sys

from keytui.stores.keyring.os_keyring import OsKeyring
from tests.support.gates import WRITABLE
from tests.support.sentinel import new_key
for number in range({rounds}):
    OsKeyring((sys.executable, "-P", {child!r}), gate=WRITABLE).put(new_key())
"""
ECHO = """
import time
from keytui.stores.keyring import child
time.sleep(0.05)
child.answer = lambda op, asked: {"backend": "keyring.backends.SecretService"} | (
    {"value": asked["value"]} if "value" in asked else {})
child.main("put")
"""
OPENED = """
import subprocess
spy = subprocess.Popen({spy!r}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
    start_new_session=True)
spy.stdout.readline()
spy.stdout.close()
"""
SPY = """
import os, re, sys, time
pid = os.getppid()
memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
maps = re.findall("(\\\\w+)-(\\\\w+) rw", open(f"/proc/{pid}/maps").read())
print("open", flush=True)
found, end = "watching\\n", time.monotonic() + 20
while found == "watching\\n" and time.monotonic() < end:
    read = 0
    for first, last in maps:
        for at in range(int(first, 16), int(last, 16) + 8_000_000, 4096):
            try:
                page = os.pread(memory, 4096, at)
            except OSError:
                break
            read += len(page)
            if (sys.argv[1] + sys.argv[2]).encode() in page:
                found = "heard"
    if not read:
        break
with open(sys.argv[3] + ".new", "w") as file:
    file.write(found)
os.rename(sys.argv[3] + ".new", sys.argv[3])
"""
PROGRAMS = """
import os, sys
from keytui.tui.terminal.desktop import runner
from tests.support.sentinel import SENTINEL
run = runner(os.environ)
for number in range({rounds}):
    assert run((sys.executable, "-c", "import time; time.sleep(0.05); open(0).read()"), SENTINEL) \
== ""
    said = run((sys.executable, "-c", {say!r}), None)
    assert said == SENTINEL
"""
SAY = f"import time; print({SENTINEL!r}[:9], end='', flush=True); time.sleep(0.05); " + (
    f"print({SENTINEL!r}[9:], end='', flush=True); time.sleep(0.05)"
)


def run_code(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*POWERLESS, sys.executable, "-c", code],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
    )


def test_no_process_of_the_user_hears_what_the_keyring_is_sent(tmp_path: Path) -> None:
    child, found = tmp_path / "child.py", tmp_path / "found"
    child.write_text(ECHO)
    with eavesdropper(SENTINEL, found):
        done = run_code(HARDENED + KEYRING.format(rounds=ROUNDS, child=str(child)))
    assert found.read_text() == WATCHING
    assert done.returncode == 0, done.stderr


def test_no_process_of_the_user_hears_a_clipboard_program(tmp_path: Path) -> None:
    found = tmp_path / "found"
    with eavesdropper(SENTINEL[9:], found):
        done = run_code(HARDENED + PROGRAMS.format(rounds=ROUNDS, say=SAY))
    assert found.read_text() == WATCHING
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="Linux's /proc")
def test_keyring_helper_opened_before_hardening_has_no_secret(
    tmp_path: Path,
) -> None:
    """A spy is started by the helper itself, just before it hardens: the surest moment."""
    child, found = tmp_path / "child.py", tmp_path / "found"
    # In two parts: the helper's own code, in its memory, names the spy.
    spy = [sys.executable, "-c", SPY, SENTINEL[:9], SENTINEL[9:], str(found)]
    child.write_text(OPENED.format(spy=spy) + ECHO)
    done = run_code(HARDENED + KEYRING.format(rounds=1, child=str(child)))
    assert done.returncode == 0, done.stderr
    wait_until(found.exists, "the spy has read")
    assert found.read_text() == WATCHING


@pytest.mark.parametrize("run", ["keyring", "clipboard"])
def test_helpers_inherit_no_secret(tmp_path: Path, run: str) -> None:
    seen = tmp_path / "seen"
    secret = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "KEYRING_CRYPTFILE_PASSWORD")
    env = dict(os.environ) | dict.fromkeys(secret, EXPOSED)
    command = ("/bin/sh", "-c", f"env >{seen}")
    if run == "keyring":
        OsKeyring(command, env=env, gate=WRITABLE).probe()
    else:
        runner(env)(command, "text")
    assert "PATH=" in seen.read_text()
    assert EXPOSED not in seen.read_text()


def test_encrypted_files_helper_gets_its_password_alone(tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    env = dict(os.environ) | {
        "KEYRING_CRYPTFILE_PASSWORD": "made-up",
        "AWS_SECRET_ACCESS_KEY": EXPOSED,
    }
    OsKeyring(("/bin/sh", "-c", f"env >{seen}"), env=env, kind="cryptfile", gate=WRITABLE).probe()
    assert "KEYRING_CRYPTFILE_PASSWORD=made-up" in seen.read_text()
    assert EXPOSED not in seen.read_text()


def test_files_of_helpers_are_private_whatever_the_umask(tmp_path: Path) -> None:
    made = tmp_path / "made"
    before = os.umask(0)
    try:
        runner(os.environ)(("/bin/sh", "-c", f"cat >{made}"), "text")
    finally:
        os.umask(before)
    assert made.read_text() == "text"
    assert made.stat().st_mode & 0o077 == 0


def test_huge_clipboard_is_not_taken() -> None:
    assert runner(os.environ)(("yes",), None) is None
