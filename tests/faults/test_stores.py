"""The matrix, the stores' side: a keyring or a disk that fails at each step of a creation."""

from pathlib import Path

import pytest

from keytui.stores.keyring.codes import Op
from tests.faults.disk import small_disk
from tests.faults.keyrings import BrokenLibrary, Daemon, Library, ServicePool, break_daemon
from tests.faults.play import NOWHERE, Cell, End, Goal
from tests.faults.program import Program
from tests.support.secret_service import SecretService

SLOW = {Daemon.STOPPED, Library.HANGS}
"""keytui gives up on these after 10 s, and after 5 s when the terminal is gone."""
TROUBLES = [*Daemon, *Library]


def arrange(trouble: Daemon | Library, service: SecretService, library: BrokenLibrary) -> None:
    """Let the keyring go wrong from now on."""
    if isinstance(trouble, Daemon):
        break_daemon(service, trouble)
    else:
        library.set(trouble)


def judge(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    services: ServicePool,
    library: BrokenLibrary,
) -> None:
    """Mend everything, start anew, and count what was lost."""
    library.clear()
    cell.mended(services.take())
    cell.judge(request, run)
    assert cell.proxy.count("CreateAccessKey") == cell.asked


@pytest.mark.parametrize("end", [End.KILL, End.HANG_UP, None], ids=["kill", "hang up", "csv"])
@pytest.mark.parametrize("trouble", TROUBLES, ids=str)
def test_put(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    services: ServicePool,
    library: BrokenLibrary,
    trouble: Daemon | Library,
    end: End | None,
) -> None:
    """The keyring goes wrong between its proof and the secret."""
    service = cell.service
    assert service
    if trouble in SLOW and end is End.KILL:
        end = End.CLOSED  # The same to a keyring that hangs, and it tries the 5 s.
    cell.env |= library.env
    cell.proxy.at("CreateAccessKey", when="after", call=lambda: arrange(trouble, service, library))
    cell.open(run)
    cell.ask(run)
    screen = cell.rest(run)
    assert NOWHERE in screen
    assert "✗" in screen, "the reason is told"
    if end is None:
        path = cell.home / f"{cell.user}_accessKeys.csv"
        cell.csv.append(path)
        run.send("f")
        run.wait_for("Save a CSV file")
        run.send("\r")
        run.wait_for("read back")
        end = End.KILL
    cell.end(run, end)
    judge(cell, run, request, services, library)


@pytest.mark.parametrize("trouble", [Daemon.LOCKED, Daemon.KILLED, *Library], ids=str)
def test_probe(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    services: ServicePool,
    library: BrokenLibrary,
    trouble: Daemon | Library,
) -> None:
    """It goes wrong before it is tested: no key is made."""
    service = cell.service
    assert service
    cell.env |= library.env

    def go_wrong() -> None:
        if trouble is Library.HANGS:
            break_daemon(service, Daemon.STOPPED)
        elif isinstance(trouble, Daemon):
            break_daemon(service, trouble)
        else:
            library.set(trouble, Op.CANARY)

    cell.proxy.at("ListAccessKeys", when="after", call=go_wrong)
    run.start(["create", "--user", cell.user, "--store", "keyring"], cell.env)
    made = trouble in {Library.RAISES_AFTER, Library.DIES_AFTER}
    cell.asked += cell.ended(run) == 0
    if not made:
        assert cell.proxy.count("CreateAccessKey") == cell.asked == 0
        assert not cell.key_ids()
    library.clear()
    cell.mended(services.take())
    cell.judge(request, run)


@pytest.mark.parametrize("trouble", [Daemon.LOCKED, Daemon.KILLED], ids=str)
def test_fresh_probe(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    services: ServicePool,
    library: BrokenLibrary,
    trouble: Daemon,
) -> None:
    """It goes wrong right after the dialog's test, which counts: the secret stays in the reveal."""
    service = cell.service
    assert service
    cell.open(run)
    cell.choose(run)
    cell.proxy.at("ListAccessKeys", when="after", call=lambda: break_daemon(service, trouble))
    cell.confirm(run)
    assert NOWHERE in cell.rest(run)
    cell.end(run, End.KILL)
    judge(cell, run, request, services, library)


@pytest.mark.parametrize("end", [End.KILL, End.HANG_UP], ids=["kill", "hang up"])
@pytest.mark.parametrize("moment", ["before the request", "after the reply"])
@pytest.mark.parametrize("goal", [Goal.KEYRING, Goal.SHOW], ids=["keyring", "show"])
def test_full_disk(
    cell: Cell,
    run: Program,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    goal: Goal,
    moment: str,
    end: End,
) -> None:
    """The disk of keytui's record is full from then on."""
    with small_disk(tmp_path / "state") as disk:
        cell.env["XDG_STATE_HOME"] = str(disk.path)
        cell.folders.append(disk.path)
        journal = disk.path / "keytui" / "journal.jsonl"
        fill = lambda: disk.fill(journal if journal.exists() else None)  # noqa: E731
        cell.open(run)
        cell.choose(run, goal)
        if moment == "before the request":
            cell.proxy.at("ListAccessKeys", when="after", call=fill)
        else:
            cell.proxy.at("CreateAccessKey", when="after", call=fill)
        cell.confirm(run)
        screen = cell.rest(run)
        if moment == "before the request":
            assert "can't write its record" in screen
            assert cell.proxy.count("CreateAccessKey") == 0
            cell.asked = 0
        cell.end(run, end)
        disk.free()
        cell.judge(request, run)


@pytest.mark.parametrize("end", [End.KILL, End.HANG_UP], ids=["kill", "hang up"])
def test_full_csv_disk(cell: Cell, run: Program, request: pytest.FixtureRequest, end: End) -> None:
    """The disk of the CSV file is full once the key is made: the secret stays in the reveal."""
    with small_disk(cell.home / "disk") as disk:
        path = disk.path / "key.csv"
        cell.csv.append(path)
        cell.open(run)
        cell.ask(run, Goal.SHOW)
        cell.rest(run)
        disk.fill()
        run.send("f")
        run.wait_for("Save a CSV file")
        run.send("\x01\x0b" + str(path))
        run.wait_for(str(path))
        run.send("\r")
        run.wait_for("is full")
        cell.screens.append(run.wait_for(NOWHERE))
        cell.end(run, end)
        disk.free()
        cell.judge(request, run)
