"""``keytui doctor``: what works here and what does not, on one page, without a screen."""

import os
import shutil
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from keytui.cli.console import say_document
from keytui.cli.doctor import account, clipboard, keyring, state, terminal
from keytui.cli.doctor.checks import Row, finish, start
from keytui.cli.doctor.page import MAX_WIDTH, MIN_WIDTH, Style, page, passed, to_json
from keytui.cli.parser import EXIT_FAILED, Command, add_account_flags, add_json
from keytui.cli.streams import write
from keytui.session.context import Context

_LOOKING = "Looking..."


def doctor(ctx: Context, *, as_json: bool) -> int:
    """Look at AWS, the keyring, the terminal and keytui's files, and say what is wrong.

    Each look has a time limit and a thread of its own: about 10 s for AWS and the keyring,
    2 s for the rest, all at the same time.

    With ``as_json`` one object is printed. ``ok`` is the exit status as a truth, ``version``
    is keytui's. ``aws``, ``keyring``, ``terminal`` and ``state`` hold an object for each
    thing, always all of them:

    - ``aws``: ``caller`` (its ARN), ``account``, ``endpoint`` (a URL, or null for AWS's own),
      ``mfa`` (how many devices), and the ten actions by name, such as ``CreateAccessKey``
      (``every user``, ``own user``, ``denied``, ``denied for others``, ``not tried`` or
      ``unknown``);
    - ``keyring``: ``backend`` (its name), ``writable``, ``locked`` (truths), ``bus`` (its
      address);
    - ``terminal``: ``term``, ``size`` (such as ``120x40``), ``colours`` (how many),
      ``encoding`` (``UTF-8`` or ``ASCII``), ``line`` (``ssh`` or ``local``), ``clipboard``
      (whether what is sent arrives);
    - ``state``: ``folder``, ``config`` (paths), ``journal`` (whether it can be written),
      ``unfinished`` (how many creations).

    Each has ``status`` (``ok``, ``warn``, ``fail`` or ``unknown``), ``value`` (as above; null
    where it is not known), ``text``, ``advice`` and ``command`` (what mends it here).

    Args:
        ctx: The parts of this run.
        as_json: Print JSON instead of the page.

    Returns:
        0 where nothing is in the way of keytui's work, else 1.
    """
    env = os.environ
    ctx.mfa.ask_by(None)  # That an action is denied is an answer here.
    with _patience(env):
        rows = look(ctx, env)
    say_document(f"{to_json(rows) if as_json else page(rows, _style(env))}\n")
    return 0 if passed(rows) else 1


def look(ctx: Context, env: Mapping[str, str]) -> list[Row]:
    """Return everything there is to say; see ``doctor``."""
    home = Path.home()
    looks = [
        *account.probes(ctx),
        *keyring.probes(ctx, env),
        *terminal.probes(env),
        *state.probes(ctx, env, home),
    ]
    under_way = start(looks)
    # The terminal is asked from here, while the others look: see ``terminal_says``.
    return finish([*under_way, *start(clipboard.probes(env, clipboard.ask(env)))])


def _style(env: Mapping[str, str]) -> Style:
    width = shutil.get_terminal_size().columns
    coloured = sys.stdout.isatty() and not env.get("NO_COLOR") and env.get("TERM") != "dumb"
    return Style(
        width=max(MIN_WIDTH, min(width, MAX_WIDTH)),
        colour=coloured,
        ascii_only=terminal.keeps_to_ascii(env),
    )


@contextmanager
def _patience(env: Mapping[str, str]) -> Iterator[None]:
    """Tell somebody who waits at a terminal that something is done, and take it back."""
    if not sys.stderr.isatty() or env.get("TERM", "dumb") == "dumb":
        yield
        return
    write(_LOOKING, sys.stderr)
    try:
        yield
    finally:
        write(f"\r{' ' * len(_LOOKING)}\r", sys.stderr)


def _arguments(reader: ArgumentParser) -> None:
    add_account_flags(reader)
    add_json(reader)


COMMANDS = {
    "doctor": Command(
        "say what works here and what does not, and how to mend it",
        "Look at AWS, the keyring, the terminal and keytui's files, and say how to mend what does "
        "not work. The exit status is 1 where something does not.",
        _arguments,
        lambda ctx, request: doctor(ctx, as_json=bool(request.options["json"])),
        names_endpoint=False,
        unusable=EXIT_FAILED,
        unprinted=EXIT_FAILED,
    )
}
