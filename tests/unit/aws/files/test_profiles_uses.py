"""Where this machine names an access key, and what is said of what can't be read."""

import os
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import pytest

from keytui.aws.files.profiles import AwsFiles, uses_here
from keytui.core.errors import StateError
from keytui.journal.log import Entry, Event, Journal
from keytui.keys.local_use import LocalUse, Place
from keytui.session.context import own_uses
from keytui.session.settings import Settings
from keytui.session.wiring import wire
from keytui.stores.vault import Held
from tests.support.aws_env import AwsHome
from tests.support.gates import WRITABLE
from tests.support.sentinel import KEY_ID, SENTINEL

OTHER = "AKIAI44QH8DHBEXAMPLE"
STATIC = f"aws_access_key_id = {KEY_ID}\naws_secret_access_key = {SENTINEL}\n"
PROCESS = f"credential_process = /opt/keytui credentials {KEY_ID}\n"
WHERE, CONFIG = "~/.aws/credentials", "~/.aws/config"


@pytest.fixture
def files(tmp_path: Path) -> AwsFiles:
    (tmp_path / ".aws").mkdir()
    return AwsFiles({}, tmp_path, WRITABLE)


def found(files: AwsFiles, held: Iterable[Held] = ()) -> list[LocalUse]:
    return list(uses_here(KEY_ID, files, lambda: held))


def test_nothing_is_used_where_there_is_nothing(files: AwsFiles) -> None:
    assert found(files) == []
    files.config.write_text(STATIC.replace(KEY_ID, OTHER))
    files.credentials.write_text(f"[dev]\n# {KEY_ID}\n")
    assert found(files) == []


def test_every_profile_that_names_the_key_is_told_of(files: AwsFiles) -> None:
    files.credentials.write_text(
        f"[default]\nAWS_ACCESS_KEY_ID: {KEY_ID}\n[ my dev ]\n{STATIC}{PROCESS}"
        f"[other]\naws_access_key_id = {OTHER}\n# aws_access_key_id = {KEY_ID}\n"
        f"[longer]\naws_access_key_id = {KEY_ID}X\n[other]\naws_access_key_id = X{KEY_ID}\n"
    )
    files.config.write_text(
        f'[profile "my dev"]\ncredential_process = /bin/x\n  --key={KEY_ID}\n[profile a]\n{STATIC}'
        f"[profile 'a']\nregion = x\n[profile b]\nsource_profile = a\n[c]\n{STATIC}"
    )

    assert found(files) == [
        LocalUse(Place.CREDENTIALS, WHERE, "default"),
        LocalUse(Place.CREDENTIALS, WHERE, " my dev "),
        LocalUse(Place.PROCESS, WHERE, " my dev "),
        LocalUse(Place.PROCESS, CONFIG, "my dev"),
        LocalUse(Place.CONFIG, CONFIG, "a"),
    ]


def test_key_that_all_sections_inherit_is_told_of(files: AwsFiles) -> None:
    files.config.write_text(f"[DEFAULT]\n{STATIC}")
    assert found(files) == [LocalUse(Place.CONFIG, CONFIG, "DEFAULT")]


def test_environment_and_the_keyrings_count(tmp_path: Path) -> None:
    env = {"AWS_ACCESS_KEY_ID": KEY_ID, "OTHER": f"x{KEY_ID}"}
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(f"[dev]\n{STATIC}")
    env |= {"AWS_SHARED_CREDENTIALS_FILE": str(elsewhere), "AWS_CONFIG_FILE": "/dev/null"}
    held = [Held(one, "alice", "1", None, "keyring:pass") for one in (KEY_ID, OTHER)]

    uses = found(AwsFiles(env, Path("/nowhere"), WRITABLE), held)

    assert uses == [
        LocalUse(Place.CREDENTIALS, str(elsewhere), "dev"),
        LocalUse(Place.ENVIRONMENT, "AWS_ACCESS_KEY_ID"),
        LocalUse(Place.KEYRING, "pass"),
    ]
    assert [use.depends for use in uses] == [True, True, False]


@pytest.mark.parametrize(
    ("content", "use"),
    [
        (f"[dev]\n{STATIC}nonsense\n".encode(), LocalUse(Place.CREDENTIALS, WHERE, "dev")),
        (f"[dev]\n{STATIC}".encode("utf-16"), LocalUse(Place.UNREADABLE, WHERE)),
        (f"[dev]\n{STATIC}# \xe9\n".encode("latin-1"), LocalUse(Place.CREDENTIALS, WHERE, "dev")),
        (f"[dev]\n{STATIC}[dev]\n".encode(), LocalUse(Place.CREDENTIALS, WHERE, "dev")),
        (STATIC.encode(), LocalUse(Place.UNREADABLE, WHERE)),
        (f"\ufeff[dev]\n{STATIC}".encode(), LocalUse(Place.UNREADABLE, WHERE)),
        (b"#" * 1_000_001, LocalUse(Place.UNREADABLE, WHERE)),
        (b"nonsense\n", None),
    ],
)
def test_file_that_the_tools_refuse_hides_no_use(
    content: bytes, use: LocalUse | None, files: AwsFiles
) -> None:
    files.credentials.write_bytes(content)
    assert found(files) == ([use] if use else [])


def test_what_can_not_be_read_is_told_of(files: AwsFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    files.config.symlink_to(files.config)
    files.credentials.write_text(f"[dev]\n{STATIC}")

    def no(*_: object) -> int:
        raise PermissionError(13, "no")

    def damaged() -> list[Held]:
        raise StateError("It can't be read.")

    monkeypatch.setattr(os, "open", no)

    uses = uses_here(KEY_ID, files, damaged)

    where = [WHERE, CONFIG, "keytui's record of the keyring"]
    assert list(uses) == [LocalUse(Place.UNREADABLE, one) for one in where]


def test_what_is_no_file_holds_nothing(files: AwsFiles) -> None:
    files.config.mkdir()
    os.mkfifo(files.credentials)
    assert found(files) == []


def test_keytui_looks_into_the_users_own_files(aws_env: AwsHome, tmp_path: Path) -> None:
    aws_env.credentials.write_text(f"[dev]\n{STATIC}")
    journal = Journal(tmp_path, WRITABLE)
    journal.append(Entry("", Event.STORED, "1", "alice", "", KEY_ID, store="keyring"))

    uses = own_uses(journal)(KEY_ID)

    assert [use.text for use in uses] == [
        "profile dev in ~/aws-credentials",
        "its secret in the OS keyring",
    ]


def test_demo_looks_into_none_of_them(aws_env: AwsHome) -> None:
    aws_env.credentials.write_text(f"[dev]\n{STATIC}")
    with ExitStack() as stack:
        demo = wire(Settings(demo=True, demo_users=1), stack, lambda _: None)
        assert demo.uses_here(KEY_ID) == ()
        assert wire(Settings(), stack, lambda _: None).uses_here(KEY_ID)
