"""Repointed profiles are tried without this run, and a profile's own secret signs the way back."""

from pathlib import Path

import pytest

from keytui.aws.files.profiles import AwsFiles
from keytui.aws.files.repoint import How, LocalProfiles
from keytui.core.model import Secret
from tests.support.gates import WRITABLE
from tests.unit.aws.files.test_repoint import COMMAND, NEW, NEW_SECRET, OLD, OTHER, STAMP, STATIC

OLD_PROCESS = f"credential_process = /opt/keytui credentials {OLD}\n"


class Fresh:
    """Stands for the process, and notes what it was asked to run."""

    def __init__(self, files: AwsFiles, how: How = How.PROCESS) -> None:
        self.works = False
        self.ran: list[str] = []
        self.profiles = LocalProfiles(
            files,
            how,
            command=lambda key_id: f"/opt/keytui credentials {key_id}",
            gives_key=self.run,
        )

    def run(self, command: str, key_id: str, secret: Secret) -> bool:
        assert key_id == NEW
        assert secret is NEW_SECRET
        self.ran.append(command)
        return self.works

    def rotate(self) -> str:
        (change,) = self.profiles.plan(OLD, NEW)
        self.profiles.repoint(change, NEW_SECRET, STAMP)
        return self.profiles.record(change, STAMP)


@pytest.fixture
def files(tmp_path: Path) -> AwsFiles:
    (tmp_path / ".aws").mkdir()
    return AwsFiles({}, tmp_path, WRITABLE)


@pytest.mark.parametrize("before", [STATIC, OLD_PROCESS])
def test_profile_by_process_is_run(files: AwsFiles, before: str) -> None:
    files.credentials.write_text(f"[dev]\n{before}")
    fresh = Fresh(files)
    change = fresh.rotate()

    assert fresh.profiles.unusable(change, NEW_SECRET) == "[dev] in ~/.aws/credentials"

    assert fresh.ran == [COMMAND]
    fresh.works = True
    assert fresh.profiles.unusable(change, NEW_SECRET) == ""


def test_static_profile_is_not_run(files: AwsFiles) -> None:
    files.credentials.write_text(f"[dev]\n{STATIC}")
    fresh = Fresh(files, How.REWRITE)
    assert fresh.profiles.unusable(fresh.rotate(), NEW_SECRET) == ""
    assert fresh.ran == []


@pytest.mark.parametrize("now", [None, "", "[dev]\nregion = eu-west-1\n"])
def test_profile_that_its_user_changed_is_not_run(files: AwsFiles, now: str | None) -> None:
    files.credentials.write_text(f"[dev]\n{STATIC}")
    fresh = Fresh(files)
    change = fresh.rotate()
    if now is None:
        files.credentials.unlink()
    else:
        files.credentials.write_text(now)

    assert fresh.profiles.unusable(change, NEW_SECRET) == ""
    assert fresh.ran == []


def test_secret_of_a_profile(files: AwsFiles) -> None:
    files.credentials.write_text(f"[other]\nregion = x\n[dev]\n{STATIC}")
    profiles = LocalProfiles(files)

    secret = profiles.secret(OLD)

    assert secret
    assert secret.matches(Secret(STATIC.splitlines()[1].partition(" = ")[2]))
    assert profiles.secret(OTHER) is None


def test_secret_beside_a_session_token_is_of_no_long_lived_key(files: AwsFiles) -> None:
    files.credentials.write_text(f"[dev]\n{STATIC}aws_session_token = x\n")
    assert LocalProfiles(files).secret(OLD) is None
