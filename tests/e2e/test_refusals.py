"""What AWS, the keyring or the disk refuse is said in a sentence that names it."""

from keytui.core.model import KeyStatus, LastUsed
from tests.e2e.conftest import Desk, on_bus, signed_by
from tests.e2e.steps import DIALOG, FAULT, REVEAL, choose_goal, read_secret, row
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import IamServer
from tests.support.secret_service import SecretService, secret_service
from tests.support.terminal import Terminal


def test_each_denied_call_names_its_action(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    alice = iam.add_user("alice")
    active = iam.add_key(alice, last_used=LastUsed())
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for(row(active.id, "Active"))
    run.wait_for("2 users")

    denied(run, iam, "iam:UpdateAccessKey", "d", "still Active")
    denied(run, iam, "iam:CreateAccessKey", "c Down Down Enter", "No key was made")
    denied(run, iam, "iam:GetAccessKeyLastUsed", "r", "Ask for")
    run.wait_for(row(active.id, "Active"))
    denied(run, iam, "iam:ListUserTags", "r", "Ask for")
    run.wait_for(row(active.id, "Active"))
    denied(run, iam, "iam:ListAccessKeys", "r", "Ask for")
    run.send("r")
    run.wait_for(row(active.id, "Active"))
    iam.set_status(active, KeyStatus.INACTIVE)
    run.send("r")
    run.wait_for(row(active.id, "Inactive"))
    denied(run, iam, "iam:DeleteAccessKey", f"x {' '.join(active.id[-4:])} Enter", "not deleted")
    assert [key.id for key in iam.held(alice)] == [active.id]
    assert not FAULT.search(run.history())


def denied(run: Terminal, iam: FakeIam, action: str, keys: str, safe: str) -> None:
    """Take an action away, press what needs it, and see both said; then give it back."""
    iam.deny.add(action)
    for key in keys.split():
        run.send(key)
        if key in {"x", "c"}:
            run.wait_for(DIALOG)
        if key == "Down":
            run.wait_for("◉ CSV file" if "◉ OS" in run.text() else "◉")
    run.wait_for(action)
    run.wait_for(safe)
    run.wait_gone(DIALOG)
    iam.deny.discard(action)
    run.send("y")
    run.wait_for("was sent to the terminal's clipboard")


def test_who_may_not_list_users_works_on_their_own(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    iam.add_user("alice")
    iam.deny.add("iam:ListUsers")
    run = desk.keytui(env=signed_by(server.options))
    run.wait_for("iam:ListUsers")
    run.wait_for("this is your own")
    shown = run.wait_for(row(iam.signing_key_id(), "Active"))
    assert "1 user" in shown
    assert "alice" not in shown


def test_user_asked_for_by_name_needs_no_list(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    key = iam.add_key(iam.add_user("alice"))
    iam.deny.add("iam:ListUsers")
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for("iam:ListUsers")
    run.wait_for(row(key.id, "Active"))


def test_root_user_stands_first_with_a_warning(desk: Desk) -> None:
    root = FakeIam(root=True)
    root.add_user("alice")
    with IamServer(root) as server:
        run = desk.keytui(env=signed_by(server.options))
        run.wait_for("2 users")
        shown = run.wait_for(row(root.signing_key_id(), "Active"))
        assert "▸ <root account>" in shown
        assert "root key" in shown
        assert "root @ 123456789012" in shown.splitlines()[0]
        run.wait_for("These keys can do anything")

        choose_goal(run, "CSV file")
        run.wait_for("rootkey.csv")
        run.send("Enter")
        run.wait_for("rootkey.csv, read back")
        key_id, secret = read_secret(run)
        run.escape(REVEAL)
        run.wait_for(row(key_id, "Active"))
        text = (desk.home / "rootkey.csv").read_text()
        assert text == f"AWSAccessKeyId={key_id}\nAWSSecretKey={secret}\n"
        run.send("Tab")
        run.click("Make inactive", line=key_id)
        run.wait_for(row(key_id, "Inactive"))


def test_throttling_is_retried_then_said(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    key = iam.add_key(iam.add_user("alice"))
    server.fail("ListUsers", "Throttling", 400, "Rate exceeded", times=1)
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for("2 users")
    run.wait_for(row(key.id, "Active"))
    server.fail("UpdateAccessKey", "Throttling", 400, "Rate exceeded")
    run.send("d")
    run.wait_for("AWS asks for fewer calls")
    run.wait_for("Wait a minute")
    assert server.received()["UpdateAccessKey"] > 1
    server.fail("CreateAccessKey", "Throttling", 400, "Rate exceeded")
    choose_goal(run, "Show only")
    run.send("Enter")
    # Something between here and AWS may have throttled a reply after the work was done.
    run.wait_for("Looking into a creation that was cut short")
    assert server.received()["CreateAccessKey"] == 1


def test_expired_token_and_a_fault_of_aws(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    iam.add_user("alice")
    server.fail("GetCallerIdentity", "ExpiredToken", 403)
    run = desk.keytui(env=signed_by(server.options))
    run.wait_for("have expired")
    run.wait_for("aws sso login")
    server.mend()
    server.fail("ListUsers", "ServiceFailure", 500)
    run.send("r")
    run.wait_for("fault of its own (HTTP 500)")
    server.mend()
    run.send("r")
    run.wait_for("2 users")
    run.wait_gone("HTTP 500")
    assert "Traceback" not in run.history()


def test_key_creation_is_not_sent_if_the_journal_is_unwritable(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    iam.add_user("alice")
    desk.state.parent.mkdir(parents=True)
    desk.state.write_text("a file stands where the folder should be\n")
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for("alice  no keys")
    choose_goal(run, "Show only")
    run.send("Enter")
    run.wait_gone(DIALOG)
    run.wait_for("can't write its record")
    run.wait_for("XDG_STATE_HOME")
    assert "CreateAccessKey" not in server.received()
    assert not FAULT.search(run.history())


def test_locked_keyring_is_said_to_be_locked(
    desk: Desk, iam: FakeIam, server: IamServer, own_service: SecretService
) -> None:
    iam.add_user("alice")
    own_service.lock()
    env = on_bus(own_service) | signed_by(server.options)
    run = desk.keytui("--user", "alice", env=env)
    run.wait_for("alice has no access keys")
    run.wait_for("Keyring: The OS keyring is locked")
    run.send("c")
    run.wait_for("can't be used")
    run.wait_for("The OS keyring is locked")
    run.send("Enter")
    run.wait_for("Unlock the keyring")
    assert "CreateAccessKey" not in server.received()
    run.escape("Unlock the keyring")
    run.wait_for("The OS keyring is locked")

    # Another place still works, and a try to use the keyring in the reveal does not hang.
    run.escape("Create an access key")
    choose_goal(run, "Show only")
    run.send("Enter")
    run.wait_for(REVEAL)
    run.send("k")
    run.wait_for("Unlock the keyring")
    run.escape("Unlock the keyring")
    run.wait_for("The OS keyring is locked")
    run.wait_for("It is kept nowhere yet")
    assert "CreateAccessKey" in server.received()
    assert own_service.is_locked()


def test_no_keyring_at_all(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    iam.add_user("alice")
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for("no D-Bus session here")
    run.send("c")
    run.wait_for("can't be used")
    run.send("Enter")
    run.wait_for("with --unlock-keyring")
    assert "CreateAccessKey" not in server.received()
    run.escape("Create an access key")
    env = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    null = desk.keytui("--user", "alice", env=env | signed_by(server.options))
    null.wait_for("keyring.backends.null")


def test_bus_without_a_keyring(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    iam.add_user("alice")
    with secret_service(desk.home, daemon=False) as service:
        run = desk.keytui("--user", "alice", env=on_bus(service) | signed_by(server.options))
        run.wait_for("Keyring: No keyring service answers")
