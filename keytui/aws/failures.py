"""What AWS refused, and why no answer came, in words: tables of its codes and the SDK's errors."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from botocore import exceptions as sdk
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from keytui.aws.bounds import endless
from keytui.core.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    NotFoundError,
    QuotaError,
    ThrottledError,
    UnknownKeyError,
    UnreachableError,
    WrongCodeError,
)

_CODE = re.compile(r"[A-Za-z][A-Za-z.]{2,}")
_NAMED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]{2,32}:[A-Za-z]{3,64})\b")
_MISSING_KEY = re.compile(r"access key with id", re.IGNORECASE)


class Words(NamedTuple):
    """An error's sentences; details stand in the title as ``{name}``."""

    kind: type[AwsError]
    title: str
    next_step: str

    def error(self, safe: str, **details: Any) -> AwsError:
        return self.kind(self.title.format(**details), safe, self.next_step)


_DENIED = "AccessDenied AccessDeniedException UnauthorizedOperation AuthorizationError"
_EXPIRED = "ExpiredToken ExpiredTokenException TokenRefreshRequired"
_THROTTLED = (
    "Throttling ThrottlingException ThrottledException RequestThrottled RequestThrottledException "
    "RequestLimitExceeded TooManyRequestsException SlowDown PriorRequestNotComplete"
)
_REFUSALS = {
    "NoSuchEntity": Words(
        NotFoundError,
        "{subject} does not exist (any more).",
        "Refresh to see what is there now.",
    ),
    "LimitExceeded": Words(
        AwsError, "A limit of the AWS account is reached.", "See Service Quotas."
    ),
    _EXPIRED: Words(
        CredentialsError,
        "The credentials that sign keytui's calls have expired.",
        "Sign in again (with SSO: aws sso login), then refresh.",
    ),
    "InvalidClientTokenId UnrecognizedClientException InvalidAccessKeyId": Words(
        UnknownKeyError,
        "AWS does not accept the access key that signs keytui's calls.",
        "It may be deleted, inactive, made only seconds ago, or of another partition or a "
        "region that is not enabled: check the profile and --region, then try again.",
    ),
    "SignatureDoesNotMatch IncompleteSignature IncompleteSignatureException "
    "InvalidSignatureException MissingAuthenticationToken AuthFailure": Words(
        CredentialsError,
        "AWS does not accept the signature.",
        "Check that the secret access key belongs to its key ID, was copied whole, and that "
        "this machine's clock is right.",
    ),
    "RequestExpired RequestTimeTooSkewed RequestInTheFuture": Words(
        CredentialsError,
        "AWS does not accept the time in the request.",
        "Set this machine's clock.",
    ),
    _THROTTLED: Words(
        ThrottledError,
        "AWS asks for fewer calls, also after several tries.",
        "Wait a minute, then try again.",
    ),
    "EntityTemporarilyUnmodifiable ConcurrentModification": Words(
        AwsError,
        "AWS is still at work on an earlier change to this.",
        "Try again in a few seconds.",
    ),
    "ValidationError ValidationException InvalidInput InvalidParameterValue": Words(
        AwsError,
        "AWS does not take a name or text of this form.",
        "Descriptions may hold letters, digits, spaces and _.:/=+-@ only, 256 at most.",
    ),
    "OptInRequired RegionDisabledException SubscriptionRequired": Words(
        UnreachableError,
        "The account or the region is not enabled for this.",
        "Check --region; us-east-1 is right for most accounts.",
    ),
}
_BY_CODE = {code: words for codes, words in _REFUSALS.items() for code in codes.split()}
_LIMITS = {
    "iam:CreateAccessKey": Words(
        QuotaError,
        "{subject} already has all the access keys that AWS allows.",
        "Delete one that is not needed; inactive keys count too.",
    ),
    "iam:TagUser": Words(
        AwsError,
        "{subject} already has all the tags that AWS allows.",
        "Remove a tag that is not needed, or do without the description.",
    ),
}
_SERVER_FAULT = Words(
    AwsError,
    "AWS has a fault of its own (HTTP {status}), also after several tries.",
    "Try again in a minute; health.aws.amazon.com tells of outages.",
)
_NOT_FROM_AWS = Words(
    UnreachableError,
    "The answer (HTTP {status}) is not one that AWS gives.",
    "A proxy, a captive portal or another program may answer in its place: "
    "check the network, the proxy and the endpoint URL.",
)
_ANY_OTHER = Words(
    AwsError,
    "AWS refused {action} ({code}).",
    "IAM's list of common errors says what this code means.",
)
_EXPLICIT_DENY = (
    "An explicit deny forbids {}: often MFA is missing, or it is a permissions "
    "boundary or an organization's policy. keytui asks for a code where the profile has "
    "mfa_serial or the user a device; else ask who looks after the account."
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error reply, AWS's or that of what answers in its place.

    Attributes:
        code: AWS's error code; empty where there is none.
        message: AWS's own words.
        status: The HTTP status; 0 where it is unknown.
        operation: What was asked of AWS, without the service's name.
        certain: Whether AWS itself read the request and refused it. That takes a 4xx status, an
            error code and a request ID: a proxy's page has no such three, and AWS's own 5xx may
            come after the work was done.
    """

    code: str
    message: str
    status: int
    operation: str
    certain: bool

    @classmethod
    def of(cls, error: ClientError) -> "Refusal":
        reply: Any = error.response
        said, metadata = reply.get("Error", {}), reply.get("ResponseMetadata", {})
        code, status = str(said.get("Code", "")), int(metadata.get("HTTPStatusCode", 0))
        named = _CODE.fullmatch(code) and code != "Unknown"
        request_id = metadata.get("RequestId")
        identified = request_id or "x-amzn-requestid" in metadata.get("HTTPHeaders", {})
        certain = bool(400 <= status < 500 and status != 408 and named and identified)
        return cls(code, str(said.get("Message", "")), status, error.operation_name, certain)

    @property
    def denied(self) -> bool:
        """Whether a policy does not let the caller do it."""
        return self.code in _DENIED.split()

    @property
    def explicit(self) -> bool:
        """Whether a policy forbids it outright, as those do that demand MFA."""
        return self.denied and "explicit deny" in self.message

    @property
    def wrong_code(self) -> bool:
        """Whether the MFA code was not the device's."""
        return self.denied and "MultiFactorAuthentication failed" in self.message

    @property
    def expired(self) -> bool:
        """Whether the session that signed has expired."""
        return self.code in _EXPIRED.split()

    @property
    def throttled(self) -> bool:
        """Whether the caller is asked to send less."""
        return self.status == 429 or self.code in _THROTTLED.split()

    def explain(self, action: str, subject: str, safe: str) -> AwsError:
        """Return the error that tells an operator why AWS refused ``action``."""
        if self.denied:
            return self._denied(action, safe)
        if self.code == "NoSuchEntity":
            about_a_key = subject.startswith("The access key")
            no_key = not about_a_key and _MISSING_KEY.search(self.message)
            subject = "The access key" if no_key else subject or "It"
        action_name = action or "the call"
        details = {"subject": subject, "action": action_name, "code": self.code}
        return self._words(action).error(safe, status=self.status, **details)

    def _words(self, action: str) -> Words:
        if self.code == "LimitExceeded" and action in _LIMITS:
            return _LIMITS[action]
        if self.code in _BY_CODE:
            return _BY_CODE[self.code]
        if self.throttled:
            return _REFUSALS[_THROTTLED]
        if self.status >= 500:
            return _SERVER_FAULT
        return _ANY_OTHER if self.certain else _NOT_FROM_AWS

    def _denied(self, action: str, safe: str) -> AccessDeniedError:
        named = _NAMED_ACTION.search(self.message)
        missing = named[1] if named else action or f"sts:{self.operation}"
        if self.wrong_code:
            return WrongCodeError(missing, safe)
        next_step = f"Ask for {missing}, or use a profile that has it."
        if self.explicit:
            next_step = _EXPLICIT_DENY.format(missing)
        elif self.operation.startswith("AssumeRole"):
            next_step = "Check the profile's role_arn, source_profile and mfa_serial."
        title = f"You may not do this: {missing} is denied."
        return AccessDeniedError(missing, title, safe, next_step)


UNREADABLE = (
    *(LookupError, ValueError, TypeError, AttributeError),
    *(ArithmeticError, RuntimeError, MemoryError),
)
"""What the SDK's parsers let through where a reply, or a config file, is not what they expect.

A captive portal's page has none of the fields; a hostile reply has a date that is none, or
elements nested without end.
"""
_UNRESOLVED = re.compile("resolve|Name or service|getaddrinfo")


class _Row(NamedTuple):
    """The sentences for some exceptions, or for those of them that ``when`` is true of."""

    exceptions: Any
    kind: type[AwsError]
    title: str
    next_step: str
    when: Callable[[Any], object] = lambda _: True


_NOT_AWS = _Row(
    (ResponseParserError, sdk.PaginationError, *UNREADABLE),
    UnreachableError,
    "The answer is not one that AWS gives.",
    "A captive portal, a proxy or another program may answer in its place: "
    "check the network and the endpoint URL.",
)
_ODD_SETUP = _Row(
    _NOT_AWS.exceptions,
    CredentialsError,
    "Something in the AWS setup can't be understood.",
    "Check the profile in the AWS config and credentials files; if it has a "
    "credential_process, run that by hand to see what it prints.",
)
# The first that fits counts: a subclass stands before its base.
_ROWS: tuple[_Row, ...] = (
    _Row(
        ValueError,
        UnreachableError,
        "The endpoint URL is not a usable URL.",
        "Write it like https://host or http://127.0.0.1:5000; "
        "see --endpoint-url and AWS_ENDPOINT_URL.",
        lambda e: str(e).startswith(("Invalid endpoint", "Invalid IPv6")),
    ),
    _Row(
        Exception,
        UnreachableError,
        "What answers at the endpoint {endless}, which AWS never does.",
        "Another program may answer in its place: check the network, the proxy and the "
        "endpoint URL.",
        lambda e: endless(e),
    ),
    _Row(
        sdk.NoCredentialsError,
        CredentialsError,
        "No AWS credentials were found.",
        "Name a profile (--profile or AWS_PROFILE) or sign in (aws configure, aws sso login).",
    ),
    _Row(
        sdk.PartialCredentialsError,
        CredentialsError,
        "The AWS credentials are incomplete: {missing} is missing.",
        "Complete them in the environment or the AWS credentials file.",
    ),
    _Row(
        (sdk.SSOError, sdk.LoginError, sdk.TokenRetrievalError),
        CredentialsError,
        "The sign-in session has expired or is missing.",
        "Run aws sso login (or aws login) for this profile, then refresh.",
    ),
    _Row(
        sdk.CredentialRetrievalError,
        CredentialsError,
        "The AWS credentials could not be had from {provider}.",
        "Run the profile's credential_process by hand to see what it says.",
        lambda e: e.kwargs.get("provider") == "custom-process",
    ),
    _Row(
        sdk.CredentialRetrievalError,
        CredentialsError,
        "The AWS credentials could not be had from {provider}.",
        "Check the profile, then try again.",
    ),
    _Row(
        sdk.MissingDependencyException,
        CredentialsError,
        "This profile signs in a way that needs an optional part of the AWS SDK.",
        "Install it with: pip install 'botocore[crt]'.",
    ),
    _Row(
        sdk.ProfileNotFound,
        CredentialsError,
        "The AWS config has no profile named {profile}.",
        "Check --profile and AWS_PROFILE; aws configure list-profiles shows what there is.",
    ),
    _Row(
        (sdk.ConfigParseError, sdk.ConfigNotFound),
        CredentialsError,
        "The AWS config file {path} can't be read.",
        "Look for a line that is neither [section] nor name = value.",
    ),
    _Row(
        sdk.InvalidConfigError,
        CredentialsError,
        "The AWS config does not fit together: {said}.",
        "Check the profile in it.",
    ),
    _Row(
        (sdk.BaseEndpointResolverError, sdk.EndpointProviderError, sdk.InvalidRegionError),
        UnreachableError,
        "The AWS region can't be used.",
        "Check --region, AWS_DEFAULT_REGION and the profile; us-east-1 is right for most.",
    ),
    _Row(
        sdk.SSLError,
        UnreachableError,
        "The file of trusted certificates is not there.",
        "Check that AWS_CA_BUNDLE, or ca_bundle in the AWS config, names a readable file.",
        lambda e: "No such file" in str(e),
    ),
    _Row(
        sdk.SSLError,
        UnreachableError,
        "The TLS certificate of {host} is not trusted.",
        "If a proxy here signs certificates itself, point AWS_CA_BUNDLE at its CA.",
        lambda e: "CERTIFICATE_VERIFY_FAILED" in str(e),
    ),
    _Row(
        sdk.SSLError,
        UnreachableError,
        "No secure (TLS) connection could be made to {host}.",
        "Check that the endpoint URL's https:// and port are right, and the proxy.",
    ),
    _Row(
        sdk.EndpointConnectionError,
        UnreachableError,
        "The name {host} can't be resolved.",
        "Check the network, DNS, the region and the endpoint URL.",
        lambda e: _UNRESOLVED.search(str(e.kwargs.get("error"))),
    ),
    _Row(
        sdk.EndpointConnectionError,
        UnreachableError,
        "{host} can't be reached.",
        "Check the network, the proxy settings and the endpoint URL.",
    ),
    _Row(
        sdk.ConnectTimeoutError,
        UnreachableError,
        "{host} did not take the connection in time.",
        "Check the network, the firewall and whether a proxy is needed here.",
    ),
    _Row(
        sdk.ReadTimeoutError,
        UnreachableError,
        "{host} took the request and did not answer in time.",
        "Try again.",
    ),
    _Row(
        (sdk.ProxyConnectionError, sdk.InvalidProxiesConfigError),
        UnreachableError,
        "The proxy {host} can't be used.",
        "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.",
    ),
    _Row(
        sdk.ConnectionClosedError,
        UnreachableError,
        "{host} closed the connection without an answer.",
        "Check the network and the proxy, then try again.",
    ),
    _Row(
        (sdk.HTTPClientError, sdk.ConnectionError),
        UnreachableError,
        "The connection could not be set up.",
        "Check that AWS_CA_BUNDLE names a readable file, the network and the proxy.",
        lambda e: isinstance(e.kwargs.get("error"), OSError),
    ),
    _Row(
        (sdk.HTTPClientError, sdk.ConnectionError),
        UnreachableError,
        "The request could not be sent.",
        "Check the endpoint URL, the proxy settings and that no credential holds a line break.",
    ),
    _Row(
        (sdk.ParamValidationError, sdk.ValidationError, UnicodeEncodeError),
        AwsError,
        "AWS does not take a name or text of this form.",
        "Check what was typed.",
    ),
    _Row(
        OSError,
        CredentialsError,
        "{file}, which the AWS setup names, can't be used: {reason}.",
        "Check the AWS config, credentials file and credential_process.",
    ),
    _NOT_AWS,
)


def failure(error: Exception, safe: str, *, asked_aws: bool) -> AwsError:
    """Return the error that tells an operator why no answer of AWS's came.

    Args:
        error: What the SDK raised.
        safe: What is safe.
        asked_aws: Whether AWS was called, rather than the AWS setup read.
    """
    fits = (row for row in _ROWS if isinstance(error, row.exceptions) and row.when(error))
    if (row := next(fits, None)) is None:
        next_step = f"It said {type(error).__name__}. Check the AWS configuration, then try again."
        return AwsError("The AWS SDK could not make this call.", safe, next_step)
    if row is _NOT_AWS and not asked_aws:
        row = _ODD_SETUP
    return row.kind(row.title.format(**_details(error)), safe, row.next_step)


def _details(error: Any) -> dict[str, Any]:
    """Return what a title may name of an error; never a reply."""
    fields = getattr(error, "kwargs", {})
    reply = endless(error)
    # The SDK's own words about the config: they name profiles and settings.
    said = str(error) if isinstance(error, sdk.InvalidConfigError) else ""
    return {
        "endless": reply and reply.reason,
        "missing": fields.get("cred_var", "a part"),
        "provider": fields.get("provider", "their provider"),
        "profile": fields.get("profile", "?"),
        "path": fields.get("path", ""),
        "said": " ".join(said.split()).rstrip("."),
        "host": _host(fields),
        "file": getattr(error, "filename", None) or "A file or program",
        "reason": getattr(error, "strerror", None) or "unknown reason",
    }


def _host(fields: dict[str, Any]) -> str:
    """Return scheme, host and port of where it went wrong, without any user info."""
    try:
        url = urlsplit(str(fields.get("endpoint_url") or fields.get("proxy_url") or ""))
    except ValueError:
        return "The endpoint"
    host = url.netloc.rpartition("@")[2]
    return f"{url.scheme}://{host}" if host else "The endpoint"
