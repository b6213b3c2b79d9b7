"""The secrets that the keyring holds, one a line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from keytui.core.model import KeyStatus, Secret
from keytui.core.text import plain
from keytui.journal.history import place
from keytui.stores.vault import ASKING, Held, Standing
from keytui.tui.widgets.lines import Line
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import DIM, GLYPHS, STATUS_STYLES, WARNS, ago, fit, moment

HIDDEN = "•" * 40


class HeldDetail(Vertical):
    """Three lines: whose secret it is, whether IAM has its key, the secret."""

    def compose(self) -> ComposeResult:
        """Lay out the lines."""
        yield Line(id="about")
        yield Line(id="why")
        yield Line(id="secret")

    def show(self, one: Held, now: Standing, secret: Secret | None) -> None:
        """Show these; the secret is hidden where it is None."""
        self._line("about", Text(_about(one)))
        self._line("why", Text(plain(_why(now)), style=DIM))
        text = plain(secret.reveal()) if secret else HIDDEN
        self._line("secret", Text.assemble(("Secret  ", DIM), text))

    def _line(self, name: str, text: Text) -> None:
        text.truncate(max(self.size.width, 1), overflow="ellipsis")
        self.query_one(f"#{name}", Line).show_line(text)


def _about(one: Held) -> str:
    whose = f"{one.user or 'of an unknown user'} in {one.account or 'an unknown account'}"
    return plain(f"{whose}, stored {moment(one.stored_at)} in {place(one.locator)}")


def _why(now: Standing) -> str:
    if now.asking:
        return "AWS is being asked whether it still has the key."
    if now.gone:
        return "IAM has this key no more: its secret is of no use, and x forgets it."
    return f"IAM has this key: {now.status.value}." if now.status else f"Unknown: {now.why}"


ID, ACCOUNT, STORED, STATE, KEYRING = 20, 12, 10, 10, 12
"""Widths of the columns but the user's, which is as wide as the longest name that fits."""
NAME = 12
"""How wide a long user name is at least before a column leaves for it."""
GAP = "  "


@dataclass(frozen=True, slots=True)
class Columns:
    """What there is room for.

    Attributes:
        name: The width of the user's name.
        account: Whether the account is shown.
        stored: Whether it is shown when the secret was stored.
        keyring: Whether it is shown which keyring it is in.
    """

    name: int
    account: bool
    stored: bool
    keyring: bool

    def line(self, cells: Sequence[Text]) -> Text:
        """Lay out ID, user, account, stored, state and keyring."""
        widths = (ID, self.name, ACCOUNT, STORED, STATE, KEYRING)
        shown = (True, True, self.account, self.stored, True, self.keyring)
        parts = []
        for cell, width, there in zip(cells, widths, shown, strict=True):
            if there:
                text = fit(cell.plain, width)
                parts.append(Text(text + " " * (width - cell_len(text)), style=cell.style))
        return Text(GAP).join(parts)


class VaultList(Rows):
    """The secrets that pass the filter."""

    HEADER_LINES = 1

    def __init__(self, now: datetime, current: str, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        """Take what the lines are told by.

        Args:
            now: The time that ages are counted to.
            current: The locator of the keyring in use; others are named.
            id: The widget's ID.
        """
        super().__init__(id=id)
        self._now, self._current = now, current
        self.held: Sequence[Held] = ()
        """The secrets shown."""
        self._standings: Mapping[Held, Standing] = {}

    @property
    def row_count(self) -> int:
        """How many secrets are shown."""
        return len(self.held)

    @property
    def one(self) -> Held | None:
        """The secret under the cursor."""
        return self.held[self.cursor] if self.cursor < len(self.held) else None

    def show(self, held: Sequence[Held], standings: Mapping[Held, Standing]) -> None:
        """Show these secrets; the cursor stays on its secret, or else on its line."""
        before = self.one
        self.held, self._standings = held, standings
        self.rows_changed(held.index(before) if before in held else self.cursor)

    def draw_header(self, width: int) -> Text:
        """Return the names of the columns."""
        names = ("Access key ID", "User", "Account", "Stored", "In IAM", "Keyring")
        header = self._columns(width).line([Text(name) for name in names])
        return Text(fit(header.plain, width), style=DIM)

    def draw_row(self, index: int, width: int) -> Text:
        """Return a secret's line."""
        one = self.held[index]
        cells = (one.key_id, one.user or "–", one.account or "–", ago(one.stored_at, self._now))
        texts = [Text(plain(cell)) for cell in cells]
        texts += [state(self._standings.get(one, ASKING)), Text(self._keyring(one), style=DIM)]
        line = self._columns(width).line(texts)
        line.truncate(width)
        return line

    def _keyring(self, one: Held) -> str:
        if one.locator == self._current:
            return ""
        return f"in {plain(one.locator.partition(':')[2] or 'OS keyring')}"

    def _columns(self, width: int) -> Columns:
        """Choose what there is room for; the time goes first, then the account."""
        longest = max((cell_len(plain(one.user)) for one in self.held), default=0)
        elsewhere = any(one.locator != self._current for one in self.held)
        room = width - ID - STATE - 2 * len(GAP)
        room -= KEYRING + len(GAP) if elsewhere else 0
        least = min(max(longest, len("User")), NAME)
        account = room - ACCOUNT - len(GAP) >= least
        room -= ACCOUNT + len(GAP) if account else 0
        stored = account and room - STORED - len(GAP) >= least
        room -= STORED + len(GAP) if stored else 0
        return Columns(max(min(longest, room), least), account, stored, elsewhere)


def state(standing: Standing) -> Text:
    """Return in a word whether IAM still has a key."""
    if standing.asking:
        return Text("… asking", style=DIM)
    if standing.status is None:
        return Text("? unknown", style=WARNS)
    word = "gone" if standing.status is KeyStatus.DELETED else standing.status.value
    return Text(f"{GLYPHS[standing.status]} {word}", style=STATUS_STYLES[standing.status])
