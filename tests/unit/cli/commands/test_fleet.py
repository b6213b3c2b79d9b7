"""``keytui fleet``: the table and the JSON of all profiles, and what went wrong with some."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keytui.audit.fleet import Member, survey
from keytui.core.errors import AccessDeniedError, CredentialsError, KeytuiError
from keytui.core.iam import Iam
from keytui.core.model import Identity, LastUsed
from tests.support.app import OWN_ID, Desk, an_account
from tests.support.commands import run_command
from tests.support.fake_iam import ACCOUNT, START, FakeIam

OLD_ID = "AKIAOLDOLDOLDOLD0001"
ROLE = f"arn:aws:sts::{ACCOUNT}:assumed-role/ops/me"
EXPIRED = CredentialsError("The sign-in session has expired.", "Nothing was lost.", "Run it.")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Four profiles: two of one user with an old key, one that is signed out, one of a role."""
    desk = Desk(tmp_path, an_account())
    used = LastUsed(START - timedelta(days=2), "s3", "eu-west-1")
    desk.iam.add_key(desk.iam.caller, OWN_ID, created=START - timedelta(days=5), last_used=used)
    old = START - timedelta(days=100)
    desk.iam.add_key(desk.iam.caller, OLD_ID, created=old, last_used=used)
    role = FakeIam()
    role._identity = Identity(ACCOUNT, ROLE)
    accounts: dict[str, Iam | KeytuiError] = {
        "again": desk.iam,
        "good": desk.iam,
        "out\x1b[2J": EXPIRED,
        "role": role,
    }

    def peek(profile: str) -> Iam:
        found = accounts[profile]
        if isinstance(found, KeytuiError):
            raise found
        return found

    desk.profiles, desk.peeking = list(accounts), peek
    return desk


def test_table_of_all_keys(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(desk, "fleet") == 1
    said = capsys.readouterr()
    head, *rows = said.out.splitlines()
    assert [row.split()[:4] for row in rows[:4]] == [
        ["again", ACCOUNT, "admin", OLD_ID],
        ["again", ACCOUNT, "admin", OWN_ID],
        ["good", ACCOUNT, "admin", OLD_ID],
        ["good", ACCOUNT, "admin", OWN_ID],
    ]
    assert rows[0].endswith(
        "Active  2025-10-07  2026-01-13 09:00 s3 eu-west-1  old 1.14, two active 1.13"
    )
    assert rows[4].split() == f"role {ACCOUNT} ops/me - no keys of its own".split()
    assert rows[6] == ("3 of 4 profiles answered: 2 keys, 1 stale, 1 more breaks a rule.")
    for column, cell in (("Access key ID", OLD_ID), ("Findings", "old 1.14")):
        assert head.index(column) == rows[0].index(cell)
    assert said.err == "keytui: out�[2J: The sign-in session has expired. Run it.\n"


def test_findings_only(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.iam.remove_key(next(key for key in desk.iam.held(desk.iam.caller) if key.id == OWN_ID))
    desk.profiles = ["good", "role"]
    assert run_command(desk, "fleet", "--findings") == 0
    assert run_command(desk, "fleet", "--findings", old_days=101) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert [line.split()[0] for line in lines if line] == ["Profile", "good", "2", "2"]
    assert lines[-1] == "2 of 2 profiles answered: 1 key, 0 stale."
    assert said.err == ""


def test_json(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(desk, "fleet", "--json") == 1
    again, good, out, role = json.loads(capsys.readouterr().out)
    assert again["keys"] == good["keys"]
    assert good["keys"][0] == {
        "key_id": OLD_ID,
        "user": "admin",
        "account": ACCOUNT,
        "status": "Active",
        "created": "2025-10-07T09:00:00+00:00",
        "last_used": "2026-01-13T09:00:00+00:00",
        "last_used_service": "s3",
        "last_used_region": "eu-west-1",
        "description": None,
        "signs": False,
        "findings": [
            {"rule": "old", "cis": "1.14", "fails": True},
            {"rule": "two active", "cis": "1.13", "fails": True},
        ],
    }
    assert good["keys"][1]["signs"] is True
    assert out == {
        "profile": "out\x1b[2J",
        "account": None,
        "arn": None,
        "caller": None,
        "keys": [],
        "error": "The sign-in session has expired. Run it.",
    }
    assert role == {
        "profile": "role",
        "account": ACCOUNT,
        "arn": ROLE,
        "caller": "ops/me",
        "keys": [],
        "error": None,
    }


def test_last_use_that_may_not_be_read_is_said(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    action = "iam:GetAccessKeyLastUsed"
    desk.iam.errors[action] = AccessDeniedError(action, f"You may not do this: {action} is denied.")
    desk.profiles = ["good"]
    assert run_command(desk, "fleet") == 0
    said = capsys.readouterr()
    assert "old 1.14" in said.out
    assert f"good: You may not do this: {action} is denied. The last use of its" in said.err


def test_no_profiles(desk: Desk) -> None:
    desk.profiles = []
    with pytest.raises(KeytuiError, match="The AWS config has no profiles"):
        run_command(desk, "fleet")


def test_what_is_known_when_it_is_stopped(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_short(*args: Any) -> Iterator[Member]:
        yield next(survey(*args))
        raise KeyboardInterrupt

    monkeypatch.setattr("keytui.cli.commands.fleet.survey", cut_short)
    desk.profiles = ["again", "good"]
    assert run_command(desk, "fleet", "--json") == 130
    said = capsys.readouterr()
    assert len(json.loads(said.out)) == 1
    assert "Stopped before all had answered" in said.err
