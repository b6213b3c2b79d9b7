"""Users' keys read live for a command, with a meter."""

from collections.abc import Callable, Iterator, Sequence

from keytui.audit.live import read_live
from keytui.audit.rows import UserKeys
from keytui.cli.console import Meter
from keytui.core.model import AccessKey, User
from keytui.session.account import Account
from keytui.session.context import Context


def live_keys(
    account: Account,
    ctx: Context,
    users: Sequence[User],
    reported: Callable[[User], Sequence[AccessKey]] = lambda _: (),
    *,
    mfa: bool = False,
    descriptions: bool = False,
) -> Iterator[UserKeys]:
    """Read some users' keys, and yield each user once, as the answers come."""
    pace = account.pace
    wanted = [user for user in users if account.identity.is_root or not user.is_root]
    found = read_live(
        account.iam, wanted, pace, ctx.now, reported, mfa=mfa, descriptions=descriptions
    )
    with Meter("users", len(wanted), ctx.wait.clock) as meter:
        for one in found:
            slowed = ", as AWS asks for fewer" if pace.slowed else ""
            meter.went_on(f"{pace.rate:.0f} calls a second{slowed}")
            yield one


class Unread:
    """What could not be read, by its reason."""

    def __init__(self) -> None:
        self.users: dict[str, list[str]] = {}
        """Why users' keys could not be read → the users' names."""
        self._notes: dict[str, None] = {}

    def note(self, one: UserKeys) -> None:
        """Note what is missing of a user."""
        if one.error:
            self.users.setdefault(str(one.error), []).append(one.user.name)
        self._notes |= dict.fromkeys(map(str, one.notes))

    def sentences(self) -> Iterator[str]:
        """Yield a sentence for each reason."""
        for reason, names in self.users.items():
            others = len(names) - 1
            more = f" and {others:,} other user{'s' if others > 1 else ''}" if others else ""
            yield f"The keys of {names[0]}{more} could not be read. {reason}"
        yield from self._notes
