"""The rules that access keys are judged by: pure functions of a key, its siblings and now.

The numbers are those of the CIS AWS Foundations Benchmark v1.4 to v4.0.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache

from keytui.core.model import AccessKey, KeyStatus


class Rule(Enum):
    """A rule: its word in the listing, its CIS number, and the rule in a sentence.

    The gravest comes first; ``rank`` is a rule's place, from 0.
    """

    ROOT_KEY = ("root key", "1.4", "The root user should have no access key.")
    OLD = ("old", "1.14", "An active key should be rotated within {old}.")
    UNUSED = ("unused", "1.12", "A key unused for {unused} should be made inactive.")
    NEVER_USED = ("never used", "1.12", "A key never used within {unused} should go.")
    TWO_ACTIVE = ("two active", "1.13", "A user should have one active key.")

    def __init__(self, word: str, cis: str, sentence: str) -> None:
        self.word = word
        self.cis = cis
        self.sentence = sentence
        self.rank = len(type(self).__members__)

    def text(self, limits: "Thresholds") -> str:
        """Return the rule in a sentence that names the days of these thresholds."""
        return self.sentence.format(old=_count(limits.old_days), unused=_count(limits.unused_days))

    @property
    def option(self) -> str:
        """The rule as an option or a filter names it, such as ``never-used``."""
        return "root" if self is Rule.ROOT_KEY else self.word.replace(" ", "-")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """After how many whole days a key counts as old or as unused."""

    old_days: int = 90
    unused_days: int = 45


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that has something to say about a key.

    Attributes:
        rule: The rule.
        fails: Whether the key breaks it; False for what is only worth knowing, such as a
            key made yesterday that was never used.
    """

    rule: Rule
    fails: bool = True


def findings(
    key: AccessKey,
    siblings: Iterable[AccessKey],
    now: datetime,
    limits: Thresholds,
) -> tuple[Finding, ...]:
    """Judge one key.

    Args:
        key: The key. Last use is judged only where it was read.
        siblings: All keys of the same user; the key itself may be among them (where its ID
            is not known, it itself and no copy).
        now: The time to judge at, aware.
        limits: The thresholds.

    Returns:
        The findings, gravest first. Only an active key can fail a rule: one that does not
        authenticate is no risk.
    """
    if key.status is KeyStatus.DELETED:
        return ()
    active = key.status is KeyStatus.ACTIVE
    age = now - key.created if key.created else timedelta()
    too_long = _days(limits.unused_days)
    used = key.last_used
    never = used is not None and used.when is None
    return _found(
        root=active and key.user.is_root,
        old=active and age > _days(limits.old_days),
        never=never,
        never_fails=never and active and age > too_long,
        unused=active and bool(used and used.when and now - used.when > too_long),
        two=active and _others_active(key, siblings),
    )


def _count(days: int) -> str:
    return "1 day" if days == 1 else f"{days:,} days"


@cache
def _days(number: int) -> timedelta:
    return timedelta(days=number)


@cache
def _found(
    *, root: bool, old: bool, never: bool, never_fails: bool, unused: bool, two: bool
) -> tuple[Finding, ...]:
    """Return the findings; equal ones are one object, of which an account has thousands."""
    told = (
        (root, Finding(Rule.ROOT_KEY)),
        (old, Finding(Rule.OLD)),
        (unused, Finding(Rule.UNUSED)),
        (never, Finding(Rule.NEVER_USED, fails=never_fails)),
        (two, Finding(Rule.TWO_ACTIVE)),
    )
    return tuple(finding for is_so, finding in told if is_so)


def could_go(keys: tuple[AccessKey, ...]) -> str:
    """Name the least needed of a user's keys and say why, in a sentence; never choose."""
    long_ago = datetime(2000, 1, 1, tzinfo=UTC)

    def need(key: AccessKey) -> tuple[bool, datetime, datetime]:
        used = key.last_used.when if key.last_used else None
        return (key.status is KeyStatus.ACTIVE, used or long_ago, key.created or long_ago)

    key = min(keys, key=need)
    if key.status is not KeyStatus.ACTIVE:
        return f"{key.id} could go: it is {key.status.value.lower()} already."
    if key.last_used is None:
        return f"{key.id} could go: it is the oldest."
    if key.last_used.when is None:
        return f"{key.id} could go: it was never used."
    return f"{key.id} could go: it was used longest ago."


def _others_active(key: AccessKey, siblings: Iterable[AccessKey]) -> bool:
    """Return whether another key is active; the credential report's keys have no IDs."""
    return any(
        one.status is KeyStatus.ACTIVE and one is not key and (one.id != key.id or not one.id)
        for one in siblings
    )
