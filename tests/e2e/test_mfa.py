"""Where a policy demands MFA: a code is asked for on the screen, and the work goes on."""

from tests.e2e.conftest import Desk, signed_by
from tests.e2e.steps import FAULT, row
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import IamServer
from tests.support.mfa_replies import CODE, SERIAL, MfaReplies

ASKED = "AWS asks for an MFA code"


def test_code_opens_the_account_and_is_asked_for_once(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    alice = iam.add_user("alice")
    key = iam.add_key(alice)
    replies = server.replies = MfaReplies(server)
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for(ASKED)
    run.wait_for(SERIAL)
    run.type("000000")
    run.send("Enter")
    run.wait_for("did not take this code")
    run.type(CODE)
    run.send("Enter")
    run.wait_gone(ASKED)
    run.wait_for(row(key.id, "Active"))
    assert "MFA" in run.text().splitlines()[0]
    run.send("r")
    again = "GetCallerIdentity", "ASIAFAKE000000000002"
    run.wait_until(lambda: again in replies.signed, "the session signs after a refresh")
    run.wait_for(row(key.id, "Active"))
    run.send("q")
    assert run.wait_exit() == 0
    assert [code for _, code in replies.codes] == ["000000", CODE]
    assert not FAULT.search(run.history())
