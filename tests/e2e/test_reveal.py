"""The one-time secret on real input: shown, kept in a file, sent, discarded, held on to."""

import json
import re
import stat
import subprocess
from base64 import b64encode
from pathlib import Path

from keytui.core.model import KeyStatus
from tests.e2e.conftest import Desk, on_bus, signed_by, statuses
from tests.e2e.steps import (
    REVEAL,
    choose_goal,
    create_to_show,
    discard,
    next_field,
    read_secret,
    row,
)
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import Fault, IamServer
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService
from tests.support.terminal import Terminal, clean_env


def test_csv_file_is_private_and_works_with_the_aws_command(
    desk: Desk, moto: MotoAccount, aws: str
) -> None:
    env = signed_by(moto.options)
    run = desk.keytui("--user", "carol", env=env)
    run.wait_for("carol has no access keys")

    choose_goal(run, "CSV file")
    run.wait_for(str(desk.home / "carol_accessKeys.csv"))
    run.send("Enter")
    run.wait_for("carol_accessKeys.csv, read back")
    key_id, secret = read_secret(run)
    run.escape(REVEAL)
    run.wait_for(row(key_id, "Active"))

    path = desk.home / "carol_accessKeys.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    columns = "User Name,Access key ID,Secret access key"
    assert path.read_text() == f"{columns}\ncarol,{key_id},{secret}\n"
    ask_aws(aws, desk.home, "configure", "import", "--csv", f"file://{path}")
    found = ask_aws(
        aws, desk.home, "configure", "get", "aws_secret_access_key", "--profile", "carol"
    )
    assert found.strip() == secret
    url = env["AWS_ENDPOINT_URL"]
    said = ask_aws(
        aws, desk.home, "sts", "get-caller-identity", "--profile", "carol", "--endpoint-url", url
    )
    assert json.loads(said)["Arn"] == "arn:aws:iam::123456789012:user/carol"

    choose_goal(run, "CSV file")
    run.wait_for("carol_accessKeys-2.csv")
    next_field(run)
    run.send("C-u")
    run.type("~/kept/mine.csv")
    run.wait_for("~/kept/mine.csv")
    (desk.home / "kept").mkdir()
    run.send("Enter")
    run.wait_for("mine.csv, read back")
    run.escape(REVEAL)
    assert (desk.home / "kept" / "mine.csv").read_text().startswith(columns)


def test_secret_kept_nowhere_is_let_go_only_on_request(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService
) -> None:
    env = on_bus(keyring_service) | signed_by(moto.options)
    run = desk.keytui("--user", "carol", env=env)
    run.wait_for("carol has no access keys")
    key_id, secret = create_to_show(run)
    run.wait_for("It is kept nowhere yet")

    for quit_key in ("Escape", "C-q", "C-c"):
        run.send(quit_key)
        run.wait_for("Type discard")
        run.escape("Type discard")
        run.wait_for(REVEAL)
    run.send("Escape")
    run.wait_for("Type discard")
    run.type("discart")
    run.send("Enter")
    run.wait_for("That is not it")
    run.escape("Type discard")

    run.send("y")
    run.wait_for("Sent to the terminal's clipboard")
    payload = b"\x1b]52;c;" + b64encode(secret.encode())
    run.wait_until(lambda: payload in run.written(), "the secret is sent by OSC 52")
    run.send("k")
    run.wait_for("In the OS keyring (Secret Service), read back")
    run.send("f")
    run.wait_for("carol_accessKeys.csv")
    run.send("Enter")
    run.wait_for("carol_accessKeys.csv, read back")
    run.escape(REVEAL)
    cleared = re.compile(rb"\x1b\]52;c;[^A-Za-z0-9+/]*(\x07|\x1b)")
    run.wait_until(
        lambda: bool(cleared.search(run.written().partition(payload)[2])),
        "the clipboard is cleared",
    )
    assert secret in (keyring_service.lookup(key_id) or "")
    assert secret in (desk.home / "carol_accessKeys.csv").read_text()
    run.wait_for(row(key_id, "Active"))

    second, _ = create_to_show(run)
    discard(run)
    run.send("y")
    run.wait_for(f"{second} is deleted")
    assert statuses(moto, "carol") == {key_id: "Active"}

    third, _ = create_to_show(run)
    discard(run)
    run.send("Enter")
    run.wait_for("keeps its secret nowhere")
    assert statuses(moto, "carol") == {key_id: "Active", third: "Active"}


def test_nothing_interrupts_a_creation_under_way(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    iam.add_user("alice")
    server.fault("CreateAccessKey", Fault(hang=True), times=1)
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for("alice has no access keys")
    choose_goal(run, "Show only")
    run.send("Enter")
    run.wait_for("Waiting for AWS")

    run.send("C-c", "C-q", "q", "Enter", "Escape")
    run.send("c", "x", "d", "?", "C-p", "C-z")
    run.wait_for("Not suspended")  # All keys before it were handled, too.
    server.release()
    key_id, secret = read_secret(run)
    assert iam.secrets[key_id].reveal() == secret
    assert server.received()["CreateAccessKey"] == 1
    assert len(iam.held(iam.find("alice"))) == 1


def test_description_that_may_not_be_kept_is_a_warning(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    alice = iam.add_user("alice")
    run = desk.keytui("--user", "alice", env=signed_by(server.options))
    run.wait_for("alice has no access keys")
    choose_goal(run, "CSV file")
    describe(run, "build server")
    run.send("Enter")
    run.wait_for(REVEAL)
    first = read_secret(run)[0]
    run.escape(REVEAL)
    run.wait_for("build server")
    assert iam.descriptions(alice) == {first: "build server"}

    iam.deny.add("iam:TagUser")
    choose_goal(run, "CSV file")
    describe(run, "night job")
    run.send("Enter")
    run.wait_for("read back")
    run.wait_for("iam:TagUser")
    second = read_secret(run)[0]
    run.escape(REVEAL)
    assert {key.id for key in iam.held(alice)} == {first, second}
    assert all(key.status is KeyStatus.ACTIVE for key in iam.held(alice))


def describe(run: Terminal, text: str) -> None:
    """Go to the description in the dialog that creates, and type one."""
    next_field(run)
    next_field(run)
    run.type(text)
    run.wait_for(text)


def ask_aws(command: str, home: Path, *words: str) -> str:
    """Run the aws command and return what it prints."""
    env = clean_env(home, AWS_DEFAULT_REGION="us-east-1")
    done = subprocess.run([command, *words], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
