"""Somebody at a terminal who answers what a command without a screen asks."""

import sys
from types import ModuleType

import pytest


def at_a_terminal(command: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Put somebody at a terminal where a command runs.

    Returns:
        The answers, to be filled: a line each, in order; then comes Ctrl+D.
    """
    answers: list[str] = []
    monkeypatch.setattr(command, "on_terminal", lambda: True)
    monkeypatch.setattr(sys.stdin, "readline", lambda: f"{answers.pop(0)}\n" if answers else "")
    return answers
