"""The matrix, a full disk: keytui's record gets no room, from each of its lines on.

What is saved stays saved, wherever its file is moved to, and its key is not deleted; what was
cut short is completed once there is room again.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.disk import SmallDisk, small_disk
from tests.faults.play import Cell, End, Goal
from tests.faults.program import Program
from tests.faults.proxy import Break, Kind
from tests.faults.rotations import complete, rotate, rotating

LOST = Break(Kind.RESET, after=True)
ROOM = (0, 150, 350, 500, 700, 900)
"""Bytes that are left: a line has about 300. It is torn, or the next one is."""


@pytest.fixture
def disk(cell: Cell, tmp_path: Path) -> Iterator[SmallDisk]:
    """The disk that keytui's record is on."""
    with small_disk(tmp_path / "state") as mounted:
        cell.env["XDG_STATE_HOME"] = str(mounted.path)
        cell.folders.append(mounted.path)
        yield mounted


def fill(disk: SmallDisk, room: int) -> None:
    journal = disk.path / "keytui" / "journal.jsonl"
    disk.fill(journal if journal.exists() else None, room)


def judge(
    cell: Cell, request: pytest.FixtureRequest, disk: SmallDisk, run: Program | None = None
) -> None:
    """Make room, move what was saved, start anew, and count what was lost.

    ``recover --yes`` deletes none of these keys.
    """
    disk.free()
    cell.proxy.clear()
    for number, path in enumerate(cell.csv):
        if path.exists():
            cell.csv[number] = path.rename(cell.home / "moved.csv")
    cell.guarded |= cell.key_ids()
    cell.judge(request, run)
    cell.settle(request, certain=False)


@pytest.mark.parametrize("room", ROOM)
@pytest.mark.parametrize("place", ["csv", "keyring"])
def test_create(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    disk: SmallDisk,
    place: str,
    room: int,
) -> None:
    cell.proxy.at("CreateAccessKey", when="before", call=lambda: fill(disk, room))
    cell.csv.append(cell.home / "new.csv")
    store = place if place == "keyring" else f"csv:{cell.csv[0]}"
    cell.asked += 1
    run.start(["create", "--user", cell.user, "--store", store], cell.env)
    assert cell.ended(run) in {0, 3}
    assert len(cell.key_ids()) == 1
    judge(cell, request, disk, run)


@pytest.mark.whole
@pytest.mark.parametrize("end", [End.KILL, End.HANG_UP], ids=lambda end: end.name.lower())
@pytest.mark.parametrize("room", ROOM[:4])
@pytest.mark.parametrize("place", ["csv", "keyring"])
def test_keep(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    disk: SmallDisk,
    place: str,
    room: int,
    end: End,
) -> None:
    """The secret is in the reveal alone when the disk is full, and is then saved."""
    cell.open(run)
    cell.ask(run, Goal.SHOW)
    cell.rest(run)
    cell.screens.clear()
    fill(disk, room)
    if place == "csv":
        cell.csv.append(cell.home / f"{cell.user}_accessKeys.csv")
        run.send("f")
        run.wait_for("Save a CSV file")
        run.send("\r")
    else:
        run.send("k")
    run.wait_for("read back")
    cell.end(run, end)
    assert len(cell.key_ids()) == 1
    judge(cell, request, disk, run)


@pytest.mark.parametrize(
    ("action", "nth", "room"),
    [
        *(("UpdateAccessKey", 1, room) for room in ROOM[:3]),
        *(("CreateAccessKey", 1, room) for room in (*ROOM, 1200, 1600)),
        *(("ListAccessKeys", 1, room) for room in ROOM[:3]),
    ],
)
def test_rotate(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    disk: SmallDisk,
    action: str,
    nth: int,
    room: int,
) -> None:
    rotating(cell)
    cell.proxy.at(action, nth, when="before", call=lambda: fill(disk, room))
    rotate(cell, run)
    cell.ended(run)
    disk.free()
    cell.proxy.clear()
    complete(cell, request, run)


@pytest.mark.whole
@pytest.mark.parametrize("room", ROOM[:4])
@pytest.mark.parametrize("action", ["ListAccessKeys", "GetAccessKeyLastUsed", "DeleteAccessKey"])
def test_recover(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    disk: SmallDisk,
    action: str,
    room: int,
) -> None:
    cell.proxy.arrange("CreateAccessKey", LOST)
    cell.asked += 1
    create = ["create", "--user", cell.user, "--store", "keyring"]
    assert cell.source.run(create, cell.env).status == 3
    cell.proxy.at(action, when="before", call=lambda: fill(disk, room))
    run.start(["recover", "--yes"], cell.env)
    cell.ended(run)
    disk.free()
    cell.proxy.clear()
    cell.judge(request, run)
    cell.settle(request, certain=True)
    assert not cell.key_ids()
