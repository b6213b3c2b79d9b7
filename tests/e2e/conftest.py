"""What the end-to-end tests share: a home, an account behind HTTP, keytui in a terminal."""

import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from keytui.aws.options import ConnectOptions
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import IamServer
from tests.support.moto_server import MotoAccount, MotoPool
from tests.support.secret_service import SecretService
from tests.support.terminal import KEYTUI, Terminal, clean_env, terminal


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a test sits: a home of its own, and terminals that end with the test."""

    home: Path
    _stack: ExitStack

    @property
    def state(self) -> Path:
        """keytui's state folder."""
        return self.home / ".local/state/keytui"

    def keytui(
        self,
        *flags: str,
        env: Mapping[str, str] | None = None,
        size: tuple[int, int] = (120, 40),
    ) -> Terminal:
        """Start the installed command in a terminal."""
        return self.run([KEYTUI, *flags], env=env, size=size)

    def run(
        self,
        command: list[str | Path],
        env: Mapping[str, str] | None = None,
        size: tuple[int, int] = (120, 40),
    ) -> Terminal:
        """Start any command in a terminal."""
        whole = clean_env(self.home) | dict(env or {})
        return self._stack.enter_context(terminal(command, whole, *size))


@pytest.fixture
def desk() -> Iterator[Desk]:
    """A place to work at; its paths are short enough to be read in a dialog."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="keytui-"))
        yield Desk(Path(folder) / "home", stack)


@pytest.fixture(scope="session")
def motos() -> Iterator[MotoPool]:
    """This test worker's moto server; ``take`` makes its account as new."""
    with closing(MotoPool()) as pool:
        yield pool


@pytest.fixture
def moto(motos: MotoPool) -> MotoAccount:
    """The demo account in a moto server, as new."""
    return motos.take()


@pytest.fixture
def iam() -> FakeIam:
    """An account whose caller is ``admin``, to fill as the test needs it; today's clock."""
    iam = FakeIam(clock=lambda: datetime.now(UTC))
    # A keyring is shared between tests: these are no other test's key IDs.
    iam.last_number = secrets.randbelow(10**9) * 1_000
    return iam


@pytest.fixture
def server(iam: FakeIam) -> Iterator[IamServer]:
    """``iam`` over HTTP."""
    with IamServer(iam) as served:
        yield served


def signed_by(options: ConnectOptions) -> dict[str, str]:
    """Return the environment of somebody with these credentials and this endpoint."""
    assert options.access_key_id
    assert options.secret
    assert options.endpoint_url
    return {
        "AWS_ACCESS_KEY_ID": options.access_key_id,
        "AWS_SECRET_ACCESS_KEY": options.secret.reveal(),
        "AWS_ENDPOINT_URL": options.endpoint_url,
    }


def on_bus(service: SecretService) -> dict[str, str]:
    """Return the environment of somebody in the session of this Secret Service."""
    names = ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR")
    return {name: service.env[name] for name in names}


def statuses(account: MotoAccount, user: str) -> dict[str, str]:
    """Return what the server itself says of a user's keys: access key ID → status."""
    keys = account.iam.list_access_keys(UserName=user)["AccessKeyMetadata"]
    return {key["AccessKeyId"]: key["Status"] for key in keys}
