"""A keyring backend that speaks up: nothing of it reaches the terminal."""

from pathlib import Path

from tests.e2e.conftest import Desk, signed_by
from tests.e2e.steps import FAULT
from tests.support.fake_iam import FakeIam
from tests.support.iam_server import IamServer

MARK = "SPEAKS-UP"
BACKEND = """
import os, sys
def say(where):
    try:
        with open(where, "w") as terminal:
            terminal.write("\\x1b[2J" + MARK)
    except OSError as error:
        open(os.environ["MARKS"], "a").write(f"{where} {error.errno}\\n")
MARK = "SPEAKS" + "-UP"
print(MARK, flush=True)
print(MARK, file=sys.stderr, flush=True)
say("/dev/tty")
open(os.environ["MARKS"], "a").write("loaded\\n")
"""


def test_what_a_backend_prints_does_not_reach_the_terminal(
    desk: Desk, iam: FakeIam, server: IamServer
) -> None:
    iam.add_user("alice")
    site = desk.home / "site"
    site.mkdir(parents=True)
    (site / "odd.py").write_text(BACKEND)
    marks = desk.home / "marks"
    env = signed_by(server.options) | {
        "PYTHONPATH": f"{site}:{Path(__file__).parents[2]}",
        "PYTHON_KEYRING_BACKEND": "odd.Backend",
        "MARKS": str(marks),
    }
    run = desk.keytui("--user", "alice", env=env)
    run.wait_for("PYTHON_KEYRING_BACKEND=odd.Backend names no keyring")
    run.send("c")
    run.wait_for("Create an access key")
    run.send("Escape")
    run.wait_gone("Create an access key")
    run.send("q")
    assert run.wait_exit() == 0

    assert "loaded" in marks.read_text(), "the backend was not loaded, so nothing is proved"
    assert "/dev/tty" in marks.read_text(), "it has a terminal to write to"
    assert MARK.encode() not in run.written()
    assert not FAULT.search(run.history())
