"""The one-time reveal: a new key's secret, until it is kept or discarded."""

from enum import Enum
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Static

from keytui.errors import StoreError
from keytui.lifecycle import Lifecycle
from keytui.outcomes import Custody
from keytui.parts import Parts
from keytui.plain import plain
from keytui.stores.base import SecretStore
from keytui.stores.clipboard import osc52, osc52_clear
from keytui.ui.screens.dialogs import Dialog, Note, PathScreen, TypeScreen
from keytui.ui.text import DIM, FAILS, GOOD, WARNS, place
from keytui.ui.threads import in_thread

HIDDEN = "•" * 40


class Closing(Enum):
    """How the reveal was closed."""

    KEPT = "kept"
    DISCARDED = "discarded"


class RevealScreen(Dialog[Closing]):
    """Shows the secret, keeps it on request, and can't be closed while it is nowhere."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "show", "Show"),
        Binding("k", "keyring", "Keyring"),
        Binding("f", "csv", "CSV file"),
        Binding("y", "clipboard", "Clipboard"),
        Binding("escape", "close", "Close", key_display="esc"),
    ]
    SHOW_SECONDS: ClassVar[float] = 30
    """After how long a shown secret hides itself and a sent one is cleared."""

    def __init__(self, custody: Custody, lifecycle: Lifecycle, parts: Parts) -> None:
        super().__init__("Secret access key ─ shown only now")
        self._custody, self._lifecycle, self._parts = custody, lifecycle, parts
        self._shown = False
        self._busy = False
        self._hide: Timer | None = None
        self._clear: Timer | None = None
        self._said = Text()

    def content(self) -> ComposeResult:
        """Yield the key, the secret and where it is kept."""
        key = self._custody.new.key
        yield Static(Text.assemble(("User           ", DIM), plain(key.user.name)))
        yield Static(Text.assemble(("Access key ID  ", DIM), (plain(key.id), "bold")))
        yield Static(id="secret")
        yield Static(id="where")
        yield Note(id="said")

    def on_mount(self) -> None:
        """Draw with the secret hidden."""
        super().on_mount()
        self._draw()

    def on_unmount(self) -> None:
        """Leave nothing in the terminal's clipboard."""
        self._clear_clipboard()

    def action_show(self) -> None:
        """Show or hide the secret."""
        self._set_shown(not self._shown)
        if self._shown:
            self._remember_shown()

    def action_keyring(self) -> None:
        """Put the secret into the OS keyring."""
        self.keep(self._parts.keyring)

    @work(description="ask for a path")
    async def action_csv(self) -> None:
        """Save the secret in a CSV file."""
        path = str(self._parts.csv_path(self._custody.new.key.user))
        chosen = await self.app.push_screen_wait(PathScreen("Save a CSV file", path))
        if chosen:
            self.keep(self._parts.csv_file(chosen))

    def action_clipboard(self) -> None:
        """Send the secret to the terminal's clipboard; delivery can't be known."""
        self._write_to_terminal(osc52(self._custody.new.secret.reveal()))
        self._remember_shown()
        if self._clear:
            self._clear.stop()
        self._clear = self.set_timer(self.SHOW_SECONDS, self._clear_clipboard)
        self._say("Sent to the terminal's clipboard; keytui can't know whether it arrived.", "")

    @work(description="remember that the secret was shown")
    async def _remember_shown(self) -> None:
        await in_thread(lambda: self._lifecycle.shown(self._custody))
        self._draw()

    @work(description="keep the secret")
    async def keep(self, store: SecretStore) -> None:
        """Put the secret into a store and show what came of it."""
        if self._busy:
            return
        self._busy = True
        self._say("Keeping it…", DIM)
        try:
            await in_thread(lambda: self._lifecycle.keep(self._custody, store))
            self._say("", "")
        except StoreError as error:
            self._say(str(error), FAILS)
        finally:
            self._busy = False

    @work(description="close the reveal")
    async def action_close(self) -> None:
        """Close; where the secret is nowhere, only after ``discard`` was typed."""
        if self._busy:
            return
        if self._custody.kept:
            self.dismiss(Closing.KEPT)
            return
        self._set_shown(False)
        discard = TypeScreen(
            "The secret is kept nowhere",
            "discard",
            "discard",
            "Closing now loses it for good: AWS does not show it again.",
            "esc goes back; there, k puts it into the OS keyring and f into a file.",
        )
        if await self.app.push_screen_wait(discard):
            self.dismiss(Closing.DISCARDED)

    def _set_shown(self, shown: bool) -> None:
        if self._hide:
            self._hide.stop()
        self._shown = shown
        if shown:
            self._hide = self.set_timer(self.SHOW_SECONDS, lambda: self._set_shown(False))
        self._draw()

    def _say(self, text: str, style: str) -> None:
        self._said = Text(plain(text), style=style)
        self._draw()

    def _draw(self) -> None:
        secret = self._custody.new.secret.reveal() if self._shown else HIDDEN
        line = Text.assemble(("Secret         ", DIM), plain(secret))
        self.query_one("#secret", Static).update(line)
        self.query_one("#where", Static).update(self._where())
        self.query_one("#said", Note).say(self._said)

    def _where(self) -> Text:
        custody = self._custody
        lines = [
            Text(f"✓ In {plain(place(receipt))}, read back", style=GOOD)
            for receipt in custody.receipts
        ]
        if custody.problem:
            lines.append(Text(f"✗ {plain(str(custody.problem))}", style=FAILS))
        if not custody.kept:
            lines.append(Text("! It is kept nowhere yet.", style=f"bold {WARNS}"))
        lines += [Text(f"! {plain(str(warning))}", style=WARNS) for warning in custody.warnings]
        return Text("\n").join(lines)

    def _clear_clipboard(self) -> None:
        if self._clear:
            self._clear.stop()
            self._clear = None
            self._write_to_terminal(osc52_clear())

    def _write_to_terminal(self, sequence: str) -> None:
        # Textual's own copy_to_clipboard keeps the text in the app; a secret must not stay.
        if driver := self.app._driver:  # noqa: SLF001
            driver.write(sequence)
