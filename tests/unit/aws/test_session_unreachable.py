"""No way to AWS: each ends in time, with a sentence that says what to check."""

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from keytui.aws import clients
from keytui.aws.session import ConnectOptions, connect
from keytui.core.errors import AwsError, UnreachableError
from keytui.core.model import Secret, User
from tests.support.fake_iam import FakeIam
from tests.support.gates import WRITABLE
from tests.support.iam_server import Fault, IamServer
from tests.support.loopback import answering, refusing, self_signed, swallowing

LIMIT = 40
"""Seconds; generous for a loaded machine, and less than one of the SDK's own 60 s waits."""

ALICE = User("alice")


@pytest.fixture
def credentials(aws_env: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAFAKECALLER000001")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")


def isolated(url: str) -> ConnectOptions:
    return ConnectOptions(
        endpoint_url=url, access_key_id="AKIAFAKECALLER000001", secret=Secret("made-up")
    )


def failing(work: Callable[[], object]) -> tuple[UnreachableError, float]:
    started = time.monotonic()
    with pytest.raises(AwsError) as caught:
        work()
    assert isinstance(caught.value, UnreachableError)
    assert caught.value.next_step
    return caught.value, time.monotonic() - started


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of keytui's patience; ``test_time_limits_add_up`` has the true numbers."""
    for limits in (clients.ORDINARY, clients.FIRST_CALL):
        for limit in ("connect_timeout", "read_timeout"):
            monkeypatch.setitem(limits, limit, limits[limit] / 10)


@pytest.mark.usefixtures("short_limits")
def test_address_that_swallows_packets_is_given_up_in_time() -> None:
    with swallowing() as url, ThreadPoolExecutor() as pool:
        gateway = connect(isolated(url), WRITABLE)
        outcomes = pool.map(failing, [gateway.identity, lambda: gateway.keys(ALICE)])

    for error, seconds in outcomes:
        assert "did not take the connection in time" in error.title
        assert seconds < LIMIT


@pytest.mark.usefixtures("short_limits")
def test_server_that_never_answers_is_given_up_in_time() -> None:
    with IamServer(FakeIam()) as server:
        server.fault("GetCallerIdentity", Fault(hang=True))
        error, seconds = failing(connect(server.options, WRITABLE).identity)

    assert "did not answer in time" in error.title
    assert seconds < LIMIT


def test_refused_connection() -> None:
    with refusing() as url:
        error, seconds = failing(connect(isolated(url), WRITABLE).identity)

    assert f"{url} can't be reached" in error.title
    assert seconds < LIMIT


def test_name_that_does_not_resolve(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    gateway = connect(isolated("http://iam.nowhere.invalid:4444"), WRITABLE)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error, _ = failing(gateway.identity)

    assert "iam.nowhere.invalid:4444 can't be resolved" in error.title
    assert "region" in error.next_step


def test_tls_to_a_plain_port() -> None:
    with IamServer(FakeIam()) as server:
        error, _ = failing(
            connect(isolated(server.url.replace("http:", "https:")), WRITABLE).identity
        )

    assert "No secure (TLS) connection" in error.title


@pytest.mark.usefixtures("credentials")
def test_certificate_that_is_not_trusted(tmp_path: Path) -> None:
    with self_signed(tmp_path) as url:
        error, _ = failing(connect(ConnectOptions(endpoint_url=url), WRITABLE).identity)

    assert "certificate" in error.title
    assert "AWS_CA_BUNDLE" in error.next_step


@pytest.mark.usefixtures("credentials")
def test_ca_bundle_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "no-such.pem"))

    with self_signed(tmp_path) as url:
        error, _ = failing(connect(ConnectOptions(endpoint_url=url), WRITABLE).identity)

    assert "trusted certificates" in error.title
    assert "AWS_CA_BUNDLE" in error.next_step


@pytest.mark.usefixtures("credentials")
def test_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with IamServer(FakeIam()) as server, refusing() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.replace("//", "//user:password@"))
        error, _ = failing(connect(ConnectOptions(endpoint_url=server.url), WRITABLE).identity)

    assert f"The proxy {proxy} can't be used" in error.title
    assert "password" not in str(error)
    assert server.requests == []


@pytest.mark.usefixtures("credentials")
def test_proxy_that_wants_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    page = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 4\r\n\r\nnope"
    with answering(page) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        monkeypatch.setenv("HTTP_PROXY", proxy)
        tunnelled, _ = failing(connect(ConnectOptions(), WRITABLE).identity)
        plain, _ = failing(
            connect(ConnectOptions(endpoint_url="http://10.9.8.7"), WRITABLE).identity
        )

    assert f"The proxy {proxy} can't be used" in tunnelled.title
    assert "proxy" in plain.next_step


def test_not_http_at_all() -> None:
    with answering(b"SSH-2.0-OpenSSH_9.2p1\r\n") as url:
        error, _ = failing(connect(isolated(url), WRITABLE).identity)

    assert "closed the connection" in error.title


@pytest.mark.parametrize(
    "url",
    [
        *("nonsense", "http://", "://", "http://[::1", "http://a b/"),
        *("http://127.0.0.1:99999", "http://127.0.0.1:abc", "http://127.0.0.1/\udcff"),
    ],
)
def test_endpoint_url_that_is_none(url: str) -> None:
    error, _ = failing(lambda: connect(isolated(url), WRITABLE).identity())

    assert error.title == "The endpoint URL is not a usable URL."


def test_name_that_is_no_text_is_not_laid_to_the_answer() -> None:
    with answering(b"") as url:
        iam = connect(isolated(url), WRITABLE)
        with pytest.raises(AwsError) as caught:
            iam.keys(User("alice\udcff"))

    assert caught.value.title == "AWS does not take a name or text of this form."


def test_user_info_in_the_endpoint_url_is_not_repeated() -> None:
    with refusing() as url:
        gateway = connect(isolated(url.replace("//", "//user:password@")), WRITABLE)
        error, _ = failing(gateway.identity)

    assert gateway.custom_endpoint == url
    assert "password" not in str(error)


def test_time_limits_add_up() -> None:
    """Back-off between attempts is at most 1 s and 2 s in the SDK's standard mode."""
    for limits in (clients.ORDINARY, clients.FIRST_CALL):
        attempts = limits["retries"]["total_max_attempts"]
        waits = sum(2**number for number in range(attempts - 1))
        longest = max(limits["connect_timeout"], limits["read_timeout"])
        assert attempts * longest + waits < LIMIT
