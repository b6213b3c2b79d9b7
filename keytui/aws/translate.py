"""The one place where the SDK's failures become keytui's errors.

An SDK exception may hold a raw reply with a new secret in it, in its text and in the
frames of its traceback. So nothing here quotes a reply, and ``ask`` raises the translation
after the SDK's exception is gone: it is neither cause nor context of what leaves here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from keytui.aws.bounds import EndlessReplyError, endless
from keytui.aws.failures import UNREADABLE, Refusal, failure
from keytui.core.errors import AwsError, LostReplyError, MfaDeclinedError

NO_KEY_MADE = "No key was made."
NOTHING_CHANGED = "Nothing was changed."

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """A call to AWS, in the words that its errors need.

    Attributes:
        action: The IAM action, such as ``iam:UpdateAccessKey``.
        subject: What the call is about, such as ``The user alice``.
        untouched: What is safe where AWS certainly did not do it.
        unsure: What is safe where AWS may have done it.
        creates: Whether it is CreateAccessKey, whose lost reply is a lost secret.
    """

    action: str
    subject: str = ""
    untouched: str = NOTHING_CHANGED
    unsure: str = NOTHING_CHANGED
    creates: bool = False


SETUP = Call("")
"""Reading the AWS config and finding credentials."""

_TRANSLATED = (
    sdk.BotoCoreError,
    sdk.ClientError,
    ResponseParserError,
    OSError,  # a config file or credential_process that can't be opened
    EndlessReplyError,
    *UNREADABLE,
    MfaDeclinedError,
)


def ask(call: Call, work: Callable[[], T]) -> T:
    """Return what ``work`` returns.

    Raises:
        AwsError: ``work`` failed; the translation, with no trace of what was translated.
    """
    try:
        return work()
    except _TRANSLATED as error:
        translated = explain(error, call)
    raise translated


def explain(error: Exception, call: Call) -> AwsError:
    """Return the error that tells an operator what ``error`` means for ``call``."""
    if isinstance(error, MfaDeclinedError):
        return MfaDeclinedError(call.untouched)
    certain = _certainly_not_done(error, call)
    if call.creates and not certain:
        return _lost_reply(error)
    safe = call.untouched if certain else call.unsure
    if isinstance(error, sdk.ClientError):
        return Refusal.of(error).explain(call.action, call.subject, safe)
    return failure(error, safe, asked_aws=call is not SETUP)


_ON_THIS_MACHINE = (
    sdk.BaseEndpointResolverError,
    sdk.ConfigNotFound,
    sdk.ConfigParseError,
    sdk.CredentialRetrievalError,
    sdk.EndpointProviderError,
    sdk.LoginError,
    sdk.MissingDependencyException,
    sdk.NoCredentialsError,
    sdk.ParamValidationError,
    sdk.PartialCredentialsError,
    sdk.ProfileNotFound,
    sdk.SSOError,
    sdk.TokenRetrievalError,
    sdk.ValidationError,
)
_BEFORE_CONNECTED = (
    sdk.ConnectTimeoutError,
    sdk.EndpointConnectionError,
    sdk.ProxyConnectionError,
)
_HANDSHAKE = re.compile(
    r"CERTIFICATE_VERIFY_FAILED|WRONG_VERSION_NUMBER|HANDSHAKE_FAILURE|PROTOCOL_VERSION"
    r"|No such file"
)


def _certainly_not_done(error: Exception, call: Call) -> bool:
    """Return whether AWS did not do it. In doubt it may have: a key may have been made.

    Where the SDK tries again by itself, the last attempt's failure says nothing of the
    attempts before. Only CreateAccessKey is sent once.
    """
    if isinstance(error, _ON_THIS_MACHINE):
        return True
    if isinstance(error, sdk.ClientError):
        refused = Refusal.of(error)
        if refused.operation != call.action.partition(":")[2]:
            return True
        # What is between here and AWS may throttle a reply after the work was done.
        if call.creates and refused.throttled:
            return False
        metadata: Any = error.response.get("ResponseMetadata", {})
        unanswered = metadata.get("RetryAttempts", 0) - metadata.get("RefusedBefore", 0)
        return refused.certain and not unanswered
    if isinstance(error, sdk.SSLError):
        return call.creates and _HANDSHAKE.search(str(error)) is not None
    return call.creates and isinstance(error, _BEFORE_CONNECTED)


def _lost_reply(error: Exception) -> LostReplyError:
    if (reply := endless(error)) is not None:
        title = f"CreateAccessKey was sent and what answers {reply.reason}."
    elif isinstance(error, sdk.ReadTimeoutError):
        title = "CreateAccessKey was sent and AWS did not answer in time."
    elif isinstance(error, sdk.HTTPClientError | sdk.ConnectionError):
        title = "CreateAccessKey was sent and the connection broke before the reply."
    elif isinstance(error, sdk.ClientError):
        title = "CreateAccessKey was sent and something answered with a fault of its own."
    else:
        title = "CreateAccessKey was sent and the reply can't be read."
    return LostReplyError(
        title,
        "A key may exist whose secret nobody has.",
        "List the user's keys: one that was not there before can be deleted.",
    )
