"""The command line: reads what the user asked for, joins the parts, runs the command.

Nothing on the way to the first frame imports botocore, keyring or moto.
"""

import os
import sys
from contextlib import ExitStack
from pathlib import Path

from keytui.cli import streams
from keytui.cli.arguments import Request, parse
from keytui.cli.console import complain
from keytui.cli.endpoints import Endpoints
from keytui.cli.exit_codes import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from keytui.core.errors import KeytuiError, UsageError
from keytui.core.hardening import harden_process
from keytui.core.mfa import MfaRequest
from keytui.core.model import Secret
from keytui.session.context import Context
from keytui.session.settings import Settings, load
from keytui.session.wiring import wire

_CHANGES = frozenset({"deactivate", "activate", "delete"})
_ALWAYS_FAILING = frozenset({"credentials", "doctor", "import"})
_READING = frozenset({"list", "fleet", "audit", "credentials", "doctor"})
"""The commands of whose work nothing is left where their output is lost."""
_REFUSED = _CHANGES | {"create", "rotate", "import"}
"""The commands that read-only mode refuses at once; others look and change nothing."""
_FAILING = _CHANGES | _ALWAYS_FAILING | {"list", "fleet", "create", "rotate"}
"""The commands whose exit status is 1 where AWS or a store refuses; others can't start then."""


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
    command: str | None = None
    try:
        harden_process()  # Before a pasted text is read: it may hold a secret.
        request = parse(sys.argv[1:] if argv is None else argv)
        command = request.command
        settings = load(request.flags, os.environ, Path.home())
        if command in _REFUSED:
            settings.gate.require_writable()
        with ExitStack() as stack:
            status = _run(request, settings, stack)
        return _lost_output(command) if status == EXIT_DONE and streams.failed() else status
    except KeytuiError as error:
        complain(str(error))
        failed = command in _FAILING and not isinstance(error, UsageError)
        return EXIT_FAILED if failed or command in _ALWAYS_FAILING else EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _lost_output(command: str | None) -> int:
    """Return the exit status where all went well, but standard output could not be written."""
    if command not in _READING:
        return EXIT_DONE
    return EXIT_USAGE if command == "audit" else EXIT_FAILED  # The audit's 1 is a finding.


def _run(request: Request, settings: Settings, stack: ExitStack) -> int:
    """Run one command; each is imported only when it is the one."""
    options = request.options
    match request.command:
        case "credentials":
            from keytui.cli.commands.credentials import credentials

            return credentials(_ctx(settings, stack), options["key_id"])
        case "doctor":
            from keytui.cli.commands.doctor import doctor

            return doctor(
                _ctx(settings, stack, names_endpoint=False), as_json=bool(options["json"])
            )
        case "import":
            from keytui.cli.commands.import_secret import import_secret

            ctx, yes = _ctx(settings, stack), bool(options["yes"])
            return import_secret(ctx, options["file"], section=options["section"], yes=yes)
        case "recover":
            from keytui.cli.commands.recover import recover

            return recover(_ctx(settings, stack), yes=bool(options["yes"]))
        case "list":
            from keytui.cli.commands.list_keys import list_keys

            return list_keys(_ctx(settings, stack), request)
        case "audit":
            from keytui.cli.commands.audit import audit

            return audit(_ctx(settings, stack), request)
        case "fleet":
            from keytui.cli.commands.fleet import fleet

            return fleet(_ctx(settings, stack), request)
        case "create":
            from keytui.cli.commands.create import create_key

            return create_key(_unlocked(request, settings, stack), request)
        case "rotate":
            from keytui.cli.commands.rotate import rotate_key

            return rotate_key(_unlocked(request, settings, stack), request)
        case command if command in _CHANGES:
            from keytui.cli.commands.change import change_keys

            return change_keys(_ctx(settings, stack), request)
    return _show(request, settings, stack)


def _show(request: Request, settings: Settings, stack: ExitStack) -> int:
    """Open the screen."""
    if request.from_input:
        streams.read_from_terminal()
    _require_terminal()
    from keytui.cli.commands.tui import show

    return show(_unlocked(request, settings, stack, on_screen=True))


def _unlocked(
    request: Request, settings: Settings, stack: ExitStack, *, on_screen: bool = False
) -> Context:
    """Return the parts; with the keyring unlocked first, where that is asked for."""
    # The screen's header names it, as the doctor's page does.
    ctx = _ctx(settings, stack, on_screen=on_screen, names_endpoint=not on_screen)
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
