"""The command line: reads what the user asked for, joins the parts, runs the command.

Nothing on the way to the first frame imports botocore, keyring or moto.
"""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

from keytui.cli import streams
from keytui.cli.arguments import parse
from keytui.cli.commands import command as find_command
from keytui.cli.console import Endpoints, complain
from keytui.cli.parser import EXIT_DONE, EXIT_INTERRUPTED, EXIT_USAGE, Command, Request
from keytui.core.errors import KeytuiError, UsageError
from keytui.core.hardening import harden_process
from keytui.core.mfa import MfaRequest
from keytui.core.model import Secret
from keytui.session.context import Context
from keytui.session.settings import Settings, load
from keytui.session.wiring import wire


def main(argv: list[str] | None = None) -> int:
    """Run keytui.

    Args:
        argv: The arguments; None for those of the process.

    Returns:
        The exit status: 0 when left by the user or done, 1 after a fault or where not all is
        done, 2 when it can't start, 3 where something is left undone because nobody agreed
        or stays open, 128 + a signal when told to leave.
    """
    streams.secure()
    command: Command | None = None
    try:
        harden_process()  # Before a pasted text is read: it may hold a secret.
        request = parse(sys.argv[1:] if argv is None else argv)
        command = find_command(request.command) if request.command else None
        settings = load(request.flags, os.environ, Path.home())
        if command and command.refused:
            settings.gate.require_writable()
        with ExitStack() as stack:
            status = _run(command, request, settings, stack)
    except UsageError as error:
        complain(str(error))
        return command.unusable if command else EXIT_USAGE
    except KeytuiError as error:
        complain(str(error))
        return command.failed if command else EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    lost = status == EXIT_DONE and streams.failed()
    return command.unprinted if command and lost else status


def _run(command: Command | None, request: Request, settings: Settings, stack: ExitStack) -> int:
    if command is None:
        return _show(request, settings, stack)
    ctx = _unlocked(request, settings, stack, names_endpoint=command.names_endpoint)
    return command.run(ctx, request)


def _show(request: Request, settings: Settings, stack: ExitStack) -> int:
    """Open the screen."""
    if request.from_input:
        streams.read_from_terminal()
    _require_terminal()
    from keytui.cli.commands.tui import show

    # The screen's header names the endpoint.
    return show(_unlocked(request, settings, stack, on_screen=True, names_endpoint=False))


def _unlocked(
    request: Request,
    settings: Settings,
    stack: ExitStack,
    *,
    on_screen: bool = False,
    names_endpoint: bool,
) -> Context:
    """Return the parts; with the keyring unlocked first, where that is asked for."""
    ctx = _ctx(settings, stack, on_screen=on_screen, names_endpoint=names_endpoint)
    if request.options["unlock_keyring"]:
        from keytui.cli.commands.unlock import unlock_keyring

        unlock_keyring(ctx, stack)
    return ctx


def _require_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "keytui needs a terminal to draw on, and standard input or output is none.",
            next_step="Run it in a terminal; over SSH with ssh -t.",
        )
    if os.environ.get("TERM", "") in {"", "dumb"}:
        raise UsageError(
            f"keytui can't draw on a terminal of type {os.environ.get('TERM') or 'unknown'!r}.",
            next_step="Set TERM, for instance TERM=xterm-256color.",
        )


def _ctx(
    settings: Settings, stack: ExitStack, *, on_screen: bool = False, names_endpoint: bool = True
) -> Context:
    if not names_endpoint:
        return wire(settings, stack, _ask_on_terminal, on_screen=on_screen)
    endpoints = Endpoints()
    stack.callback(endpoints.name_rest)
    return wire(
        settings, stack, _ask_on_terminal, connected=endpoints.name, peeked=endpoints.name_later
    )


def _ask_on_terminal(request: MfaRequest) -> Secret | None:
    from keytui.cli.console import ask_on_terminal

    return ask_on_terminal(request)
