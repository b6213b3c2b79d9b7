"""The matrix, the program's side: every moment of a creation × every way a program ends."""

import os
import random
import re
import time
from collections.abc import Callable

import pytest

from tests.faults.keyrings import BrokenLibrary, Library
from tests.faults.play import ORPHAN, REVEAL, Cell, End, Goal, tell
from tests.faults.program import Program, Zygote, program
from tests.faults.proxy import Break, Kind

LOST = Break(Kind.RESET, after=True)
ENDS = pytest.mark.parametrize("end", End, ids=lambda end: end.name.lower())
KILLS_A_TEST = 10 if os.environ.get("KEYTUI_FAULTS") == "all" else 4
SPAN = 0.8
"""Seconds after the key press; a creation takes half of it on an idle machine."""
SEEDS = 20
"""Times ``KILLS_A_TEST``: how many runs are killed at a random moment."""


def judge(cell: Cell, run: Program, request: pytest.FixtureRequest, end: End) -> None:
    """Start anew and count what was lost; what is offered is then accepted.

    After ``kill -9`` a key may stay whose secret somebody might have.
    """
    cell.ended(run, end.name)
    cell.proxy.clear()
    told = cell.judge(request, run)
    if told.status:
        cell.settle(request, certain=end is not End.KILL)


def ended(cell: Cell, run: Program, end: End) -> Callable[[], None]:
    """Return what ends the run, to be called by the proxy."""
    return lambda: tell(run, end)


@ENDS
@pytest.mark.parametrize("goal", [Goal.KEYRING, Goal.SHOW], ids=["keyring", "show"])
@pytest.mark.parametrize(
    ("action", "when"),
    [("ListAccessKeys", "before"), ("CreateAccessKey", "before"), ("CreateAccessKey", "after")],
    ids=str,
)
def test_in_the_creation(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    action: str,
    when: str,
    goal: Goal,
    end: End,
) -> None:
    cell.open(run)
    moment = "before" if when == "before" else "after"
    cell.choose(run, goal)
    cell.proxy.at(action, when=moment, call=ended(cell, run, end))  # type: ignore[arg-type]
    cell.confirm(run)
    judge(cell, run, request, end)


@ENDS
def test_in_the_put(
    cell: Cell, run: Program, request: pytest.FixtureRequest, library: BrokenLibrary, end: End
) -> None:
    """The keyring is being written, and hangs."""
    cell.env |= library.env
    cell.proxy.at("CreateAccessKey", when="after", call=lambda: library.set(Library.HANGS))
    cell.open(run)
    cell.ask(run)
    while "put set" not in library.calls():
        time.sleep(0.01)
    tell(run, end)
    judge(cell, run, request, end)


@ENDS
@pytest.mark.parametrize("goal", [Goal.KEYRING, Goal.SHOW], ids=["kept", "unkept"])
def test_in_the_reveal(
    cell: Cell, run: Program, request: pytest.FixtureRequest, goal: Goal, end: End
) -> None:
    cell.open(run)
    cell.ask(run, goal)
    assert REVEAL in cell.rest(run)
    cell.screens.clear()
    cell.end(run, end)
    if end is not End.KILL:
        assert cell.service
        assert all(cell.service.lookup(key) for key in cell.key_ids()), (
            "it was put into the keyring"
        )
    judge(cell, run, request, end)


@ENDS
def test_without_a_keyring(
    bare: Cell, run: Program, request: pytest.FixtureRequest, end: End
) -> None:
    bare.open(run)
    bare.ask(run, Goal.SHOW)
    assert REVEAL in bare.rest(run)
    bare.screens.clear()
    bare.end(run, end)
    if end is not End.KILL:
        assert not bare.key_ids(), "nobody can ever use it"
    judge(bare, run, request, end)


@ENDS
@pytest.mark.parametrize("action", ["UpdateAccessKey", "DeleteAccessKey"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_in_the_rescue(
    bare: Cell, run: Program, request: pytest.FixtureRequest, action: str, when: str, end: End
) -> None:
    """The terminal is gone, the key is being deleted, and a second signal comes."""
    bare.open(run)
    bare.ask(run, Goal.SHOW)
    bare.rest(run)
    bare.screens.clear()
    second = lambda: run.kill(End.TERMINATE.value if end is End.CLOSED else end.value)  # noqa: E731
    moment = "before" if when == "before" else "after"
    bare.proxy.at(action, when=moment, call=second)  # type: ignore[arg-type]
    run.kill(End.HANG_UP.value)
    bare.ended(run, end.name)
    if end is not End.KILL:
        assert not bare.key_ids(), "a second signal does not stop the rescue"
    judge(bare, run, request, end)


@ENDS
def test_after_a_lost_reply(
    cell: Cell, run: Program, request: pytest.FixtureRequest, end: End
) -> None:
    """The offer to delete the orphan is open."""
    cell.proxy.arrange("CreateAccessKey", LOST)
    cell.open(run)
    cell.ask(run)
    assert ORPHAN in cell.rest(run)
    cell.screens.clear()
    cell.end(run, end)
    judge(cell, run, request, end)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_killed_at_any_moment(
    cell: Cell, source: Zygote, request: pytest.FixtureRequest, seed: int
) -> None:
    """kill -9 somewhere between the key press and some time after the secret is kept."""
    chance = random.Random(seed)
    for number in range(KILLS_A_TEST):
        if len(cell.key_ids()) == 2:
            remove_all(cell, request)
        with program(source, ["--user", cell.user], cell.env) as run:
            run.wait_for(re.compile(rf"{cell.user}  (no|\d) key"))
            cell.ask(run, Goal.KEYRING if number % 3 else Goal.SHOW)
            time.sleep(chance.uniform(0, SPAN))  # The moment is what is random here.
            run.kill()
            run.wait_exit()
            cell.written += run.written
        cell.proxy.wait_answered("CreateAccessKey")
    cell.judge(request)


def remove_all(cell: Cell, request: pytest.FixtureRequest) -> None:
    """Settle what is open and delete all keys, so that there is room for more."""
    cell.settle(request, certain=False)
    for key in cell.key_ids():
        cell.account.iam.delete_access_key(UserName=cell.user, AccessKeyId=key)
