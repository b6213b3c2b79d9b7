"""Which rows of an audit are shown, in which order, and what they add up to. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from keytui.audit.rows import AuditRow
from keytui.findings import Rule
from keytui.model import KeyStatus


class Column(Enum):
    """A column that rows can be sorted by: its title and the letter that sorts by it."""

    USER = ("User", "U")
    KEY = ("Access key ID", "I")
    STATUS = ("Status", "S")
    AGE = ("Created", "C")
    LAST_USED = ("Last used", "L")
    FINDINGS = ("Findings", "F")
    MFA = ("MFA", "M")

    def __init__(self, title: str, letter: str) -> None:
        self.title = title
        self.letter = letter


@dataclass(frozen=True, slots=True)
class Order:
    """How rows are sorted.

    Attributes:
        column: By which column; FINDINGS is worst first.
        reverse: The other way round.
    """

    column: Column = Column.FINDINGS
    reverse: bool = False


WORDS: Mapping[str, Rule | KeyStatus] = {
    "root": Rule.ROOT_KEY,
    "old": Rule.OLD,
    "unused": Rule.UNUSED,
    "never-used": Rule.NEVER_USED,
    "two-active": Rule.TWO_ACTIVE,
    "inactive": KeyStatus.INACTIVE,
}
"""The words of a filter that stand for a finding (one that fails) or a status."""


@dataclass(frozen=True, slots=True)
class Total:
    """How many keys of some pass a rule.

    Attributes:
        rule: The rule.
        judged: How many keys it was asked of.
        failing: How many of them break it.
    """

    rule: Rule
    judged: int
    failing: int


def totals(rows: Sequence[AuditRow]) -> tuple[Total, ...]:
    """Return a total for each rule, in the rules' order."""
    raise NotImplementedError


def shown(rows: Sequence[AuditRow], text: str, order: Order) -> list[AuditRow]:
    """Return the rows that hold every word of a filter, sorted.

    Args:
        rows: The rows, worst first.
        text: Words; one of ``WORDS`` stands for what it names (several of these: any of
            them), any other is searched in user name, access key ID and service of last use.
        order: How to sort; ties stay worst first.
    """
    raise NotImplementedError
