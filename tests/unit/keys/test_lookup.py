"""A key is found by its ID; one that AWS knows is never called deleted."""

import pytest

from keytui.core.errors import NotFoundError
from keytui.core.waiting import Wait
from keytui.keys.lookup import find
from tests.support.fake_iam import FakeIam

AT_ONCE = Wait(lambda _: None, lambda: 0.0)


def test_fresh_key_is_found_once_it_is_listed() -> None:
    iam = FakeIam()
    bob = iam.add_user("bob")
    iam.lag = 3
    new = iam.create_key(bob)
    assert find(iam, new.key.id, AT_ONCE).key.id == new.key.id


@pytest.mark.parametrize("user_too", [False, True])
def test_key_aws_knows_but_never_lists_is_not_called_deleted(user_too: bool) -> None:
    iam = FakeIam()
    bob = iam.add_user("bob")
    iam.lag = 1000
    new = iam.create_key(bob)
    if user_too:
        iam.errors["iam:ListAccessKeys"] = NotFoundError("The user bob does not exist.")
    with pytest.raises(NotFoundError, match=r"does not list it now\. It may be active") as caught:
        find(iam, new.key.id, AT_ONCE)
    assert "deleted" not in str(caught.value)
    assert "Try again" in caught.value.next_step


def test_key_that_aws_knows_no_more_is_deleted() -> None:
    iam = FakeIam()
    iam.remove_key(key := iam.add_key(iam.add_user("bob")))
    with pytest.raises(NotFoundError, match="was a key of this account and is deleted"):
        find(iam, key.id, AT_ONCE)
