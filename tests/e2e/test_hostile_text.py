"""No text of others steers the terminal: looked for in every byte that is written to it.

XML can't carry ESC, BEL or NUL, so over HTTP come the controls above ASCII, which terminals
obey as well; the others come by the endpoint URL, the profile, files and the environment.
"""

import json
import os
import signal
from datetime import UTC, datetime, timedelta

import pytest

from keytui.core.model import KeyStatus, LastUsed
from tests.e2e.conftest import Desk, signed_by
from tests.e2e.steps import DIALOG, FAULT, REVEAL, choose_goal, row
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import Fault, IamServer
from tests.support.terminal import Terminal

NASTY = "\x9b2J\x9d52;c;eA==\x9c\u202eevil\u200b\u2028\u2066\ufeff\x85"
ESCAPES = "\x1b[2J\x1b]52;c;eA==\x07\x1b]0;title\x1b\\\r\b"
LONG = "w" * 3000


def assert_unmoved(run: Terminal) -> None:
    """See that nothing of the nasty texts was written as it came."""
    written = run.written()
    for char in set(NASTY) - set("2J52;ceA=vil"):
        assert char.encode() not in written, ascii(char)
    for sequence in (b"\x1b]52", b"\x1b]0;", b"eA==\x07", b"\r\b", b"\0"):
        assert sequence not in written
    assert "�".encode() in written, "nothing nasty was shown, so nothing is proved"


def hostile(iam: FakeIam) -> str:
    """Fill an account with nasty texts; return the name of a user with an inactive key."""
    name = f"aaa{NASTY}"
    user = iam.add_user(name)
    long_ago = datetime.now(UTC) - timedelta(days=200)
    iam.add_key(
        user,
        f"AKIA{NASTY}1234",
        status=KeyStatus.INACTIVE,
        created=long_ago,
        last_used=LastUsed(long_ago, f"svc{NASTY}", f"reg{NASTY}"),
    )
    now = datetime.now(UTC)
    iam.add_key(user, "AKIAPLAIN00000000001", created=now, description=f"desc{NASTY}")
    iam.add_user(f"bbb{LONG}{NASTY}")
    return name


def test_texts_of_aws_in_lists_dialogs_and_messages(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    name = hostile(iam)
    run = desk.keytui("--user", name, env=signed_by(server.options), size=(160, 40))
    run.wait_for("3 users")
    run.wait_for(row(r"AKIA\S+…", "Inactive"))
    run.wait_for("svc�")
    run.send("Down")
    run.wait_for("desc�")
    run.send("Up")
    run.wait_gone("desc�")

    run.send("x")
    run.wait_for(DIALOG)
    run.send("Escape")
    run.wait_gone(DIALOG)
    denied = f"User: {NASTY} is not authorized to perform: iam:{NASTY}UpdateAccessKey"
    server.fail("UpdateAccessKey", "AccessDenied", 403, denied, times=1)
    run.send("a")
    run.wait_for("is denied")
    server.fail("UpdateAccessKey", f"Evil{NASTY}", 400, NASTY, times=1)
    run.send("a")
    run.wait_for("not one that AWS gives")
    run.send("a")
    run.wait_for("is active")

    iam.remove_key(iam.held(iam.find(name))[1])
    run.send("r")
    run.wait_gone("AKIAPLAIN")
    choose_goal(run, "Show only")
    run.wait_for("For aaa�")
    run.send("Enter")
    run.wait_for(REVEAL)
    run.send("s")
    run.wait_for("Secret")
    run.send("Escape")
    run.wait_for("Type discard")
    run.send("Escape")
    run.wait_gone("Type discard")
    os.kill(run.pid, signal.SIGTERM)
    run.wait_exit()
    run.wait_for("keytui: ")
    assert not FAULT.search(run.history())
    assert_unmoved(run)


def test_record_of_it_is_shown_as_plainly(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    name = hostile(iam)
    desk.state.mkdir(parents=True)
    fields = ("event", "user", "caller", "key_id", "attempt", "store", "detail", "asked")
    lines = [
        dict.fromkeys(fields, ESCAPES + NASTY) | {"at": when, "event": event, "account": who}
        for event in ("creating", "reply lost", "deleted", "status", "stored")
        for when, who in (
            ("2026-01-02T03:04:05+00:00", iam.identity().account),
            (ESCAPES, ESCAPES + NASTY),
        )
    ]
    journal = "".join(json.dumps(line) + "\n" for line in lines)
    (desk.state / "journal.jsonl").write_text(journal)
    run = desk.keytui("--user", name, env=signed_by(server.options))
    run.wait_for("3 users")
    run.send("H")
    run.wait_for("When (UTC)")
    run.wait_for("evil")
    run.escape("When (UTC)")
    run.send("q")
    run.wait_exit()
    assert_unmoved(run)


@pytest.mark.parametrize(
    ("action", "status"), [("ListUsers", 200), ("GetCallerIdentity", 500), ("ListAccessKeys", 200)]
)
def test_reply_that_is_nothing_but_escapes(
    desk: Desk, iam: FakeIam, server: IamServer, action: str, status: int
) -> None:
    hostile(iam)
    server.fault(action, Fault(reply=(ESCAPES + NASTY).encode(), status=status))
    run = desk.keytui(env=signed_by(server.options))
    run.wait_for("not one that AWS gives")
    run.send("q")
    assert run.wait_exit() == 0
    for sequence in (NASTY.encode(), b"\x1b]52", b"\x1b]0;", b"eA==\x07"):
        assert sequence not in run.written()


def test_endpoint_and_the_profile(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    hostile(iam)
    profile = f"prof{NASTY}"
    folder = desk.home / ".aws"
    folder.mkdir(parents=True)
    keys = "aws_access_key_id = AKIAFAKECALLER000001\naws_secret_access_key = made-up\n"
    (folder / "config").write_text(f"[profile {profile}]\n{keys}")
    run = desk.keytui("--endpoint-url", server.url, "--profile", profile, size=(160, 40))
    run.wait_for("profile prof�")
    run.send("P")
    run.wait_for("Ask again")
    run.wait_for("prof�")
    run.escape("Ask again")
    run.send("q")
    run.wait_exit()
    assert_unmoved(run)


@pytest.mark.parametrize("flag", ["--endpoint-url", "--profile", "--region", "--user"])
def test_flags_of_escapes(desk: Desk, iam: FakeIam, server: IamServer, flag: str) -> None:
    iam.add_user("alice")
    value = f"http://127.0.0.1:1{ESCAPES}{NASTY}"
    run = desk.keytui(flag, value, env=signed_by(server.options), size=(160, 40))
    run.wait_until(lambda: "✗" in run.text() or "!" in run.text() or run._ended(), "it is said")
    if not run._ended():
        run.send("q")
    run.wait_exit()
    assert not FAULT.search(run.history())
    for sequence in (NASTY.encode(), "\x9b".encode(), b"\x1b]52", b"\x1b]0;", b"eA==\x07"):
        assert sequence not in run.written()


@pytest.mark.parametrize(
    "case", ["config name", "config text", "variable", "a folder for the config", "not text"]
)
def test_refusals_printed_at_the_start(
    desk: Desk, iam: FakeIam, server: IamServer, case: str
) -> None:
    """What is printed to standard error, outside any screen."""
    env = signed_by(server.options)
    config = desk.home / ".config" / "keytui" / "config.toml"
    config.parent.mkdir(parents=True)
    if case == "config name":
        config.write_text(f'{json.dumps(ESCAPES + NASTY)} = "x"\n')
    elif case == "config text":
        config.write_text(f"{ESCAPES}{NASTY}")
    elif case == "variable":
        env |= {"KEYTUI_READ_ONLY": f"perhaps{ESCAPES}{NASTY}"}
    else:
        folder = desk.home / f"odd{ESCAPES}{NASTY}"
        env |= {"XDG_CONFIG_HOME": str(folder)}
        (folder / "keytui").mkdir(parents=True)
        if case == "a folder for the config":
            (folder / "keytui" / "config.toml").mkdir()
        else:
            (folder / "keytui" / "config.toml").write_bytes(b"\xff")
    run = desk.keytui(env=env)
    assert run.wait_exit() == 2
    run.wait_for("keytui: ")
    assert not FAULT.search(run.history())
    for sequence in (
        NASTY.encode(),
        "\x9b".encode(),
        b"\x1b[2J",
        b"\x1b]52",
        b"\x1b]0;",
        b"eA==\x07",
    ):
        assert sequence not in run.written()
