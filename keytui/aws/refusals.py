"""What AWS refuses, in words: a table of its error codes."""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

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
_NOT_AWS = Words(
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
        return _ANY_OTHER if self.certain else _NOT_AWS

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
