"""The main screen: users at the left, the keys of the highlighted one at the right."""

from collections.abc import Callable
from typing import ClassVar

from textual import events, on, work
from textual.binding import Binding, BindingType

from keytui.batch import Verb
from keytui.errors import KeytuiError
from keytui.key_ids import IdsInText, read_ids
from keytui.model import AccessKey, KeyStatus, Secret
from keytui.ui import flows
from keytui.ui.copier import copier
from keytui.ui.screens import main_keys
from keytui.ui.screens.opening import OpeningScreen
from keytui.ui.screens.stage_screen import Flow
from keytui.ui.widgets.bars import KeyHints, MessageBar
from keytui.ui.widgets.keys_pane import KeysPane
from keytui.ui.widgets.users_pane import UsersPane


class MainScreen(OpeningScreen):
    """Pick a user, see the keys, work them."""

    BINDINGS: ClassVar[list[BindingType]] = main_keys.BINDINGS

    # Moving.

    @on(UsersPane.Chosen)
    def _user_chosen(self) -> None:
        self.action_to_keys()

    def action_switch_pane(self) -> None:
        """Go to the other pane."""
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
        elif self._account and self._account.marks:
            self._account.marks.clear()
            self.draw_marks()
            self.say("Nothing is marked any more.")

    def action_filter(self) -> None:
        """Type a filter."""
        self.remove_class("-at-keys")
        self.set_focus(self.users.filter_line)

    def action_find(self) -> None:
        """Find a key by its ID."""
        self.run(flows.find.find(self))

    @on(UsersPane.Wanted)
    def _find_wanted(self, event: UsersPane.Wanted) -> None:
        self.run(flows.find.find(self, IdsInText(event.key_ids)))

    def on_paste(self, event: events.Paste) -> None:
        """Find the key that a pasted text names; the text itself may be a secret."""
        found = read_ids(event.text)
        if found.ids:
            self.run(flows.find.find(self, found))
        elif found.broken:
            self.say(found.problem, good=False)
        else:
            self.say("No access key ID is in what was pasted.", good=False)

    @on(KeysPane.Opened)
    def action_detail(self) -> None:
        """Show all that is known of the key under the cursor."""
        if shown := self._key_shown():
            self.run(flows.key.show_key(self, shown))

    # The verbs: one handler for the key, the click and the palette.

    def action_create(self) -> None:
        """Create a key for the highlighted user."""
        if user := self.users.user:
            self.run(flows.create.create(self, user))

    def action_deactivate(self, key_id: str = "") -> None:
        """Make a key inactive."""
        self._for_keys(Verb.DEACTIVATE, flows.status.deactivate, key_id)

    def action_activate(self, key_id: str = "") -> None:
        """Make a key active."""
        self._for_keys(Verb.ACTIVATE, flows.status.activate, key_id)

    def action_delete(self, key_id: str = "") -> None:
        """Delete a key."""
        self._for_keys(Verb.DELETE, flows.delete.delete, key_id)

    def action_mark(self) -> None:
        """Mark the key under the cursor, or take its mark away, and go on to the next."""
        key = self._key_meant()
        if key and key.status is not KeyStatus.DELETED:
            self.account.mark(key)
            self.keys.table.action_move(1)
            self.draw_marks()

    def action_rotate(self, key_id: str = "") -> None:
        """Rotate a key, or take up the rotation it is part of."""
        if key := self._key_meant(key_id):
            self.run(flows.rotate.rotate(self, key))

    def action_undo(self) -> None:
        """Undo the last change of status."""
        self.run(flows.status.undo(self))

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
        chosen = await flows.fleet.choose_profile(self)
        if chosen and chosen == self.profile:
            self.action_refresh()
        elif chosen:
            self.switch_to(chosen)

    def action_audit(self) -> None:
        """Show every key of the account, worst first."""
        self.run(flows.audit.show_audit(self))

    def action_history(self) -> None:
        """Show what keytui did."""
        self.run(flows.history.show_history(self))

    def action_vault(self) -> None:
        """Show the secrets that the keyring holds."""
        self.run(flows.vault.show_vault(self))

    def action_unlock(self) -> None:
        """Unlock the keyring."""
        self.run(self._unlock())

    async def _unlock(self) -> None:
        await flows.unlock.unlock(self, self.parts.keyring)
        self.look_at_keyring()

    def action_help(self) -> None:
        """List the keys that work here."""
        from keytui.ui.screens.help import HelpScreen  # Not needed for the first frame.

        self.app.push_screen(HelpScreen(self.own_bindings()))

    async def action_quit(self) -> None:
        """Leave keytui."""
        await self.app.action_quit()

    def _key_shown(self, key_id: str = "") -> AccessKey | None:
        """Return the key clicked, or the one under the cursor.

        None, and a word about it, while the account or the keys of the user are not read yet.
        """
        key, user = self.keys.find(key_id) or self.keys.key, self.users.user
        try:
            unread = user and self.account.inventory.keys_of(user) is None
        except KeytuiError as error:
            self.problem(error)
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
        if key is None or self._account is None or key.id in self._account.pending:
            return None
        alone = self.keys.display and self.keys.live == 1 and not self._moved_away
        seen = self.keys.table.has_focus or alone
        if not key_id and not seen:
            self.action_to_keys()
            self.say("Which key? Press it again on the one you mean.", good=False)
            return None
        return key

    def _for_keys(
        self, verb: Verb, flow: Callable[["MainScreen", AccessKey], Flow], key_id: str
    ) -> None:
        """Run a flow on the key that is meant; where some are marked, on all of them at once."""
        if self._account and self._account.marked and not key_id:
            self.run(flows.bulk.work_on_marked(self, verb))
        elif key := self._key_meant(key_id):
            self.run(flow(self, key))

    # The bars.

    def own_bindings(self) -> list[Binding]:
        """Return this screen's bindings that are shown to users."""
        return [b for b in self.BINDINGS if isinstance(b, Binding) and b.show]

    @on(KeysPane.Highlighted)
    def show_hints(self) -> None:
        """Show the keys that work now."""
        settings, account, key = self.parts.settings, self._account, self.keys.key
        now = main_keys.Now(
            key=key,
            marked=account.marked if account else (),
            user=self.users.user is not None,
            rotates=bool(key and account and account.rotates(key)),
            changes=bool(account and account.changes),
            locked=self._locked,
            demo=settings.demo,
            read_only=settings.read_only,
        )
        hints = [b for b in self.own_bindings() if main_keys.works(b.action, now)]
        self.query_one(KeyHints).show(hints)
