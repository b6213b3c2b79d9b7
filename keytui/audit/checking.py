"""Keys read live, user by user, at a pace that AWS bears. Blocks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from keytui.audit.pace import Pace
from keytui.errors import KeytuiError
from keytui.model import AccessKey, User
from keytui.ports import Iam

AT_ONCE = 8
"""How many calls are under way at the same time, at most."""


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
        users: Whose keys.
        pace: How fast.
        now: The clock, aware.
        reported: A user's keys as the report has them. Where it is certain which is which, the
            last use is the report's; else AWS is asked.
        mfa: Whether to ask for MFA devices too.
        left: Says that nobody waits any more: no further call is made.
    """
    raise NotImplementedError
