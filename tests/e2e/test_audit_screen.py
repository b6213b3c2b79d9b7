"""The audit of a large account: a real terminal, real HTTP, and a throttle such as AWS's."""

import re

from bench.accounts import Account
from bench.server import Manners
from keytui.audit.pace import BURST, RATE
from keytui.aws.demo.people import DEMO_KEY_ID, DEMO_SECRET
from tests.e2e.conftest import Desk
from tests.e2e.steps import FAULT
from tests.support.terminal import Terminal

ROW = re.compile(r"^ [▸ ][✓ ](\S+) +(AKIA\w{16}) +[●○] (?:Active|Inactive)\b", re.MULTILINE)
A_HANDFUL = 10
"""Calls of IAM, with those for 5,000 users and the keys of the first."""


def read_page(run: Terminal) -> dict[str, str]:
    """Wait until all rows on the screen have their IDs; return access key ID → user."""
    shown = run.wait_gone(" … ")
    found = {key_id: name for name, key_id in ROW.findall(shown)}
    assert len(found) == shown.count("● Active") + shown.count("○ Inactive") > 20, shown
    return found


def test_10000_keys_at_a_glance_and_those_in_sight_live(desk: Desk) -> None:
    with Account(5000) as account:
        # What the main screen asks for passes beside the audit's own burst.
        account.set(Manners(limit=RATE, burst=BURST + A_HANDFUL, report_age=2))
        keys = {"AWS_ACCESS_KEY_ID": DEMO_KEY_ID, "AWS_SECRET_ACCESS_KEY": DEMO_SECRET}
        run = desk.keytui(env=keys | {"AWS_ENDPOINT_URL": account.url})
        run.wait_for("5,000 users")
        run.wait_for(re.compile(r"[a-z]  +2 (old|unused|!)"))  # The report has marked the users.
        first = account.counts().served
        assert first.total() - first["GetCallerIdentity"] <= A_HANDFUL, first

        run.send("A")
        run.wait_for(re.compile(r"10,000 keys, \d,\d{3} with findings  report made 2 h ago"))
        seen = read_page(run)
        for key in ("NPage", "NPage", "End"):
            before = run.line_of("▸")
            run.send(key)
            run.wait_until(lambda: run.line_of("▸") != before, "the cursor has moved")  # noqa: B023
            page = read_page(run)
            assert page.keys() - seen.keys()
            seen |= page

        asked = account.counts()
        live = asked.served - first
        assert set(live) == {"ListAccessKeys"}, "the report tells all the rest"
        assert 40 < live["ListAccessKeys"] <= len(seen)
        assert asked.throttled == 0
        shown = run.escape("report made")
        assert "5,000 users" in shown
        assert not FAULT.search(run.history())
        run.send("q")
        assert run.wait_exit() == 0
