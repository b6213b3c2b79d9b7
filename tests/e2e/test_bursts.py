"""Several keys at once: over a slow line, or from somebody who types fast."""

import re
from datetime import UTC, datetime

from keytui.aws.demo.people import people
from keytui.core.model import KeyStatus, LastUsed
from tests.e2e.conftest import Desk, signed_by
from tests.e2e.steps import CHANGES, DIALOG, choose_goal, row
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import IamServer, populate


def test_enter_counts_for_what_was_chosen_when_it_was_pressed(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    iam.add_user("alice")
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for("alice has no access keys")
    run.send("c")
    run.wait_for("can't be used")
    run.send("Enter", "Down", "Down")
    run.wait_for("◉ Show only")
    assert CHANGES.isdisjoint(server.received())


def test_what_follows_a_tab_goes_where_the_tab_leads(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    iam.add_user("alice")
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for("alice has no access keys")
    choose_goal(run, "CSV file")
    run.send("Tab", "Tab", *"laptop")
    run.wait_for(re.compile("│  laptop"))


def test_last_four_characters_are_no_commands(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    alice = iam.add_user("alice")
    key = iam.add_key(alice, "AKIAFAKE00000000CAAD", status=KeyStatus.INACTIVE)
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for(row(key.id, "Inactive"))
    run.send("x", *"caad", "Enter")
    run.wait_for(row(key.id, "Deleted"))
    assert set(server.received()) & CHANGES == {"DeleteAccessKey"}


def test_key_pressed_twice_asks_once(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    alice = iam.add_user("alice")
    key = iam.add_key(alice, last_used=LastUsed(datetime.now(UTC), "s3", "eu-west-1"))
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for(row(key.id, "Active"))
    run.send("d", "d", "d")
    run.wait_for("used in the last 24 hours")
    run.send("n")
    run.wait_gone(DIALOG)
    run.send("y")
    run.wait_for(f"{key.id} was sent to the terminal's clipboard")
    run.send("c", "c")
    run.wait_for("Create an access key")
    run.send("Escape")
    run.wait_gone(DIALOG)
    assert CHANGES.isdisjoint(server.received())


def test_filter_typed_at_once_among_5000_users(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    populate(iam, 5000, datetime.now(UTC))
    names = [person.name for person in people(5000)]
    run = desk.keytui(env=signed_by(server.options))
    run.wait_for("5,000 users")

    run.type("/nguyen.maria")
    run.send("C-u")
    run.type("nguyen")

    some = [name for name in names if "nguyen" in name]
    screen = run.wait_for(re.compile(rf"▸ \S*nguyen[\s\S]* {len(some):,} of 5,000 users"))
    assert some[0] in screen
    run.send("Enter")
    run.send("A")
    run.wait_for(re.compile(r"Audit  \d{12}  4,5\d\d keys, .*report made just now"))
    run.wait_gone(" … ")  # Those in sight are checked, and drawn with their IDs.
    run.escape("report made")
    run.wait_for(f"{len(some):,} of 5,000 users")
    run.send("q")
    assert run.wait_exit() == 0
