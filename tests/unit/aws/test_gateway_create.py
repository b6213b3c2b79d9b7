"""CreateAccessKey under every fault: sent once, told apart, and no secret shown."""

import logging
from dataclasses import dataclass
from pathlib import Path

import pytest

from keytui.aws import clients
from keytui.aws.gateway import IamGateway
from keytui.aws.session import ConnectOptions, connect
from keytui.core.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    LostReplyError,
    NotFoundError,
    QuotaError,
    UnknownKeyError,
    UnreachableError,
)
from keytui.core.model import User
from tests.support.fake_iam import FakeIam
from tests.support.gates import WRITABLE
from tests.support.iam_replies import failure
from tests.support.iam_server import Fault, IamServer
from tests.support.loopback import refusing, self_signed
from tests.support.sentinel import SENTINEL, full_text

ALICE = User("alice")
LEAKY_PAGE = f"<html><body>{SENTINEL}</body></html>".encode()


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, the error it must become, and whether the server made a key."""

    name: str
    fault: Fault
    error: type[AwsError]
    made: bool = False


def refused(code: str, status: int, error: type[AwsError]) -> Case:
    return Case(code, Fault(works=False, reply=failure(code, SENTINEL), status=status), error)


def lost(name: str, fault: Fault) -> Case:
    return Case(name, fault, LostReplyError, fault.works)


CASES = [
    refused("AccessDenied", 403, AccessDeniedError),
    refused("LimitExceeded", 409, QuotaError),
    refused("NoSuchEntity", 404, NotFoundError),
    refused("EntityTemporarilyUnmodifiable", 409, AwsError),
    refused("ExpiredToken", 403, CredentialsError),
    refused("InvalidClientTokenId", 403, UnknownKeyError),
    refused("SignatureDoesNotMatch", 403, CredentialsError),
    lost("service failure", Fault(status=500, reply=failure("ServiceFailure", SENTINEL, 500))),
    lost("unavailable", Fault(status=503, reply=failure("ServiceUnavailable", "", 503))),
    lost("throttled", Fault(status=400, reply=failure("Throttling", "", 400))),
    lost("too many", Fault(status=429, reply=failure("TooManyRequestsException", "", 429))),
    lost("throttled by a proxy", Fault(status=429, reply=b"slow down")),
    lost("429 without a body", Fault(status=429)),
    lost("500 without a body", Fault(status=500)),
    lost("bad gateway", Fault(status=502, reply=LEAKY_PAGE)),
    lost("gateway timeout", Fault(status=504, reply=LEAKY_PAGE)),
    lost("request timeout", Fault(status=408, reply=failure("RequestTimeout", ""))),
    lost("forbidden by a proxy", Fault(status=403, reply=LEAKY_PAGE)),
    lost("proxy wants a password", Fault(status=407, reply=b"<html/>", works=False)),
    lost("redirected", Fault(status=302, reply=LEAKY_PAGE)),
    lost("error without a request ID", Fault(status=400, reply=b"<E><Error>x</Error></E>")),
    lost("captive portal", Fault(reply=LEAKY_PAGE)),
    lost("captive portal, malformed", Fault(reply=LEAKY_PAGE[:-9])),
    lost("empty reply", Fault(reply=b"")),
    lost("not text", Fault(reply=b"\xff\xfe\x00" + SENTINEL.encode())),
    lost("cut reply", Fault(cut=True)),
    lost("connection reset", Fault(end="reset")),
    lost("connection closed", Fault(end="close")),
    lost("no answer", Fault(hang=True)),
]


def reply_with(fields: str) -> bytes:
    return (
        "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey>"
        f"{fields}</AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>"
    ).encode()


SECRET_FIELD = f"<SecretAccessKey>{SENTINEL}</SecretAccessKey>"
ID_FIELD = "<AccessKeyId>AKIANEWKEY0000000001</AccessKeyId>"
CASES += [
    lost("no secret", Fault(reply=reply_with(ID_FIELD))),
    lost("no key ID", Fault(reply=reply_with(SECRET_FIELD))),
    lost("no fields", Fault(reply=reply_with(""))),
    lost(
        "date that is none",
        Fault(reply=reply_with(ID_FIELD + SECRET_FIELD + "<CreateDate>soon</CreateDate>")),
    ),
]


@pytest.fixture
def stubborn_env(
    aws_env: object, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An environment that asks the SDK to repeat, and a logger that takes everything."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKECALLER000001")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_RETRY_MODE", "legacy")
    monkeypatch.setitem(clients.ONE_ATTEMPT, "read_timeout", 1)
    caplog.set_level(logging.DEBUG)


def account() -> FakeIam:
    state = FakeIam()
    state.add_user(ALICE.name)
    state.next_secret = SENTINEL
    return state


def failing_create(gateway: IamGateway) -> AwsError:
    with pytest.raises(AwsError) as caught:
        gateway.create_key(ALICE)
    return caught.value


@pytest.mark.usefixtures("stubborn_env")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_fault(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    state = account()

    with IamServer(state) as server:
        server.fault("CreateAccessKey", case.fault)
        error = failing_create(connect(ConnectOptions(endpoint_url=server.url), WRITABLE))

    assert type(error) is case.error
    assert server.received()["CreateAccessKey"] == 1
    assert bool(state.held(ALICE)) is case.made
    assert error.title
    assert error.next_step
    if case.error is not LostReplyError:
        assert error.safe == "No key was made."
    assert error.__context__ is None
    assert error.__cause__ is None
    assert SENTINEL not in full_text(error)
    assert "html" not in full_text(error)
    assert SENTINEL not in caplog.text
    assert "CreateAccessKey" in caplog.text


@pytest.mark.usefixtures("stubborn_env")
def test_secret_that_arrives_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    with IamServer(account()) as server:
        new = connect(ConnectOptions(endpoint_url=server.url), WRITABLE).create_key(ALICE)

    assert new.secret.reveal() == SENTINEL
    assert SENTINEL not in repr(new)
    assert "CreateAccessKey" in caplog.text
    assert SENTINEL not in caplog.text


@pytest.mark.usefixtures("stubborn_env")
def test_secret_is_kept_though_the_rest_of_the_reply_is_missing() -> None:
    with IamServer(account()) as server:
        server.fault("CreateAccessKey", Fault(reply=reply_with(ID_FIELD + SECRET_FIELD)))
        new = connect(ConnectOptions(endpoint_url=server.url), WRITABLE).create_key(ALICE)

    assert new.secret.reveal() == SENTINEL
    assert new.key.id == "AKIANEWKEY0000000001"
    assert new.key.created is None


@pytest.mark.usefixtures("stubborn_env")
def test_without_an_identity_no_key_is_made() -> None:
    with IamServer(account()) as server:
        server.fail("GetCallerIdentity", "ExpiredToken", 403)
        error = failing_create(connect(ConnectOptions(endpoint_url=server.url), WRITABLE))

    assert type(error) is CredentialsError
    assert error.safe == "No key was made."
    assert server.received()["CreateAccessKey"] == 0


@pytest.mark.usefixtures("stubborn_env")
def test_each_create_uses_a_connection_of_its_own() -> None:
    state = account()
    state.quota = 5

    with IamServer(state) as server:
        gateway = connect(ConnectOptions(endpoint_url=server.url), WRITABLE)
        gateway.keys(ALICE)
        gateway.create_key(ALICE)
        gateway.create_key(ALICE)

    sources = {source for action, source in server.sources if action == "CreateAccessKey"}
    others = {source for action, source in server.sources if action != "CreateAccessKey"}
    assert len(sources) == 2
    assert not sources & others


@pytest.mark.usefixtures("stubborn_env")
def test_refused_connection_makes_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with IamServer(account()) as server, refusing() as nowhere:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", nowhere)
        error = failing_create(connect(ConnectOptions(), WRITABLE))

    assert type(error) is UnreachableError
    assert error.safe == "No key was made."


@pytest.mark.usefixtures("stubborn_env")
def test_tls_to_a_plain_port_makes_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    with IamServer(account()) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", server.url.replace("http:", "https:"))
        error = failing_create(connect(ConnectOptions(), WRITABLE))

    assert type(error) is UnreachableError
    assert error.safe == "No key was made."
    assert "TLS" in error.title


@pytest.mark.usefixtures("stubborn_env")
def test_untrusted_certificate_makes_no_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with IamServer(account()) as server, self_signed(tmp_path) as impostor:
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", impostor)
        error = failing_create(connect(ConnectOptions(), WRITABLE))

    assert type(error) is UnreachableError
    assert error.safe == "No key was made."
    assert "certificate" in error.title
    assert "AWS_CA_BUNDLE" in error.next_step
