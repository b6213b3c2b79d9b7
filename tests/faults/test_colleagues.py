"""The matrix, colleagues: somebody else creates a key for the same user, in every window.

keytui is killed, or AWS's reply is lost, and the request has reached AWS or not. Whatever
``recover --yes`` finds then, the colleague's key stays as it is.
"""

import json
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from itertools import product

import pytest

from tests.faults.play import Cell, Goal
from tests.faults.program import Program
from tests.faults.proxy import Break, Kind
from tests.faults.rotations import rotate, rotating

CREATE = "CreateAccessKey"
UNSENT = Break(Kind.RESET, after=False)
LATER = timedelta(seconds=25)
Route = Callable[[Cell, Program], None]


class Cut(Enum):
    """What cuts the creation short."""

    KILLED_UNSENT = "killed, and the request never reaches AWS"
    KILLED_SENT = "killed, and AWS does the work"
    LOST_UNSENT = "the connection is reset before AWS does the work"
    LOST_SENT = "the connection is reset after AWS did the work"


class Window(Enum):
    """When the colleague's key is created."""

    BEFORE = "after the keys were listed, before the request"
    DURING = "during the request"
    AFTER = "right after keytui has ended"
    LATER = "25 s after keytui has ended"


def on_screen(cell: Cell, run: Program) -> None:
    """The secret is only to be shown: it may be in no store."""
    cell.open(run)
    cell.choose(run, Goal.SHOW)
    cell.confirm(run)


def by_command(cell: Cell, run: Program) -> None:
    cell.asked += 1
    run.start(["create", "--user", cell.user, "--store", "keyring"], cell.env)


def by_rotation(cell: Cell, run: Program) -> None:
    rotating(cell)
    rotate(cell, run)


def in_the_same_moment(cut: Cut, window: Window, route: Route) -> bool:
    """Return whether nothing tells the colleague's key from keytui's own.

    The reply is lost, and AWS made no key for keytui: the request never arrived, or the
    colleague's key was the user's second. SECURITY.md names it among what can't be promised.
    """
    lost_at_the_limit = (cut, window) == (Cut.LOST_SENT, Window.DURING) and route is by_rotation
    return lost_at_the_limit or (
        cut is Cut.LOST_UNSENT and window in {Window.BEFORE, Window.DURING}
    )


def has_room(cut: Cut, window: Window, route: Route) -> bool:
    """Return whether AWS lets somebody else create a key then: a user has two at most.

    A rotation whose request was lost on its way asks once more by itself.
    """
    too_late = window in {Window.AFTER, Window.LATER} and cut is not Cut.KILLED_UNSENT
    return not (route is by_rotation and too_late)


ROUTES = (on_screen, by_command, by_rotation)
ALL = [
    one for one in product(Cut, Window, ROUTES) if has_room(*one) and not in_the_same_moment(*one)
]


@pytest.mark.parametrize(
    ("cut", "window", "route"),
    ALL,
    ids=lambda one: (one.name if isinstance(one, Enum) else one.__name__).lower(),
)
def test_colleagues_key_is_left(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    cut: Cut,
    window: Window,
    route: Route,
) -> None:
    match window:
        case Window.BEFORE:
            # The keys are listed last in "before"; whoever lists them again sees one more.
            last = 1 if route is not by_rotation else 2
            cell.proxy.at("ListAccessKeys", last, when="after", call=lambda: colleague(cell))
        case Window.DURING:
            cell.proxy.at(CREATE, when="before", call=lambda: colleague(cell))
    cut_short(cell, run, cut)
    route(cell, run)
    if route is on_screen and cut in {Cut.LOST_SENT, Cut.LOST_UNSENT}:
        cell.rest(run)
        cell.screens.clear()
        run.kill()
    cell.ended(run)
    if cut is Cut.KILLED_SENT:
        cell.proxy.wait_answered(CREATE)
    cell.proxy.clear()
    if window is Window.LATER:
        grow_older(cell)
    if window in {Window.AFTER, Window.LATER}:
        colleague(cell)
    assert cell.others

    cell.judge(request, run)
    cell.settle(request, certain=False)
    cell.settle(request, certain=False)


def cut_short(cell: Cell, run: Program, cut: Cut) -> None:
    """Arrange what happens to the request."""
    if cut in {Cut.KILLED_SENT, Cut.KILLED_UNSENT}:
        cell.proxy.at(CREATE, when="before", call=lambda: run.kill(signal.SIGKILL))
    if cut in {Cut.KILLED_UNSENT, Cut.LOST_UNSENT}:
        cell.proxy.arrange(CREATE, UNSENT)
    elif cut is Cut.LOST_SENT:
        cell.proxy.arrange(CREATE, Break(Kind.RESET, after=True))


def colleague(cell: Cell) -> None:
    """Create a key for the user by other means, unless they have two."""
    if len(cell.key_ids()) < 2:
        made = cell.account.iam.create_access_key(UserName=cell.user)["AccessKey"]
        cell.others.add(made["AccessKeyId"])


def grow_older(cell: Cell) -> None:
    """Let all that the journal tells of have happened 25 s earlier."""
    journal = cell.home / ".local/state/keytui/journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for line in lines:
        for name in ("at", "asked"):
            if line.get(name):
                line[name] = (datetime.fromisoformat(line[name]) - LATER).isoformat()
    journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
