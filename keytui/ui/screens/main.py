"""The main screen: users at the left, the keys of the highlighted one at the right."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

from rich.text import Text
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen, Screen
from textual.timer import Timer
from textual.widgets import Static

from keytui.errors import AccessDeniedError, KeytuiError, UnreachableError
from keytui.inventory import KeyList
from keytui.lifecycle import Custody
from keytui.model import ROOT_USER, AccessKey, KeyStatus, User
from keytui.parts import Parts
from keytui.ui.account import Account, complete_keys, open_account, read_keys
from keytui.ui.flows import create, delete, status
from keytui.ui.screens.dialogs import ChoiceScreen
from keytui.ui.screens.help import HelpScreen
from keytui.ui.text import WARNS, ago, count, plain
from keytui.ui.threads import in_thread
from keytui.ui.widgets.bars import KeyHints, MessageBar, StatusLine, TopBar
from keytui.ui.widgets.key_detail import KeyDetail
from keytui.ui.widgets.key_table import KeyTable
from keytui.ui.widgets.line_input import LineInput
from keytui.ui.widgets.rows import Rows
from keytui.ui.widgets.user_list import UserList

T = TypeVar("T")
CONNECT_SECONDS = 10.0
"""How long the first answer of AWS may take."""
READ_DELAY = 0.08
"""Seconds the cursor rests on a user before their keys are read."""


class MainScreen(Screen[None]):
    """Pick a user, see the keys, work them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("c", "create", "Create", tooltip="Create an access key"),
        Binding("d", "deactivate", "Make inactive", tooltip="Make the key inactive"),
        Binding("a", "activate", "Make active", tooltip="Make the key active"),
        Binding("x", "delete", "Delete", tooltip="Delete the key (an inactive one)"),
        Binding("u", "undo", "Undo", tooltip="Undo the last change of status"),
        Binding("y", "copy", "Copy ID", tooltip="Send the access key ID to the clipboard"),
        Binding("slash", "filter", "Filter", key_display="/", tooltip="Filter users; esc clears"),
        Binding("r", "refresh", "Refresh", tooltip="Read users and keys again"),
        Binding("P", "profile", "Profile", tooltip="Switch to another AWS profile"),
        Binding(
            "full_stop", "deleted", "Deleted", key_display=".", tooltip="Show or hide deleted keys"
        ),
        Binding("question_mark", "help", "Help", key_display="?", tooltip="This list"),
        Binding("q", "app.quit", "Quit", tooltip="Leave keytui"),
        Binding("tab", "switch_pane", show=False),
        Binding("right,l", "to_keys", show=False),
        Binding("left,h", "to_users", show=False),
        Binding("escape", "back", show=False),
    ]
    def __init__(self, parts: Parts) -> None:
        super().__init__()
        self.parts = parts
        self._account: Account | None = None
        self._show_deleted = True
        self._resting: Timer | None = None
        self._wanted = parts.settings.user
        self.custody: Custody | None = None
        """A new key's secret that is here and may be nowhere else."""

    @property
    def account(self) -> Account:
        """The account worked on. Raises ``KeytuiError`` before one is open."""
        if self._account is None:
            raise KeytuiError("keytui is not connected.", next_step="r tries again.")
        return self._account

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield TopBar(id="top")
        with Horizontal(id="panes"):
            with Vertical(id="users-pane"):
                yield LineInput(placeholder="/ filter", id="filter")
                yield UserList(id="users")
            with Vertical(id="keys-pane"):
                yield Static(id="user")
                yield KeyTable(id="keys")
                yield KeyDetail(id="detail")
        yield MessageBar(id="message")
        yield StatusLine(id="status")
        yield KeyHints(id="hints")
        yield Static(id="too-small")

    def on_mount(self) -> None:
        """Show the frame; all that takes time begins after it."""
        self.users.focus()
        self.query_one("#message").display = False
        self._show_top()
        self.show_hints()
        self.call_after_refresh(self.connect, self.parts.settings.profile)

    def on_resize(self) -> None:
        """Say what is wrong with a terminal that is too small."""
        size = self.app.size
        small = f"keytui needs 60×20 characters; this terminal has {size.width}×{size.height}."
        self.query_one("#too-small", Static).update(f"{small}\nNothing is lost: make it larger.")

    @property
    def users(self) -> UserList:
        """The list of users."""
        return self.query_one(UserList)

    @property
    def keys(self) -> KeyTable:
        """The table of keys."""
        return self.query_one(KeyTable)

    # What flows need (see flows.stage).

    def say(self, text: str, good: bool = True) -> None:
        """Show a sentence; an empty one clears it."""
        self.query_one(MessageBar).say(text, good)

    def problem(self, error: KeytuiError) -> None:
        """Show what went wrong."""
        self.query_one(MessageBar).problem(error)

    async def ask(self, dialog: ModalScreen[T]) -> T:
        """Open a dialog and wait for what it returns."""
        return await self.app.push_screen_wait(dialog)

    def take_custody(self, custody: Custody) -> None:
        """From now on an unkept secret is here: no leaving, no screenshots. Any thread."""
        self.custody = custody

    def release_custody(self) -> None:
        """The secret is kept or discarded."""
        self.custody = None

    async def reload_keys(self, user: User) -> None:
        """Read a user's keys again and draw them: the statuses first, then the rest."""
        account = self.account
        known = account.inventory.keys_of(user)
        fresh = await in_thread(lambda: read_keys(account, self.parts, user))
        account.inventory.set_keys(user, _with_known(fresh, known))
        self.draw_keys()
        whole = await in_thread(lambda: complete_keys(account, fresh, user))
        account.inventory.set_keys(user, whole)
        self.draw_keys()

    def draw_keys(self) -> None:
        """Draw the keys of the highlighted user, as they are known."""
        user, account = self.users.user, self._account
        known = account.inventory.keys_of(user) if account and user else None
        shown: tuple[AccessKey, ...] = known.keys if known else ()
        if known and self._show_deleted:
            shown += known.deleted
        before = self.keys.key
        pending = account.pending if account else {}
        self.keys.show(shown, self.parts.now(), pending, keep=before.id if before else "")
        self._show_user(user, known)
        self._show_detail()

    # Reading the account.

    @work(exclusive=True, group="account", description="read the account")
    async def connect(self, profile: str | None) -> None:
        """Connect with a profile and read its users, page by page."""
        status_line = self.query_one(StatusLine)
        self.say("")
        status_line.users("connecting…")
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                self._account = await in_thread(lambda: open_account(self.parts, profile))
            self._show_top()
            await self._open_wanted()
            await self._read_users(self.account)
        except KeytuiError as error:
            self.problem(error)
            status_line.users("" if self._account else "not connected")
        except TimeoutError:
            self.problem(_no_answer())
            status_line.users("not connected")
        self.look_at_keyring()

    @work(exclusive=True, group="keyring", description="look at the keyring")
    async def look_at_keyring(self) -> None:
        """Show which keyring is in use."""
        probe = await in_thread(lambda: self.parts.keyring.probe(canary=False))
        self.query_one(StatusLine).keyring(probe)

    async def _open_wanted(self) -> None:
        """Go to the user named on the command line, before the list has been read."""
        name, account = self._wanted, self.account
        if name is None:
            return
        self._wanted = None
        user = await in_thread(lambda: account.iam.user(name))
        account.inventory.add([user])
        self._show_users(user)
        self.action_to_keys()

    async def _read_users(self, account: Account) -> None:
        inventory = account.inventory
        if account.identity.is_root:
            inventory.add([ROOT_USER])
        pages = account.iam.users()
        try:
            while (page := await in_thread(lambda: next(pages, None))) is not None:
                inventory.add(page)
                self._show_users()
        except AccessDeniedError as error:
            self._only_own_user(account, error)
        inventory.all_read = True
        self._show_users()

    def _only_own_user(self, account: Account, error: AccessDeniedError) -> None:
        own = account.identity.user_name
        if own:
            account.inventory.add([User(own)])
            title = f"You may not list users (it takes {error.action}): this is your own."
            self.problem(KeytuiError(title))
        elif not account.inventory.users:
            raise KeytuiError(
                f"You may not list users (it takes {error.action}), and you are no IAM user.",
                next_step="Start keytui with --user NAME to open one by name.",
            )

    def _show_users(self, keep: User | None = None) -> None:
        inventory = self.account.inventory
        text = self.query_one("#filter", LineInput).value
        users = inventory.matching(text)
        self.users.show(users, keep or self.users.user)
        total = count(len(inventory.users), "user")
        some = f"{len(users):,} of {total}" if text else total
        reading = "" if inventory.all_read else ", reading…"
        self.query_one(StatusLine).users(some + reading)

    @work(exclusive=True, group="keys", description="read a user's keys")
    async def read_user(self, user: User) -> None:
        """Read the highlighted user's keys."""
        try:
            await self.reload_keys(user)
        except KeytuiError as error:
            self.problem(error)
            self._show_user(user, None, failed=True)

    @on(Rows.Highlighted, "#users")
    def _user_changed(self) -> None:
        self.draw_keys()
        if self._resting:
            self._resting.stop()
        if user := self.users.user:
            self._resting = self.set_timer(READ_DELAY, lambda: self.read_user(user))

    @on(Rows.Highlighted, "#keys")
    def _key_changed(self) -> None:
        self._show_detail()

    @on(Rows.Chosen, "#users")
    def action_to_keys(self) -> None:
        """Go to the keys."""
        self.add_class("-at-keys")
        self.keys.focus()

    def action_to_users(self) -> None:
        """Go to the users."""
        self.remove_class("-at-keys")
        self.users.focus()

    def action_switch_pane(self) -> None:
        """Go to the other pane."""
        if self.keys.has_focus:
            self.action_to_users()
        else:
            self.action_to_keys()

    def action_back(self) -> None:
        """Clear the filter, or go back to the users, or clear the message."""
        filter_line = self.query_one("#filter", LineInput)
        if self.keys.has_focus:
            self.action_to_users()
        elif filter_line.value or filter_line.has_focus:
            filter_line.value = ""
            self.users.focus()
        else:
            self.say("")

    def action_filter(self) -> None:
        """Type a filter."""
        self.remove_class("-at-keys")
        self.query_one("#filter", LineInput).focus()

    @on(LineInput.Changed, "#filter")
    def _filter_changed(self) -> None:
        if self._account:
            self._show_users()

    @on(LineInput.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.users.focus()

    # The verbs: one handler for the key, the click and the palette.

    def action_create(self) -> None:
        """Create a key for the highlighted user."""
        self._for_user(lambda user: create.create(self, user))

    def action_deactivate(self, key_id: str = "") -> None:
        """Make a key inactive."""
        self._for_key(lambda key: status.deactivate(self, key), key_id)

    def action_activate(self, key_id: str = "") -> None:
        """Make a key active."""
        self._for_key(lambda key: status.activate(self, key), key_id)

    def action_delete(self, key_id: str = "") -> None:
        """Delete a key."""
        self._for_key(lambda key: delete.delete(self, key), key_id)

    def action_undo(self) -> None:
        """Undo the last change of status."""
        self.run(status.undo(self))

    def action_copy(self) -> None:
        """Send the access key ID to the terminal's clipboard."""
        if key := self.keys.key:
            self.app.copy_to_clipboard(key.id)
            self.say(f"{key.id} was sent to the terminal's clipboard.")

    def action_refresh(self) -> None:
        """Read everything anew."""
        profile = self._account.profile if self._account else self.parts.settings.profile
        self.connect(profile)

    def action_deleted(self) -> None:
        """Show or hide deleted keys."""
        self._show_deleted = not self._show_deleted
        self.say("Deleted keys are " + ("shown." if self._show_deleted else "hidden."))
        self.draw_keys()

    def action_profile(self) -> None:
        """Switch to another AWS profile."""
        self.run(self._choose_profile())

    def action_help(self) -> None:
        """List the keys that work here."""
        self.app.push_screen(HelpScreen(self.own_bindings()))

    def own_bindings(self) -> list[Binding]:
        """Return this screen's bindings that are shown to users."""
        return [b for b in self.BINDINGS if isinstance(b, Binding) and b.show]

    def run(self, flow: Coroutine[Any, Any, None]) -> None:
        """Set a flow going; what it can't do is told in the message bar."""
        self.run_worker(self._guarded(flow), description="a flow", exit_on_error=True)

    async def _guarded(self, flow: Coroutine[Any, Any, None]) -> None:
        try:
            await flow
        except KeytuiError as error:
            self.problem(error)

    def _for_user(self, flow: Callable[[User], Coroutine[Any, Any, None]]) -> None:
        if user := self.users.user:
            self.run(flow(user))

    def _for_key(self, flow: Callable[[AccessKey], Coroutine[Any, Any, None]], key_id: str) -> None:
        """Run a flow on the key clicked, or on the one under the cursor.

        From the list of users the cursor in the table is not what one looks at: where a user
        has several keys, the first press only goes there.
        """
        live = [key for key in self.keys.keys if key.status is not KeyStatus.DELETED]
        key = next((k for k in live if k.id == key_id), None) or self.keys.key
        if key is None or key.id in self.account.pending:
            return
        if not key_id and not self.keys.has_focus and len(live) > 1:
            self.action_to_keys()
            self.say("Which key? Press it again on the one you mean.", good=False)
            return
        self.run(flow(key))

    async def _choose_profile(self) -> None:
        if self.parts.settings.demo:
            self.say("The demo account has no other profiles.", good=False)
            return
        names = await in_thread(self.parts.profiles)
        if not names:
            self.say("The AWS config has no profiles.", good=False)
            return
        current = self._account.profile if self._account else None
        if chosen := await self.ask(ChoiceScreen("Switch to a profile", names, current or "")):
            self._account = None
            self.users.show([], None)
            self.draw_keys()
            self.connect(chosen)

    # Drawing.

    def _show_top(self) -> None:
        settings, account = self.parts.settings, self._account
        modes = [
            word
            for word, on_ in (("DEMO", settings.demo), ("READ-ONLY", settings.read_only))
            if on_
        ]
        profile = (account.profile if account else settings.profile) or ""
        identity = account.identity if account else None
        endpoint = (account.iam.custom_endpoint or "") if account and not settings.demo else ""
        self.query_one(TopBar).show(identity, profile, endpoint, modes)

    def _show_user(self, user: User | None, known: KeyList | None, failed: bool = False) -> None:
        line = Text()
        if user:
            line.append(plain(user.name), style="bold")
            facts = [count(len(known.keys), "key")] if known else []
            if user.created:
                facts.append(f"created {ago(user.created, self.parts.now())}")
            if not known:
                facts.append("not read" if failed else "reading…")
            line.append("  " + " · ".join(facts), style="dim")
            if user.is_root:
                warning = "  These keys can do anything: delete them."
                line.append(warning, style=WARNS)
        self.query_one("#user", Static).update(line)

    def _show_detail(self) -> None:
        user, key = self.users.user, self.keys.key
        known = self._account.inventory.keys_of(user) if self._account and user else None
        detail = self.query_one(KeyDetail)
        if user and known and not self.keys.keys:
            detail.update(Text(f"{plain(user.name)} has no access keys. c creates one."))
        else:
            detail.show(key, known, self.parts.now())
        self.show_hints()

    def show_hints(self) -> None:
        """Show the keys that work now."""
        self.query_one(KeyHints).show([b for b in self.own_bindings() if self._works(b.action)])

    def _works(self, action: str) -> bool:
        key, settings = self.keys.key, self.parts.settings
        read_only = settings.read_only
        match action:
            case "create":
                return not read_only and self.users.user is not None
            case "deactivate":
                return not read_only and key is not None and key.status is KeyStatus.ACTIVE
            case "activate":
                return not read_only and key is not None and key.status is KeyStatus.INACTIVE
            case "delete":
                return not read_only and key is not None and key.status is not KeyStatus.DELETED
            case "undo":
                return not read_only and bool(self._account and self._account.changes)
            case "profile":
                return not settings.demo
            case "copy":
                return key is not None
        return True


def _with_known(fresh: KeyList, known: KeyList | None) -> KeyList:
    """Keep last use and description on the screen while they are read again."""
    if known is None:
        return fresh
    old = {key.id: key for key in known.keys}
    keys = tuple(
        replace(key, last_used=old[key.id].last_used, description=old[key.id].description)
        if key.id in old
        else key
        for key in fresh.keys
    )
    return replace(fresh, keys=keys, complete=known.complete)


def _no_answer() -> UnreachableError:
    return UnreachableError(
        f"AWS did not answer within {CONNECT_SECONDS:.0f} s.",
        "Nothing was changed.",
        "Check the network, the proxy and the endpoint; r tries again.",
    )
