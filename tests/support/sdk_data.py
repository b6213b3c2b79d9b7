"""The SDK reads its own data once for each test worker, not for each session.

Half of what it takes to make a client is reading the same JSON again. The SDK itself lets all
clients of a session share what was read.
"""

from collections.abc import Iterator
from functools import cache

import pytest
from botocore.loaders import JSONFileLoader


@pytest.fixture(scope="session", autouse=True)
def sdk_data() -> Iterator[None]:
    """Keep what was read while tests run."""
    with pytest.MonkeyPatch.context() as patch:
        load = cache(JSONFileLoader().load_file)
        patch.setattr(JSONFileLoader, "load_file", lambda _, path: load(path))
        yield
