"""The demo account's moto server for tests, with a client of its own to ask it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast

from botocore.config import Config
from botocore.session import Session

from keytui.aws.demo import DemoServer
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
