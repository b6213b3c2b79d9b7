"""Marks of audited keys: none ever goes over to another key."""

from datetime import UTC, datetime, timedelta

from keytui.audit.rows import Audit
from keytui.core.credential_report import CredentialReport, ReportedUser
from keytui.core.model import AccessKey, KeyStatus, User
from keytui.core.rules import Thresholds
from keytui.tui.audit.table import AuditMarks

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ALICE = User("alice")


def a_key(age: float, key_id: str = "", status: KeyStatus = KeyStatus.ACTIVE) -> AccessKey:
    return AccessKey(key_id, ALICE, status, NOW - timedelta(days=age))


def a_report(age: float, *keys: AccessKey) -> CredentialReport:
    return CredentialReport(NOW - timedelta(days=age), (ReportedUser(ALICE, True, keys),))


def test_mark_does_not_move_to_the_key_that_replaced_its_own() -> None:
    audit, marks = Audit(Thresholds(), lambda: NOW), AuditMarks()
    audit.take_report(a_report(1, a_key(400), a_key(200)))
    marks.set(audit.of_user("alice")[:1], on=True)

    audit.take_report(a_report(0.1, a_key(0.5), a_key(200)))
    assert not any(map(marks.holds, audit.rows))
    marks.listed(ALICE, [a_key(200, "AKIA2"), a_key(0.5, "AKIA3")], audit.reported("alice"))

    assert (marks.ids, marks.lost) == ({}, 1)


def test_marked_keys_are_read_again_after_a_newer_report() -> None:
    audit, marks = Audit(Thresholds(), lambda: NOW), AuditMarks()
    listed = [a_key(400, "AKIA1"), a_key(200, "AKIA2")]
    audit.take_keys(ALICE, listed, NOW - timedelta(days=1))
    marks.set(audit.rows, on=True)

    audit.take_report(a_report(0.1, a_key(400), a_key(0.5, status=KeyStatus.INACTIVE)))
    assert marks.unread(audit) == [ALICE]
    audit.take_keys(ALICE, listed, NOW)

    assert marks.unread(audit) == []
    assert [key.id for key in marks.keys(audit)] == ["AKIA1", "AKIA2"]
