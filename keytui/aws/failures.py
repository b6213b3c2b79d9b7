"""Failures on the way to AWS in words: credentials, config, network, TLS, odd answers."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from keytui.aws.bounds import EndlessReplyError, endless
from keytui.errors import AwsError, CredentialsError, UnreachableError

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
