"""The count of cells and losses at the end of a test run, also over several workers."""

from collections.abc import Sequence
from typing import Any

import pytest

_LOSSES = "faults.losses"


def record_cell(request: pytest.FixtureRequest, losses: Sequence[str]) -> None:
    """Count a cell of the matrix and what was lost in it; call it before any assertion."""
    request.node.user_properties.append((_LOSSES, list(losses)))


def cells(reports: Sequence[Any]) -> list[tuple[str, list[str]]]:
    """Return the cells in these reports: each test's ID and what was lost in it."""
    return [
        (report.nodeid, list(value))
        for report in reports
        if getattr(report, "when", "") == "call"
        for name, value in report.user_properties
        if name == _LOSSES
    ]


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
