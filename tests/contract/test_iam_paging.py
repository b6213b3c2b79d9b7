"""Pages followed to their end, at a server that really pages (moto does not)."""

from datetime import UTC, datetime, timedelta

from keytui.aws.session import connect
from keytui.core.model import KeyStatus
from tests.support.fake_iam import START, FakeIam
from tests.support.gates import WRITABLE
from tests.support.iam_backends import NOW
from tests.support.iam_server import IamServer, populate


def test_users_come_page_by_page() -> None:
    state = FakeIam()
    populate(state, 23, NOW)

    with IamServer(state, page_size=10) as server:
        pages = connect(server.options, WRITABLE).users()
        first = next(pages)
        asked_for_one_page = server.received()["ListUsers"]
        rest = list(pages)

    assert len(first) == 10
    assert asked_for_one_page == 1
    assert [len(page) for page in rest] == [10, 3]
    assert server.received()["ListUsers"] == 3
    names = [user.name for page in (first, *rest) for user in page]
    assert len(set(names)) == 23


def test_5000_users_take_five_requests() -> None:
    state = FakeIam()
    populate(state, 5000, NOW)

    with IamServer(state, page_size=10_000) as server:
        names = {user.name for page in connect(server.options, WRITABLE).users() for user in page}

    assert len(names) == 5000
    assert server.received()["ListUsers"] == 5


def test_more_keys_than_the_quota_on_several_pages() -> None:
    state = FakeIam()
    user = state.add_user("eight")
    made = [
        state.add_key(
            user,
            created=START - timedelta(days=day),
            status=KeyStatus.EXPIRED if day == 3 else KeyStatus.ACTIVE,
        )
        for day in range(8)
    ]

    with IamServer(state, key_page_size=3) as server:
        keys = connect(server.options, WRITABLE).keys(user)

    assert server.received()["ListAccessKeys"] == 3
    assert [key.id for key in keys] == [key.id for key in reversed(made)]
    assert [key.status for key in keys].count(KeyStatus.EXPIRED) == 1


def test_tags_on_several_pages() -> None:
    state = FakeIam()
    user = state.add_user("tagged")
    for number in range(5):
        state.set_description(user, f"AKIATAGGED{number:010d}", f"text {number}")
    state.set_description(user, "department", "not a key's description")

    with IamServer(state, key_page_size=2) as server:
        descriptions = connect(server.options, WRITABLE).descriptions(user)

    assert server.received()["ListUserTags"] == 3
    assert descriptions == {f"AKIATAGGED{number:010d}": f"text {number}" for number in range(5)}


def test_dates_are_utc() -> None:
    state = FakeIam()
    user = state.add_user("dated", datetime(2020, 2, 29, 23, 59, 58, tzinfo=UTC))

    with IamServer(state) as server:
        read = connect(server.options, WRITABLE).user("dated")

    assert read == user
    assert read.created is not None
    assert read.created.tzinfo is UTC
