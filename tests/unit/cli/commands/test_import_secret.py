"""``keytui import``: into the keyring, tested from there, and only then out of the file."""

from pathlib import Path

import pytest

from keytui.aws.files.profiles import credentials_command
from keytui.cli.commands import import_secret as import_command
from keytui.cli.commands.import_secret import import_secret
from keytui.core.errors import CredentialsError
from keytui.core.model import Identity, Secret
from keytui.session.settings import Settings
from keytui.stores.keyring import limits
from keytui.stores.keyring.session_bus import Bus, BusKind
from tests.support.app import Desk, an_account, parts_of
from tests.support.keyboard import at_a_terminal
from tests.support.sentinel import KEY_ID, SENTINEL

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


def test_csv_file_is_kept_tested_and_deleted(
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


def test_without_a_terminal_nothing_is_removed(
    desk: Desk, csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(desk, csv, yes=False) == 0
    assert csv.exists()
    said = capsys.readouterr().out
    assert f"Delete {csv}? There is nobody to ask here; --yes answers yes." in said
    assert "stays, with the secret in plain text" in said


@pytest.mark.parametrize(("answer", "stays"), [("", True), ("n", True), ("y", False)])
def test_on_a_terminal_it_is_asked(
    answer: str, stays: bool, desk: Desk, csv: Path, answers: list[str]
) -> None:
    answers.append(answer)
    assert run(desk, csv, yes=False) == 0
    assert (csv.exists(), answers) == (stays, [])


def test_key_that_aws_refuses_is_kept_and_the_file_stays(
    desk: Desk, csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.who = refuse
    assert run(desk, csv) == 1
    said = capsys.readouterr()
    assert csv.exists()
    assert desk.keyring.kept[KEY_ID].reveal() == SENTINEL
    assert "could not be tested" in said.out
    assert "AWS does not know this access key." in said.out
    assert said.err == "", "the result is on standard output, also where something failed"


def test_profile_goes_over_to_the_keyring(desk: Desk) -> None:
    files = desk.aws_files
    files.credentials.write_text(f"[a]\n{STATIC}\n# mine\n[dev]\n{STATIC}")
    files.config.write_text("[profile dev]\nregion = x\n")

    assert run(desk, files.credentials, section="dev") == 0

    assert files.credentials.read_text() == f"[a]\n{STATIC}\n# mine\n"
    assert files.config.read_text() == f"[profile dev]\n{LINE}region = x\n"


LIMITED = {
    'keyring = "pass"': Settings(keyring="pass", keyring_by_variable=True),
    "KEYRING_CRYPTFILE_PASSWORD": Settings(keyring="cryptfile"),
    "later, while a keytui --unlock-keyring does": Settings(),
}


@pytest.fixture
def private_bus(monkeypatch: pytest.MonkeyPatch) -> None:
    private = Bus("unix:path=/x", BusKind.PRIVATE)
    monkeypatch.setattr(limits, "find_bus", lambda _: private)
    monkeypatch.delenv("KEYRING_CRYPTFILE_PASSWORD", raising=False)


@pytest.mark.usefixtures("private_bus")
@pytest.mark.parametrize("said", LIMITED)
def test_profile_that_would_not_work_keeps_its_secret(
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


@pytest.mark.parametrize("place", ["credentials", "config"])
def test_hard_link_of_an_aws_file_keeps_the_secret(
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
