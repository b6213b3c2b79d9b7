"""The matrix, stops: every step of a command × stopped and continued × every way it ends."""

import threading
import time
from collections.abc import Callable, Iterable
from itertools import product

import pytest

from tests.faults.keyrings import BrokenLibrary, Library
from tests.faults.play import REVEAL, Cell, End, Goal, tell
from tests.faults.program import PATIENCE, Program
from tests.faults.proxy import Break, Kind
from tests.faults.rotations import complete, rotate, rotating
from tests.faults.stops import Stop, go_on, stop, stop_and_go

LOST = Break(Kind.RESET, after=True)
ALL_ENDS = (End.TERMINATE, End.HANG_UP, End.CLOSED, End.KILL, None)
SOME_ENDS = (End.TERMINATE, End.KILL, None)
KEPT = "read back"


def name(value: object) -> str:
    """Return how a parameter is called in a test's ID."""
    if value is None:
        return "goes-on"
    return value.name.lower() if isinstance(value, End | Stop) else str(value)


def runs(stops: Iterable[Stop], ends: Iterable[End | None]) -> pytest.MarkDecorator:
    """Return all pairs of a stop and an end that differ."""
    pairs = [(how, end) for how, end in product(stops, ends) if (how, end) != (Stop.ENDED, None)]
    return pytest.mark.parametrize(("how", "end"), pairs, ids=name)


def moments(*moment: tuple[str, int, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("action", "nth", "when"), moment)


def strike(
    cell: Cell, run: Program, moment: tuple[str, int, str], how: Stop, end: End | None
) -> Callable[[], None]:
    """Stop the run at a call; return what waits for that and does the rest.

    What AWS replies arrives while the run is stopped.
    """
    stopped = threading.Event()
    action, nth, when = moment

    def at_the_call() -> None:
        stop(run, how, end)
        stopped.set()

    moment_of_it = "before" if when == "before" else "after"
    cell.proxy.at(action, nth, when=moment_of_it, call=at_the_call)  # type: ignore[arg-type]

    def rest() -> None:
        assert stopped.wait(PATIENCE), f"{moment} did not come: {run.text()}"
        cell.proxy.wait_answered(action)
        go_on(run, how, end)

    return rest


def close(cell: Cell, run: Program, request: pytest.FixtureRequest, end: End | None) -> None:
    """Start anew and count what was lost; what is offered is then accepted."""
    cell.ended(run, name(end))
    cell.proxy.clear()
    if cell.judge(request, run).status:
        cell.settle(request, certain=end is not End.KILL)


@runs((Stop.ONCE, Stop.ENDED), ALL_ENDS)
@moments(
    ("ListAccessKeys", 1, "before"),
    ("CreateAccessKey", 1, "before"),
    ("CreateAccessKey", 1, "after"),
)
def test_in_the_creation(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    action: str,
    nth: int,
    when: str,
    how: Stop,
    end: End | None,
) -> None:
    cell.open(run)
    cell.choose(run, Goal.SHOW)
    rest = strike(cell, run, (action, nth, when), how, end)
    cell.confirm(run)
    rest()
    if end is None:
        assert REVEAL in cell.rest(run)
        cell.screens.clear()
        run.kill(End.TERMINATE.value)
    close(cell, run, request, end)


@pytest.mark.whole
@runs((Stop.OFTEN, Stop.ENDED), SOME_ENDS)
@moments(
    ("ListAccessKeys", 1, "before"),
    ("CreateAccessKey", 1, "before"),
    ("CreateAccessKey", 1, "after"),
)
def test_in_the_command(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    action: str,
    nth: int,
    when: str,
    how: Stop,
    end: End | None,
) -> None:
    """``keytui create``, which keeps what it has begun whatever tells it to end."""
    rest = strike(cell, run, (action, nth, when), how, end)
    cell.asked += 1
    run.start(["create", "--user", cell.user, "--store", "keyring"], cell.env)
    rest()
    close(cell, run, request, end)
    if end is None:
        assert len(cell.key_ids()) == 1


@runs(Stop, ALL_ENDS)
def test_in_the_reveal(
    cell: Cell, run: Program, request: pytest.FixtureRequest, how: Stop, end: End | None
) -> None:
    """The secret is nowhere but in keytui; what goes on has it still, and can store it."""
    cell.open(run)
    cell.ask(run, Goal.SHOW)
    assert REVEAL in cell.rest(run)
    cell.screens.clear()
    stop_and_go(run, how, end)
    if end is None:
        run.send("k")
        run.wait_for(KEPT)
        run.kill(End.TERMINATE.value)
    cell.ended(run, name(end))
    if end is not End.KILL:
        assert cell.service
        assert all(cell.service.lookup(key) for key in cell.key_ids()), "it was kept"
        assert cell.key_ids()
    close(cell, run, request, end)


@pytest.mark.whole
@runs((Stop.ONCE, Stop.ENDED), (End.HANG_UP, End.TERMINATE, End.CLOSED, None))
@pytest.mark.parametrize("place", ["keyring", "csv"])
def test_in_the_keeping(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    library: BrokenLibrary,
    place: str,
    how: Stop,
    end: End | None,
) -> None:
    """The secret is being put into a store: a keyring that gives no answer, or a file."""
    cell.env |= library.env
    cell.open(run)
    cell.ask(run, Goal.SHOW)
    cell.rest(run)
    cell.screens.clear()
    if place == "csv":
        cell.csv.append(cell.home / f"{cell.user}_accessKeys.csv")
        run.send("f")
        run.wait_for("Save a CSV file")
        run.send("\r")
    else:
        library.set(Library.HANGS)
        run.send("k")
        while "put set" not in library.calls():
            time.sleep(0.01)
        library.clear()  # Whoever asks once more gets an answer.
    stop_and_go(run, how, end)
    if end is None:
        if place == "keyring":
            run.wait_for("was given up")
            run.send("k")
        run.wait_for(KEPT)
        run.kill(End.TERMINATE.value)
    close(cell, run, request, end)
    assert cell.key_ids(), "its secret was kept"


@pytest.mark.whole
@runs((Stop.OFTEN, Stop.SUSPEND, Stop.ENDED), (End.TERMINATE, End.HANG_UP, None))
@pytest.mark.parametrize("action", ["UpdateAccessKey", "DeleteAccessKey"])
def test_in_the_rescue(
    bare: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    action: str,
    how: Stop,
    end: End | None,
) -> None:
    """The terminal is gone, there is no keyring, and the key is being deleted."""
    bare.open(run)
    bare.ask(run, Goal.SHOW)
    bare.rest(run)
    bare.screens.clear()
    rest = strike(bare, run, (action, 1, "before"), how, end)
    tell(run, End.HANG_UP)
    rest()
    bare.ended(run, name(end))
    assert not bare.key_ids(), "nobody could ever use it"
    close(bare, run, request, end)


@runs((Stop.ONCE, Stop.ENDED), SOME_ENDS)
@moments(
    ("ListAccessKeys", 1, "before"),
    ("CreateAccessKey", 1, "before"),
    ("CreateAccessKey", 1, "after"),
    ("GetCallerIdentity", 3, "after"),
    ("UpdateAccessKey", 1, "before"),
    ("UpdateAccessKey", 1, "after"),
)
def test_in_the_rotation(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    action: str,
    nth: int,
    when: str,
    how: Stop,
    end: End | None,
) -> None:
    rotating(cell)
    rest = strike(cell, run, (action, nth, when), how, end)
    rotate(cell, run)
    rest()
    cell.ended(run, name(end))
    cell.proxy.clear()
    complete(cell, request, run)


@pytest.mark.whole
@runs((Stop.ONCE, Stop.ENDED), SOME_ENDS)
@moments(
    ("ListAccessKeys", 1, "after"),
    ("GetAccessKeyLastUsed", 1, "after"),
    ("UpdateAccessKey", 1, "before"),
    ("DeleteAccessKey", 1, "before"),
    ("DeleteAccessKey", 1, "after"),
)
def test_in_the_recovery(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    action: str,
    nth: int,
    when: str,
    how: Stop,
    end: End | None,
) -> None:
    """``recover --yes`` deletes an orphan, or is gone on with by the next one."""
    cell.proxy.arrange("CreateAccessKey", LOST)
    cell.asked += 1
    create = ["create", "--user", cell.user, "--store", "keyring"]
    assert cell.source.run(create, cell.env).status == 3
    rest = strike(cell, run, (action, nth, when), how, end)
    run.start(["recover", "--yes"], cell.env)
    rest()
    close(cell, run, request, end)
    cell.settle(request, certain=True)
    assert not cell.key_ids()
