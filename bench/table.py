"""How figures are written: one table, its columns aligned."""

from collections.abc import Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """One measurement.

    Attributes:
        what: What was measured.
        figure: keytui's figure.
        aim: What it is to be at most.
        beside: What it is compared with, and that one's figure.
        ratio: keytui's figure as a part of it.
    """

    what: str
    figure: str
    aim: str = ""
    beside: str = ""
    ratio: str = ""


class Unit:
    """A unit, and how figures are written with it."""

    def __init__(self, pattern: str, divisor: float = 1.0) -> None:
        self._pattern = pattern
        self._divisor = divisor

    def __call__(self, figure: float) -> str:
        """Return a figure with its unit."""
        return self._pattern.format(figure / self._divisor)

    def beside(self, what: str, figure: float, aim: str, beside: str, other: float) -> Row:
        """Return a row that compares two figures; the aim is of their ratio."""
        return Row(what, self(figure), aim, f"{beside} {self(other)}", f"{figure / other:.2f}")


SECONDS = Unit("{:.2f} s")
MILLISECONDS = Unit("{:.1f} ms")
MEGABYTES = Unit("{:.0f} MB")
KILOBYTES = Unit("{:.2f} KB", 1024)

TITLES = Row("", "keytui", "aim", "beside", "ratio")


def lines(rows: Sequence[Row]) -> list[str]:
    """Return the table's lines."""
    table = [TITLES, *rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "   ".join(
            (
                row.what.ljust(widths[0]),
                row.figure.rjust(widths[1]),
                row.aim.rjust(widths[2]),
                row.beside.ljust(widths[3]),
                row.ratio.rjust(widths[4]),
            )
        ).rstrip()
        for row in table
    ]
