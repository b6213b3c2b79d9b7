"""Fixtures: a real Secret Service for tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.secret_service import SecretService, secret_service


@pytest.fixture(scope="session")
def keyring_service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretService]:
    """An unlocked Secret Service; one for each test worker, never locked by a test."""
    with secret_service(tmp_path_factory.mktemp("secret-service")) as service:
        yield service


@pytest.fixture
def own_service(tmp_path: Path) -> Iterator[SecretService]:
    """An unlocked Secret Service that the test may lock or kill."""
    with secret_service(tmp_path) as service:
        yield service
