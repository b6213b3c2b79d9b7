"""The account on the screen: its users, their keys, and how they are read."""

import asyncio

from textual import events, on, work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.reactive import Reactive
from textual.timer import Timer
from textual.widget import Widget

from keytui.errors import KeytuiError
from keytui.inventory import Inventory
from keytui.model import AccessKey, User
from keytui.parts import Parts
from keytui.ui.account import Account
from keytui.ui.flows import find, read, recover
from keytui.ui.known_users import keep, last_seen
from keytui.ui.markers import marker
from keytui.ui.screens.stage_screen import StageScreen
from keytui.ui.screens.unlock import can_unlock
from keytui.ui.text import count
from keytui.ui.threads import in_thread
from keytui.ui.widgets.bars import KeyHints, MessageBar, StatusLine, TopBar
from keytui.ui.widgets.keys_pane import KeysPane
from keytui.ui.widgets.rows import Rows
from keytui.ui.widgets.too_small import TooSmall
from keytui.ui.widgets.users_pane import UsersPane

REST_SECONDS = 0.08
"""How long the cursor rests on a user before their keys are read."""


class AccountScreen(StageScreen):
    """The stage that flows run on: two panes, kept as the account is known."""

    # Textual repaints the whole screen when the focus moves; the panes show it themselves.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.parts = parts
        self.profile = parts.settings.profile
        """The profile in use; None for the SDK's choice."""
        self._account: Account | None = None
        self._last_seen: tuple[Inventory, str] | None = None
        """The users an earlier run has kept, and their account; None once AWS has answered."""
        self._show_deleted = True
        self._locked = False
        self._resting: Timer | None = None
        self._wanted = parts.settings.user
        self._painted = asyncio.Event()

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield TopBar(id="top")
        with Horizontal(id="panes"):
            yield UsersPane(id="users-pane")
            yield KeysPane(self.parts.settings.limits, id="keys-pane")
        yield MessageBar(id="message")
        yield StatusLine(id="status")
        yield KeyHints(id="hints")
        yield TooSmall()

    def on_mount(self) -> None:
        """Show the frame in one painting; all that takes time begins after it."""
        still = self.app.batch_update()
        still.__enter__()
        self.users.focus_list()
        self.users.filter_line.on_value = self._filter_changed
        self.say("")
        self.show_top()
        self.show_hints()
        self.show_last_seen()
        if wanted := self.parts.settings.key_ids:
            self.run_first(self._open_at(wanted))

        def begin() -> None:
            still.__exit__(None, None, None)
            self.call_after_refresh(self._painted.set if wanted else self.connect)

        self.call_after_refresh(begin)

    def on_resize(self) -> None:
        """Give the focus back after the terminal was too small."""
        if self.focused is None and not self.query_one(TooSmall).display:
            self.set_focus(self.keys.table if self.has_class("-at-keys") else self.users.list)

    def on_screen_resume(self) -> None:
        """A keyring that was locked may have been unlocked in a dialog."""
        if self._locked:
            self.look_at_keyring()

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
        if self._account is None:
            raise KeytuiError("keytui is not connected.", next_step="r tries again.")
        return self._account

    def draw_users(self, keep: User | None = None) -> None:
        """Draw the users anew, as they are known."""
        account = self.account
        badges = {one.user: one.brief for one in account.rotations}
        badges |= dict.fromkeys((user.name for user in account.marks.values()), "✓")
        marks = marker(account, self.parts)
        self.query_one(StatusLine).users(self.users.show(account.inventory, keep, badges, marks))

    def show_last_seen(self) -> None:
        """Show the users that an earlier run has kept, until AWS has answered."""
        settings = self.parts.settings
        if settings.user is None and not settings.key_ids:
            self._last_seen = last_seen(self.parts, self.profile)
        self._draw_last_seen()

    def _draw_last_seen(self) -> None:
        if self._last_seen:
            self.query_one(StatusLine).users(self.users.show(self._last_seen[0]))

    def draw_keys(self, keep: str = "") -> None:
        """Draw the keys of the highlighted user, with the cursor on one or where it was."""
        user, account = self.users.user, self._account
        known = account.inventory.keys_of(user) if account and user else None
        pending = account.pending if account else {}
        marks = account.marks if account else {}
        now, deleted = self.parts.now(), self._show_deleted
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

    @work(exclusive=True, group="account", description="read the account")
    async def connect(self) -> None:
        """Connect and read the users."""
        try:
            account = await self._open_account()
            await self._open_wanted(account)
            if account.inventory.last_seen_at:
                self._user_changed()
            await read.read_users(self, account)
            self._user_changed()
            self.look_around()
            self.look_at_report()
            await in_thread(lambda: keep(self.parts, self.profile, account))
        except KeytuiError as error:
            self._not_all_read(error)
        self.look_at_keyring()

    @work(exclusive=True, group="account", description="read the users")
    async def read_all(self) -> None:
        """Read the users, of whom only one was looked for so far."""
        try:
            await read.read_users(self, self.account)
        except KeytuiError as error:
            self._not_all_read(error)

    async def _open_account(self) -> Account:
        before = self._account
        if not self._last_seen:
            self.query_one(StatusLine).users("connecting…")
        account = await read.connect(self, self.profile)
        if before and before.identity == account.identity:
            account.continue_from(before)
        seen, self._last_seen = self._last_seen, None
        if seen and seen[1] == account.identity.account:
            account.inventory = seen[0]
        elif seen:
            self.users.show(Inventory())
            self.say("Another account than last time: its users are being read.", good=False)
        self._account = account
        self.show_top()
        return account

    async def _open_wanted(self, account: Account) -> None:
        name, self._wanted = self._wanted, None
        if name is None:
            return
        try:
            self.draw_users(await read.open_user(account, name))
            self.action_to_keys()
        except KeytuiError as error:
            self.problem(error)

    async def _open_at(self, key_ids: tuple[str, ...]) -> None:
        """Open at a key without reading the account: this is for a leaked one."""
        await self._painted.wait()
        try:
            await self._open_account()
            self.draw_users()
            await find.find(self, key_ids)
            self.look_around()
        except KeytuiError as error:
            self._not_all_read(error)
        self.look_at_keyring()

    def give_up(self) -> bool:
        """Leave a flow; where that was the opening at a key, open as ever."""
        given_up = super().give_up()
        if given_up and self._account is None:
            self.connect()
        return given_up

    def _not_all_read(self, error: KeytuiError) -> None:
        self.problem(error)
        if self._last_seen:
            known = count(len(self._last_seen[0].users), "user")
            self.query_one(StatusLine).users(f"{known} as last seen, not connected")
        elif self._account is None:
            self.query_one(StatusLine).users("not connected")
        elif self._account.inventory.asked:
            known = count(len(self._account.inventory.users), "user")
            self.query_one(StatusLine).users(f"{known}, not all read")

    @work(exclusive=True, group="keyring", description="look at the keyring")
    async def look_at_keyring(self) -> None:
        """Show which keyring is in use."""
        probe = await in_thread(lambda: self.parts.keyring.probe(canary=False))
        self._locked = can_unlock(probe)
        self.query_one(StatusLine).keyring(probe)
        self.show_hints()

    @work(exclusive=True, group="report", description="read the credential report")
    async def look_at_report(self) -> None:
        """Read what AWS says of all users' keys, for the markers beside the users."""
        from keytui.ui.flows import audit  # Not needed on the way to the first frame.

        await audit.look_at_report(self)

    @work(exclusive=True, group="recovery", description="look into unfinished creations")
    async def look_around(self) -> None:
        """Say what became of creations that were cut short."""
        try:
            await recover.look_around(self)
        except KeytuiError as error:
            self.problem(error)

    @work(exclusive=True, group="keys", description="read a user's keys")
    async def read_user(self, user: User) -> None:
        """Read the keys of the highlighted user."""
        try:
            await read.read_user(self, user)
        except KeytuiError as error:
            self.not_read(user, error)

    @work(exclusive=True, group="keys", description="read the rest about a user's keys")
    async def complete_user(self, user: User) -> None:
        """Read last use and descriptions of keys that are listed already."""
        await read.complete_user(self, user)

    @on(UsersPane.Highlighted)
    def _user_changed(self) -> None:
        """Read the keys of a user on whom the cursor rests; passing others paints nothing."""
        if self._resting:
            self._resting.stop()
        if (user := self.users.user) and self._account:
            self._resting = self.set_timer(REST_SECONDS, lambda: self.read_user(user))
        else:
            self.draw_keys()

    def _filter_changed(self) -> None:
        if self._account:
            self.draw_users()
        else:
            self._draw_last_seen()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Whoever goes to the users wants to see them all."""
        at_users = self.users in event.widget.ancestors
        if at_users and self._account and not self._account.inventory.asked:
            self.read_all()

    # What the screen itself says.

    def action_to_keys(self) -> None:
        """Go to the keys."""
        self.add_class("-at-keys")
        self.set_focus(self.keys.table)

    def show_top(self) -> None:
        """Show who acts, and where."""
        settings, account = self.parts.settings, self._account
        mfa = account is not None and account.iam.signing_key_id() in self.parts.mfa.sessions
        modes = [("MFA", mfa), ("DEMO", settings.demo), ("READ-ONLY", settings.read_only)]
        identity = account.identity if account else None
        endpoint = (account.iam.custom_endpoint or "") if account and not settings.demo else ""
        badges = [word for word, shown in modes if shown]
        self.query_one(TopBar).show(identity, self.profile or "", endpoint, badges)

    def show_hints(self) -> None:
        """Show the keys that work now."""
        raise NotImplementedError
