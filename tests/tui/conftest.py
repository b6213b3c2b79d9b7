"""What the tests of the screens share."""

from pathlib import Path

import pytest

from tests.support.app import Desk, an_account


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """An account with some users, and empty stores."""
    return Desk(tmp_path, an_account())
