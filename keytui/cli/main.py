"""The command line: reads what the user asked for, joins the parts, runs the command.

Nothing on the way to the first frame imports botocore, keyring or moto.
"""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from keytui.aws.options import ConnectOptions
from keytui.cli.arguments import Request, parse
from keytui.cli.console import complain
from keytui.cli.endpoints import Endpoints
from keytui.cli.exit_codes import EXIT_DONE, EXIT_FAILED, EXIT_INTERRUPTED, EXIT_USAGE
from keytui.cli.main import streams
from keytui.core.errors import KeytuiError, UsageError
from keytui.core.gate import LOOKING, Gate
from keytui.core.hardening import harden_process
from keytui.core.iam import Iam
from keytui.core.mfa import MfaDesk, MfaRequest
from keytui.core.model import Identity, Secret, User
from keytui.journal.log import Journal
from keytui.session.context import Parts, own_aws_files, own_uses
from keytui.session.settings import Settings, load
from keytui.session.users_cache import UsersCache
from keytui.stores.base import Keyring, SecretStore

_PLACE = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"),
    *("AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS"),
)
"""The variables that say where AWS is asked and by whom, with the profile or before it."""
_Connect = Callable[[str | None], Iam]
_Who = Callable[[str, Secret], Identity]
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

            return credentials(_parts(settings, stack), options["key_id"])
        case "doctor":
            from keytui.cli.commands.doctor import doctor

            return doctor(
                _parts(settings, stack, names_endpoint=False), as_json=bool(options["json"])
            )
        case "import":
            from keytui.cli.commands.import_secret import import_secret

            parts, yes = _parts(settings, stack), bool(options["yes"])
            return import_secret(parts, options["file"], section=options["section"], yes=yes)
        case "recover":
            from keytui.cli.commands.recover import recover

            return recover(_parts(settings, stack), yes=bool(options["yes"]))
        case "list":
            from keytui.cli.commands.list_keys import list_keys

            return list_keys(_parts(settings, stack), request)
        case "audit":
            from keytui.cli.commands.audit import audit

            return audit(_parts(settings, stack), request)
        case "fleet":
            from keytui.cli.commands.fleet import fleet

            return fleet(_parts(settings, stack), request)
        case "create":
            from keytui.cli.commands.create import create_key

            return create_key(_unlocked(request, settings, stack), request)
        case "rotate":
            from keytui.cli.commands.rotate import rotate_key

            return rotate_key(_unlocked(request, settings, stack), request)
        case command if command in _CHANGES:
            from keytui.cli.commands.change import change_keys

            return change_keys(_parts(settings, stack), request)
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
) -> Parts:
    """Return the parts; with the keyring unlocked first, where that is asked for."""
    # The screen's header names it, as the doctor's page does.
    parts = _parts(settings, stack, on_screen=on_screen, names_endpoint=not on_screen)
    if request.options["unlock_keyring"]:
        from keytui.cli.commands.unlock import unlock_keyring

        unlock_keyring(parts, stack)
    return parts


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


def _parts(
    settings: Settings, stack: ExitStack, *, on_screen: bool = False, names_endpoint: bool = True
) -> Parts:
    mfa, endpoints = MfaDesk(_ask_on_terminal), Endpoints()
    if names_endpoint:
        stack.callback(endpoints.name_rest)
    name = endpoints.name if names_endpoint else _nothing
    connect, who, folder = _account(settings, stack, mfa, name, on_screen=on_screen)
    gate = settings.gate
    keyring, journal = _keyring(settings.keyring, gate), Journal(folder, gate)

    def store_at(locator: str) -> SecretStore | None:
        # The one in use has been unlocked, maybe.
        return keyring if locator == keyring.locator else _store_at(locator, gate)

    def peek(profile: str | None) -> Iam:
        options = replace(_options(settings, profile), mfa=mfa.silent(), quiet=True)
        iam = _connect(options, LOOKING)
        endpoints.name_later(iam)
        return iam

    return Parts(
        settings=settings,
        connect=connect,
        profiles=_profiles,
        journal=journal,
        keyring=keyring,
        csv_file=lambda path: _csv_file(path, gate),
        store_at=store_at,
        csv_path=_csv_path,
        who=who,
        now=lambda: datetime.now(UTC),
        aws_files=lambda: own_aws_files(gate),
        uses_here=(lambda _: ()) if settings.demo else own_uses(journal),
        mfa=mfa,
        peek=peek,
        cache=_users_cache(settings),
    )


def _users_cache(settings: Settings) -> UsersCache:
    """Return the users last seen; none for the demo, and none kept where that is turned off."""
    place = [os.environ.get(name, "") for name in _PLACE]
    place += [settings.endpoint_url or "", settings.region or ""]
    cache = UsersCache(None if settings.demo else settings.cache_folder, place)
    if not settings.cache:
        cache.forget()
        return UsersCache(None)
    return cache


def _ask_on_terminal(request: MfaRequest) -> Secret | None:
    from keytui.cli.console import ask_on_terminal

    return ask_on_terminal(request)


def _account(
    settings: Settings,
    stack: ExitStack,
    mfa: MfaDesk,
    connected: Callable[[Iam], None],
    *,
    on_screen: bool,
) -> tuple[_Connect, _Who, Path]:
    """Return how to connect, and where the record is kept (the demo's goes with it)."""
    if not settings.demo:

        def options(profile: str | None) -> ConnectOptions:
            return replace(_options(settings, profile), on_screen=on_screen)

        def open_account(profile: str | None) -> Iam:
            iam = _connect(replace(options(profile), mfa=mfa), settings.gate)
            connected(iam)
            return iam

        return (
            open_account,
            lambda key_id, secret: _who(options(settings.profile), key_id, secret, connected),
            settings.state_folder,
        )
    from keytui.aws.demo.server import DemoServer

    server = stack.enter_context(DemoServer(users=settings.demo_users))

    def connect(_: str | None) -> Iam:
        from keytui.aws.session import connect

        return connect(server.wait_ready(), settings.gate)

    def who(key_id: str, secret: Secret) -> Identity:
        demo = server.wait_ready()
        here = ConnectOptions(region=demo.region, endpoint_url=demo.endpoint_url)
        return _who(here, key_id, secret, _nothing)

    return connect, who, Path(stack.enter_context(TemporaryDirectory(prefix="keytui-demo-")))


def _nothing(_: Iam) -> None:
    """Say nothing of an account that was connected to."""


def _options(settings: Settings, profile: str | None) -> ConnectOptions:
    return ConnectOptions(
        profile=profile, region=settings.region, endpoint_url=settings.endpoint_url
    )


def _connect(options: ConnectOptions, gate: Gate) -> Iam:
    from keytui.aws.session import connect

    return connect(options, gate)


def _profiles() -> list[str]:
    from keytui.aws.session import profiles

    return profiles()


def _who(
    options: ConnectOptions, key_id: str, secret: Secret, connected: Callable[[Iam], None]
) -> Identity:
    from keytui.aws.session import who

    return who(options, key_id, secret, connected)


def _keyring(kind: str, gate: Gate) -> Keyring:
    from keytui.stores.keyring.os_keyring import OsKeyring

    return OsKeyring(kind=kind, gate=gate)


def _csv_file(path: str, gate: Gate) -> SecretStore:
    from keytui.stores.csv_file import CsvFile, expand

    return CsvFile(expand(path), gate)


def _store_at(locator: str, gate: Gate) -> SecretStore | None:
    kind, _, place = locator.partition(":")
    if kind == "csv" and place:
        return _csv_file(place, gate)
    return _keyring(place or "os", gate) if kind == "keyring" else None


def _csv_path(user: User) -> Path:
    from keytui.stores.csv_file import default_path

    return default_path(user, Path.home())
