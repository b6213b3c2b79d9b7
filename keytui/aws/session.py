"""Credentials, endpoints, time limits and retries: the SDK set up for keytui."""

import logging
import os
import threading
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config
from botocore.session import Session

from keytui import __version__
from keytui.aws.iam import IamGateway
from keytui.aws.options import ConnectOptions
from keytui.aws.translate import SETUP, ask
from keytui.errors import CredentialsError

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

__all__ = ["Clients", "ConnectOptions", "connect", "profiles"]

DEFAULT_REGION = "us-east-1"
"""Where IAM's and STS's global endpoints are signed for in the ``aws`` partition."""

_COMMON: dict[str, Any] = {
    "tcp_keepalive": True,
    "user_agent_extra": f"keytui/{__version__}",
    "parameter_validation": True,
}

# Seconds. An address that swallows packets costs attempts x connect_timeout plus at most
# 3 s of back-off: under 10 s. The first call, which the user waits for, may hang no
# longer than that either, so it has fewer attempts and a shorter read timeout.
_ORDINARY: dict[str, Any] = {
    "connect_timeout": 2,
    "read_timeout": 10,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}
_FIRST_CALL: dict[str, Any] = {
    "connect_timeout": 3,
    "read_timeout": 3.5,
    "retries": {"mode": "standard", "total_max_attempts": 2},
}
# CreateAccessKey is not idempotent: total_max_attempts, unlike max_attempts, counts the
# first send and is not overridden by AWS_MAX_ATTEMPTS or AWS_RETRY_MODE.
_ONE_ATTEMPT: dict[str, Any] = {
    "connect_timeout": 5,
    "read_timeout": 20,
    "retries": {"mode": "standard", "total_max_attempts": 1},
    "max_pool_connections": 1,
}

# These log reply bodies (a new secret), headers and canonical requests (session tokens).
_TALKATIVE = ("botocore.parsers", "botocore.endpoint", "botocore.auth")


def connect(options: ConnectOptions) -> IamGateway:
    """Find credentials and return the way to the account.

    IAM and STS are not asked anything yet; a profile that assumes a role or signs in
    through SSO is.

    Raises:
        CredentialsError: There are no credentials, or they can't be had.
        AwsError: The region, the endpoint URL or the AWS config can't be used.
    """
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.INFO)
    session = ask(SETUP, lambda: _session(options))
    key_id = ask(SETUP, lambda: _signing_key_id(session))
    if key_id is None:
        raise _no_credentials()
    clients = ask(SETUP, lambda: Clients(session, options))
    return IamGateway(clients, key_id)


def profiles() -> list[str]:
    """Return the names of the AWS config's profiles, in alphabetical order.

    Raises:
        AwsError: The AWS config can't be read.
    """
    return ask(SETUP, lambda: sorted(Session().available_profiles))


class Clients:
    """The SDK's clients, made for one session.

    Attributes:
        iam: For every call but CreateAccessKey; may be used from any thread.
        sts: For GetCallerIdentity; may be used from any thread.
    """

    def __init__(self, session: Session, options: ConnectOptions) -> None:
        self._session = session
        self._endpoint_url = options.endpoint_url
        self._isolation: dict[str, Any] = {"proxies": {}} if options.access_key_id else {}
        self._making = threading.Lock()
        self.iam = cast("IAMClient", self._client("iam", _ORDINARY))
        self.sts = cast("STSClient", self._client("sts", _FIRST_CALL))

    def one_attempt_iam(self) -> "IAMClient":
        """Return a new client that sends once, on a connection of its own.

        A pooled connection that died silently would otherwise cost a whole read timeout.
        """
        return cast("IAMClient", self._client("iam", _ONE_ATTEMPT))

    def _client(self, service: str, limits: dict[str, Any]) -> object:
        config = Config(**_COMMON, **limits, **self._isolation)
        with self._making:  # making a client, unlike using one, is not thread-safe
            return self._session.create_client(
                service,
                endpoint_url=self._endpoint_url,
                config=config,
            )


def _session(options: ConnectOptions) -> Session:
    if options.access_key_id is None or options.secret is None:
        session = Session(profile=options.profile)
        # Also for the SDK's own calls on the way to credentials (SSO, AssumeRole), which
        # would otherwise wait a minute for each lost packet.
        session.set_default_client_config(Config(**_COMMON, **_FIRST_CALL))
        region = options.region or session.get_config_variable("region") or DEFAULT_REGION
        session.set_config_variable("region", region)
        return session
    session = Session(session_vars=_nothing_from_outside())
    session.set_config_variable("region", options.region or DEFAULT_REGION)
    session.set_credentials(options.access_key_id, options.secret.reveal())
    return session


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


def _no_credentials() -> CredentialsError:
    return CredentialsError(
        "No AWS credentials were found.",
        "Nothing was changed.",
        "Name a profile (--profile or AWS_PROFILE), set AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY, or sign in (aws configure, aws sso login). "
        "To look around without AWS: keytui --demo.",
    )
