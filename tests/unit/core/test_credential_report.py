"""The credential report: its CSV with every odd value, and which listed key is which of its."""

from datetime import UTC, datetime, timedelta

import pytest

from keytui.core.credential_report import CredentialReport, joined, parse
from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, LastUsed, User

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
HEAD = (
    "user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active,"
    "access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated"
)
USED = LastUsed(NOW - timedelta(days=1), "s3", "eu-west-1")
MADE = "2025-01-02T03:04:05+00:00"


def read(*rows: str, head: str = HEAD) -> CredentialReport:
    return parse("\n".join([head, *rows]).encode(), NOW)


def test_row_with_both_keys() -> None:
    used = "2026-01-01T00:00:00+00:00,eu-west-1,s3"
    report = read(f"alice,arn,{MADE},false,true,true,{MADE},{used},false,{MADE}")

    (alice,) = report.users
    first, second = alice.keys
    when = datetime(2026, 1, 1, tzinfo=UTC)
    assert (report.made_at, alice.user.name, alice.mfa) == (NOW, "alice", True)
    assert (first.id, first.status) == ("", KeyStatus.ACTIVE)
    assert first.created == datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert first.last_used == LastUsed(when, "s3", "eu-west-1")
    assert second.status is KeyStatus.INACTIVE
    assert second.last_used is None, "the report has no column for it"


@pytest.mark.parametrize("nothing", ["N/A", "no_information", "not_supported", "", "soon"])
def test_key_never_used(nothing: str) -> None:
    report = read(f"bob,arn,{MADE},false,false,true,{MADE},{nothing},N/A,N/A,false,N/A")

    (key,) = report.users[0].keys
    assert key.last_used == LastUsed()


def test_key_there_is_none_of_is_none() -> None:
    report = read(f"bob,arn,{MADE},false,false,false,N/A,N/A,N/A,N/A,false,N/A")
    assert report.users[0].keys == ()


def test_root_user() -> None:
    row = f"<root_account>,arn,{MADE},not_supported,TRUE,true,no_information,N/A,N/A,N/A,false,N/A"
    (root,) = read(row).users

    assert root.user == ROOT_USER
    assert (root.mfa, len(root.keys), root.keys[0].created) == (True, 1, None)


def test_columns_are_found_by_name_and_new_ones_passed_over() -> None:
    head = "new_column,access_key_1_last_rotated,user,access_key_1_active"
    (one,) = read(f'x,{MADE},"Smith,John",true', head=head).users

    assert (one.user.name, one.mfa, len(one.keys)) == ("Smith,John", None, 1)


def test_mark_at_the_beginning_and_other_line_ends() -> None:
    text = f"\ufeff{HEAD}\r\nbob,arn,{MADE},false,false,true,{MADE},N/A,N/A,N/A,false,N/A\r\n"
    assert len(parse(text.encode(), NOW).users) == 1


def test_row_cut_short_and_a_user_told_twice() -> None:
    report = read("bob", "bob", "")
    assert [(one.user.name, one.keys) for one in report.users] == [("bob", ())]


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff\xfe\x00", b"user,arn\n", b'user,"\n'])
def test_what_is_no_report(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"columns|CSV"):
        parse(content, NOW)


def a_listed_key(key_id: str, days: float, *, used: LastUsed | None = None) -> AccessKey:
    return AccessKey(key_id, User("alice"), KeyStatus.ACTIVE, NOW - timedelta(days=days), used)


def test_keys_are_told_apart_by_when_they_were_made() -> None:
    listed = [a_listed_key("AKIA1", 100), a_listed_key("AKIA2", 10)]
    reported = [a_listed_key("", 10, used=USED), a_listed_key("", 100, used=LastUsed())]

    assert [one.last_used for one in joined(listed, reported)] == [LastUsed(), USED]


def test_last_one_left_is_the_one_that_was_changed() -> None:
    listed = [a_listed_key("AKIA1", 100), a_listed_key("AKIA2", 10)]
    reported = [a_listed_key("", 50, used=USED), a_listed_key("", 10, used=LastUsed())]

    assert [one.last_used for one in joined(listed, reported)] == [USED, LastUsed()]


def test_keys_of_the_same_second_are_not_guessed() -> None:
    listed = [a_listed_key("AKIA1", 10), a_listed_key("AKIA2", 10)]
    reported = [a_listed_key("", 10, used=USED), a_listed_key("", 10, used=LastUsed())]

    assert [one.last_used for one in joined(listed, reported)] == [None, None]


def test_key_made_after_the_report_is_none_of_its() -> None:
    (found,) = joined([a_listed_key("AKIA2", 1)], [a_listed_key("", 10, used=USED)])
    assert found.last_used is None
