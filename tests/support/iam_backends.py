"""The three that must answer alike: the fake, and the gateway before two real servers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any, Protocol

from keytui.aws.session import connect
from keytui.core.iam import Iam
from keytui.core.model import AccessKey, KeyStatus, User
from tests.support.fake_iam import FakeIam
from tests.support.gates import WRITABLE
from tests.support.iam_server import IamServer, populate
from tests.support.moto_server import MotoAccount, moto_account

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
PEOPLE = 12
_numbers = count(1)


class Backend(Protocol):
    """An account to test with, and what its server itself holds."""

    @property
    def iam(self) -> Iam:
        """What is tested."""

    def new_user(self) -> User:
        """Add a user that no other test knows."""

    def remove_user(self, user: User) -> None:
        """Take a user and its keys away, as somebody else would."""

    def held(self, user: User) -> dict[str, str]:
        """Return key ID → status as the server has them now."""

    def tags(self, user: User) -> dict[str, str]:
        """Return the user's tags as the server has them now."""


@dataclass(frozen=True, slots=True)
class InMemory:
    """A ``FakeIam``, asked directly or through a gateway and ``IamServer``."""

    iam: Iam
    state: FakeIam

    def new_user(self) -> User:
        return self.state.add_user(f"made-{next(_numbers)}")

    def remove_user(self, user: User) -> None:
        self.state.remove_user(user.name)

    def held(self, user: User) -> dict[str, str]:
        return {key.id: key.status.value for key in self.state.held(user)}

    def tags(self, user: User) -> dict[str, str]:
        return self.state.descriptions(user)


@dataclass(frozen=True, slots=True)
class OnMoto:
    """The gateway before moto, asked through the SDK's bare client."""

    iam: Iam
    server: MotoAccount

    def new_user(self) -> User:
        name = f"made-{next(_numbers)}"
        made = self.server.iam.create_user(UserName=name)["User"]
        return User(name, made["CreateDate"])

    def remove_user(self, user: User) -> None:
        for key_id in self.held(user):
            self.server.iam.delete_access_key(UserName=user.name, AccessKeyId=key_id)
        self.server.iam.delete_user(UserName=user.name)

    def held(self, user: User) -> dict[str, str]:
        listed: Any = self.server.iam.list_access_keys(UserName=user.name)
        return {key["AccessKeyId"]: key["Status"] for key in listed["AccessKeyMetadata"]}

    def tags(self, user: User) -> dict[str, str]:
        listed = self.server.iam.list_user_tags(UserName=user.name)
        return {tag["Key"]: tag["Value"] for tag in listed["Tags"]}


def fake_account(*, root: bool = False) -> FakeIam:
    """Return a fake with the demo's people, in small pages."""
    state = FakeIam(root=root)
    state.page_size = 5
    populate(state, PEOPLE, NOW)
    return state


@contextmanager
def backend(kind: str) -> Iterator[Backend]:
    """Provide ``fake``, ``http`` (small pages) or ``moto``."""
    if kind == "moto":
        with moto_account(PEOPLE, NOW) as server:
            yield OnMoto(connect(server.options, WRITABLE), server)
        return
    state = fake_account()
    if kind == "fake":
        yield InMemory(state, state)
        return
    with IamServer(state, page_size=5, key_page_size=1) as http:
        yield InMemory(connect(http.options, WRITABLE), state)


def gone(user: User, key_id: str = "AKIANOSUCHKEY0000001") -> AccessKey:
    """Return a key that the account does not have."""
    return AccessKey(key_id, user, KeyStatus.INACTIVE, NOW)
