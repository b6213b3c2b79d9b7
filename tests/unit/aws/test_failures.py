"""AWS's refusals over a real socket: the right error, action and words for each."""

from collections.abc import Callable

import pytest
from botocore.retries.standard import ExponentialBackoff

from keytui.aws.gateway import IamGateway
from keytui.aws.session import connect
from keytui.core.errors import (
    AccessDeniedError,
    AwsError,
    CredentialsError,
    NotFoundError,
    ThrottledError,
    UnknownKeyError,
    UnreachableError,
)
from keytui.core.model import AccessKey, KeyStatus, User
from tests.support.fake_iam import FakeIam
from tests.support.gates import WRITABLE
from tests.support.iam_server import Fault, IamServer
from tests.support.sentinel import SENTINEL, full_text

ALICE = User("alice")
KEY = AccessKey("AKIAALICE00000000001", ALICE, KeyStatus.ACTIVE, None)

Ask = Callable[[IamGateway], object]

CALLS: list[tuple[str, Ask]] = [
    ("sts:GetCallerIdentity", lambda iam: iam.identity()),
    ("iam:ListUsers", lambda iam: list(iam.users())),
    ("iam:GetUser", lambda iam: iam.user("alice")),
    ("iam:ListAccessKeys", lambda iam: iam.keys(ALICE)),
    ("iam:GetAccessKeyLastUsed", lambda iam: iam.last_used(KEY.id)),
    ("iam:ListUserTags", lambda iam: iam.descriptions(ALICE)),
    ("iam:UpdateAccessKey", lambda iam: iam.set_status(KEY, KeyStatus.INACTIVE)),
    ("iam:DeleteAccessKey", lambda iam: iam.delete_key(KEY)),
    ("iam:CreateAccessKey", lambda iam: iam.create_key(ALICE)),
    ("iam:TagUser", lambda iam: iam.set_description(ALICE, KEY.id, "text")),
    ("iam:UntagUser", lambda iam: iam.remove_description(ALICE, KEY.id)),
]
CHANGES = ("iam:UpdateAccessKey", "iam:DeleteAccessKey", "iam:TagUser", "iam:UntagUser")
every_call = pytest.mark.parametrize(("action", "ask"), CALLS, ids=[name for name, _ in CALLS])


@pytest.fixture(autouse=True)
def no_pause_between_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0)


def account() -> FakeIam:
    state = FakeIam()
    state.add_key(state.add_user("alice"), KEY.id)
    return state


def failing(server: IamServer, ask: Ask) -> AwsError:
    gateway = connect(server.options, WRITABLE)
    with pytest.raises(AwsError) as caught:
        ask(gateway)
    error = caught.value
    assert error.title
    assert error.safe
    assert error.next_step
    assert error.__context__ is None
    assert SENTINEL not in full_text(error)
    return error


def with_keys(server: IamServer, code: str, status: int = 400, message: str = SENTINEL) -> AwsError:
    server.fail("ListAccessKeys", code, status, message)
    return failing(server, lambda iam: iam.keys(ALICE))


@every_call
def test_denied_call_names_its_action(action: str, ask: Ask) -> None:
    with IamServer(account()) as server:
        server.fail(action.partition(":")[2], "AccessDenied", 403, SENTINEL)
        error = failing(server, ask)

    assert isinstance(error, AccessDeniedError)
    assert error.action == action
    assert action in error.title


def test_action_that_aws_names_counts() -> None:
    message = (
        "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: "
        "iam:ListAccessKeys on resource: user alice because no identity-based policy allows "
        "the iam:ListAccessKeys action"
    )
    with IamServer(account()) as server:
        error = with_keys(server, "AccessDenied", 403, message)

    assert isinstance(error, AccessDeniedError)
    assert error.action == "iam:ListAccessKeys"
    assert "arn:" not in str(error)


def test_explicit_deny_is_told_apart() -> None:
    message = "… is not authorized to perform: iam:ListAccessKeys with an explicit deny in an SCP"
    with IamServer(account()) as server:
        error = with_keys(server, "AccessDenied", 403, message)

    assert "explicit deny" in error.next_step
    assert "MFA" in error.next_step


@pytest.mark.parametrize(
    ("code", "status", "kind", "word"),
    [
        ("ExpiredToken", 403, CredentialsError, "expired"),
        ("InvalidClientTokenId", 403, UnknownKeyError, "access key"),
        ("SignatureDoesNotMatch", 403, CredentialsError, "signature"),
        ("RequestExpired", 400, CredentialsError, "time"),
        ("NoSuchEntity", 404, NotFoundError, "alice"),
        ("OptInRequired", 403, UnreachableError, "not enabled"),
        ("EntityTemporarilyUnmodifiable", 409, AwsError, "earlier change"),
        ("ValidationError", 400, AwsError, "form"),
        ("SomethingNew", 400, AwsError, "SomethingNew"),
    ],
)
def test_refusal_in_words(code: str, status: int, kind: type[AwsError], word: str) -> None:
    with IamServer(account()) as server:
        error = with_keys(server, code, status)

    assert type(error) is kind
    assert word in error.title
    assert error.safe == "Nothing was changed."


def test_expired_credentials_hint_at_single_sign_on() -> None:
    with IamServer(account()) as server:
        assert "aws sso login" in with_keys(server, "ExpiredToken", 403).next_step


def test_key_that_vanished_is_named() -> None:
    state = account()
    state.remove_key(KEY)

    with IamServer(state) as server:
        error = failing(server, lambda iam: iam.set_status(KEY, KeyStatus.INACTIVE))

    assert isinstance(error, NotFoundError)
    assert KEY.id in error.title


def test_throttling_is_waited_out() -> None:
    with IamServer(account()) as server:
        server.fail("ListAccessKeys", "Throttling", times=2)
        keys = connect(server.options, WRITABLE).keys(ALICE)

    assert [key.id for key in keys] == [KEY.id]
    assert server.received()["ListAccessKeys"] == 3


def test_throttling_without_end_is_said() -> None:
    with IamServer(account()) as server:
        assert isinstance(with_keys(server, "Throttling"), ThrottledError)

    assert server.received()["ListAccessKeys"] == 3


@pytest.mark.parametrize(
    ("fault", "kind", "word"),
    [
        (Fault(status=500), AwsError, "HTTP 500"),
        (Fault(status=503, reply=b"<html>" + SENTINEL.encode()), AwsError, "HTTP 503"),
        (Fault(status=403, reply=b"<html/>"), UnreachableError, "not one that AWS gives"),
        (Fault(reply=f"<html>{SENTINEL}</html>".encode()), UnreachableError, "not one that AWS"),
        (Fault(reply=SENTINEL.encode()), UnreachableError, "not one that AWS gives"),
        (Fault(cut=True), UnreachableError, "not one that AWS gives"),
        (Fault(end="reset"), UnreachableError, "closed the connection"),
        (Fault(end="close"), UnreachableError, "closed the connection"),
    ],
)
def test_answers_that_are_none(fault: Fault, kind: type[AwsError], word: str) -> None:
    with IamServer(account()) as server:
        server.fault("ListAccessKeys", fault)
        error = failing(server, lambda iam: iam.keys(ALICE))

    assert type(error) is kind
    assert word in error.title


@pytest.mark.parametrize(("action", "ask"), [c for c in CALLS if c[0] in CHANGES])
def test_change_whose_outcome_is_unknown_says_so(action: str, ask: Ask) -> None:
    with IamServer(account()) as server:
        server.fault(action.partition(":")[2], Fault(end="close"))
        error = failing(server, ask)

    assert "may" in error.safe


@pytest.mark.parametrize(("action", "ask"), [c for c in CALLS if c[0] in CHANGES])
def test_refused_change_says_that_nothing_happened(action: str, ask: Ask) -> None:
    with IamServer(account()) as server:
        server.fail(action.partition(":")[2], "AccessDenied", 403)
        error = failing(server, ask)

    assert " may " not in error.safe


def test_lost_reply_to_a_change_is_asked_again() -> None:
    state = account()

    with IamServer(state) as server:
        server.fault("UpdateAccessKey", Fault(end="reset"), times=1)
        server.fault("DeleteAccessKey", Fault(end="reset"), times=1)
        gateway = connect(server.options, WRITABLE)
        gateway.set_status(KEY, KeyStatus.INACTIVE)
        assert state.held(ALICE)[0].status is KeyStatus.INACTIVE
        gateway.delete_key(KEY)

    assert state.held(ALICE) == ()


def test_unknown_status_is_not_taken_for_inactive() -> None:
    page = (
        b"<ListAccessKeysResponse><ListAccessKeysResult><AccessKeyMetadata><member>"
        b"<AccessKeyId>AKIAODD0000000000001</AccessKeyId><Status>Quarantined</Status></member>"
        b"</AccessKeyMetadata></ListAccessKeysResult></ListAccessKeysResponse>"
    )
    with IamServer(account()) as server:
        server.fault("ListAccessKeys", Fault(reply=page))
        (key,) = connect(server.options, WRITABLE).keys(ALICE)

    assert key.status is KeyStatus.ACTIVE
    assert key.created is None
