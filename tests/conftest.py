"""Fixtures that any test may ask for, by name."""

import gc
import os
import sys
from collections.abc import Sequence
from functools import cache
from types import ModuleType

import pytest

# As keytui.cli.commands.tui has it; read when Textual is imported.
os.environ.setdefault("TEXTUAL_THEME", "ansi-dark")

pytest_plugins = (
    "tests.faults.summary",
    "tests.support.aws_command",
    "tests.support.aws_env",
    "tests.support.keyring_fixtures",
    "tests.support.sdk_data",
)


_STARTS = frozenset({"subprocess", "socket", "pty", "http.server", "multiprocessing"})
"""Modules that a test imports to start a process, a server or a terminal."""


def pytest_collection_modifyitems(items: Sequence[pytest.Function]) -> None:
    """Mark as ``fast`` the unit and property tests that start nothing."""
    for item in items:
        fixtures = item._fixtureinfo.name2fixturedefs.values()
        sources = [item.module.__name__, *(one[-1].func.__module__ for one in fixtures)]
        kind = item.module.__name__.split(".")[1]
        if kind in {"unit", "property"} and not any(map(_starts_something, sources)):
            item.add_marker(pytest.mark.fast)


@cache
def _starts_something(name: str) -> bool:
    """Return whether a module of the tests, or one that it imports from, starts something."""
    module = sys.modules.get(name)
    if module is None or not name.startswith("tests."):
        return False
    values = list(vars(module).values())
    if any(isinstance(one, ModuleType) and one.__name__ in _STARTS for one in values):
        return True
    others = {getattr(one, "__module__", None) for one in values}
    return any(_starts_something(other) for other in others - {name} if isinstance(other, str))


@pytest.fixture(scope="session", autouse=True)
def rare_collections() -> None:
    """Look for garbage less often, and not among all that was imported.

    It is a quarter of the work of a test that draws screens.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(autouse=True)
def no_end_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a command that a test told to stop be watched no longer than it runs.

    What watches that its end is printed would end the whole worker where a later test prints
    to a reader that takes nothing.
    """
    monkeypatch.setattr("keytui.cli.console._TELL_SECONDS", 0.0)
