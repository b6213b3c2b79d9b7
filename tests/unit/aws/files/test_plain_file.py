"""A file with keys in plain text: what an import may do to it and to its profile."""

import os
from pathlib import Path

import pytest

from keytui.aws.files.plain_file import FoundFile, FoundProfile
from keytui.aws.files.profiles import AwsFiles, credentials_command
from keytui.core.errors import ReadOnlyError, StoreError
from keytui.core.gate import Gate
from tests.support.gates import READ_ONLY, WRITABLE
from tests.support.sentinel import KEY_ID, SENTINEL

STATIC = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SENTINEL}\n"
LINE = f"credential_process = {credentials_command(KEY_ID)}\n"
CSV = f"Access key ID,Secret access key\r\n{KEY_ID},{SENTINEL}\r\n"


@pytest.fixture
def files(tmp_path: Path) -> AwsFiles:
    (tmp_path / ".aws").mkdir()
    return AwsFiles({}, tmp_path, WRITABLE)


def found(
    files: AwsFiles, path: Path | str, section: str | None = None, gate: Gate = WRITABLE
) -> FoundFile:
    return FoundFile(str(path), section, files, lambda: ("It is limited.",), gate)


def profile_of(files: AwsFiles, path: Path, section: str | None = None) -> FoundProfile:
    profile = found(files, path, section).profile
    assert profile is not None
    return profile


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "accessKeys.csv"
    path.write_text(CSV)
    return path


def test_file_of_keys_is_deleted(files: AwsFiles, csv: Path) -> None:
    file = found(files, csv)
    assert [key.key_id for key in file.keys] == [KEY_ID]
    assert (file.profile, file.changed()) == (None, False)
    assert SENTINEL not in f"{file} {vars(file)}"
    file.delete()
    assert not csv.exists()


def test_link_leads_to_the_file_itself(files: AwsFiles, csv: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(csv)
    file = found(files, tmp_path / "link")
    file.delete()
    assert (file.path, csv.exists()) == (csv, False)


def test_read_only_mode_deletes_no_file(files: AwsFiles, csv: Path) -> None:
    with pytest.raises(ReadOnlyError):
        found(files, csv, gate=READ_ONLY).delete()
    assert csv.exists()


def test_change_of_the_file_is_noticed(files: AwsFiles, csv: Path) -> None:
    file = found(files, csv)
    csv.write_text("something new\n")
    assert file.changed()
    csv.unlink()
    with pytest.raises(StoreError, match="There is no file"):
        file.changed()


def test_more_in_json_than_the_key_is_named(files: AwsFiles, tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(
        f'{{"AccessKeyId": "{KEY_ID}", "SecretAccessKey": "{SENTINEL}", "DbPassword": "x"}}'
    )
    assert found(files, path).more == ("DbPassword",)


def test_files_that_can_not_be_used(files: AwsFiles, tmp_path: Path) -> None:
    fifo, big = tmp_path / "fifo", tmp_path / "big"
    os.mkfifo(fifo)
    big.write_text("x" * 1_000_001)
    for path, said in (
        (fifo, "not a plain file"),
        (big, "too large"),
        (tmp_path, "not a plain file"),
        (tmp_path / "none", "There is no file"),
    ):
        with pytest.raises(StoreError, match=said):
            found(files, path)


def test_profile_of_the_credentials_file_is_at_home(files: AwsFiles) -> None:
    files.credentials.write_text(f"[a]\n{STATIC}\n# mine\n[dev]\n{STATIC}")
    files.config.write_text("[profile dev]\nregion = x\n")
    profile = profile_of(files, files.credentials, "dev")
    assert (profile.at_home, profile.in_config, profile.obstacle()) == (True, False, "")
    assert (profile.name, profile.config) == ("dev", "~/.aws/config")
    assert profile.limits() == ("It is limited.",)

    profile.use_keyring()
    profile.drop_key()

    assert files.credentials.read_text() == f"[a]\n{STATIC}\n# mine\n"
    assert files.config.read_text() == f"[profile dev]\n{LINE}region = x\n"


def test_default_profile_of_the_config_file_is_at_home(files: AwsFiles) -> None:
    files.config.write_text(f"[default]\n{STATIC}region = x\n")
    profile = profile_of(files, files.config)
    assert (profile.at_home, profile.in_config, profile.obstacle()) == (True, True, "")

    profile.use_keyring()

    assert files.config.read_text() == f"[default]\n{LINE}region = x\n"


def test_profile_elsewhere_is_not_at_home(files: AwsFiles, tmp_path: Path) -> None:
    path = tmp_path / "old-credentials"
    path.write_text(f"[dev]\n{STATIC}region = x\n")
    profile = profile_of(files, path)
    assert not profile.at_home

    profile.drop_key()

    assert path.read_text() == "[dev]\nregion = x\n"
    assert not files.config.exists()


def test_profile_keytui_can_not_write_is_not_at_home(files: AwsFiles) -> None:
    files.credentials.write_text(f"[it's]\n{STATIC}")
    assert not profile_of(files, files.credentials).at_home


def test_profile_that_assumes_a_role_has_an_obstacle(files: AwsFiles) -> None:
    files.credentials.write_text(f"[dev]\n{STATIC}")
    files.config.write_text("[profile dev]\nrole_arn = arn:x\nsource_profile = dev\n")
    said = profile_of(files, files.credentials).obstacle()
    assert "the profile dev also has role_arn = arn:x" in said
    assert SENTINEL not in said


def test_read_only_credentials_file_keeps_its_key(files: AwsFiles) -> None:
    files.credentials.write_text(f"[dev]\n{STATIC}")
    files.credentials.chmod(0o400)
    with pytest.raises(StoreError, match="is read-only"):
        profile_of(files, files.credentials).drop_key()
    assert files.credentials.read_text() == f"[dev]\n{STATIC}"


OTHERS = (STATIC.replace(KEY_ID, "AKIAOTHER00000000002"), STATIC.replace(SENTINEL, "another"))


@pytest.mark.parametrize("other", OTHERS, ids=["key", "secret"])
def test_key_written_meanwhile_stays(files: AwsFiles, other: str) -> None:
    files.credentials.write_text(f"[dev]\n{STATIC}")
    profile = profile_of(files, files.credentials)
    files.credentials.write_text(f"[dev]\n{other}")

    with pytest.raises(StoreError, match="was changed meanwhile and stays"):
        profile.drop_key()

    assert files.credentials.read_text() == f"[dev]\n{other}"


def test_key_written_into_the_config_file_meanwhile_stays(files: AwsFiles) -> None:
    files.config.write_text(f"[profile dev]\n{STATIC}")
    profile = profile_of(files, files.config)
    files.config.write_text(f"[profile dev]\n{OTHERS[0]}")

    with pytest.raises(StoreError, match="was changed meanwhile and stays"):
        profile.use_keyring()

    assert files.config.read_text() == f"[profile dev]\n{OTHERS[0]}"
