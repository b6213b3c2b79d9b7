"""The clipboard: the desktop's own where there is one, else the terminal's, by OSC 52.

A terminal can be sent to; whether it took it can't be known. Clearing therefore replaces
whatever is in the terminal's clipboard then: a lost copy of something else is a smaller harm
than a secret that stays. The desktop's can be read, and is cleared only if it still holds
the text. Nothing here keeps a text; a keyed digest tells whether another one is the same.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property, partial
from threading import Lock

from keytui.core.model import Secret
from keytui.tui.terminal import desktop as local_clipboard
from keytui.tui.terminal.desktop import Run, runner

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


_START = "\x1b]52;c;"
_END = "\a"
_CHUNK = 76
"""How much of a sequence goes into one of screen's strings, which hold 256 bytes in old ones."""


def osc52(text: str) -> str:
    """Return the escape sequence that sends a text to the terminal's clipboard.

    Terminals may drop it: tell the user that the text was sent, never that it was copied.
    """
    return f"{_START}{base64.b64encode(text.encode()).decode('ascii')}{_END}"


def osc52_clear() -> str:
    """Return the escape sequence that empties the terminal's clipboard.

    xterm and its kin heed it. tmux passes over it, also with ``set-clipboard on``.
    """
    return f"{_START}{_END}"


def through_tmux(sequence: str) -> str:
    """Return a sequence wrapped so that tmux hands it on as it is (``allow-passthrough on``)."""
    return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"


def through_screen(sequence: str) -> str:
    """Return a sequence wrapped so that GNU screen hands it on as it is, piece by piece."""
    pieces = (sequence[at : at + _CHUNK] for at in range(0, len(sequence), _CHUNK))
    return "".join(f"\x1bP{piece}\x1b\\" for piece in pieces)


__all__ = ["Clipboard", "Outlook", "Sent", "Way", "osc52", "osc52_clear"]

Write = Callable[[str], object]
"""Writes an escape sequence to the terminal."""

_REPLACEMENT = " "
"""What clearing sends first, for those that heed no empty payload, such as tmux."""
_LOOKS, _PAUSE = 20, 0.05
"""How often, and with how many seconds between, a paste buffer is looked for."""


class Way(Enum):
    """How a text reaches a clipboard."""

    LOCAL = "local"
    PLAIN = "plain"
    TMUX = "tmux"
    """tmux takes it, keeps a paste buffer and sends it on."""
    PASSTHROUGH = "passthrough"
    """tmux hands it on and keeps nothing."""
    SCREEN = "screen"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What will happen to a text that is sent.

    Attributes:
        way: How it travels.
        arrives: Whether it will arrive; None where that can't be known.
        sentence: The same for the user.
        mend: The command that mends it; empty where none is needed.
    """

    way: Way
    arrives: bool | None
    sentence: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What happened to a text.

    Attributes:
        sent: Whether it went anywhere.
        done: The same as it stands after ``was``: ``sent to the terminal's clipboard``.
        note: What else is to be known, a clause; with a full stop.
    """

    sent: bool
    done: str
    note: str

    @property
    def sentence(self) -> str:
        """What happened, for the user."""
        return f"{self.done[0].upper()}{self.done[1:]}; {self.note}"


@dataclass(frozen=True, slots=True)
class _Held:
    """Tells a text from others without keeping it."""

    digest: bytes
    key: bytes = field(repr=False)

    @classmethod
    def of(cls, text: str) -> "_Held":
        key = secrets.token_bytes(32)
        return cls(hashlib.blake2b(text.encode(), key=key).digest(), key)

    def matches(self, text: str) -> bool:
        other = hashlib.blake2b(text.encode(), key=self.key).digest()
        return hmac.compare_digest(self.digest, other)


class Clipboard:
    """The clipboard of whoever sits at the terminal. Its methods block, for seconds at most."""

    def __init__(
        self,
        env: Mapping[str, str],
        run: Run | None = None,
        *,
        tty: str | None = None,
        which: Callable[[str], str | None] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take an environment.

        Args:
            env: The environment, which says what stands between keytui and the user.
            run: Runs programs; None for real ones, within a time limit.
            tty: The terminal's device; None to ask the system, empty where it is not known.
            which: Finds a program; None to search the environment's PATH.
            sleep: Waits between two looks at tmux's paste buffers.
        """
        self._env, self._run, self._sleep = env, run or runner(env), sleep
        self._tty = _terminal() if tty is None else tty
        self._which = which or partial(shutil.which, path=env.get("PATH", os.defpath))
        self._tmux = Tmux(env, self._run)
        self._lock = Lock()
        self._held: _Held | None = None
        self._way = Way.PLAIN
        self._buffers_before: frozenset[str] | None = None

    @cached_property
    def _local(self) -> local_clipboard.Programs | None:
        return local_clipboard.find(self._env, self._which)

    @property
    def holds_secret(self) -> bool:
        """Whether a secret was sent that has not been cleared."""
        return self._held is not None

    def outlook(self) -> Outlook:
        """Return what will happen to a text that is sent now."""
        if self._local:
            sentence = f"Goes to this desktop's clipboard, by {self._local.name}."
            return Outlook(Way.LOCAL, True, sentence)
        if self._env.get("TMUX") and (inside := self._in_tmux()):
            return inside
        term = self._env.get("TERM", "")
        if self._env.get("STY") or term.startswith("screen."):
            return Outlook(
                Way.SCREEN,
                None,
                "Goes through screen to the terminal's clipboard; whether that takes it can't be "
                "known.",
            )
        sentence = "Goes to the terminal's clipboard by OSC 52; whether it arrives can't be known."
        if term.startswith(("tmux", "screen")):
            sentence += " The tmux or screen that this login was made from may drop or keep it."
        return Outlook(Way.PLAIN, None, sentence)

    def send(self, text: Secret, write: Write, *, secret: bool = True) -> Sent:
        """Send a text to the clipboard.

        Args:
            text: The text.
            write: Writes to the terminal.
            secret: Whether it is to be cleared later, and must stay in no paste buffer of tmux.
        """
        with self._lock:
            outlook = self.outlook()
            if outlook.way is Way.DROPPED:
                return Sent(False, "not sent", f"{_lower(outlook.sentence)} Mend: {outlook.mend}")
            if outlook.way is Way.LOCAL:
                return self._send_locally(text, secret=secret)
            self._way, self._held = outlook.way, _Held.of(text.reveal()) if secret else None
            if outlook.way is Way.TMUX and secret:
                return self._send_by_tmux(text, write)
            write(self._wrapped(osc52(text.reveal())))
            return Sent(True, "sent to the terminal's clipboard", self._note())

    def clear(self, write: Write) -> None:
        """Clear the clipboard if a secret was sent to it and not cleared since.

        A terminal that heeds no empty payload is left with a space.
        """
        with self._lock:
            held, self._held = self._held, None
            if held is None:
                return
            if self._way is Way.LOCAL and self._local:
                local_clipboard.clear(self._local, held.matches, self._run)
                return
            before = self._tmux.buffers() if self._way is Way.TMUX else None
            write(self._wrapped(osc52(_REPLACEMENT)))
            write(self._wrapped(osc52_clear()))
            if before is not None and self._buffers_before is not None:
                self._tmux.delete_new(self._buffers_before, held.matches)
                self._forget(before, _REPLACEMENT.__eq__)

    def _in_tmux(self) -> Outlook | None:
        """Return what tmux will do; None where it is not the one keytui draws in."""
        state = self._tmux.state(self._tty)
        if state is None:
            return None
        if state.passthrough:
            sentence = "Goes through tmux (allow-passthrough) to the terminal; tmux keeps no copy."
            return Outlook(Way.PASSTHROUGH, None, sentence)
        if state.set_clipboard != "on":
            sentence = f"tmux drops it, since its set-clipboard is {state.set_clipboard}."
            return Outlook(Way.DROPPED, False, sentence, "tmux set -s set-clipboard on")
        if not state.terminal:
            sentence = "tmux finds no clipboard in this terminal's description."
            mend = "tmux set -as terminal-features ',*:clipboard'"
            return Outlook(Way.DROPPED, False, sentence, mend)
        return Outlook(
            Way.TMUX,
            None,
            "tmux sends it on to the terminal's clipboard (set-clipboard is on) and keeps a paste "
            "buffer, which keytui deletes.",
        )

    def _send_locally(self, text: Secret, *, secret: bool) -> Sent:
        assert self._local  # noqa: S101 - the way is LOCAL only where there is one
        if not local_clipboard.put(self._local, text.reveal(), self._run):
            return Sent(False, "not sent", f"{self._local.name} failed.")
        self._way, self._held = Way.LOCAL, _Held.of(text.reveal()) if secret else None
        return Sent(True, "sent to this desktop's clipboard", f"{self._local.name} took it.")

    def _send_by_tmux(self, text: Secret, write: Write) -> Sent:
        before = self._buffers_before = self._tmux.buffers()
        write(osc52(text.reveal()))
        deleted = before is not None and self._forget(
            before, lambda held: text.matches(Secret(held))
        )
        copy = "its paste buffer is deleted." if deleted else "a paste buffer may hold it still."
        return Sent(True, "sent to the terminal's clipboard", f"tmux passed it on, and {copy}")

    def _forget(self, before: frozenset[str], holds: Callable[[str], bool]) -> bool:
        """Delete the paste buffer that tmux is about to make; return whether it was found."""
        for _ in range(_LOOKS):
            if self._tmux.delete_new(before, holds):
                return True
            self._sleep(_PAUSE)
        return False

    def _wrapped(self, sequence: str) -> str:
        if self._way is Way.PASSTHROUGH:
            return through_tmux(sequence)
        return through_screen(sequence) if self._way is Way.SCREEN else sequence

    def _note(self) -> str:
        nested = self._env.get("TERM", "").startswith(("tmux", "screen"))
        if self._way is Way.PLAIN and nested:
            return "a tmux or screen before this login may drop it, or keep a copy."
        return "keytui can't know whether it arrived."


def _terminal() -> str:
    """Return the device that keytui draws on; empty where it is none."""
    with suppress(OSError):
        return os.ttyname(2)
    return ""


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
