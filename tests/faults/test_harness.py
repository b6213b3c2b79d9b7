"""The parts of the fault matrix do what they say."""

import re
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    HTTPClientError,
)
from botocore.parsers import ResponseParserError
from botocore.session import Session

from keytui.core.errors import StoreError, StoreLockedError
from keytui.stores.keyring.os_keyring import OsKeyring
from tests.faults.disk import PAGE, small_disk
from tests.faults.keyrings import (
    BrokenLibrary,
    Daemon,
    Library,
    ServicePool,
    break_daemon,
    mend,
)
from tests.faults.outside import Scene, kept_in_keyring, key_ids, losses, offers_to_delete
from tests.faults.program import Program, Zygote, program
from tests.faults.proxy import BREAKS, Break, FaultProxy, Kind
from tests.faults.summary import cells, record_cell
from tests.support.gates import WRITABLE
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService
from tests.support.sentinel import SENTINEL, new_key

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

CREATE = "CreateAccessKey"
NO_REPLY = (ConnectionClosedError, HTTPClientError)
NEW_KEY = re.compile(r"Access key ID +(AKIA\w{16})")

MAX_PID = int(Path("/proc/sys/kernel/pid_max").read_text())


def client(url: str, attempts: int = 1) -> "IAMClient":
    """Return a bare client, which sends so many times."""
    made = Session(session_vars={"profile": (None, None, None, None)}).create_client(
        "iam",
        region_name="us-east-1",
        endpoint_url=url,
        aws_access_key_id="AKIAMADEUP0000000001",
        aws_secret_access_key="made-up",
        config=Config(proxies={}, retries={"total_max_attempts": attempts}),
    )
    return cast("IAMClient", made)


def in_thread(work: Callable[[], object]) -> threading.Thread:
    """Run something beside the test."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


# The proxy.


def test_proxy_is_transparent_and_knows_the_secrets(proxy: FaultProxy, user: str) -> None:
    iam = client(proxy.url)

    made = iam.create_access_key(UserName=user)["AccessKey"]
    listed = iam.list_access_keys(UserName=user)["AccessKeyMetadata"]

    assert [key["AccessKeyId"] for key in listed] == [made["AccessKeyId"]]
    assert proxy.secrets == [(made["AccessKeyId"], made["SecretAccessKey"])]
    assert [(seen.action, seen.user, seen.forwarded, seen.status) for seen in proxy.log] == [
        (CREATE, user, True, 200),
        ("ListAccessKeys", user, True, 200),
    ]
    assert (proxy.count(CREATE), proxy.forwards(CREATE)) == (1, 1)


EXPECTED: dict[Kind, tuple[type[BaseException], ...]] = {
    Kind.RESET: NO_REPLY,
    Kind.CLOSE: NO_REPLY,
    Kind.TRUNCATED: (BotoCoreError, ResponseParserError),
    Kind.SHORT: (ResponseParserError,),
    Kind.STATUS_500: (ClientError,),
    Kind.STATUS_503: (ClientError,),
    Kind.STATUS_429: (ClientError,),
    Kind.PAGE: (KeyError,),  # the SDK takes any 200 for a success
}


@pytest.mark.parametrize("what", [one for one in BREAKS if one.kind is not Kind.HANG], ids=str)
def test_break_is_seen_by_the_client_and_the_work_is_done_or_not(
    proxy: FaultProxy, account: MotoAccount, user: str, what: Break
) -> None:
    proxy.arrange(CREATE, what)
    iam = client(proxy.url)

    with pytest.raises(EXPECTED[what.kind]) as raised:
        iam.create_access_key(UserName=user)

    if isinstance(raised.value, ClientError):
        status = raised.value.response["ResponseMetadata"]["HTTPStatusCode"]
        assert str(status) == what.kind.value

    assert proxy.count(CREATE) == 1
    assert proxy.forwards(CREATE) == what.after
    assert [key_id for key_id, _ in proxy.secrets] == list(key_ids(account.iam, user))
    assert len(proxy.secrets) == what.after
    iam.create_access_key(UserName=user)  # The break was for one call.


def test_reset_is_a_reset(proxy: FaultProxy) -> None:
    proxy.arrange("X", Break(Kind.RESET))
    proxy.arrange("Y", Break(Kind.CLOSE))
    ends: list[str] = []
    for action in ("X", "Y"):
        with socket.create_connection(("127.0.0.1", int(proxy.url.rpartition(":")[2]))) as raw:
            body = f"Action={action}"
            head = f"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: {len(body)}\r\n\r\n"
            raw.sendall((head + body).encode())
            try:
                ends.append(repr(raw.recv(1)))
            except ConnectionResetError:
                ends.append("reset")

    assert ends == ["reset", "b''"]


def test_nth_counts_from_its_arrangement(proxy: FaultProxy, user: str) -> None:
    iam = client(proxy.url)
    iam.list_access_keys(UserName=user)

    proxy.arrange("ListAccessKeys", Break(Kind.STATUS_500), nth=2, times=2)

    iam.get_user(UserName=user)
    iam.list_access_keys(UserName=user)
    for _ in range(2):
        with pytest.raises(ClientError):
            iam.list_access_keys(UserName=user)
    iam.list_access_keys(UserName=user)


def test_endless_break_ends_when_cleared(proxy: FaultProxy, user: str) -> None:
    proxy.arrange("ListAccessKeys", Break(Kind.STATUS_503), times=None)
    with pytest.raises(ClientError):
        client(proxy.url, attempts=3).list_access_keys(UserName=user)
    assert proxy.count("ListAccessKeys") == 3

    proxy.clear()

    client(proxy.url).list_access_keys(UserName=user)


@pytest.mark.parametrize("after", [False, True])
def test_hang_goes_on_when_released(
    proxy: FaultProxy, account: MotoAccount, user: str, after: bool
) -> None:
    proxy.arrange(CREATE, Break(Kind.HANG, after))
    made: list[str] = []
    iam = client(proxy.url)
    thread = in_thread(
        lambda: made.append(iam.create_access_key(UserName=user)["AccessKey"]["AccessKeyId"])
    )
    proxy.wait_hanging()
    assert len(key_ids(account.iam, user)) == after
    assert made == []

    proxy.release()

    thread.join()
    assert made == list(key_ids(account.iam, user))


def test_hang_ends_when_the_client_goes(account: MotoAccount, user: str) -> None:
    url = account.options.endpoint_url
    assert url
    with FaultProxy(url) as proxy:
        proxy.arrange("X", Break(Kind.HANG))
        port = int(proxy.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as raw:
            raw.sendall(b"POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\nAction=X")
            proxy.wait_hanging()
        proxy._wait(lambda: not proxy._clients, "the connection has ended")
        assert proxy.forwards("X") == 0


def test_hang_ends_with_the_proxy(account: MotoAccount, user: str) -> None:
    assert account.options.endpoint_url
    with FaultProxy(account.options.endpoint_url) as proxy:
        proxy.arrange("ListAccessKeys", Break(Kind.HANG))
        iam = client(proxy.url)
        failed: list[type[BaseException]] = []

        def call() -> None:
            try:
                iam.list_access_keys(UserName=user)
            except NO_REPLY as error:
                failed.append(type(error))

        thread = in_thread(call)
        proxy.wait_hanging()
    thread.join()
    assert not any(running.is_alive() for running in proxy._threads)


def test_delay_is_one(proxy: FaultProxy, user: str) -> None:
    proxy.arrange("ListAccessKeys", Break(Kind.DELAY, after=True, seconds=0.01))
    assert client(proxy.url).list_access_keys(UserName=user)["AccessKeyMetadata"] == []


def test_callable_runs_at_the_moment(proxy: FaultProxy, account: MotoAccount, user: str) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(len(key_ids(account.iam, user)))

    proxy.at(CREATE, when="before", call=look)
    proxy.at(CREATE, when="after", call=look)
    proxy.arrange(CREATE, Break(Kind.RESET, after=True))
    with pytest.raises(NO_REPLY):
        client(proxy.url).create_access_key(UserName=user)

    assert seen == [0, 1]


def test_fault_of_a_callable_is_raised_at_the_end(account: MotoAccount, user: str) -> None:
    def fail() -> None:
        raise LookupError("the callable's own")

    assert account.options.endpoint_url
    proxy = FaultProxy(account.options.endpoint_url)
    with pytest.raises(LookupError), proxy:  # noqa: PT012 - raised where the block ends
        proxy.at("ListAccessKeys", when="before", call=fail)
        assert client(proxy.url).list_access_keys(UserName=user)["AccessKeyMetadata"] == []


def test_break_of_a_reply_before_the_work_is_refused() -> None:
    with pytest.raises(ValueError, match="before the work"):
        Break(Kind.TRUNCATED)


# keytui in a terminal.


def create(run: Program, goal: str = "OS keyring") -> None:
    """Open the dialog that creates, and choose where the secret goes."""
    run.send("c")
    run.wait_for("Create an access key")
    for place in ("OS keyring", "CSV file", "Show only"):
        run.wait_for(f"◉ {place}")
        if place == goal:
            return
        run.send("\x1b[B")


def test_program_creates_a_key_and_ends(
    source: Zygote,
    env_on_bus: dict[str, str],
    service: SecretService,
    account: MotoAccount,
    proxy: FaultProxy,
    user: str,
    home: Path,
    request: pytest.FixtureRequest,
) -> None:
    with program(source, ["--user", user], env_on_bus) as run:
        run.wait_for("13 users")
        create(run)
        run.wait_for("can be written")
        run.send("\r")
        (key_id,) = set(NEW_KEY.findall(run.wait_for("read back")))
        screen = run.text()
        run.kill(signal.SIGTERM)
        assert run.wait_exit() == 128 + signal.SIGTERM
        scene = Scene(
            account.iam,
            user,
            proxy,
            frozenset(),
            asked=1,
            home=home,
            service=service,
            screen=screen + run.text(),
            written=run.written,
        )

    assert key_ids(account.iam, user) == {key_id}
    assert kept_in_keyring(service, key_id) == dict(proxy.secrets)[key_id]
    found = losses(scene)
    record_cell(request, found)
    assert found == []


def test_program_leaves_the_ordinary_screen_behind(
    source: Zygote, env: dict[str, str], user: str
) -> None:
    with program(source, ["--user", user], env) as run:
        run.wait_for("no keys")
        run.send("\x11")
        assert run.wait_exit() == 0
        assert run.text().strip() == ""
        assert b"13 users" in run.written


def test_program_can_be_killed(source: Zygote, env: dict[str, str], user: str) -> None:
    with program(source, ["--user", user], env) as run:
        run.wait_for("no keys")
        run.kill()
        assert run.wait_exit() == -signal.SIGKILL
        assert "no keys" in run.text()


def test_program_hears_the_terminal_close(source: Zygote, env: dict[str, str], user: str) -> None:
    with program(source, ["--user", user], env) as run:
        run.wait_for("no keys")
        run.close_terminal()
        assert run.wait_exit() == 128 + signal.SIGHUP


def test_program_follows_the_terminal_size(source: Zygote, env: dict[str, str], user: str) -> None:
    with program(source, ["--user", user], env, 100, 30) as run:
        run.wait_for("no keys")
        run.resize(90, 24)
        run.wait_for(re.compile(r"(?m)^.*13 users\n.*q Quit$\Z"))


def test_programs_run_side_by_side(source: Zygote, env: dict[str, str], user: str) -> None:
    with program(source, [], env) as one, program(source, ["--user", user], env) as two:
        two.wait_for("no keys")
        one.wait_for("13 users")
        assert one.pid != two.pid
        assert "no keys" not in one.text()


def test_program_has_the_environment_it_is_given(source: Zygote, env: dict[str, str]) -> None:
    with program(source, [], env | {"TERM": "dumb", "HOME": env["HOME"]}) as run:
        assert run.wait_exit() == 2
        assert "can't draw on a terminal of type 'dumb'" in run.text()
    state = Path(env["HOME"]) / "state"
    state.mkdir()
    (state / "keytui").mkdir()
    (state / "keytui/config.toml").write_text("nonsense = 1")
    done = source.run([], env | {"XDG_CONFIG_HOME": str(state)})
    assert done.status == 2
    assert str(state) in done.err


def test_program_refuses_what_is_read_too_early(source: Zygote, env: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="TEXTUAL_FPS"):
        source.run([], env | {"TEXTUAL_FPS": "60"})


def test_run_without_a_terminal(source: Zygote, env: dict[str, str]) -> None:
    done = source.run(["--version"], env)
    assert (done.status, done.out[:7], done.err) == (0, "keytui ", "")
    done = source.run([], env)
    assert (done.status, done.out) == (2, "")
    assert "needs a terminal" in done.err
    done = source.run(["--nonsense"], env)
    assert done.status == 2
    assert "usage:" in done.err


def test_faults_are_switched_on_in_the_middle_of_a_run(
    source: Zygote,
    env_on_bus: dict[str, str],
    proxy: FaultProxy,
    library: BrokenLibrary,
    service: SecretService,
    account: MotoAccount,
    user: str,
    tmp_path: Path,
) -> None:
    with small_disk(tmp_path / "state") as disk:
        record = disk.path / "keytui/journal.jsonl"

        def break_all() -> None:
            library.set(Library.DIFFERS)
            disk.fill(record)

        proxy.at(CREATE, when="after", call=break_all)
        env = env_on_bus | library.env | {"XDG_STATE_HOME": str(disk.path)}
        with program(source, ["--user", user], env) as run:
            run.wait_for("no keys")
            create(run)
            run.wait_for("can be written")
            run.send("\r")
            run.wait_for("gave back something else")
            assert record.stat().st_size % PAGE == 0
            assert "put get" in library.calls()
    assert key_ids(account.iam, user) == {key_id for key_id, _ in proxy.secrets}


def test_recover_runs_without_a_terminal(source: Zygote, env_on_bus: dict[str, str]) -> None:
    done = source.run(["recover"], env_on_bus)
    assert (done.status, done.out) == (0, "Nothing is unfinished.\n")


# Keyrings.


@pytest.mark.parametrize("how", [how for how in Library if how is not Library.HANGS])
def test_library_breaks_when_told_to(
    service: SecretService, library: BrokenLibrary, how: Library
) -> None:
    store = OsKeyring(env=service.env | library.env, gate=WRITABLE)
    new = new_key(key_id=f"AKIALIBRARY{how.name.replace('_', '')}")
    library.set(how)
    assert store.probe().writable

    with pytest.raises(StoreError):
        store.put(new)

    written = {Library.DIFFERS, Library.RAISES_AFTER, Library.DIES_AFTER}
    kept = kept_in_keyring(service, new.key.id)
    assert kept == (SENTINEL if how in written else None)
    library.clear()
    store.put(new)
    assert kept_in_keyring(service, new.key.id) == SENTINEL
    assert {"canary set", "put set"} <= set(library.calls())


def test_library_hangs(service: SecretService, library: BrokenLibrary) -> None:
    library.set(Library.HANGS)
    with pytest.raises(StoreError, match=r"within 0\.6 s"):
        OsKeyring(env=service.env | library.env, timeout=0.6, gate=WRITABLE).put(
            new_key(key_id="AKIAHANGS")
        )
    assert kept_in_keyring(service, "AKIAHANGS") is None


def test_locked_daemon_is_mended(service: SecretService) -> None:
    store = OsKeyring(env=service.env, gate=WRITABLE)
    store.put(new_key(key_id="AKIALOCKED"))
    break_daemon(service, Daemon.LOCKED)
    with pytest.raises(StoreLockedError):
        store.put(new_key(key_id="AKIALOCKED2"))

    assert mend(service)

    assert kept_in_keyring(service, "AKIALOCKED") == SENTINEL


def test_stopped_daemon_hangs_and_goes_on(service: SecretService) -> None:
    new = new_key(key_id="AKIASTOPPED")
    break_daemon(service, Daemon.STOPPED)
    try:
        with pytest.raises(StoreError, match="no answer"):
            OsKeyring(env=service.env, timeout=0.6, gate=WRITABLE).put(new)
    finally:
        assert mend(service)
    OsKeyring(env=service.env, gate=WRITABLE).put(new)


def test_killed_daemon_is_started_anew_with_what_it_kept(
    services: ServicePool, service: SecretService
) -> None:
    OsKeyring(env=service.env, gate=WRITABLE).put(new_key(key_id="AKIAKILLED"))
    break_daemon(service, Daemon.KILLED)
    with pytest.raises(StoreError):
        OsKeyring(env=service.env, gate=WRITABLE).put(new_key(key_id="AKIAKILLED2"))
    assert not mend(service)

    assert kept_in_keyring(services.take(), "AKIAKILLED") == SENTINEL


# A full disk.


@pytest.mark.parametrize("private", [False, True])
def test_disk_is_full_to_the_byte_and_free_again(tmp_path: Path, private: bool) -> None:
    with small_disk(tmp_path / "disk", 64, private=private) as disk:
        record = disk.path / "record"
        record.write_bytes(b"line\n")
        assert disk.room() > 0

        disk.fill(record, leave=3)

        assert disk.room() == 0
        assert record.stat().st_size == PAGE - 3
        with record.open("ab", buffering=0) as file:
            assert file.write(b"another\n") == 3
            with pytest.raises(OSError, match="No space left"):
                file.write(b"x")
        other = disk.path / "other"
        with other.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space left"):
            file.write(b"x")
        disk.free()
        with record.open("ab", buffering=0) as file:
            assert file.write(b"another\n") == 8
    assert not (tmp_path / "disk/record").exists()


# From outside.


@pytest.fixture
def scene(account: MotoAccount, user: str, proxy: FaultProxy, home: Path) -> Scene:
    """A scene where one key was asked for and made, and its secret is kept nowhere."""
    client(proxy.url).create_access_key(UserName=user)
    return Scene(account.iam, user, proxy, frozenset(), asked=1, home=home)


def csv_of(scene: Scene, secret: str = "") -> Path:
    """Write the key of a scene as keytui would."""
    ((key_id, true),) = scene.proxy.secrets
    path = scene.home / "keys.csv"
    path.write_text(
        f"User Name,Access key ID,Secret access key\n{scene.user},{key_id},{secret or true}\n"
    )
    return path


def test_lost_secret_is_a_loss(scene: Scene) -> None:
    (sentence,) = losses(scene)
    assert "kept nowhere" in sentence
    assert losses(replace(scene, before=key_ids(scene.iam, scene.user))) == []


def test_kept_secret_is_none(scene: Scene, service: SecretService) -> None:
    assert losses(replace(scene, csv=(csv_of(scene),))) == []
    ((key_id, secret),) = scene.proxy.secrets
    (scene.home / "keys.csv").unlink()
    service.store(key_id, f'{{"AccessKeyId":"{key_id}","SecretAccessKey":"{secret}"}}')
    assert losses(replace(scene, service=service)) == []


def test_wrong_secret_is_a_loss(scene: Scene) -> None:
    (sentence,) = losses(replace(scene, csv=(csv_of(scene, "wrong"),)))
    assert "another secret" in sentence


def test_offer_to_delete_is_none(scene: Scene) -> None:
    ((key_id, _),) = scene.proxy.secrets
    assert losses(replace(scene, screen=f"│ AWS made {key_id}.  │\n│ Delete it? │")) == []
    assert losses(replace(scene, recovered=f"{key_id} is open: keytui can delete it.")) == []
    assert losses(replace(scene, screen=f"{key_id} Active")) != []
    assert not offers_to_delete(f"{key_id} {'.' * 400} delete", key_id)


def test_more_keys_than_asked_for_are_a_loss(scene: Scene) -> None:
    path = csv_of(scene)
    client(scene.proxy.url).create_access_key(UserName=scene.user)
    found = losses(replace(scene, csv=(path,)))
    assert [sentence for sentence in found if "asked for" in sentence] == [
        "1 creations were asked for, and AWS was asked for 2 keys.",
        "1 creations were asked for, and 2 keys were made.",
    ]


def test_leaks_are_losses(scene: Scene) -> None:
    path = csv_of(scene)
    ((key_id, secret),) = scene.proxy.secrets
    kept = replace(scene, csv=(path,))
    (scene.home / "tmp").mkdir()
    (scene.home / "tmp/copy").write_text(f"x{secret}x")
    half = len(secret) // 2
    wrapped = f"│ {secret[:half]} │\n│ {secret[half:]} │"

    found = losses(
        replace(
            kept,
            written=f"{secret[:9]}\x1b[1m{secret[9:]}".encode(),
            screen=wrapped,
            recovered=secret,
        )
    )

    assert found == [
        f"The secret of {key_id} was written to the terminal.",
        f"The secret of {key_id} was on the screen.",
        f"The secret of {key_id} is in what recover says.",
        f"The secret of {key_id} is in the file tmp/copy.",
    ]
    (scene.home / "tmp/copy").unlink()
    assert losses(replace(kept, written=secret.encode(), screen=wrapped, revealed=True)) == []


def test_cells_are_counted_from_reports() -> None:
    property_ = ("faults.losses", ["One.", "Two."])
    reports = [
        SimpleNamespace(nodeid="a", when="call", user_properties=[property_]),
        SimpleNamespace(nodeid="a", when="teardown", user_properties=[property_]),
        SimpleNamespace(nodeid="b", when="call", user_properties=[]),
        SimpleNamespace(nodeid="c"),
    ]
    assert cells(reports) == [("a", ["One.", "Two."])]


def test_process_id_of_an_earlier_run(source: Zygote, env: dict[str, str]) -> None:
    """The system gives numbers out again; the end of the run before is not this one's."""
    with source._changed:
        source._exits |= dict.fromkeys(range(MAX_PID + 1), -9)
    done = source.run(["--version"], env)
    with source._changed:
        source._exits.clear()
    assert done.status == 0
    assert done.out.startswith("keytui")
