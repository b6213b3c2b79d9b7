"""Fixtures: a real Secret Service for tests."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.support.secret_service import SecretService, secret_service


class SecretServices:
    """A Secret Service for one test after another; a new one where its daemon has ended."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._stack = ExitStack()
        self._service: SecretService | None = None

    def take(self) -> SecretService:
        """Return the service, its daemon alive."""
        if self._service is None or not self._service.alive:
            if self._service and self._service.daemon:
                print(f"gnome-keyring-daemon has ended: {self._service.daemon.returncode}")
            self._stack.close()
            folder = self._folders.mktemp("secret-service")
            self._service = self._stack.enter_context(secret_service(folder))
        return self._service

    def close(self) -> None:
        """End it."""
        self._stack.close()


@pytest.fixture(scope="session")
def keyring_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecretServices]:
    """This test worker's Secret Service; ``take`` gives one that is alive."""
    with closing(SecretServices(tmp_path_factory)) as services:
        yield services


@pytest.fixture
def keyring_service(keyring_services: SecretServices) -> SecretService:
    """An unlocked Secret Service, shared by a worker's tests and never locked by one."""
    return keyring_services.take()


@pytest.fixture
def own_service(tmp_path: Path) -> Iterator[SecretService]:
    """An unlocked Secret Service that the test may lock or kill."""
    with secret_service(tmp_path) as service:
        yield service
