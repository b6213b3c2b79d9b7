"""The account on the screen: its users, their keys, and how they are read."""

import asyncio
from datetime import datetime, timedelta

from textual import on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.reactive import Reactive
from textual.timer import Timer
from textual.widget import Widget

from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, User
from keytui.session.account import Account
from keytui.session.context import Context
from keytui.session.inventory import Inventory
from keytui.session.users_cache import KnownUsers
from keytui.tui.main.flow_runner import StageScreen
from keytui.tui.main.keys import KeysPane
from keytui.tui.main.users import UsersPane, marker
from keytui.tui.widgets.bars import KeyHints, MessageBar, StatusLine, TopBar
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import ago
from keytui.tui.widgets.too_small import TooSmall


def last_seen(ctx: Context, profile: str | None) -> tuple[Inventory, str] | None:
    """Return the users last seen with a profile and their account; None where none are kept."""
    known = ctx.cache.load(profile)
    if known is None or not known.names:
        return None
    return Inventory.last_seen(known.names, known.key_ids, known.read_at), known.account


def standing(inventory: Inventory, now: datetime) -> str:
    """Return how far the users are known, as it stands behind their number."""
    if seen := inventory.last_seen_at:
        since = ago(seen, now) if now - seen >= timedelta(minutes=1) else "a moment ago"
        return f" as of {since}, " + ("not confirmed" if inventory.stopped else "asking AWS…")
    if inventory.all_read:
        return ""
    if inventory.stopped:
        return ", not all read"
    return ", reading…" if inventory.asked else ", r reads all"


def keep(ctx: Context, profile: str | None, account: Account) -> None:
    """Keep the users of an account that were read whole, with the key IDs seen. Blocks."""
    inventory = account.inventory
    if not inventory.all_read or inventory.last_seen_at:
        return
    names = [user.name for user in inventory.users if not user.is_root]
    found = {name: _ids(account, name) for name in names}
    key_ids = {name: ids for name, ids in found.items() if ids}
    known = KnownUsers(account.identity.account, ctx.now(), names, key_ids)
    ctx.cache.save(profile, known)


def _ids(account: Account, name: str) -> tuple[str, ...]:
    """Return a user's key IDs as they were read last: here, by the audit, or in an earlier run."""
    if known := account.inventory.keys.get(name):
        return tuple(key.id for key in known.keys)
    if account.audit.is_live(name):
        return tuple(row.key.id for row in account.audit.of_user(name))
    return account.inventory.key_ids.get(name, ())


NOT_YET = KeytuiError("AWS has not answered yet.", "Nothing was changed.", "Wait for it.")
REST_SECONDS = 0.08
"""How long the cursor rests on a user before their keys are read."""


class AccountScreen(StageScreen):
    """The stage that flows run on: two panes, kept as the account is known."""

    # Textual repaints the whole screen when the focus moves; the panes show it themselves.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, ctx: Context) -> None:
        super().__init__()
        self.ctx = ctx
        self.profile = ctx.settings.profile
        """The profile in use; None for the SDK's choice."""
        self._account: Account | None = None
        self._last_seen: tuple[Inventory, str] | None = None
        """The users an earlier run has kept, and their account; None once AWS has answered."""
        self._answered = asyncio.Event()
        """Whether AWS has answered, be it with a refusal; not so while an account is opened."""
        self._keys_read = asyncio.Event()
        """Whether the keys of a user were read, or could not be, since the last connection."""
        self._moved_away = False
        """Whether the cursor has left a user who is gone, and nobody went to keys since."""
        self._show_deleted = True
        self._locked = False
        self._resting: Timer | None = None

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield TopBar(id="top")
        with Horizontal(id="panes"):
            yield UsersPane(id="users-pane")
            yield KeysPane(self.ctx.settings.limits, id="keys-pane")
        yield MessageBar(id="message")
        yield StatusLine(id="status")
        yield KeyHints(id="hints")
        yield TooSmall()

    def on_resize(self) -> None:
        """Give the focus back after the terminal was too small."""
        if self.focused is None and not self.query_one(TooSmall).display:
            self.set_focus(self.keys.table if self.has_class("-at-keys") else self.users.list)

    @property
    def users(self) -> UsersPane:
        """The left pane."""
        return self.query_one(UsersPane)

    @property
    def keys(self) -> KeysPane:
        """The right pane."""
        return self.query_one(KeysPane)

    # The stage: what flows need (see flows.stage).

    @property
    def account(self) -> Account:
        """The account worked on. Raises ``KeytuiError`` before one is open."""
        if self._account:
            return self._account
        if not self._answered.is_set():
            raise NOT_YET
        raise KeytuiError("keytui is not connected.", next_step="r tries again.")

    async def opened(self) -> Account | None:
        """Wait until AWS has answered; None where it refused, of which the screen tells.

        While it is connected to anew, the account that is open now may not be the one to come.
        """
        await self._answered.wait()
        return self._account

    @property
    def _inventory(self) -> Inventory | None:
        """What is known of the users: of an open account, or as last seen."""
        if self._account:
            return self._account.inventory
        return self._last_seen[0] if self._last_seen else None

    def draw_users(self, keep: User | None = None) -> None:
        """Draw the users anew, as they are known."""
        inventory, account = self._inventory, self._account
        if inventory is None:
            return
        marks, before = marker(account, self.ctx) if account else None, self.users.user
        shown = self.users.show(inventory, keep, _badges(account) if account else {}, marks)
        self.query_one(StatusLine).users(shown + standing(inventory, self.ctx.now()))
        moved = before and before != self.users.user
        if before and moved and inventory.all_read and not inventory.has(before):
            self.say(f"{before.name} does not exist any more.", good=False)
            self.stand_back()

    def stand_back(self) -> None:
        """Take no key for whoever comes under the cursor where the user looked at is gone."""
        self.action_to_users()
        self._moved_away = True

    def draw_keys(self, keep: str = "") -> None:
        """Draw the keys of the highlighted user, with the cursor on one or where it was."""
        account = self._account
        user = self.users.user if account or not self._answered.is_set() else None
        known = account.inventory.keys_of(user) if account and user else None
        pending = account.pending if account else {}
        marks = account.marks if account else {}
        now, deleted = self.ctx.now(), self._show_deleted
        self.keys.show(user, known, now, pending=pending, marks=marks, deleted=deleted, keep=keep)
        self.query_one(StatusLine).marked(len(account.marked) if account else 0)
        self.show_hints()

    def draw_marks(self) -> None:
        """Draw anew which keys are marked, and whose they are."""
        self.draw_users()
        self.draw_keys()

    def reread(self) -> None:
        """Read the keys of the highlighted user again."""
        if user := self.users.user:
            self.read_user(user)

    def go_to(self, key: AccessKey) -> None:
        """Put the cursor on a key that was read just now, and read what else there is to it."""
        if self._resting:
            self._resting.stop()
        self.users.clear_filter()
        with self.prevent(Rows.Highlighted):
            self.draw_users(key.user)
        self.draw_keys(key.id)
        self.action_to_keys()
        self.complete_user(key.user)

    def not_read(self, user: User, error: KeytuiError) -> None:
        """Say beside a user's keys that they could not be read."""
        self.draw_keys()
        self.keys.problem(user, error)

    def draw_unfinished(self) -> None:
        """Show how many creations are open, and which rotations."""
        account = self._account
        rotations = [one.title for one in account.rotations] if account else []
        number = len(account.unfinished) if account else 0
        self.query_one(StatusLine).unfinished(number, rotations)
        if account:
            self.draw_users()
            self.show_hints()

    # Reading.

    @work(exclusive=True, group="keys", description="read a user's keys")
    async def read_user(self, user: User) -> None:
        """Read the keys of the highlighted user."""
        try:
            from keytui.tui.services.reading import read_user

            await read_user(self, user)
        except KeytuiError as error:
            self.not_read(user, error)
        self._keys_read.set()

    @work(exclusive=True, group="keys", description="read the rest about a user's keys")
    async def complete_user(self, user: User) -> None:
        """Read last use and descriptions of keys that are listed already."""
        from keytui.tui.services.reading import complete_user

        await complete_user(self, user)
        self._keys_read.set()

    @on(UsersPane.Highlighted)
    def _user_changed(self) -> None:
        """Read the keys of a user on whom the cursor rests; passing others paints nothing."""
        if self._resting:
            self._resting.stop()
        if (user := self.users.user) and self._account:
            self._resting = self.set_timer(REST_SECONDS, lambda: self.read_user(user))
        else:
            self.draw_keys()

    # What the screen itself says.

    def action_to_keys(self) -> None:
        """Go to the keys."""
        self._moved_away = False
        self.add_class("-at-keys")
        self.set_focus(self.keys.table)

    def action_to_users(self) -> None:
        """Go to the users."""
        self.remove_class("-at-keys")
        self.users.focus_list()

    def show_top(self) -> None:
        """Show who acts, and where."""
        settings, account = self.ctx.settings, self._account
        mfa = account is not None and account.iam.signing_key_id() in self.ctx.mfa.sessions
        modes = [("MFA", mfa), ("DEMO", settings.demo), ("READ-ONLY", settings.read_only)]
        identity = account.identity if account else None
        endpoint = (account.iam.custom_endpoint or "") if account and not settings.demo else ""
        badges = [word for word, shown in modes if shown]
        self.query_one(TopBar).show(identity, self.profile or "", endpoint, badges)

    def show_hints(self) -> None:
        """Show the keys that work now."""
        raise NotImplementedError


def _badges(account: Account) -> dict[str, str]:
    """Return user name → what stands behind it: how far a rotation is, or that keys are marked."""
    badges = {one.user: one.brief for one in account.rotations}
    return badges | dict.fromkeys((user.name for user in account.marks.values()), "✓")
