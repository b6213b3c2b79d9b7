"""The left pane: a filter and the users that pass it."""

from collections.abc import Mapping

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message

from keytui.inventory import Inventory
from keytui.key_ids import key_ids
from keytui.model import User
from keytui.ui.markers import Marker
from keytui.ui.text import count
from keytui.ui.widgets.line_input import LineInput
from keytui.ui.widgets.rows import Rows
from keytui.ui.widgets.user_list import UserList


class UsersPane(Vertical):
    """The users of an account."""

    class Highlighted(Message):
        """Another user is under the cursor, or none."""

    class Chosen(Message):
        """The user under the cursor was chosen."""

    class Wanted(Message):
        """The filter names access keys that no user read so far has.

        Attributes:
            key_ids: Their IDs.
        """

        def __init__(self, key_ids: tuple[str, ...]) -> None:
            super().__init__()
            self.key_ids = key_ids

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._filtered_by = ""

    def compose(self) -> ComposeResult:
        """Lay out the pane."""
        yield LineInput(placeholder="/ filter", id="filter")
        yield UserList(id="users")

    @property
    def user(self) -> User | None:
        """The user under the cursor."""
        return self.list.user

    @property
    def filter_line(self) -> LineInput:
        """The line the filter is typed on."""
        return self.query_one(LineInput)

    @property
    def list(self) -> UserList:
        """The list itself."""
        return self.query_one(UserList)

    def focus_list(self) -> None:
        """Let keys move the cursor."""
        self.screen.set_focus(self.list)

    def show(
        self,
        inventory: Inventory,
        keep: User | None = None,
        badges: Mapping[str, str] | None = None,
        marker: Marker | None = None,
    ) -> str:
        """Show the users that pass the filter, with the cursor where it was.

        Args:
            inventory: The account's users.
            keep: The user to put the cursor on instead.
            badges: User name → a word or glyph behind it.
            marker: What tells of a user's keys.

        Returns:
            How many they are, in words.
        """
        text = self.filter_line.value
        users = inventory.matching(text)
        nearby, self._filtered_by = text == self._filtered_by, text
        nobody = "no match; esc" if not key_ids(text) else "enter finds it"
        nobody = nobody if text else ""
        keep = keep or self.user
        self.list.show(users, keep, nobody, badges or {}, marker, nearby=nearby)
        total = count(len(inventory.users), "user")
        return f"{len(users):,} of {total}" if text else total

    def clear_filter(self) -> None:
        """Let all users pass."""
        self.filter_line.value = ""

    def back(self) -> bool:
        """Clear the filter and leave it; False where there was nothing to clear or leave."""
        if not self.filter_line.value and not self.filter_line.has_focus:
            return False
        self.clear_filter()
        self.focus_list()
        return True

    @on(LineInput.Submitted)
    def _filter_done(self, event: LineInput.Submitted) -> None:
        event.stop()
        self.focus_list()
        if not self.list.users and (wanted := key_ids(event.value)):
            self.post_message(self.Wanted(wanted))

    @on(Rows.Highlighted)
    def _highlighted(self, event: Rows.Highlighted) -> None:
        event.stop()
        self.post_message(self.Highlighted())

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        self.post_message(self.Chosen())
