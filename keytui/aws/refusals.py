"""AWS's own error codes in words; from a reply only names of actions are taken over."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from keytui.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    NotFoundError,
    QuotaError,
    ThrottledError,
    UnknownKeyError,
    UnreachableError,
)
from keytui.mfa import WrongCodeError

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
