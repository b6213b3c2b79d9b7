"""Keys read live, user by user, at a pace that AWS bears. Blocks."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from keytui.audit.matching import joined
from keytui.audit.pace import AT_ONCE, Pace
from keytui.core.errors import AwsError, KeytuiError, NotFoundError, UnreachableError
from keytui.core.iam import Iam
from keytui.core.model import AccessKey, User
from keytui.core.parallel import in_parallel

UNANSWERED = 2
"""How often a call is made again that AWS has not answered."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Checked:
    """What AWS said of one user.

    Attributes:
        user: The user.
        keys: Their keys with ``last_used``, oldest first; empty also where the user is gone.
        read_at: When they were read.
        gone: Whether the user is gone.
        mfa: Whether they have an MFA device; None where that was not asked, or may not be.
        error: Why the keys could not be read; None where they were.
        note: What could not be read besides, such as the last use; None if all was.
    """

    user: User
    keys: tuple[AccessKey, ...]
    read_at: datetime
    gone: bool = False
    mfa: bool | None = None
    error: KeytuiError | None = None
    note: KeytuiError | None = None


def check(
    iam: Iam,
    users: Sequence[User],
    pace: Pace,
    now: Callable[[], datetime],
    reported: Callable[[User], Sequence[AccessKey]] = lambda _: (),
    *,
    mfa: bool = False,
    left: Callable[[], bool] = lambda: False,
) -> Iterator[Checked]:
    """Read the keys of some users, and yield each as it comes.

    Args:
        iam: The account.
        users: Whose keys. The root user's are listed only where the caller is root; otherwise
            they are left out, since AWS would list the caller's own.
        pace: How fast.
        now: The clock, aware.
        reported: A user's keys as the report has them. Where it is certain which is which, the
            last use is the report's; else AWS is asked.
        mfa: Whether to ask for MFA devices too.
        left: Says that nobody waits any more: no further call is made.
    """
    checker = _Checker(iam.sending_once(), pace, now, left)
    root = iam.identity().is_root
    wanted = [user for user in users if root or not user.is_root]
    works = in_parallel(
        wanted, lambda user: checker.check(user, reported(user), mfa), AT_ONCE, left
    )
    for _, checked in works:
        if not ((checked.error or checked.note) and left()):
            yield checked  # What was cut short is not told: it says nothing of AWS.


@dataclass(frozen=True, slots=True)
class _Checker:
    iam: Iam
    pace: Pace
    now: Callable[[], datetime]
    left: Callable[[], bool]

    def check(self, user: User, reported: Sequence[AccessKey], mfa: bool) -> Checked:
        read_at = self.now()
        try:
            listed = self._ask(lambda: self.iam.keys(user))
        except NotFoundError:
            return Checked(user, (), read_at, gone=True)
        except AwsError as error:
            return Checked(user, (), read_at, error=error)
        checked = self._with_last_use(Checked(user, joined(listed, reported), read_at))
        return self._with_mfa(checked) if mfa else checked

    def _with_last_use(self, checked: Checked) -> Checked:
        keys, note = list(checked.keys), checked.note
        for index, key in enumerate(keys):
            if key.last_used is not None:
                continue
            try:
                used = self._ask(partial(self.iam.last_used, key.id))
            except NotFoundError:
                continue  # Deleted since it was listed: that shows when it is read again.
            except AwsError as error:
                note = error
                break
            keys[index] = replace(key, last_used=used)
        return replace(checked, keys=tuple(keys), note=note)

    def _with_mfa(self, checked: Checked) -> Checked:
        try:
            return replace(checked, mfa=self._ask(lambda: self.iam.has_mfa(checked.user)))
        except AwsError as error:
            return replace(checked, note=checked.note or error)

    def _ask(self, call: Callable[[], T]) -> T:
        for _ in range(UNANSWERED):
            with suppress(UnreachableError):
                return self.pace.ask(call, self.left)
        return self.pace.ask(call, self.left)
