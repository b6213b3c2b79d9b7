"""What the keyring holds, by keytui's record, and taking in and forgetting."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from keytui.core.errors import StateError, StoreError
from keytui.journal.log import Entry, Event, Journal
from keytui.stores.vault import Vault, held
from tests.support.fake_store import FakeStore
from tests.support.gates import WRITABLE
from tests.support.sentinel import KEY_ID, SENTINEL, new_key

AT = "2026-11-24T10:00:00+00:00"
NOW = datetime(2026, 11, 24, 10, tzinfo=UTC)
STORED = Entry(AT, Event.STORED, "1", "bob", "arn", "AKIABOB", store="keyring")


class Keyring(FakeStore):
    name = "keyring"
    locator = "keyring"


@pytest.fixture
def keyring() -> Keyring:
    return Keyring()


@pytest.fixture
def vault(tmp_path: Path, keyring: Keyring) -> Vault:
    return Vault(Journal(tmp_path, WRITABLE), keyring, lambda _: keyring, lambda: NOW)


def test_stored_and_not_forgotten_is_held() -> None:
    forgotten = replace(STORED, event=Event.FORGOTTEN)
    assert [one.key_id for one in held([STORED])] == ["AKIABOB"]
    assert held([STORED, forgotten]) == ()
    assert len(held([STORED, forgotten, STORED])) == 1


@pytest.mark.parametrize(
    "entry",
    [
        replace(STORED, store="csv:/a.csv"),
        replace(STORED, key_id=""),
        replace(STORED, event=Event.STORING),
        replace(STORED, event=Event.NOT_STORED),
    ],
)
def test_what_is_not_in_the_keyring_is_not_held(entry: Entry) -> None:
    assert held([entry]) == ()


def test_deleted_key_may_still_be_held() -> None:
    assert len(held([STORED, replace(STORED, event=Event.DELETED, store="")])) == 1


def test_keyrings_are_told_apart() -> None:
    in_pass = replace(STORED, store="keyring:pass")
    forgotten = replace(STORED, event=Event.FORGOTTEN)
    assert [one.locator for one in held([STORED, in_pass, forgotten])] == ["keyring:pass"]


def test_copies_are_told_of() -> None:
    in_file = replace(STORED, store="csv:/a.csv")
    others = replace(STORED, key_id="AKIAOTHER", store="csv:/b.csv")
    assert [one.copies for one in held([in_file, STORED, others])] == [("csv:/a.csv",)]
    assert held([STORED, others])[0].copies == ()


def test_keyring_in_use_is_asked_itself(tmp_path: Path, keyring: Keyring) -> None:
    """It may have been unlocked with a password that another object would not know."""
    elsewhere = Keyring()
    vault = Vault(Journal(tmp_path, WRITABLE), keyring, lambda _: elsewhere, lambda: NOW)
    vault.take(new_key())
    (one,) = vault.held()
    assert vault.get(one).reveal() == SENTINEL
    elsewhere.put(new_key(secret="another"))
    assert vault.get(replace(one, locator="keyring:pass")).reveal() == "another"


def test_users_are_in_order() -> None:
    users = ["bob", "Alice", "alice"]
    entries = [replace(STORED, user=user, key_id=user) for user in users]
    assert [one.user for one in held(entries)] == ["Alice", "alice", "bob"]


def test_taking_a_secret_in_is_remembered(vault: Vault, keyring: Keyring) -> None:
    vault.take(new_key(), "arn:caller")

    assert keyring.kept[KEY_ID].reveal() == SENTINEL
    (one,) = vault.held()
    assert (one.key_id, one.stored_at, one.locator) == (KEY_ID, NOW, "keyring")
    assert vault.get(one).reveal() == SENTINEL


def test_keyring_that_fails_holds_nothing(vault: Vault, keyring: Keyring) -> None:
    keyring.trouble = StoreError("It is locked.")
    with pytest.raises(StoreError):
        vault.take(new_key())
    assert vault.held() == ()


def test_forgetting(vault: Vault, keyring: Keyring) -> None:
    vault.take(new_key())
    vault.forget(vault.held()[0])

    assert keyring.kept == {}
    assert vault.held() == ()


def test_forgetting_what_is_gone_already(vault: Vault, keyring: Keyring) -> None:
    vault.take(new_key())
    keyring.kept.clear()
    vault.forget(vault.held()[0])
    assert vault.held() == ()


def test_what_could_not_be_deleted_is_still_held(vault: Vault, keyring: Keyring) -> None:
    vault.take(new_key())
    keyring.trouble = StoreError("It is locked.")
    with pytest.raises(StoreError):
        vault.forget(vault.held()[0])
    assert len(vault.held()) == 1


def test_record_that_cannot_be_written_is_said(tmp_path: Path, keyring: Keyring) -> None:
    (tmp_path / "file").write_text("")
    vault = Vault(Journal(tmp_path / "file", WRITABLE), keyring, lambda _: keyring, lambda: NOW)
    with pytest.raises(StateError):
        vault.take(new_key())
    assert KEY_ID in keyring.kept
