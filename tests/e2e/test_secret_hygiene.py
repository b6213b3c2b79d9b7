"""A secret is nowhere but where it was put: searched for all over, from outside."""

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

from tests.e2e.conftest import Desk, on_bus, signed_by
from tests.e2e.steps import REVEAL, create_to_show, discard, read_secret, row
from tests.support.eavesdropper import POWERLESS, WATCHING, eavesdropper
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import IamServer
from tests.support.moto_server import MotoAccount
from tests.support.secret_service import SecretService
from tests.support.sentinel import SENTINEL, files_that_hold, processes_that_show
from tests.support.terminal import KEYTUI, PATIENCE, clean_env


def test_secret_is_only_where_it_was_put(
    desk: Desk, moto: MotoAccount, keyring_service: SecretService
) -> None:
    log = desk.home / "textual.log"
    env = on_bus(keyring_service) | signed_by(moto.options) | {"TEXTUAL_LOG": str(log)}
    run = desk.keytui("--user", "carol", env=env)
    run.wait_for("carol has no access keys")
    run.wait_for("unlocked")
    log_begun = log.exists()

    run.send("c")
    run.wait_for("can be written")
    run.send("Enter")
    run.wait_for("read back")
    key_id, secret = read_secret(run)
    assert secret in (keyring_service.lookup(key_id) or "")
    assert processes_that_show(secret) == []
    run.send("f")
    run.wait_for("carol_accessKeys.csv")
    run.send("Enter")
    run.wait_for("carol_accessKeys.csv, read back")
    run.escape(REVEAL)
    run.wait_for(row(key_id, "Active"))
    assert secret not in run.history()

    second, unkept = create_to_show(run)
    run.send("y")
    run.wait_for("Sent to the terminal")
    assert processes_that_show(unkept) == []
    discard(run)
    run.send("y")
    run.wait_for(f"{second} is deleted")
    run.send("q")
    assert run.wait_exit() == 0

    asked_for = desk.home / "carol_accessKeys.csv"
    assert files_that_hold(secret, desk.home) == [asked_for]
    assert files_that_hold(unkept, desk.home) == []
    assert log_begun, "TEXTUAL_LOG was not written, so nothing is proved of it"
    assert unkept not in run.history()
    assert secret not in run.history()
    record = desk.state / "journal.jsonl"
    assert key_id in record.read_text()


LONE = "made-up/secret/that/no+other/test/has012"
"""Tests beside this one may show theirs."""


def test_no_process_shows_a_secret_at_any_moment(
    desk: Desk, iam: FakeIam, server: IamServer, keyring_service: SecretService
) -> None:
    """Also not those that live for a tenth of a second to work the keyring."""
    iam.add_user("alice")
    iam.next_secret = LONE
    seen: set[str] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.update(processes_that_show(LONE))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        env = on_bus(keyring_service) | signed_by(server.options)
        run = desk.keytui("--user", "alice", env=env)
        run.wait_for("alice has no access keys")
        run.send("c")
        run.wait_for("can be written")
        run.send("Enter")
        run.wait_for("read back")
        run.escape(REVEAL)
    finally:
        done.set()
        watcher.join()
    assert seen == set()
    assert LONE in (keyring_service.lookup(iam.held(iam.find("alice"))[0].id) or "")


def test_no_process_of_the_user_hears_a_new_secret(
    desk: Desk, iam: FakeIam, server: IamServer, own_service: SecretService, tmp_path: Path
) -> None:
    """It opens the streams of every process that keytui starts, from their first moment."""
    found, names = tmp_path / "found", [f"user{number}" for number in range(4)]
    env = clean_env(desk.home) | on_bus(own_service) | signed_by(server.options)
    # No other backend is looked at: a script such as pass loses what is read from its pipes.
    env |= {"PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring"}
    with eavesdropper(SENTINEL, found):
        for name in names:
            iam.add_user(name)
            iam.next_secret = SENTINEL
            command: list[str | Path] = [
                *POWERLESS,
                KEYTUI,
                "create",
                "--user",
                name,
                "--store",
                "keyring",
            ]
            made = subprocess.run(
                command, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
            assert made.returncode == 0, made.stderr
    assert found.read_text() == WATCHING
    for name in names:
        (key,) = iam.held(iam.find(name))
        assert SENTINEL in (own_service.lookup(key.id) or "")


def test_debug_logs_of_the_sdk_hold_no_secret(desk: Desk, moto: MotoAccount) -> None:
    """Somebody turns all logging on, by a start-up file of their own."""
    site = desk.home / "site"
    site.mkdir(parents=True)
    log = desk.home / "everything.log"
    (site / "sitecustomize.py").write_text(
        f"import logging\nlogging.basicConfig(filename={str(log)!r}, level=0)\n"
    )
    run = desk.keytui("--user", "carol", env=signed_by(moto.options) | {"PYTHONPATH": str(site)})
    run.wait_for("carol has no access keys")
    _, secret = create_to_show(run)
    discard(run)
    run.send("y")
    run.wait_for("is deleted")
    assert log.stat().st_size > 0
    assert files_that_hold(secret, desk.home) == []
    assert files_that_hold("demo/made-up/secret", desk.home) == []


def test_fault_of_keytuis_own_shows_where_and_nothing_else(desk: Desk) -> None:
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "tests.e2e.crash_runner",
        str(desk.state),
        SENTINEL,
    ]
    root = str(Path(__file__).parents[2])
    run = desk.run(command, env={"PYTHONPATH": root})
    run.wait_for("alice has no access keys")
    create_to_show(run)
    run.send("f")
    run.wait_for("keys.csv")
    run.send("Enter")

    assert run.wait_exit() == 1
    said = run.wait_for("fault of its own")
    assert "RuntimeError" in said
    assert re.search(r"crash_runner\.py:\d+ in put", said)
    everything = run.history()
    assert SENTINEL not in everything.replace("\n", "")
    assert "could not keep" not in everything
    assert "secret =" not in everything
    assert files_that_hold(SENTINEL, desk.home) == []


def test_no_palette_and_no_screenshot_beside_a_secret(desk: Desk, moto: MotoAccount) -> None:
    run = desk.keytui("--user", "carol", env=signed_by(moto.options))
    run.wait_for("carol has no access keys")
    run.send("C-p")
    run.wait_for("Search")
    run.escape("Search")
    key_id, secret = create_to_show(run)
    run.send("C-p", "s")
    shown = run.wait_for(secret)
    assert "Search" not in shown
    run.send("Escape")
    run.wait_for("Type discard")
    run.send("C-p")
    run.type("screenshot")
    shown = run.wait_for("screenshot")
    assert "Search" not in shown
    run.send("Enter")
    run.wait_for("That is not it")
    run.escape("Type discard")
    assert list(desk.home.rglob("*.svg")) == []
    run.send("s")
    run.wait_for(secret)
    run.send("s")
    run.wait_gone(secret)
    discard(run)
    run.send("y")
    run.wait_for(f"{key_id} is deleted")
    run.send("C-p")
    run.wait_for("Search")


def test_neither_core_dumps_nor_a_look_into_its_memory(desk: Desk, moto: MotoAccount) -> None:
    command = [*WITHOUT_POWERS, KEYTUI, "--user", "carol"]
    run = desk.run(command, env=signed_by(moto.options))
    run.wait_for("carol has no access keys")
    limits = Path(f"/proc/{run.pid}/limits").read_text()
    assert re.search(r"Max core file size +0 +0 ", limits)
    assert not may_look_into(run.pid)
    other = desk.run([*WITHOUT_POWERS, "sleep", "60"])
    assert may_look_into(other.pid), "nobody may look into anything here: nothing is proved"


WITHOUT_POWERS: list[str | Path] = (
    [] if os.geteuid() else ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"]
)
"""Makes a command of root's as powerless as any user's: root may look into everything."""


def may_look_into(pid: int) -> bool:
    """Return whether another process of the same user may read a process's memory."""
    command = [*WITHOUT_POWERS, "head", "-c", "1", f"/proc/{pid}/environ"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
