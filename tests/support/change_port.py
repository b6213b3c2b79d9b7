"""Somebody who agrees to everything that can be done to keys."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from keytui.core.model import AccessKey
from keytui.core.port import run_now
from keytui.keys import change
from keytui.keys.change import Look, Plan, Planned, Result, Work
from keytui.keys.operations import Lifecycle
from keytui.keys.outcomes import StatusChange, Verb

T = TypeVar("T")


class Agreeing:
    """Implements ``ChangePort``.

    Attributes:
        plans: What was shown.
        told: Each result as it came.
        left: Whether nobody waits any more.
        began: Called when a change begins.
        ended: Called with each result as it comes.
        agreed: Whether a change has begun.
    """

    def __init__(self) -> None:
        self.plans: list[Plan] = []
        self.told: list[Result] = []
        self.left: Callable[[], bool] = lambda: False
        self.began: Callable[[], object] = lambda: None
        self.ended: Callable[[Result], object] = lambda _: None
        self.agreed = False

    async def work(self, call: Callable[[], T]) -> T:
        return call()

    def progress(self, step: str) -> None:
        pass

    def tell(self, sentence: str, *, good: bool = True) -> None:
        pass

    def committed(self) -> None:
        self.agreed = True
        self.began()

    async def check(self, verb: Verb, keys: Sequence[AccessKey], look: Look) -> Plan:
        return look(self.progress, lambda: False)

    async def agree(self, plan: Plan) -> Sequence[Planned]:
        self.plans.append(plan)
        return plan.possible

    async def carry_out(self, plan: Plan, work: Work) -> tuple[Result, ...]:
        def told(result: Result) -> None:
            self.told.append(result)
            self.ended(result)

        return work(told, self.left)


def work_on(
    lifecycle: Lifecycle, verb: Verb, keys: Sequence[AccessKey], port: Agreeing | None = None
) -> tuple[Result, ...]:
    """Do to keys all that can be done, whatever the guards say."""
    return run_now(change.change(lifecycle, verb, keys, port or Agreeing()))


def undo(lifecycle: Lifecycle, changes: Sequence[StatusChange]) -> tuple[Result, ...]:
    """Take back changes, whatever the guards say."""
    return run_now(change.undo(lifecycle, changes, Agreeing()))
