"""The clipboard: whether what keytui sends to the terminal's clipboard arrives there."""

import os
import re
import select
import termios
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from keytui.cli.doctor.checks import Group, Probe, Row, Status, blank

ANSWER_SECONDS = 1.5
"""How long the terminal may take: over a slow line its answer is half a second on the way.

One that comes after that lands in the shell, so the limit is long; most answer at once.
"""
SECONDS = 5.0
"""tmux is asked up to two times, for 2 s each."""
_TTY = "/dev/tty"
_QUESTION = b"\x1b[c"
"""DA1: what kind of terminal are you (ECMA-48, VT510)."""
_ANSWER = re.compile(rb"\x1b\[\?([0-9;]{0,200})c")
_CLIPBOARD = b"52"
"""What a terminal adds to its answer that lets programs set its clipboard."""

_OSC52 = blank(Group.TERMINAL, "clipboard", "Clipboard")


def in_multiplexer(env: Mapping[str, str]) -> bool:
    """Return whether tmux or screen stands between here and the terminal."""
    return bool(env.get("TMUX") or env.get("STY"))


def ask(env: Mapping[str, str]) -> bool | None:
    """Ask the terminal, where it is the terminal that would answer; see ``terminal_says``."""
    if in_multiplexer(env) or env.get("TERM", "") in {"", "dumb"}:
        return None
    return terminal_says()


def terminal_says() -> bool | None:
    """Ask the terminal whether it takes OSC 52, on its own device.

    Call it from the main thread: an interrupt must find the terminal set back.

    Returns:
        True where it says so, False where it answers without a word of it, None where
        there is no terminal or it does not answer.
    """
    try:
        handle = os.open(_TTY, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        if os.tcgetpgrp(handle) != os.getpgrp():
            return None  # In the background the terminal is another's.
        return _asked(handle)
    except (OSError, termios.error):
        return None
    finally:
        os.close(handle)


def _asked(handle: int) -> bool | None:
    before = termios.tcgetattr(handle)
    quiet = termios.tcgetattr(handle)
    # Byte by byte and without an echo; Ctrl-C stays what it is.
    quiet[3] &= ~(termios.ICANON | termios.ECHO)
    quiet[6][termios.VMIN], quiet[6][termios.VTIME] = 0, 0
    try:
        termios.tcsetattr(handle, termios.TCSANOW, quiet)
        if select.select([handle], [], [], 0)[0]:
            return None  # What was typed ahead is the shell's.
        os.write(handle, _QUESTION)
        answer = _read_answer(handle)
    finally:
        with suppress(termios.error):
            termios.tcsetattr(handle, termios.TCSANOW, before)
    return None if answer is None else _CLIPBOARD in answer.split(b";")[1:]


def _read_answer(handle: int) -> bytes | None:
    """Return what the answer lists, and take no byte after it; None where none comes."""
    deadline = time.monotonic() + ANSWER_SECONDS
    read = b""
    while (left := deadline - time.monotonic()) > 0:
        if not select.select([handle], [], [], left)[0]:
            break
        byte = os.read(handle, 1)
        if not byte:
            break  # The terminal has gone.
        read += byte
        if found := _ANSWER.search(read):
            return found[1]
    return None


def probes(env: Mapping[str, str], says: bool | None) -> list[Probe]:
    """Return the look at the clipboard.

    Args:
        env: The environment.
        says: What ``terminal_says`` returned.
    """
    return [Probe("The clipboard", (_OSC52,), SECONDS, lambda: [_clipboard(env, says)])]


def _clipboard(env: Mapping[str, str], says: bool | None) -> Row:
    from keytui.tui.terminal.clipboard import Clipboard

    outlook = Clipboard(env).outlook()
    if outlook.arrives is None and says and not in_multiplexer(env):
        text = "The terminal says that it takes what is sent to its clipboard (OSC 52)."
        return replace(_OSC52, status=Status.OK, text=text, value=True)
    status = {True: Status.OK, False: Status.WARN, None: Status.UNKNOWN}[outlook.arrives]
    told = replace(_OSC52, status=status, text=outlook.sentence, value=outlook.arrives)
    return replace(told, command=outlook.mend)
