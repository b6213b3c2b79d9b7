"""The users, one a line."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from rich.cells import cell_len
from rich.text import Text

from keytui.model import User
from keytui.plain import plain
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
    ) -> None:
        """Show these users.

        Posts ``Highlighted`` where another user comes under the cursor.

        Args:
            users: The users.
            keep: The one to leave the cursor on, if it is among them.
            nobody: What the list says where there are none.
            badges: User name → a word or glyph behind it.
        """
        before, self._nobody, self._badges = self.user, nobody, badges
        self.users = users
        names = (i for i, user in enumerate(users) if keep and user.name == keep.name)
        self.rows_changed(next(names, 0))
        if self.user != before:
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
        room = width - 3 - (cell_len(badge) + 1 if badge else 0)
        name = fit(plain(user.name), room)
        style = "bold" if here else WARNS if user.is_root else ""
        row = Text(f"{'▸' if here else ' '} {name}", style=style)
        return row.append(f" {badge}", ACCENT) if badge else row
