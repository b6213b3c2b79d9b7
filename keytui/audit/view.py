"""Which rows of an audit are shown, in which order, and what they add up to. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from operator import itemgetter
from typing import Any

from keytui.audit.rows import AuditRow
from keytui.core.model import AccessKey, KeyStatus
from keytui.core.rules import Rule


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
    **{rule.option: rule for rule in Rule},
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


def totals(rows: Iterable[AuditRow]) -> tuple[Total, ...]:
    """Return a total for each rule, in the rules' order.

    A rule is asked of active keys alone, as no other can break it, and only where what it
    asks for is known. Of a key's use it is ``NEVER_USED`` that asks whether there was any, and
    ``UNUSED`` when it was.
    """
    active = [row for row in rows if row.key.status is KeyStatus.ACTIVE]
    uses = [row.key.last_used for row in active if row.key.last_used]
    judged = {
        Rule.OLD: sum(row.key.created is not None for row in active),
        Rule.NEVER_USED: len(uses),
        Rule.UNUSED: sum(used.when is not None for used in uses),
    }
    failing = [0] * len(Rule)
    for row in active:
        for one in row.findings:
            failing[one.rule.rank] += one.fails
    return tuple(Total(rule, judged.get(rule, len(active)), failing[rule.rank]) for rule in Rule)


def shown(rows: Sequence[AuditRow], text: str, order: Order) -> list[AuditRow]:
    """Return the rows that hold every word of a filter, sorted.

    What a filter typed letter by letter needs each time is kept for the same ``rows`` object:
    their order, and the texts they are searched in.

    Args:
        rows: The rows, worst first; never changed afterwards.
        text: Words; one of ``WORDS`` stands for what it names (several of these: any of
            them), any other is searched in user name, access key ID and service of last use.
        order: How to sort; ties stay worst first, and what is not known comes last.
    """
    words = text.casefold().split()
    found = _memo.sorted(rows, order)
    texts = [word for word in words if word not in WORDS]
    if texts:
        searched = _memo.texts()
        # Places, not pairs: ten thousand new tuples would set off the garbage collector.
        places: Iterable[int] = range(len(searched))
        for word in texts:
            places = [place for place in places if word in searched[place]]
        found = [found[place] for place in places]
    kinds = [WORDS[word] for word in words if word in WORDS]
    return _of_kinds(found, kinds) if kinds else list(found)


def _of_kinds(rows: Sequence[AuditRow], kinds: Sequence[Rule | KeyStatus]) -> list[AuditRow]:
    inactive = KeyStatus.INACTIVE in kinds
    # Equal findings are one object, so that few are looked into.
    meant: dict[int, bool] = {}
    found = []
    for row in rows:
        its = row.findings
        if id(its) not in meant:
            meant[id(its)] = any(one.fails and one.rule in kinds for one in its)
        if meant[id(its)] or (inactive and row.key.status is KeyStatus.INACTIVE):
            found.append(row)
    return found


class _Memo:
    """The order of the rows last shown, and the texts they are searched in."""

    def __init__(self) -> None:
        self._rows: Sequence[AuditRow] = ()
        self._order = Order()
        self._sorted: Sequence[AuditRow] = ()
        self._texts: list[str] | None = None

    def sorted(self, rows: Sequence[AuditRow], order: Order) -> Sequence[AuditRow]:
        """Return the rows in that order."""
        if self._rows is not rows or self._order != order:
            self._sorted, self._texts = _ordered(rows, order), None
            self._rows, self._order = rows, order
        return self._sorted

    def texts(self) -> list[str]:
        """Return the texts of the rows last sorted."""
        if self._texts is None:
            self._texts = [_text(row.key) for row in self._sorted]
        return self._texts


_memo = _Memo()


def _text(key: AccessKey) -> str:
    service = key.last_used.service if key.last_used else ""
    return f"{key.user.name}\n{key.id}\n{service}".casefold()


def _ordered(rows: Sequence[AuditRow], order: Order) -> Sequence[AuditRow]:
    if order.column is Column.FINDINGS:
        return rows[::-1] if order.reverse else rows
    value = _VALUES[order.column]
    known, unknown = [], []
    for row in rows:
        by = value(row)
        if by is None:
            unknown.append(row)
        else:
            known.append((by, row))
    known.sort(key=itemgetter(0), reverse=order.reverse)
    return [*map(itemgetter(1), known), *unknown]


_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_STATUS = {status: place for place, status in enumerate(KeyStatus)}


def _last_use(row: AuditRow) -> datetime | None:
    """Return the last use; of a key never used, longer ago than any."""
    used = row.key.last_used
    return (used.when or _LONG_AGO) if used else None


_VALUES: Mapping[Column, Callable[[AuditRow], Any]] = {
    Column.USER: lambda row: row.key.user.name.casefold(),
    Column.KEY: lambda row: row.key.id or None,
    Column.STATUS: lambda row: _STATUS[row.key.status],
    Column.AGE: lambda row: row.key.created,
    Column.LAST_USED: _last_use,
    Column.MFA: lambda row: row.mfa,
}
"""What rows are sorted by; None is not known."""
