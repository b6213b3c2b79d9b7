"""Read-only mode in real processes: every command and the screen, with the strongest options.

AWS, the keyring and the home folder are compared before and after, to the byte and the mode.
"""

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
import secretstorage

from keytui.cli.commands import MODULES
from keytui.core.model import AccessKey, KeyStatus, NewAccessKey, Secret, User
from keytui.core.waiting import Wait
from keytui.journal.log import Entry, Event, Journal
from keytui.keys.operations import Lifecycle
from keytui.keys.outcomes import UnansweredError
from keytui.stores.keyring.os_keyring import OsKeyring
from tests.e2e.conftest import Desk, on_bus, signed_by
from tests.support.fake_iam import ACCOUNT, START, FakeIam
from tests.support.gates import WRITABLE
from tests.support.iam_server import IamServer
from tests.support.secret_service import SecretService, secret_service
from tests.support.sentinel import SENTINEL
from tests.support.snapshot import snapshot
from tests.support.terminal import KEYTUI, PATIENCE, clean_env

SENTENCE = "keytui is in read-only mode. Nothing was changed."
ACTIVE_ID = "AKIAALICEACTIVE00001"
INACTIVE_ID = "AKIAALICEINACTIVE002"
BOB_ID = "AKIABOBACTIVE0000003"
GONE_ID = "AKIABOBGONE000000004"
OWN_ID = "AKIAFAKECALLER000001"
READING = ("Get", "List", "Generate", "Simulate")
REFUSED = 1
"""The exit status of a command that was refused."""


@dataclass(frozen=True, slots=True)
class Place:
    """An account and a machine on which all is there that could be changed.

    Attributes:
        desk: The home.
        iam: The account.
        server: The account over HTTP.
        service: The keyring.
    """

    desk: Desk
    iam: FakeIam
    server: IamServer
    service: SecretService

    @property
    def env(self) -> dict[str, str]:
        return signed_by(self.server.options) | on_bus(self.service)

    def everything(self) -> tuple[object, ...]:
        """Return all that could be changed; what was last seen and temporary files may be."""
        home = self.desk.home
        aws = {name: (dict(h.keys), dict(h.tags)) for name, h in self.iam._holders.items()}
        kept = snapshot(home, self.service.home, but=(home / ".cache", home / "tmp"))
        return aws, sorted(self._items()), kept

    def _items(self) -> Iterator[tuple[str, str, bytes]]:
        with closing(self.service.connect()) as connection:
            for item in secretstorage.Collection(connection).get_all_items():
                locked = item.is_locked()
                secret = b"locked" if locked else item.get_secret()
                yield item.get_label(), str(sorted(item.get_attributes().items())), secret


@pytest.fixture
def place(desk: Desk, iam: FakeIam, server: IamServer, own_service: SecretService) -> Place:
    """alice with two keys, bob with one under rotation, a creation cut short, secrets, files."""
    alice, bob = iam.add_user("alice"), iam.add_user("bob")
    iam.add_key(alice, ACTIVE_ID)
    iam.add_key(alice, INACTIVE_ID, status=KeyStatus.INACTIVE, description="old laptop")
    iam.add_key(bob, BOB_ID)
    clean_env(desk.home)
    _lose_a_reply(iam, desk)
    _record(desk, own_service, iam)
    _write_files(desk, iam)
    return Place(desk, iam, server, own_service)


def _lose_a_reply(iam: FakeIam, desk: Desk) -> None:
    iam.lose_reply = True
    wait = Wait(lambda _: None, lambda: 0.0)
    earlier = Lifecycle(iam, Journal(desk.state, WRITABLE), gate=WRITABLE, wait=wait)
    with pytest.raises(UnansweredError):
        earlier.create(iam.add_user("carol"), None)
    iam.lose_reply = False


def _record(desk: Desk, service: SecretService, iam: FakeIam) -> None:
    journal, keyring = Journal(desk.state, WRITABLE), OsKeyring(env=service.env, gate=WRITABLE)
    line = {"at": START.isoformat(), "account": ACCOUNT, "caller": "arn"}
    for user, key_id in (("alice", ACTIVE_ID), ("bob", BOB_ID), ("bob", GONE_ID)):
        key = AccessKey(key_id, User(user), KeyStatus.ACTIVE, None)
        secret = iam.secrets.get(key_id, Secret(SENTINEL))
        keyring.put(NewAccessKey(key, ACCOUNT, secret))
        stored = {**line, "user": user, "key_id": key_id, "store": "keyring"}
        journal.append(Entry(event=Event.STORED, **stored))
    for key_id, name in ((BOB_ID, "a1"), (GONE_ID, "a2")):
        begun = {**line, "user": "bob", "key_id": key_id, "rotation": name, "store": "keyring"}
        journal.append(Entry(event=Event.ROTATING, **begun))
    journal.append(Entry(event=Event.DELETED, **line, user="bob", key_id=GONE_ID))


def _write_files(desk: Desk, iam: FakeIam) -> None:
    folder, secret = desk.home / ".aws", iam.secrets[BOB_ID].reveal()
    folder.mkdir()
    (folder / "config").write_text("[profile bob]\nregion = us-east-1\n")
    (folder / "credentials").write_text(
        f"[bob]\naws_access_key_id = {BOB_ID}\naws_secret_access_key = {secret}\n"
    )
    (desk.home / "accessKeys.csv").write_text(
        f"Access key ID,Secret access key\nAKIAFROMACSVFILE0001,{SENTINEL}\n"
    )


def arguments(home: Path) -> dict[str, list[list[str]]]:
    """Return what each command is run with."""
    csv = f"csv:{home}/new.csv"
    return {
        "find": [[ACTIVE_ID]],
        "deactivate": [[f"{ACTIVE_ID} {BOB_ID}", "--yes"], [OWN_ID, "--yes", "--own-key"]],
        "activate": [[INACTIVE_ID, "--yes"]],
        "delete": [[INACTIVE_ID, "--yes"], [ACTIVE_ID, "--yes", "--own-key", "--json"]],
        "list": [[], ["--json"]],
        "audit": [["--live", "--fail-on", "none"], ["--report-only", "--fail-on", "none"]],
        "fleet": [["--json"]],
        "create": [
            ["--user", "bob", "--store", "keyring", "--show-secret", "--description", "new"],
            ["--user", "bob", "--store", csv, "--json"],
            ["--user", "bob", "--store", "keyring", "--unlock-keyring"],
        ],
        "rotate": [
            [BOB_ID, "--to", "deleted", "--yes", "--profiles", "rewrite", "--store", csv],
            [BOB_ID, "--roll-back", "--yes", "--unlock-keyring"],
            [ACTIVE_ID, "--yes", "--json"],
        ],
        "credentials": [[BOB_ID], ["--user", "alice"]],
        "doctor": [[], ["--json"]],
        "import": [
            [f"{home}/accessKeys.csv", "--yes"],
            [f"{home}/.aws/credentials", "--profile", "bob", "--yes"],
            [f"{home}/no-such-file", "--yes"],
        ],
        "recover": [["--yes"], []],
    }


CHANGING = {"deactivate", "activate", "delete", "create", "rotate", "import"}
WAYS = ("flag", "variable", "config file")


def asked_for(way: str, desk: Desk) -> tuple[list[str], dict[str, str]]:
    """Switch read-only mode on; return the flags and the variables of it."""
    if way == "config file":
        folder = desk.home / ".config/keytui"
        folder.mkdir(parents=True)
        (folder / "config.toml").write_text("read_only = true\n")
    flags = ["--read-only"] if way == "flag" else []
    return flags, {"KEYTUI_READ_ONLY": "1"} if way == "variable" else {}


def keytui(place: Place, env: Mapping[str, str], *argv: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [KEYTUI, *argv],
        env=clean_env(place.desk.home) | place.env | dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        check=False,
    )


def test_every_command_is_run_here(desk: Desk) -> None:
    assert set(arguments(desk.home)) == set(MODULES)


@pytest.mark.parametrize("way", WAYS)
def test_no_command_changes_anything(place: Place, way: str) -> None:
    flags, env = asked_for(way, place.desk)
    before = place.everything()
    for command, sets in arguments(place.desk.home).items():
        for words in sets:
            done = keytui(place, env, *flags, command, *words)
            told = f"{command} {words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
            assert place.everything() == before, told
            assert "Traceback" not in done.stderr, told
            if command in CHANGING:
                assert (done.returncode, done.stdout) == (REFUSED, ""), told
                assert SENTENCE in done.stderr, told
            else:
                assert SENTENCE not in done.stderr, told
    assert all(name.startswith(READING) for name in place.server.received())


def test_what_only_looks_works(place: Place) -> None:
    def run(*argv: str) -> "subprocess.CompletedProcess[str]":
        return keytui(place, {}, "--read-only", *argv)

    secret = place.iam.secrets[BOB_ID].reveal()
    assert secret in run("credentials", BOB_ID).stdout
    assert ACTIVE_ID in run("list").stdout
    assert ACTIVE_ID in run("audit", "--live").stdout
    assert "bob" in run("fleet").stdout
    looked = run("doctor").stdout
    assert "not tested in read-only mode" in looked
    assert "was written, read back" not in looked
    recovered = run("recover", "--yes")
    (lost,) = place.iam.held(place.iam.find("carol"))
    assert recovered.returncode == 3
    assert f"{lost.id} stays. {SENTENCE}" in recovered.stdout


def test_flag_may_stand_behind_the_command(place: Place) -> None:
    before = place.everything()
    done = keytui(place, {}, "import", f"{place.desk.home}/accessKeys.csv", "--yes", "--read-only")
    assert done.returncode == REFUSED
    assert SENTENCE in done.stderr
    assert place.everything() == before


@pytest.mark.parametrize("way", WAYS)
def test_on_the_screen_no_store_is_reached(place: Place, way: str) -> None:
    flags, env = asked_for(way, place.desk)
    before = place.everything()
    run = place.desk.keytui("find", ACTIVE_ID, *flags, env=place.env | env)
    run.wait_for("READ-ONLY")
    run.wait_for(ACTIVE_ID)
    run.wait_for("unfinished")
    run.send("V")
    for key in ("x", "p"):
        run.wait_for("s Show")
        run.send(key)
        run.wait_for(SENTENCE)
        run.send("s")
        run.wait_gone(SENTENCE)
        run.wait_for("Secret  fake+secret/")
        run.send("s")
        run.wait_gone("Secret  fake+secret/")
    run.escape("s Show")
    run.send("A")
    run.wait_for("Mark all")
    run.send("x")
    run.wait_for(SENTENCE)
    run.escape("Mark all")
    run.send("C-q")
    assert run.wait_exit() == 0
    assert place.everything() == before
    assert all(name.startswith(READING) for name in place.server.received())


def test_keyring_is_unlocked_and_read(place: Place) -> None:
    place.service.lock()
    files = snapshot(place.desk.home, place.service.home, but=(place.desk.home / "tmp",))
    run = place.desk.keytui("--read-only", "--unlock-keyring", env=place.env)
    run.wait_for("Password of the OS keyring")
    run.type("correct horse")
    run.send("Enter")
    run.wait_for("READ-ONLY")
    run.send("V")
    run.wait_for("s Show")
    run.send("C-q")
    assert run.wait_exit() == 0
    assert not place.service.is_locked()
    but = (place.desk.home / "tmp", place.desk.home / ".cache")
    assert snapshot(place.desk.home, place.service.home, but=but) == files


def test_no_keyring_is_made(desk: Desk, server: IamServer, tmp_path: Path) -> None:
    with secret_service(tmp_path, password="") as service:
        env = signed_by(server.options) | on_bus(service)
        clean_env(desk.home)
        before = snapshot(desk.home, service.home)
        run = desk.keytui("--read-only", "--unlock-keyring", env=env)
        assert run.wait_exit() == 2
        run.wait_for("keytui is in read-only mode.")
        assert snapshot(desk.home, service.home) == before


@pytest.mark.parametrize("there", [True, False])
def test_login_without_a_bus_reads_the_keyring_that_is_there(
    desk: Desk, server: IamServer, tmp_path: Path, there: bool
) -> None:
    with secret_service(tmp_path) as service:
        _record(desk, service, server.state)
    data = service.home / ".local/share" if there else desk.home / "data"
    env = clean_env(desk.home) | signed_by(server.options) | {"XDG_DATA_HOME": str(data)}
    but = (desk.home / "tmp", desk.home / ".cache", desk.home / "no-runtime")
    before = snapshot(desk.home, service.home, but=but)

    run = desk.keytui("--read-only", "--unlock-keyring", env=env)

    if there:
        run.wait_for("Password of the OS keyring")
        run.type("correct horse")
        run.send("Enter")
        run.wait_for("READ-ONLY")
        run.send("V")
        run.wait_for("s Show")
        run.send("s")
        run.wait_for(f"Secret  {SENTINEL}")
        run.send("C-q")
    assert run.wait_exit() == (0 if there else 2)
    assert there or "keytui is in read-only mode." in run.text()
    assert snapshot(desk.home, service.home, but=but) == before
