"""keytui is stopped and continued: by hand, by job control, by a container that sleeps."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex

import pytest

from tests.e2e.conftest import Desk, on_bus, signed_by, statuses
from tests.e2e.test_terminal_gone import ENDS, end, gone, reveal_unkept
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import Fault, IamServer
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService, wait_until
from tests.support.terminal import KEYTUI, Terminal

WITHIN = 20.0
"""Seconds within which keytui has ended: the patience of the screen, of the keyring, of AWS."""
MEANWHILE = (
    *("SIGCONT", "SIGTSTP", "SIGTTOU", "SIGTTIN", "SIGWINCH", "SIGPIPE", "SIGUSR1", "SIGALRM"),
    *("SIGINT", "SIGQUIT", "SIGHUP", "SIGTERM"),
)
"""What arrives while a secret is rescued."""


def state(pid: int) -> str:
    """Return a process's state as the kernel names it: T for a stopped one."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def stop(pid: int) -> None:
    """Stop a process, whatever it thinks of that."""
    os.kill(pid, signal.SIGSTOP)
    wait_until(lambda: state(pid) == "T", "the process is stopped")


def stop_and_continue(pid: int, times: int = 1) -> None:
    """Stop a process and let it go on."""
    for _ in range(times):
        stop(pid)
        os.kill(pid, signal.SIGCONT)


def spoil(run: Terminal) -> None:
    """Do to the terminal what a shell does when its job was stopped."""
    tty = run._tmux("display-message", "-p", "#{pane_tty}").strip()
    subprocess.run(["stty", "-F", tty, "sane"], check=True)
    Path(tty).write_text("\x1b[?1049l\x1b[?25h\x1b[2J\x1b[HSPOILT")
    run.wait_for("SPOILT")


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(one) for task in tasks for one in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def asks_keyring(pid: int) -> bool:
    """Return whether a process has the keyring asked to keep a secret, just now."""
    lines = (Path(f"/proc/{child}/cmdline") for child in children(pid))
    return any(b"keyring.child\0put\0" in line.read_bytes() for line in lines)


@contextmanager
def slow(service: SecretService) -> Iterator[None]:
    """Let the keyring give no answer while the block runs."""
    assert service.daemon
    stop(service.daemon.pid)
    try:
        yield
    finally:
        os.kill(service.daemon.pid, signal.SIGCONT)


def test_screen_is_whole_after_a_stop_and_keys_act_once(desk: Desk, moto: MotoAccount) -> None:
    run = desk.keytui(env=signed_by(moto.options))
    run.wait_for("12 users")
    run.wait_for("▸ admin")
    pid = run.pid
    for _ in range(3):
        stop(pid)
        spoil(run)
        os.kill(pid, signal.SIGCONT)
        run.wait_gone("SPOILT")
        screen = run.wait_for("12 users")
        assert "q Quit" in screen
    run.send("j")
    run.wait_for("▸ alice")
    run.send("j")
    run.wait_for("▸ bob")
    run.send("k")
    run.wait_for("▸ alice")

    run.send("q")

    assert run.wait_exit(WITHIN) == 0


def test_many_continuations_do_no_harm(desk: Desk, moto: MotoAccount) -> None:
    run = desk.keytui(env=signed_by(moto.options))
    run.wait_for("12 users")
    for _ in range(300):
        os.kill(run.pid, signal.SIGCONT)
    run.send("/")
    run.type("carol")
    run.wait_for("▸ carol")

    os.kill(run.pid, signal.SIGTERM)

    assert run.wait_exit(WITHIN) == 128 + signal.SIGTERM


@pytest.mark.parametrize("how", ENDS)
def test_unkept_secret_is_safe_after_stops(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService, how: str
) -> None:
    run = desk.keytui("--user", "carol", env=on_bus(keyring_service) | signed_by(moto.options))
    run.wait_for("unlocked")
    key_id = reveal_unkept(run)
    stop_and_continue(run.pid, times=5)

    pid = end(run, how)

    wait_until(lambda: gone(pid), "keytui has ended", WITHIN)
    assert key_id in (keyring_service.lookup(key_id) or "")
    assert statuses(moto, "carol") == {key_id: "Active"}


@pytest.mark.parametrize("how", ENDS)
def test_end_that_comes_while_stopped_is_heeded(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService, how: str
) -> None:
    run = desk.keytui("--user", "carol", env=on_bus(keyring_service) | signed_by(moto.options))
    run.wait_for("unlocked")
    key_id = reveal_unkept(run)
    stop(run.pid)

    pid = end(run, how)
    os.kill(pid, signal.SIGCONT)

    wait_until(lambda: gone(pid), "keytui has ended", WITHIN)
    assert key_id in (keyring_service.lookup(key_id) or "")
    assert statuses(moto, "carol") == {key_id: "Active"}


def test_key_under_way_is_kept_after_a_stop_and_a_hang_up(
    desk: Desk, iam: FakeIam, server: IamServer, keyring_service: SecretService
) -> None:
    iam.add_user("carol")
    iam.next_secret = secret = token_hex(20)  # Another run's may be in the keyring.
    server.fault("CreateAccessKey", Fault(hang=True))
    run = desk.keytui("--user", "carol", env=on_bus(keyring_service) | signed_by(server.options))
    run.wait_for("unlocked")
    run.send("c")
    run.wait_for("Create an access key")
    run.send("Down")
    run.send("Down")
    run.wait_for("◉ Show only")
    run.send("Enter")
    run.wait_until(lambda: server.received()["CreateAccessKey"] == 1, "the request")
    pid = run.pid
    stop_and_continue(pid, times=3)
    os.kill(pid, signal.SIGHUP)
    stop(pid)
    server.release()
    os.kill(pid, signal.SIGCONT)

    wait_until(lambda: gone(pid), "keytui has ended", WITHIN)
    (key,) = iam.held(iam.find("carol"))
    assert secret in (keyring_service.lookup(key.id) or "")


@pytest.mark.parametrize("first", ["SIGTERM", "SIGHUP"])
def test_nothing_interrupts_a_rescue(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService, first: str
) -> None:
    run = desk.keytui("--user", "carol", env=on_bus(keyring_service) | signed_by(moto.options))
    run.wait_for("unlocked")
    key_id, pid = reveal_unkept(run), run.pid
    with slow(keyring_service):
        os.kill(pid, getattr(signal, first))
        wait_until(lambda: asks_keyring(pid), "the keyring is asked")
        for _ in range(5):
            for name in MEANWHILE:
                os.kill(pid, getattr(signal, name))
        stop_and_continue(pid)

    wait_until(lambda: gone(pid), "keytui has ended", WITHIN)
    assert key_id in (keyring_service.lookup(key_id) or "")
    assert statuses(moto, "carol") == {key_id: "Active"}


def test_rescue_outlasts_a_long_stop(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService
) -> None:
    """The clock runs on while a process is stopped; the keyring has answered all the same."""
    run = desk.keytui("--user", "carol", env=on_bus(keyring_service) | signed_by(moto.options))
    run.wait_for("unlocked")
    key_id, pid = reveal_unkept(run), run.pid
    with slow(keyring_service):
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: asks_keyring(pid), "the keyring is asked")
        stop(pid)
    began = time.monotonic()
    wait_until(lambda: time.monotonic() > began + 6, "the keyring's time is up")
    os.kill(pid, signal.SIGCONT)

    wait_until(lambda: gone(pid), "keytui has ended", WITHIN)
    assert key_id in (keyring_service.lookup(key_id) or "")
    assert statuses(moto, "carol") == {key_id: "Active"}


def test_terminal_that_takes_nothing_holds_nobody_up(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService
) -> None:
    run = desk.keytui("--user", "carol", env=on_bus(keyring_service) | signed_by(moto.options))
    run.wait_for("unlocked")
    key_id, pid = reveal_unkept(run), run.pid
    tmux = int(run._tmux("display-message", "-p", "#{pid}"))
    stop(tmux)
    try:
        for _ in range(300):  # Each paints the whole screen, until no more can be written.
            os.kill(pid, signal.SIGWINCH)
            time.sleep(0.01)
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: gone(pid), "keytui has ended", WITHIN)
    finally:
        os.kill(tmux, signal.SIGCONT)
    assert key_id in (keyring_service.lookup(key_id) or "")
    assert statuses(moto, "carol") == {key_id: "Active"}


# Job control.


def in_shell(desk: Desk, env: dict[str, str]) -> Terminal:
    """Start keytui as a job of an interactive shell."""
    run = desk.run(["bash", "--norc", "-i"], env=env | {"PS1": "at the shell> "})
    run.wait_for("at the shell>")
    run.type(f"{KEYTUI} --user carol")
    run.send("Enter")
    run.wait_for("carol  no key")
    return run


def keytui_in(shell: Terminal) -> int:
    """Return the process ID of the shell's job."""
    (pid,) = children(shell.pid)
    return pid


@pytest.mark.parametrize("how", ["ctrl+z", "SIGTSTP"])
def test_job_is_suspended_and_comes_back_whole(desk: Desk, moto: MotoAccount, how: str) -> None:
    run = in_shell(desk, signed_by(moto.options))
    for _ in range(2):
        if how == "ctrl+z":
            run.send("C-z")
        else:
            os.kill(keytui_in(run), signal.SIGTSTP)
        run.wait_for(re.compile(r"Stopped.*\n.*at the shell>"))
        assert "carol  no key" not in run.text()
        run.type("echo to-$((40 + 2))")
        run.send("Enter")
        run.wait_for("to-42")
        run.type("fg")
        run.send("Enter")
        run.wait_for("q Quit")
        run.wait_for("carol  no key")
    run.send("?")
    run.wait_for("esc Back")
    run.escape("esc Back")
    run.send("q")
    run.wait_until(lambda: children(run.pid) == [], "keytui has ended")
    run.type("stty -a | grep -c ' echo '")
    run.send("Enter")
    run.wait_for(re.compile(r"^1$", re.MULTILINE))


def test_job_in_the_background_waits_for_the_foreground(desk: Desk, moto: MotoAccount) -> None:
    run = in_shell(desk, signed_by(moto.options))
    pid = keytui_in(run)
    run.send("C-z")
    run.wait_for(re.compile(r"Stopped.*\n.*at the shell>"))
    run.type("bg")
    run.send("Enter")
    run.wait_until(lambda: state(pid) == "T", "it is stopped again")
    run.type("echo to-$((40 + 2))")
    run.send("Enter")
    run.wait_for("to-42")
    run.type("fg")
    run.send("Enter")
    run.wait_for("carol  no key")
    run.send("q")
    run.wait_until(lambda: gone(pid), "keytui has ended")


def test_start_in_the_background_waits_for_the_foreground(desk: Desk, moto: MotoAccount) -> None:
    run = desk.run(
        ["bash", "--norc", "-i"], env=signed_by(moto.options) | {"PS1": "at the shell> "}
    )
    run.wait_for("at the shell>")
    run.type(f"{KEYTUI} --user carol &")
    run.send("Enter")
    run.wait_until(lambda: [state(pid) for pid in children(run.pid)] == ["T"], "it is stopped")
    run.send("Enter")
    run.wait_for(re.compile("Stopped"))
    run.type("fg")
    run.send("Enter")
    run.wait_for("carol  no key")
    run.send("q")
    run.wait_until(lambda: children(run.pid) == [], "keytui has ended")


def test_screen_without_a_shell_behind_it_stays(desk: Desk, moto: MotoAccount) -> None:
    """The kernel stops no job that nobody could continue."""
    run = desk.keytui(env=signed_by(moto.options))
    run.wait_for("12 users")
    for _ in range(2):
        run.send("C-z")
        run.wait_for("Not suspended: there is no shell to return to.")
        run.escape("Not suspended")
        run.wait_for("q Quit")
    os.kill(run.pid, signal.SIGTSTP)
    run.wait_for("Not suspended: there is no shell to return to.")
    run.send("q")
    assert run.wait_exit(WITHIN) == 0


def test_suspended_job_ends_with_its_terminal(desk: Desk, moto: MotoAccount) -> None:
    run = in_shell(desk, signed_by(moto.options))
    pid = keytui_in(run)
    run.send("C-z")
    run.wait_for(re.compile(r"Stopped.*\n.*at the shell>"))

    run._tmux("kill-server")

    wait_until(lambda: gone(pid), "keytui has ended", WITHIN)


@pytest.mark.parametrize("how", ["ctrl+z", "SIGTSTP"])
def test_unkept_secret_is_not_suspended(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService, how: str
) -> None:
    run = in_shell(desk, on_bus(keyring_service) | signed_by(moto.options))
    pid = keytui_in(run)
    run.wait_for("unlocked")
    run.send("c")
    run.wait_for("Create an access key")
    run.send("Down")
    run.send("Down")
    run.wait_for("◉ Show only")
    run.send("Enter")
    run.wait_for("It is kept nowhere yet")
    if how == "ctrl+z":
        run.send("C-z")
    else:
        os.kill(pid, signal.SIGTSTP)
    run.wait_for("Not suspended: the new key's secret is not saved yet.")
    assert state(pid) != "T"


@pytest.mark.parametrize("secret_at_stake", [False, True])
def test_job_stopped_by_force_is_ended_in_the_background(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService, secret_at_stake: bool
) -> None:
    """The rescue of a job that may not use the terminal is not stopped for that."""
    run = in_shell(desk, on_bus(keyring_service) | signed_by(moto.options))
    pid = keytui_in(run)
    run.wait_for("unlocked")
    if secret_at_stake:
        reveal_unkept_in_shell(run)
    run.type("stty tostop")  # typed ahead, to the screen: of no effect there
    stop(pid)
    run.wait_for(re.compile(r"Stopped"))
    run.send("Enter")
    run.type("bg")
    run.send("Enter")

    os.kill(pid, signal.SIGTERM)
    os.kill(pid, signal.SIGCONT)

    wait_until(lambda: gone(pid), "keytui has ended", WITHIN)
    for key_id, status in statuses(moto, "carol").items():
        assert status == "Active"
        assert key_id in (keyring_service.lookup(key_id) or "")


def reveal_unkept_in_shell(run: Terminal) -> None:
    """Create a key for carol that is only shown."""
    run.send("c")
    run.wait_for("Create an access key")
    run.send("Down")
    run.send("Down")
    run.wait_for("◉ Show only")
    run.send("Enter")
    run.wait_for("It is kept nowhere yet")


@pytest.mark.parametrize("how", ["ctrl+z", "SIGSTOP", "in the background"])
def test_password_stays_hidden_after_a_stop(
    desk: Desk, moto: MotoAccount, own_service: SecretService, how: str
) -> None:
    """The shell turns the echo on when its job is stopped, and leaves it so."""
    env = on_bus(own_service) | signed_by(moto.options)
    run = desk.run(["bash", "--norc", "-i"], env=env | {"PS1": "at the shell> "})
    own_service.lock()
    run.wait_for("at the shell>")
    run.type(f"{KEYTUI} --unlock-keyring --user carol")
    run.send("Enter")
    run.wait_for("Password of the")
    pid = keytui_in(run)
    if how == "SIGSTOP":
        stop(pid)
    else:
        run.send("C-z")
    run.wait_for(re.compile(r"Stopped.*\n.*at the shell>"))
    if how == "in the background":
        run.type("bg")
        run.send("Enter")
        run.wait_until(lambda: state(pid) == "T", "it is stopped again")
    run.type("clear; fg")
    run.send("Enter")
    run.wait_for("Password of the")

    run.type("seen-by-nobody")
    run.send("Enter")

    run.wait_for(re.compile(r"Password of the.*\n[^$]*Password of the"))
    assert "seen-by-nobody" not in run.text()
    run.send("C-c")
    run.wait_until(lambda: children(run.pid) == [], "keytui has ended")
    run.type("stty -a | grep -c ' echo '")
    run.send("Enter")
    run.wait_for(re.compile(r"^1$", re.MULTILINE))
