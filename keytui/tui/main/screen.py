"""The main screen: users at the left, the keys of the highlighted one at the right."""

from collections.abc import Callable
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.reactive import Reactive
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from typing_extensions import override

from keytui.core.errors import KeytuiError
from keytui.core.key_ids import IdsInText, read_ids
from keytui.core.model import AccessKey, KeyStatus, Secret, User
from keytui.keys.outcomes import Verb
from keytui.session.context import Context
from keytui.session.inventory import Inventory
from keytui.stores.base import Probe
from keytui.tui.main.bindings import BINDINGS, Now, works
from keytui.tui.main.keys import KeysPane
from keytui.tui.main.reader import Reader
from keytui.tui.main.users import UsersPane, badges, marker
from keytui.tui.services.connection import NOT_YET, how_far
from keytui.tui.services.copier import copier
from keytui.tui.services.flow_runner import Flow
from keytui.tui.services.stage import Stage
from keytui.tui.widgets.bars import KeyHints, MessageBar, StatusLine, TooSmall, TopBar
from keytui.tui.widgets.rows import Rows

REST_SECONDS = 0.08
"""How long the cursor rests on a user before their keys are read."""


class MainScreen(Screen[None]):
    """Pick a user, see the keys, work them.

    Verbs are imported when they are first needed: none is on the way to the first frame.
    """

    BINDINGS: ClassVar[list[BindingType]] = BINDINGS
    # Textual repaints the whole screen when the focus moves; the panes show it themselves.
    focused: Reactive[Widget | None] = Reactive(None, repaint=False)

    def __init__(self, ctx: Context) -> None:
        super().__init__()
        self.stage = Stage(self, ctx, self)
        self._connection = self.stage.connection
        self.reader = Reader(self, self.stage)
        self._moved_away = False
        """Whether the cursor has left a user who is gone, and nobody went to keys since."""
        self._show_deleted = True
        self._locked = False
        self._resting: Timer | None = None

    @override
    def compose(self) -> ComposeResult:
        yield TopBar(id="top")
        with Horizontal(id="panes"):
            yield UsersPane(id="users-pane")
            yield KeysPane(self.ctx.settings.limits, id="keys-pane")
        yield MessageBar(id="message")
        yield StatusLine(id="status")
        yield KeyHints(id="hints")
        yield TooSmall()

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
            self._show_last_seen()

        def begin() -> None:
            still.__exit__(None, None, None)
            self.call_after_refresh(self._begin)

        self.call_after_refresh(begin)

    def _begin(self) -> None:
        """Read the account; or open at a key, for which keys have waited from the beginning."""
        settings = self.ctx.settings
        if not settings.key_ids:
            self.reader.connect()
            return
        self.stage.no_more_questions()
        named = IdsInText(settings.key_ids, settings.broken_ids)
        self.stage.flows.run(self.reader.open_at(named))

    def on_resize(self) -> None:
        """Give the focus back after the terminal was too small."""
        if self.focused is None and not self.query_one(TooSmall).display:
            self.set_focus(self.keys.table if self.has_class("-at-keys") else self.users.list)

    def on_screen_resume(self) -> None:
        """A keyring that was locked may have been unlocked in a dialog."""
        if self._locked:
            self.reader.look_at_keyring()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        at_users = self.users in event.widget.ancestors
        account = self._connection.current if self._connection.answered.is_set() else None
        if at_users and account and not account.inventory.asked:
            self.reader.read_all()  # A connecting under way reads them itself.

    @property
    def ctx(self) -> Context:
        return self.stage.ctx

    @property
    def users(self) -> UsersPane:
        return self.query_one(UsersPane)

    @property
    def keys(self) -> KeysPane:
        return self.query_one(KeysPane)

    def say(self, text: str, good: bool = True) -> None:
        """Show a sentence; an empty one clears it."""
        self.stage.say(text, good)

    def give_up(self) -> bool:
        """Cancel a flow; where that was the opening at a key, read the account as ever."""
        given_up = self.stage.give_up()
        opening = any(one.group == "account" and one.is_running for one in self.workers)
        if given_up and self._connection.current is None and not opening:
            self.reader.connect()
        return given_up

    def switch_to(self, profile: str) -> None:
        """Work with another profile from now on."""
        self.keep_users()
        self.workers.cancel_group(self, "keys")
        self.say("")  # What was said is of the other profile.
        self._connection.use(profile)
        self.clear_users()
        self._show_last_seen()
        self.draw_keys()
        self.show_top()
        self.reader.connect()

    def _show_last_seen(self) -> None:
        self._connection.load_last_seen()
        self.draw_users()

    def keep_users(self) -> None:
        """Keep the users for the next start. Blocks, for some milliseconds."""
        if account := self._connection.current:
            self._connection.keep_users(self._connection.profile, account)

    @on(UsersPane.Highlighted)
    def user_changed(self) -> None:
        """Read the keys of a user on whom the cursor rests; passing others paints nothing."""
        if self._resting:
            self._resting.stop()
        if (user := self.users.user) and self._connection.current:
            self._resting = self.set_timer(REST_SECONDS, lambda: self.reader.read_user(user))
        else:
            self.draw_keys()

    # Drawing: the stage's view.

    def draw_users(self, keep: User | None = None) -> None:
        """Draw the users again, as they are known."""
        inventory, account = self._connection.inventory, self._connection.current
        if inventory is None:
            return
        marks, before = marker(account, self.ctx) if account else None, self.users.user
        shown = self.users.show(inventory, keep, badges(account) if account else {}, marks)
        self.query_one(StatusLine).users(shown + how_far(inventory, self.ctx.now()))
        moved = before and before != self.users.user
        if before and moved and inventory.all_read and not inventory.has(before):
            self.say(f"{before.name} does not exist any more.", good=False)
            self._stand_back()

    def _stand_back(self) -> None:
        """Take no key for whoever comes under the cursor where the user looked at is gone."""
        self.action_to_users()
        self._moved_away = True

    def draw_keys(self, keep: str = "") -> None:
        """Draw the keys of the highlighted user, with the cursor on one or where it was."""
        account = self._connection.current
        user = self.users.user if account or not self._connection.answered.is_set() else None
        known = account.inventory.keys_of(user) if account and user else None
        pending = account.pending if account else {}
        marks = account.marks if account else {}
        now, deleted = self.ctx.now(), self._show_deleted
        self.keys.show(user, known, now, pending=pending, marks=marks, deleted=deleted, keep=keep)
        self.query_one(StatusLine).marked(len(account.marked) if account else 0)
        self.show_hints()

    def draw_marks(self) -> None:
        """Draw again which keys are marked, and whose they are."""
        self.draw_users()
        self.draw_keys()

    def draw_unfinished(self) -> None:
        account = self._connection.current
        rotations = [one.title for one in account.rotations] if account else []
        number = len(account.unfinished) if account else 0
        self.query_one(StatusLine).unfinished(number, rotations)
        if account:
            self.draw_users()
            self.show_hints()

    def reread(self) -> None:
        if user := self.users.user:
            self.reader.read_user(user)

    def go_to(self, key: AccessKey) -> None:
        """Put the cursor on a key that was read just now, and read what else there is to it."""
        if self._resting:
            self._resting.stop()
        self.users.clear_filter()
        with self.prevent(Rows.Highlighted):
            self.draw_users(key.user)
        self.draw_keys(key.id)
        self.action_to_keys()
        self.reader.complete_user(key.user)

    def not_read(self, user: User, error: KeytuiError) -> None:
        self.draw_keys()
        self.keys.problem(user, error)

    def draw_connecting(self) -> None:
        if self._connection.inventory and not self._connection.current:
            self.draw_users()
        else:
            self.query_one(StatusLine).users("connecting…")

    def draw_connected(self, *, another: bool) -> None:
        """Show who acts; with another account or caller, nobody is looked at any more."""
        if another:
            self._stand_back()
        self.query_one(MessageBar).take_back(NOT_YET)
        self.show_top()

    def draw_stopped(self) -> None:
        """Show that the account could not be read, or not to its end."""
        inventory = self._connection.inventory
        if inventory is None:
            self.query_one(StatusLine).users("not connected")
        elif inventory.asked or inventory.last_seen_at:
            inventory.stopped = True
            self.draw_users()
        if self._connection.current is None:
            self.draw_keys()

    def draw_keyring(self, probe: Probe) -> None:
        self._locked = probe.can_be_unlocked
        self.query_one(StatusLine).keyring(probe)
        self.show_hints()

    def clear_users(self) -> None:
        self.users.show(Inventory())

    def show_top(self) -> None:
        """Show who acts, and where."""
        settings, account = self.ctx.settings, self._connection.current
        mfa = account is not None and account.iam.signing_key_id() in self.ctx.mfa.sessions
        modes = [("MFA", mfa), ("DEMO", settings.demo), ("READ-ONLY", settings.read_only)]
        identity = account.identity if account else None
        endpoint = (account.iam.custom_endpoint or "") if account and not settings.demo else ""
        badges = [word for word, shown in modes if shown]
        self.query_one(TopBar).show(identity, self._connection.profile or "", endpoint, badges)

    # Moving.

    def action_to_keys(self) -> None:
        self._moved_away = False
        self.add_class("-at-keys")
        self.set_focus(self.keys.table)

    def action_to_users(self) -> None:
        self.remove_class("-at-keys")
        self.users.focus_list()

    @on(UsersPane.Chosen)
    def _user_chosen(self) -> None:
        self.action_to_keys()

    def action_switch_pane(self) -> None:
        if self.keys.table.has_focus:
            self.action_to_users()
        else:
            self.action_to_keys()

    def action_back(self) -> None:
        """Go back to the users, clear the filter, the message, or in the end the marks."""
        if self.keys.table.has_focus:
            self.action_to_users()
        elif self.users.back():
            return
        elif self.query_one(MessageBar).display:
            self.say("")
        elif self._connection.current and self._connection.current.marks:
            self._connection.current.marks.clear()
            self.draw_marks()
            self.say("Nothing is marked any more.")

    def action_filter(self) -> None:
        self.remove_class("-at-keys")
        self.set_focus(self.users.filter_line)

    def action_find(self, named: IdsInText | None = None) -> None:
        from keytui.tui.keys.find import find

        self.stage.flows.run(find(self.stage, named))

    @on(UsersPane.Wanted)
    def _find_wanted(self, event: UsersPane.Wanted) -> None:
        self.action_find(IdsInText(event.key_ids))

    def on_paste(self, event: events.Paste) -> None:
        """Find the key that a pasted text names; the text itself may be a secret."""
        found = read_ids(event.text)
        if found.ids:
            self.action_find(found)
        elif found.broken:
            self.say(found.problem, good=False)
        else:
            self.say("No access key ID is in what was pasted.", good=False)

    @on(KeysPane.Opened)
    def action_detail(self) -> None:
        if shown := self._key_shown():
            from keytui.tui.main.key_screen import show_key

            self.stage.flows.run(show_key(self.stage, shown))

    # The verbs: one handler for the key, the click and the palette.

    def action_create(self) -> None:
        if user := self.users.user:
            from keytui.tui.keys.create import create

            self.stage.flows.run(create(self.stage, user))

    def action_deactivate(self, key_id: str = "") -> None:
        from keytui.tui.keys.change import deactivate

        self._for_keys(Verb.DEACTIVATE, deactivate, key_id)

    def action_activate(self, key_id: str = "") -> None:
        from keytui.tui.keys.change import activate

        self._for_keys(Verb.ACTIVATE, activate, key_id)

    def action_delete(self, key_id: str = "") -> None:
        from keytui.tui.keys.change import delete

        self._for_keys(Verb.DELETE, delete, key_id)

    def action_mark(self) -> None:
        """Mark the key under the cursor, or take its mark away, and go on to the next."""
        key = self._key_meant()
        if key and key.status is not KeyStatus.DELETED:
            self.stage.account.mark(key)
            self.keys.table.action_move(1)
            self.draw_marks()

    def action_rotate(self, key_id: str = "") -> None:
        if key := self._key_meant(key_id):
            from keytui.tui.rotation.flow import rotate

            self.stage.flows.run(rotate(self.stage, key))

    def action_undo(self) -> None:
        from keytui.tui.keys.bulk import undo

        self.stage.flows.run(undo(self.stage))

    @work(description="send an access key ID to the clipboard")
    async def action_copy(self) -> None:
        if key := self._key_shown():
            sent = await copier(self.app).send(Secret(key.id), secret=False)
            note = "" if sent.sent else f" {sent.note[0].upper()}{sent.note[1:]}"
            self.say(f"{key.id} was {sent.done}.{note}", good=sent.sent)

    def action_refresh(self) -> None:
        self.say("")
        self.reader.connect()

    def action_deleted(self) -> None:
        self._show_deleted = not self._show_deleted
        self.say("Deleted keys are " + ("shown." if self._show_deleted else "hidden."))
        self.draw_keys()

    def action_profile(self) -> None:
        self.stage.flows.run(self._switch_profile())

    async def _switch_profile(self) -> None:
        from keytui.tui.profiles.screen import choose_profile

        chosen = await choose_profile(self.stage)
        if chosen and chosen == self._connection.profile:
            self.action_refresh()
        elif chosen:
            self.switch_to(chosen)

    def action_audit(self) -> None:
        from keytui.tui.audit.flow import show_audit

        self.stage.flows.run(show_audit(self.stage))

    def action_history(self) -> None:
        from keytui.tui.history.screen import show_history

        self.stage.flows.run(show_history(self.stage))

    def action_vault(self) -> None:
        from keytui.tui.vault.screen import show_vault

        self.stage.flows.run(show_vault(self.stage))

    def action_unlock(self) -> None:
        self.stage.flows.run(self._unlock())

    async def _unlock(self) -> None:
        from keytui.tui.dialogs.unlock import unlock

        await unlock(self.stage, self.ctx.keyring)
        self.reader.look_at_keyring()

    def action_help(self) -> None:
        from keytui.tui.dialogs.dialogs import HelpScreen  # Not needed for the first frame.

        self.app.push_screen(HelpScreen(self.own_bindings()))

    async def action_quit(self) -> None:
        await self.app.action_quit()

    def _key_shown(self, key_id: str = "") -> AccessKey | None:
        """Return the key clicked, or the one under the cursor.

        None, and a word about it, while the account or the keys of the user are not read yet.
        """
        key, user = self.keys.find(key_id) or self.keys.key, self.users.user
        try:
            unread = user and self.stage.account.inventory.keys_of(user) is None
        except KeytuiError as error:
            self.stage.problem(error)
            return None
        if unread or (key and (user is None or key.user.name != user.name)):
            self.say("The keys of this user are still being read.", good=False)
            return None
        return key

    def _key_meant(self, key_id: str = "") -> AccessKey | None:
        """Return the key clicked, or the one under the cursor, if that is what one looks at.

        From the list of users the cursor in the table is not what one looks at: where a user
        has several keys, the table is hidden, or the one looked at is gone, the first press
        only goes there.
        """
        key = self._key_shown(key_id)
        if key is None or key.id in self.stage.account.pending:
            return None
        alone = self.keys.display and self.keys.live == 1 and not self._moved_away
        seen = self.keys.table.has_focus or alone
        if not key_id and not seen:
            self.action_to_keys()
            self.say("Which key? Press it again on the one you mean.", good=False)
            return None
        return key

    def _for_keys(self, verb: Verb, flow: Callable[[Stage, AccessKey], Flow], key_id: str) -> None:
        """Run a flow on the key that is meant; where some are marked, on all of them at once."""
        if self._connection.current and self._connection.current.marked and not key_id:
            from keytui.tui.keys.bulk import work_on_marked

            self.stage.flows.run(work_on_marked(self.stage, verb))
        elif key := self._key_meant(key_id):
            self.stage.flows.run(flow(self.stage, key))

    # The bars.

    def own_bindings(self) -> list[Binding]:
        """Return this screen's bindings that are shown to users."""
        return [b for b in self.BINDINGS if isinstance(b, Binding) and b.show]

    @on(KeysPane.Highlighted)
    def show_hints(self) -> None:
        user, account = self.users.user is not None, self._connection.current
        now = Now.of(self.ctx.settings, account, self.keys.key, user=user, locked=self._locked)
        self.query_one(KeyHints).show([b for b in self.own_bindings() if works(b.action, now)])
