"""The bars: who acts where, what happened, the keyring, the keys that work; or no room at all."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table
from rich.text import Text
from textual import events
from textual.binding import Binding
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Static

from keytui.core.errors import KeytuiError
from keytui.core.model import Identity
from keytui.core.text import plain
from keytui.stores.base import Probe
from keytui.tui.widgets.lines import Line
from keytui.tui.widgets.text import ACCENT, FAILS, GOOD, WARNS, backend, count

GAP = "  "


class TopBar(Line):
    """Who acts, in which account, and in which mode."""

    def show(
        self, identity: Identity | None, profile: str, endpoint: str, modes: list[str]
    ) -> None:
        """Show these.

        Args:
            identity: The caller; None before AWS has said.
            profile: The AWS profile's name; empty for none.
            endpoint: An endpoint that is not AWS's; empty for AWS.
            modes: Badges, such as READ-ONLY.
        """
        parts = [Text("keytui", style="bold cyan")]
        if identity:
            who = Text.assemble((plain(identity.label), "bold"), f" @ {plain(identity.account)}")
            if identity.partition != "aws":
                who.append(f" {plain(identity.partition)}")
            parts.append(who)
        if profile:
            parts.append(Text(f"profile {plain(profile)}", style="dim"))
        if endpoint:
            parts.append(Text(plain(endpoint), style="dim"))
        badges = [Text(f" {mode} ", style="bold reverse") for mode in modes]
        self.show_line(Text("  ").join([*parts[:1], *badges, *parts[1:]]))


class MessageBar(Static):
    """What happened last; stays until the next thing happens or esc clears it."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._problem: KeytuiError | None = None

    def say(self, text: str, good: bool = True) -> None:
        """Show a sentence; an empty one clears the bar."""
        self._problem = None
        self._show(Text("✓", style=GOOD) if good else Text("!", style=WARNS), Text(plain(text)))
        show(self, bool(text))

    def problem(self, error: KeytuiError) -> None:
        """Show what went wrong, what is safe and what to do."""
        self._problem = error
        more = " ".join(part for part in (error.safe, error.next_step) if part)
        what = Text.assemble((plain(error.title), "bold"), f"\n{plain(more)}" if more else "")
        self._show(Text("✗", style=f"bold {FAILS}"), what)
        show(self, True)

    def take_back(self, error: KeytuiError) -> None:
        """Clear the bar where it still shows this, which is so no more."""
        if self._problem is error:
            self.say("")

    def _show(self, mark: Text, what: Text) -> None:
        grid = Table.grid(padding=(0, 1))
        grid.add_row(mark, what)
        self.update(grid)


class StatusLine(Line):
    """Which keyring is in use, and how many users were read."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._keyring = Text("Keyring: looking…", style="dim")
        self._users = ""
        self._marked = 0
        self._unfinished = Text()

    def keyring(self, probe: Probe) -> None:
        """Show the keyring's state."""
        if probe.writable:
            self._keyring = Text.assemble(
                (f"Keyring: {backend(probe.label) or plain(probe.label)}, unlocked", "dim")
            )
        else:
            reason = plain(probe.reason)
            if probe.can_be_unlocked:
                reason = f"{reason} K unlocks it."
            self._keyring = Text.assemble(("Keyring: ", "dim"), (reason, "yellow"))
        self._draw()

    def unfinished(self, number: int, rotations: Sequence[str]) -> None:
        """Show how many creations were cut short and are open, and which rotations are."""
        self._unfinished = Text()
        if number:
            self._unfinished.append(f"! {count(number, 'creation')} unfinished: H  ", style=FAILS)
        if rotations:
            one = f"{rotations[0][0].upper()}{rotations[0][1:]}"
            what = one if len(rotations) == 1 else f"{len(rotations)} rotations under way"
            self._unfinished.append(f"{plain(what)}: R  ", style=WARNS)
        self._draw()

    def users(self, text: str) -> None:
        """Show how far the reading of users has come."""
        if text != self._users:
            self._users = text
            self._draw()

    def marked(self, number: int) -> None:
        """Show how many keys are marked."""
        if number != self._marked:
            self._marked = number
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    def _draw(self) -> None:
        left = self._unfinished + self._keyring
        marked = f"{self._marked:,} marked" if self._marked else ""
        right = Text.assemble((marked, ACCENT), " · " if marked else "", (self._users, "dim"))
        left.truncate(max(self.size.width - right.cell_len - 3, 10), overflow="ellipsis")
        left.pad_right(self.size.width - left.cell_len - right.cell_len)
        self.show_line(left.append_text(right))


class KeyHints(Line):
    """The keys that work on this screen, clickable; as many as there is room for."""

    KEPT_AT_END = 2
    """How many of the last hints stay when there is no room for all."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id, classes="hints")
        self._bindings_known: list[Binding] = []
        self._shown: list[Binding] = []

    def show(self, bindings: list[Binding]) -> None:
        """Show these bindings, the most needed first, help and quit last."""
        if bindings != self._bindings_known:
            self._bindings_known = bindings
            self._draw()

    def on_resize(self) -> None:
        self._draw()

    async def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        end = 0
        for binding in self._shown:
            start, end = end, end + _hint(binding).cell_len + len(GAP)
            if offset is not None and start <= offset.x < end - len(GAP):
                await self.app.run_action(binding.action, default_namespace=self.screen)

    def _draw(self) -> None:
        shown, width = list(self._bindings_known), self.size.width or self.app.size.width - 2
        while len(shown) > self.KEPT_AT_END and _width(shown) > width:
            del shown[-self.KEPT_AT_END - 1]
        self._shown = shown
        self.show_line(Text(GAP).join(_hint(binding) for binding in shown))


def _width(bindings: list[Binding]) -> int:
    return sum(_hint(binding).cell_len + len(GAP) for binding in bindings) - len(GAP)


def _hint(binding: Binding) -> Text:
    key = binding.key_display or binding.key
    return Text.assemble((key, f"bold {ACCENT}"), " ", binding.description)


def has_no_room(screen: Screen[Any]) -> bool:
    """Return whether the terminal is too small for what is on a screen."""
    return screen.has_class("-tiny") or screen.has_class("-flat")


def show(widget: Widget, wanted: bool) -> None:
    """Show or hide a widget; the style sheet's rule for a screen with no room comes first."""
    widget.styles.display = None if wanted else "none"


class TooSmall(Static):
    """Says how small the terminal is; the style sheet shows it where that is too small."""

    def on_resize(self) -> None:
        width, height = self.app.size
        self.update(
            f"keytui needs 60×20 characters; this terminal has {width}×{height}.\n"
            "Nothing is lost: make it larger."
        )
