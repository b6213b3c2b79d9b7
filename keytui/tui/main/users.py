"""The left pane: a filter and the users that pass it."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.strip import Strip
from typing_extensions import override

from keytui.core.key_ids import key_ids
from keytui.core.model import User
from keytui.core.rules import Finding, findings
from keytui.core.text import plain
from keytui.session.context import Context
from keytui.session.inventory import Inventory
from keytui.tui.services.state import AccountState
from keytui.tui.widgets.lines import PLAIN, LineInput
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import ACCENT, DIM, FAILS, WARNS, count, fit

Mark = tuple[tuple[str, str], ...]
"""Texts with their styles."""
Marker = Callable[[User, int], Mark]
"""Takes a user and how many cells are left beside the name; empty where nothing is known."""


def marker(account: AccountState, ctx: Context) -> Marker:
    """Return what marks the users of an account.

    The keys as they were read last count, else the credential report's.
    """

    def mark(user: User, room: int) -> Mark:
        known, audited_at = account.inventory.keys_of(user), account.audit.read_at(user.name)
        if known and known.complete and not (audited_at and known.read_at < audited_at):
            now, limits = ctx.now(), ctx.settings.limits
            return _mark([findings(key, known.keys, now, limits) for key in known.keys], room)
        if account.audit.knows(user.name):
            return _mark([row.findings for row in account.audit.of_user(user.name)], room)
        return ()

    return mark


def _mark(found: Sequence[tuple[Finding, ...]], room: int) -> Mark:
    """Return the number of keys, and the gravest rule that one breaks: in a word, or as ``!``.

    Where there is no room beside the name, the number leaves before the ``!``.
    """
    failing = [one.rule for its in found for one in its if one.fails]
    number = str(len(found))
    if not failing:
        return ((number, DIM),) if len(number) <= room else ()
    word = min(failing, key=lambda rule: rule.rank).word
    for told in (f"{number} {word}", f"{number} !"):
        if len(told) <= room:
            return (number, DIM), (told.removeprefix(number), FAILS)
    return (("!", FAILS),)


def badges(account: AccountState) -> dict[str, str]:
    """Return user name → what stands behind it: how far a rotation is, or that keys are marked."""
    found = {one.user: one.brief for one in account.rotations}
    return found | dict.fromkeys((user.name for user in account.marks.values()), "✓")


KEPT_STRIPS = 2_000
"""So many drawn lines are kept: those of a filter typed letter by letter come again."""


class UserList(Rows):
    """The users that pass the filter."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self.users: Sequence[User] = []
        """The users shown."""
        self._nobody = ""
        self._badges: Mapping[str, str] = {}
        self._marker: Marker | None = None
        self._strips: dict[tuple[str, Mark, int], Strip] = {}

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
        *,
        nearby: bool = False,
    ) -> None:
        """Show these users.

        Posts ``Highlighted`` where another user comes under the cursor.

        Args:
            users: The users.
            keep: The one to leave the cursor on, if it is among them.
            nobody: What the list says where there are none.
            badges: User name → a word or glyph behind it.
            marker: What tells of a user's keys, at the right edge.
            nearby: Where ``keep`` is not among them, stay near its place; else go to the top.
        """
        before, self._nobody, self._badges = self.user, nobody, badges
        self._marker = marker
        below, self.users = self.users[self.cursor :] if nearby else (), users
        places = (i for i, user in enumerate(users) if keep and user.name == keep.name)
        place = next(places, None)
        self.rows_changed(self._next_of(below) if place is None else place)
        if (self.user and self.user.name) != (before and before.name):
            self.post_message(self.Highlighted(self))

    def _next_of(self, below: Sequence[User]) -> int:
        """Return where the first of these is that is shown; below them all the last one."""
        places = {user.name: index for index, user in enumerate(self.users)} if below else {}
        found = (places[user.name] for user in below if user.name in places)
        return next(found, len(self.users) if below else 0)

    @override
    def draw_line(self, y: int, width: int) -> Text:
        if not self.users and y == 0:
            return Text(fit(f"  {self._nobody}", width), style="dim")
        return super().draw_line(y, width)

    def draw_strip(self, y: int, width: int) -> Strip:
        """Return a line; most are as they were drawn before, or nothing but a name and a mark.

        Those are put together here: of a filter's key this is what is waited for.
        """
        index = y + self._top
        user = self.users[index] if index < len(self.users) and index != self.cursor else None
        if user is None or user.is_root or user.name in self._badges:
            return super().draw_strip(y, width)
        name = plain(user.name)
        mark = self._mark(user, width - 4 - cell_len(name))
        known = (name, mark, width)
        if known not in self._strips:
            if len(self._strips) > KEPT_STRIPS:
                self._strips.clear()
            self._strips[known] = _strip(f"  {fit(name, width - 3 - _room(mark))}", mark, width)
        return self._strips[known]

    def draw_row(self, index: int, width: int) -> Text:
        """Return a user's line."""
        user = self.users[index]
        here = index == self.cursor
        badge = self._badges.get(user.name, "")
        name, room = plain(user.name), width - 3 - (cell_len(badge) + 1 if badge else 0)
        mark = self._mark(user, room - cell_len(name) - 1)
        style = "bold" if here else WARNS if user.is_root else ""
        name = fit(name, room - _room(mark))
        row = Text.assemble((f"{'▸' if here else ' '} {name}", style))
        if badge:
            row.append(f" {badge}", ACCENT)
        if mark:
            row.pad_right(width - _room(mark) - row.cell_len)
            row.append_text(Text.assemble(*mark))
        return row

    def _mark(self, user: User, room: int) -> Mark:
        """Return what tells of a user's keys."""
        return self._marker(user, room) if self._marker else ()


def _room(mark: Mark) -> int:
    """Return the cells that a mark takes, with one before it."""
    return sum(len(text) for text, _ in mark) + 1 if mark else 0


def _strip(text: str, mark: Mark, width: int) -> Strip:
    """Return a line with a mark near the right edge."""
    before = width - _room(mark) if mark else width
    segments = [Segment(text + " " * (before - cell_len(text)), PLAIN)]
    segments += [Segment(text, Style.parse(style)) for text, style in mark]
    return Strip([*segments, Segment(" ", PLAIN)] if mark else segments, width)


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

    @override
    def compose(self) -> ComposeResult:
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
