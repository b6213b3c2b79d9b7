"""Why no answer of AWS's came, in words: a table of the SDK's exceptions."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from keytui.aws.bounds import endless
from keytui.core.errors import AwsError, CredentialsError, UnreachableError

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
