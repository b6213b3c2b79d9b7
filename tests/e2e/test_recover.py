"""Creations that are cut short, by the network or by ``kill -9``: nothing is left unknown."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping

import pytest

from tests.e2e.conftest import Desk, on_bus, signed_by, statuses
from tests.e2e.steps import (
    CHANGES,
    DIALOG,
    FAULT,
    NEW_KEY,
    REVEAL,
    choose_goal,
    create_to_show,
    row,
)
from tests.e2e.test_terminal_gone import ENDS, end, gone
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import Fault, IamServer
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService
from tests.support.terminal import KEYTUI, PATIENCE, Terminal, clean_env

BADGE = "1 creation unfinished: H"
LOST = "A key whose secret is lost"
LOOKING = "Looking into a creation that was cut short"
LOSSES = {
    "reset": Fault(end="reset"),
    "a portal's page": Fault(reply=b"<html><body>Welcome to the hotel</body></html>"),
}


def create_to_lose(run: Terminal, server: IamServer, fault: Fault) -> None:
    """Create a key for carol whose reply is lost."""
    run.wait_for("carol has no access keys")
    server.fault("CreateAccessKey", fault)
    choose_goal(run, "Show only")
    run.send("Enter")


def reveal_unkept(run: Terminal) -> str:
    """Create a key for carol that is only shown, and not look at it; return its ID."""
    run.wait_for("carol has no access keys")
    choose_goal(run, "Show only")
    run.send("Enter")
    ids: list[str] = NEW_KEY.findall(run.wait_for("It is kept nowhere yet"))
    return ids[-1]


def kill(run: Terminal) -> None:
    """End keytui where it can do nothing about it."""
    os.kill(run.pid, signal.SIGKILL)
    assert run.wait_exit() == 128 + signal.SIGKILL


def look_into_the_first(run: Terminal) -> None:
    """Look into what stands first in the history."""
    run.send("H")
    run.wait_for("Look into it")
    run.send("Enter")


def named(env: Mapping[str, str]) -> str:
    """Return what standard error says of an endpoint that is not AWS's."""
    return f"keytui: Using {env['AWS_ENDPOINT_URL']} instead of AWS.\n"


def recover(desk: Desk, env: Mapping[str, str], *flags: str) -> "subprocess.CompletedProcess[str]":
    """Run ``keytui recover`` without a terminal."""
    return subprocess.run(
        [KEYTUI, "recover", *flags],
        env=clean_env(desk.home) | dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE * 2,
        check=False,
    )


def events(desk: Desk) -> list[str]:
    lines = (desk.state / "journal.jsonl").read_text().splitlines()
    return [json.loads(line)["event"] for line in lines]


def nothing_is_claimed(desk: Desk) -> bool:
    return not list(desk.state.glob("*.lock"))


@pytest.fixture
def carol(iam: FakeIam) -> FakeIam:
    """The account with carol in it, who has no key."""
    iam.add_user("carol")
    return iam


# The reply is lost.


@pytest.mark.parametrize("loss", LOSSES)
def test_key_of_a_lost_reply_is_offered_and_deleted_by_enter(
    desk: Desk, carol: FakeIam, server: IamServer, loss: str
) -> None:
    run = desk.keytui("--user", "carol", env=signed_by(server.options))
    create_to_lose(run, server, LOSSES[loss])
    screen = run.wait_for(LOST)
    (key,) = carol.held(carol.find("carol"))
    assert key.id in screen
    run.wait_for("Nobody can use it")

    run.send("Enter")

    run.wait_for(f"{key.id} is deleted.")
    run.wait_gone(DIALOG)
    assert carol.held(carol.find("carol")) == ()
    assert server.received()["CreateAccessKey"] == 1
    assert events(desk) == ["creating", "reply lost", "orphan", "discarded", "deleted"]
    assert nothing_is_claimed(desk)
    run.send("q")
    assert run.wait_exit() == 0
    assert not FAULT.search(run.history())


def test_request_that_made_no_key_is_told_so(desk: Desk, carol: FakeIam, server: IamServer) -> None:
    run = desk.keytui("--user", "carol", env=signed_by(server.options))
    create_to_lose(run, server, Fault(works=False, end="reset"))
    run.wait_for(LOOKING)

    run.wait_for("No key was made for carol")

    assert events(desk) == ["creating", "reply lost", "not created"]
    assert server.received()["CreateAccessKey"] == 1


def test_key_that_is_listed_late_is_found(desk: Desk, carol: FakeIam, server: IamServer) -> None:
    run = desk.keytui("--user", "carol", env=signed_by(server.options))
    run.wait_for("carol has no access keys")
    carol.lag = 5
    create_to_lose(run, server, Fault(end="reset"))

    run.wait_for(LOST)

    run.send("y")
    run.wait_for("is deleted.")
    assert carol.held(carol.find("carol")) == ()


def test_not_now_and_the_next_start_tells_it_again(
    desk: Desk, carol: FakeIam, server: IamServer
) -> None:
    env = signed_by(server.options)
    first = desk.keytui("--user", "carol", env=env)
    create_to_lose(first, server, Fault(end="reset"))
    first.wait_for(LOST)
    first.escape(LOST)
    first.wait_for(BADGE)
    first.send("q")
    assert first.wait_exit() == 0

    run = desk.keytui(env=env)
    run.wait_for(BADGE)
    run.wait_for("but its secret did not arrive")
    assert not DIALOG.search(run.text())
    look_into_the_first(run)
    run.wait_for(LOST)
    run.send("o")
    run.wait_for("keytui does not ask again")
    run.wait_gone(BADGE)
    assert len(carol.held(carol.find("carol"))) == 1
    assert "Nothing is unfinished." in recover(desk, env).stdout


# While it is looked into.


@pytest.fixture
def looking(desk: Desk, carol: FakeIam, server: IamServer) -> Terminal:
    """keytui while it looks for a key that AWS does not list."""
    run = desk.keytui("--user", "carol", env=signed_by(server.options))
    run.wait_for("carol has no access keys")
    carol.lag = 1_000_000
    create_to_lose(run, server, Fault(end="reset"))
    run.wait_for(LOOKING)
    return run


def list_at_last(carol: FakeIam) -> None:
    """From now on AWS lists all it has."""
    carol.lag = carol._holders["carol"].stale_reads = 0


@pytest.mark.parametrize("how", ENDS)
def test_terminal_goes_away_meanwhile(
    desk: Desk, carol: FakeIam, server: IamServer, looking: Terminal, how: str
) -> None:
    pid = end(looking, how)
    looking.wait_until(lambda: gone(pid), "keytui has ended", 5)

    list_at_last(carol)
    run = desk.keytui(env=signed_by(server.options))
    run.wait_for(BADGE)
    (key,) = carol.held(carol.find("carol"))
    run.wait_for(f"AWS made {key.id} for carol")


@pytest.mark.parametrize("key", ["C-q", "C-c"])
def test_it_can_be_left_at_once(desk: Desk, looking: Terminal, key: str) -> None:
    looking.send(key)

    assert looking.wait_exit(5) == 0
    assert events(desk) == ["creating", "reply lost"]
    assert not FAULT.search(looking.history())


def test_esc_goes_back_to_work(desk: Desk, carol: FakeIam, looking: Terminal) -> None:
    looking.escape(LOOKING)
    looking.wait_for(BADGE)
    looking.wait_until(lambda: nothing_is_claimed(desk), "nobody looks any more")

    list_at_last(carol)
    look_into_the_first(looking)
    looking.wait_for(LOST)


# kill -9.


def test_killed_while_the_secret_is_shown(desk: Desk, moto: MotoAccount) -> None:
    env = signed_by(moto.options)
    first = desk.keytui("--user", "carol", env=env)
    key_id = reveal_unkept(first)
    kill(first)
    assert statuses(moto, "carol") == {key_id: "Active"}

    run = desk.keytui(env=env)
    run.wait_for(BADGE)
    run.wait_for(f"AWS made {key_id} for carol")
    look_into_the_first(run)
    run.wait_for(LOST)
    run.wait_for("enter means yes")
    run.send("Enter")

    run.wait_for(f"{key_id} is deleted.")
    run.wait_gone(BADGE)
    assert statuses(moto, "carol") == {}
    assert nothing_is_claimed(desk)


def test_killed_after_the_secret_was_looked_at(desk: Desk, moto: MotoAccount) -> None:
    """Somebody may have written it down: enter alone does not delete it."""
    env = signed_by(moto.options)
    first = desk.keytui("--user", "carol", env=env)
    first.wait_for("carol has no access keys")
    key_id, secret = create_to_show(first)
    kill(first)

    kept = recover(desk, env, "--yes")
    assert kept.returncode == 3
    assert f"{key_id} stays: H in keytui offers to delete it." in kept.stdout

    run = desk.keytui("--user", "carol", env=env)
    run.wait_for(BADGE)
    look_into_the_first(run)
    run.wait_for("unless somebody saved")
    run.send("Enter")
    run.wait_gone(LOST)
    run.wait_for("H offers to delete it")
    run.wait_for(row(key_id, "Active"))

    assert statuses(moto, "carol") == {key_id: "Active"}
    assert secret not in run.history()
    assert secret.encode() not in (desk.state / "journal.jsonl").read_bytes()


def test_stored_secret_is_found_if_a_kill_cut_off_the_journal(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService
) -> None:
    env = on_bus(keyring_service) | signed_by(moto.options)
    first = desk.keytui("--user", "carol", env=env)
    first.wait_for("carol has no access keys")
    first.send("c")
    first.wait_for("can be written")
    first.send("Enter")
    key_id = NEW_KEY.findall(first.wait_for("read back"))[-1]
    kill(first)
    journal = desk.state / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-30])
    torn = [line for line in journal.read_text().splitlines() if not line.endswith("}")]
    assert ['"event":"stored"' in line for line in torn] == [True]

    run = desk.keytui(env=env)

    run.wait_for(f"The secret of {key_id} of carol")
    run.wait_for("is in the OS keyring.")
    assert "unfinished" not in run.text()
    assert statuses(moto, "carol") == {key_id: "Active"}
    assert "Nothing is unfinished." in recover(desk, env).stdout


# Without a screen.


@pytest.fixture
def orphan(desk: Desk, moto: MotoAccount) -> str:
    """A key whose secret went with a killed keytui; its ID."""
    run = desk.keytui("--user", "carol", env=signed_by(moto.options))
    key_id = reveal_unkept(run)
    kill(run)
    return key_id


def test_recover_without_a_terminal(desk: Desk, moto: MotoAccount, orphan: str) -> None:
    env = signed_by(moto.options)

    told = recover(desk, env)
    assert (told.returncode, told.stderr) == (3, named(env))
    assert f"AWS made {orphan} for carol" in told.stdout
    assert f"{orphan} stays: keytui recover --yes deletes it." in told.stdout
    assert statuses(moto, "carol") == {orphan: "Active"}

    refused = recover(desk, env, "--yes", "--read-only")
    assert refused.returncode == 3
    assert "read-only mode" in refused.stdout
    assert statuses(moto, "carol") == {orphan: "Active"}

    done = recover(desk, env, "--yes")
    assert (done.returncode, done.stderr) == (0, named(env))
    assert f"{orphan} is deleted." in done.stdout
    assert statuses(moto, "carol") == {}

    again = recover(desk, env, "--yes")
    assert (again.returncode, again.stdout, again.stderr) == (
        0,
        "Nothing is unfinished.\n",
        named(env),
    )


def test_recover_of_a_record_that_is_not_there(desk: Desk, moto: MotoAccount) -> None:
    env = signed_by(moto.options)
    done = recover(desk, env)

    assert (done.returncode, done.stdout, done.stderr) == (
        0,
        "Nothing is unfinished.\n",
        named(env),
    )
    assert not desk.state.exists()


def test_recover_where_aws_can_not_be_asked(desk: Desk, moto: MotoAccount, orphan: str) -> None:
    done = recover(desk, signed_by(moto.options), "--endpoint-url", "http://127.0.0.1:9", "--yes")

    assert done.returncode == 2
    assert done.stderr.startswith("keytui: ")
    assert "Traceback" not in done.stderr
    assert events(desk)[-1] == "created"


@pytest.mark.parametrize(("answer", "status", "left"), [("", 0, False), ("n", 3, True)])
def test_recover_asks_in_a_terminal(
    desk: Desk, moto: MotoAccount, orphan: str, answer: str, status: int, left: bool
) -> None:
    run = desk.keytui("recover", env=signed_by(moto.options))
    run.wait_for(f"Delete {orphan}? [Y/n]")

    run.type(answer)
    run.send("Enter")

    assert run.wait_exit() == status
    assert statuses(moto, "carol") == ({orphan: "Active"} if left else {})
    assert (f"{orphan} is deleted." in run.history()) is not left


def test_recover_can_be_interrupted(desk: Desk, moto: MotoAccount, orphan: str) -> None:
    run = desk.keytui("recover", env=signed_by(moto.options))
    run.wait_for(f"Delete {orphan}? [Y/n]")

    os.kill(run.pid, signal.SIGINT)

    assert run.wait_exit() == 128 + signal.SIGINT
    assert statuses(moto, "carol") == {orphan: "Active"}
    assert not FAULT.search(run.history())
    assert nothing_is_claimed(desk)


def test_end_of_input_means_no(desk: Desk, moto: MotoAccount, orphan: str) -> None:
    run = desk.keytui("recover", env=signed_by(moto.options))
    run.wait_for(f"Delete {orphan}? [Y/n]")

    run.send("C-d")

    assert run.wait_exit() == 3
    assert statuses(moto, "carol") == {orphan: "Active"}


# Two at once.


def test_key_that_is_being_shown_is_left_alone_by_all_others(desk: Desk, moto: MotoAccount) -> None:
    env = signed_by(moto.options)
    showing = desk.keytui("--user", "carol", env=env)
    key_id = reveal_unkept(showing)

    told = recover(desk, env, "--yes")
    assert told.returncode == 3
    assert told.stdout == "A creation for carol is in the hands of another keytui.\n"

    other = desk.keytui("--user", "carol", env=env)
    other.wait_for(row(key_id, "Active"))
    other.wait_for("12 users")
    look_into_the_first(other)
    other.wait_for("It is being looked into just now, or has been ended: H tells.")
    assert not re.search("unfinished|A key whose", other.text())
    assert statuses(moto, "carol") == {key_id: "Active"}

    showing.wait_for(REVEAL)
    showing.send("s")
    showing.wait_for(re.compile(r"Secret +[A-Za-z0-9/+]{40}"))
    kill(showing)
    assert f"{key_id} stays: H in keytui offers" in recover(desk, env, "--yes").stdout
    assert statuses(moto, "carol") == {key_id: "Active"}


def test_read_only_changes_nothing_at_aws(desk: Desk, carol: FakeIam, server: IamServer) -> None:
    env = signed_by(server.options)
    first = desk.keytui("--user", "carol", env=env)
    create_to_lose(first, server, Fault(end="reset"))
    first.wait_for(LOST)
    kill(first)
    server.requests.clear()

    run = desk.keytui("--read-only", env=env)
    run.wait_for(BADGE)
    look_into_the_first(run)
    run.wait_for("READ-ONLY")
    run.wait_for("but its secret did not arrive")

    assert not CHANGES & server.received().keys()
