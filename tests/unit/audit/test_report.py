"""The credential report: fetched, made again, and taken into an audit."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest

from keytui.audit.report import read_report, reports
from keytui.audit.rows import Audit
from keytui.core.errors import AccessDeniedError, UnreachableError
from keytui.core.port import run_now
from keytui.core.rules import Thresholds
from tests.support.fake_iam import START, FakeIam

T = TypeVar("T")


class Face:
    """Works at once and notes what the audit knew each time something was read."""

    def __init__(self) -> None:
        self.audit = Audit(Thresholds(), lambda: START)
        self.seen: list[object] = []

    async def work(self, call: Callable[[], T]) -> T:
        return call()

    def report_read(self) -> None:
        self.seen.append(self.audit.report_error or self.audit.report_made_at)

    def read(self, iam: FakeIam, *, newest: bool = True) -> None:
        run_now(read_report(iam, self.audit, self, lambda: START, lambda _: None, newest=newest))


def test_fresh_report_is_read_once() -> None:
    iam = FakeIam()
    iam.report = (iam.report_csv(), START - timedelta(hours=1))

    assert len(list(reports(iam, lambda: START, lambda _: None))) == 1
    assert iam.calls == ["iam:GetCredentialReport"]


def test_stale_report_comes_first_and_then_a_new_one() -> None:
    iam = FakeIam()
    iam.report = (iam.report_csv(), START - timedelta(hours=5))
    iam.report_polls = 0

    found = list(reports(iam, lambda: START, lambda _: None))

    assert [one.made_at for one in found] == [START - timedelta(hours=5), START]


def test_missing_report_is_waited_for() -> None:
    iam, waits = FakeIam(), list[float]()
    iam.report_polls = 3

    assert len(list(reports(iam, lambda: START, waits.append))) == 1
    assert len(waits) == 3


def test_stale_report_is_used_if_a_new_one_is_denied() -> None:
    iam = FakeIam()
    iam.report = (iam.report_csv(), START - timedelta(days=2))
    iam.deny = {"iam:GenerateCredentialReport"}

    assert len(list(reports(iam, lambda: START, lambda _: None))) == 1


def test_denied_report_is_an_error() -> None:
    iam = FakeIam()
    iam.deny = {"iam:GetCredentialReport"}

    with pytest.raises(AccessDeniedError):
        list(reports(iam, lambda: START, lambda _: None))


def test_report_is_shown_before_the_newer_one() -> None:
    iam, face = FakeIam(), Face()
    iam.report = (iam.report_csv(), START - timedelta(hours=5))
    face.read(iam)
    assert face.seen == [START - timedelta(hours=5), START]


def test_existing_report_suffices_if_no_newer_one_is_wanted() -> None:
    iam, face = FakeIam(), Face()
    iam.report = (iam.report_csv(), START - timedelta(hours=5))
    face.read(iam, newest=False)
    assert face.seen == [START - timedelta(hours=5)]
    assert iam.calls == ["iam:GetCredentialReport"]


def test_report_that_fails_leaves_its_reason_until_it_is_read() -> None:
    iam, face = FakeIam(), Face()
    iam.errors["iam:GetCredentialReport"] = UnreachableError("The network is gone.")
    face.read(iam)
    assert list(map(str, face.seen)) == ["The network is gone."]
    del iam.errors["iam:GetCredentialReport"]
    face.read(iam)
    assert face.audit.report_error is None
