"""On any account the report and the live way say the same of each key.

The report's time of a key is when it was made *or last changed*; here none was changed. Of more
than two keys a user the report has two.
"""

from collections import Counter
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from keytui.audit.live import read_live
from keytui.audit.pace import Pace
from keytui.audit.rows import Audit
from keytui.core.credential_report import parse
from keytui.core.model import ROOT_USER, KeyStatus, LastUsed
from keytui.core.rules import Thresholds
from tests.property.test_promises import EXAMPLES
from tests.support.fake_iam import START, FakeIam

DAYS = st.floats(0, 400).map(lambda days: timedelta(days=days).__floordiv__(timedelta(seconds=1)))
USES = st.none() | st.tuples(DAYS, st.sampled_from(["s3", "iam"]))
KEYS = st.tuples(DAYS, st.sampled_from([KeyStatus.ACTIVE, KeyStatus.INACTIVE]), USES)
USERS = st.lists(st.lists(KEYS, max_size=2), max_size=5)
LIMITS = st.builds(Thresholds, st.integers(1, 300), st.integers(1, 300))


def account(users: list[list[tuple[int, KeyStatus, tuple[int, str] | None]]]) -> FakeIam:
    """Return an account of root, whose keys are the first user's."""
    iam = FakeIam(root=True)
    owners = [ROOT_USER, *(iam.add_user(f"user,{number}") for number in range(4))]
    for owner, keys in zip(owners, users, strict=False):
        for age, status, use in keys[: 1 if owner.is_root else 2]:
            used = LastUsed(START - timedelta(seconds=use[0]), use[1], "r") if use else None
            created = START - timedelta(seconds=age)
            iam.add_key(owner, status=status, created=created, last_used=used)
    return iam


def told(audit: Audit) -> Counter[tuple[object, ...]]:
    """Return what is said of each key, whatever its ID."""
    return Counter(
        (row.key.user.name, row.key.created, row.key.status, row.key.last_used, row.findings)
        for row in audit.rows
    )


@settings(max_examples=EXAMPLES, deadline=None)
@given(USERS, LIMITS, st.data())
def test_report_and_the_live_way_say_the_same(
    users: list[list[tuple[int, KeyStatus, tuple[int, str] | None]]],
    limits: Thresholds,
    data: st.DataObject,
) -> None:
    iam = account(users)
    by_report, live, mixed = (Audit(limits, lambda: START) for _ in range(3))
    report = parse(iam.report_csv(), START)
    by_report.take_report(report)
    mixed.take_report(report)
    everyone = [ROOT_USER, *(user for page in iam.users() for user in page)]
    for one in read_live(iam, everyone, Pace(sleep=lambda _: None), lambda: START):
        live.take_keys(one.user, one.keys, one.read_at)
        if data.draw(st.booleans()):
            mixed.take_keys(one.user, one.keys, one.read_at)

    assert told(by_report) == told(live) == told(mixed)
    assert all(row.key.id for row in live.rows)
