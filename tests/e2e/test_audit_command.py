"""``keytui audit`` as a CI job runs it: the real process, real HTTP, exit statuses."""

import csv
import io
import json
import signal
import subprocess
from datetime import UTC, datetime, timedelta

from keytui.core.model import LastUsed
from tests.e2e.conftest import Desk, signed_by
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import Fault, IamServer
from tests.support.secret_service import wait_until
from tests.support.terminal import KEYTUI, PATIENCE, clean_env

OLD_ID = "AKIAOLDOLDOLDOLD0001"
NAME = "=cmd+calc,@old"
"""A name that IAM allows and a spreadsheet takes for a formula."""


def test_ci_job_finds_old_keys_with_and_without_the_report(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    used = LastUsed(now - timedelta(days=1), "s3", "eu-west-1")
    iam.add_key(iam.add_user(NAME), OLD_ID, created=now - timedelta(days=100), last_used=used)
    young = now - timedelta(days=2)
    iam.add_key(iam.caller, iam.signing_key_id(), created=young, last_used=used)
    for number in range(4):
        iam.add_key(iam.add_user(f"user{number:02}"), created=young, last_used=used)
    config = desk.home / ".config/keytui/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text("old_days = 99\n")

    def audit(*argv: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [KEYTUI, "audit", *argv],
            env=clean_env(desk.home) | signed_by(server.options),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
            encoding="utf-8",
        )

    by_report = audit("--json", "--fail-on", "old")
    assert by_report.returncode == 1, by_report.stderr
    first, *_ = found = json.loads(by_report.stdout)
    assert (first["user"], first["key_id"], first["live"]) == (NAME, OLD_ID, True)
    assert len(found) == 6
    calls = server.received()
    assert calls["ListAccessKeys"] == 1
    assert calls["ListUsers"] == calls["GetAccessKeyLastUsed"] == 0

    # AWS asks for fewer calls now and then: that takes longer, and is not told.
    iam.deny |= {"iam:GetCredentialReport", "iam:GenerateCredentialReport"}
    server.fail("ListAccessKeys", "Throttling", 400, "Rate exceeded", times=3)
    live = audit("--csv", "--findings", "--fail-on", "unused,never-used")
    assert live.returncode == 0, live.stderr
    assert "Rate exceeded" not in live.stderr
    (row,) = csv.DictReader(io.StringIO(live.stdout, newline=""))
    assert (row["user"], row["key_id"], row["cis"]) == (f"'{NAME}", OLD_ID, "1.14")

    config.write_text("old_days = 101\n")
    assert audit("--fail-on", "old").returncode == 0
    config.write_text("old_days = 0\n")
    wrong = audit()
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert "old_days takes a whole number of days from 1 to 36500" in wrong.stderr


def test_audit_that_is_interrupted_prints_what_it_knows(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    iam.add_key(iam.add_user("alice"), OLD_ID, created=datetime(2020, 1, 1, tzinfo=UTC))
    server.fault("ListAccessKeys", Fault(hang=True))
    run = subprocess.Popen(
        [KEYTUI, "audit", "--json"],
        env=clean_env(desk.home) | signed_by(server.options),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until(lambda: server.received()["ListAccessKeys"] >= 1, "the request")
    run.send_signal(signal.SIGINT)
    said, errors = run.communicate(timeout=PATIENCE)
    server.release()

    assert run.returncode == 128 + signal.SIGINT, errors
    assert json.loads(said)[0]["user"] == "alice"
    assert "Stopped before all was read" in errors
    assert "Traceback" not in errors
