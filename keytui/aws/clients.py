"""The SDK's clients, with keytui's time limits and numbers of attempts."""

import copy
import threading
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.credentials import EnvProvider, ReadOnlyCredentials

from keytui import __version__
from keytui.aws.bounds import BoundedSession
from keytui.aws.mfa import KeyCredentials, MfaGate
from keytui.aws.options import ConnectOptions
from keytui.core.gate import Gate
from keytui.core.model import Secret

if TYPE_CHECKING:
    from botocore.model import OperationModel
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient


class ServerClock:
    """Remembers how far AWS's clock is from this machine's."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def heard(self, http_response: Any, **_: Any) -> None:
        """Take note of a reply; the SDK's handler for the event ``after-call``."""
        try:
            told = parsedate_to_datetime(http_response.headers["Date"])
        except (LookupError, ValueError, TypeError):
            return
        if told.tzinfo:
            self._ahead = told - datetime.now(UTC)

    def now(self) -> datetime:
        """Return AWS's time, to about a second."""
        return datetime.now(UTC) + self._ahead


DEFAULT_REGION = "us-east-1"
"""Where IAM's and STS's global endpoints are signed for in the ``aws`` partition."""

COMMON: dict[str, Any] = {
    "tcp_keepalive": True,
    "user_agent_extra": f"keytui/{__version__}",
    "parameter_validation": True,
}

# Seconds. An address that swallows packets costs attempts x connect_timeout plus at most
# 3 s of back-off: under 10 s. The first call, which the user waits for, may hang no
# longer than that either, so it has fewer attempts and a shorter read timeout.
ORDINARY: dict[str, Any] = {
    "connect_timeout": 2,
    "read_timeout": 10,
    "retries": {"mode": "standard", "total_max_attempts": 3},
}
FIRST_CALL: dict[str, Any] = {
    "connect_timeout": 3,
    "read_timeout": 3.5,
    "retries": {"mode": "standard", "total_max_attempts": 2},
}
ONCE: dict[str, Any] = {**ORDINARY, "retries": {"mode": "standard", "total_max_attempts": 1}}
# CreateAccessKey is not idempotent: total_max_attempts, unlike max_attempts, counts the
# first send and is not overridden by AWS_MAX_ATTEMPTS or AWS_RETRY_MODE.
ONE_ATTEMPT: dict[str, Any] = {
    "connect_timeout": 5,
    "read_timeout": 20,
    "retries": {"mode": "standard", "total_max_attempts": 1},
    "max_pool_connections": 1,
}


READING = ("Assume", "Generate", "Get", "List", "Lookup", "Simulate")
"""How the names of AWS's actions begin that change nothing one manages; others may."""


class Clients:
    """The SDK's clients, made for one session.

    Attributes:
        iam: For every call but CreateAccessKey; may be used from any thread.
        sts: For GetCallerIdentity; may be used from any thread.
        clock: AWS's time, from IAM's replies.
    """

    def __init__(
        self,
        session: BoundedSession,
        options: ConnectOptions,
        gate: Gate,
        clock: ServerClock | None = None,
    ) -> None:
        self._session = session
        self._sdk: Any = boto3.session.Session(botocore_session=session)
        self._options = options
        self._changes = gate
        self._isolation: dict[str, Any] = {"proxies": {}} if options.access_key_id else {}
        self._making, self._sharing = threading.Lock(), threading.Lock()
        self._once: IAMClient | None = None
        self.clock = clock or ServerClock()
        self._gate = self._mfa_gate()
        self.iam = cast("IAMClient", self._client("iam", ORDINARY))
        self.sts = cast("STSClient", self._client("sts", FIRST_CALL))

    def signed_by(self, key_id: str, secret: Secret) -> "Clients":
        """Return clients for the same place whose calls this key signs."""
        session = copy.copy(self._session)
        session.set_credentials(key_id, secret.reveal())
        return Clients(session, self._options, self._changes, self.clock)

    def sending_once(self) -> "Clients":
        """Return the same clients, but an IAM client that sends each request once."""
        with self._sharing:
            if self._once is None:
                self._once = cast("IAMClient", self._client("iam", ONCE))
        other = copy.copy(self)
        other.iam = self._once
        return other

    def one_attempt_iam(self) -> "IAMClient":
        """Return a new client that sends once, on a connection of its own.

        A pooled connection that died silently would otherwise cost a whole read timeout.
        """
        return cast("IAMClient", self._client("iam", ONE_ATTEMPT))

    def _client(
        self, service: str, limits: dict[str, Any], key: ReadOnlyCredentials | None = None
    ) -> Any:
        """Make a client; with ``key`` that signs, whatever signs for the session."""
        config = Config(**COMMON, **limits, **self._isolation)
        with self._making:  # making a client, unlike using one, is not thread-safe
            client: Any = self._sdk.client(
                service,
                endpoint_url=self._options.endpoint_url,
                config=config,
                aws_access_key_id=key and key.access_key,
                aws_secret_access_key=key and key.secret_key,
            )
        _require_usable(client.meta.endpoint_url)
        client.meta.events.register_first("before-call", self._require_writable)
        client.meta.events.register("after-call.iam", self.clock.heard)
        if self._gate and not key:
            self._gate.watch(client)
        return client

    def _require_writable(self, model: "OperationModel", **_: object) -> None:
        """Let no call out that may change something; the SDK runs this before each."""
        if not model.name.startswith(READING):
            self._changes.require_writable()

    def _mfa_gate(self) -> MfaGate | None:
        """Let a session stand in for a long-lived key; None where temporary credentials sign."""
        found: Any = self._session.get_credentials()
        key = found.get_frozen_credentials()
        if key.token:
            return None
        mfa = self._options.mfa
        credentials = KeyCredentials(key, found.method, mfa)
        self._session.sign_by(credentials)
        # Keys in the environment are not the profile's; neither need be its device.
        config = {} if found.method == EnvProvider.METHOD else self._session.get_scoped_config()
        serial = config.get("mfa_serial", "")
        return MfaGate(
            credentials, serial, mfa, lambda service: self._client(service, FIRST_CALL, key)
        )


def _require_usable(endpoint_url: str) -> None:
    """Raise ``ValueError``, as the SDK does, for a port or letters that no URL can have."""
    try:
        _ = urlsplit(endpoint_url).port
        endpoint_url.encode()
    except ValueError:
        raise ValueError("Invalid endpoint") from None
