"""Starting keytui: flags, terminals of all sizes, and whatever can be wrong before AWS answers."""

import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from keytui import __version__
from tests.e2e.conftest import Desk, signed_by
from tests.e2e.steps import FAULT, row
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import IamServer
from tests.support.loopback import refusing, swallowing
from tests.support.terminal import KEYTUI, clean_env


def test_demo_account_needs_nothing_and_leaves_nothing(desk: Desk) -> None:
    run = desk.keytui("--demo")
    run.wait_for("12 users")
    assert "DEMO" in run.text().splitlines()[0]
    run.send("j")
    run.wait_for(row("AKIADEMOALICE0000002", "Active"))
    server = child_of(run.pid)
    run.send("q")
    assert run.wait_exit() == 0
    run.wait_until(lambda: ended(server), "the demo account has ended")
    assert not list((desk.home / "tmp").iterdir())

    killed = desk.keytui("--demo", "--user", "bob")
    killed.wait_for(row("AKIADEMOBOB000000001", "Active"))
    server = child_of(killed.pid)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait_until(lambda: ended(server), "the demo account has ended")


def test_without_a_terminal_it_says_so(desk: Desk) -> None:
    said = command(desk, "--demo")
    assert said.returncode == 2
    assert "keytui needs a terminal" in said.stderr
    assert said.stdout == ""

    assert command(desk, "--version").stdout == f"keytui {__version__}\n"
    shown = command(desk, "--help").stdout
    for flag in ("profile", "region", "endpoint-url", "user", "read-only", "demo", "demo-users"):
        assert f"--{flag}" in shown
    assert command(desk, "--demo-users", "none").returncode == 2

    dumb = desk.run(["env", "TERM=dumb", KEYTUI, "--demo"])
    assert dumb.wait_exit() == 2
    assert "TERM" in dumb.history()


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
def test_every_size_shows_id_and_status(
    desk: Desk, iam: FakeIam, server: IamServer, size: tuple[int, int]
) -> None:
    alice = iam.add_user("alice")
    first, second = iam.add_key(alice), iam.add_key(alice)
    run = desk.keytui("--user", "alice", env=signed_by(server.options), size=size)
    run.wait_for(row(first.id, "Active"))
    run.wait_for(row(second.id, "Active"))
    run.send("d")
    run.wait_for(row(first.id, "Inactive"))
    run.send("x")
    run.wait_for("last four characters")
    run.wait_for("keep it")
    run.escape("last four characters")
    run.send("?")
    run.wait_for("Create an access key")
    run.escape("Create an access key")
    assert all(len(line) <= size[0] for line in run.text().splitlines())


def test_terminal_too_small_says_so_and_comes_back(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    key = iam.add_key(iam.add_user("alice"))
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for(row(key.id, "Active"))
    for small in ((50, 40), (120, 12), (20, 5)):
        run.resize(*small)
        run.wait_for(f"{small[0]}×{small[1]}")
        run.wait_gone(key.id)
        run.resize(100, 30)
        run.wait_for(row(key.id, "Active"))


def test_profiles_are_named_and_switched(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    iam.add_user("alice")
    other = FakeIam(caller="other-admin")
    other.add_user("zoe")
    with IamServer(other) as elsewhere:
        write_config(desk.home, acme=server.url, other=elsewhere.url)
        run = desk.keytui("--profile", "acme")
        run.wait_for("alice")
        assert "profile acme" in run.text().splitlines()[0]
        run.send("P")
        run.wait_for("2 of 2 answered")
        assert "• acme" in run.text()
        run.send("Down")
        run.send("Enter")
        shown = run.wait_for("zoe")
        assert "other-admin" in shown.splitlines()[0]
        assert "profile other" in shown.splitlines()[0]
        assert "alice" not in shown

        unknown = desk.keytui("--profile", "nobody")
        unknown.wait_for("The AWS config has no profile named nobody")
        unknown.send("P")
        unknown.wait_for("Switch to it")
        unknown.send("Enter")
        unknown.wait_for("alice")


def test_no_credentials(desk: Desk) -> None:
    run = desk.keytui()
    shown = run.wait_for("No AWS credentials were found")
    assert "keytui --demo" in " ".join(shown.split())
    run.send("c", "d", "a", "x", "u", "y", "Enter")
    run.send("?")
    shown = run.wait_for("Create an access key")
    assert not FAULT.search(shown)


def test_refusing_or_silent_endpoint_is_shown_in_ten_seconds(desk: Desk) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "AKIAMADEUP0000000001", "AWS_SECRET_ACCESS_KEY": "made-up"}
    with refusing() as closed, swallowing() as silent:
        begun = time.monotonic()
        slow = desk.keytui("--endpoint-url", silent, env=keys)
        fast = desk.keytui("--endpoint-url", closed, env=keys)
        fast.wait_for(f"{closed} can't be reached")
        fast.wait_for("Check the network")
        slow.wait_for(re.compile("did not (answer|take the connection)"))
        # A second for the start and for looking.
        assert time.monotonic() - begun < 11.5
        slow.send("q")
        assert slow.wait_exit(timeout=3) == 0


def command(desk: Desk, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run keytui without a terminal."""
    return subprocess.run(
        [KEYTUI, *flags],
        env=clean_env(desk.home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


def child_of(pid: int) -> int:
    """Return the process that is keytui's demo account."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    named = [
        c for c in children if b"keytui.aws.demo.server" in Path(f"/proc/{c}/cmdline").read_bytes()
    ]
    return int(named[0])


def ended(pid: int) -> bool:
    """Return whether a process is gone, or dead and only not yet waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except FileNotFoundError:
        return True


def write_config(home: Path, **urls: str) -> None:
    """Write an AWS config with a profile for each endpoint."""
    folder = home / ".aws"
    folder.mkdir(parents=True)
    folder.joinpath("config").write_text(
        "".join(
            f"[profile {name}]\nregion = us-east-1\nendpoint_url = {url}\n"
            "aws_access_key_id = AKIAMADEUP0000000001\naws_secret_access_key = made-up\n"
            for name, url in urls.items()
        )
    )
