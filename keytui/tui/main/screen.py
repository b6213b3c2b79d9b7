"""The main screen: users at the left, the keys of the highlighted one at the right."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on, work
from textual.binding import Binding, BindingType

from keytui.core.errors import KeytuiError
from keytui.core.key_ids import IdsInText, read_ids
from keytui.core.model import AccessKey, KeyStatus, Secret
from keytui.keys.change import Verb
from keytui.tui.main import screen as main_keys
from keytui.tui.main.connection import OpeningScreen
from keytui.tui.main.flow_runner import Flow
from keytui.tui.main.keys import KeysPane
from keytui.tui.main.users import UsersPane
from keytui.tui.services.copier import copier
from keytui.tui.widgets.bars import KeyHints, MessageBar

BINDINGS: list[BindingType] = [
    Binding("c", "create", "Create", tooltip="Create an access key"),
    Binding("d", "deactivate", "Make inactive", tooltip="Make the key inactive"),
    Binding("a", "activate", "Make active", tooltip="Make the key active"),
    Binding("x", "delete", "Delete", tooltip="Delete the key, an inactive one"),
    Binding("R", "rotate", "Rotate", tooltip="Rotate the key, or take its rotation up"),
    Binding("u", "undo", "Undo", tooltip="Undo the last change of status"),
    Binding("K", "unlock", "Unlock", tooltip="Unlock the keyring, or make one"),
    # Priority, so that what is typed right after it goes into the filter.
    Binding(
        "slash", "filter", "Filter", key_display="/", tooltip="Filter the users", priority=True
    ),
    Binding("enter", "detail", "Detail", tooltip="Show all that is known of the key"),
    Binding("f", "find", "Find", tooltip="Find an access key by its ID, also in a pasted text"),
    Binding("space", "mark", "Mark", tooltip="Mark the key; d, a and x act on all marked"),
    Binding("y", "copy", "Copy ID", tooltip="Send the access key ID to the clipboard"),
    Binding("r", "refresh", "Refresh", tooltip="Read users and keys again"),
    Binding("A", "audit", "Audit", tooltip="Show every key of the account, worst first"),
    Binding("H", "history", "History", tooltip="Show what keytui did, unfinished first"),
    Binding("V", "vault", "Vault", tooltip="Show the secrets that the keyring holds"),
    Binding("P", "profile", "Profiles", tooltip="See all AWS profiles, and switch to one"),
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
"""The most needed first, help and quit last: so they leave the footer."""


@dataclass(frozen=True, slots=True)
class Now:
    """What the main screen is at.

    Attributes:
        key: The key under the cursor.
        marked: The marked keys: what changes a key acts on them instead.
        user: Whether there is a user under the cursor.
        rotates: Whether the key can be rotated, or is part of a rotation.
        changes: Whether there is a change of status to undo.
        locked: Whether the keyring can be unlocked.
        demo: Whether this is the demo account.
        read_only: Whether every change is refused.
    """

    key: AccessKey | None
    marked: tuple[AccessKey, ...]
    user: bool
    rotates: bool
    changes: bool
    locked: bool
    demo: bool
    read_only: bool


def works(action: str, now: Now) -> bool:
    """Return whether a key does something now; read-only mode itself is in lifecycle."""
    statuses = {key.status for key in now.marked or (now.key,) if key}
    changing = {
        "create": now.user,
        "deactivate": KeyStatus.ACTIVE in statuses,
        "activate": KeyStatus.INACTIVE in statuses,
        "delete": bool(statuses - {KeyStatus.DELETED}),
        "undo": now.changes,
        "rotate": now.rotates,
    }
    if action in changing:
        return changing[action] and not now.read_only
    key = now.key is not None
    others = {"profile": not now.demo, "copy": key, "detail": key, "unlock": now.locked}
    others["mark"] = now.key is not None and now.key.status is not KeyStatus.DELETED
    return others.get(action, True)


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
        from keytui.tui.keys.find import find

        self.run(find(self))

    @on(UsersPane.Wanted)
    def _find_wanted(self, event: UsersPane.Wanted) -> None:
        from keytui.tui.keys.find import find

        self.run(find(self, IdsInText(event.key_ids)))

    def on_paste(self, event: events.Paste) -> None:
        """Find the key that a pasted text names; the text itself may be a secret."""
        found = read_ids(event.text)
        if found.ids:
            from keytui.tui.keys.find import find

            self.run(find(self, found))
        elif found.broken:
            self.say(found.problem, good=False)
        else:
            self.say("No access key ID is in what was pasted.", good=False)

    @on(KeysPane.Opened)
    def action_detail(self) -> None:
        """Show all that is known of the key under the cursor."""
        if shown := self._key_shown():
            from keytui.tui.main.key_screen import show_key

            self.run(show_key(self, shown))

    # The verbs: one handler for the key, the click and the palette.

    def action_create(self) -> None:
        """Create a key for the highlighted user."""
        if user := self.users.user:
            from keytui.tui.keys.create import create

            self.run(create(self, user))

    def action_deactivate(self, key_id: str = "") -> None:
        """Make a key inactive."""
        from keytui.tui.keys.change import deactivate

        self._for_keys(Verb.DEACTIVATE, deactivate, key_id)

    def action_activate(self, key_id: str = "") -> None:
        """Make a key active."""
        from keytui.tui.keys.change import activate

        self._for_keys(Verb.ACTIVATE, activate, key_id)

    def action_delete(self, key_id: str = "") -> None:
        """Delete a key."""
        from keytui.tui.keys.change import delete

        self._for_keys(Verb.DELETE, delete, key_id)

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
            from keytui.tui.rotation.flow import rotate

            self.run(rotate(self, key))

    def action_undo(self) -> None:
        """Undo the last change of status."""
        from keytui.tui.keys.bulk import undo

        self.run(undo(self))

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
        from keytui.tui.profiles.screen import choose_profile

        chosen = await choose_profile(self)
        if chosen and chosen == self.profile:
            self.action_refresh()
        elif chosen:
            self.switch_to(chosen)

    def action_audit(self) -> None:
        """Show every key of the account, worst first."""
        from keytui.tui.audit.flow import show_audit

        self.run(show_audit(self))

    def action_history(self) -> None:
        """Show what keytui did."""
        from keytui.tui.history.screen import show_history

        self.run(show_history(self))

    def action_vault(self) -> None:
        """Show the secrets that the keyring holds."""
        from keytui.tui.vault.screen import show_vault

        self.run(show_vault(self))

    def action_unlock(self) -> None:
        """Unlock the keyring."""
        self.run(self._unlock())

    async def _unlock(self) -> None:
        from keytui.tui.dialogs.unlock import unlock

        await unlock(self, self.ctx.keyring)
        self.look_at_keyring()

    def action_help(self) -> None:
        """List the keys that work here."""
        from keytui.tui.dialogs.long_dialog import HelpScreen  # Not needed for the first frame.

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
            from keytui.tui.keys.bulk import work_on_marked

            self.run(work_on_marked(self, verb))
        elif key := self._key_meant(key_id):
            self.run(flow(self, key))

    # The bars.

    def own_bindings(self) -> list[Binding]:
        """Return this screen's bindings that are shown to users."""
        return [b for b in self.BINDINGS if isinstance(b, Binding) and b.show]

    @on(KeysPane.Highlighted)
    def show_hints(self) -> None:
        """Show the keys that work now."""
        settings, account, key = self.ctx.settings, self._account, self.keys.key
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
