"""How keytui is connected to an account: with which profile, and what is known meanwhile."""

import asyncio
from datetime import datetime, timedelta

from keytui.core.errors import KeytuiError, UnreachableError
from keytui.core.parallel import Prefetched
from keytui.session.account import account_of
from keytui.session.context import Context
from keytui.session.inventory import Inventory
from keytui.session.users_cache import KnownUsers
from keytui.tui.services.state import AccountState
from keytui.tui.services.threads import in_thread, look_at
from keytui.tui.widgets.text import ago

CONNECT_SECONDS = 10.0
"""How long the first answer of AWS may take."""
NOT_YET = KeytuiError("AWS has not answered yet.", "Nothing was changed.", "Wait for it.")


class Connection:
    """The account worked on, and the users last seen until AWS has answered.

    Attributes:
        profile: The profile in use; None for the SDK's choice.
        current: The account that is open; None before the first answer of AWS.
        answered: Set once AWS has answered, also with a refusal; not while an account is opened.
        keys_read: Set once the keys of a user were read, or could not be, on this connection.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.profile = ctx.settings.profile
        self.current: AccountState | None = None
        self.answered, self.keys_read = asyncio.Event(), asyncio.Event()
        self._last_seen: tuple[Inventory, str] | None = None
        """The users that an earlier run has kept, and their account."""

    @property
    def account(self) -> AccountState:
        """The account worked on. Raises ``KeytuiError`` before one is open."""
        if self.current:
            return self.current
        if not self.answered.is_set():
            raise NOT_YET
        raise KeytuiError("keytui is not connected.", next_step="r tries again.")

    @property
    def inventory(self) -> Inventory | None:
        """What is known of the users: of an open account, or as last seen."""
        if self.current:
            return self.current.inventory
        return self._last_seen[0] if self._last_seen else None

    async def opened(self) -> AccountState | None:
        """Wait until AWS has answered; None where it refused, of which the screen tells.

        While it is connected to again, the account that is open now may not be the one to come.
        """
        await self.answered.wait()
        return self.current

    def use(self, profile: str) -> None:
        """Forget the account; the next one is another profile's."""
        self.profile, self.current, self._last_seen = profile, None, None
        self.answered.clear()

    def load_last_seen(self) -> None:
        """Take the users that an earlier run has kept, until AWS has answered."""
        self._last_seen = None
        known = self._ctx.cache.load(self.profile)
        if known is not None and known.names:
            seen = Inventory.last_seen(known.names, known.key_ids, known.read_at)
            self._last_seen = seen, known.account

    def begin(self) -> None:
        """Begin to connect; the users known meanwhile are being asked for again."""
        self.answered.clear()
        if self._last_seen:
            self._last_seen[0].stopped = False

    async def open(self, *, ahead: bool = False) -> tuple[bool, str]:
        """Connect; what an earlier connection of the same caller knows is kept.

        Args:
            ahead: Whether to ask for the first users already while AWS says who the caller is.

        Returns:
            Whether the account or its caller is another one than before, and the account whose
            users were last seen, where that is another one; else empty.

        Raises:
            KeytuiError: AWS refused, or gave no answer within ``CONNECT_SECONDS``.
        """
        before = self.current
        try:
            account = await _connect(self._ctx, self.profile, ahead=ahead)
        except KeytuiError:
            self.answered.set()
            raise
        another = before is not None and before.identity.principal != account.identity.principal
        if before and not another:
            account.continue_from(before)
        seen, self._last_seen = self._last_seen, None
        strange = ""
        if seen and seen[1] == account.identity.account:
            account.inventory = seen[0]
        elif seen:
            strange = seen[1]
        self.current = account
        self.answered.set()
        return another, strange

    def keep_users(self, profile: str | None, account: AccountState) -> None:
        """Keep the users of an account that were read whole, with the key IDs seen. Blocks."""
        inventory = account.inventory
        if not inventory.all_read or inventory.last_seen_at:
            return
        names = [user.name for user in inventory.users if not user.is_root]
        found = {name: _key_ids(account, name) for name in names}
        key_ids = {name: ids for name, ids in found.items() if ids}
        known = KnownUsers(account.identity.account, self._ctx.now(), names, key_ids)
        self._ctx.cache.save(profile, known)


async def _connect(ctx: Context, profile: str | None, *, ahead: bool) -> AccountState:
    """Connect. The time that the user takes to type an MFA code does not count."""
    opening = asyncio.ensure_future(_open(ctx, profile, ahead))
    opening.add_done_callback(look_at)
    asked = True
    while asked:
        answered = ctx.mfa.answered
        done, _ = await asyncio.wait([opening], timeout=CONNECT_SECONDS)
        if done:
            return await opening
        asked = ctx.mfa.asking or ctx.mfa.answered != answered
    raise UnreachableError(
        f"AWS did not answer within {CONNECT_SECONDS:.0f} s.",
        "Nothing was changed.",
        "Check the network, the proxy and the endpoint; r tries again.",
    )


async def _open(ctx: Context, profile: str | None, ahead: bool) -> AccountState:
    iam = await in_thread(lambda: ctx.connect(profile))
    pages = Prefetched(iam.users()) if ahead else None
    account = await in_thread(lambda: account_of(ctx, iam, AccountState))
    account.pages = pages
    return account


def _key_ids(account: AccountState, name: str) -> tuple[str, ...]:
    """Return a user's key IDs as they were read last: here, by the audit, or in an earlier run."""
    if known := account.inventory.keys.get(name):
        return tuple(key.id for key in known.keys)
    if account.audit.is_live(name):
        return tuple(row.key.id for row in account.audit.of_user(name))
    return account.inventory.key_ids.get(name, ())


def how_far(inventory: Inventory, now: datetime) -> str:
    """Return how far the users are known, as it stands behind their number."""
    if seen := inventory.last_seen_at:
        since = ago(seen, now) if now - seen >= timedelta(minutes=1) else "a moment ago"
        return f" as of {since}, " + ("not confirmed" if inventory.stopped else "asking AWS…")
    if inventory.all_read:
        return ""
    if inventory.stopped:
        return ", not all read"
    return ", reading…" if inventory.asked else ", r reads all"
