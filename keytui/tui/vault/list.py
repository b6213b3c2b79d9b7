"""The secrets that the keyring holds, one a line."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from keytui.core.model import KeyStatus, Secret
from keytui.core.text import plain
from keytui.journal.history import place
from keytui.stores.vault import ASKING, Held, Standing
from keytui.tui.widgets.columns import Column, Columns
from keytui.tui.widgets.lines import Line
from keytui.tui.widgets.rows import Rows
from keytui.tui.widgets.text import DIM, GLYPHS, STATUS_STYLES, WARNS, ago, moment

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


COLUMNS = Columns(
    Column("Access key ID", (20,)),
    Column("User", (32, 24, 18, 10)),
    Column("Account", (12,), rank=1),
    Column("Stored", (10,), rank=2),
    Column("In IAM", (10,)),
    Column("Keyring", (12,), rank=3),
)


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
        return COLUMNS.header(width)

    def draw_row(self, index: int, width: int) -> Text:
        """Return a secret's line."""
        one = self.held[index]
        cells = (one.key_id, one.user or "–", one.account or "–", ago(one.stored_at, self._now))
        texts = [Text(plain(cell)) for cell in cells]
        texts += [state(self._standings.get(one, ASKING)), Text(self._keyring(one), style=DIM)]
        return COLUMNS.line(Text(), texts, width)

    def _keyring(self, one: Held) -> str:
        if one.locator == self._current:
            return ""
        return f"in {plain(one.locator.partition(':')[2] or 'OS keyring')}"


def state(standing: Standing) -> Text:
    """Return in a word whether IAM still has a key."""
    if standing.asking:
        return Text("… asking", style=DIM)
    if standing.status is None:
        return Text("? unknown", style=WARNS)
    word = "gone" if standing.status is KeyStatus.DELETED else standing.status.value
    return Text(f"{GLYPHS[standing.status]} {word}", style=STATUS_STYLES[standing.status])
