"""Joins the parts of a run: which account, which journal, which stores.

Nothing imported here is botocore, keyring or moto: they come with the first call.
"""

import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from keytui.aws.options import ConnectOptions
from keytui.core.gate import LOOKING, Gate
from keytui.core.iam import Iam
from keytui.core.mfa import MfaDesk, MfaRequest
from keytui.core.model import Identity, Secret, User
from keytui.journal.log import Journal
from keytui.session.context import Context, own_aws_files, own_uses
from keytui.session.settings import Settings
from keytui.session.users_cache import UsersCache
from keytui.stores.base import Keyring, SecretStore

_PLACE = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"),
    *("AWS_ACCESS_KEY_ID", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS"),
)
"""The variables that say where AWS is asked and by whom, with the profile or before it."""
_Connect = Callable[[str | None], Iam]
_Who = Callable[[str, Secret], Identity]


def _nothing(_: Iam) -> None:
    """Do nothing with an account that was connected to."""


def wire(
    settings: Settings,
    stack: ExitStack,
    ask_mfa: Callable[[MfaRequest], Secret | None],
    *,
    connected: Callable[[Iam], None] = _nothing,
    peeked: Callable[[Iam], None] = _nothing,
    on_screen: bool = False,
) -> Context:
    """Join the parts of a run.

    Args:
        settings: What the user asked for.
        stack: Ends the demo account with the run.
        ask_mfa: Asks for an MFA code; None for no answer.
        connected: Called with each account that was connected to, before anything is asked there.
        peeked: Called with each account that is only looked at; any thread may do so.
        on_screen: Whether a screen is open, so that nothing may be printed.
    """
    mfa = MfaDesk(ask_mfa)
    connect, who, folder = _account(settings, stack, mfa, connected, on_screen=on_screen)
    gate = settings.gate
    keyring, journal = _keyring(settings.keyring, gate), Journal(folder, gate)

    def store_at(locator: str) -> SecretStore | None:
        # The one in use has been unlocked, maybe.
        return keyring if locator == keyring.locator else _store_at(locator, gate)

    def peek(profile: str | None) -> Iam:
        options = replace(_options(settings, profile), mfa=mfa.silent(), quiet=True)
        iam = _connect(options, LOOKING)
        peeked(iam)
        return iam

    return Context(
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
        cache=users_cache(settings),
    )


def users_cache(settings: Settings) -> UsersCache:
    """Return the users last seen; none for the demo, and none kept where that is turned off."""
    place = [os.environ.get(name, "") for name in _PLACE]
    place += [settings.endpoint_url or "", settings.region or ""]
    cache = UsersCache(None if settings.demo else settings.cache_folder, place)
    if not settings.cache:
        cache.forget()
        return UsersCache(None)
    return cache


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
