"""What the cells of the fault matrix share: an account, a keyring, a way to start keytui."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.e2e.conftest import on_bus, signed_by
from tests.faults.keyrings import BrokenLibrary, ServicePool, service_pool
from tests.faults.play import Cell
from tests.faults.program import Program, Zygote, zygote
from tests.faults.proxy import FaultProxy
from tests.support.moto_server import MotoAccount, moto_account
from tests.support.secret_service import SecretService
from tests.support.terminal import clean_env

ONE_IN = 40
"""How many cells there are for each that an ordinary run of the tests keeps."""
HARNESS = {"test_harness.py", "test_losses.py"}
_numbers = count(1)


@pytest.fixture(scope="session")
def account() -> Iterator[MotoAccount]:
    """The demo account of this test worker: 12 users, and the cell's own one."""
    with moto_account() as served:
        yield served


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """The process that this test worker's runs of keytui are forked from."""
    with zygote(tmp_path_factory.mktemp("zygote")) as process:
        yield process


@pytest.fixture(scope="session")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServicePool]:
    """This test worker's Secret Service; ``take`` mends it after a fault."""
    with service_pool(tmp_path_factory.mktemp("secret-service")) as pool:
        yield pool


@pytest.fixture
def service(services: ServicePool) -> Iterator[SecretService]:
    """An unlocked Secret Service that the test may lock, stop or kill."""
    service = services.take()
    yield service
    if service.daemon and service.daemon.poll() is not None:
        # Shown where the test has failed: was it the daemon, and did it end by itself?
        print(f"gnome-keyring-daemon has ended with {service.daemon.returncode}")


@pytest.fixture
def proxy(account: MotoAccount) -> Iterator[FaultProxy]:
    """The proxy before the account, with nothing arranged."""
    assert account.options.endpoint_url
    with FaultProxy(account.options.endpoint_url) as between:
        yield between


@pytest.fixture
def user(account: MotoAccount) -> Iterator[str]:
    """A user of the cell's own, without keys, who is gone afterwards."""
    name = f"cell-{next(_numbers)}"
    iam = account.iam
    iam.create_user(UserName=name)
    yield name
    for key in iam.list_access_keys(UserName=name)["AccessKeyMetadata"]:
        iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName=name)


@pytest.fixture
def home() -> Iterator[Path]:
    """An empty home folder, with a path short enough to be read in a dialog."""
    with TemporaryDirectory(prefix="keytui-") as folder:
        home = Path(folder) / "home"
        home.mkdir()
        yield home


@pytest.fixture
def env(home: Path, proxy: FaultProxy, account: MotoAccount) -> dict[str, str]:
    """The environment of somebody who asks the account through the proxy; no keyring."""
    return clean_env(home) | signed_by(replace(account.options, endpoint_url=proxy.url))


@pytest.fixture
def env_on_bus(env: dict[str, str], service: SecretService) -> dict[str, str]:
    """The same, in the session of the Secret Service."""
    return env | on_bus(service)


@pytest.fixture
def library(tmp_path: Path) -> BrokenLibrary:
    """A keyring library that does as it is told; add its ``env``."""
    return BrokenLibrary(tmp_path / "library")


@pytest.fixture
def run(source: Zygote) -> Iterator[Program]:
    """A run of keytui in a terminal, ended with the test."""
    opened = Program(source)
    yield opened
    opened.close()


@pytest.fixture
def bare(
    source: Zygote,
    account: MotoAccount,
    proxy: FaultProxy,
    user: str,
    home: Path,
    env: dict[str, str],
) -> Cell:
    """A cell without a keyring."""
    return Cell(source, account, proxy, user, home, env)


@pytest.fixture
def cell(bare: Cell, service: SecretService) -> Cell:
    """A cell with an unlocked keyring."""
    bare.mended(service)
    return bare


def pytest_configure(config: pytest.Config) -> None:
    """Name the mark of tests that ``make faults`` alone runs."""
    config.addinivalue_line("markers", "whole: only with all cells of the fault matrix")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep one cell in 40 of each test, and the first, unless all are asked for (``make faults``).

    Together they take longer than a run of all tests may. The harness's own tests go with all,
    and so do those marked ``whole``: they are much like others.
    """
    if os.environ.get("KEYTUI_FAULTS") == "all":
        return
    seen: Counter[str] = Counter()
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        name = item.nodeid.partition("[")[0]
        here = item.path.parent == Path(__file__).parent
        sampled = seen[name] % ONE_IN == 0 and item.path.name not in HARNESS
        sampled = sampled and item.get_closest_marker("whole") is None
        (kept if sampled or not here else left_out).append(item)
        seen[name] += 1
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept
