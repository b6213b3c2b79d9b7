"""``keytui import``: into the keyring, tested from there, and only then out of the file."""

import os
from pathlib import Path

import pytest

from keytui.aws.files.profiles import credentials_command
from keytui.cli.commands import import_secret as import_command
from keytui.cli.commands.import_secret import import_secret
from keytui.core.errors import CredentialsError, StoreError, StoreLockedError
from keytui.core.model import Identity, Secret
from keytui.session.settings import Settings
from keytui.stores.keyring import named
from keytui.stores.keyring.session_bus import Bus, BusKind
from tests.support.app import Desk, an_account, parts_of
from tests.support.keyboard import at_a_terminal
from tests.support.sentinel import KEY_ID, SENTINEL

OTHER_ID = "AKIAI44QH8DHBEXAMPLE"
STATIC = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SENTINEL}\n"
LINE = f"credential_process = {credentials_command(KEY_ID)}\n"
CSV = f"Access key ID,Secret access key\r\n{KEY_ID},{SENTINEL}\r\n"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, an_account())
    desk.who = lambda *_: Identity("123456789012", "arn:aws:iam::123456789012:user/team/alice")
    desk.aws_files.config.parent.mkdir()
    return desk


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    path = tmp_path / "accessKeys.csv"
    path.write_text(CSV)
    return path


def run(
    desk: Desk,
    path: Path,
    *,
    section: str | None = None,
    yes: bool = True,
    settings: Settings = Settings(),  # noqa: B008 - frozen
) -> int:
    return import_secret(parts_of(desk, settings), str(path), section=section, yes=yes)


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is typed on a terminal, in order."""
    return at_a_terminal(import_command, monkeypatch)


def refuse(*_: object) -> Identity:
    raise CredentialsError("AWS does not know this access key.")


def test_a_csv_file_is_kept_tested_and_deleted(
    desk: Desk, csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[str] = []

    def who(key_id: str, secret: Secret) -> Identity:
        asked.append(secret.reveal())
        return Identity("123456789012", "arn:aws:iam::123456789012:user/alice")

    desk.who = who
    assert run(desk, csv) == 0
    said = capsys.readouterr()

    assert asked == [SENTINEL, SENTINEL]
    assert desk.keyring.kept[KEY_ID].reveal() == SENTINEL
    assert not csv.exists()
    assert f"{KEY_ID} is in the OS keyring (Secret Service), read back." in said.out
    assert "AWS knows it as alice in the account 123456789012." in said.out
    assert f"{csv} is deleted. Copies in backups" in said.out
    assert SENTINEL not in said.out + said.err
    (held,) = parts_of(desk, Settings()).vault.held()
    assert (held.key_id, held.user, held.account) == (KEY_ID, "alice", "123456789012")


def test_the_test_uses_the_secret_from_the_keyring(
    desk: Desk, csv: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(desk.keyring, "get", lambda _: Secret("spoilt in the keyring"))

    def who(_: str, secret: Secret) -> Identity:
        return refuse() if secret.reveal() != SENTINEL else Identity("1", "arn:aws:iam::1:root")

    desk.who = who
    assert run(desk, csv) == 1
    assert "could not be tested with the secret from the keyring" in capsys.readouterr().out
    assert csv.exists()


def test_without_a_terminal_nothing_is_removed(
    desk: Desk, csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(desk, csv, yes=False) == 0
    assert csv.exists()
    assert "stays, with the secret in plain text" in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "stays"), [("", True), ("n", True), ("y", False)])
def test_on_a_terminal_it_is_asked(
    answer: str, stays: bool, desk: Desk, csv: Path, answers: list[str]
) -> None:
    answers.append(answer)
    assert run(desk, csv, yes=False) == 0
    assert (csv.exists(), answers) == (stays, [])


def test_a_key_that_aws_refuses_is_kept_and_the_file_stays(
    desk: Desk, csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.who = refuse
    assert run(desk, csv) == 1
    said = capsys.readouterr().out
    assert csv.exists()
    assert desk.keyring.kept[KEY_ID].reveal() == SENTINEL
    assert "could not be tested" in said
    assert "AWS does not know this access key." in said


def test_a_good_secret_is_not_overwritten_by_one_that_aws_refuses(
    desk: Desk, csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.keyring.kept[KEY_ID] = Secret("the good one")
    desk.who = refuse
    assert run(desk, csv) == 1
    assert "the keyring has another secret for it already, which stays" in capsys.readouterr().out
    assert desk.keyring.kept[KEY_ID].reveal() == "the good one"


def test_what_is_known_of_a_key_is_not_lost_where_aws_can_not_be_asked(
    desk: Desk, csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(desk, csv, yes=False) == 0
    desk.who = refuse
    assert run(desk, csv) == 1
    assert "the keyring has it already, which stays" in capsys.readouterr().out
    (held,) = parts_of(desk, Settings()).vault.held()
    assert held.user == "alice"
    assert csv.exists()


def test_a_keyring_that_fails_leaves_the_file(
    desk: Desk, csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.keyring.fails_at_put = StoreLockedError("The OS keyring is locked.")
    assert run(desk, csv) == 1
    assert csv.exists()
    assert "The OS keyring is locked." in capsys.readouterr().out


def test_one_bad_key_of_several_keeps_the_file(desk: Desk, csv: Path) -> None:
    csv.write_text(f"{CSV}{OTHER_ID},{SENTINEL}\r\n")
    good = Identity("123456789012", "arn:aws:iam::123456789012:user/alice")
    desk.who = lambda key_id, _: good if key_id == KEY_ID else refuse()
    assert run(desk, csv) == 1
    assert csv.exists()
    assert set(desk.keyring.kept) == {KEY_ID, OTHER_ID}


def test_a_password_beside_the_key_is_not_deleted(
    desk: Desk, csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    csv.write_text(f"Password,Access key ID,Secret access key\nhunter2,{KEY_ID},{SENTINEL}\n")
    assert run(desk, csv) == 0
    assert csv.exists()
    assert "it also holds password" in capsys.readouterr().out


def test_what_stands_beside_the_key_in_json_is_not_deleted(
    desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "key.json"
    text = f'{{"AccessKeyId": "{KEY_ID}", "SecretAccessKey": "{SENTINEL}", "DbPassword": "x"}}'
    path.write_text(text)
    assert run(desk, path) == 0
    assert path.read_text() == text
    assert "it also holds DbPassword" in capsys.readouterr().out


def test_a_file_changed_meanwhile_is_not_deleted(desk: Desk, csv: Path) -> None:
    def who(*_: object) -> Identity:
        csv.write_text("something new\n")
        return Identity("1", "arn:aws:iam::1:user/alice")

    desk.who = who
    assert run(desk, csv) == 1
    assert csv.read_text() == "something new\n"


def test_a_profile_goes_over_to_the_keyring(desk: Desk) -> None:
    files = desk.aws_files
    files.credentials.write_text(f"[a]\n{STATIC}\n# mine\n[dev]\n{STATIC}")
    files.config.write_text("[profile dev]\nregion = x\n")

    assert run(desk, files.credentials, section="dev") == 0

    assert files.credentials.read_text() == f"[a]\n{STATIC}\n# mine\n"
    assert files.config.read_text() == f"[profile dev]\n{LINE}region = x\n"


def test_a_static_entry_of_the_config_file(desk: Desk) -> None:
    files = desk.aws_files
    files.config.write_text(f"[default]\n{STATIC}region = x\n")

    assert run(desk, files.config) == 0

    assert files.config.read_text() == f"[default]\n{LINE}region = x\n"


def test_a_profile_can_be_cleared_without_another(desk: Desk, answers: list[str]) -> None:
    desk.aws_files.credentials.write_text(f"[dev]\n{STATIC}")
    answers += ["y", "n"]
    assert run(desk, desk.aws_files.credentials, yes=False) == 0
    assert desk.aws_files.credentials.read_text() == ""
    assert not desk.aws_files.config.exists()


def test_a_file_elsewhere_gets_no_profile(desk: Desk, tmp_path: Path, answers: list[str]) -> None:
    path = tmp_path / "old-credentials"
    path.write_text(f"[dev]\n{STATIC}region = x\n")
    answers.append("y")
    assert run(desk, path, yes=False) == 0
    assert path.read_text() == "[dev]\nregion = x\n"
    assert not desk.aws_files.config.exists()


def test_a_profile_that_assumes_a_role_is_left_alone(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.aws_files.credentials.write_text(f"[dev]\n{STATIC}")
    desk.aws_files.config.write_text("[profile dev]\nrole_arn = arn:x\nsource_profile = dev\n")
    assert run(desk, desk.aws_files.credentials) == 1
    assert desk.aws_files.credentials.read_text() == f"[dev]\n{STATIC}"
    assert "role_arn = arn:x" in capsys.readouterr().out


LIMITED = {
    'keyring = "pass"': Settings(keyring="pass", keyring_by_variable=True),
    "KEYRING_CRYPTFILE_PASSWORD": Settings(keyring="cryptfile"),
    "later, while a keytui --unlock-keyring does": Settings(),
}


@pytest.fixture
def private_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    private = Bus("unix:path=/x", BusKind.PRIVATE)
    monkeypatch.setattr(named, "find_bus", lambda _: private)
    monkeypatch.delenv("KEYRING_CRYPTFILE_PASSWORD", raising=False)


@pytest.mark.usefixtures("private_bus")
@pytest.mark.parametrize("said", LIMITED)
def test_a_profile_that_would_not_work_keeps_its_secret(
    said: str, desk: Desk, csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = desk.aws_files
    files.credentials.write_text(f"[dev]\n{STATIC}")

    assert run(desk, files.credentials, settings=LIMITED[said]) == 1

    assert files.credentials.read_text() == f"[dev]\n{STATIC}"
    assert not files.config.exists()
    shown = capsys.readouterr().out
    assert f"The secret stays in {files.credentials}" in shown
    assert said in shown
    assert run(desk, csv, settings=LIMITED[said]) == 0
    assert not csv.exists(), "no profile depends on it"


@pytest.mark.usefixtures("private_bus")
def test_a_limit_is_said_before_it_is_asked(
    desk: Desk, answers: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    desk.aws_files.credentials.write_text(f"[dev]\n{STATIC}")
    answers += ["y", "y"]
    assert run(desk, desk.aws_files.credentials, yes=False) == 0
    assert desk.aws_files.config.read_text() == f"[profile dev]\n{LINE}"
    shown = capsys.readouterr().out
    assert shown.index("--unlock-keyring does") < shown.index("takes its key from the keyring")


def test_files_that_can_not_be_used(desk: Desk, tmp_path: Path) -> None:
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
            run(desk, path)
    assert desk.keyring.kept == {}


def test_a_read_only_credentials_file_is_said(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.aws_files.credentials.write_text(f"[dev]\n{STATIC}")
    desk.aws_files.credentials.chmod(0o400)
    assert run(desk, desk.aws_files.credentials) == 1
    assert "is read-only" in capsys.readouterr().out
    assert desk.aws_files.credentials.read_text() == f"[dev]\n{STATIC}"


def test_a_hard_link_keeps_the_secret_and_is_named(
    desk: Desk, csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.csv"
    other.hardlink_to(csv)
    inode = csv.stat().st_ino

    assert run(desk, csv) == 1

    said = capsys.readouterr().out
    assert SENTINEL in other.read_text()
    assert f"The name {csv} is removed. The file has another name (hard links)" in said
    assert f"-xdev -inum {inode}" in said
    assert "is deleted" not in said


@pytest.mark.parametrize("place", ["credentials", "config"])
def test_a_hard_link_of_an_aws_file_keeps_the_secret(
    place: str, desk: Desk, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = getattr(desk.aws_files, place)
    path.write_text(f"[default]\n{STATIC}")
    for number in range(2):
        (tmp_path / str(number)).hardlink_to(path)

    assert run(desk, path) == 1

    assert SENTINEL not in path.read_text()
    assert SENTINEL in (tmp_path / "0").read_text()
    assert "The file has 2 other names (hard links)" in capsys.readouterr().out
