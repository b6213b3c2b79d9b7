"""What IAM's listing says of a key whose secret is kept."""

from datetime import timedelta

import pytest

from keytui.core.errors import AccessDeniedError, AwsError, NotFoundError, UnreachableError
from keytui.core.model import ROOT_ACCOUNT, AccessKey, Identity, KeyStatus, User
from keytui.stores.vault import ASKING, NOT_CONNECTED, Held, Standing, listed, standing, unasked
from tests.support.fake_iam import ACCOUNT, START, FakeIam

ADMIN = Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/admin")
ROOT = Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
LONG_AGO = START - timedelta(days=3)


def held(user: str = "alice", account: str = ACCOUNT, age: timedelta = timedelta(days=3)) -> Held:
    return Held("AKIA1", user, account, START - age, "keyring")


def key(status: KeyStatus, key_id: str = "AKIA1") -> AccessKey:
    return AccessKey(key_id, User("alice"), status, LONG_AGO)


def test_keys_of_other_accounts_or_unknown_users_go_unchecked() -> None:
    assert unasked(held(), ADMIN) is None
    assert unasked(held(), None) == NOT_CONNECTED
    for one in (held(account="999999999999"), held(account=""), held(user="")):
        why = unasked(one, ADMIN)
        assert why
        assert why.why


def test_roots_keys_are_listed_by_root_alone() -> None:
    assert unasked(held(ROOT_ACCOUNT), ROOT) is None
    assert unasked(held(ROOT_ACCOUNT), ADMIN)  # a listing without a name is the caller's own


def test_listing_tells_the_status() -> None:
    for status in (KeyStatus.ACTIVE, KeyStatus.INACTIVE, KeyStatus.EXPIRED):
        assert standing(held(), (key(status),), START) == Standing(status)


def test_key_that_is_not_listed_is_gone() -> None:
    others = (key(KeyStatus.ACTIVE, "AKIA2"),)
    assert standing(held(), others, START).gone
    assert standing(held(), (), START).gone


def test_key_stored_just_now_may_not_be_listed_yet() -> None:
    assert not standing(held(age=timedelta(seconds=5)), (), START).gone


@pytest.mark.parametrize(
    "error",
    [
        NotFoundError("The user alice does not exist."),
        AccessDeniedError("iam:ListAccessKeys", "Denied."),
        UnreachableError("No answer."),
    ],
)
def test_without_a_listing_nothing_is_known(error: AwsError) -> None:
    said = standing(held(), error, START)
    assert (said.status, said.gone, said.asking) == (None, False, False)
    assert said.why


def test_asking_is_told_apart() -> None:
    assert ASKING.asking
    assert not NOT_CONNECTED.asking


def test_listing_returns_the_error() -> None:
    iam = FakeIam()
    assert isinstance(listed(iam, "admin"), tuple)
    assert isinstance(listed(iam, "nobody"), NotFoundError)
