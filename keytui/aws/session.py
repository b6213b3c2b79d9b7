"""Credentials, endpoints, time limits and retries: the SDK set up for keytui."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

from botocore.config import Config
from botocore.loaders import Loader, create_loader
from botocore.session import Session

from keytui.aws.bounds import BoundedSession
from keytui.aws.clients import COMMON, DEFAULT_REGION, FIRST_CALL, Clients
from keytui.aws.credentials import check_files, find_credentials, share_config
from keytui.aws.gateway import IamGateway
from keytui.aws.options import ConnectOptions
from keytui.aws.translate import SETUP, ask
from keytui.core.errors import CredentialsError
from keytui.core.gate import LOOKING, Gate
from keytui.core.model import Identity, Secret

__all__ = ["ConnectOptions", "connect", "profiles", "who"]

# These log reply bodies (a new secret), headers and canonical requests (session tokens).
_TALKATIVE = ("botocore.parsers", "botocore.endpoint", "botocore.auth")
TURN_SECONDS = 1.0
"""How long one profile waits, at most, while another is set up."""
_turn = Lock()


def connect(options: ConnectOptions, gate: Gate) -> IamGateway:
    """Find credentials and return the way to the account.

    IAM and STS are not asked anything yet; a profile that assumes a role or signs in
    through SSO is. Every call that may change something passes the gate.

    Raises:
        CredentialsError: There are no credentials, or they can't be had.
        AwsError: The region, the endpoint URL or the AWS config can't be used.
    """
    _hush()
    session = ask(SETUP, lambda: _session(options))
    key_id = ask(SETUP, lambda: _signing_key_id(session))
    if key_id is None:
        raise _no_credentials(options.profile)
    with _in_turn(options):
        clients = ask(SETUP, lambda: Clients(session, options, gate))
    return IamGateway(clients, key_id)


def who(
    options: ConnectOptions,
    key_id: str,
    secret: Secret,
    connected: Callable[[IamGateway], None] = lambda _: None,
) -> Identity:
    """Ask AWS whose access key this is, signing with the key itself (sts:GetCallerIdentity).

    The options say where AWS is asked; whatever credentials they lead to are not used.
    ``connected`` is called before anything is asked.

    Raises:
        CredentialsError: AWS does not accept the key.
        AwsError: AWS can't be asked.
    """
    _hush()
    session = ask(SETUP, lambda: _session(options))
    session.set_credentials(key_id, secret.reveal())
    iam = IamGateway(ask(SETUP, lambda: Clients(session, options, LOOKING)), key_id)
    connected(iam)
    return iam.identity()


def profiles() -> list[str]:
    """Return the names of the AWS config's profiles, in alphabetical order.

    Raises:
        AwsError: The AWS config can't be read.
    """
    session = Session()
    ask(SETUP, lambda: check_files(session))
    return ask(SETUP, lambda: sorted(session.available_profiles))


def _hush() -> None:
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.INFO)


def _session(options: ConnectOptions) -> BoundedSession:
    if options.access_key_id is None or options.secret is None:
        with _in_turn(options):
            session = _profile_session(options)
        find_credentials(session, options)
        return session
    session = BoundedSession(session_vars=_nothing_from_outside())
    session.set_config_variable("region", options.region or DEFAULT_REGION)
    session.set_credentials(options.access_key_id, options.secret.reveal())
    return session


@contextmanager
def _in_turn(options: ConnectOptions) -> Iterator[None]:
    """Set up one quiet profile after the other.

    That takes 0.1 s of work each: eight at the same time would leave a key press none.
    """
    got = options.quiet and _turn.acquire(timeout=TURN_SECONDS)
    try:
        yield
    finally:
        if got:
            _turn.release()


def _profile_session(options: ConnectOptions) -> BoundedSession:
    session = BoundedSession(profile=options.profile)
    check_files(session)
    if options.quiet:
        share_config(session)
    # Read once, not for each of many profiles: it takes 0.1 s and 12 MB.
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    # Also for the SDK's own calls on the way to credentials (SSO, AssumeRole), which
    # would otherwise wait a minute for each lost packet.
    session.set_default_client_config(Config(**COMMON, **FIRST_CALL))
    region = options.region or session.get_config_variable("region") or DEFAULT_REGION
    session.set_config_variable("region", region)
    return session


class _SharedLoader(Loader):
    """Reads the SDK's data, its services and partitions, for every session."""

    @property
    def search_paths(self) -> list[str]:
        """Where it looks; boto3 adds to this list a folder of its own for each session."""
        return [*super().search_paths]


@cache
def _loader(data_path: str | None) -> Loader:
    folders = create_loader(data_path).search_paths
    return _SharedLoader(extra_search_paths=[*folders], include_default_search_paths=False)


def _nothing_from_outside() -> dict[str, Any]:
    """Return the SDK's variables with their sources, environment and files, cut off."""
    closed: dict[str, Any] = {
        name: (None, None, *variable[2:]) for name, variable in Session.SESSION_VARIABLES.items()
    }
    closed |= dict.fromkeys(("config_file", "credentials_file"), (None, None, os.devnull, None))
    return closed


def _signing_key_id(session: Session) -> str | None:
    credentials = session.get_credentials()
    if credentials is None:
        return None
    return credentials.get_frozen_credentials().access_key


def _no_credentials(profile: str | None) -> CredentialsError:
    if profile:
        return CredentialsError(
            f"The profile {profile} has no credentials.",
            "Nothing was changed.",
            "Give it keys, a role or a sign-in in the AWS config, or choose another profile.",
        )
    return CredentialsError(
        "No AWS credentials were found.",
        "Nothing was changed.",
        "Name a profile (--profile or AWS_PROFILE), set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or sign in (aws configure, aws sso login). "
        "To look around without AWS: keytui --demo.",
    )
