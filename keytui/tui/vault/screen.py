"""The vault: the secrets that this machine's keyring holds, and the verbs on them."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import Static
from typing_extensions import override

from keytui.core.errors import KeytuiError, NotStoredError
from keytui.core.model import KeyStatus, Secret
from keytui.core.text import plain
from keytui.journal.history import place
from keytui.stores.vault import ASKING, Held, Standing, unasked
from keytui.tui.dialogs.dialogs import FilteredScreen, sentences
from keytui.tui.dialogs.unlock import when_open
from keytui.tui.keys.profile import write_profile
from keytui.tui.services.copier import Copier, copier
from keytui.tui.services.flow_runner import FlowRunner
from keytui.tui.services.stage import Stage
from keytui.tui.services.state import AccountState
from keytui.tui.services.threads import in_thread
from keytui.tui.vault import flow as verbs
from keytui.tui.widgets.bars import KeyHints, MessageBar, TooSmall, show
from keytui.tui.widgets.lines import Line, LineInput
from keytui.tui.widgets.rows import Column, Columns, Rows
from keytui.tui.widgets.text import ACCENT, DIM, GLYPHS, STATUS_STYLES, WARNS, ago, count, moment

HIDDEN = "•" * 40


class HeldDetail(Vertical):
    """Three lines: whose secret it is, whether IAM has its key, the secret."""

    @override
    def compose(self) -> ComposeResult:
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


T = TypeVar("T")

EMPTY = (
    "The keyring holds no secret that keytui put there.",
    "c creates a key, keytui import takes one from a file.",
)
NEED_ONE = {"show", "copy", "profile", "test", "forget"}
"""The actions on the secret under the cursor."""
CHANGES = {"profile", "forget"}
"""Those that change something."""

Verb = Callable[[Held], Coroutine[Any, Any, None]]


class VaultScreen(FilteredScreen[None]):
    """Lists the secrets, and shows, copies, tests and forgets them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "show", "Show"),
        Binding("y", "copy", "Copy"),
        Binding("p", "profile", "Profile"),
        Binding("t", "test", "Test"),
        # Priority, so that what is typed right after it goes into the filter.
        Binding("slash", "filter", "Filter", key_display="/", priority=True),
        Binding("x", "forget", "Forget"),
        Binding("escape", "back", "Back", key_display="esc"),
        Binding("q", "dismiss(None)", show=False),
    ]
    SHOW_SECONDS: ClassVar[float] = 30
    """After how long a shown secret hides itself."""

    def __init__(self, stage: Stage, held: Sequence[Held], account: AccountState | None) -> None:
        """Take the stage for dialogs, what is held, and the account if one is connected."""
        super().__init__()
        self._stage, self._ctx = stage, stage.ctx
        self._account = account
        self._held = list(held)
        identity = account.identity if account else None
        self._standings = {one: unasked(one, identity) or ASKING for one in held}
        self._secret: Secret | None = None
        self._hiding: Timer | None = None
        self._flows = FlowRunner(self, self._problem)

    @override
    def compose(self) -> ComposeResult:
        yield Line(id="heading")
        yield LineInput(placeholder="/ filter", id="filter")
        yield Static(sentences(*EMPTY), id="empty")
        yield VaultList(self._ctx.now(), self._ctx.keyring.locator, id="vault")
        yield HeldDetail(id="held")
        yield MessageBar(id="message")
        yield KeyHints()
        yield TooSmall()

    def on_mount(self) -> None:
        self.query_one(MessageBar).say("")
        self._show()
        self.list.focus()
        if account := self._account:
            work = verbs.check(account, self._held, self._ctx, self._tell)
            self.run_worker(work, group="check", description="ask which keys AWS has")

    def on_resize(self) -> None:
        """Fill the lines anew; give the focus back after the terminal was too small."""
        super().on_resize()
        self._draw()

    def on_unmount(self) -> None:
        self._secret = None

    @property
    def list(self) -> VaultList:
        """The list itself."""
        return self.query_one(VaultList)

    @property
    def shows_secret(self) -> bool:
        """Whether a secret is on the screen."""
        return self._secret is not None

    @override
    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        del parameters
        return action not in NEED_ONE or self.list.one is not None

    # The verbs.

    def action_show(self) -> None:
        if self.shows_secret:
            self._hide()
        else:
            self._begin(self._show_secret)

    async def _show_secret(self, one: Held) -> None:
        secret = await self._open(one, lambda: verbs.read(self._ctx, one))
        if self.list.one == one:
            self._secret = secret
            self._hiding = self.set_timer(self.SHOW_SECONDS, self._hide)
            self._draw()

    def action_copy(self) -> None:
        self._begin(self._copy)

    async def _copy(self, one: Held) -> None:
        secret = await self._open(one, lambda: verbs.read(self._ctx, one))
        # Leaving the vault meanwhile must not leave the secret in the clipboard for good.
        sent = await asyncio.shield(copier(self.app).send(secret))
        after = f" It is cleared after {Copier.SECONDS:.0f} s." if sent.sent else ""
        self._say(f"{one.key_id}: {sent.done}; {sent.note}{after}", good=sent.sent)

    def action_profile(self) -> None:
        """Write an AWS profile that takes the secret from the keyring."""
        self._begin(self._write_profile, asks=True)

    async def _write_profile(self, one: Held) -> None:
        def there() -> object:
            return self._ctx.vault.get(one)

        ask = self._stage.ask
        self._say(" ".join(await write_profile(ask, self._ctx, one.key_id, one.user, there)))

    def action_test(self) -> None:
        """Ask AWS whose key it is, with the secret from the keyring."""
        self._begin(self._test)

    async def _test(self, one: Held) -> None:
        self._say(f"Asking AWS with {one.key_id}…", good=False)
        identity = await self._open(one, lambda: verbs.answer(self._ctx, one))
        other = identity.user_name and one.user and identity.user_name != one.user
        record = f" keytui's record says {one.user}." if other else ""
        self._say(f"AWS answers: {identity.label} in {identity.account}.{record}", good=not other)

    def action_forget(self) -> None:
        self._begin(self._forget, asks=True)

    async def _forget(self, one: Held) -> None:
        self._ctx.settings.gate.require_writable()
        if await self._stage.ask(verbs.forget_question(one, self._standings[one])):
            await self._forgotten(one)
            self._say(f"The secret of {one.key_id} is deleted from {place(one.locator)}.")

    def _begin(self, verb: Verb, *, asks: bool = False) -> None:
        """Set a verb going on the secret under the cursor; one under way is waited for no more.

        Keys typed ahead wait for the dialog of one that asks.
        """
        one = self.list.one
        if one is None or self._flows.held:
            return
        self._hide()
        self._say("")
        work = {"group": "verb", "exclusive": True, "description": "work on a secret"}
        self._flows.run(self._do(verb, one), asks=asks, **work)

    def _problem(self, error: KeytuiError) -> None:
        self.query_one(MessageBar).problem(error)

    async def _do(self, verb: Verb, one: Held) -> None:
        if not await self._found(verb, one):
            await self._offer_to_drop(one)

    async def _found(self, verb: Verb, one: Held) -> bool:
        """Do a verb; False, and a message, where the keyring no longer has the secret."""
        try:
            await verb(one)
        except NotStoredError as error:
            self._problem(error)
            return False
        return True

    async def _open(self, one: Held, work: Callable[[], Awaitable[T]]) -> T:
        """Do a piece of work on a secret's keyring; the one in use is offered to be unlocked."""
        keyring = self._ctx.keyring
        if one.locator != keyring.locator:
            return await work()
        return await when_open(self._stage, keyring, work)

    async def _offer_to_drop(self, one: Held) -> None:
        """Offer to strike off what the keyring has no more, unless the user is elsewhere by now."""
        elsewhere = self.app.screen is not self or not self.list.has_focus
        if elsewhere or self._ctx.settings.read_only:
            return
        if await self._stage.ask(verbs.drop_question(one), unforeseen=True):
            await self._forgotten(one)
            self._say(f"{one.key_id} is struck off the list.")

    async def _forgotten(self, one: Held) -> None:
        await self._open(one, lambda: verbs.forget(self._ctx, one))
        self._held.remove(one)
        self._show()

    # Moving and drawing.

    def action_filter(self) -> None:
        self._hide()
        super().action_filter()

    @on(LineInput.Changed)
    def _show(self) -> None:
        """Show what passes the filter."""
        words = self.query_one(LineInput).value.casefold().split()
        shown = [one for one in self._held if all(word in self._words(one) for word in words)]
        self.list.show(shown, self._standings)
        show(self.query_one("#empty"), not self._held)
        show(self.list, bool(self._held))
        self._hide()

    def _words(self, one: Held) -> str:
        said = state(self._standings[one]).plain
        return f"{one.key_id} {one.user} {one.account} {place(one.locator)} {said}".casefold()

    def _tell(self, standings: verbs.Standings) -> None:
        """Take in what IAM says."""
        self._standings.update(standings)
        self.list.redraw()
        self._draw()

    @on(Rows.Highlighted)
    def _hide(self) -> None:
        """Hide the secret; it is read from the keyring again for the next look."""
        self._secret = None
        if self._hiding:
            self._hiding.stop()
        self._draw()

    def _say(self, text: str, good: bool = True) -> None:
        self.query_one(MessageBar).say(text, good)

    def _draw(self) -> None:
        refused = CHANGES if self._ctx.settings.read_only else set()
        shown = [b for b in self.BINDINGS if isinstance(b, Binding) and b.show]
        hints = [b for b in shown if b.action not in refused and self.check_action(b.action, ())]
        self.query_one(KeyHints).show(hints)
        self.query_one("#heading", Line).show_line(self._heading())
        one, detail = self.list.one, self.query_one(HeldDetail)
        detail.visible = one is not None
        if one:
            detail.show(one, self._standings[one], self._secret)

    def _heading(self) -> Text:
        gone = sum(self._standings[one].gone for one in self._held)
        words = [count(len(self._held), "secret")] if self._held else []
        if len(self.list.held) < len(self._held):
            words.append(f"{len(self.list.held)} shown")
        if gone:
            words.append(f"{count(gone, 'key')} gone from IAM")
        return Text.assemble(("Vault", f"bold {ACCENT}"), ("  " + " · ".join(words), DIM))


async def show_vault(stage: Stage) -> None:
    """Show the vault until it is left; it is local, so AWS need not be there."""
    held = await in_thread(stage.ctx.vault.held)
    await stage.ask(VaultScreen(stage, held, _account(stage)))


def _account(stage: Stage) -> AccountState | None:
    try:
        return stage.account
    except KeytuiError:
        return None
