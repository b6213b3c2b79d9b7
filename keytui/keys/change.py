"""Deactivate, activate and delete keys, one or many: the guards, the questions, each change, undo.

The order of steps and the rules for the command line and the screens. The key that signs
keytui's own calls comes last: after it no other could be changed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from typing import Protocol

from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, KeyStatus
from keytui.core.parallel import in_parallel
from keytui.core.port import Port
from keytui.keys.operations import Lifecycle
from keytui.keys.outcomes import Concern, Dependence, StatusChange, Verb

AT_ONCE = 4
"""How many keys are worked on at the same time, at most."""
NOT_LISTED = "AWS took the change, but does not list it so yet."


class Assent(Enum):
    """How somebody agrees to a change."""

    NOT_ASKED = "by the command itself: it can be undone"
    YES = "by y"
    LAST_FOUR = "by the last four characters of the key's ID"
    NUMBER = "by the number of keys"


@dataclass(frozen=True, slots=True)
class Planned:
    """What would be done to one key.

    Attributes:
        key: The key.
        dependence: What depends on it; None where that does not matter, or is unknown.
        refusal: Why it can't be done, a sentence or more; empty where it can.
        already: Whether that is because nothing is left to do.
    """

    key: AccessKey
    dependence: Dependence | None = None
    refusal: str = ""
    already: bool = False

    @property
    def concern(self) -> Concern | None:
        """Why it should be asked about first; None where nothing speaks against it."""
        return self.dependence.concern if self.dependence and not self.refusal else None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it can't be done, or should be asked about first, a sentence each."""
        if self.refusal:
            return (self.refusal,)
        return self.dependence.reasons if self.dependence else ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done to some keys.

    Attributes:
        verb: What would be done.
        keys: Each key in the order asked for.
    """

    verb: Verb
    keys: tuple[Planned, ...]

    @property
    def refused(self) -> tuple[Planned, ...]:
        """Those it can't be done to."""
        return tuple(one for one in self.keys if one.refusal)

    @property
    def possible(self) -> tuple[Planned, ...]:
        """Those it can be done to."""
        return tuple(one for one in self.keys if not one.refusal)

    @property
    def free(self) -> tuple[Planned, ...]:
        """Those that nothing speaks against."""
        return tuple(one for one in self.possible if one.concern is None)

    @property
    def used(self) -> tuple[Planned, ...]:
        """Those whose guards ask, but your own."""
        return tuple(one for one in self.possible if one.concern not in {None, Concern.OWN_KEY})

    @property
    def others(self) -> tuple[Planned, ...]:
        """All it can be done to but your own key."""
        return (*self.free, *self.used)

    @property
    def own(self) -> tuple[Planned, ...]:
        """Your own key: it takes ``Assent.LAST_FOUR`` by itself, never along with others."""
        return tuple(one for one in self.possible if one.concern is Concern.OWN_KEY)

    @property
    def assent(self) -> Assent:
        """What agreeing takes, for all but your own key."""
        if self.verb is Verb.DELETE:
            return Assent.NUMBER if len(self.others) > 1 else Assent.LAST_FOUR
        return Assent.NOT_ASKED if len(self.free) == len(self.possible) == 1 else Assent.YES


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

    def sentence(self, name: str, *, own: bool = False) -> str:
        """Return what became of a key, in a sentence or two.

        Args:
            name: What the key is called.
            own: Whether it signs keytui's own calls.
        """
        if self.change is None:
            return f"{name}: {self.error}"
        word = self.change.status.value.lower()
        if not self.change.made:
            return f"{name} was {word} already."
        said = f"{name} is {word}."
        if own:
            said += " keytui's own calls stop now."
        elif not self.change.listed:
            said += f" {NOT_LISTED}"
        return said


Progress = Callable[[str], None]
Told = Callable[[Result], None]
Left = Callable[[], bool]
"""Whether nobody waits any more: what has not begun is not begun."""
Look = Callable[[Progress, Left], Plan]
Work = Callable[[Told, Left], tuple[Result, ...]]


class ChangePort(Port, Protocol):
    """What changing keys needs of the face that started it."""

    async def check(self, verb: Verb, keys: Sequence[AccessKey], look: Look) -> Plan:
        """Run a look at what depends on the keys; it blocks."""

    async def agree(self, plan: Plan) -> Sequence[Planned]:
        """Show what would be done to which keys; return those that are agreed to."""

    async def carry_out(self, plan: Plan, work: Work) -> tuple[Result, ...]:
        """Run the changes of a plan that is agreed to; they block, and report each result."""


async def change(
    lifecycle: Lifecycle,
    verb: Verb,
    keys: Sequence[AccessKey],
    port: ChangePort,
    *,
    just_asked: bool = False,
) -> tuple[Result, ...]:
    """Change the status of keys, or delete them.

    With ``just_asked`` the keys have the last use that AWS was asked for just now.

    Returns:
        What became of those that were agreed to and begun.
    """
    lifecycle.require_writable()
    plan = await _agreed(lifecycle, verb, keys, port, just_asked=just_asked)
    if verb is Verb.DELETE:
        return await _carry_out(plan, lifecycle.delete, port)
    return await _carry_out(plan, lambda key: lifecycle.set_status(key, verb.value), port)


async def undo(
    lifecycle: Lifecycle, changes: Sequence[StatusChange], port: ChangePort
) -> tuple[Result, ...]:
    """Take back changes of status that were made together: each key gets the status it had.

    Where that deactivates keys, their guards and questions are those of deactivating them;
    reactivating them asks nothing. A key whose status somebody else has changed since is left
    as it is: its result has a ``ChangedSinceError``.
    """
    lifecycle.require_writable()
    made = {change.key.id: change for change in changes}
    now = [replace(change.key, status=change.status) for change in changes]
    if changes[0].status is KeyStatus.ACTIVE:
        plan = await _agreed(lifecycle, Verb.DEACTIVATE, now, port)
    else:
        plan = Plan(Verb.ACTIVATE, tuple(map(Planned, now)))
    return await _carry_out(plan, lambda key: lifecycle.undo(made[key.id]), port)


async def _agreed(
    lifecycle: Lifecycle,
    verb: Verb,
    keys: Sequence[AccessKey],
    port: ChangePort,
    *,
    just_asked: bool = False,
) -> Plan:
    look = partial(make_plan, lifecycle, verb, keys, just_asked=just_asked)
    return Plan(verb, tuple(await port.agree(await port.check(verb, keys, look))))


async def _carry_out(
    plan: Plan, do: Callable[[AccessKey], StatusChange], port: ChangePort
) -> tuple[Result, ...]:
    if not plan.possible:
        return ()
    port.committed()
    return await port.carry_out(plan, partial(carry_out, plan, do))


def make_plan(
    lifecycle: Lifecycle,
    verb: Verb,
    keys: Sequence[AccessKey],
    progress: Progress = lambda _: None,
    left: Left = lambda: False,
    *,
    just_asked: bool = False,
) -> Plan:
    """Return for each key what would be done, and what depends on it. Blocks.

    A key whose guards can't be asked is refused; the others are not touched by that. The keys
    not asked about when nobody waits any more are left out.
    """
    found: dict[int, Planned] = {}

    def look(key: AccessKey) -> Planned:
        return _planned(lifecycle, verb, key, just_asked=just_asked)

    for index, one in in_parallel(keys, look, AT_ONCE, left):
        found[index] = one
        progress(f"Checking what depends on them: {len(found)} of {len(keys)}")
    return Plan(verb, tuple(found[index] for index in sorted(found)))


def carry_out(
    plan: Plan,
    do: Callable[[AccessKey], StatusChange],
    told: Told = lambda _: None,
    left: Left = lambda: False,
) -> tuple[Result, ...]:
    """Change each key of a plan that is agreed to, and tell each result as it comes. Blocks.

    Returns:
        The results in the order of the keys, also of what failed; none for a key that was
        refused or not begun.
    """

    def work(one: Planned) -> Result:
        try:
            return Result(one.key, do(one.key))
        except KeytuiError as error:
            return Result(one.key, error=error)

    results: dict[str, Result] = {}
    for some in (plan.others, plan.own):
        for _, result in in_parallel(some, work, AT_ONCE, left):
            results[result.key.id] = result
            told(result)
    return tuple(results[one.key.id] for one in plan.possible if one.key.id in results)


_TAKES = {
    Verb.DEACTIVATE: {KeyStatus.ACTIVE},
    Verb.ACTIVATE: {KeyStatus.INACTIVE},
    Verb.DELETE: {KeyStatus.INACTIVE, KeyStatus.EXPIRED},
}
_REFUSALS = {
    (Verb.DELETE, KeyStatus.ACTIVE): "only an inactive key can be deleted",
    (Verb.ACTIVATE, KeyStatus.EXPIRED): "only an inactive key can be made active",
}


def _planned(lifecycle: Lifecycle, verb: Verb, key: AccessKey, *, just_asked: bool) -> Planned:
    if key.status not in _TAKES[verb]:
        said = f"{key.id} is {key.status.value.lower()}"
        if why := _REFUSALS.get((verb, key.status)):
            return Planned(key, refusal=f"{said}: {why}.")
        return Planned(key, refusal=f"{said} already.", already=True)
    if verb is Verb.ACTIVATE:
        return Planned(key)
    try:
        return Planned(key, lifecycle.dependence(key, key.last_used if just_asked else None))
    except KeytuiError as error:
        return Planned(key, refusal=f"What depends on {key.id} could not be checked. {error}")
