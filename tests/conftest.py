"""Fixtures that any test may ask for, by name."""

import gc
import os

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
