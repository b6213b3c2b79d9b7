"""The count of cells and losses at the end of a test run, also over several workers."""

from collections.abc import Sequence
from typing import Any

import pytest

_LOSSES = "faults.losses"


def record_cell(request: pytest.FixtureRequest, losses: Sequence[str]) -> None:
    """Count a cell of the matrix and what was lost in it; call it before any assertion."""
    request.node.user_properties.append((_LOSSES, list(losses)))


def cells(reports: Sequence[Any]) -> list[tuple[str, list[str]]]:
    """Return the cells in these reports: each test's ID and what was lost in it.

    A test that looks at its cell several times, as after each of two starts, counts once.
    """
    found: dict[str, dict[str, None]] = {}
    for report in reports:
        if getattr(report, "when", "") != "call":
            continue
        for name, value in report.user_properties:
            if name == _LOSSES:
                found.setdefault(report.nodeid, {}).update(dict.fromkeys(value))
    return [(name, list(lost)) for name, lost in found.items()]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what came of the cells, where there were any."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    found = cells(reports)
    if not found:
        return
    total = sum(len(lost) for _, lost in found)
    terminalreporter.write_line(f"faults: {len(found)} cells, {total} losses")
    for name, lost in found:
        for sentence in lost:
            terminalreporter.write_line(f"  {name}: {sentence}")
