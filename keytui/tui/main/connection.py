"""How the account comes onto the screen: what was last seen, then AWS's own word."""

import asyncio
from contextlib import suppress

from textual import events, work

from keytui.core.errors import KeytuiError
from keytui.core.key_ids import IdsInText
from keytui.session.account import Account
from keytui.session.context import Context
from keytui.session.inventory import Inventory
from keytui.tui.main.panes import NOT_YET, AccountScreen, keep, last_seen
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.bars import MessageBar, StatusLine


class OpeningScreen(AccountScreen):
    """Connects, and reads what the two panes show."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._wanted = ctx.settings.user
        self._painted = asyncio.Event()

    def on_mount(self) -> None:
        """Show the frame in one painting; all that takes time begins after it."""
        still = self.app.batch_update()
        still.__enter__()
        self.users.focus_list()
        self.users.filter_line.on_value = self.draw_users
        self.say("")
        self.show_top()
        self.show_hints()
        settings = self.ctx.settings
        if settings.user is None and not settings.key_ids:
            self.show_last_seen()
        if wanted := settings.key_ids:
            self.run_first(self._open_at(IdsInText(wanted, settings.broken_ids)))

        def begin() -> None:
            still.__exit__(None, None, None)
            self.call_after_refresh(self._painted.set if wanted else self.connect)

        self.call_after_refresh(begin)

    def on_screen_resume(self) -> None:
        """A keyring that was locked may have been unlocked in a dialog."""
        if self._locked:
            self.look_at_keyring()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Whoever goes to the users wants to see them all."""
        at_users = self.users in event.widget.ancestors
        connected = self._account and self._answered.is_set()
        if at_users and connected and not self.account.inventory.asked:
            self.read_all()  # A connecting under way reads them itself.

    def give_up(self) -> bool:
        """Leave a flow; where that was the opening at a key, open as ever."""
        given_up = super().give_up()
        opening = any(one.group == "account" and one.is_running for one in self.workers)
        if given_up and self._account is None and not opening:
            self.connect()
        return given_up

    def switch_to(self, profile: str) -> None:
        """Work with another profile from now on."""
        self.keep_users()
        self.workers.cancel_group(self, "keys")
        self.say("")  # What was said is of the other profile.
        self.profile, self._account, self._last_seen = profile, None, None
        self._answered.clear()
        self.users.show(Inventory())
        self.show_last_seen()
        self.draw_keys()
        self.show_top()
        self.connect()

    def show_last_seen(self) -> None:
        """Show the users that an earlier run has kept, until AWS has answered."""
        self._last_seen = last_seen(self.ctx, self.profile)
        self.draw_users()

    def keep_users(self) -> None:
        """Keep what is known of the users for the next start. Blocks, for some milliseconds."""
        if self._account:
            keep(self.ctx, self.profile, self._account)

    @work(exclusive=True, group="account", description="read the account")
    async def connect(self) -> None:
        """Connect and read the users."""
        self.workers.cancel_group(self, "report")
        self._keys_read.clear()
        try:
            account = await self._open_account(ahead=True)
            await self._open_wanted(account)
            if account.inventory.users:
                self._user_changed()  # Their keys are read beside the users.
            from keytui.tui.services.reading import read_users

            await read_users(self, account)
            self.look_around()
            self.look_further()
        except KeytuiError as error:
            self._not_all_read(error)
        self.look_at_keyring()

    @work(exclusive=True, group="account", description="read the users")
    async def read_all(self) -> None:
        """Read the users, of whom only one was looked for so far."""
        try:
            from keytui.tui.services.reading import read_users

            await read_users(self, self.account)
            self.look_further()
        except KeytuiError as error:
            self._not_all_read(error)

    async def _open_account(self, *, ahead: bool = False) -> Account:
        before = self._account
        self._answered.clear()
        if self._last_seen:
            self._last_seen[0].stopped = False
            self.draw_users()
        else:
            self.query_one(StatusLine).users("connecting…")
        try:
            from keytui.tui.services.reading import connect

            account = await connect(self, self.profile, ahead=ahead)
        except KeytuiError:
            self._answered.set()
            raise
        if before and before.identity.principal == account.identity.principal:
            account.continue_from(before)
        elif before:
            self.stand_back()
        self._take_last_seen(account)
        self._account = account
        self._answered.set()
        self.query_one(MessageBar).take_back(NOT_YET)
        self.show_top()
        return account

    def _take_last_seen(self, account: Account) -> None:
        """Let the users last seen stand until they are all read, if they are of this account."""
        seen, self._last_seen = self._last_seen, None
        if seen and seen[1] == account.identity.account:
            account.inventory = seen[0]
        elif seen:
            self.users.show(Inventory())
            self.stand_back()
            self.say(f"The users last seen were of another account, {seen[1]}.", good=False)

    async def _open_wanted(self, account: Account) -> None:
        name, self._wanted = self._wanted, None
        if name is None:
            return
        try:
            from keytui.tui.services.reading import open_user

            self.draw_users(await open_user(account, name))
            self.action_to_keys()
        except KeytuiError as error:
            self.problem(error)

    async def _open_at(self, named: IdsInText) -> None:
        """Open at a key without reading the account: this is for a leaked one."""
        await self._painted.wait()
        try:
            await self._open_account()
            self.draw_users()
            from keytui.tui.keys.find import find

            await find(self, named)
            self.look_around()
        except KeytuiError as error:
            self._not_all_read(error)
        self.look_at_keyring()

    def _not_all_read(self, error: KeytuiError) -> None:
        self.problem(error)
        inventory = self._inventory
        if inventory is None:
            self.query_one(StatusLine).users("not connected")
        elif inventory.asked or inventory.last_seen_at:
            inventory.stopped = True
            self.draw_users()
        if self._account is None:
            self.draw_keys()

    @work(exclusive=True, group="report", description="read the credential report")
    async def look_further(self) -> None:
        """Keep the users for the next start; read what AWS says of all their keys.

        Both wait until the keys that one looks at are here.
        """
        await self._keys_read.wait()
        if account := self._account:
            profile = self.profile  # Another may be chosen meanwhile.
            await in_thread(lambda: keep(self.ctx, profile, account))
        with suppress(KeytuiError):  # Another profile may have been chosen meanwhile.
            from keytui.tui.audit.flow import look_at_report

            await look_at_report(self)

    @work(exclusive=True, group="keyring", description="look at the keyring")
    async def look_at_keyring(self) -> None:
        """Show which keyring is in use."""
        probe = await in_thread(lambda: self.ctx.keyring.probe(canary=False))
        self._locked = probe.can_be_unlocked
        self.query_one(StatusLine).keyring(probe)
        self.show_hints()

    @work(exclusive=True, group="recovery", description="look into unfinished creations")
    async def look_around(self) -> None:
        """Say what became of creations that were cut short."""
        try:
            from keytui.tui.keys.recover import look_around

            await look_around(self)
        except KeytuiError as error:
            self.problem(error)
