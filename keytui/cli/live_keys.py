"""Users' keys read live for a command: at AWS's pace, with a meter, each user once."""

from collections.abc import Callable, Iterator, Sequence

from keytui.audit.live import Checked, check
from keytui.cli.console import progress
from keytui.cli.meter import Meter
from keytui.core.errors import KeytuiError, ThrottledError
from keytui.core.model import ROOT_USER, AccessKey, User
from keytui.session.account import Account
from keytui.session.context import Context
from keytui.session.inventory import Inventory


def all_users(account: Account) -> Sequence[User]:
    """Return the account's users by name; the root user first where it is the caller.

    Raises:
        AccessDeniedError: They may not be listed.
        AwsError: They can't be.
    """
    progress("Reading users")
    inventory = Inventory()
    inventory.add([ROOT_USER] if account.identity.is_root else [])
    inventory.add([user for page in account.iam.users() for user in page])
    return inventory.users


TRIALS = 8
"""After so many refusals and not one answer nobody else is asked about; nor after so many
users in a row for whom AWS had no time, each at the slowest pace."""
_BUSY = ThrottledError("AWS went on asking for fewer calls.", next_step="Try again later.")


def checked(
    account: Account,
    ctx: Context,
    users: Sequence[User],
    reported: Callable[[User], Sequence[AccessKey]] = lambda _: (),
    *,
    mfa: bool = False,
) -> Iterator[Checked]:
    """Read some users' keys, and yield each user once, as the answers come.

    Those that AWS had no time for are asked about again, while that leads on. Where it can't
    be done at all, the rest is yielded with the error of those that were tried.
    """
    refused, waiting, pace = Refused(), list(users), account.pace
    with Meter("users", len(waiting), ctx.wait.clock) as meter:
        while waiting:
            done: set[str] = set()
            for one in check(
                account.iam, waiting, pace, ctx.now, reported, mfa=mfa, left=refused.all_along
            ):
                refused.note(one.error)
                if not isinstance(one.error, ThrottledError):
                    done.add(one.user.name)
                    slowed = ", as AWS asks for fewer" if pace.slowed else ""
                    meter.went_on(f"{pace.rate:.0f} calls a second{slowed}")
                    yield one
            waiting = [user for user in waiting if user.name not in done]
            if not done:
                break
    for user in waiting:
        yield Checked(user, (), ctx.now(), error=refused.why)


def unread(errors: dict[str, list[str]]) -> Iterator[str]:
    """Yield a sentence for each reason why users' keys could not be read.

    Args:
        errors: The reason → the users' names.
    """
    for reason, names in errors.items():
        others = len(names) - 1
        more = f" and {others:,} other user{'s' if others > 1 else ''}" if others else ""
        yield f"The keys of {names[0]}{more} could not be read. {reason}"


class Refused:
    """Whether it is of no use to go on, and why."""

    def __init__(self) -> None:
        self.why: KeytuiError = _BUSY
        self._errors = 0
        self._answers = 0
        self._throttled = 0

    def note(self, error: KeytuiError | None) -> None:
        """Note what came of one."""
        if self.all_along():
            return  # It was cut short by that.
        if isinstance(error, ThrottledError):
            self._throttled += 1
            self.why = _BUSY
            return
        self._throttled = 0
        if error:
            self._errors += 1
            self.why = error
        else:
            self._answers += 1

    def all_along(self) -> bool:
        """Return whether it is of no use to go on."""
        return self._throttled >= TRIALS or (self._errors >= TRIALS and not self._answers)
