"""The matrix, AWS's side: every call of a creation × everything that can happen to its reply."""

import re

import pytest

from tests.faults.play import ORPHAN, REVEAL, Cell, End, Goal
from tests.faults.program import Program
from tests.faults.proxy import BREAKS, Break, Kind

QUICK = [what for what in BREAKS if what.kind is not Kind.HANG]
"""A reply that hangs takes as long as keytui waits for it: 10 s for a read, thrice."""
LOST = Break(Kind.RESET, after=True)


def judge(cell: Cell, run: Program, request: pytest.FixtureRequest) -> None:
    """End the run, start anew, and count what was lost.

    Once what is offered is accepted, each key that is left has its secret in the keyring.
    """
    cell.end(run, End.KILL)
    cell.proxy.clear()
    told = cell.judge(request, run)
    if told.status:
        assert "is deleted" in cell.recover("--yes").out
    assert cell.service
    assert all(cell.service.lookup(key) for key in cell.key_ids())


@pytest.mark.parametrize("what", BREAKS, ids=str)
def test_create(cell: Cell, run: Program, request: pytest.FixtureRequest, what: Break) -> None:
    cell.proxy.arrange("CreateAccessKey", what)
    cell.open(run)
    cell.ask(run)
    screen = cell.rest(run)
    if cell.key_ids() and "read back" not in screen:
        assert ORPHAN in screen
    assert cell.proxy.count("CreateAccessKey") == 1
    judge(cell, run, request)


@pytest.mark.parametrize("what", QUICK, ids=str)
def test_list_before(cell: Cell, run: Program, request: pytest.FixtureRequest, what: Break) -> None:
    """Whatever cannot be read before a creation, no key is asked for without it."""
    cell.open(run)
    cell.choose(run)
    cell.proxy.arrange("ListAccessKeys", what, times=None)
    cell.confirm(run)
    screen = cell.rest(run)
    if REVEAL not in screen:
        assert cell.proxy.count("CreateAccessKey") == 0
    judge(cell, run, request)


@pytest.mark.parametrize("what", QUICK, ids=str)
def test_list_after(cell: Cell, run: Program, request: pytest.FixtureRequest, what: Break) -> None:
    """The reply is lost, and then the keys can't be read: the next start finds the key."""
    cell.proxy.arrange("CreateAccessKey", LOST)
    cell.open(run)
    broken = lambda: cell.proxy.arrange("ListAccessKeys", what, times=None)  # noqa: E731
    cell.proxy.at("CreateAccessKey", when="after", call=broken)
    cell.ask(run)
    cell.rest(run)
    judge(cell, run, request)


@pytest.mark.parametrize("action", ["UpdateAccessKey", "DeleteAccessKey"])
@pytest.mark.parametrize("what", QUICK, ids=str)
def test_delete_the_orphan(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    action: str,
    what: Break,
) -> None:
    """The offer is accepted, and the deletion meets faults too."""
    cell.proxy.arrange("CreateAccessKey", LOST)
    cell.open(run)
    cell.ask(run)
    assert ORPHAN in cell.rest(run)
    cell.screens.clear()
    cell.proxy.arrange(action, what, times=None)
    run.send("\r")
    run.wait_gone(ORPHAN)
    run.wait_for(re.compile("is deleted|^ ✗ ", re.MULTILINE), 60)
    judge(cell, run, request)


@pytest.mark.parametrize("what", QUICK, ids=str)
def test_describe(cell: Cell, run: Program, request: pytest.FixtureRequest, what: Break) -> None:
    """A description that can't be kept costs no secret."""
    cell.proxy.arrange("TagUser", what, times=None)
    cell.open(run)
    cell.ask(run, description="for ci")
    assert "read back" in cell.rest(run)
    judge(cell, run, request)


@pytest.mark.parametrize("what", QUICK, ids=str)
def test_next_start(cell: Cell, run: Program, request: pytest.FixtureRequest, what: Break) -> None:
    """keytui was killed with an unkept secret, and the next start meets faults: it can be had
    again at the one after that.
    """
    cell.open(run)
    cell.ask(run, Goal.SHOW)
    cell.rest(run)
    cell.end(run, End.KILL)
    cell.screens.clear()
    cell.proxy.arrange("ListAccessKeys", what, times=None)
    assert cell.source.run(["recover"], cell.env).status == 3
    cell.proxy.clear()
    cell.judge(request, run)
