"""The gate at each adapter: in read-only mode nothing can be changed, whoever asks for it."""

import fcntl
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from keytui.aws.files import atomic_file
from keytui.aws.files.ini import FileKind
from keytui.aws.files.profiles import AwsFiles
from keytui.aws.files.repoint import LocalProfiles, drop_backups, keep_backup
from keytui.aws.session import connect
from keytui.core.errors import ReadOnlyError
from keytui.core.gate import Gate
from keytui.core.model import KeyStatus, Secret
from keytui.core.new_files import create, prove_writable, remove
from keytui.journal.log import Entry, Event, Journal
from keytui.stores.base import Mend
from keytui.stores.csv_file import CsvFile
from keytui.stores.keyring.os_keyring import OsKeyring
from keytui.stores.keyring.process import Reply
from keytui.stores.keyring.session_bus import VARIABLE, private_bus
from keytui.stores.vault import Held, Vault
from tests.support.fake_iam import START, FakeIam
from tests.support.gates import READ_ONLY, WRITABLE
from tests.support.iam_server import IamServer
from tests.support.secret_service import SecretService, secret_service
from tests.support.sentinel import KEY_ID, SENTINEL, new_key
from tests.support.snapshot import snapshot

OTHER_ID = "AKIAOTHER00000000002"
ENTRY = Entry(
    "2026-01-15T09:00:00+00:00", Event.CREATING, "123456789012", "alice", "arn", attempt="a1"
)
READING = ("Get", "List", "Generate", "Simulate")


def now() -> datetime:
    return START


def refused(work: Callable[[], object]) -> None:
    """See that something is refused by the one sentence."""
    with pytest.raises(ReadOnlyError) as caught:
        work()
    assert str(caught.value).startswith("keytui is in read-only mode. Nothing was changed.")


def test_sentence_names_all_three_switches() -> None:
    with pytest.raises(ReadOnlyError) as caught:
        READ_ONLY.require_writable()
    for switch in ("--read-only", "KEYTUI_READ_ONLY", "read_only in config.toml"):
        assert switch in caught.value.next_step
    Gate(read_only=False).require_writable()


# AWS.


def test_read_only_gateway_refuses_changes_and_sends_nothing() -> None:
    iam = FakeIam()
    alice = iam.add_user("alice")
    key = iam.add_key(alice, description="laptop")
    with IamServer(iam) as server:
        gateway = connect(server.options, READ_ONLY)
        assert gateway.keys(alice)
        gateway.make_report()
        sent = len(server.requests)
        for account in (gateway, gateway.sending_once()):
            refused(lambda account=account: account.set_status(key, KeyStatus.INACTIVE))  # type: ignore[misc]
            refused(lambda account=account: account.delete_key(key))  # type: ignore[misc]
            refused(lambda account=account: account.set_description(alice, key.id, "x"))  # type: ignore[misc]
            refused(lambda account=account: account.remove_description(alice, key.id))  # type: ignore[misc]
            refused(lambda account=account: account.create_key(alice))  # type: ignore[misc]
        gateway.sign_with(OTHER_ID, Secret(SENTINEL))
        refused(lambda: gateway.delete_key(key))
        assert set(server.requests[sent:]) <= {"GetCallerIdentity"}
    assert [one.id for one in iam.held(alice)] == [key.id]


def test_sdks_own_clients_are_behind_the_gate_too() -> None:
    with IamServer(FakeIam()) as server:
        clients = connect(server.options, READ_ONLY).clients
        refused(lambda: clients.iam.delete_user(UserName="alice"))
        refused(lambda: clients.one_attempt_iam().create_access_key(UserName="alice"))
        refused(lambda: clients.iam.attach_user_policy(UserName="alice", PolicyArn="a" * 20))
        assert server.requests == []


def test_of_all_actions_of_iam_only_those_that_read_pass() -> None:
    with IamServer(FakeIam()) as server:
        client: Any = connect(server.options, READ_ONLY).clients.iam
    model, passed = client.meta.service_model, set()
    for name in model.operation_names:
        try:
            client.meta.events.emit(
                f"before-call.iam.{name}",
                model=model.operation_model(name),
                params={"headers": {}},
                request_signer=None,
                context={},
            )
            passed.add(name)
        except ReadOnlyError:
            pass
    assert passed == {name for name in model.operation_names if name.startswith(READING)}
    assert len(model.operation_names) - len(passed) > 80


# The keyring.


def test_keyring_is_never_asked_for_a_change() -> None:
    asked: list[str] = []

    def ask(command: tuple[str, ...], *_: object) -> Reply:
        asked.append(command[-1])
        return Reply()

    for keyring in (
        OsKeyring(ask=ask, gate=READ_ONLY),
        OsKeyring(ask=ask, gate=READ_ONLY).hurried(1),
    ):
        refused(lambda keyring=keyring: keyring.put(new_key()))  # type: ignore[misc]
        refused(lambda keyring=keyring: keyring.delete(KEY_ID))  # type: ignore[misc]
        keyring.probe(canary=True)
    assert asked == ["state", "state"]


def test_keyring_is_read_and_unlocked_and_stays_to_the_byte(own_service: SecretService) -> None:
    OsKeyring(env=own_service.env, gate=WRITABLE).put(new_key())
    own_service.lock()
    before = snapshot(own_service.home)
    keyring = OsKeyring(env=own_service.env, gate=READ_ONLY)

    assert keyring.probe(canary=True).mend is Mend.UNLOCK
    keyring.unlock(Secret("correct horse"))

    assert keyring.probe(canary=True).writable
    assert keyring.get(KEY_ID).reveal() == SENTINEL
    refused(lambda: keyring.delete(KEY_ID))
    refused(lambda: keyring.put(new_key(key_id=OTHER_ID)))
    assert snapshot(own_service.home) == before
    assert own_service.lookup(OTHER_ID) is None


def test_no_keyring_is_made(tmp_path: Path) -> None:
    with secret_service(tmp_path, password="") as service:
        before = snapshot(service.home)
        keyring = OsKeyring(env=service.env, gate=READ_ONLY)
        assert keyring.probe().mend is Mend.MAKE
        refused(lambda: keyring.unlock(Secret("new horse")))
        assert keyring.probe().mend is Mend.MAKE
        assert snapshot(service.home) == before


@pytest.mark.parametrize("password", ["", "new horse"])
def test_no_encrypted_file_is_made(tmp_path: Path, password: str) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    env |= {"KEYRING_CRYPTFILE_PASSWORD": password} if password else {}
    keyring = OsKeyring(env=env, kind="cryptfile", gate=READ_ONLY)

    assert keyring.probe(canary=True).mend is Mend.MAKE
    refused(lambda: keyring.unlock(Secret("new horse")))
    with pytest.raises(Exception, match="no encrypted file"):
        keyring.get(KEY_ID)
    assert list(tmp_path.iterdir()) == []


def test_encrypted_file_is_unlocked_and_read(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    made = OsKeyring(env=env, kind="cryptfile", gate=WRITABLE)
    made.unlock(Secret("correct horse"))
    made.put(new_key())
    before = snapshot(tmp_path)
    keyring = OsKeyring(env=env, kind="cryptfile", gate=READ_ONLY)

    keyring.unlock(Secret("correct horse"))

    assert keyring.get(KEY_ID).reveal() == SENTINEL
    refused(lambda: keyring.delete(KEY_ID))
    assert snapshot(tmp_path) == before


def test_private_bus_is_named_in_no_file(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_RUNTIME_DIR": "/nonexistent"}
    (tmp_path / ".local/share/keyrings").mkdir(parents=True)
    (tmp_path / ".local/share/keyrings/login.keyring").touch()
    before = snapshot(tmp_path)
    with private_bus(env, READ_ONLY) as own:
        assert own
        assert env[VARIABLE].startswith("unix:path=")
        assert snapshot(tmp_path) == before
    assert VARIABLE not in env
    assert snapshot(tmp_path) == before


def test_no_private_bus_is_made_where_there_is_no_keyring(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_RUNTIME_DIR": "/nonexistent"}
    refused(lambda: private_bus(env, READ_ONLY).__enter__())
    assert list(tmp_path.iterdir()) == []


# Files with secrets.


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "place"
    place.mkdir()
    return place


def touched(folder: Path) -> tuple[object, ...]:
    """Return what a folder holds and when a name in it was last made or removed."""
    return snapshot(folder), folder.stat().st_mtime_ns


def test_csv_file_is_neither_made_nor_deleted(folder: Path) -> None:
    CsvFile(folder / "old.csv", WRITABLE).put(new_key())
    before = touched(folder)
    old, new = CsvFile(folder / "old.csv", READ_ONLY), CsvFile(folder / "new.csv", READ_ONLY)

    assert new.probe(canary=True).writable
    refused(lambda: new.put(new_key()))
    refused(lambda: old.delete(KEY_ID))
    assert old.get(KEY_ID).reveal() == SENTINEL
    assert touched(folder) == before


def test_private_file_is_neither_made_nor_removed(folder: Path) -> None:
    (folder / "old").write_text("x")
    before = touched(folder)

    refused(lambda: create(folder / "new", Secret("x"), READ_ONLY))
    refused(lambda: remove(folder / "old", READ_ONLY))
    refused(lambda: prove_writable(folder, 10, READ_ONLY))
    assert touched(folder) == before


# AWS's files.

STATIC = f"[dev]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SENTINEL}\n"
KEY = (KEY_ID, Secret(SENTINEL))


def test_aws_files_and_their_backups_stay(folder: Path) -> None:
    writing = AwsFiles({}, folder, WRITABLE)
    writing.config.parent.mkdir()
    writing.config.write_text("[profile dev]\nregion = eu-west-1\n")
    writing.credentials.write_text(STATIC)
    profiles = LocalProfiles(writing)
    (change,) = profiles.plan(KEY_ID, OTHER_ID)
    record = profiles.record(change, "stamp")
    profiles.repoint(change, Secret("new"), "stamp")
    before = touched(folder / ".aws")
    files = AwsFiles({}, folder, READ_ONLY)
    looking = LocalProfiles(files)

    assert files.look("dev").exists
    refused(lambda: files.write("dev", "true"))
    refused(lambda: files.set_aside("dev"))
    refused(lambda: files.drop_key(files.credentials, "dev", FileKind.CREDENTIALS, KEY))
    refused(lambda: files.edit(files.config, lambda text: text))
    refused(lambda: looking.repoint(change, Secret("new"), "stamp"))
    refused(lambda: looking.put_back(record))
    refused(lambda: looking.drop_backup(record))
    refused(lambda: drop_backups(files.credentials, "stamp", READ_ONLY))
    refused(lambda: keep_backup(files.credentials, "other", STATIC, "dev", READ_ONLY))
    assert touched(folder / ".aws") == before


def test_no_folder_is_made_for_an_aws_file(folder: Path) -> None:
    refused(lambda: atomic_file.change(folder / ".aws/config", lambda _: b"x", READ_ONLY))
    assert list(folder.iterdir()) == []


# keytui's record.


def test_nothing_is_recorded_and_no_folder_made(folder: Path) -> None:
    journal = Journal(folder / "state", READ_ONLY)

    refused(lambda: journal.append(ENTRY))
    assert journal.claim("a1")
    journal.release("a1")
    assert journal.entries() == []
    assert list(folder.iterdir()) == []


def test_record_is_read_and_its_mode_stays(folder: Path) -> None:
    Journal(folder, WRITABLE).append(ENTRY)
    (folder / "journal.jsonl").chmod(0o644)
    folder.chmod(0o755)
    before = touched(folder)
    journal = Journal(folder, READ_ONLY)

    assert [entry.attempt for entry in journal.entries()] == ["a1"]
    assert journal.claim("a1")
    refused(lambda: journal.append(ENTRY))
    assert touched(folder) == before


def test_claim_is_seen_and_not_taken(folder: Path) -> None:
    holder, looker = Journal(folder, WRITABLE), Journal(folder, READ_ONLY)
    assert holder.claim("a1")
    before = snapshot(folder)

    assert not looker.claim("a1")
    looker.release("a1")
    assert looker.claim("a2")
    assert snapshot(folder) == before
    assert not Journal(folder, WRITABLE).claim("a1")
    holder.release("a1")
    assert looker.claim("a1")
    assert holder.claim("a1")


def test_claim_file_without_a_holder_is_free_and_stays(folder: Path) -> None:
    """A kill leaves the file behind; its lock is gone with the process."""
    left = folder / "a1.lock"
    left.touch(0o600)
    assert Journal(folder, READ_ONLY).claim("a1")
    with left.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert not Journal(folder, READ_ONLY).claim("a1")


# What is built on them.


def test_vault_takes_nothing_and_forgets_nothing(own_service: SecretService) -> None:
    journal = Journal(own_service.home / "state", WRITABLE)
    writing = OsKeyring(env=own_service.env, gate=WRITABLE)
    Vault(journal, writing, lambda _: None, now).take(new_key())
    before = snapshot(own_service.home)
    keyring = OsKeyring(env=own_service.env, gate=READ_ONLY)
    vault = Vault(Journal(own_service.home / "state", READ_ONLY), keyring, lambda _: None, now)
    (one,) = vault.held()

    assert vault.get(one).reveal() == SENTINEL
    refused(lambda: vault.forget(one))
    refused(lambda: vault.take(new_key(key_id=OTHER_ID)))
    # One that the keyring has no more stays in the record, too.
    refused(lambda: vault.forget(Held(OTHER_ID, "alice", "123456789012", None, "keyring")))
    assert snapshot(own_service.home) == before
