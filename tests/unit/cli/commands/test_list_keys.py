"""``keytui list``: what stands in the table and in the JSON, and what may not be read."""

import json
from pathlib import Path

import pytest

from keytui.core.errors import AccessDeniedError, KeytuiError, UnreachableError
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID, Desk, an_account
from tests.support.commands import run_command


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr("keytui.audit.pace.RATE", 1e6)
    return Desk(tmp_path, an_account())


def test_all_keys_stand_in_columns(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(desk, "list") == 0
    head, *rows = capsys.readouterr().out.splitlines()
    assert [row.split()[1] for row in rows] == [OWN_ID, INACTIVE_ID, ACTIVE_ID, BOB_ID]
    assert rows[1].endswith("old laptop")
    assert rows[2].split() == (
        f"alice {ACTIVE_ID} Active 2025-09-22 2026-01-12 09:00 s3 eu-west-1 old".split()
    )
    for column, cell in (("Access key ID", ACTIVE_ID), ("Last used", "2026-01-12"), ("Fin", "old")):
        assert head.index(column) == rows[2].index(cell)


def test_one_user_and_findings_only(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(desk, "list", "--user", "bob") == 0
    assert run_command(desk, "list", "--findings") == 0
    out = capsys.readouterr().out
    assert [line.split()[1] for line in out.splitlines()] == ["Access", BOB_ID, "Access", ACTIVE_ID]


def test_json(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(desk, "list", "--user", "alice", "--json") == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["last_used"], first["description"]) == ("never", "old laptop")
    assert second == {
        "key_id": ACTIVE_ID,
        "user": "alice",
        "account": "123456789012",
        "status": "Active",
        "created": "2025-09-22T09:00:00+00:00",
        "last_used": "2026-01-12T09:00:00+00:00",
        "last_used_service": "s3",
        "last_used_region": "eu-west-1",
        "description": "",
        "findings": [{"rule": "old", "cis": "1.14", "fails": True}],
    }


def test_thresholds_of_the_config_file(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(desk, "list", "--findings", old_days=200, unused_days=2) == 0
    _, *rows = capsys.readouterr().out.splitlines()
    assert [(row.split()[1], row.split()[-1]) for row in rows] == [(ACTIVE_ID, "unused")]


def test_nothing_to_list(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(desk, "list", "--user", "carol", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []
    assert run_command(desk, "list", "--user", "carol") == 0
    assert capsys.readouterr().out == ""


def test_last_use_that_may_not_be_read_is_said_once(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.iam.deny.add("iam:GetAccessKeyLastUsed")
    assert run_command(desk, "list", "--json") == 0
    said = capsys.readouterr()
    assert said.err.count("iam:GetAccessKeyLastUsed is denied") == 1
    assert {one["last_used"] for one in json.loads(said.out)} == {None}


def test_users_that_may_not_be_listed(desk: Desk) -> None:
    desk.iam.deny.add("iam:ListUsers")
    with pytest.raises(AccessDeniedError, match="--user NAME"):
        run_command(desk, "list")


def test_keys_that_could_not_be_read_are_told_and_fail(
    desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = desk.iam.keys

    def keys(user):  # type: ignore[no-untyped-def]
        if user.name in {"bob", "carol"}:
            raise UnreachableError("AWS gave no answer.")
        return read(user)

    monkeypatch.setattr(desk.iam, "keys", keys)
    assert run_command(desk, "list") == 1
    said = capsys.readouterr()
    assert ACTIVE_ID in said.out
    assert said.err == (
        "keytui: The keys of bob and 1 other user could not be read. AWS gave no answer.\n"
    )


def test_root_users_keys_are_not_mistaken_for_ones_own(desk: Desk) -> None:
    with pytest.raises(KeytuiError, match="Only the root user may list"):
        run_command(desk, "list", "--user", "<root account>")


def test_user_that_is_not_there(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(desk, "list", "--user", "nobody") == 1
    assert "The user nobody does not exist" in capsys.readouterr().err


def test_text_from_aws_moves_no_cursor(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.iam.add_key(desk.iam.add_user("e\x1b[2Jvil"), description="\u202etxt")
    assert run_command(desk, "list") == 0
    assert "\x1b" not in (said := capsys.readouterr().out)
    assert "\u202e" not in said
