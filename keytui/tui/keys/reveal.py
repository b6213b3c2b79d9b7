"""The one-time reveal: a new key's secret, until it is kept or discarded."""

from enum import Enum
from typing import ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Static
from typing_extensions import override

from keytui.core.errors import StoreError, StoreLockedError
from keytui.core.text import plain
from keytui.keys.operations import Lifecycle
from keytui.keys.outcomes import Custody
from keytui.session.context import Context
from keytui.stores.base import SecretStore
from keytui.tui.dialogs.dialogs import Dialog, Note, PathScreen, TypeScreen, sentences
from keytui.tui.dialogs.unlock import UnlockScreen
from keytui.tui.services.copier import Copier, copier
from keytui.tui.services.flow_runner import FlowRunner
from keytui.tui.services.threads import in_thread
from keytui.tui.widgets.text import DIM, FAILS, GOOD, WARNS, place

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
        Binding("f", "csv", "CSV"),
        Binding("p", "profile", "Profile"),
        Binding("y", "clipboard", "Copy"),
        Binding("escape", "close", "Close", key_display="esc"),
    ]
    SHOW_SECONDS: ClassVar[float] = 30
    """After how long a shown secret hides itself."""

    def __init__(self, custody: Custody, lifecycle: Lifecycle, ctx: Context) -> None:
        super().__init__("Secret access key ─ shown only now")
        self._custody, self._lifecycle, self._ctx = custody, lifecycle, ctx
        self._shown = False
        self._busy = False
        self._locked = False
        self._hide: Timer | None = None
        self._said = Text()
        self._flows = FlowRunner(self, lambda error: self._say(str(error), FAILS))

    @override
    def content(self) -> ComposeResult:
        key = self._custody.new.key
        yield Static(Text.assemble(("User           ", DIM), plain(key.user.name)))
        yield Static(Text.assemble(("Access key ID  ", DIM), (plain(key.id), "bold")))
        yield Static(id="secret")
        yield Static(id="where")
        yield Note(id="said")

    def on_mount(self) -> None:
        super().on_mount()
        self._draw()

    def on_unmount(self) -> None:
        copier(self.app).clear_soon()

    def action_show(self) -> None:
        self._set_shown(not self._shown)
        if self._shown:
            self._remember_shown()

    def action_keyring(self) -> None:
        self.keep(self._ctx.keyring)

    @work(description="ask for a path")
    async def action_csv(self) -> None:
        path = str(self._ctx.csv_path(self._custody.new.key.user))
        chosen = await self.app.push_screen_wait(PathScreen("Save a CSV file", path))
        if chosen:
            self.keep(self._ctx.csv_file(chosen))

    @work(description="write an AWS profile")
    async def action_profile(self) -> None:
        """Write an AWS profile; the secret is put into the OS keyring first."""
        from keytui.tui.keys.profile import write_profile  # Not needed for the first frame.

        if self._busy:
            return
        self._busy = True
        key = self._custody.new.key
        self._flows.typed.hold()
        try:
            said = await write_profile(
                self._flows.ask, self._ctx, key.id, key.user.name, self._put_into_keyring
            )
            self._said = sentences(*said)
            self._said.stylize(GOOD)
            self._draw()
        except StoreError as error:
            self._say(str(error), FAILS)
        finally:
            self._busy = False
            self._flows.typed.release()

    def _put_into_keyring(self) -> None:
        keyring = self._ctx.keyring
        if all(receipt.store != keyring.name for receipt in self._custody.receipts):
            self._lifecycle.keep(self._custody, keyring)

    @work(description="send the secret to the clipboard")
    async def action_clipboard(self) -> None:
        """Send the secret to the clipboard; a terminal does not say whether it took it."""
        await in_thread(lambda: self._lifecycle.shown(self._custody))
        sent = await copier(self.app).send(self._custody.new.secret)
        after = f" It is cleared after {Copier.SECONDS:.0f} s and on close." if sent.sent else ""
        self._say(sent.sentence + after, "" if sent.sent else WARNS)

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
        try:
            await self._keep(store)
            if self._locked and await self._unlock():
                await self._keep(store)
        finally:
            self._busy = False

    async def _keep(self, store: SecretStore) -> None:
        self._say("Keeping it…", DIM)
        self._locked = False
        try:
            await in_thread(lambda: self._lifecycle.keep(self._custody, store))
            self._say("", "")
        except StoreError as error:
            self._say(str(error), FAILS)
            self._locked = isinstance(error, StoreLockedError)

    async def _unlock(self) -> bool:
        """Offer to unlock the keyring, which has just said that it is locked."""
        self._set_shown(False)
        keyring = self._ctx.keyring
        probe = await in_thread(lambda: keyring.probe(canary=False))
        return probe.can_be_unlocked and await self.app.push_screen_wait(
            UnlockScreen(keyring, probe, self._ctx.settings.gate)
        )

    def close_first(self) -> None:
        """Close it before keytui ends."""
        self.action_close()

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
