"""Fixtures that any test may ask for, by name."""

import gc
import os

import pytest

pytest_plugins = (
    "tests.faults.summary",
    "tests.support.aws_command",
    "tests.support.aws_env",
    "tests.support.keyring_fixtures",
    "tests.support.sdk_data",
)


@pytest.fixture(scope="session", autouse=True)
def rare_collections() -> None:
    """Look for garbage less often, and not among all that was imported.

    It is a quarter of the work of a test that draws screens.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


_SLOW = ("/e2e/", "/faults/", "/property/")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let each test worker begin with its share of the slow tests.

    A worker is given a run of tests that stand one after the other, and the quick ones at its
    end are taken over by workers that have nothing left to do.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    slow = [item for item in items if any(folder in str(item.path) for folder in _SLOW)]
    quick = [item for item in items if item not in set(slow)]
    items[:] = [
        item
        for worker in range(workers)
        for item in (*slow[worker::workers], *quick[worker::workers])
    ]
