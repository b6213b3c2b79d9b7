"""The command line: reads what the user asked for, joins the parts, opens the screen.

Nothing on the way to the first frame imports botocore, keyring or moto.
"""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from keytui import __version__
from keytui.errors import KeytuiError, UsageError
from keytui.hygiene import harden_process
from keytui.journal import Journal
from keytui.model import User
from keytui.ports import Iam
from keytui.settings import DEMO_USERS, Settings, load
from keytui.stores.base import SecretStore

if TYPE_CHECKING:
    from keytui.parts import Parts

EXIT_USAGE = 2


def main(argv: list[str] | None = None) -> int:
    """Run keytui.

    Args:
        argv: The arguments; None for those of the process.

    Returns:
        The exit status: 0 when left by the user, 1 after a fault, 2 when it can't start.
    """
    flags = _parser().parse_args(argv)
    harden_process()
    try:
        settings = load(vars(flags), os.environ, Path.home())
        _require_terminal()
        return _run(settings)
    except KeytuiError as error:
        print(f"keytui: {error}", file=sys.stderr)
        return EXIT_USAGE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="keytui",
        description="Manage AWS IAM access keys: see, make inactive or active, create, delete. "
        "A new secret goes straight into the OS keyring.",
        epilog="AWS_PROFILE, AWS_ENDPOINT_URL, AWS_CA_BUNDLE, HTTPS_PROXY and the rest are "
        "honoured as by the AWS SDK. KEYTUI_READ_ONLY=1 is --read-only.",
    )
    parser.add_argument("--profile", metavar="NAME", help="a profile of the AWS config")
    parser.add_argument("--region", metavar="NAME", help="the region; picks the partition")
    parser.add_argument("--endpoint-url", metavar="URL", help="ask IAM and STS here, not at AWS")
    parser.add_argument("--user", metavar="NAME", help="open at this user's keys")
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
    parser.add_argument("--version", action="version", version=f"keytui {__version__}")
    return parser


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


def _run(settings: Settings) -> int:
    from keytui.parts import Parts

    with ExitStack() as stack:
        connect, folder = _account(settings, stack)
        parts = Parts(
            settings=settings,
            connect=connect,
            profiles=_profiles,
            journal=Journal(folder),
            keyring=_keyring(),
            csv_file=_csv_file,
            csv_path=_csv_path,
            now=lambda: datetime.now(UTC),
        )
        return _show(parts)


def _show(parts: "Parts") -> int:
    # A key press is painted within 4 ms instead of 16; Textual reads this when it is imported.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    from keytui.ui.app import KeytuiApp

    app = KeytuiApp(parts)
    app.run()
    with app.main.creating:  # A creation under way ends first; none begins any more.
        custody = app.main.custody
        if custody and not custody.kept:
            _tell(app.main.account.lifecycle.rescue(custody, parts.keyring))
    return app.return_code or 0


def _tell(sentence: str) -> None:
    # The terminal may be gone; the record has it too.
    with suppress(OSError):
        print(f"keytui: {sentence}", file=sys.stderr, flush=True)


def _account(settings: Settings, stack: ExitStack) -> tuple[Callable[[str | None], Iam], Path]:
    """Return how to connect, and where the record is kept (the demo's goes with it)."""
    if not settings.demo:
        return lambda profile: _connect(settings, profile), settings.state_folder
    from keytui.aws.demo import DemoServer

    server = stack.enter_context(DemoServer(users=settings.demo_users))

    def connect(_: str | None) -> Iam:
        from keytui.aws.session import connect

        return connect(server.wait_ready())

    return connect, Path(stack.enter_context(TemporaryDirectory(prefix="keytui-demo-")))


def _connect(settings: Settings, profile: str | None) -> Iam:
    from keytui.aws.session import ConnectOptions, connect

    return connect(
        ConnectOptions(profile=profile, region=settings.region, endpoint_url=settings.endpoint_url)
    )


def _profiles() -> list[str]:
    from keytui.aws.session import profiles

    return profiles()


def _keyring() -> SecretStore:
    from keytui.stores.os_keyring import OsKeyring

    return OsKeyring()


def _csv_file(path: str) -> SecretStore:
    from keytui.stores.csv_file import CsvFile, expand

    return CsvFile(expand(path))


def _csv_path(user: User) -> Path:
    from keytui.stores.csv_file import default_path

    return default_path(user, Path.home())
