"""``keytui recover`` deletes no key whose secret somebody may have, whatever the journal says.

Each test kills a creation or fills its disk, and then lets somebody else, or the user with another
tool, make the key that keytui could take for its own.
"""

import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import Desk, signed_by
from tests.e2e.test_recover import recover
from tests.faults.disk import small_disk
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import Fault, IamServer
from tests.support.secret_service import wait_until
from tests.support.terminal import KEYTUI, PATIENCE, clean_env

OTHER_ID = "AKIAANOTHERTOOL00001"
SECRET = "made/up/secret/of/another/tool/0123456789"
HANGS = Fault(works=False, hang=True)


def at_home(desk: Desk, server: IamServer, profile: str = "default", key_id: str = "") -> None:
    """Write an AWS credentials file that signs with a key: the caller's, or the one named."""
    options = server.options
    assert options.access_key_id
    folder = desk.home / ".aws"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "credentials").open("a") as file:
        file.write(f"[{profile}]\naws_access_key_id = {key_id or options.access_key_id}\n")
        file.write(f"aws_secret_access_key = {SECRET}\n")


@contextmanager
def creating(desk: Desk, env: Mapping[str, str], *flags: str) -> Iterator["subprocess.Popen[str]"]:
    """Run ``keytui create`` without a terminal while the block runs."""
    process = subprocess.Popen(
        [KEYTUI, "create", *flags],
        env=clean_env(desk.home) | dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def kill_while_aws_hangs(desk: Desk, server: IamServer, env: Mapping[str, str], user: str) -> None:
    """Kill ``keytui create`` while it waits for a reply that never comes."""
    server.fault("CreateAccessKey", HANGS)
    csv = desk.home / "new.csv"
    with creating(desk, env, "--user", user, "--store", f"csv:{csv}") as process:
        wait_until(lambda: server.received()["CreateAccessKey"] == 1, "AWS was asked")
        process.send_signal(signal.SIGKILL)
        process.wait(PATIENCE)
    server.release()


def endpoint(server: IamServer) -> dict[str, str]:
    """Return an environment without credentials of its own."""
    assert server.options.endpoint_url
    return {"AWS_ENDPOINT_URL": server.options.endpoint_url}


def soon(seconds: float) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=seconds)


def kept_alive(iam: FakeIam, key_id: str) -> bool:
    return iam.owner_of(key_id) is not None and not [
        call for call in iam.calls if "DeleteAccessKey" in call or "UpdateAccessKey" in call
    ]


def test_key_that_signs_keytuis_calls_is_left(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    kill_while_aws_hangs(desk, server, signed_by(server.options), "admin")
    iam.add_key(iam.caller, OTHER_ID, created=soon(0))
    at_home(desk, server, key_id=OTHER_ID)

    done = recover(desk, endpoint(server), "--yes")

    assert done.returncode == 3, done
    assert "It signs keytui's own calls." in done.stdout
    assert "keytui asked for a key at" in done.stdout
    assert f"AWS created {OTHER_ID} at" in done.stdout
    assert f"{OTHER_ID} stays" in done.stdout
    assert kept_alive(iam, OTHER_ID)


def test_key_that_a_profile_here_names_is_left(desk: Desk, iam: FakeIam, server: IamServer) -> None:
    iam.add_user("carol")
    kill_while_aws_hangs(desk, server, signed_by(server.options), "carol")
    iam.add_key(iam.find("carol"), OTHER_ID, created=soon(0))
    at_home(desk, server, "work", OTHER_ID)

    done = recover(desk, signed_by(server.options), "--yes")

    assert done.returncode == 3, done
    assert "This machine uses it: profile work in ~/.aws/credentials." in done.stdout
    assert kept_alive(iam, OTHER_ID)


@pytest.mark.parametrize("seconds", [0, 25])
def test_colleagues_key_is_left(desk: Desk, iam: FakeIam, server: IamServer, seconds: int) -> None:
    iam.add_user("carol")
    env = signed_by(server.options)
    kill_while_aws_hangs(desk, server, env, "carol")
    iam.add_key(iam.find("carol"), OTHER_ID, created=soon(seconds))

    done = recover(desk, env, "--yes")

    assert done.returncode == 3, done
    assert "Unless somebody else created it at that moment" in done.stdout
    assert f"AWS created {OTHER_ID} at" in done.stdout
    assert kept_alive(iam, OTHER_ID)


@pytest.mark.parametrize("denied", [True, False], ids=["denied", "failing"])
def test_key_whose_last_use_is_unknown_is_left(
    desk: Desk, iam: FakeIam, server: IamServer, denied: bool
) -> None:
    iam.add_user("carol")
    env = signed_by(server.options)
    server.fault("CreateAccessKey", Fault(end="reset"))
    with creating(desk, env, "--user", "carol", "--store", f"csv:{desk.home / 'x.csv'}") as process:
        assert process.wait(PATIENCE * 2) == 3
    (key,) = iam.held(iam.find("carol"))
    if denied:
        iam.deny = {"iam:GetAccessKeyLastUsed"}
    else:
        server.fault("GetAccessKeyLastUsed", Fault(works=False, status=500, reply=b"<Error/>"))

    done = recover(desk, env, "--yes")

    assert done.returncode == 3, done
    assert "When it was last used is unknown" in done.stdout
    assert kept_alive(iam, key.id)

    iam.deny = set()
    server.mend()
    assert recover(desk, env, "--yes").returncode == 0
    assert iam.held(iam.find("carol")) == ()


def test_stored_secret_whose_line_found_no_room_keeps_its_key(
    desk: Desk, iam: FakeIam, server: IamServer, tmp_path: Path
) -> None:
    iam.add_user("carol")
    csv = tmp_path / "carol.csv"
    with small_disk(tmp_path / "state") as disk:
        env = signed_by(server.options) | {"XDG_STATE_HOME": str(disk.path)}
        server.fault("CreateAccessKey", Fault(hang=True))
        with creating(desk, env, "--user", "carol", "--store", f"csv:{csv}") as process:
            wait_until(lambda: server.received()["CreateAccessKey"] == 1, "AWS was asked")
            disk.fill(disk.path / "keytui" / "journal.jsonl")
            server.release()
            out, err = process.communicate(timeout=PATIENCE)
        assert process.returncode == 3, (out, err)
        assert "could not write down that the secret of" in err
        (key,) = iam.held(iam.find("carol"))
        assert key.id in csv.read_text()
        csv.rename(tmp_path / "somewhere else.csv")
        disk.free()

        told = recover(desk, env, "--yes")
        assert told.returncode == 3, told
        assert f"Its secret may be in {csv}" in told.stdout
        assert kept_alive(iam, key.id)

        run = desk.keytui("recover", env=env)
        run.wait_for("Type the last four characters of its ID:")
        run.send("Enter")
        assert run.wait_exit() == 3
        assert kept_alive(iam, key.id)
