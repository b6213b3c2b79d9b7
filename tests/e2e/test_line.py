"""keytui over a real ssh login: how many bytes come down the line, and how often a cell."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

import pyte
import pytest

from tests.e2e.conftest import Desk, signed_by
from tests.support.moto_server import MotoAccount
from tests.support.slow_line import slow_line
from tests.support.sshd import Sshd, sshd
from tests.support.terminal import KEYTUI, clean_env
from tests.support.vt import Vt, vt

KILO = 1024
WIDTH, HEIGHT = 120, 40
IDLE_SECONDS = 2.0
LATENCY, BITS = 0.2, 64_000


class Painted(pyte.Screen):
    """A screen that counts how often each cell is painted."""

    def __init__(self) -> None:
        super().__init__(WIDTH, HEIGHT)
        self.counts: Counter[tuple[int, int]] = Counter()

    def draw(self, data: str) -> None:
        y, x = self.cursor.y, self.cursor.x
        super().draw(data)
        self.counts.update((y, x + at) for at in range(len(data)))

    def erase_characters(self, count: int | None = None) -> None:
        super().erase_characters(count)
        self.counts.update((self.cursor.y, self.cursor.x + at) for at in range(count or 1))


@pytest.fixture
def env(desk: Desk, moto: MotoAccount) -> dict[str, str]:
    """The environment of somebody in the demo account, who logs in without a keyring."""
    return clean_env(desk.home) | signed_by(moto.options)


@pytest.fixture
def server(env: dict[str, str]) -> Iterator[Sshd]:
    """An sshd to log in at."""
    with sshd(env) as running:
        yield running


def test_few_bytes_come_down_the_line(env: dict[str, str], server: Sshd) -> None:
    with vt(server.ssh(KEYTUI), env, WIDTH, HEIGHT) as run:
        _wait_ready(run)
        assert run.settle() <= 24 * KILO

        moves = [_press(run, "j") for _ in range(7)]
        assert median(map(len, moves)) <= KILO
        assert all(_most_often(move) == 1 for move in moves), "each cell is painted once"

        _press(run, "/")
        assert max(len(_press(run, key)) for key in "svc") <= 4 * KILO

        start = run.received
        run.type("\rc")
        run.wait_for("Create an access key")
        run.wait_for("can't be used")
        run.type("jj")
        run.wait_for("◉ Show only")
        run.settle()
        dialog, start = run.received - start, run.received
        run.type("\r")
        run.wait_for("It is kept nowhere yet")
        assert run.settle() - start <= 8 * KILO
        assert dialog <= 8 * KILO

        start = run.received
        assert run.settle(IDLE_SECONDS) == start, "idle"


def test_slow_line_loses_no_key_and_paints_nothing_twice(env: dict[str, str], server: Sshd) -> None:
    with ExitStack() as stack:
        port = stack.enter_context(slow_line(server.port, LATENCY, BITS))
        ssh = server.ssh(KEYTUI, port=port)
        run = stack.enter_context(vt(ssh, env, WIDTH, HEIGHT))
        _wait_ready(run)
        run.settle(2 * LATENCY)

        move = _press(run, "j", 2 * LATENCY)
        assert _most_often(move) == 1, "each cell is painted once"
        assert len(move) <= KILO

        run.type("/svc-\r")
        run.type("\tc")
        for key in "jjkj":
            run.type(key)
        run.type("\t")
        run.type("typed ahead")
        run.wait_for("For svc-backup")
        run.wait_for("◉ Show only")
        run.wait_for("typed ahead")


def _wait_ready(run: Vt) -> None:
    run.wait_for("12 users")
    run.wait_for("Keyring: There is no")
    run.wait_until(lambda: re.search(r"▸ AKIA\w+", run.text()) is not None, "the first user's keys")


def _press(run: Vt, key: str, quiet: float = 0.4) -> bytes:
    """Press a key and return what comes down the line for it."""
    start = run.received
    run.type(key)
    run.wait_until(lambda: run.received > start, "an answer to the key")
    run.settle(quiet)
    return run.written(start)


def _most_often(painted: bytes) -> int:
    screen = Painted()
    pyte.ByteStream(screen).feed(painted)
    return max(screen.counts.values())
