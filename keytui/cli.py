"""The command line: reads what the user asked for, joins the parts, runs the command.

Nothing on the way to the first frame imports botocore, keyring or moto.
"""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from keytui import __version__
from keytui.aws.options import ConnectOptions
from keytui.errors import KeytuiError, UsageError
from keytui.hygiene import harden_process
from keytui.journal import Journal
from keytui.model import Identity, Secret, User
from keytui.parts import Parts, own_uses
from keytui.plain import plain
from keytui.ports import Iam
from keytui.settings import DEMO_USERS, Settings, load
from keytui.stores.base import Keyring, SecretStore

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
"""128 + SIGINT."""


_Connect = Callable[[str | None], Iam]
_Who = Callable[[str, Secret], Identity]
_OPTIONS = ("yes", "json", "file", "section", "key_id", "unlock_keyring")
"""The options of single commands; the rest are settings."""
_FAILING = frozenset({"credentials", "doctor", "import"})
"""The commands whose exit status is 1 where they can't be done."""


def main(argv: list[str] | None = None) -> int:
    """Run keytui.

    Args:
        argv: The arguments; None for those of the process.

    Returns:
        The exit status: 0 when left by the user or done, 1 after a fault, 2 when it can't
        start, 3 where ``recover`` leaves something open, 128 + a signal when told to leave.
    """
    flags = vars(_parser().parse_args(argv))
    command = flags.pop("command")
    options = {name: flags.pop(name, None) for name in _OPTIONS}
    harden_process()
    try:
        settings = load(flags, os.environ, Path.home())
        with ExitStack() as stack:
            return _run(command, options, settings, stack)
    except KeytuiError as error:
        print(f"keytui: {plain(str(error))}", file=sys.stderr)
        return EXIT_FAILED if command in _FAILING else EXIT_USAGE
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED


def _run(command: str | None, options: dict[str, Any], settings: Settings, stack: ExitStack) -> int:
    """Run one command; each is imported only when it is the one."""
    match command:
        case "credentials":
            from keytui.commands.credentials import credentials

            return credentials(_parts(settings, stack), options["key_id"])
        case "doctor":
            from keytui.commands.doctor import doctor

            return doctor(_parts(settings, stack), as_json=bool(options["json"]))
        case "import":
            from keytui.commands.import_secret import import_secret

            parts, yes = _parts(settings, stack), bool(options["yes"])
            return import_secret(parts, options["file"], section=options["section"], yes=yes)
        case "recover":
            from keytui.commands.recover import recover

            return recover(_parts(settings, stack), yes=bool(options["yes"]))
    _require_terminal()
    parts = _parts(settings, stack)
    if options["unlock_keyring"]:
        from keytui.commands.unlock import unlock_keyring

        unlock_keyring(parts, stack)
    from keytui.commands.screen import show

    return show(parts)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="keytui",
        description="Manage AWS IAM access keys: see, make inactive or active, create, delete. "
        "A new secret goes straight into the OS keyring.",
        epilog="AWS_PROFILE, AWS_ENDPOINT_URL, AWS_CA_BUNDLE, HTTPS_PROXY and the rest are "
        "honoured as by the AWS SDK. KEYTUI_READ_ONLY=1 is --read-only.",
    )
    _add_account_flags(parser)
    parser.add_argument("--user", metavar="NAME", help="open at this user's keys")
    parser.add_argument(
        "--unlock-keyring",
        action="store_true",
        help="ask for the keyring's password first, and start one where there is none",
    )
    parser.add_argument("--version", action="version", version=f"keytui {__version__}")
    _add_commands(
        parser.add_subparsers(dest="command", metavar="COMMAND", title="without a screen")
    )
    return parser


def _add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    credentials = commands.add_parser(
        "credentials",
        help="print a secret from the keyring for credential_process",
        description="Print one key with its secret from the keyring as credential_process JSON.",
        argument_default=argparse.SUPPRESS,
    )
    which = credentials.add_mutually_exclusive_group(required=True)
    which.add_argument("key_id", nargs="?", metavar="ACCESS_KEY_ID", help="the key")
    which.add_argument("--user", metavar="NAME", help="this user's only key in the keyring")
    doctor = commands.add_parser(
        "doctor",
        help="say what works here and what does not, and how to mend it",
        description="Look at AWS, the keyring, the terminal and keytui's files, and say how to "
        "mend what does not work. The exit status is 1 where something does not.",
        argument_default=argparse.SUPPRESS,
    )
    _add_account_flags(doctor)
    doctor.add_argument("--json", action="store_true", help="print JSON")
    importing = commands.add_parser(
        "import",
        help="take a secret from a file into the keyring",
        description="Take the secrets of a console CSV file (accessKeys.csv, rootkey.csv) or of "
        "a profile of an AWS credentials file into the keyring, test them, and offer to remove "
        "the plaintext.",
        argument_default=argparse.SUPPRESS,
    )
    importing.add_argument("file", metavar="FILE")
    importing.add_argument("--profile", dest="section", metavar="NAME", help="of that file")
    importing.add_argument("--region", metavar="NAME", help="the region; picks the partition")
    importing.add_argument("--endpoint-url", metavar="URL", help="ask STS here, not at AWS")
    importing.add_argument("--yes", action="store_true", help="accept what is offered")
    recover = commands.add_parser(
        "recover",
        help="say what became of creations that were cut short",
        description="Compare keytui's record of creations that were cut short with AWS and the "
        "stores, and offer to delete the keys that nobody can use. The exit status is 3 while "
        "something is open.",
        argument_default=argparse.SUPPRESS,
    )
    _add_account_flags(recover)
    recover.add_argument("--yes", action="store_true", help="accept what is offered")


def _add_account_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", metavar="NAME", help="a profile of the AWS config")
    parser.add_argument("--region", metavar="NAME", help="the region; picks the partition")
    parser.add_argument("--endpoint-url", metavar="URL", help="ask IAM and STS here, not at AWS")
    parser.add_argument("--read-only", action="store_const", const=True, help="refuse every change")
    parser.add_argument(
        "--demo", action="store_const", const=True, help="a demo account that can't reach AWS"
    )
    parser.add_argument(
        "--demo-users",
        type=_number,
        metavar="N",
        help=f"how many users the demo account has (default {DEMO_USERS}); implies --demo",
    )


def _number(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 50_000:
        raise argparse.ArgumentTypeError("takes a number from 1 to 50000")
    return int(text)


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


def _parts(settings: Settings, stack: ExitStack) -> Parts:
    connect, who, folder = _account(settings, stack)
    keyring, journal = _keyring(settings.keyring), Journal(folder)

    def store_at(locator: str) -> SecretStore | None:
        # The one in use has been unlocked, maybe.
        return keyring if locator == keyring.locator else _store_at(locator)

    return Parts(
        settings=settings,
        connect=connect,
        profiles=_profiles,
        journal=journal,
        keyring=keyring,
        csv_file=_csv_file,
        store_at=store_at,
        csv_path=_csv_path,
        who=who,
        now=lambda: datetime.now(UTC),
        uses_here=(lambda _: ()) if settings.demo else own_uses(journal),
    )


def _account(settings: Settings, stack: ExitStack) -> tuple[_Connect, _Who, Path]:
    """Return how to connect, and where the record is kept (the demo's goes with it)."""
    if not settings.demo:
        return (
            lambda profile: _connect(settings, profile),
            lambda key_id, secret: _who(_options(settings, settings.profile), key_id, secret),
            settings.state_folder,
        )
    from keytui.aws.demo import DemoServer

    server = stack.enter_context(DemoServer(users=settings.demo_users))

    def connect(_: str | None) -> Iam:
        from keytui.aws.session import connect

        return connect(server.wait_ready())

    def who(key_id: str, secret: Secret) -> Identity:
        demo = server.wait_ready()
        here = ConnectOptions(region=demo.region, endpoint_url=demo.endpoint_url)
        return _who(here, key_id, secret)

    return connect, who, Path(stack.enter_context(TemporaryDirectory(prefix="keytui-demo-")))


def _options(settings: Settings, profile: str | None) -> ConnectOptions:
    return ConnectOptions(
        profile=profile, region=settings.region, endpoint_url=settings.endpoint_url
    )


def _connect(settings: Settings, profile: str | None) -> Iam:
    from keytui.aws.session import connect

    return connect(_options(settings, profile))


def _profiles() -> list[str]:
    from keytui.aws.session import profiles

    return profiles()


def _who(options: ConnectOptions, key_id: str, secret: Secret) -> Identity:
    from keytui.aws.session import who

    return who(options, key_id, secret)


def _keyring(kind: str) -> Keyring:
    from keytui.stores.os_keyring import OsKeyring

    return OsKeyring(kind=kind)


def _csv_file(path: str) -> SecretStore:
    from keytui.stores.csv_file import CsvFile, expand

    return CsvFile(expand(path))


def _store_at(locator: str) -> SecretStore | None:
    kind, _, place = locator.partition(":")
    if kind == "csv" and place:
        return _csv_file(place)
    return _keyring(place or "os") if kind == "keyring" else None


def _csv_path(user: User) -> Path:
    from keytui.stores.csv_file import default_path

    return default_path(user, Path.home())
