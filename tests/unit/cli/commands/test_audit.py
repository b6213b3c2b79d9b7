"""``keytui audit``: what it reads and in how many calls, what it prints, and how it ends."""

import csv
import io
import json
from pathlib import Path

import pytest

from keytui.core.errors import AccessDeniedError, ThrottledError, UnreachableError
from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, LastUsed, User
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID, Desk, an_account
from tests.support.commands import run_command
from tests.support.fake_iam import ACCOUNT, START

Captured = pytest.CaptureFixture[str]
REPORT = "iam:GetCredentialReport"
LIST = "iam:ListAccessKeys"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """An account with one finding: alice's active key is old."""
    monkeypatch.setattr("keytui.audit.pace.RATE", 1e6)
    return Desk(tmp_path, an_account())


def records(capsys: Captured) -> list[dict[str, object]]:
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, list)
    return found


def test_finding_gives_status_1_and_the_id_to_act_on(desk: Desk, capsys: Captured) -> None:
    assert run_command(desk, "audit", "--json") == 1
    first, *rest = records(capsys)
    assert first == {
        "key_id": ACTIVE_ID,
        "user": "alice",
        "account": ACCOUNT,
        "status": "Active",
        "created": "2025-09-22T09:00:00+00:00",
        "last_used": "2026-01-12T09:00:00+00:00",
        "last_used_service": "s3",
        "last_used_region": "eu-west-1",
        "description": None,
        "mfa": False,
        "live": True,
        "findings": [{"rule": "old", "cis": "1.14", "fails": True}],
    }
    # alice's other key was read along; nobody else was asked about.
    assert [(one["key_id"], one["live"]) for one in rest] == [
        (INACTIVE_ID, True),
        (None, False),
        (None, False),
    ]
    assert [call for call in desk.iam.calls if call.startswith(LIST)] == [f"{LIST} alice"]
    assert desk.iam.count("iam:ListUsers") == 0


def test_report_alone_takes_a_handful_of_calls(desk: Desk, capsys: Captured) -> None:
    assert run_command(desk, "audit", "--report-only", "--json") == 1
    assert [one["key_id"] for one in records(capsys)] == [None] * 4
    assert len(desk.iam.calls) <= 5


def test_live_way_reads_everybody(desk: Desk, capsys: Captured) -> None:
    assert run_command(desk, "audit", "--live", "--json") == 1
    found = records(capsys)
    assert {one["key_id"] for one in found} == {ACTIVE_ID, INACTIVE_ID, BOB_ID, OWN_ID}
    assert all(one["live"] for one in found)


@pytest.mark.parametrize(
    ("fail_on", "status"),
    [
        ("old", 1),
        ("unused,old", 1),
        ("unused,never-used,root,two-active", 0),
        ("none", 0),
    ],
)
def test_only_the_rules_asked_for_fail(desk: Desk, fail_on: str, status: int) -> None:
    assert run_command(desk, "audit", "--fail-on", fail_on) == status


def test_account_without_findings(desk: Desk, capsys: Captured) -> None:
    desk.iam.remove_user("alice")
    assert run_command(desk, "audit", "--json") == 0
    assert len(records(capsys)) == 2


def test_what_is_only_worth_knowing_fails_nothing(desk: Desk, capsys: Captured) -> None:
    desk.iam.remove_user("alice")
    desk.iam.add_key(desk.iam.find("carol"), last_used=LastUsed())
    assert run_command(desk, "audit", "--json") == 0
    assert any(one["findings"] for one in records(capsys))


def test_key_made_inactive_since_the_report_is_no_finding(desk: Desk, capsys: Captured) -> None:
    """The report is stale beside AWS itself: what it finds is looked at live."""
    desk.iam.report = (desk.iam.report_csv(), START)
    (key,) = (one for one in desk.iam.held(desk.iam.find("alice")) if one.id == ACTIVE_ID)
    desk.iam.set_status(key, KeyStatus.INACTIVE)
    assert run_command(desk, "audit", "--json") == 0


def test_table(desk: Desk, capsys: Captured) -> None:
    assert run_command(desk, "audit") == 1
    said = capsys.readouterr()
    head, first, *_ = lines = said.out.splitlines()
    assert " ".join(head.split()) == ("User Access key ID Status Created Last used MFA Findings")
    assert first.split() == (
        f"alice {ACTIVE_ID} Active 2025-09-22 2026-01-12 09:00 s3 eu-west-1 no old 1.14".split()
    )
    for column, cell in (("Access key ID", ACTIVE_ID), ("MFA", "no"), ("Findings", "old")):
        assert head.index(column) == first.index(cell)
    assert "4 keys; 1 breaks a rule." in lines
    assert [" ".join(line.split()) for line in lines if line.startswith("old ")] == [
        "old 2 of 3 active keys pass CIS 1.14 An active key should be rotated within 90 days."
    ]
    assert "The credential report was made 2026-01-15 09:00 UTC, just now." in said.err


def test_only_findings(desk: Desk, capsys: Captured) -> None:
    assert run_command(desk, "audit", "--findings", "--json") == 1
    assert [one["key_id"] for one in records(capsys)] == [ACTIVE_ID]


def test_thresholds_of_the_config_file(desk: Desk, capsys: Captured) -> None:
    assert run_command(desk, "audit", old_days=200, unused_days=1) == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "An active key should be rotated within 200 days." in out
    assert "A key unused for 1 day should" in out
    assert run_command(desk, "audit", "--fail-on", "old", old_days=200) == 0


def test_csv_and_markdown_keep_standard_output_to_themselves(desk: Desk, capsys: Captured) -> None:
    assert run_command(desk, "audit", "--csv") == 1
    first, *_ = csv.DictReader(io.StringIO(capsys.readouterr().out, newline=""))
    assert (first["key_id"], first["findings"], first["cis"]) == (ACTIVE_ID, "old", "1.14")
    assert run_command(desk, "audit", "--markdown") == 1
    said = capsys.readouterr()
    assert said.out.startswith("# Access keys of the account `123456789012`\n")
    assert f"| `alice` | `{ACTIVE_ID}` | Active |" in said.out
    assert "4 keys; 1 breaks a rule." in said.err


def test_without_the_report_everybody_is_read(desk: Desk, capsys: Captured) -> None:
    desk.iam.deny |= {REPORT, "iam:GenerateCredentialReport"}
    assert run_command(desk, "audit", "--json") == 1
    said = capsys.readouterr()
    found = json.loads(said.out)
    assert {one["key_id"] for one in found} == {ACTIVE_ID, INACTIVE_ID, BOB_ID, OWN_ID}
    assert found[0]["mfa"] is False
    assert "There is no credential report; each user is asked about." in said.err
    assert REPORT in said.err
    assert "Whether the root user has keys is not known" in said.err


def test_without_the_report_the_root_user_is_not_judged(desk: Desk) -> None:
    desk.iam.deny |= {REPORT, "iam:GenerateCredentialReport"}
    desk.iam.remove_user("alice")
    assert run_command(desk, "audit") == 2
    assert run_command(desk, "audit", "--fail-on", "root") == 2
    assert run_command(desk, "audit", "--fail-on", "old,unused,never-used,two-active") == 0


def test_report_alone_can_not_be_had_without_the_report(desk: Desk) -> None:
    desk.iam.deny |= {REPORT, "iam:GenerateCredentialReport"}
    with pytest.raises(AccessDeniedError):
        run_command(desk, "audit", "--report-only")


def test_root_key_is_found_by_the_report_alone(desk: Desk, capsys: Captured) -> None:
    desk.iam.add_key(ROOT_USER)
    assert run_command(desk, "audit", "--json", "--fail-on", "root") == 1
    first, *_ = records(capsys)
    assert (first["user"], first["key_id"], first["live"]) == ("<root account>", None, False)


def test_keys_that_could_not_be_read_are_told(desk: Desk, capsys: Captured) -> None:
    """On the live way that is a status of its own; beside the report they were judged."""
    desk.iam.remove_user("alice")
    desk.iam.errors[LIST] = UnreachableError("The network is gone.")
    assert run_command(desk, "audit", "--live", "--json") == 2
    said = capsys.readouterr().err
    assert "and 4 other users could not be read. The network is gone." in said
    assert run_command(desk, "audit", "--json") == 0


def test_findings_that_can_not_be_looked_at_live_still_stand(desk: Desk, capsys: Captured) -> None:
    desk.iam.deny.add(LIST)
    assert run_command(desk, "audit", "--json") == 1
    said = capsys.readouterr()
    assert json.loads(said.out)[0]["key_id"] is None
    assert "The keys of alice could not be read." in said.err


def test_last_use_that_may_not_be_read_leaves_rules_open(desk: Desk, capsys: Captured) -> None:
    desk.iam.deny |= {REPORT, "iam:GenerateCredentialReport", "iam:GetAccessKeyLastUsed"}
    desk.iam.remove_user("alice")
    assert run_command(desk, "audit", "--fail-on", "unused") == 2
    said = capsys.readouterr().err
    assert said.count("iam:GetAccessKeyLastUsed is denied") == 1
    assert "Of 2 active keys the creation or the last use is not known." in said
    assert run_command(desk, "audit", "--fail-on", "old") == 0


def test_nobody_else_is_asked_about_where_all_are_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keytui.audit.pace.RATE", 400)
    for number in range(100):
        desk.iam.add_user(f"user{number}")
    desk.iam.deny |= {REPORT, "iam:GenerateCredentialReport", LIST}
    assert run_command(desk, "audit") == 2
    assert desk.iam.count(LIST) < 40


def test_long_way_is_told_of_and_how_to_do_without_it(
    desk: Desk, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keytui.cli.commands.audit.LONG", 0.0)
    monkeypatch.setattr("keytui.audit.pace.RATE", 20.0)
    assert run_command(desk, "audit") == 1
    said = capsys.readouterr().err
    assert "The keys of 1 users break a rule. To read them live takes about 1 s; --rep" in said


def test_user_deleted_meanwhile_leaves(
    desk: Desk, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.iam.report = (desk.iam.report_csv(), START)
    desk.iam.remove_user("alice")
    assert run_command(desk, "audit", "--json") == 0
    assert "alice" not in capsys.readouterr().out


def test_told_to_stop_it_prints_what_is_known(
    desk: Desk, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(user: User) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(desk.iam, "keys", stop)
    assert run_command(desk, "audit", "--json") == 130
    said = capsys.readouterr()
    assert len(json.loads(said.out)) == 4
    assert "Stopped before all was read: this is what is known." in said.err
    assert "Traceback" not in said.err


def test_users_that_may_not_be_listed(desk: Desk, capsys: Captured) -> None:
    """Beside the report the live way still knows whom to ask about."""
    desk.iam.deny.add("iam:ListUsers")
    assert run_command(desk, "audit", "--live", "--json") == 1
    assert {one["key_id"] for one in records(capsys)} == {ACTIVE_ID, INACTIVE_ID, BOB_ID, OWN_ID}
    desk.iam.deny |= {REPORT, "iam:GenerateCredentialReport"}
    with pytest.raises(AccessDeniedError):
        run_command(desk, "audit", "--json")


def test_throttle_that_passes_is_not_told(
    desk: Desk, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, refused = desk.iam.keys, dict[str, int]()

    def keys(user: User) -> tuple[AccessKey, ...]:
        refused[user.name] = refused.get(user.name, 0) + 1
        if refused[user.name] <= 15:  # More often than one call is made again.
            raise ThrottledError("AWS asks for fewer calls.")
        return read(user)

    monkeypatch.setattr(desk.iam, "keys", keys)
    with_luck = desk.iam.find("carol")
    refused[with_luck.name] = 15
    assert run_command(desk, "audit", "--live", "--json") == 1
    said = capsys.readouterr()
    assert {one["key_id"] for one in json.loads(said.out)} == {
        ACTIVE_ID,
        INACTIVE_ID,
        BOB_ID,
        OWN_ID,
    }
    assert "fewer calls" not in said.err


def test_throttle_without_end_is_told_in_the_end(
    desk: Desk, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.iam.errors[LIST] = ThrottledError("AWS asks for fewer calls.")
    desk.iam.remove_user("alice")
    assert run_command(desk, "audit", "--live") == 2
    said = capsys.readouterr().err
    assert "could not be read. AWS went on asking for fewer calls. Try again later." in said
