"""The keyrings asked for by name, for real: pass with GnuPG, and the encrypted file."""

import os
import pty
import select
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from keytui.core.errors import StoreError, StoreLockedError, WrongPasswordError
from keytui.core.model import Secret
from keytui.stores.base import Mend
from keytui.stores.keyring.os_keyring import OsKeyring
from tests.support.gates import WRITABLE
from tests.support.sentinel import KEY_ID, SENTINEL, new_key

PATIENCE = 60


@pytest.fixture
def home() -> Iterator[Path]:
    """A home whose path is short: gpg's agent has a socket in it."""
    with tempfile.TemporaryDirectory(prefix="keytui-") as folder:
        yield Path(folder)


@pytest.fixture
def env(home: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return kept | {
        "HOME": str(home),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_RUNTIME_DIR": "/nonexistent",
        "GNUPGHOME": str(home / ".gnupg"),
    }


def gpg(env: dict[str, str], *words: str, given: str = "") -> None:
    command = ["gpg", "--batch", "--quiet", "--pinentry-mode", "loopback", *words]
    subprocess.run(
        command, env=env, input=given.encode(), capture_output=True, check=True, timeout=PATIENCE
    )


@pytest.fixture
def password_store(env: dict[str, str], home: Path) -> Iterator[dict[str, str]]:
    """A password store whose GnuPG key has a passphrase, which the agent knows."""
    for command in ("gpg", "pass"):
        if shutil.which(command) is None:
            pytest.fail(f"{command} is missing: apt-get install gnupg pass")
    (home / ".gnupg").mkdir(mode=0o700)
    # How dear a guess at the passphrase is: measuring it takes the agent seconds.
    (home / ".gnupg/gpg-agent.conf").write_text("s2k-count 65536\n")
    try:
        identity = "keytui <keytui@example.invalid>"
        # The kind of key that is made in no time.
        kind = ("future-default", "default", "never")
        gpg(env, "--passphrase", "gpg horse", "--quick-generate-key", identity, *kind)
        subprocess.run(["pass", "init", identity], env=env, capture_output=True, check=True)
        letter = str(home / "letter.asc")
        gpg(env, "--output", letter, "--encrypt", "--recipient", identity, given="hello")
        # A decryption lets the agent keep the passphrase.
        gpg(env, "--passphrase", "gpg horse", "--decrypt", letter)
        yield env
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], env=env, check=False, timeout=PATIENCE)


def forget_passphrase(env: dict[str, str]) -> None:
    subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=env, check=True, timeout=PATIENCE)


def test_pass_keeps_a_secret(password_store: dict[str, str]) -> None:
    store = OsKeyring(env=password_store, kind="pass", gate=WRITABLE)

    probe = store.probe()
    assert (probe.writable, probe.label, probe.chosen) == (
        True,
        "Password store (pass)",
        "asked for by name",
    )
    assert store.put(new_key()).where == "Password store (pass)"
    assert store.locator == "keyring:pass"
    assert store.get(KEY_ID).reveal() == SENTINEL
    store.delete(KEY_ID)
    files = [path.read_bytes() for path in Path(password_store["HOME"]).rglob("*.gpg")]
    assert not any(SENTINEL.encode() in content for content in files)


def test_pass_reads_and_writes_by_a_socket(password_store: dict[str, str], tmp_path: Path) -> None:
    """A pipe could be opened by any process of the user, under /proc."""
    seen = tmp_path / "seen"
    real = shutil.which("pass")
    (tmp_path / "pass").write_text(
        "#!/bin/sh\nstreams=$(readlink /proc/$$/fd/0 /proc/$$/fd/1)\n"
        f'echo "$streams" >>{seen}\nexec {real} "$@"\n'
    )
    (tmp_path / "pass").chmod(0o755)
    env = password_store | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    store = OsKeyring(env=env, kind="pass", gate=WRITABLE)

    store.put(new_key())

    assert store.get(KEY_ID).reveal() == SENTINEL
    kinds = {line.partition(":")[0] for line in seen.read_text().splitlines()}
    assert kinds == {"socket"}


def test_pass_without_a_passphrase_says_so_and_never_prompts(
    password_store: dict[str, str],
) -> None:
    ours, theirs = pty.openpty()
    env = password_store | {"GPG_TTY": os.ttyname(theirs), "TERM": "xterm"}
    forget_passphrase(env)
    # An agent that was started on this terminal asks there, whatever it is told later.
    subprocess.run(["gpg-connect-agent", "/bye"], env=env, capture_output=True, check=True)

    probe = OsKeyring(env=env, kind="pass", gate=WRITABLE).probe()

    assert not probe.writable
    assert "passphrase" in probe.reason
    assert "keytui --unlock-keyring" in probe.next_step
    assert select.select([ours], [], [], 0)[0] == [], "something was drawn on the terminal"


def test_pass_without_a_store(env: dict[str, str]) -> None:
    probe = OsKeyring(env=env, kind="pass", gate=WRITABLE).probe()
    assert (probe.writable, probe.reason) == (False, "pass has no password store yet.")


@pytest.fixture
def cryptfile(env: dict[str, str], tmp_path: Path) -> OsKeyring:
    return OsKeyring(cheap(tmp_path), env=env, kind="cryptfile", gate=WRITABLE)


def cheap(tmp_path: Path) -> tuple[str, ...]:
    """Return the command of a child whose key derivation is quick: its cost is not tested."""
    script = tmp_path / "child.py"
    script.write_text(
        "import sys\n"
        "from keyrings.cryptfile.cryptfile import ArgonAESEncryption as Encryption\n"
        "from keytui.stores.keyring import child as keyring_child\n"
        "Encryption.time_cost, Encryption.memory_cost = 1, 1024\n"
        "keyring_child.main(sys.argv[1])\n"
    )
    return (sys.executable, "-P", str(script))


def the_file(env: dict[str, str]) -> Path:
    (found,) = Path(env["HOME"]).rglob("cryptfile_pass.cfg")
    return found


def test_encrypted_file_is_made_opened_and_locked(
    cryptfile: OsKeyring, env: dict[str, str], tmp_path: Path
) -> None:
    assert cryptfile.probe().mend is Mend.MAKE
    cryptfile.unlock(Secret("file horse"))
    cryptfile.put(new_key())

    assert cryptfile.probe().writable
    assert cryptfile.get(KEY_ID).reveal() == SENTINEL
    assert SENTINEL not in the_file(env).read_text()
    assert the_file(env).stat().st_mode & 0o077 == 0
    assert [path.name for path in the_file(env).parent.iterdir() if path.suffix == ".new"] == []

    another_run = OsKeyring(cheap(tmp_path), env=env, kind="cryptfile", gate=WRITABLE)
    assert another_run.probe().mend is Mend.UNLOCK
    with pytest.raises(StoreLockedError):
        another_run.get(KEY_ID)
    with pytest.raises(WrongPasswordError):
        another_run.unlock(Secret("wrong horse"))
    another_run.unlock(Secret("file horse"))
    assert another_run.get(KEY_ID).reveal() == SENTINEL
    assert another_run.hurried(5).get(KEY_ID).reveal() == SENTINEL


def test_encrypted_file_is_written_whole_or_not_at_all(
    cryptfile: OsKeyring, env: dict[str, str]
) -> None:
    cryptfile.unlock(Secret("file horse"))
    cryptfile.put(new_key())
    before = the_file(env).read_bytes()
    # A folder stands where the copy is to be made: as with a full disk, nothing can be written.
    the_file(env).with_suffix(".cfg.new").mkdir()

    with pytest.raises(StoreError):
        cryptfile.put(new_key(key_id="AKIASECOND00EXAMPLE1"))

    assert the_file(env).read_bytes() == before
    assert cryptfile.get(KEY_ID).reveal() == SENTINEL


def test_password_in_the_environment_opens_it_for_other_programs(
    cryptfile: OsKeyring, env: dict[str, str], tmp_path: Path
) -> None:
    cryptfile.unlock(Secret("file horse"))
    cryptfile.put(new_key())

    elsewhere = env | {"KEYRING_CRYPTFILE_PASSWORD": "file horse"}
    other = OsKeyring(cheap(tmp_path), env=elsewhere, kind="cryptfile", gate=WRITABLE)
    assert other.get(KEY_ID).reveal() == SENTINEL


def test_neither_is_fallen_into(env: dict[str, str]) -> None:
    probe = OsKeyring(env=env, gate=WRITABLE).probe()
    assert "no D-Bus session" in probe.reason
    assert not list(Path(env["HOME"]).rglob("cryptfile_pass.cfg"))
