"""``keytui doctor`` in a real terminal and without one."""

import json
import os
import re
import signal
import subprocess
from pathlib import Path

from tests.e2e.conftest import Desk, on_bus, signed_by
from tests.e2e.steps import FAULT
from tests.support.loopback import swallowing
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService
from tests.support.terminal import KEYTUI, Terminal, clean_env

UNLOCK = "$ keytui --unlock-keyring"


def said(run: Terminal, status: int) -> str:
    """Return the page once the doctor has ended."""
    assert run.wait_exit() == status
    page = run.history()
    assert not FAULT.search(page)
    return page


def test_keyring_that_works_then_is_locked(
    desk: Desk, moto: MotoAccount, own_service: SecretService
) -> None:
    env = signed_by(moto.options) | on_bus(own_service)
    wide = desk.keytui("doctor", env=env)
    page = said(wide, 0)
    assert "✓ Caller       arn:aws:iam::123456789012:user/admin (IAM user, key" in page
    assert "✓ Writable     Yes" in page
    assert "✓ Locked       No." in page
    assert "✓ Size         120×40." in page
    assert "set-clipboard is on" in page
    assert "Nothing is in the way." in page
    assert b"\x1b[32m" in wide.written()

    own_service.lock()
    narrow = desk.keytui("doctor", env=env | {"LC_ALL": "C", "NO_COLOR": "1"}, size=(60, 50))
    page = said(narrow, 1)
    assert "x Writable     The OS keyring is locked." in page
    assert UNLOCK in page
    assert "+ D-Bus        unix:path=" in page
    assert page.isascii()
    assert not re.search(rb"\x1b\[\d*m", narrow.written())


def test_neither_aws_nor_a_bus_nor_a_terminal(desk: Desk) -> None:
    done = without_terminal(desk, "doctor")
    assert done.returncode == 1
    assert done.stderr == ""
    assert "✗ Caller       No AWS credentials were found." in done.stdout
    assert "$ aws configure" in done.stdout
    assert "There is no D-Bus session here" in " ".join(done.stdout.split())
    assert UNLOCK in done.stdout
    assert "– TERM         There is no terminal here" in done.stdout
    assert "\x1b" not in done.stdout

    found = json.loads(without_terminal(desk, "doctor", "--json").stdout)
    assert found["ok"] is False
    assert found["keyring"]["bus"]["status"] == "warn"
    assert found["state"]["folder"]["value"] == str(desk.state)
    assert not desk.state.exists()


def test_tmux_that_drops_what_is_copied(desk: Desk) -> None:
    script = 'tmux set -s set-clipboard external && "$0" doctor --demo'
    page = " ".join(said(desk.run(["sh", "-c", script, KEYTUI]), 1).split())

    assert "tmux drops it" in page
    assert "$ tmux set -s set-clipboard on" in page


def test_interrupt_ends_it_at_once(desk: Desk) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIAMADEUP0000000001", "AWS_SECRET_ACCESS_KEY": "made-up"}
    with swallowing() as silent:
        run = desk.keytui("doctor", "--endpoint-url", silent, env=keys)
        run.wait_for("Looking")
        # To keytui alone: Ctrl-C would end the test's own shell around it too.
        os.kill(run.pid, signal.SIGINT)
        assert run.wait_exit(timeout=5) == 130
        assert not FAULT.search(run.history())


def without_terminal(desk: Desk, *words: str) -> "subprocess.CompletedProcess[str]":
    command: list[str | Path] = [KEYTUI, *words]
    return subprocess.run(
        command,
        env=clean_env(desk.home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=30,
        check=False,
    )
