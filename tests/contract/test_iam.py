"""One contract for every ``core.iam.Iam``: the fake, and the gateway before real servers."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from keytui.core.errors import NotFoundError, QuotaError
from keytui.core.model import AccessKey, KeyStatus, LastUsed, User
from tests.support.iam_backends import NOW, PEOPLE, Backend, backend, gone

ODD_NAME = "svc+reports=eu,prod.batch@acme-corp"


@pytest.fixture(scope="module", params=["fake", "http", "moto"])
def shared(request: pytest.FixtureRequest) -> Iterator[Backend]:
    with backend(request.param) as made:
        yield made


@pytest.fixture
def account(shared: Backend) -> Backend:
    return shared


@pytest.fixture
def user(account: Backend) -> User:
    return account.new_user()


def test_caller_is_known(account: Backend) -> None:
    who = account.iam.identity()

    assert who.account == "123456789012"
    assert who.arn == "arn:aws:iam::123456789012:user/admin"
    assert who.partition == "aws"
    assert account.iam.signing_key_id() in account.held(User("admin"))


def test_every_user_is_listed_with_its_date(account: Backend) -> None:
    users = {user.name: user for page in account.iam.users() for user in page}

    assert len(users) >= PEOPLE
    assert {"admin", "alice", "carol", "ci-deploy", ODD_NAME} <= users.keys()
    assert users["alice"].created == NOW - timedelta(days=760)


def test_user_is_found_by_its_odd_name(account: Backend) -> None:
    assert account.iam.user(ODD_NAME).name == ODD_NAME
    assert [key.id for key in account.iam.keys(User(ODD_NAME))] == ["AKIADEMOSVCREPORTS01"]


def test_user_that_is_not_there(account: Backend) -> None:
    nobody = User("nobody")

    with pytest.raises(NotFoundError):
        account.iam.user("nobody")
    with pytest.raises(NotFoundError):
        account.iam.keys(nobody)
    with pytest.raises(NotFoundError):
        account.iam.create_key(nobody)
    with pytest.raises(NotFoundError):
        account.iam.descriptions(nobody)
    with pytest.raises(NotFoundError):
        account.iam.set_description(nobody, "AKIANOSUCHKEY0000001", "text")


def test_keys_come_oldest_first(account: Backend) -> None:
    alice = account.iam.user("alice")

    old, new = account.iam.keys(alice)

    assert (old.id, old.status) == ("AKIADEMOALICE0000001", KeyStatus.INACTIVE)
    assert (new.id, new.status) == ("AKIADEMOALICE0000002", KeyStatus.ACTIVE)
    assert new.created == NOW - timedelta(days=115)
    assert new.user == alice


def test_user_without_keys(account: Backend, user: User) -> None:
    assert account.iam.keys(user) == ()


def test_last_use(account: Backend) -> None:
    used = account.iam.last_used("AKIADEMOCIDEPLOY0001")

    assert used == LastUsed(NOW - timedelta(minutes=9), "s3", "eu-west-1")
    assert account.iam.last_used("AKIADEMOERIN00000001") == LastUsed()


def test_last_use_of_a_key_that_is_not_there(account: Backend) -> None:
    with pytest.raises(NotFoundError):
        account.iam.last_used("AKIANOSUCHKEY0000001")


def test_descriptions_are_read_from_tags(account: Backend) -> None:
    assert account.iam.descriptions(User("alice")) == {"AKIADEMOALICE0000002": "laptop"}
    assert account.iam.descriptions(User("carol")) == {}


def test_description_is_kept_changed_and_removed(account: Backend, user: User) -> None:
    first, second = "AKIAONE0000000000001", "AKIATWO0000000000002"

    account.iam.set_description(user, first, "laptop")
    account.iam.set_description(user, second, "café: a/b=c+d@e_f-g")
    account.iam.set_description(user, first, "new laptop")

    assert account.tags(user) == {first: "new laptop", second: "café: a/b=c+d@e_f-g"}
    assert account.iam.descriptions(user) == account.tags(user)

    account.iam.remove_description(user, first)
    account.iam.remove_description(user, first)

    assert account.tags(user) == {second: "café: a/b=c+d@e_f-g"}


def test_new_key_is_active_and_listed(account: Backend, user: User) -> None:
    new = account.iam.create_key(user)

    assert account.held(user) == {new.key.id: "Active"}
    assert new.key.user == user
    assert new.key.status is KeyStatus.ACTIVE
    assert new.account == "123456789012"
    assert len(new.secret.reveal()) == 40
    assert account.iam.keys(user) == (new.key,)
    assert account.iam.last_used(new.key.id) == LastUsed()


def test_each_key_has_its_own_secret(account: Backend, user: User) -> None:
    one, two = account.iam.create_key(user), account.iam.create_key(user)

    assert one.key.id != two.key.id
    assert not one.secret.matches(two.secret)


def test_quota_counts_inactive_keys(account: Backend, user: User) -> None:
    account.iam.set_status(account.iam.create_key(user).key, KeyStatus.INACTIVE)
    account.iam.create_key(user)
    before = account.held(user)

    with pytest.raises(QuotaError) as caught:
        account.iam.create_key(user)

    assert caught.value.safe == "No key was made."
    assert account.held(user) == before


def test_key_is_made_inactive_and_active_again(account: Backend, user: User) -> None:
    key = account.iam.create_key(user).key

    account.iam.set_status(key, KeyStatus.INACTIVE)
    assert account.held(user) == {key.id: "Inactive"}
    assert account.iam.keys(user)[0].status is KeyStatus.INACTIVE

    account.iam.set_status(key, KeyStatus.ACTIVE)
    assert account.held(user) == {key.id: "Active"}


def test_status_of_a_key_that_is_not_there(account: Backend, user: User) -> None:
    with pytest.raises(NotFoundError):
        account.iam.set_status(gone(user), KeyStatus.ACTIVE)
    with pytest.raises(NotFoundError):
        account.iam.set_status(gone(User("nobody")), KeyStatus.ACTIVE)


def test_deleted_key_is_gone_and_can_be_deleted_again(account: Backend, user: User) -> None:
    kept, dropped = account.iam.create_key(user).key, account.iam.create_key(user).key

    account.iam.delete_key(dropped)
    account.iam.delete_key(dropped)

    assert list(account.held(user)) == [kept.id]
    assert [key.id for key in account.iam.keys(user)] == [kept.id]


def test_deleting_a_key_of_a_user_that_is_gone(account: Backend, user: User) -> None:
    key: AccessKey = account.iam.create_key(user).key
    account.remove_user(user)

    account.iam.delete_key(key)
    account.iam.remove_description(user, key.id)


def test_owner_of_a_key_is_found_with_its_last_use(account: Backend) -> None:
    user, used = account.iam.owner("AKIADEMOSVCREPORTS01")

    assert user.name == ODD_NAME
    assert used == account.iam.last_used("AKIADEMOSVCREPORTS01")


def test_owner_of_a_key_that_is_not_there(account: Backend) -> None:
    with pytest.raises(NotFoundError):
        account.iam.owner("AKIANOSUCHKEY0000001")


def test_account_of_a_key(account: Backend, user: User) -> None:
    key = account.iam.create_key(user).key

    assert account.iam.account_of(key.id) == "123456789012"


def test_another_key_can_take_over_the_calls(account: Backend) -> None:
    before = account.iam.signing_key_id()
    new = account.iam.create_key(User("admin"))
    try:
        account.iam.sign_with(new.key.id, new.secret)

        assert account.iam.signing_key_id() == new.key.id
        assert account.iam.user("alice").name == "alice"
        assert not account.iam.sign_as_before("AKIANOSUCHKEY0000001")
    finally:
        assert account.iam.sign_as_before(before)
        account.iam.delete_key(new.key)
    assert account.iam.signing_key_id() == before
