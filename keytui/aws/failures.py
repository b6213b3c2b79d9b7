"""Failures on the way to AWS in words: credentials, config, network, TLS, odd answers."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from keytui.aws.bounds import EndlessReplyError, endless
from keytui.core.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    NotFoundError,
    QuotaError,
    ThrottledError,
    UnknownKeyError,
    UnreachableError,
)
from keytui.core.mfa import WrongCodeError

if TYPE_CHECKING:
    from botocore.exceptions import ClientError

_CODE = re.compile(r"[A-Za-z][A-Za-z.]{2,}")
_NAMED_ACTION = re.compile(r"not authorized to perform: ([a-z0-9-]{2,32}:[A-Za-z]{3,64})\b")
_MISSING_KEY = re.compile(r"access key with id", re.IGNORECASE)
_EXPLICIT = "explicit deny"
_WRONG_CODE = "MultiFactorAuthentication failed"

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError"}
_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"}
_UNKNOWN_KEY = {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId"}
_BAD_SIGNATURE = {
    "SignatureDoesNotMatch",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "AuthFailure",
}
_CLOCK = {"RequestExpired", "RequestTimeTooSkewed", "RequestInTheFuture"}
_THROTTLED = {
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequestsException",
    "SlowDown",
    "PriorRequestNotComplete",
}
_INVALID = {"ValidationError", "ValidationException", "InvalidInput", "InvalidParameterValue"}


def is_aws_refusal(error: "ClientError") -> bool:
    """Return whether AWS itself read the request and refused it.

    That takes a 4xx status, an error code and a request ID: a proxy's page has no such
    three, and AWS's own 5xx may come after the work was done.
    """
    status = _status(error)
    metadata = error.response.get("ResponseMetadata", {})
    return bool(
        400 <= status < 500
        and status != 408
        and _CODE.fullmatch(_code(error))
        and _code(error) != "Unknown"
        and (metadata.get("RequestId") or "x-amzn-requestid" in metadata.get("HTTPHeaders", {}))
    )


@dataclass(frozen=True, slots=True)
class Refusal:
    """What AWS certainly refused, as far as a sign-in may help.

    Attributes:
        denied: A policy does not let the caller do it.
        explicit: A policy forbids it outright, as those do that demand MFA.
        expired: The session that signed has expired.
        wrong_code: The MFA code was not the device's.
    """

    denied: bool
    explicit: bool
    expired: bool
    wrong_code: bool


def certain_refusal(error: "ClientError") -> Refusal | None:
    """Return what AWS refused; None where that may not be AWS's own answer."""
    if not is_aws_refusal(error):
        return None
    code, message = _code(error), _message(error)
    denied = code in _DENIED
    return Refusal(
        denied=denied,
        explicit=denied and _EXPLICIT in message,
        expired=code in _EXPIRED,
        wrong_code=denied and _WRONG_CODE in message,
    )


def is_throttle(error: "ClientError") -> bool:
    """Return whether the caller is asked to send less."""
    return _status(error) == 429 or _code(error) in _THROTTLED


def refusal(error: "ClientError", action: str, subject: str, safe: str) -> AwsError:
    """Return the error that tells an operator why AWS refused ``action``."""
    code = _code(error)
    if code in _DENIED:
        return _denied(error, action, safe)
    if code == "NoSuchEntity":
        return _gone(error, subject, safe)
    if code == "LimitExceeded":
        return _over_limit(action, subject, safe)
    for codes, explain in _BY_CODE:
        if code in codes:
            return explain(safe)
    return _other(error, action, safe)


def _denied(error: "ClientError", action: str, safe: str) -> AccessDeniedError:
    message = _message(error)
    named = _NAMED_ACTION.search(message)
    missing = named[1] if named else action or f"sts:{error.operation_name}"
    if _WRONG_CODE in message:
        return WrongCodeError(missing, safe)
    if _EXPLICIT in message:
        next_step = (
            f"An explicit deny forbids {missing}: often MFA is missing, or it is a permissions "
            "boundary or an organization's policy. keytui asks for a code where the profile has "
            "mfa_serial or the user a device; else ask who looks after the account."
        )
    elif error.operation_name.startswith("AssumeRole"):
        next_step = "Check the profile's role_arn, source_profile and mfa_serial."
    else:
        next_step = f"Ask for {missing}, or use a profile that has it."
    return AccessDeniedError(missing, f"You may not do this: {missing} is denied.", safe, next_step)


def _gone(error: "ClientError", subject: str, safe: str) -> NotFoundError:
    what = subject or "It"
    if not subject.startswith("The access key") and _MISSING_KEY.search(_message(error)):
        what = "The access key"
    return NotFoundError(
        f"{what} does not exist (any more).", safe, "Refresh to see what is there now."
    )


def _over_limit(action: str, subject: str, safe: str) -> AwsError:
    if action == "iam:CreateAccessKey":
        return QuotaError(
            f"{subject} already has all the access keys that AWS allows.",
            safe,
            "Delete one that is not needed; inactive keys count too.",
        )
    if action == "iam:TagUser":
        return AwsError(
            f"{subject} already has all the tags that AWS allows.",
            safe,
            "Remove a tag that is not needed, or do without the description.",
        )
    return AwsError("A limit of the AWS account is reached.", safe, "See Service Quotas.")


def _expired(safe: str) -> AwsError:
    return CredentialsError(
        "The credentials that sign keytui's calls have expired.",
        safe,
        "Sign in again (with SSO: aws sso login), then refresh.",
    )


def _unknown_key(safe: str) -> AwsError:
    return UnknownKeyError(
        "AWS does not accept the access key that signs keytui's calls.",
        safe,
        "It may be deleted, inactive, made only seconds ago, or of another partition or a "
        "region that is not enabled: check the profile and --region, then try again.",
    )


def _bad_signature(safe: str) -> AwsError:
    return CredentialsError(
        "AWS does not accept the signature.",
        safe,
        "Check that the secret access key belongs to its key ID, was copied whole, and that "
        "this machine's clock is right.",
    )


def _wrong_clock(safe: str) -> AwsError:
    return CredentialsError(
        "AWS does not accept the time in the request.", safe, "Set this machine's clock."
    )


def _throttled(safe: str) -> AwsError:
    return ThrottledError(
        "AWS asks for fewer calls, also after several tries.",
        safe,
        "Wait a minute, then try again.",
    )


def _busy(safe: str) -> AwsError:
    return AwsError(
        "AWS is still at work on an earlier change to this.", safe, "Try again in a few seconds."
    )


def _invalid(safe: str) -> AwsError:
    return AwsError(
        "AWS does not take a name or text of this form.",
        safe,
        "Descriptions may hold letters, digits, spaces and _.:/=+-@ only, 256 at most.",
    )


def _not_enabled(safe: str) -> AwsError:
    return UnreachableError(
        "The account or the region is not enabled for this.",
        safe,
        "Check --region; us-east-1 is right for most accounts.",
    )


_BY_CODE: tuple[tuple[set[str], Callable[[str], AwsError]], ...] = (
    (_EXPIRED, _expired),
    (_UNKNOWN_KEY, _unknown_key),
    (_BAD_SIGNATURE, _bad_signature),
    (_CLOCK, _wrong_clock),
    (_THROTTLED, _throttled),
    ({"EntityTemporarilyUnmodifiable", "ConcurrentModification"}, _busy),
    (_INVALID, _invalid),
    ({"OptInRequired", "RegionDisabledException", "SubscriptionRequired"}, _not_enabled),
)


def _other(error: "ClientError", action: str, safe: str) -> AwsError:
    status = _status(error)
    if status == 429:
        return _throttled(safe)
    if status >= 500:
        return AwsError(
            f"AWS has a fault of its own (HTTP {status}), also after several tries.",
            safe,
            "Try again in a minute; health.aws.amazon.com tells of outages.",
        )
    if not is_aws_refusal(error):
        return UnreachableError(
            f"The answer (HTTP {status}) is not one that AWS gives.",
            safe,
            "A proxy, a captive portal or another program may answer in its place: "
            "check the network, the proxy and the endpoint URL.",
        )
    return AwsError(
        f"AWS refused {action or 'the call'} ({_code(error)}).",
        safe,
        "IAM's list of common errors says what this code means.",
    )


def _code(error: "ClientError") -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _message(error: "ClientError") -> str:
    return str(error.response.get("Error", {}).get("Message", ""))


def _status(error: "ClientError") -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


UNREADABLE = (
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    ArithmeticError,
    RuntimeError,
    MemoryError,
)
"""What the SDK's parsers let through where a reply, or a config file, is not what they expect.

A captive portal's page has none of the fields; a hostile reply has a date that is none, or
elements nested without end.
"""


def failure(error: Exception, safe: str, *, asked_aws: bool) -> AwsError:
    """Return the error that tells an operator why no answer of AWS's came.

    Args:
        error: What the SDK raised.
        safe: What is safe.
        asked_aws: Whether AWS was called, rather than the AWS setup read.
    """
    if isinstance(error, ValueError) and str(error).startswith(
        ("Invalid endpoint", "Invalid IPv6")
    ):
        return _bad_endpoint(safe)
    if (reply := endless(error)) is not None:
        return _endless(reply, safe)
    for kinds, explain in _EXPLAINERS:
        if isinstance(error, kinds):
            if explain is _unreadable and not asked_aws:
                return _odd_setup(safe)
            return explain(error, safe)
    return AwsError(
        "The AWS SDK could not make this call.",
        safe,
        f"It said {type(error).__name__}. Check the AWS configuration, then try again.",
    )


def _no_credentials(_: Any, safe: str) -> AwsError:
    return CredentialsError(
        "No AWS credentials were found.",
        safe,
        "Name a profile (--profile or AWS_PROFILE) or sign in (aws configure, aws sso login).",
    )


def _partial(error: Any, safe: str) -> AwsError:
    return CredentialsError(
        f"The AWS credentials are incomplete: {error.kwargs.get('cred_var', 'a part')} is missing.",
        safe,
        "Complete them in the environment or the AWS credentials file.",
    )


def _signed_out(_: Any, safe: str) -> AwsError:
    return CredentialsError(
        "The sign-in session has expired or is missing.",
        safe,
        "Run aws sso login (or aws login) for this profile, then refresh.",
    )


def _not_retrieved(error: Any, safe: str) -> AwsError:
    provider = error.kwargs.get("provider", "their provider")
    hint = "Run the profile's credential_process by hand to see what it says."
    return CredentialsError(
        f"The AWS credentials could not be had from {provider}.",
        safe,
        hint if provider == "custom-process" else "Check the profile, then try again.",
    )


def _missing_package(_: Any, safe: str) -> AwsError:
    return CredentialsError(
        "This profile signs in a way that needs an optional part of the AWS SDK.",
        safe,
        "Install it with: pip install 'botocore[crt]'.",
    )


def _unknown_profile(error: Any, safe: str) -> AwsError:
    return CredentialsError(
        f"The AWS config has no profile named {error.kwargs.get('profile', '?')}.",
        safe,
        "Check --profile and AWS_PROFILE; aws configure list-profiles shows what there is.",
    )


def _bad_config(error: Any, safe: str) -> AwsError:
    return CredentialsError(
        f"The AWS config file {error.kwargs.get('path', '')} can't be read.",
        safe,
        "Look for a line that is neither [section] nor name = value.",
    )


def _bad_setting(error: Any, safe: str) -> AwsError:
    # The SDK's own words name profiles and settings.
    said = " ".join(str(error).split()).rstrip(".")
    return CredentialsError(
        f"The AWS config does not fit together: {said}.", safe, "Check the profile in it."
    )


def _bad_region(_: Any, safe: str) -> AwsError:
    return UnreachableError(
        "The AWS region can't be used.",
        safe,
        "Check --region, AWS_DEFAULT_REGION and the profile; us-east-1 is right for most.",
    )


def _no_connection(error: Any, safe: str) -> AwsError:
    cause = str(error.kwargs.get("error", ""))
    if "resolve" in cause or "Name or service" in cause or "getaddrinfo" in cause:
        return UnreachableError(
            f"The name {_host(error)} can't be resolved.",
            safe,
            "Check the network, DNS, the region and the endpoint URL.",
        )
    return UnreachableError(
        f"{_host(error)} can't be reached.",
        safe,
        "Check the network, the proxy settings and the endpoint URL.",
    )


def _connect_timeout(error: Any, safe: str) -> AwsError:
    return UnreachableError(
        f"{_host(error)} did not take the connection in time.",
        safe,
        "Check the network, the firewall and whether a proxy is needed here.",
    )


def _read_timeout(error: Any, safe: str) -> AwsError:
    return UnreachableError(
        f"{_host(error)} took the request and did not answer in time.", safe, "Try again."
    )


def _closed(error: Any, safe: str) -> AwsError:
    return UnreachableError(
        f"{_host(error)} closed the connection without an answer.",
        safe,
        "Check the network and the proxy, then try again.",
    )


def _proxy(error: Any, safe: str) -> AwsError:
    return UnreachableError(
        f"The proxy {_host(error)} can't be used.",
        safe,
        "Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.",
    )


def _tls(error: Any, safe: str) -> AwsError:
    if "No such file" in str(error):
        return UnreachableError(
            "The file of trusted certificates is not there.",
            safe,
            "Check that AWS_CA_BUNDLE, or ca_bundle in the AWS config, names a readable file.",
        )
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return UnreachableError(
            f"The TLS certificate of {_host(error)} is not trusted.",
            safe,
            "If a proxy here signs certificates itself, point AWS_CA_BUNDLE at its CA.",
        )
    return UnreachableError(
        f"No secure (TLS) connection could be made to {_host(error)}.",
        safe,
        "Check that the endpoint URL's https:// and port are right, and the proxy.",
    )


def _http_failure(error: Any, safe: str) -> AwsError:
    cause = error.kwargs.get("error")
    if isinstance(cause, OSError):
        return UnreachableError(
            "The connection could not be set up.",
            safe,
            "Check that AWS_CA_BUNDLE names a readable file, the network and the proxy.",
        )
    return UnreachableError(
        "The request could not be sent.",
        safe,
        "Check the endpoint URL, the proxy settings and that no credential holds a line break.",
    )


def _endless(reply: EndlessReplyError, safe: str) -> AwsError:
    return UnreachableError(
        f"What answers at the endpoint {reply.reason}, which AWS never does.",
        safe,
        "Another program may answer in its place: check the network, the proxy and the "
        "endpoint URL.",
    )


def _unreadable(_: Any, safe: str) -> AwsError:
    return UnreachableError(
        "The answer is not one that AWS gives.",
        safe,
        "A captive portal, a proxy or another program may answer in its place: "
        "check the network and the endpoint URL.",
    )


def _bad_parameter(_: Any, safe: str) -> AwsError:
    return AwsError("AWS does not take a name or text of this form.", safe, "Check what was typed.")


def _file_trouble(error: Any, safe: str) -> AwsError:
    what = error.filename or "A file or program"
    return CredentialsError(
        f"{what}, which the AWS setup names, can't be used: {error.strerror or 'unknown reason'}.",
        safe,
        "Check the AWS config, credentials file and credential_process.",
    )


def _odd_setup(safe: str) -> AwsError:
    return CredentialsError(
        "Something in the AWS setup can't be understood.",
        safe,
        "Check the profile in the AWS config and credentials files; if it has a "
        "credential_process, run that by hand to see what it prints.",
    )


def _bad_endpoint(safe: str) -> AwsError:
    return UnreachableError(
        "The endpoint URL is not a usable URL.",
        safe,
        "Write it like https://host or http://127.0.0.1:5000; "
        "see --endpoint-url and AWS_ENDPOINT_URL.",
    )


# The first that fits: a subclass stands before its base.
_EXPLAINERS: tuple[tuple[Any, Callable[[Any, str], AwsError]], ...] = (
    (sdk.NoCredentialsError, _no_credentials),
    (sdk.PartialCredentialsError, _partial),
    ((sdk.SSOError, sdk.LoginError, sdk.TokenRetrievalError), _signed_out),
    (sdk.CredentialRetrievalError, _not_retrieved),
    (sdk.MissingDependencyException, _missing_package),
    (sdk.ProfileNotFound, _unknown_profile),
    ((sdk.ConfigParseError, sdk.ConfigNotFound), _bad_config),
    (sdk.InvalidConfigError, _bad_setting),
    (
        (sdk.BaseEndpointResolverError, sdk.EndpointProviderError, sdk.InvalidRegionError),
        _bad_region,
    ),
    (sdk.SSLError, _tls),
    (sdk.EndpointConnectionError, _no_connection),
    (sdk.ConnectTimeoutError, _connect_timeout),
    (sdk.ReadTimeoutError, _read_timeout),
    ((sdk.ProxyConnectionError, sdk.InvalidProxiesConfigError), _proxy),
    (sdk.ConnectionClosedError, _closed),
    ((sdk.HTTPClientError, sdk.ConnectionError), _http_failure),
    ((sdk.ParamValidationError, sdk.ValidationError, UnicodeEncodeError), _bad_parameter),
    ((ResponseParserError, sdk.PaginationError), _unreadable),
    (OSError, _file_trouble),
    (UNREADABLE, _unreadable),
)


def _host(error: Any) -> str:
    """Return scheme, host and port of where it went wrong, without any user info."""
    kwargs = error.kwargs
    try:
        url = urlsplit(str(kwargs.get("endpoint_url") or kwargs.get("proxy_url") or ""))
    except ValueError:
        return "The endpoint"
    host = url.netloc.rpartition("@")[2]
    return f"{url.scheme}://{host}" if host else "The endpoint"
