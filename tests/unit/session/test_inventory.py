"""What is known of an account: users page by page, and the keys read so far."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, LastUsed, User
from keytui.session.inventory import Inventory, KeyList

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)


def names(users: list[User]) -> list[str]:
    return [user.name for user in users]


@pytest.fixture
def inventory() -> Inventory:
    made = Inventory()
    made.add([User("ci-deploy"), User("alice"), User("Bob")])
    made.add([User("svc+reports=eu,prod.batch@acme-corp"), User("aaron")])
    return made


def key_list(user: User, *ids: str, deleted: tuple[str, ...] = ()) -> KeyList:
    def keys(some: tuple[str, ...], status: KeyStatus) -> tuple[AccessKey, ...]:
        return tuple(AccessKey(key_id, user, status, NOW) for key_id in some)

    return KeyList(keys(ids, KeyStatus.ACTIVE), NOW, keys(deleted, KeyStatus.DELETED))


def test_empty_inventory() -> None:
    inventory = Inventory()

    assert inventory.users == []
    assert inventory.matching("") == []
    assert inventory.matching("a") == []
    assert not inventory.all_read
    assert inventory.keys_of(User("alice")) is None


def test_pages_are_merged_in_order_whatever_the_case(inventory: Inventory) -> None:
    assert names(inventory.users) == [
        "aaron",
        "alice",
        "Bob",
        "ci-deploy",
        "svc+reports=eu,prod.batch@acme-corp",
    ]


def test_root_user_stands_first(inventory: Inventory) -> None:
    inventory.add([ROOT_USER])
    inventory.add([User("0-first")])

    assert names(inventory.users)[:2] == [ROOT_USER.name, "0-first"]


def test_user_met_twice_is_there_once_with_what_was_read_last(inventory: Inventory) -> None:
    inventory.add([User("alice", NOW)])

    assert [user for user in inventory.users if user.name == "alice"] == [User("alice", NOW)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["aaron", "alice", "Bob", "ci-deploy", "svc+reports=eu,prod.batch@acme-corp"]),
        ("   ", ["aaron", "alice", "Bob", "ci-deploy", "svc+reports=eu,prod.batch@acme-corp"]),
        ("al", ["alice"]),
        ("AL", ["alice"]),
        ("bob", ["Bob"]),
        (" lic ", ["alice"]),
        ("deploy ci", ["ci-deploy"]),
        ("deploy alice", []),
        ("eu,prod", ["svc+reports=eu,prod.batch@acme-corp"]),
        ("svc+reports=", ["svc+reports=eu,prod.batch@acme-corp"]),
        (".", ["svc+reports=eu,prod.batch@acme-corp"]),
        ("a*", []),
        ("[a]", []),
        ("nobody", []),
    ],
)
def test_filter_finds_every_word_whatever_its_case(
    inventory: Inventory, text: str, found: list[str]
) -> None:
    assert names(inventory.matching(text)) == found


def test_filter_also_finds_part_of_an_access_key_id(inventory: Inventory) -> None:
    alice, bob = User("alice"), User("Bob")
    inventory.set_keys(alice, key_list(alice, "AKIAIOSFODNN7EXAMPLE"))
    inventory.set_keys(bob, key_list(bob, "AKIAI44QH8DHBEXAMPLE"))

    assert names(inventory.matching("AKIAIOSFODNN7EXAMPLE")) == ["alice"]
    assert names(inventory.matching(" akiaiosf ")) == ["alice"]
    assert names(inventory.matching("8DHB")) == ["Bob"]
    assert names(inventory.matching("EXAMPLE")) == ["alice", "Bob"]
    assert inventory.matching("AKIANOSUCH") == []


def test_name_goes_before_an_access_key_id(inventory: Inventory) -> None:
    bob = User("Bob")
    inventory.set_keys(bob, key_list(bob, "AKIAALICEXXXXXXXXXXX"))

    assert names(inventory.matching("alice")) == ["alice"]


def test_keys_are_those_read_last(inventory: Inventory) -> None:
    alice = User("alice")
    inventory.set_keys(alice, key_list(alice, "AKIAOLD"))
    fresh = key_list(alice, "AKIANEW")
    inventory.set_keys(alice, fresh)

    assert inventory.keys_of(alice) is fresh
    assert inventory.keys_of(User("aaron")) is None


def test_page_later_does_not_change_a_list_handed_out(inventory: Inventory) -> None:
    shown = inventory.matching("")
    inventory.add([User("zoe")])

    assert "zoe" not in names(shown)


def test_listing_after_a_change_keeps_the_rest() -> None:
    alice, used = User("alice"), LastUsed(NOW, "s3", "eu-west-1")
    first, second = key_list(alice, "AKIA1", "AKIA2").keys
    known = KeyList((replace(first, last_used=used, description="laptop"), second), NOW)
    listed = (replace(first, status=KeyStatus.INACTIVE),)

    assert known.with_listing(listed) is None, "its last use may not be read yet"
    now = replace(known, complete=True).with_listing(listed)

    assert now
    assert now.keys == (replace(known.keys[0], status=KeyStatus.INACTIVE),)
    assert now.read_at == NOW
    assert now.with_listing((*listed, second)) is None, "another key is to be read"
