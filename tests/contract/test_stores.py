"""What every store keeps to: one suite for the OS keyring, the CSV file and the fake."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from keytui.core.errors import NotStoredError, StoreError
from keytui.core.model import ROOT_ACCOUNT, Secret
from keytui.stores.base import SecretStore
from keytui.stores.csv_file import CsvFile
from keytui.stores.keyring.os_keyring import OsKeyring
from tests.support.fake_store import FakeStore
from tests.support.gates import WRITABLE
from tests.support.secret_service import SecretService
from tests.support.sentinel import KEY_ID, SENTINEL, files_that_hold, full_text, new_key


@dataclass(frozen=True, slots=True)
class Case:
    """A store that works, and the same kind of store where it can't."""

    store: SecretStore
    broken: SecretStore


@pytest.fixture(params=["fake", "keyring", "csv"])
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    if request.param == "fake":
        broken = FakeStore()
        broken.trouble = StoreError("The fake store is broken.", "Nothing is lost.", "Mend it.")
        return Case(FakeStore(), broken)
    if request.param == "csv":
        return Case(
            CsvFile(tmp_path / "key.csv", WRITABLE),
            CsvFile(tmp_path / "no-such-folder" / "key.csv", WRITABLE),
        )
    service: SecretService = request.getfixturevalue("keyring_service")
    no_bus = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={tmp_path}/nothing"}
    return Case(
        OsKeyring(env=service.env, gate=WRITABLE),
        OsKeyring(env=service.env | no_bus, gate=WRITABLE),
    )


@pytest.fixture
def key_id(request: pytest.FixtureRequest) -> str:
    """An access key ID of this test's own, as one keyring serves many tests."""
    digits = f"{abs(hash(request.node.nodeid)):020d}"[-16:]
    return f"AKIA{digits}"


@pytest.mark.parametrize("canary", [True, False])
def test_probe_says_writable_and_leaves_nothing(
    case: Case, key_id: str, tmp_path: Path, canary: bool
) -> None:
    probe = case.store.probe(canary=canary)

    assert probe.writable
    assert probe.label
    assert (probe.reason, probe.next_step, probe.locked) == ("", "", False)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotStoredError):
        case.store.get(key_id)


def test_what_is_put_can_be_got(case: Case, key_id: str) -> None:
    receipt = case.store.put(new_key(key_id=key_id))

    assert receipt.store == case.store.name
    assert receipt.where
    assert case.store.get(key_id).matches(Secret(SENTINEL))


@pytest.mark.parametrize(
    ("user", "secret"),
    [
        ("svc+backup=x,y@z-1_.", "/=+aZ09" * 5),
        (ROOT_ACCOUNT, "=" * 40),
        ("n" * 128, '"' * 40),
    ],
)
def test_any_user_and_any_secret_come_back_whole(
    case: Case, key_id: str, user: str, secret: str
) -> None:
    case.store.put(new_key(user, key_id, secret))

    assert case.store.get(key_id).matches(Secret(secret))


def test_another_key_is_not_stored(case: Case, key_id: str) -> None:
    case.store.put(new_key(key_id=key_id))

    with pytest.raises(NotStoredError) as caught:
        case.store.get(key_id + "X")

    assert key_id + "X" in str(caught.value)


def test_deleted_secret_is_gone(case: Case, key_id: str) -> None:
    case.store.put(new_key(key_id=key_id))

    case.store.delete(key_id)

    with pytest.raises(NotStoredError):
        case.store.get(key_id)
    with pytest.raises(NotStoredError):
        case.store.delete(key_id)


def test_deleting_another_key_leaves_this_one(case: Case, key_id: str) -> None:
    case.store.put(new_key(key_id=key_id))

    with pytest.raises(NotStoredError):
        case.store.delete(key_id + "X")

    assert case.store.get(key_id).matches(Secret(SENTINEL))


@pytest.mark.parametrize("canary", [True, False])
def test_store_that_cannot_be_written_says_why(case: Case, canary: bool) -> None:
    probe = case.broken.probe(canary=canary)

    assert not probe.writable
    assert probe.reason.endswith(".")
    assert probe.next_step.endswith(".")


def test_failed_put_says_what_is_safe_and_shows_no_secret(case: Case, tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        case.broken.put(new_key())

    error = caught.value
    assert error.title
    assert error.safe
    assert error.next_step
    assert SENTINEL not in full_text(error)
    assert files_that_hold(SENTINEL, tmp_path) == []


def test_errors_of_get_and_delete_are_store_errors(case: Case) -> None:
    with pytest.raises(StoreError):
        case.broken.get(KEY_ID)
    with pytest.raises(StoreError):
        case.broken.delete(KEY_ID)
