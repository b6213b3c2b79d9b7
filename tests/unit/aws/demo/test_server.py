"""The demo account: cut off from AWS, ending with keytui, the same at a fixed clock."""

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from keytui.aws.demo.people import DEMO_KEY_ID, people
from keytui.aws.demo.server import DemoServer
from keytui.aws.session import connect
from keytui.core.errors import KeytuiError
from keytui.core.model import KeyStatus, User
from tests.support.aws_env import AwsHome
from tests.support.fake_iam import FakeIam
from tests.support.gates import WRITABLE
from tests.support.iam_server import IamServer
from tests.support.moto_server import READY_SECONDS, MotoAccount, moto_account

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
DESCRIPTION = re.compile(r"[\w .:/=+@-]{1,256}")
"""What IAM takes as a tag's value."""


@pytest.fixture(scope="module")
def account() -> Iterator[MotoAccount]:
    with moto_account(now=NOW) as server:
        yield server


def test_there_are_twelve_believable_users(account: MotoAccount) -> None:
    iam = connect(account.options, WRITABLE)

    users = [user for page in iam.users() for user in page]
    keys = {user.name: iam.keys(user) for user in users}

    assert len(users) == 12
    assert [user.name for user in users] == sorted((user.name for user in users), key=str.lower)
    assert Counter(map(len, keys.values())) == {0: 1, 1: 8, 2: 3}
    assert keys["carol"] == ()
    assert [key.status for key in keys["dave"]] == [KeyStatus.ACTIVE] * 2
    assert [key.status for key in keys["old-jenkins"]] == [KeyStatus.INACTIVE]
    assert iam.last_used(keys["erin"][0].id).when is None
    assert iam.last_used(keys["svc-backup"][0].id).when == NOW - timedelta(days=58)
    assert "svc+reports=eu,prod.batch@acme-corp" in keys


def test_caller_is_the_demos_administrator(account: MotoAccount) -> None:
    iam = connect(account.options, WRITABLE)

    assert iam.signing_key_id() == DEMO_KEY_ID
    assert iam.identity().arn == "arn:aws:iam::123456789012:user/admin"


@pytest.mark.parametrize("count", [1, 5, 12, 13, 5000, 12_000])
def test_any_number_of_users_with_ids_as_iam_has_them(count: int) -> None:
    crowd = people(count)
    ids = [key.id for person in crowd for key in person.keys]

    assert len({person.name for person in crowd}) == len(crowd) == count
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"AKIADEMO[A-Z0-9]{12}", key_id) for key_id in ids)
    assert DEMO_KEY_ID in ids
    assert all(re.fullmatch(r"[\w+=,.@-]{1,64}", person.name) for person in crowd)
    for person in crowd:
        assert list(person.keys) == sorted(person.keys, key=lambda key: -key.age)
        for key in person.keys:
            assert key.age <= person.age
            assert key.used is None or key.used <= key.age
            assert not key.description or DESCRIPTION.fullmatch(key.description)


def test_what_is_made_at_a_fixed_clock_is_the_same_each_time() -> None:
    made = []
    for requests_before in (0, 3):
        with moto_account(now=NOW) as server:
            iam = connect(server.options, WRITABLE)
            for _ in range(requests_before):
                iam.keys(User("alice"))
            made.append(iam.create_key(User("carol")))

    first, second = made
    assert first.key.id == second.key.id
    assert first.secret.matches(second.secret)
    assert first.key.created == second.key.created == NOW


def test_what_is_made_otherwise_differs() -> None:
    with moto_account() as one, moto_account() as two:
        first = connect(one.options, WRITABLE).create_key(User("carol"))
        second = connect(two.options, WRITABLE).create_key(User("carol"))

    assert first.key.id != second.key.id
    assert not first.secret.matches(second.secret)
    assert first.key.created is not None
    assert abs(datetime.now(UTC) - first.key.created) < timedelta(minutes=5)


def test_machines_aws_setup_is_ignored(aws_env: AwsHome, monkeypatch: pytest.MonkeyPatch) -> None:
    aws_env.config.write_text("[default\nnot a config")
    with IamServer(FakeIam()) as decoy:
        for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IAM", "HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, decoy.url)
        monkeypatch.setenv("AWS_PROFILE", "nonexistent")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREALREALREALREAL")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
        monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "cn-north-1")
        monkeypatch.setenv("INITIAL_NO_AUTH_ACTION_COUNT", "0")
        with DemoServer() as server:
            iam = connect(server.wait_ready(READY_SECONDS), WRITABLE)
            assert iam.identity().user_name == "admin"
            assert sum(len(page) for page in iam.users()) == 12
            iam.create_key(User("carol"))

        assert decoy.requests == []


PARENT = """
import sys, time
from keytui.aws.demo.server import DemoServer
server = DemoServer()
server.wait_ready(60)
print(server.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_it_ends_with_its_parent(how: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        handle = os.pidfd_open(child)
        parent.send_signal(how)

    ended, _, _ = select.select([handle], [], [], READY_SECONDS)
    os.close(handle)
    assert ended


def test_it_outlives_a_hang_up_of_the_terminal() -> None:
    with DemoServer() as server:
        server.wait_ready(READY_SECONDS)
        assert os.getsid(server.pid) != os.getsid(0)


def test_stopping_ends_it() -> None:
    server = DemoServer()
    ready = server.wait_ready(READY_SECONDS)
    handle = os.pidfd_open(server.pid)
    assert (
        server.wait_ready(0).endpoint_url == ready.endpoint_url
    )  # It tells where it is once, and is asked again.
    assert not select.select([handle], [], [], 0)[0]

    server.stop()
    server.stop()

    assert select.select([handle], [], [], 0)[0]
    os.close(handle)


def test_it_can_be_stopped_before_it_is_ready() -> None:
    started = time.monotonic()
    DemoServer().stop()

    assert time.monotonic() - started < READY_SECONDS


def test_without_moto_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in = tmp_path / "moto.py"
    stand_in.write_text("raise ModuleNotFoundError(\"No module named 'moto'\", name='moto')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    with DemoServer() as server, pytest.raises(KeytuiError) as caught:
        server.wait_ready(READY_SECONDS)

    assert type(caught.value) is KeytuiError
    assert "pip install 'keytui[demo]'" in caught.value.next_step


def test_server_that_can_not_start_ends_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "moto.py").write_text("raise RuntimeError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    started = time.monotonic()
    with DemoServer() as server, pytest.raises(KeytuiError, match="did not start"):
        server.wait_ready(READY_SECONDS)

    assert time.monotonic() - started < READY_SECONDS


def test_failing_start_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")

    with DemoServer() as server, pytest.raises(KeytuiError, match="did not start"):
        server.wait_ready(READY_SECONDS)


def test_start_that_takes_too_long_is_given_up() -> None:
    with DemoServer() as server:
        handle = os.pidfd_open(server.pid)
        with pytest.raises(KeytuiError, match="did not start"):
            server.wait_ready(0)
        assert select.select([handle], [], [], 0)[0]
        os.close(handle)


def test_keytuis_side_needs_neither_sdk_nor_moto() -> None:
    code = (
        "import sys, keytui.aws.demo.server, keytui.aws.options;"
        "print([n for n in ('botocore', 'moto', 'flask', 'urllib3') if n in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert shown.stdout == "[]\n"
