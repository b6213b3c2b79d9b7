"""The application: theme, guards and the way out."""

import asyncio
import os
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from rich.text import Text
from textual import events
from textual.app import App, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import Screen

from keytui.session.context import Context
from keytui.tui.main.screen import MainScreen
from keytui.tui.services.copier import Copier
from keytui.tui.services.mfa import MfaDialogs
from keytui.tui.services.typeahead import TypeAhead
from keytui.tui.terminal.clipboard import Clipboard
from keytui.tui.terminal.device import Terminal
from keytui.tui.terminal.driver import driver_for, forget_screen
from keytui.tui.terminal.glyphs import known
from keytui.tui.terminal.job import Job
from keytui.tui.widgets.bars import has_no_room


class KeytuiApp(App[None]):
    """keytui on a terminal. Uses the terminal's own sixteen colours, light or dark."""

    TITLE = "keytui"
    CSS_PATH = "app.tcss"
    ENABLE_COMMAND_PALETTE = True
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - Textual types it as an instance's
        (0, "-tiny"),
        (60, "-narrow"),
        (100, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [  # noqa: RUF012 - Textual types it as an instance's
        (0, "-flat"),
        (20, "-short"),
        (30, "-tall"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q,ctrl+c", "quit", show=False, priority=True),
        Binding("ctrl+l", "redraw", show=False, priority=True),
        Binding("ctrl+z", "suspend", show=False, priority=True),
    ]

    def __init__(
        self, ctx: Context, clipboard: Clipboard | None = None, terminal: Terminal | None = None
    ) -> None:
        self._terminal = terminal
        # Known before the theme is: else NO_COLOR would paint black on black.
        super().__init__(ansi_color=True)
        self.animation_level = "none"
        self.theme = "ansi-dark"
        self.main = MainScreen(ctx)
        self.job = Job(self, self.main.stage, terminal)
        """What job control does to it."""
        self.copier = Copier(self, clipboard or Clipboard(os.environ))
        """The way to the clipboard."""
        give_up = lambda: getattr(self.screen, "give_up", bool)()  # noqa: E731 - False for none
        self.typed = TypeAhead(self, super().on_event, give_up)
        """The keys that wait for their turn."""
        self._mfa = MfaDialogs(self, ctx.mfa, self.main.show_top)
        if ctx.settings.key_ids:
            self.typed.hold()  # Until the key is found; see Reader.open_at.

    def on_mount(self) -> None:
        """Hand keys on in order; leave in order when told to by a signal."""
        self._handing_on = asyncio.create_task(self.typed.run())
        self._handing_on.add_done_callback(self._keys_stopped)
        self._mfa.begin()
        self.job.begin()

    def _keys_stopped(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._handle_exception(error)

    async def on_unmount(self) -> None:
        """Hand no more keys on; leave no secret in the clipboard."""
        self._handing_on.cancel()
        self._mfa.end()
        await self.copier.close()

    async def on_event(self, event: events.Event) -> None:
        """Let keys wait for their turn; everything else goes on at once."""
        if isinstance(event, events.Resize):
            forget_screen(self._driver)
            if event.size == self.size:
                # Small and large again at once: Textual sees no change, the terminal lost text.
                self.screen.refresh()
        if isinstance(event, events.Key) and not event.is_forwarded:
            self.typed.take(event)
        elif not isinstance(event, events.Paste) or not has_no_room(self.screen):
            await super().on_event(event)

    def get_driver_class(self) -> type[Driver]:
        """Draw with the glyphs that this terminal has, in few bytes."""
        return driver_for(super().get_driver_class(), known(os.environ), self._terminal)

    def get_default_screen(self) -> Screen[Any]:
        """Begin with the main screen: one pushed over an empty one is painted twice."""
        return self.main

    def give_back(self) -> None:
        """Give the terminal back at once, waiting for nothing. Any thread."""
        if give_back := getattr(self._driver, "give_back", None):
            give_back()

    @property
    def holds_secret(self) -> bool:
        """Whether a one-time secret is in this process and may be kept nowhere else."""
        return self.main.stage.custody is not None

    @property
    def shows_secret(self) -> bool:
        """Whether a secret is or may be on the screen."""
        showing = (getattr(screen, "shows_secret", False) for screen in self.screen_stack)
        return self.holds_secret or any(showing)

    def action_suspend(self) -> None:
        """Stop as a job of the shell's, unless a secret is at stake."""
        self.job.suspend()

    def action_redraw(self) -> None:
        """Paint all anew, after another program has written over it."""
        forget_screen(self._driver)
        self.screen.refresh()

    async def action_quit(self) -> None:
        if any(not getattr(screen, "can_leave", True) for screen in self.screen_stack):
            self.bell()  # AWS's reply may bring what can't be had twice, or is not on record yet.
        elif close := getattr(self.screen, "close_first", None):
            close()
        elif self.holds_secret:
            self.bell()
        else:
            self.exit()

    def action_command_palette(self) -> None:
        """Open the palette; never over a dialog, and never beside a secret."""
        if self.screen is self.main and not self.holds_secret:
            super().action_command_palette()

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Offer the main screen's actions; the same handlers as the keys."""
        del screen  # The palette opens over the main screen only.
        for binding in self.main.own_bindings():
            action = binding.action

            async def run(action: str = action) -> None:
                await self.main.run_action(action)

            yield SystemCommand(binding.description, binding.tooltip, run)

    def export_screenshot(self, *, title: str | None = None, simplify: bool = False) -> str:
        """Return the screen as SVG; refused beside a secret."""
        if self.shows_secret:
            raise PermissionError("No screenshots while a secret is here")
        return super().export_screenshot(title=title, simplify=simplify)

    def action_screenshot(self, filename: str | None = None, path: str | None = None) -> None:
        if not self.shows_secret:
            super().action_screenshot(filename, path)

    def _print_error_renderables(self) -> None:
        """Wait with it: a secret may have to be seen safe first. See ``tell_fault``."""

    def tell_fault(self) -> None:
        """Print what ``_fatal_error`` has noted; nothing where there was no fault."""
        super()._print_error_renderables()

    def _fatal_error(self) -> None:
        """End after a fault of keytui's own: where it was, but no values and no messages.

        Textual's own report shows local variables, which may hold a secret.
        """
        error = sys.exception() or self._exception
        lines = ["keytui met a fault of its own and had to stop.", ""]
        lines += [
            f"  {Path(frame.filename).name}:{frame.lineno} in {frame.name}"
            for frame in traceback.extract_tb(error.__traceback__ if error else None)
        ]
        lines += [f"  {type(error).__name__}", ""]
        lines.append("Please report these lines; they hold no secret.")
        self._exit_renderables.append(Text("\n".join(lines)))
        self._close_messages_no_wait()
