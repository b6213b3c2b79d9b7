"""Where AWS asks for MFA: a code, a session for it, and the refused call once more."""

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.credentials import SSOProvider

from keytui.aws.gateway import IamGateway
from keytui.aws.options import ConnectOptions
from keytui.aws.session import connect
from keytui.core.errors import AccessDeniedError, LostReplyError, MfaDeclinedError
from keytui.core.mfa import MfaDesk, MfaRequest
from keytui.core.model import AccessKey, KeyStatus, Secret, User
from tests.support.aws_env import AwsHome
from tests.support.fake_iam import FakeIam
from tests.support.gates import WRITABLE
from tests.support.iam_server import Fault, IamServer
from tests.support.loopback import answering
from tests.support.mfa_replies import CODE, SERIAL, MfaReplies

OWN = "AKIAFAKECALLER000001"
KEYS = f"aws_access_key_id = {OWN}\naws_secret_access_key = made-up\n"


@dataclass
class Person:
    """Who has the MFA device.

    Attributes:
        types: What is typed at each question; nothing more to type declines.
        questions: What was asked.
    """

    types: list[str] = field(default_factory=list)
    questions: list[MfaRequest] = field(default_factory=list)

    def answer(self, request: MfaRequest) -> Secret | None:
        self.questions.append(request)
        return Secret(self.types.pop(0)) if self.types else None


@dataclass
class World:
    """An account that demands MFA, and a person at a terminal."""

    server: IamServer
    replies: MfaReplies
    person: Person
    desk: MfaDesk

    def connect(self, profile: str | None = None) -> IamGateway:
        return connect(
            ConnectOptions(profile=profile, endpoint_url=self.server.url, mfa=self.desk), WRITABLE
        )


@pytest.fixture
def world(aws_env: AwsHome, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    aws_env.credentials.write_text("[default]\n" + KEYS)
    aws_env.config.write_text(
        f"[profile named]\nmfa_serial = {SERIAL}\n{KEYS}"
        f"[profile ops]\nsource_profile = default\nmfa_serial = {SERIAL}\n"
        "role_arn = arn:aws:iam::123456789012:role/ops\n"
    )
    monkeypatch.setattr("getpass.getpass", lambda *_: pytest.fail("asked on the terminal"))
    state = FakeIam()
    state.add_key(state.add_user("alice"), "AKIAALICE00000000001")
    with IamServer(state) as server:
        replies = server.replies = MfaReplies(server)
        # The SDK's own calls on the way to a role's credentials.
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        person = Person()
        yield World(server, replies, person, MfaDesk(person.answer))


def users(gateway: IamGateway) -> list[str]:
    return [user.name for page in gateway.users() for user in page]


def alice(world: World) -> User:
    return world.server.state.find("alice")


def test_refused_call_goes_on_with_a_session(world: World) -> None:
    world.person.types = [CODE]
    gateway = world.connect()

    assert "alice" in users(gateway)

    assert world.person.questions == [MfaRequest("admin in the account 123456789012", SERIAL)]
    assert list(world.replies.codes) == [(SERIAL, CODE)]
    assert world.replies.signers("GetSessionToken") == [OWN]
    assert world.replies.signers("ListUsers") == [OWN, "ASIAFAKE000000000001"]
    assert gateway.signing_key_id() == OWN  # The guard of one's own key goes by it.


def test_mfa_session_signs_later_calls_even_after_reconnecting(world: World) -> None:
    world.person.types = [CODE]
    users(world.connect())

    gateway = world.connect()
    gateway.keys(alice(world))
    gateway.create_key(alice(world))

    assert len(world.person.questions) == 1
    assert set(world.replies.signers("ListAccessKeys")) == {"ASIAFAKE000000000001"}
    assert world.replies.signers("CreateAccessKey") == ["ASIAFAKE000000000001"]


def test_profile_names_the_device(world: World) -> None:
    world.person.types = [CODE]
    world.replies.words = " because no identity-based policy allows the iam:ListUsers action"
    world.replies.devices = None

    users(world.connect("named"))

    assert list(world.replies.codes) == [(SERIAL, CODE)]
    assert "ListMFADevices" not in world.server.requests


@pytest.mark.parametrize("devices", [None, [], ["arn:aws:iam::123456789012:u2f/user/admin/key"]])
def test_without_a_device_that_gives_codes_nobody_is_asked(
    world: World, devices: list[str] | None
) -> None:
    world.replies.devices = devices
    gateway = world.connect()

    with pytest.raises(AccessDeniedError, match="iam:ListUsers is denied"):
        users(gateway)
    assert world.person.questions == []


def test_missing_permission_is_no_case_for_a_code(world: World) -> None:
    world.replies.words = " because no identity-based policy allows the iam:ListUsers action"

    with pytest.raises(AccessDeniedError):
        users(world.connect())
    assert world.person.questions == []
    assert "ListMFADevices" not in world.server.requests


def test_where_nobody_can_be_asked_it_is_a_plain_refusal(world: World) -> None:
    world.desk.ask_by(None)

    with pytest.raises(AccessDeniedError) as caught:
        users(world.connect())
    assert "mfa_serial" in caught.value.next_step
    assert world.server.received()["ListUsers"] == 1


def test_wrong_code_is_asked_for_again(world: World) -> None:
    world.person.types = ["000000", CODE]

    users(world.connect())

    first, second = world.person.questions
    assert (first.problem, second.serial) == ("", SERIAL)
    assert "did not take this code" in second.problem


def test_session_that_cannot_be_had_is_told_in_the_question(world: World) -> None:
    world.person.types = [CODE]
    world.server.fail("GetSessionToken", "ServiceUnavailable", 400)

    with pytest.raises(AccessDeniedError):
        users(world.connect())
    assert "GetSessionToken" in world.person.questions[1].problem


def test_declined_mfa_is_asked_again_by_changes_but_not_reads(world: World) -> None:
    gateway = world.connect()
    for _ in range(2):
        with pytest.raises(AccessDeniedError):
            users(gateway)
    assert len(world.person.questions) == 1

    world.person.types = [CODE]
    gateway.set_status(world.server.state.held(alice(world))[0], KeyStatus.INACTIVE)

    assert len(world.person.questions) == 2
    assert world.server.state.held(alice(world))[0].status is KeyStatus.INACTIVE
    users(gateway)


def test_calls_side_by_side_ask_once(world: World) -> None:
    together = threading.Barrier(4)
    world.person.types = [CODE]
    gateway = world.connect()

    def read(_: int) -> list[str]:
        together.wait()
        return users(gateway)

    with ThreadPoolExecutor(4) as pool:
        assert all("alice" in found for found in pool.map(read, range(4)))
    assert len(world.person.questions) == 1


@pytest.mark.parametrize(("types", "found"), [([CODE], True), ([], False)])
def test_connections_side_by_side_ask_once(world: World, types: list[str], found: bool) -> None:
    gateways = [world.connect() for _ in range(2)]
    refused = threading.Barrier(2)
    world.person.types = list(types)

    def answer(request: MfaRequest) -> Secret | None:
        with suppress(threading.BrokenBarrierError):
            refused.wait(0.5)  # Whoever else asks is here by then.
        return world.person.answer(request)

    world.desk.ask_by(answer)

    def read(gateway: IamGateway) -> bool:
        for _ in range(2):
            with suppress(AccessDeniedError):
                return "alice" in users(gateway)
        return False

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(read, gateways)) == [found, found]
    assert len(world.person.questions) == 1


def test_session_that_expires_is_renewed_also_between_two_pages(world: World) -> None:
    world.person.types = [CODE, CODE]
    world.server.page_size = 1
    gateway = world.connect()
    pages = gateway.users()
    next(pages)

    world.replies.expired.add("ASIAFAKE000000000001")

    assert [user.name for user in next(pages)] == ["alice"]
    assert len(world.person.questions) == 2


def test_create_is_sent_once_more_only_after_a_refusal(world: World) -> None:
    world.replies.guarded = ("CreateAccessKey",)
    world.person.types = [CODE]

    new = world.connect().create_key(alice(world))

    assert world.replies.signers("CreateAccessKey") == [OWN, "ASIAFAKE000000000001"]
    assert new.secret.matches(world.server.state.secrets[new.key.id])


def test_create_whose_second_reply_is_lost_is_not_sent_again(world: World) -> None:
    world.replies.guarded = ("CreateAccessKey",)
    world.person.types = [CODE]
    world.server.fault("CreateAccessKey", Fault(), times=1)
    world.server.fault("CreateAccessKey", Fault(end="reset"))

    with pytest.raises(LostReplyError):
        world.connect().create_key(alice(world))
    assert world.server.received()["CreateAccessKey"] == 2
    assert len(world.server.state.held(alice(world))) == 2


def test_create_whose_reply_is_lost_asks_for_no_code(world: World) -> None:
    world.replies.guarded = ("ListUsers",)
    world.person.types = [CODE]
    world.server.fault("CreateAccessKey", Fault(end="close"))

    with pytest.raises(LostReplyError):
        world.connect().create_key(alice(world))
    assert world.server.received()["CreateAccessKey"] == 1
    assert world.person.questions == []


def test_create_refused_also_to_the_session_has_made_no_key(world: World) -> None:
    world.person.types = [CODE]
    world.server.fail("CreateAccessKey", "AccessDenied", 403, message="with an explicit deny")

    with pytest.raises(AccessDeniedError) as caught:
        world.connect().create_key(alice(world))
    assert caught.value.safe == "No key was made."
    assert world.server.received()["CreateAccessKey"] == 2


def test_role_asks_for_its_code_here_and_once(world: World) -> None:
    world.person.types = [CODE]

    users(world.connect("ops"))
    users(world.connect("ops"))

    assert world.person.questions == [MfaRequest("profile ops", SERIAL)]
    assert world.replies.signers("AssumeRole") == [OWN]
    assert set(world.replies.signers("ListUsers")) == {"ASIAFAKE000000000001"}


def test_roles_wrong_code_is_asked_for_again(world: World) -> None:
    world.person.types = ["000000", "111111", CODE]

    users(world.connect("ops"))

    assert [bool(question.problem) for question in world.person.questions] == [False, True, True]


def test_role_without_a_code_cannot_sign_in(world: World) -> None:
    with pytest.raises(MfaDeclinedError) as caught:
        world.connect("ops")

    assert caught.value.__context__ is None
    assert "none was given" in caught.value.title


def test_role_that_expires_asks_again(world: World) -> None:
    world.person.types = [CODE, CODE]
    world.replies.lifetime = timedelta(minutes=20)
    gateway = world.connect("ops")
    inner = gateway.clients._session.get_credentials()._inner  # type: ignore[union-attr]
    inner._expiry_time -= timedelta(minutes=15)
    world.desk.roles["ops"].clear()

    users(gateway)

    assert len(world.person.questions) == 2
    assert world.replies.signers("ListUsers") == ["ASIAFAKE000000000002"]


def test_keys_of_the_environment_do_not_use_the_profiles_device(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "named")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", OWN)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    world.replies.devices = ["GAHT12345678"]
    world.person.types = [CODE]

    users(world.connect())

    assert world.person.questions[0].serial == "GAHT12345678"


def test_long_lived_key_of_a_process_takes_a_code_too(world: World, aws_env: AwsHome) -> None:
    printed = {"Version": 1, "AccessKeyId": OWN, "SecretAccessKey": "made-up"}
    script = aws_env.config.with_name("process")
    script.write_text(f"echo '{json.dumps(printed)}'")
    with aws_env.config.open("a") as config:
        config.write(f"[profile kept]\ncredential_process = sh {script}\n")
    world.person.types = [CODE]

    gateway = world.connect("kept")

    assert "alice" in users(gateway)
    assert gateway.signing_key_id() == OWN


def test_sso_signs_in_as_the_sdk_does(
    world: World, aws_env: AwsHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = "https://acme.awsapps.com/start"
    with aws_env.config.open("a") as config:
        config.write(
            f"[profile sso]\nsso_start_url = {start}\nsso_region = us-east-1\n"
            "sso_account_id = 123456789012\nsso_role_name = admin\n"
        )
    token = {"accessToken": "made-up", "expiresAt": "2099-01-01T00:00:00Z", "startUrl": start}
    cached = tmp_path / f"{hashlib.sha1(start.encode()).hexdigest()}.json"
    cached.write_text(json.dumps(token))
    monkeypatch.setattr(SSOProvider, "_SSO_TOKEN_CACHE_DIR", str(tmp_path))
    role = {"accessKeyId": "ASIASSO", "secretAccessKey": "s", "sessionToken": "t"}
    body = json.dumps({"roleCredentials": role | {"expiration": 4_000_000_000_000}}).encode()
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", url)
        gateway = world.connect("sso")
        assert "alice" in users(gateway)

    assert set(world.replies.signers("ListUsers")) == {"ASIASSO"}
    assert world.person.questions == []


def test_no_code_and_no_session_shows_itself(world: World) -> None:
    world.person.types = [CODE]
    users(world.connect())

    (session,) = world.desk.sessions.values()
    assert "session+" not in repr(session)


CALLS: tuple[Callable[[IamGateway, AccessKey], object], ...] = (
    lambda iam, key: iam.keys(key.user),
    lambda iam, key: iam.user(key.user.name),
    lambda iam, key: iam.descriptions(key.user),
    lambda iam, key: iam.set_description(key.user, key.id, "x"),
    lambda iam, key: iam.remove_description(key.user, key.id),
    lambda iam, key: iam.create_key(key.user),
    lambda iam, key: iam.set_status(key, KeyStatus.INACTIVE),
    lambda iam, key: iam.delete_key(key),
)


def test_with_temporary_credentials_every_call_names_the_user(world: World) -> None:
    world.person.types = [CODE]
    gateway = world.connect("ops")

    key = world.server.state.held(alice(world))[0]
    for call in CALLS:
        call(gateway, key)

    named = {action: name for action, name in world.replies.names if name or "User" in action}
    assert len(named) == len(CALLS)
    assert set(named.values()) == {"alice"}
