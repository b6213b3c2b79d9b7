"""Credentials, profiles, regions and endpoints, as the SDK finds them in files and environment."""

import logging
from pathlib import Path
from typing import Any, cast

import boto3
import pytest
from botocore.loaders import Loader
from botocore.session import Session

from keytui import __version__
from keytui.aws.session import ConnectOptions, connect, profiles, who
from keytui.core.errors import AwsError, CredentialsError, KeytuiError, UnreachableError
from keytui.core.model import Secret
from tests.support.aws_env import AwsHome
from tests.support.fake_iam import FakeIam
from tests.support.gates import WRITABLE
from tests.support.iam_server import Fault, IamServer
from tests.support.sentinel import SENTINEL, full_text

KEYS = "aws_access_key_id = AKIAFAKECALLER000001\naws_secret_access_key = made-up\n"


@pytest.fixture(autouse=True)
def home(aws_env: AwsHome) -> AwsHome:
    return aws_env


def failing(options: ConnectOptions) -> AwsError:
    with pytest.raises(KeytuiError) as caught:
        connect(options, WRITABLE)
    assert isinstance(caught.value, AwsError)
    assert caught.value.next_step
    assert caught.value.__context__ is None
    assert SENTINEL not in full_text(caught.value)
    return caught.value


def test_no_credentials() -> None:
    error = failing(ConnectOptions())

    assert type(error) is CredentialsError
    assert "--profile" in error.next_step
    assert "--demo" in error.next_step


def test_unknown_profile() -> None:
    error = failing(ConnectOptions(profile="prodd"))

    assert type(error) is CredentialsError
    assert "prodd" in error.title


def test_unknown_profile_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "prodd")

    assert "prodd" in failing(ConnectOptions()).title


def test_partial_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKECALLER000001")

    assert "incomplete" in failing(ConnectOptions()).title


def test_config_that_can_not_be_parsed(home: AwsHome) -> None:
    home.config.write_text(f"{SENTINEL}\n[default")

    assert str(home.config) in failing(ConnectOptions()).title
    with pytest.raises(CredentialsError):
        profiles()


def test_config_that_can_not_be_read(home: AwsHome) -> None:
    home.config.mkdir()

    assert failing(ConnectOptions()).title


@pytest.mark.parametrize(
    ("command", "word"),
    [
        (f"sh -c 'echo {SENTINEL} >&2; exit 1'", "could not be had"),
        ("no-such-program-anywhere", "no-such-program-anywhere"),
        (f"echo {SENTINEL}", "can't be understood"),
        ("""echo '{"Version":2}'""", "could not be had"),
    ],
)
def test_credential_process_that_fails(home: AwsHome, command: str, word: str) -> None:
    home.config.write_text(f"[default]\ncredential_process = {command}\n")

    error = failing(ConnectOptions())

    assert type(error) is CredentialsError
    assert word in error.title
    assert "credential_process" in error.next_step


def test_single_sign_on_that_has_run_out(home: AwsHome) -> None:
    home.config.write_text(
        "[profile prod]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = X\n"
        "[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://example.invalid\n"
    )

    error = failing(ConnectOptions(profile="prod"))

    assert type(error) is CredentialsError
    assert "aws sso login" in error.next_step


def test_role_that_may_not_be_assumed(home: AwsHome, monkeypatch: pytest.MonkeyPatch) -> None:
    home.config.write_text(
        "[profile base]\n" + KEYS + "[profile ops]\nsource_profile = base\n"
        "role_arn = arn:aws:iam::123456789012:role/ops\n"
    )
    with IamServer(FakeIam()) as server:
        server.fail("AssumeRole", "AccessDenied", 403)
        monkeypatch.setenv("AWS_ENDPOINT_URL_STS", server.url)
        error = failing(ConnectOptions(profile="ops"))

    assert "sts:AssumeRole" in error.title
    assert "role_arn" in error.next_step


@pytest.mark.parametrize("region", ["no region", "-"])
def test_region_that_is_none(region: str, monkeypatch: pytest.MonkeyPatch) -> None:
    error = failing(
        ConnectOptions(
            region=region,
            endpoint_url="http://127.0.0.1:9",
            access_key_id="AKIAFAKECALLER000001",
            secret=Secret("x"),
        )
    )

    assert type(error) is UnreachableError
    assert "--region" in error.next_step


@pytest.mark.parametrize(
    ("region", "iam", "sts"),
    [
        (None, "https://iam.amazonaws.com", "https://sts.us-east-1.amazonaws.com"),
        ("eu-west-1", "https://iam.amazonaws.com", "https://sts.eu-west-1.amazonaws.com"),
        ("us-gov-west-1", "https://iam.us-gov.amazonaws.com", "https://sts.us-gov-west-1."),
        ("cn-north-1", "https://iam.cn-north-1.amazonaws.com.cn", "https://sts.cn-north-1."),
    ],
)
def test_region_chooses_the_partition(
    region: str | None, iam: str, sts: str, home: AwsHome
) -> None:
    home.credentials.write_text("[default]\n" + KEYS)

    gateway = connect(ConnectOptions(region=region), WRITABLE)

    assert gateway.clients.iam.meta.endpoint_url == iam
    assert gateway.clients.sts.meta.endpoint_url.startswith(sts)
    assert gateway.custom_endpoint is None
    assert gateway.signing_key_id() == "AKIAFAKECALLER000001"


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1", "us-gov-west-1", "cn-north-1"])
@pytest.mark.parametrize("kind", ["", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"])
def test_awss_own_endpoints_are_not_named(
    region: str, kind: str, home: AwsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.credentials.write_text("[default]\n" + KEYS)
    if kind and region != "cn-north-1":  # It has no such endpoint.
        monkeypatch.setenv(kind, "true")
    assert connect(ConnectOptions(region=region), WRITABLE).custom_endpoint is None


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS"])
@pytest.mark.parametrize(
    "url",
    [
        "https://ec2-192-0-2-1.compute.amazonaws.com",
        "https://a1b2.execute-api.us-east-1.amazonaws.com",
        "https://iam.s3.amazonaws.com",
        "https://iam.amazonaws.com.example",
        "https://evil-iam.amazonaws.com",
        "http://iam.amazonaws.com",
        "https://sts.us-east-1.amazonaws.com:8443",
    ],
)
def test_endpoint_of_somebody_elses_is_named(
    url: str, variable: str, home: AwsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.credentials.write_text("[default]\n" + KEYS)
    monkeypatch.setenv(variable, url.replace("://", "://me:pw@"))
    assert connect(ConnectOptions(), WRITABLE).custom_endpoint == url


def test_two_endpoints_of_others_are_both_named(
    home: AwsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.credentials.write_text("[default]\n" + KEYS)
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", "http://127.0.0.1:5001")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", "http://me:pw@127.0.0.1:5002")
    named = connect(ConnectOptions(), WRITABLE).custom_endpoint
    assert named == "http://127.0.0.1:5001 and http://127.0.0.1:5002"


def test_endpoint_option_is_for_iam_and_sts(home: AwsHome) -> None:
    home.credentials.write_text("[default]\n" + KEYS)

    with IamServer(FakeIam()) as server:
        gateway = connect(ConnectOptions(endpoint_url=server.url), WRITABLE)
        gateway.identity()
        list(gateway.users())

    assert server.requests == ["GetCallerIdentity", "ListUsers"]
    assert gateway.custom_endpoint == server.url


@pytest.mark.parametrize(
    "names", [("AWS_ENDPOINT_URL",), ("AWS_ENDPOINT_URL_IAM", "AWS_ENDPOINT_URL_STS")]
)
def test_endpoints_from_the_environment(
    names: tuple[str, ...], home: AwsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.credentials.write_text("[default]\n" + KEYS)

    with IamServer(FakeIam()) as server:
        for name in names:
            monkeypatch.setenv(name, server.url)
        gateway = connect(ConnectOptions(), WRITABLE)
        gateway.identity()
        list(gateway.users())

    assert server.requests == ["GetCallerIdentity", "ListUsers"]


def test_identity_is_asked_once() -> None:
    with IamServer(FakeIam()) as server:
        gateway = connect(server.options, WRITABLE)
        first, second = gateway.identity(), gateway.identity()

    assert first is second
    assert server.requests == ["GetCallerIdentity"]


def test_failed_identity_is_asked_again() -> None:
    with IamServer(FakeIam()) as server:
        server.fail("GetCallerIdentity", "ExpiredToken", 403, times=1)
        gateway = connect(server.options, WRITABLE)
        with pytest.raises(CredentialsError):
            gateway.identity()

        assert gateway.identity().account == "123456789012"


def test_profiles_of_both_files(home: AwsHome) -> None:
    assert profiles() == []

    home.config.write_text("[default]\n[profile prod]\n[profile dev]\n[sso-session corp]\n")
    home.credentials.write_text("[ci]\n" + KEYS)

    assert profiles() == ["ci", "default", "dev", "prod"]


def test_profile_signs_with_its_own_key(home: AwsHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFROMENVIRONMENT1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    home.credentials.write_text("[ci]\n" + KEYS)

    assert connect(ConnectOptions(), WRITABLE).signing_key_id() == "AKIAFROMENVIRONMENT1"
    assert (
        connect(ConnectOptions(profile="ci"), WRITABLE).signing_key_id() == "AKIAFAKECALLER000001"
    )


def test_session_tokens_are_in_no_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAFAKECALLER000001")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SENTINEL)
    monkeypatch.setenv("AWS_SESSION_TOKEN", SENTINEL)
    caplog.set_level(logging.DEBUG)

    with IamServer(FakeIam()) as server:
        connect(ConnectOptions(endpoint_url=server.url), WRITABLE).identity()

    assert server.requests == ["GetCallerIdentity"]
    assert "GetCallerIdentity" in caplog.text
    assert SENTINEL not in caplog.text


def test_broken_token_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAFAKECALLER000001")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SENTINEL)
    monkeypatch.setenv("AWS_SESSION_TOKEN", f"one\n{SENTINEL}")

    with IamServer(FakeIam()) as server:
        server.fault("GetCallerIdentity", Fault())
        gateway = connect(ConnectOptions(endpoint_url=server.url), WRITABLE)
        with pytest.raises(AwsError) as caught:
            gateway.identity()

    assert SENTINEL not in full_text(caught.value)
    assert "line break" in caught.value.next_step


def test_clients_are_boto3s_and_name_keytui(home: AwsHome) -> None:
    home.credentials.write_text("[ci]\n" + KEYS)
    made_up = ConnectOptions(
        endpoint_url="http://127.0.0.1:9", access_key_id="AKIAMADEUP", secret=Secret("made-up")
    )
    for options in (ConnectOptions(profile="ci"), made_up):
        clients = connect(options, WRITABLE).clients
        signed = clients.signed_by("AKIAALICE00000000001", Secret("made-up"))
        for client in (clients.iam, clients.sts, clients.one_attempt_iam(), signed.iam):
            config: Any = client.meta.config
            agent = config.user_agent
            assert agent.startswith(f"Boto3/{boto3.__version__} ")
            assert agent.count("Botocore/") == 1
            assert f"keytui/{__version__}" in agent


def test_sessions_share_the_sdks_data_without_growing_it(home: AwsHome) -> None:
    home.credentials.write_text("[ci]\n" + KEYS)

    def loader() -> Loader:
        clients = connect(ConnectOptions(profile="ci"), WRITABLE).clients
        return cast(
            "Loader", clients.signed_by("AKIA", Secret("x"))._session.get_component("data_loader")
        )

    first = loader()
    before = [*first.search_paths]
    assert loader() is first
    assert first.search_paths == before


def test_options_that_do_not_fit_together() -> None:
    with pytest.raises(ValueError, match="go together"):
        ConnectOptions(access_key_id="AKIAFAKECALLER000001")
    with pytest.raises(ValueError, match="endpoint"):
        ConnectOptions(access_key_id="AKIAFAKECALLER000001", secret=Secret("x"))


def test_nothing_here_needs_the_machines_home(home: AwsHome) -> None:
    assert Path.home() == home.config.parent


def test_who_asks_with_the_key_given_and_nothing_else(
    home: AwsHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFROMENVIRONMENT1")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    home.config.write_text("[profile ci]\ncredential_process = no-such-program-anywhere\n")
    home.credentials.write_text("[ci]\n" + KEYS)
    signed: list[str] = []
    set_credentials = Session.set_credentials

    def seen(session: Session, key_id: str, secret: str, *more: str) -> None:
        signed.append(key_id)
        set_credentials(session, key_id, secret, *more)

    monkeypatch.setattr(Session, "set_credentials", seen)
    with IamServer(FakeIam(caller="alice")) as server:
        for profile in (None, "ci"):
            options = ConnectOptions(profile=profile, endpoint_url=server.url)
            found = who(options, "AKIAALICE00000000001", Secret(SENTINEL))
            assert (found.account, found.user_name) == ("123456789012", "alice")
        assert who(server.options, "AKIAALICE00000000001", Secret(SENTINEL)).user_name == "alice"

    assert server.requests == ["GetCallerIdentity"] * 3
    assert signed[-1] == "AKIAALICE00000000001"


def test_who_is_told_that_aws_does_not_know_the_key() -> None:
    with IamServer(FakeIam()) as server:
        server.fail("GetCallerIdentity", "InvalidClientTokenId", 403)
        with pytest.raises(CredentialsError) as caught:
            who(ConnectOptions(endpoint_url=server.url), "AKIAGONE000000000001", Secret(SENTINEL))

    assert SENTINEL not in full_text(caught.value)
