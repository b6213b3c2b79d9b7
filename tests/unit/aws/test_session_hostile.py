"""Replies that no AWS sends: without end, without sense, or made to break a parser."""

import gzip
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from keytui.aws import bounds
from keytui.aws import gateway as iam
from keytui.aws.bounds import ALL_USERS, OF_ONE_USER, listed
from keytui.aws.gateway import IamGateway
from keytui.aws.options import ConnectOptions
from keytui.aws.session import connect
from keytui.core.errors import AwsError, CredentialsError, LostReplyError, UnreachableError
from keytui.core.model import NewAccessKey, Secret, User
from tests.support.fake_iam import FakeIam
from tests.support.gates import WRITABLE
from tests.support.iam_replies import Account, Replies, failure
from tests.support.iam_server import Fault, IamServer
from tests.support.sentinel import SENTINEL, full_text

ALICE = User("alice")
REPOSITORY = Path(__file__).parents[3]
PATIENCE = 60.0
"""Seconds; nothing here takes a tenth of it."""

IDENTITY = (
    b"<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:root"
    b"</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"
)
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"

WAYS = {
    "a body of known size": (OK + b"Content-Length: 9999999999\r\n\r\n<a>", b"x" * 65536),
    "a body to the end of the connection": (OK + b"\r\n<a>", b"x" * 65536),
    "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"),
    "one chunk": (OK + b"Transfer-Encoding: chunked\r\n\r\nffffffff\r\n", b"x" * 65536),
    "an error": (b"HTTP/1.1 500 No\r\n\r\n", b"x" * 65536),
    "provisional answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
}
DRIPS = WAYS | {
    "headers": (OK + b"A: ", b"x" * 65536),
    "headers of a provisional answer": (b"HTTP/1.1 100 Go on\r\nA: ", b"x" * 65536),
    "a status line": (b"HTTP/1.1 ", b"2" * 65536),
}


class Endless:
    """A server whose answers have no end; STS's GetCallerIdentity is answered properly.

    Attributes:
        asked: The actions received, in order.
        url: Where it listens.
    """

    def __init__(self, listener: socket.socket, begin: bytes, more: bytes, *, drip: bool) -> None:
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self._begin, self._more, self._drip = begin, more, drip
        self._over = threading.Event()

    def serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def stop(self) -> None:
        self._over.set()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = connection.recv(65536)
            while b"Action=" not in request:
                request += connection.recv(65536)
            action = request.partition(b"Action=")[2].partition(b"&")[0].decode()
            self.asked.append(action)
            if action == "GetCallerIdentity":
                size = f"Content-Length: {len(IDENTITY)}\r\nConnection: close\r\n\r\n"
                connection.sendall(OK + size.encode() + IDENTITY)
                return
            connection.sendall(self._begin)
            while not self._over.is_set():
                self._go_on(connection)

    def _go_on(self, connection: socket.socket) -> None:
        if not self._drip:
            connection.sendall(self._more)
            return
        for byte in self._more:
            if self._over.wait(0.005):
                return
            connection.sendall(bytes([byte]))


@contextmanager
def endless(begin: bytes, more: bytes, *, drip: bool = False) -> Iterator[Endless]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Endless(listener, begin, more, drip=drip)
        thread = threading.Thread(target=server.serve, args=(listener,), daemon=True)
        thread.start()
        yield server
        server.stop()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def gateway(url: str) -> IamGateway:
    options = ConnectOptions(
        endpoint_url=url, access_key_id="AKIAFAKECALLER000001", secret=Secret("made-up")
    )
    return connect(options, WRITABLE)


def failing(work: Callable[[], object]) -> AwsError:
    with pytest.raises(AwsError) as caught:
        work()
    assert caught.value.next_step
    return caught.value


# Without end


@pytest.mark.parametrize("way", WAYS)
def test_reply_without_end_is_given_up_at_once_and_for_good(way: str) -> None:
    begin, more = WAYS[way]
    with endless(begin, more) as server:
        error = failing(lambda: gateway(server.url).keys(ALICE))
        assert server.asked == ["ListAccessKeys"]

    assert isinstance(error, UnreachableError)
    assert f"sent more than {bounds.MAX_MEGABYTES} MB" in error.title


@pytest.mark.parametrize("way", WAYS)
def test_creation_whose_reply_has_no_end_may_have_made_a_key(way: str) -> None:
    begin, more = WAYS[way]
    with endless(begin, more.replace(b"xxxx", b"wJal")) as server:
        error = failing(lambda: gateway(server.url).create_key(ALICE))
        assert server.asked == ["GetCallerIdentity", "CreateAccessKey"]

    assert isinstance(error, LostReplyError)
    assert f"sent more than {bounds.MAX_MEGABYTES} MB" in error.title
    assert "wJalwJal" not in full_text(error)


@pytest.mark.parametrize("way", DRIPS)
def test_reply_that_drips_is_given_up_in_time(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte arrives long before the read timeout."""
    monkeypatch.setattr(bounds, "MAX_SECONDS", 0.2)
    begin, more = DRIPS[way]
    with endless(begin, more, drip=True) as server:
        started = time.monotonic()
        read = failing(lambda: gateway(server.url).keys(ALICE))
        created = failing(lambda: gateway(server.url).create_key(ALICE))
        seconds = time.monotonic() - started
        assert server.asked == ["ListAccessKeys", "GetCallerIdentity", "CreateAccessKey"]

    assert "was not done after 0.2 s" in read.title
    assert isinstance(created, LostReplyError)
    assert "was not done after 0.2 s" in created.title
    assert seconds < PATIENCE


def test_memory_is_not_filled() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begin, more = WAYS["a body of known size"]
    with endless(begin, more) as server:
        failing(lambda: gateway(server.url).keys(ALICE))

    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 4 * bounds.MAX_MEGABYTES * 1000


@pytest.mark.usefixtures("aws_env")
def test_calls_on_the_way_to_credentials_have_bounds_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[profile base]\naws_access_key_id = AKIAFAKECALLER000001\naws_secret_access_key = x\n"
        "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = base\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    begin, more = WAYS["chunks"]
    with endless(begin, more) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
        error = failing(lambda: connect(ConnectOptions(profile="role"), WRITABLE))
        assert server.asked == ["AssumeRole"]

    assert "sent more than" in error.title


def test_largest_page_is_in_bounds_and_connections_are_reused() -> None:
    state = FakeIam()
    for number in range(2000):
        state.add_user(f"{number:04}{'&' * 124}")

    with IamServer(state) as server:
        asked = connect(server.options, WRITABLE)
        pages = list(asked.users())
        asked.user("admin")
        ports = {port for _, port in server.sources}

    assert [len(page) for page in pages] == [1000, 1000, 1]
    assert len(ports) == 1, "a connection is used again"


def test_compressed_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b"<a>" + b"x" * 100_000_000)
    raw = OK + f"Content-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with endless(raw + bomb, b"") as server:
        error = failing(lambda: gateway(server.url).keys(ALICE))

    assert "not one that AWS gives" in error.title
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


# Made to break a parser


def entities(levels: int) -> bytes:
    """Return a "billion laughs": each entity is ten of the one before."""
    nested = b"".join(b'<!ENTITY e%d "%s">' % (i + 1, b"&e%d;" % i * 10) for i in range(levels))
    return b'<!DOCTYPE a [<!ENTITY e0 "ha">' + nested + b"]><a>&e%d;</a>" % levels


def nested(levels: int, before: bytes = b"", after: bytes = b"") -> bytes:
    return before + b"<a>" * levels + b"</a>" * levels + after


IN_AN_ERROR = (failure("NoSuchEntity", "").removesuffix(b"</ErrorResponse>"), b"</ErrorResponse>")
IN_A_CODE = (b"<ErrorResponse><Error><Code>", b"</Code></Error></ErrorResponse>")


def key_reply(fields: str) -> bytes:
    return (
        "<CreateAccessKeyResponse><CreateAccessKeyResult><AccessKey>"
        f"{fields}</AccessKey></CreateAccessKeyResult></CreateAccessKeyResponse>"
    ).encode()


def fields(key_id: str = "AKIANEWKEY0000000001", secret: str = SENTINEL, more: str = "") -> str:
    return (
        f"<AccessKeyId>{key_id}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey>"
        f"<Status>Active</Status>{more}"
    )


BREAKERS = {
    "deep": (200, nested(100_000)),
    "deep and open": (200, b"<a>" * 100_000),
    "deep error": (400, nested(30_000, *IN_AN_ERROR)),
    "deep error code": (400, nested(30_000, *IN_A_CODE)),
    "deep server error": (500, nested(30_000, *IN_AN_ERROR)),
    "deep field": (200, key_reply(fields(f"{'<a>' * 30_000}{'</a>' * 30_000}"))),
    "entities": (200, entities(9)),
    "entities in an error": (400, entities(9)),
    "an entity of a file": (
        200,
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + key_reply(fields("&x;")),
    ),
    "a huge attribute": (200, b'<a b="' + b"x" * 5_000_000 + b'"/>'),
    "many attributes": (200, b"<a " + b" ".join(b'a%d=""' % i for i in range(100_000)) + b"/>"),
    "a huge name": (200, b"<" + b"x" * 5_000_000 + b"/>"),
    "NULs": (200, key_reply(fields("AKIA\0\0"))),
    "not UTF-8": (200, key_reply(fields()).replace(b"AKIA", b"\xff\xfe")),
    "another encoding": (200, b'<?xml version="1.0" encoding="bogus"?>' + key_reply("")),
    "elements for text": (200, key_reply(fields("<b>AKIA</b><b>NEW</b>"))),
    "a key ID twice": (200, key_reply(fields(more="<AccessKeyId>AKIAB</AccessKeyId>"))),
    "a secret twice": (200, key_reply(fields(more="<SecretAccessKey>b</SecretAccessKey>"))),
    "an empty secret": (200, key_reply(fields(secret=""))),
    "an empty key ID": (200, key_reply(fields(""))),
    "a secret of two lines": (200, key_reply(fields(secret="a\nmallory,AKIAB,b"))),
    "a secret with a comma": (200, key_reply(fields(secret="a,b"))),
    "a key ID with an escape": (200, key_reply(fields("AKIA&#x9b;2J"))),
    "a key ID without end": (200, key_reply(fields("A" * 1_000_000))),
    "a date before the first": (
        200,
        key_reply(fields(more="<CreateDate>0001-01-01T00:00:00+23:59</CreateDate>")),
    ),
    "a date of many digits": (
        200,
        key_reply(fields(more=f"<CreateDate>{'9' * 5000}</CreateDate>")),
    ),
    "an error of text": (400, b"<ErrorResponse><Error>x</Error></ErrorResponse>"),
    "two errors": (400, b"<E><Error><Code>A</Code></Error><Error><Code>B</Code></Error></E>"),
    "metadata of text": (400, b"<E><ResponseMetadata>x</ResponseMetadata></E>"),
    "no text": (200, b""),
}


@pytest.mark.parametrize("name", BREAKERS)
def test_reply_made_to_break_a_parser_is_a_plain_error(name: str) -> None:
    status, reply = BREAKERS[name]
    state = FakeIam()
    state.add_user("alice")
    with IamServer(state) as server:
        asked = connect(server.options, WRITABLE)
        for action in ("ListUsers", "ListAccessKeys", "GetAccessKeyLastUsed", "CreateAccessKey"):
            server.fault(action, Fault(reply=reply, status=status))
        reads = [
            failing(lambda: list(asked.users())),
            failing(lambda: asked.keys(ALICE)),
        ]
        created = failing(lambda: asked.create_key(ALICE))
        assert server.received()["CreateAccessKey"] == 1
        assert asked.user("alice").name == "alice", "it goes on"

    assert isinstance(created, LostReplyError)
    assert SENTINEL not in full_text(created)
    for error in reads:
        assert not isinstance(error, CredentialsError)
        assert "Traceback" not in str(error)
        assert "AWS configuration" not in error.next_step, "it is the reply, not the setup"


def test_reply_for_which_memory_does_not_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    state = FakeIam()
    state.add_user("alice")
    with IamServer(state) as server:
        asked = connect(server.options, WRITABLE)
        asked.identity()
        monkeypatch.setattr("botocore.parsers.QueryParser._do_parse", full)
        created = failing(lambda: asked.create_key(ALICE))

    assert isinstance(created, LostReplyError)


def test_very_many_levels_do_not_end_the_interpreter() -> None:
    """In a process of its own and in a thread, whose stack is small, as keytui has it."""
    code = (
        "import threading\n"
        "from tests.unit.aws import test_session_hostile as hostile\n"
        "levels = hostile.nested(300_000)\n"
        "hostile.BREAKERS = {'ok': (200, levels), 'error': (400, levels)}\n"
        "def work():\n"
        "    for name in hostile.BREAKERS:\n"
        "        hostile.test_reply_made_to_break_a_parser_is_a_plain_error(name)\n"
        "        print(name, flush=True)\n"
        "thread = threading.Thread(target=work)\n"
        "thread.start()\n"
        "thread.join()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout.split()) == (0, ["ok", "error"]), done.stderr


def test_new_key_of_an_honest_reply_is_taken() -> None:
    state = FakeIam()
    state.add_user("alice")
    with IamServer(state) as server:
        reply = key_reply(fields(more="<CreateDate>2026-01-02T03:04:05Z</CreateDate>"))
        server.fault("CreateAccessKey", Fault(reply=reply))
        new: NewAccessKey = connect(server.options, WRITABLE).create_key(ALICE)

    assert new.secret.matches(Secret(SENTINEL))


# Pages without end


class Pages(Replies):
    """Lists whose every page says that there is another one.

    Attributes:
        marker: Makes the next marker from the number of the page.
        member: One item of a page; with its number.
        size: How many items a page has.
    """

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self.marker: Callable[[int], str] = str
        self.member = "<UserName>u{0}</UserName>"
        self.size = 1
        self._number = 0

    def answer(self, parameters: dict[str, str]) -> tuple[int, bytes]:
        """Return the next page."""
        action = parameters["Action"]
        field = {"ListUsers": "Users", "ListAccessKeys": "AccessKeyMetadata"}.get(action, "Tags")
        if not action.startswith("List"):
            return super().answer(parameters)
        self._number += 1
        numbers = range(self._number * self.size, (self._number + 1) * self.size)
        members = "".join(f"<member>{self.member.format(n)}</member>" for n in numbers)
        return 200, (
            f"<{action}Response><{action}Result><{field}>{members}</{field}>"
            f"<IsTruncated>true</IsTruncated><Marker>{self.marker(self._number)}</Marker>"
            f"</{action}Result></{action}Response>"
        ).encode()


@pytest.fixture
def pages() -> Iterator[tuple[Pages, IamServer]]:
    with IamServer(FakeIam()) as server:
        server.replies = replies = Pages(server)
        yield replies, server


KEY = "<AccessKeyId>AKIA{0:016}</AccessKeyId><Status>Active</Status>"
TAG = "<Key>AKIA{0:016}</Key><Value>x</Value>"
LISTS: dict[str, tuple[str, Callable[[IamGateway], object]]] = {
    "ListUsers": ("<UserName>u{0}</UserName>", lambda asked: list(asked.users())),
    "ListAccessKeys": (KEY, lambda asked: asked.keys(ALICE)),
    "ListUserTags": (TAG, lambda asked: asked.descriptions(ALICE)),
}


@pytest.mark.parametrize("action", LISTS)
@pytest.mark.parametrize(
    ("size", "marker"),
    [(1, str), (0, str), (1, lambda _: "same"), (1, lambda number: f"m{number % 2}")],
    ids=["ever new markers", "empty pages", "the same marker", "two markers by turns"],
)
def test_list_without_end_is_given_up(
    pages: tuple[Pages, IamServer],
    monkeypatch: pytest.MonkeyPatch,
    action: str,
    size: int,
    marker: Callable[[int], str],
) -> None:
    monkeypatch.setattr(iam, "ALL_USERS", OF_ONE_USER)
    replies, server = pages
    replies.member, read = LISTS[action]
    replies.size, replies.marker = size, marker

    error = failing(lambda: read(connect(server.options, WRITABLE)))

    assert isinstance(error, UnreachableError)
    assert "which AWS never does" in error.title
    assert server.received()[action] <= OF_ONE_USER.pages


@pytest.mark.parametrize("action", LISTS)
def test_list_of_ever_more_is_given_up(
    pages: tuple[Pages, IamServer], monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    monkeypatch.setattr(iam, "ALL_USERS", OF_ONE_USER)
    replies, server = pages
    replies.member, read = LISTS[action]
    replies.size = OF_ONE_USER.items // 2

    error = failing(lambda: read(connect(server.options, WRITABLE)))

    assert "lists more than 1,000 items" in error.title
    assert server.received()[action] == 3


def test_names_that_fill_the_memory_are_given_up(pages: tuple[Pages, IamServer]) -> None:
    replies, server = pages
    replies.member = f"<UserName>u{{0}}{'x' * 4_000_000}</UserName>"

    error = failing(lambda: [len(page) for page in connect(server.options, WRITABLE).users()])

    assert "or very long ones" in error.title
    assert server.received()["ListUsers"] == ALL_USERS.characters // 4_000_000


def test_slow_list_is_given_up_by_the_time_that_aws_took() -> None:
    time_of = iter(range(0, 10_000, 30))
    endless_pages = ({"Users": [{"UserName": f"u{number}"}]} for number in range(10_000))
    slow = listed(endless_pages, "Users", ALL_USERS, clock=lambda: next(time_of))
    with pytest.raises(bounds.EndlessReplyError, match="31 pages in 930 s"):
        list(slow)


def test_fifty_thousand_users_in_short_pages_are_read() -> None:
    users = ({"Users": [{"UserName": "x" * 128, "Path": "y" * 512}] * 100} for _ in range(500))
    assert sum(len(page) for page in listed(users, "Users", ALL_USERS)) == 50_000
