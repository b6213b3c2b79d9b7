"""``keytui doctor`` as a whole, before an account behind HTTP."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from keytui.aws.permissions import ACTIONS
from keytui.aws.session import connect
from keytui.cli.commands.doctor import doctor
from keytui.cli.doctor import account, clipboard
from keytui.core.errors import CredentialsError, StoreError, UnreachableError
from keytui.core.iam import Iam
from keytui.core.mfa import MfaDesk
from keytui.core.model import Identity
from keytui.journal.log import Journal
from keytui.session.context import Context
from keytui.session.settings import Settings
from keytui.stores.base import Mend, Probe
from tests.support.fake_iam import FakeIam
from tests.support.fake_store import FakeStore
from tests.support.gates import WRITABLE
from tests.support.iam_server import IamServer

CHANGES = {"CreateAccessKey", "UpdateAccessKey", "DeleteAccessKey", "TagUser", "UntagUser"}
KEYS = {
    "aws": {
        "caller",
        "account",
        "endpoint",
        "mfa",
        "ListUsers",
        "GetUser",
        "ListAccessKeys",
        "GetAccessKeyLastUsed",
        "ListUserTags",
        "ListMFADevices",
        "GenerateCredentialReport",
        "GetCredentialReport",
        *CHANGES,
    },
    "keyring": {"backend", "writable", "locked", "bus"},
    "terminal": {"term", "size", "colours", "encoding", "line", "clipboard"},
    "state": {"folder", "journal", "unfinished", "config"},
}


@pytest.fixture
def state() -> FakeIam:
    return FakeIam()


@pytest.fixture
def server(state: FakeIam) -> Iterator[IamServer]:
    with IamServer(state) as served:
        yield served


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, aws_env: object) -> None:
    """No terminal is asked, and the environment says little."""
    monkeypatch.setattr(clipboard, "ask", lambda _: None)
    for name in ("TMUX", "STY", "DISPLAY", "WAYLAND_DISPLAY", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere")


def ctx(
    connecting: Callable[[str | None], Iam],
    tmp_path: Path,
    *,
    store: FakeStore | None = None,
    **settings: Any,
) -> Context:
    joined = SimpleNamespace(
        settings=Settings(**settings),
        connect=connecting,
        profiles=lambda: ["acme", "other"],
        journal=Journal(tmp_path / "state", WRITABLE),
        keyring=store or FakeStore(),
        mfa=MfaDesk(lambda _: pytest.fail("asked for a code")),
    )
    return cast("Context", joined)


def told(
    capsys: pytest.CaptureFixture[str], of: Context, status: int
) -> dict[str, dict[str, dict[str, Any]]]:
    assert doctor(of, as_json=True) == status
    out, err = capsys.readouterr()
    assert err == ""
    found = json.loads(out)
    assert found.pop("ok") is (status == 0)
    assert found.pop("version")
    assert {group: set(rows) for group, rows in found.items()} == KEYS
    for rows in found.values():
        for row in rows.values():
            assert set(row) == {"status", "value", "text", "advice", "command"}
            assert row["status"] in {"ok", "warn", "fail", "unknown"}
    return cast("dict[str, dict[str, dict[str, Any]]]", found)


def test_all_is_well(server: IamServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, ctx(lambda _: connect(server.options, WRITABLE), tmp_path), 0)

    assert found["aws"]["account"]["value"] == "123456789012"
    assert found["aws"]["caller"]["value"] == "arn:aws:iam::123456789012:user/admin"
    assert found["aws"]["endpoint"] | {"text": "", "advice": ""} == {
        "status": "warn",
        "value": server.url,
        "text": "",
        "advice": "",
        "command": "",
    }
    assert {found["aws"][name]["value"] for name in CHANGES} == {"every user"}
    assert found["keyring"]["writable"]["value"] is True
    assert found["keyring"]["bus"]["value"] == "unix:path=/nowhere"
    assert found["terminal"]["encoding"]["value"] == "UTF-8"
    assert found["state"]["folder"]["value"] == str(tmp_path / "state")


def test_nothing_is_changed_in_the_account(
    server: IamServer, state: FakeIam, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = state.held(state.caller), state.descriptions(state.caller)

    told(capsys, ctx(lambda _: connect(server.options, WRITABLE), tmp_path), 0)

    assert (state.held(state.caller), state.descriptions(state.caller)) == before
    assert set(server.requests) >= CHANGES
    assert all(server.requests.count(change) == 1 for change in CHANGES)


def test_try_of_a_change_that_fails_is_not_sent_again(
    server: IamServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for change in CHANGES:
        server.fail(change, "ServiceFailure", 500)

    found = told(capsys, ctx(lambda _: connect(server.options, WRITABLE), tmp_path), 0)

    assert {found["aws"][change]["value"] for change in CHANGES} == {"unknown"}
    assert all(server.received()[change] == 1 for change in CHANGES)


def test_read_only_sends_no_change(
    server: IamServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of = ctx(lambda _: connect(server.options, WRITABLE), tmp_path, read_only=True)

    found = told(capsys, of, 0)

    assert not set(server.requests) & CHANGES
    assert {found["aws"][name]["value"] for name in CHANGES} == {"not tried"}


def test_denied_read_is_a_warning_with_what_is_lost(
    server: IamServer, state: FakeIam, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state.deny = {"iam:ListUsers"}

    row = told(capsys, ctx(lambda _: connect(server.options, WRITABLE), tmp_path), 0)["aws"][
        "ListUsers"
    ]

    assert (row["status"], row["value"]) == ("warn", "denied")
    assert row["text"] == "ListUsers (no list of users): Denied"


@pytest.mark.parametrize("read_only", [False, True])
def test_caller_who_may_do_nothing_at_all_fails(
    server: IamServer, tmp_path: Path, capsys: pytest.CaptureFixture[str], read_only: bool
) -> None:
    for action in ACTIONS:
        server.fail(action.removeprefix("iam:"), "AccessDenied", 403)
    of = ctx(lambda _: connect(server.options, WRITABLE), tmp_path, read_only=read_only)

    found = told(capsys, of, 1)["aws"]

    assert {found[action.removeprefix("iam:")]["status"] for action in ACTIONS} == {"fail"}
    assert "--profile" in found["ListUsers"]["advice"]
    assert "put-user-policy --user-name admin " in found["ListUsers"]["command"]
    assert doctor(of, as_json=False) == 1
    assert capsys.readouterr().out.count("IAM actions") == 1


@pytest.mark.parametrize(
    ("resource", "command"),
    [
        ("iam::1:user/team/al+ice", "aws iam put-user-policy --user-name al+ice "),
        ("sts::1:assumed-role/ops/me", "aws iam put-role-policy --role-name ops "),
        ("sts::1:assumed-role/AWSReservedSSO_Ops_0/me", ""),
        ("iam::1:root", ""),
        ("sts::1:federated-user/me", ""),
    ],
)
def test_who_could_be_allowed_more(resource: str, command: str) -> None:
    granted = account._grant(Identity("1", f"arn:aws:{resource}"))
    assert granted.startswith(command)
    assert bool(granted) is bool(command)


def test_no_credentials(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(_: str | None) -> Iam:
        raise CredentialsError("No AWS credentials were found.", "", "Name a profile.")

    found = told(capsys, ctx(refuse, tmp_path), 1)

    caller = found["aws"]["caller"]
    assert (caller["status"], caller["text"]) == ("fail", "No AWS credentials were found.")
    assert caller["command"] == "keytui doctor --profile acme"
    assert {found["aws"][name]["status"] for name in KEYS["aws"] - {"caller"}} == {"unknown"}
    assert found["keyring"]["writable"]["status"] == "ok"
    named = told(capsys, ctx(refuse, tmp_path, profile="my sso"), 1)
    assert named["aws"]["caller"]["command"] == "aws sso login --profile 'my sso'"


def test_aws_out_of_reach(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_: str | None) -> Iam:
        raise UnreachableError("AWS can't be reached.", "", "Check the network.")

    caller = told(capsys, ctx(fail, tmp_path), 1)["aws"]["caller"]

    assert (caller["status"], caller["advice"]) == ("fail", "Check the network.")


def test_aws_and_the_keyring_that_never_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    class Hanging(FakeStore):
        def probe(self, *, canary: bool = True) -> Probe:
            released.wait()
            return super().probe(canary=canary)

    def hang(_: str | None) -> Iam:
        released.wait()
        raise UnreachableError("Too late.")

    monkeypatch.setattr(account, "SECONDS", 0.2)
    monkeypatch.setattr("keytui.cli.doctor.keyring.SECONDS", 0.2)
    found = told(capsys, ctx(hang, tmp_path, store=Hanging()), 1)
    released.set()

    assert found["aws"]["caller"]["text"] == "AWS gave no answer within 0.2 s."
    assert found["keyring"]["backend"]["text"] == "The keyring gave no answer within 0.2 s."
    assert {row["status"] for row in found["state"].values()} <= {"ok", "unknown"}


def test_locked_keyring_and_the_page(
    server: IamServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Locked(FakeStore):
        def probe(self, *, canary: bool = True) -> Probe:
            return Probe("OS keyring", False, "The OS keyring is locked.", "", Mend.UNLOCK)

    monkeypatch.setattr("keytui.cli.doctor.keyring.missing_for_keyring", lambda _: [])
    monkeypatch.setenv("COLUMNS", "60")
    of = ctx(lambda _: connect(server.options, WRITABLE), tmp_path, store=Locked())

    assert doctor(of, as_json=False) == 1

    page = capsys.readouterr().out
    assert "✗ Writable     The OS keyring is locked.\n" in page
    assert "$ keytui --unlock-keyring\n" in page
    assert "\x1b" not in page
    assert page.endswith("(!).\n")
    assert all(len(line) <= 60 for line in page.splitlines())


def test_refused_keyring_says_the_next_step(
    server: IamServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = FakeStore()
    store.trouble = StoreError("It failed.", "", "Restart it.")

    row = told(capsys, ctx(lambda _: connect(server.options, WRITABLE), tmp_path, store=store), 1)
    assert row["keyring"]["writable"]["advice"] == "Restart it."


def test_account_that_gives_control_sequences(
    server: IamServer,
    state: FakeIam,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    evil = replace(state.identity(), arn="arn:aws:iam::1:user/\x9b2J\u202eevil")
    gateway = connect(server.options, WRITABLE)
    gateway._identity = evil

    doctor(ctx(lambda _: gateway, tmp_path), as_json=False)

    page = capsys.readouterr().out
    assert "evil" in page
    assert "\x9b" not in page
    assert "\u202e" not in page


def test_nothing_heavy_is_imported_at_its_start() -> None:
    code = "import keytui.cli.commands.doctor, sys; print(*sys.modules, sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    roots = {name.partition(".")[0] for name in done.stdout.split()}
    assert not roots & {"textual", "rich", "botocore", "boto3", "keyring", "secretstorage"}
