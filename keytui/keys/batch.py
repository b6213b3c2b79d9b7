"""One verb on several keys: the guards of each, then the change of each. Pure over ``Lifecycle``.

The key that signs keytui's own calls comes last: after it no other could be changed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, KeyStatus
from keytui.core.parallel import in_parallel
from keytui.keys.operations import Lifecycle
from keytui.keys.outcomes import Concern, Dependence, StatusChange

AT_ONCE = 4
"""How many keys are worked on at the same time, at most."""


class Verb(Enum):
    """What is done to the keys, and the status they have then."""

    DEACTIVATE = KeyStatus.INACTIVE
    ACTIVATE = KeyStatus.ACTIVE
    DELETE = KeyStatus.DELETED


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be done to one key.

    Attributes:
        key: The key.
        dependence: What depends on it; None where that is of no matter, or was not asked.
        refusal: Why it can't be done, a sentence or more; empty where it can.
    """

    key: AccessKey
    dependence: Dependence | None = None
    refusal: str = ""

    @property
    def concern(self) -> Concern | None:
        """Why it should be asked about first; None where nothing speaks against it."""
        return self.dependence.concern if self.dependence and not self.refusal else None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one key.

    Attributes:
        key: The key as it was before.
        change: The change that AWS has made; None where it has made none.
        error: Why not; None where it has.
    """

    key: AccessKey
    change: StatusChange | None = None
    error: KeytuiError | None = None


def plan(
    lifecycle: Lifecycle,
    verb: Verb,
    keys: Sequence[AccessKey],
    progress: Callable[[str], None] = lambda _: None,
    left: Callable[[], bool] = lambda: False,
) -> tuple[Planned, ...]:
    """Say for each key what would be done, and what depends on it. Blocks.

    Args:
        lifecycle: The verbs.
        verb: What is to be done.
        keys: The keys as they are now.
        progress: Called in this thread with a word on how far it is.
        left: Says that nobody waits any more; the keys not asked about by then are left out.

    Returns:
        The keys in their order. One whose guards can't be asked is refused; the others are
        not touched by that.

    Raises:
        ReadOnlyError: Nothing may be changed.
    """
    lifecycle.require_writable()
    found: dict[int, Planned] = {}
    for index, one in in_parallel(keys, lambda key: _planned(lifecycle, verb, key), AT_ONCE, left):
        found[index] = one
        progress(f"Checking what depends on them: {len(found)} of {len(keys)}")
    return tuple(found[index] for index in sorted(found))


def carry_out(
    lifecycle: Lifecycle,
    verb: Verb,
    planned: Sequence[Planned],
    told: Callable[[Result], None] = lambda _: None,
    left: Callable[[], bool] = lambda: False,
) -> tuple[Result, ...]:
    """Do what was planned; what is refused is passed over. Blocks.

    Args:
        lifecycle: The verbs.
        verb: What is done.
        planned: The keys, with their guards' answers.
        told: Called in this thread with each result as it comes.
        left: Stops before the next key.

    Returns:
        The results in the order of the plan, also of what failed; none for a key that was
        refused or not begun.
    """
    todo = [one for one in planned if not one.refusal]

    def work(one: Planned) -> Result:
        return _result(one.key, lambda: _change(lifecycle, verb, one.key))

    own = [one for one in todo if one.concern is Concern.OWN_KEY]
    others = [one for one in todo if one.concern is not Concern.OWN_KEY]
    results: dict[str, Result] = {}
    for some in (others, own):
        for _, result in in_parallel(some, work, AT_ONCE, left):
            results[result.key.id] = result
            told(result)
    return tuple(results[one.key.id] for one in todo if one.key.id in results)


def undo(
    lifecycle: Lifecycle,
    changes: Sequence[StatusChange],
    told: Callable[[Result], None] = lambda _: None,
    left: Callable[[], bool] = lambda: False,
) -> tuple[Result, ...]:
    """Take back changes of status: each key gets the status it had. Blocks.

    Returns:
        The results in the order of the changes; none for a key that was not begun. A key whose
        status somebody else has changed since has a ``ChangedSinceError``.
    """

    def work(change: StatusChange) -> Result:
        return _result(change.key, lambda: lifecycle.undo(change))

    results: dict[int, Result] = {}
    for index, result in in_parallel(changes, work, AT_ONCE, left):
        results[index] = result
        told(result)
    return tuple(results[index] for index in sorted(results))


def refusal(verb: Verb, key: AccessKey) -> str:
    """Return why a verb can't be done to a key of this status; empty where it can."""
    word = key.status.value.lower()
    match verb, key.status:
        case (Verb.DELETE, KeyStatus.ACTIVE):
            return f"{key.id} is active: only an inactive key can be deleted."
        case (Verb.ACTIVATE, KeyStatus.EXPIRED):
            return f"{key.id} is expired: only an inactive key can be made active."
        case (Verb.DELETE, KeyStatus.INACTIVE | KeyStatus.EXPIRED):
            return ""
        case (Verb.ACTIVATE, KeyStatus.INACTIVE) | (Verb.DEACTIVATE, KeyStatus.ACTIVE):
            return ""
    return f"{key.id} is {word} already."


def _planned(lifecycle: Lifecycle, verb: Verb, key: AccessKey) -> Planned:
    if reason := refusal(verb, key):
        return Planned(key, refusal=reason)
    if verb is Verb.ACTIVATE:
        return Planned(key)
    try:
        return Planned(key, lifecycle.dependence(key))
    except KeytuiError as error:
        return Planned(key, refusal=f"What depends on {key.id} could not be checked. {error}")


def _change(lifecycle: Lifecycle, verb: Verb, key: AccessKey) -> StatusChange:
    if verb is Verb.DELETE:
        return lifecycle.delete(key)
    return lifecycle.set_status(key, verb.value)


def _result(key: AccessKey, change: Callable[[], StatusChange]) -> Result:
    try:
        return Result(key, change())
    except KeytuiError as error:
        return Result(key, error=error)
