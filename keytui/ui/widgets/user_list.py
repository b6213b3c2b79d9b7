"""The users, one a line."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rich.cells import cell_len
from rich.text import Text

from keytui.model import User
from keytui.plain import plain
from keytui.ui.markers import Marker
from keytui.ui.text import ACCENT, WARNS, fit
from keytui.ui.widgets.rows import Rows


class UserList(Rows):
    """The users that pass the filter."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.users: Sequence[User] = []
        """The users shown."""
        self._nobody = ""
        self._badges: Mapping[str, str] = {}
        self._marker: Marker | None = None

    @property
    def row_count(self) -> int:
        """How many users are shown."""
        return len(self.users)

    @property
    def user(self) -> User | None:
        """The user under the cursor."""
        return self.users[self.cursor] if self.cursor < len(self.users) else None

    def show(
        self,
        users: Sequence[User],
        keep: User | None,
        nobody: str = "",
        badges: Mapping[str, str] = MappingProxyType({}),
        marker: Marker | None = None,
    ) -> None:
        """Show these users.

        Posts ``Highlighted`` where another user comes under the cursor.

        Args:
            users: The users.
            keep: The one to leave the cursor on, if it is among them.
            nobody: What the list says where there are none.
            badges: User name → a word or glyph behind it.
            marker: What tells of a user's keys, at the right edge.
        """
        before, self._nobody, self._badges = self.user, nobody, badges
        self._marker = marker
        self.users = users
        names = (i for i, user in enumerate(users) if keep and user.name == keep.name)
        self.rows_changed(next(names, 0))
        if (self.user and self.user.name) != (before and before.name):
            self.post_message(self.Highlighted(self))

    def draw_line(self, y: int, width: int) -> Text:
        """Return a line of the list."""
        if not self.users and y == 0:
            return Text(fit(f"  {self._nobody}", width), style="dim")
        return super().draw_line(y, width)

    def draw_row(self, index: int, width: int) -> Text:
        """Return a user's line."""
        user = self.users[index]
        here = index == self.cursor
        badge = self._badges.get(user.name, "")
        name, room = plain(user.name), width - 3 - (cell_len(badge) + 1 if badge else 0)
        mark = (self._marker and self._marker(user, room - cell_len(name) - 1)) or Text()
        name = fit(name, room - (mark.cell_len + 1 if mark else 0))
        style = "bold" if here else WARNS if user.is_root else ""
        row = Text.assemble((f"{'▸' if here else ' '} {name}", style))
        if badge:
            row.append(f" {badge}", ACCENT)
        if mark:
            row.pad_right(width - 1 - row.cell_len - mark.cell_len)
            row.append_text(mark)
        return row
