"""The main screen: users at the left, the keys of the highlighted one at the right."""

from collections.abc import Callable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.reactive import Reactive
from textual.timer import Timer
from textual.widget import Widget

from keytui.errors import KeytuiError
from keytui.inventory import Inventory
from keytui.model import AccessKey, KeyStatus, Secret, User
from keytui.parts import Parts
from keytui.ui.account import Account
from keytui.ui.copier import copier
from keytui.ui.flows import create, delete, history, read, recover, status, unlock
from keytui.ui.screens.help import HelpScreen
from keytui.ui.screens.stage_screen import Flow, StageScreen
from keytui.ui.screens.unlock import can_unlock
from keytui.ui.text import count
from keytui.ui.threads import in_thread
from keytui.ui.widgets.bars import KeyHints, MessageBar, StatusLine, TopBar
from keytui.ui.widgets.keys_pane import KeysPane
from keytui.ui.widgets.too_small import TooSmall
from keytui.ui.widgets.users_pane import UsersPane

REST_SECONDS = 0.08
"""How long the cursor rests on a user before their keys are read."""


class MainScreen(StageScreen):
    """Pick a user, see the keys, work them. It is the stage that flows run on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "create", "Create", tooltip="Create an access key"),
        Binding("d", "deactivate", "Make inactive", tooltip="Make the key inactive"),
        Binding("a", "activate", "Make active", tooltip="Make the key active"),
        Binding("x", "delete", "Delete", tooltip="Delete the key, an inactive one"),
        Binding("u", "undo", "Undo", tooltip="Undo the last change of status"),
        # Priority, so that what is typed right after it goes into the filter.
        Binding(
            "slash", "filter", "Filter", key_display="/", tooltip="Filter the users", priority=True
        ),
        Binding("y", "copy", "Copy ID", tooltip="Send the access key ID to the clipboard"),
        Binding("r", "refresh", "Refresh", tooltip="Read users and keys again"),
        Binding("H", "history", "History", tooltip="Show what keytui did, unfinished first"),
        Binding("V", "vault", "Vault", tooltip="Show the secrets that the keyring holds"),
        Binding("K", "unlock", "Unlock", tooltip="Unlock the keyring, or make one"),
        Binding("P", "profile", "Profile", tooltip="Switch to another AWS profile"),
        Binding(
            "full_stop", "deleted", "Deleted", key_display=".", tooltip="Hide or show deleted keys"
        ),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="List the keys"),
        Binding("q", "quit", "Quit", tooltip="Leave keytui"),
        Binding("tab", "switch_pane", show=False),
        Binding("right,l", "to_keys", show=False),
        Binding("left,h", "to_users", show=False),
        Binding("escape", "back", show=False),
    ]

    # Textual repaints the whole screen when the focus moves; the panes show it themselves.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.parts = parts
        self.profile = parts.settings.profile
        """The profile in use; None for the SDK's choice."""
        self._account: Account | None = None
        self._show_deleted = True
        self._locked = False
        self._resting: Timer | None = None
        self._wanted = parts.settings.user

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield TopBar(id="top")
        with Horizontal(id="panes"):
            yield UsersPane(id="users-pane")
            yield KeysPane(id="keys-pane")
        yield MessageBar(id="message")
        yield StatusLine(id="status")
        yield KeyHints(id="hints")
        yield TooSmall()

    def on_mount(self) -> None:
        """Show the frame in one painting; all that takes time begins after it."""
        still = self.app.batch_update()
        still.__enter__()
        self.users.focus_list()
        self.say("")
        self._show_top()
        self._show_hints()

        def begin() -> None:
            still.__exit__(None, None, None)
            self.call_after_refresh(self.connect)

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

    def say(self, text: str, good: bool = True) -> None:
        """Show a sentence; an empty one clears it."""
        self.query_one(MessageBar).say(text, good)

    def problem(self, error: KeytuiError) -> None:
        """Show what went wrong."""
        self.query_one(MessageBar).problem(error)

    def draw_users(self, keep: User | None = None) -> None:
        """Draw the users anew, as they are known."""
        words = self.users.show(self.account.inventory, keep)
        self.query_one(StatusLine).users(words)

    def draw_keys(self) -> None:
        """Draw the keys of the highlighted user, as they are known."""
        user, account = self.users.user, self._account
        known = account.inventory.keys_of(user) if account and user else None
        pending = account.pending if account else {}
        now, deleted = self.parts.now(), self._show_deleted
        self.keys.show(user, known, now, pending=pending, deleted=deleted)
        self._show_hints()

    def not_read(self, user: User, error: KeytuiError) -> None:
        """Say beside a user's keys that they could not be read."""
        self.draw_keys()
        self.keys.problem(user, error)

    def draw_unfinished(self) -> None:
        """Show how many creations are open."""
        unfinished = len(self._account.unfinished) if self._account else 0
        self.query_one(StatusLine).unfinished(unfinished)

    # Reading.

    @work(exclusive=True, group="account", description="read the account")
    async def connect(self) -> None:
        """Connect and read the users."""
        status_line, before = self.query_one(StatusLine), self._account
        status_line.users("connecting…")
        try:
            account = await read.connect(self, self.profile)
            if before and before.identity == account.identity:
                account.continue_from(before)
            self._account = account
            self._show_top()
            await self._open_wanted(account)
            await read.read_users(self, account)
            self._user_changed()
            self.look_around()
        except KeytuiError as error:
            self.problem(error)
            known = len(self._account.inventory.users) if self._account else 0
            status_line.users(f"{count(known, 'user')}, not all read" if known else "not connected")
        self.look_at_keyring()

    async def _open_wanted(self, account: Account) -> None:
        name, self._wanted = self._wanted, None
        if name is None:
            return
        try:
            self.draw_users(await read.open_user(account, name))
            self.action_to_keys()
        except KeytuiError as error:
            self.problem(error)

    @work(exclusive=True, group="keyring", description="look at the keyring")
    async def look_at_keyring(self) -> None:
        """Show which keyring is in use."""
        probe = await in_thread(lambda: self.parts.keyring.probe(canary=False))
        self._locked = can_unlock(probe)
        self.query_one(StatusLine).keyring(probe)
        self._show_hints()

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

    @on(UsersPane.Highlighted)
    def _user_changed(self) -> None:
        """Read the keys of a user on whom the cursor rests; passing others paints nothing."""
        if self._resting:
            self._resting.stop()
        if user := self.users.user:
            self._resting = self.set_timer(REST_SECONDS, lambda: self.read_user(user))
        else:
            self.draw_keys()

    @on(UsersPane.Filtered)
    def _filter_changed(self) -> None:
        if self._account:
            self.draw_users()

    # Moving.

    @on(UsersPane.Chosen)
    def action_to_keys(self) -> None:
        """Go to the keys."""
        self.add_class("-at-keys")
        self.set_focus(self.keys.table)

    def action_to_users(self) -> None:
        """Go to the users."""
        self.remove_class("-at-keys")
        self.users.focus_list()

    def action_switch_pane(self) -> None:
        """Go to the other pane."""
        if self.keys.table.has_focus:
            self.action_to_users()
        else:
            self.action_to_keys()

    def action_back(self) -> None:
        """Go back to the users, clear the filter, or clear the message."""
        if self.keys.table.has_focus:
            self.action_to_users()
        elif not self.users.back():
            self.say("")

    def action_filter(self) -> None:
        """Type a filter."""
        self.remove_class("-at-keys")
        self.set_focus(self.users.filter_line)

    # The verbs: one handler for the key, the click and the palette.

    def action_create(self) -> None:
        """Create a key for the highlighted user."""
        if user := self.users.user:
            self.run(create.create(self, user))

    def action_deactivate(self, key_id: str = "") -> None:
        """Make a key inactive."""
        self._for_key(status.deactivate, key_id)

    def action_activate(self, key_id: str = "") -> None:
        """Make a key active."""
        self._for_key(status.activate, key_id)

    def action_delete(self, key_id: str = "") -> None:
        """Delete a key."""
        self._for_key(delete.delete, key_id)

    def action_undo(self) -> None:
        """Undo the last change of status."""
        self.run(status.undo(self))

    @work(description="send an access key ID to the clipboard")
    async def action_copy(self) -> None:
        """Send the access key ID to the clipboard."""
        if key := self._key_shown():
            sent = await copier(self.app).send(Secret(key.id), secret=False)
            note = "" if sent.sent else f" {sent.note[0].upper()}{sent.note[1:]}"
            self.say(f"{key.id} was {sent.done}.{note}", good=sent.sent)

    def action_refresh(self) -> None:
        """Read everything anew."""
        self.say("")
        self.connect()

    def action_deleted(self) -> None:
        """Show or hide deleted keys."""
        self._show_deleted = not self._show_deleted
        self.say("Deleted keys are " + ("shown." if self._show_deleted else "hidden."))
        self.draw_keys()

    def action_profile(self) -> None:
        """Switch to another AWS profile."""
        self.run(self._switch_profile())

    async def _switch_profile(self) -> None:
        if chosen := await read.choose_profile(self):
            self.profile, self._account = chosen, None
            self.users.show(Inventory())
            self.draw_keys()
            self._show_top()
            self.connect()

    def action_history(self) -> None:
        """Show what keytui did."""
        self.run(history.show_history(self))

    def action_vault(self) -> None:
        """Show the secrets that the keyring holds."""
        from keytui.ui.flows import vault  # Not needed on the way to the first frame.

        self.run(vault.show_vault(self))

    def action_unlock(self) -> None:
        """Unlock the keyring."""
        self.run(self._unlock())

    async def _unlock(self) -> None:
        await unlock.unlock(self, self.parts.keyring)
        self.look_at_keyring()

    def action_help(self) -> None:
        """List the keys that work here."""
        self.app.push_screen(HelpScreen(self.own_bindings()))

    async def action_quit(self) -> None:
        """Leave keytui."""
        await self.app.action_quit()

    def _key_shown(self, key_id: str = "") -> AccessKey | None:
        """Return the key clicked, or the one under the cursor.

        None, and a word about it, while the keys shown are still those of the user before.
        """
        key, user = self.keys.find(key_id) or self.keys.key, self.users.user
        if key and (user is None or key.user.name != user.name):
            self.say("The keys of this user are still being read.", good=False)
            return None
        return key

    def _for_key(self, flow: Callable[["MainScreen", AccessKey], Flow], key_id: str) -> None:
        """Run a flow on the key clicked, or on the one under the cursor.

        From the list of users the cursor in the table is not what one looks at: where a user
        has several keys, or the table is hidden, the first press only goes there.
        """
        key = self._key_shown(key_id)
        if key is None or self._account is None or key.id in self._account.pending:
            return
        seen = self.keys.table.has_focus or (self.keys.display and self.keys.live == 1)
        if not key_id and not seen:
            self.action_to_keys()
            self.say("Which key? Press it again on the one you mean.", good=False)
            return
        self.run(flow(self, key))

    # The bars.

    def own_bindings(self) -> list[Binding]:
        """Return this screen's bindings that are shown to users."""
        return [b for b in self.BINDINGS if isinstance(b, Binding) and b.show]

    def _show_top(self) -> None:
        settings, account = self.parts.settings, self._account
        modes = [("DEMO", settings.demo), ("READ-ONLY", settings.read_only)]
        identity = account.identity if account else None
        endpoint = (account.iam.custom_endpoint or "") if account and not settings.demo else ""
        badges = [word for word, shown in modes if shown]
        self.query_one(TopBar).show(identity, self.profile or "", endpoint, badges)

    @on(KeysPane.Highlighted)
    def _show_hints(self) -> None:
        hints = [b for b in self.own_bindings() if self._works(b.action)]
        self.query_one(KeyHints).show(hints)

    def _works(self, action: str) -> bool:
        """Return whether a key does something now; read-only mode itself is in lifecycle."""
        key, settings = self.keys.key, self.parts.settings
        works = {
            "create": self.users.user is not None,
            "deactivate": key is not None and key.status is KeyStatus.ACTIVE,
            "activate": key is not None and key.status is KeyStatus.INACTIVE,
            "delete": key is not None and key.status is not KeyStatus.DELETED,
            "undo": bool(self._account and self._account.changes),
        }
        if action in works:
            return works[action] and not settings.read_only
        others = {"profile": not settings.demo, "copy": key is not None, "unlock": self._locked}
        return others.get(action, True)
