"""What stands between a slip and a lock-out: questions, refusals, read-only mode."""

import re
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from keytui.core.model import KeyStatus, LastUsed
from tests.e2e.conftest import Desk, signed_by
from tests.e2e.steps import CHANGES, DIALOG, FAULT, choose_goal, open_user, row
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import IamServer
from tests.support.terminal import Terminal


def test_key_in_use_asks_before_it_is_made_inactive(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    alice = iam.add_user("alice")
    used = LastUsed(datetime.now(UTC) - timedelta(hours=3), "s3", "eu-west-1")
    key = iam.add_key(alice, last_used=used)
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for(row(key.id, "Active"))

    run.send("d")
    run.wait_for("used in the last 24 hours")
    run.send("Enter")
    run.wait_gone("used in the last 24 hours")
    assert "UpdateAccessKey" not in server.received()
    run.send("d")
    run.wait_for("used in the last 24 hours")
    run.send("y")
    run.wait_for(row(key.id, "Inactive"))
    assert iam.held(alice)[0].status is KeyStatus.INACTIVE

    iam.deny.add("iam:GetAccessKeyLastUsed")
    run.send("a")
    run.wait_for(row(key.id, "Active"))
    run.send("d")
    run.wait_for("could not read when it was last used")
    run.send("n")
    run.wait_gone(DIALOG)
    assert iam.held(alice)[0].status is KeyStatus.ACTIVE


def test_key_that_signs_takes_its_last_four_characters(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    own = iam.signing_key_id()
    run = desk.keytui("--user", "admin", env=signed_by(server.options))
    run.wait_for(row(own, "Active"))
    run.send("d")
    run.wait_for("signs keytui's own calls")
    run.send("Enter")
    run.wait_for("That is not it")
    run.type("9999")
    run.send("Enter")
    run.wait_for("9999")
    run.escape("signs keytui's own calls")
    assert "UpdateAccessKey" not in server.received()

    run.send("d")
    run.wait_for("signs keytui's own calls")
    run.type(own[-4:].lower())
    run.send("Enter")
    run.wait_for(row(own, "Inactive"))
    assert server.received()["UpdateAccessKey"] == 1


def test_deleting_asks_for_the_inactive_state_and_the_last_four(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    alice = iam.add_user("alice")
    key = iam.add_key(alice)
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for(row(key.id, "Active"))

    run.send("x")
    run.wait_for("An active key can't be deleted")
    run.send("Enter")
    run.wait_gone(DIALOG)
    assert CHANGES.isdisjoint(server.received())
    run.send("x")
    run.wait_for("An active key can't be deleted")
    run.send("y")
    run.wait_for(row(key.id, "Inactive"))
    run.wait_gone(DIALOG)

    for answer in ("Enter", "Escape"):
        run.send("x")
        shown = run.wait_for("FOR EVER")
        assert "┏" in shown
        run.send(answer)
        run.wait_for(f"{key.id} was not deleted")
        run.wait_gone(DIALOG)
    run.send("x")
    run.wait_for("FOR EVER")
    run.type("ZZZZ")
    run.send("Enter")
    run.wait_for("Nothing is deleted")
    run.escape("FOR EVER")
    assert "DeleteAccessKey" not in server.received()
    assert len(iam.held(alice)) == 1

    # Somebody makes it active again while the dialog is open.
    run.send("x")
    run.wait_for("FOR EVER")
    iam.set_status(key, KeyStatus.ACTIVE)
    run.type(key.id[-4:])
    run.send("Enter")
    run.wait_for("deletes only inactive keys")
    assert len(iam.held(alice)) == 1


def test_what_somebody_else_removed_meanwhile_is_said_to_be_gone(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    alice, bob = iam.add_user("alice"), iam.add_user("bob")
    key = iam.add_key(alice, status=KeyStatus.INACTIVE)
    iam.add_key(alice)
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for(row(key.id, "Inactive"))
    run.wait_for("3 users")
    iam.remove_key(key)
    run.send("a")
    run.wait_for(f"{key.id} does not exist")
    run.wait_for("Refresh")
    run.send("r")
    run.wait_gone(row(key.id, "Inactive"))

    iam.remove_user("bob")
    run.send("/")
    run.type(bob.name)
    run.send("Enter")
    run.wait_for("The user bob does not exist")
    assert "alice  " not in run.text()


def test_full_quota_is_said_before_any_call(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    alice = iam.add_user("alice")
    old = iam.add_key(alice, status=KeyStatus.INACTIVE)
    iam.add_key(alice)
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for(row(old.id, "Inactive"))
    run.wait_gone("…")
    run.send("c")
    run.wait_for("alice has 2 access keys; AWS allows 2")
    run.wait_for(f"{old.id} could go")
    assert not DIALOG.search(run.text())
    assert "CreateAccessKey" not in server.received()


def refused(run: Terminal, key: str) -> None:
    """Press a key that changes something, and see it refused."""
    run.send(key)
    run.wait_for("read-only mode")
    run.wait_for("Nothing was changed")
    assert not DIALOG.search(run.text())
    run.send("y")
    run.wait_for("was sent to the terminal's clipboard")


@pytest.mark.parametrize("asked", ["flag", "environment"])
def test_read_only_refuses_every_change(
    desk: Desk, iam: FakeIam, server: IamServer, asked: str
) -> None:
    alice = iam.add_user("alice")
    first = iam.add_key(alice, status=KeyStatus.INACTIVE)
    second = iam.add_key(alice)
    flags = ["--read-only"] if asked == "flag" else []
    env = signed_by(server.options) | ({} if flags else {"KEYTUI_READ_ONLY": "1"})
    run = desk.keytui("--user", "alice", *flags, env=env)
    run.wait_for(row(first.id, "Inactive"))
    assert "READ-ONLY" in run.text().splitlines()[0]
    for key in ("a", "x", "c", "u"):
        refused(run, key)
    run.send("j")
    run.wait_for(re.compile(rf"▸ {second.id}"))
    for key in ("d", "x"):
        refused(run, key)
    run.click("Make active", line=first.id)
    run.wait_for("read-only mode")
    run.send("y")
    run.wait_gone("read-only mode")
    run.send("C-p")
    run.wait_for("Search")
    run.type("make inactive")
    run.wait_gone("Leave keytui")
    run.wait_for("Make the key inactive")
    run.send("Enter")
    run.wait_for("read-only mode")
    assert CHANGES.isdisjoint(server.received())
    assert not FAULT.search(run.history())


def test_mouse_and_the_palette_do_what_the_keys_do(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    alice = iam.add_user("alice")
    first, second = iam.add_key(alice), iam.add_key(alice)
    run = desk.keytui(env=signed_by(server.options))
    run.wait_for("2 users")
    run.click("alice")
    run.wait_for(row(second.id, "Active"))
    run.wait_for("never used")  # Read whole: nothing moves from under the mouse any more.
    run.click("Make inactive", line=second.id)
    run.wait_for(row(second.id, "Inactive"))
    run.wait_for(row(first.id, "Active"))
    run.wait_for("u Undo")
    run.click("u Undo")
    run.wait_for(row(second.id, "Active"))
    run.click(second.id)
    run.send("C-p")
    run.wait_for("Search")
    run.type("make inact")
    run.wait_gone("Leave keytui")
    run.wait_for("Make the key inactive")
    run.send("Enter")
    run.wait_for(row(second.id, "Inactive"))
    run.click("Delete", line=second.id)
    run.wait_for("FOR EVER")
    run.click("No, keep it")
    run.wait_gone("FOR EVER")
    assert len(iam.held(alice)) == 2


def test_cursor_is_seen_where_the_keys_go(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    alice = iam.add_user("alice")
    key = iam.add_key(alice)
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for(row(key.id, "Active"))
    run.wait_for("never")
    for shown, hidden in ((key.id, "▸ alice"), ("▸ alice", key.id)) * 2:
        run.wait_until(partial(marked, run, shown), f"the cursor on {shown}")
        assert not marked(run, hidden)
        run.send("Tab")


def marked(run: Terminal, text: str) -> bool:
    """Return whether a text is shown in reverse, as the row is that keys act on."""
    return any(text in stretch for stretch in run.reversed())


def test_pages_arrive_as_they_are_read(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    for number in range(250):
        iam.add_user(f"user-{number:03}")
    server.page_size, server.latency = 50, 0.2
    run = desk.keytui(env=signed_by(server.options))
    run.wait_for(re.compile(r"\b(50|100|150|200) users, reading"))
    run.wait_for(re.compile(r"251 users(?!, reading)"))
    open_user(run, "user-249")
    run.wait_for("user-249 has no access keys")
    choose_goal(run, "Show only")
    run.escape("Create an access key")
