"""The terminal: what it is, how it is reached, and what it can show."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace

from keytui.cli.doctor.checks import Group, Probe, Row, Status, blank
from keytui.tui.terminal.glyphs import locale_of, speaks_utf8

NEEDED = (60, 20)
"""The smallest screen that keytui draws on."""
_TTY = "/dev/tty"

_TERM = blank(Group.TERMINAL, "term", "TERM")
_SIZE = blank(Group.TERMINAL, "size", "Size")
_COLOURS = blank(Group.TERMINAL, "colours", "Colours")
_ENCODING = blank(Group.TERMINAL, "encoding", "Characters")
_LINE = blank(Group.TERMINAL, "line", "Line")


def probes(env: Mapping[str, str]) -> list[Probe]:
    """Return the looks at the terminal that ask it nothing."""
    blanks = (_TERM, _SIZE, _COLOURS, _ENCODING, _LINE)
    return [Probe("The terminal", blanks, 2.0, lambda: _terminal(env, terminal_size()))]


def terminal_size() -> tuple[int, int] | None:
    """Return columns and lines of the terminal that this process belongs to; None without."""
    try:
        handle = os.open(_TTY, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        size = os.get_terminal_size(handle)
    except OSError:
        return None
    finally:
        os.close(handle)
    return size.columns, size.lines


def _terminal(env: Mapping[str, str], size: tuple[int, int] | None) -> Iterable[Row]:
    yield _term(env.get("TERM", ""), there=size is not None)
    yield _size(size)
    yield _colours(env)
    yield _encoding(env)
    yield _line(env)


def _term(name: str, *, there: bool) -> Row:
    if not there:
        text = "There is no terminal here; over SSH, ssh -t gives one."
        return replace(_TERM, text=text, value=name or None)
    if name in {"", "dumb"}:
        text = f"{name or 'Not set'}: keytui can't draw on it."
        command = "export TERM=xterm-256color"
        return replace(_TERM, status=Status.FAIL, text=text, value=name, command=command)
    return replace(_TERM, status=Status.OK, text=f"{name}.", value=name)


def _size(size: tuple[int, int] | None) -> Row:
    if size is None:
        return _SIZE
    columns, lines = size
    text, value = f"{columns}×{lines}.", f"{columns}x{lines}"
    if columns >= NEEDED[0] and lines >= NEEDED[1]:
        return replace(_SIZE, status=Status.OK, text=text, value=value)
    advice = f"keytui needs {NEEDED[0]}×{NEEDED[1]}: make it larger."
    return replace(_SIZE, status=Status.WARN, text=text, value=value, advice=advice)


def colours(env: Mapping[str, str]) -> tuple[str, str]:
    """Return how many colours are used, and what says so."""
    if env.get("NO_COLOR"):
        return "none", "NO_COLOR"
    if (told := env.get("COLORTERM", "").strip().lower()) in {"truecolor", "24bit"}:
        return "16 million", f"COLORTERM={told}"
    term = env.get("TERM", "").strip().lower()
    if term in {"", "dumb", "unknown"}:
        return "none", f"TERM={term}"
    many = term.endswith(("-256color", "-direct")) or term in {"xterm-kitty", "xterm-ghostty"}
    return ("256" if many else "16"), f"TERM={term}"


def _colours(env: Mapping[str, str]) -> Row:
    count, source = colours(env)
    value = {"16 million": 16_777_216, "256": 256, "16": 16, "none": 0}[count]
    text = f"{count} ({source})."
    return replace(_COLOURS, status=Status.OK, text=text[0].upper() + text[1:], value=value)


def keeps_to_ascii(env: Mapping[str, str]) -> bool:
    return not speaks_utf8(env)


def _encoding(env: Mapping[str, str]) -> Row:
    name = locale_of(env)
    if speaks_utf8(env):
        return replace(_ENCODING, status=Status.OK, text=f"UTF-8 ({name}).", value="UTF-8")
    text = f"The locale {name or 'POSIX'} has no UTF-8: keytui keeps to ASCII."
    command = "export LC_ALL=C.UTF-8"
    return replace(_ENCODING, status=Status.WARN, text=text, value="ASCII", command=command)


def _line(env: Mapping[str, str]) -> Row:
    if connection := env.get("SSH_CONNECTION") or env.get("SSH_CLIENT"):
        text = f"Over SSH from {connection.split()[0]}."
        return replace(_LINE, status=Status.OK, text=text, value="ssh")
    if env.get("SSH_TTY"):
        return replace(_LINE, status=Status.OK, text="Over SSH.", value="ssh")
    return replace(_LINE, status=Status.OK, text="Local.", value="local")
