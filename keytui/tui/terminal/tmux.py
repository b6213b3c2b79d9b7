"""The tmux that keytui runs in: what it does with OSC 52, and its paste buffers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from keytui.tui.terminal.desktop import Run

_ASKED = ("version", "set-clipboard", "allow-passthrough", "pane_tty", "client_termfeatures")
_BEFORE_PASSTHROUGH_OPTION = (3, 3)
"""Up to this version tmux handed everything on; from it on only with ``allow-passthrough``."""


@dataclass(frozen=True, slots=True)
class TmuxState:
    """How a tmux is set.

    Attributes:
        set_clipboard: ``on``, ``external`` or ``off``.
        passthrough: Whether it hands on what is wrapped for that.
        terminal: Whether the terminal outside takes a clipboard from it.
    """

    set_clipboard: str
    passthrough: bool
    terminal: bool


class Tmux:
    """Asks the tmux of an environment."""

    def __init__(self, env: Mapping[str, str], run: Run) -> None:
        self._pane, self._run = env.get("TMUX_PANE", ""), run

    def state(self, tty: str) -> TmuxState | None:
        """Return how it is set; None where it does not answer or is not the terminal's.

        Args:
            tty: The terminal keytui draws on; empty where that is not known.
        """
        pane = ("-t", self._pane) if self._pane else ()
        answer = self._ask("display-message", "-p", *pane, "|".join(f"#{{{n}}}" for n in _ASKED))
        values = (answer or "").strip().split("|")
        if len(values) != len(_ASKED):
            return None
        version, set_clipboard, passthrough, pane_tty, features = values
        if tty and pane_tty != tty:  # TMUX is inherited: another terminal was opened from tmux.
            return None
        through = passthrough in {"1", "on", "all"} or _number(version) < _BEFORE_PASSTHROUGH_OPTION
        takes = "clipboard" in features.split(",") or self._has_clipboard()
        return TmuxState(set_clipboard, through, takes)

    def buffers(self) -> frozenset[str] | None:
        """Return the names of the paste buffers; None where it does not answer."""
        answer = self._ask("list-buffers", "-F", "#{buffer_name}")
        return None if answer is None else frozenset(answer.split("\n")) - {""}

    def delete_new(self, before: frozenset[str], holds: Callable[[str], bool]) -> bool:
        """Delete the buffers that were made since and hold a text; return whether one was."""
        found = [
            name
            for name in (self.buffers() or frozenset()) - before
            if holds(self._ask("show-buffer", "-b", name) or "")
        ]
        return bool([name for name in found if self._ask("delete-buffer", "-b", name) is not None])

    def _has_clipboard(self) -> bool:
        """Return whether some terminal's description has the capability, or there is none yet."""
        lines = re.findall(r"\bMs: (.*)", self._ask("show-messages", "-T") or "")
        return not lines or any("[missing]" not in line for line in lines)

    def _ask(self, *words: str) -> str | None:
        return self._run(("tmux", *words), None)


def _number(version: str) -> tuple[int, int]:
    """Return ``(3, 3)`` for ``3.3a`` and ``next-3.3``; a high one where there is none."""
    found = re.search(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (99, 0)
