"""The root user's own keys, whose calls leave the user name out (moto has no root user)."""

from collections.abc import Iterator

import pytest

from keytui.aws.session import connect
from keytui.core.errors import AwsError
from keytui.core.model import ROOT_USER, KeyStatus
from tests.support.gates import WRITABLE
from tests.support.iam_backends import InMemory, fake_account
from tests.support.iam_server import IamServer


@pytest.fixture(params=["fake", "http"])
def account(request: pytest.FixtureRequest) -> Iterator[InMemory]:
    state = fake_account(root=True)
    if request.param == "fake":
        yield InMemory(state, state)
        return
    with IamServer(state) as server:
        yield InMemory(connect(server.options, WRITABLE), state)


def test_root_is_known_as_root(account: InMemory) -> None:
    who = account.iam.identity()

    assert who.is_root
    assert who.user_name is None
    assert who.label == "root"


def test_root_is_not_among_the_users(account: InMemory) -> None:
    assert not any(user.is_root for page in account.iam.users() for user in page)


def test_roots_keys_are_worked_like_any_others(account: InMemory) -> None:
    (own,) = account.iam.keys(ROOT_USER)
    assert own.id == account.iam.signing_key_id()
    assert own.user is ROOT_USER

    new = account.iam.create_key(ROOT_USER)
    account.iam.set_status(new.key, KeyStatus.INACTIVE)
    assert account.held(ROOT_USER) == {own.id: "Active", new.key.id: "Inactive"}

    account.iam.delete_key(new.key)
    assert account.held(ROOT_USER) == {own.id: "Active"}


def test_root_has_no_descriptions(account: InMemory) -> None:
    assert account.iam.descriptions(ROOT_USER) == {}
    account.iam.remove_description(ROOT_USER, "AKIANOSUCHKEY0000001")

    with pytest.raises(AwsError, match="root user"):
        account.iam.set_description(ROOT_USER, "AKIANOSUCHKEY0000001", "text")
