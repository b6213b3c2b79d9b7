"""The matrix, last uses: ``recover --yes`` where AWS does not say whether a key is used."""

import signal
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest

from keytui.core.model import Secret
from tests.faults.play import REVEAL, Cell, Goal
from tests.faults.program import Program, program
from tests.faults.proxy import Break, Kind
from tests.faults.rotations import PROFILE
from tests.support.moto_server import bare_client

LAST_USED = "GetAccessKeyLastUsed"
FAULTS = [
    Break(kind) for kind in (Kind.DENIED, Kind.STATUS_429, Kind.STATUS_500, Kind.RESET, Kind.PAGE)
]
HANGS = Break(Kind.HANG)


def lost_reply(cell: Cell) -> None:
    """AWS's reply is lost: certainly nobody has the secret."""
    cell.proxy.arrange("CreateAccessKey", Break(Kind.RESET, after=True))
    cell.asked += 1
    made = cell.source.run(["create", "--user", cell.user, "--store", "keyring"], cell.env)
    assert made.status == 3


def killed_reveal(cell: Cell) -> None:
    """keytui is killed with a secret that was never shown."""
    with program(cell.source, [], cell.env) as run:
        reveal(cell, run)
        cell.screens.clear()
        run.kill(signal.SIGKILL)
        run.wait_exit()


def reveal(cell: Cell, run: Program) -> None:
    run.close()
    cell.open(run)
    cell.ask(run, Goal.SHOW)
    assert REVEAL in cell.rest(run)


def named(cell: Cell) -> None:
    """An AWS profile on this machine names the key."""
    lost_reply(cell)
    folder = cell.home / ".aws"
    folder.mkdir()
    ((key_id, secret),) = cell.proxy.secrets
    text = PROFILE.format(AccessKeyId=key_id, SecretAccessKey=secret)
    (folder / "credentials").write_text(text)
    cell.csv.append(folder / "credentials")


def signs(cell: Cell) -> None:
    """The key signs keytui's own calls."""
    lost_reply(cell)
    ((key_id, secret),) = cell.proxy.secrets
    cell.env |= {"AWS_ACCESS_KEY_ID": key_id, "AWS_SECRET_ACCESS_KEY": secret}


def used(cell: Cell) -> None:
    """Somebody has used the key."""
    lost_reply(cell)
    ((key_id, secret),) = cell.proxy.secrets
    by_it = replace(cell.account.options, access_key_id=key_id, secret=Secret(secret))
    bare_client(by_it).get_user(UserName=cell.user)


USELESS = (lost_reply, killed_reveal)


CELLS = [
    *product((*USELESS, named, signs, used), FAULTS),
    (lost_reply, HANGS),  # It takes as long as keytui waits for a reply, thrice.
    (used, HANGS),
]


@pytest.mark.parametrize(
    ("kind", "what"), CELLS, ids=lambda one: str(getattr(one, "__name__", one))
)
def test_unknown_is_not_unused(
    cell: Cell, request: pytest.FixtureRequest, kind: Callable[[Cell], None], what: Break
) -> None:
    kind(cell)
    (key_id,) = cell.key_ids()
    cell.guarded.add(key_id)
    cell.proxy.arrange(LAST_USED, what, times=None)

    told = cell.recover("--yes")

    assert told.status == 3
    assert cell.key_ids() == {key_id}
    assert cell.proxy.count("UpdateAccessKey") == 0
    cell.proxy.clear()
    if kind in USELESS:
        cell.judge(request)
        cell.guarded.clear()
        cell.settle(request, certain=True)
        assert not cell.key_ids()
    else:
        assert cell.settle(request, certain=False).status == 3
        cell.judge(request)
