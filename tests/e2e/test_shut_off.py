"""A leaked key is shut off: from the shell to inactive, counted in keys and in API calls."""

from datetime import UTC, datetime, timedelta

from keytui.core.model import KeyStatus, LastUsed
from tests.e2e.conftest import Desk, signed_by
from tests.e2e.steps import DIALOG, row
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import IamServer

TO_INACTIVE = [
    "GetCallerIdentity",
    "GetAccessKeyLastUsed",  # Whose key it is.
    "ListAccessKeys",
    "GetAccessKeyLastUsed",  # The guard asks again.
    "ListAccessKeys",  # What the key's status is right before: that is what u restores.
    "UpdateAccessKey",
]


def test_deactivation_takes_3_presses_and_6_calls_at_any_size(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    for number in range(120):
        iam.add_user(f"user-{number:03}")
    server.page_size, server.latency = 50, 0.05
    quiet, busy = iam.find("user-020"), iam.find("user-110")
    used = LastUsed(datetime.now(UTC) - timedelta(hours=3), "s3", "eu-west-1")
    unused, leaked = iam.add_key(quiet), iam.add_key(busy, last_used=used)
    env = signed_by(server.options)

    run = desk.keytui(leaked.id, env=env)  # Its enter is the first key.
    run.send("d")  # Typed ahead: it waits until the key is found.
    run.wait_for("used in the last 24 hours")
    run.send("y")
    run.wait_for(f"{leaked.id} is inactive")
    assert iam.held(busy)[0].status is KeyStatus.INACTIVE
    assert calls_to_inactive(server) == TO_INACTIVE
    run.wait_for(row(leaked.id, "Inactive"))
    run.wait_for("1 user, r reads all")
    run.send("q")
    assert run.wait_exit() == 0
    assert "ListUsers" not in server.received()

    server.requests.clear()
    run = desk.keytui(unused.id, env=env)
    run.send("d")  # Nothing uses this one, so nothing is asked.
    run.wait_for(f"{unused.id} is inactive")
    run.wait_gone(DIALOG)
    assert iam.held(quiet)[0].status is KeyStatus.INACTIVE
    assert calls_to_inactive(server) == TO_INACTIVE
    run.send("h")
    run.wait_for("121 users")


def calls_to_inactive(server: IamServer) -> list[str]:
    """Return the calls up to the change; the description is read meanwhile."""
    until = server.requests[: server.requests.index("UpdateAccessKey") + 1]
    return [action for action in until if action != "ListUserTags"]
