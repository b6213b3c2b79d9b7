"""The terminal goes away while a secret is kept nowhere: it is saved, or its key is deleted."""

import os
import select
import signal
import subprocess
import termios

import pytest

from tests.e2e.conftest import Desk, on_bus, signed_by, statuses
from tests.e2e.steps import NEW_KEY
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService
from tests.support.terminal import KEYTUI, PATIENCE, Terminal, clean_env

ENDS = ("hang-up", "terminate", "closed pane")


def end(run: Terminal, how: str) -> int:
    """Take the terminal away; return the process ID of what ran in it."""
    pid = run.pid
    if how == "closed pane":
        run._tmux("kill-server")
    else:
        os.kill(pid, signal.SIGHUP if how == "hang-up" else signal.SIGTERM)
    return pid


def reveal_unkept(run: Terminal) -> str:
    """Create a key for carol that is only shown; return its ID."""
    run.wait_for("12 users")
    run.send("c")
    run.wait_for("Create an access key")
    run.send("Down")
    run.send("Down")
    run.wait_for("◉ Show only")
    run.send("Enter")
    ids: list[str] = NEW_KEY.findall(run.wait_for("It is kept nowhere yet"))
    return ids[-1]


def gone(pid: int) -> bool:
    """Return whether a process has ended (a zombie has)."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return state.stdout.strip()[:1] in {"", "Z"}


@pytest.mark.parametrize("how", ENDS)
def test_unkept_secret_is_put_into_the_keyring(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService, how: str
) -> None:
    env = on_bus(keyring_service) | signed_by(moto.options)
    run = desk.keytui("--user", "carol", env=env)
    run.wait_for("unlocked")
    key_id = reveal_unkept(run)

    pid = end(run, how)

    run.wait_until(lambda: gone(pid), "keytui has ended")
    assert key_id in (keyring_service.lookup(key_id) or "")
    assert statuses(moto, "carol") == {key_id: "Active"}


@pytest.mark.parametrize("how", ENDS)
def test_key_is_deleted_where_its_secret_can_not_be_kept(
    desk: Desk, moto: MotoAccount, how: str
) -> None:
    run = desk.keytui("--user", "carol", env=signed_by(moto.options))
    key_id = reveal_unkept(run)
    assert statuses(moto, "carol") == {key_id: "Active"}

    pid = end(run, how)

    run.wait_until(lambda: gone(pid), "keytui has ended")
    assert statuses(moto, "carol") == {}
    journal = (desk.state / "journal.jsonl").read_text()
    assert '"event":"discarded","account":"123456789012","user":"carol"' in journal


def test_terminal_that_closes_without_a_signal_ends_keytui(desk: Desk, moto: MotoAccount) -> None:
    """Only a session's leader gets the signal; the program may have lost it long ago."""
    master, slave = os.openpty()
    termios.tcsetwinsize(master, (40, 120))
    env = clean_env(desk.home) | signed_by(moto.options)
    run = subprocess.Popen(
        [KEYTUI], stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True
    )
    try:
        os.close(slave)
        seen = b""
        while b"12 users" not in seen:
            assert select.select([master], [], [], PATIENCE)[0], seen
            seen += os.read(master, 65536)
        os.close(master)
        run.wait(PATIENCE)
    finally:
        run.kill()
        run.wait()


def test_kept_secret_is_left_where_it_is(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService
) -> None:
    run = desk.keytui("--user", "carol", env=on_bus(keyring_service) | signed_by(moto.options))
    run.wait_for("12 users")
    run.send("c")
    run.wait_for("can be written")
    run.send("Enter")
    key_id = NEW_KEY.findall(run.wait_for("read back"))[-1]

    os.kill(run.pid, signal.SIGTERM)

    assert run.wait_exit() == 128 + signal.SIGTERM
    assert statuses(moto, "carol") == {key_id: "Active"}
    assert "deleted" not in run.history()
