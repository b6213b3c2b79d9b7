"""The right pane: a user, their keys, and the detail of the key under the cursor."""

from collections.abc import Container
from datetime import datetime

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from typing_extensions import override

from keytui.core.errors import KeytuiError
from keytui.core.model import AccessKey, KeyStatus, User
from keytui.core.rules import Thresholds
from keytui.core.text import plain
from keytui.session.inventory import KeyList
from keytui.tui.main.key_table import KeyTable
from keytui.tui.widgets.key_text import KeyDetail
from keytui.tui.widgets.lines import Line
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import FAILS, WARNS, ago, count


class KeysPane(Vertical):
    """The keys of one user."""

    class Highlighted(Message):
        """Another key is under the cursor."""

    class Opened(Message):
        """The key under the cursor was chosen."""

    def __init__(
        self,
        limits: Thresholds,
        *,
        id: str | None = None,  # noqa: A002 - Textual's name
    ) -> None:
        super().__init__(id=id)
        self._limits = limits
        self._user: User | None = None
        self._known: KeyList | None = None
        self._now: datetime | None = None

    @override
    def compose(self) -> ComposeResult:
        yield Line(id="user")
        yield KeyTable(self._limits, id="keys")
        yield KeyDetail(self._limits, id="detail")

    @property
    def table(self) -> KeyTable:
        """The table of keys."""
        return self.query_one(KeyTable)

    @property
    def key(self) -> AccessKey | None:
        """The key under the cursor."""
        return self.table.key

    def find(self, key_id: str) -> AccessKey | None:
        """Return the key shown that has this ID."""
        return next((key for key in self.table.keys if key.id == key_id), None)

    @property
    def live(self) -> int:
        """How many of the keys shown are at AWS."""
        return sum(key.status is not KeyStatus.DELETED for key in self.table.keys)

    def show(
        self,
        user: User | None,
        known: KeyList | None,
        now: datetime,
        *,
        pending: dict[str, KeyStatus],
        marks: Container[str],
        deleted: bool,
        keep: str = "",
    ) -> None:
        """Show a user's keys.

        Args:
            user: The user; None where the list is empty.
            known: What has been read; None while it is read.
            now: The time that ages are counted from.
            pending: Access key ID → the status that AWS does not list yet.
            marks: The IDs of marked keys.
            deleted: Whether to show the deleted keys too.
            keep: The key ID to put the cursor on; empty to leave it where it is.
        """
        keep = keep or (self.key.id if self.key else "")
        self._user, self._known, self._now = user, known, now
        shown = known.keys if known else ()
        if known and deleted:
            shown += known.deleted
        self.table.show(shown, now, pending, marks, keep)
        self.query_one("#user", Line).show_line(_title(user, known, now))
        self._show_detail()

    def problem(self, user: User, error: KeytuiError) -> None:
        """Say that a user's keys could not be read, if that user is still shown."""
        if self._user is None or user.name != self._user.name:
            return
        more = " ".join(part for part in (error.safe, error.next_step) if part)
        what = Text(f"✗ {plain(error.title)}", style=FAILS)
        self.query_one("#user", Line).show_line(Text(plain(user.name), style="bold"))
        self.query_one(KeyDetail).show_sentences([what, Text(plain(more))])

    @on(Rows.Highlighted)
    def _highlighted(self, event: Rows.Highlighted) -> None:
        event.stop()
        self._show_detail()
        self.post_message(self.Highlighted())

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        self.post_message(self.Opened())

    def _show_detail(self) -> None:
        if self._now:
            self.query_one(KeyDetail).show(self._user, self.key, self._known, self._now)


def _title(user: User | None, known: KeyList | None, now: datetime) -> Text:
    line = Text()
    if user is None:
        return line
    line.append(plain(user.name), style="bold")
    facts = [count(len(known.keys), "key") if known else "reading…"]
    if user.created:
        facts.append(f"created {ago(user.created, now)}")
    line.append("  " + " · ".join(facts), style="dim")
    if user.is_root:
        line.append("  These keys can do anything: delete them.", style=WARNS)
    return line
