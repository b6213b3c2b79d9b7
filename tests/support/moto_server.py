"""The demo account's moto server for tests, with a client of its own to ask it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.session import Session

from keytui.aws.demo.server import DemoServer
from keytui.aws.options import ConnectOptions

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

READY_SECONDS = 60
"""A loaded machine may take its time; nothing here measures speed."""


@dataclass(frozen=True, slots=True)
class MotoAccount:
    """A running demo account.

    Attributes:
        options: How keytui connects to it.
        iam: The SDK's bare client, to ask what the server itself holds.
        pid: The server's process.
    """

    options: ConnectOptions
    iam: "IAMClient"
    pid: int


@contextmanager
def moto_account(users: int = 12, now: datetime | None = None) -> Iterator[MotoAccount]:
    """Serve a demo account while the block runs."""
    with DemoServer(users, now) as server:
        options = server.wait_ready(READY_SECONDS)
        client = bare_client(options)
        yield MotoAccount(options, client, server.pid)
        client.close()


class MotoPool:
    """A demo account for one test after another, as new for each: a server takes a second."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._account: MotoAccount | None = None
        self._new: dict[str, Held] = {}

    def take(self) -> MotoAccount:
        """Return the account; the last one, unless something of it is gone for good."""
        if self._account is None or not _restored(self._account.iam, self._new):
            self._stack.close()
            self._account = self._stack.enter_context(moto_account())
            self._new = _held(self._account.iam)
        return self._account

    def close(self) -> None:
        """End the server."""
        self._stack.close()


@dataclass(frozen=True, slots=True)
class Held:
    """What a user has: access key ID → status, and tags."""

    keys: dict[str, str]
    tags: dict[str, str]


def _held(iam: "IAMClient") -> dict[str, Held]:
    """Return what each user has."""
    held = {}
    for user in iam.list_users()["Users"]:
        name = user["UserName"]
        keys = iam.list_access_keys(UserName=name)["AccessKeyMetadata"]
        tags = iam.list_user_tags(UserName=name)["Tags"]
        held[name] = Held(
            {key["AccessKeyId"]: key["Status"] for key in keys},
            {tag["Key"]: tag["Value"] for tag in tags},
        )
    return held


def _restored(iam: "IAMClient", new: dict[str, Held]) -> bool:
    """Take away the keys that were added to users; return whether all is as new."""
    held = _held(iam)
    if held == new:
        return True
    for name in held.keys() & new.keys():
        for key_id in held[name].keys.keys() - new[name].keys.keys():
            iam.delete_access_key(UserName=name, AccessKeyId=key_id)
    return _held(iam) == new


def bare_client(options: ConnectOptions) -> "IAMClient":
    """Return the SDK's own IAM client, with none of keytui's code around it."""
    assert options.secret is not None
    session = Session(session_vars={"profile": (None, None, None, None)})
    client = session.create_client(
        "iam",
        region_name=options.region or "us-east-1",
        endpoint_url=options.endpoint_url,
        aws_access_key_id=options.access_key_id,
        aws_secret_access_key=options.secret.reveal(),
        config=Config(proxies={}),
    )
    return cast("IAMClient", client)
