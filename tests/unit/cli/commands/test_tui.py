"""What is done with an unkept secret when the screen is gone."""

from collections.abc import Callable
from threading import Lock
from types import SimpleNamespace
from typing import cast

import pytest

from keytui.cli.commands import tui as screen
from keytui.keys.outcomes import Custody
from keytui.stores.base import Receipt, SecretStore
from keytui.stores.keyring.os_keyring import OsKeyring
from tests.support.gates import WRITABLE
from tests.support.sentinel import SENTINEL, new_key

RESCUED = "It is rescued."


class Rescuer:
    """Notes the stores that secrets are rescued into."""

    def __init__(self) -> None:
        self.stores: list[OsKeyring] = []

    def rescue(self, custody: Custody, store: SecretStore, stopped: Callable[[], bool]) -> str:
        assert not stopped()
        self.stores.append(cast("OsKeyring", store))
        return RESCUED


def rescued(custody: Custody | None) -> list[OsKeyring]:
    rescuer = Rescuer()
    account = SimpleNamespace(lifecycle=rescuer)
    ctx = SimpleNamespace(keyring=OsKeyring(gate=WRITABLE))
    stage = SimpleNamespace(custody=custody, creating=Lock(), account=account, ctx=ctx)
    main = SimpleNamespace(stage=stage)
    job = SimpleNamespace(continuations=0)
    screen._rescue(SimpleNamespace(main=main, job=job))  # type: ignore[arg-type]
    return rescuer.stores


def test_unkept_secret_goes_to_a_keyring_that_has_five_seconds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (store,) = rescued(Custody(new_key(), "abc"))

    assert store._timeout == screen.RESCUE_SECONDS == 5
    printed = capsys.readouterr()
    assert printed.err == f"keytui: {RESCUED}\n"
    assert SENTINEL not in printed.out + printed.err


@pytest.mark.parametrize(
    "custody",
    [
        None,
        Custody(new_key(), "abc", receipts=[Receipt("csv", "/a.csv")]),
        Custody(new_key(), "abc", discarded=True),
    ],
    ids=["none", "kept", "discarded"],
)
def test_what_is_kept_or_gone_is_left_alone(custody: Custody | None) -> None:
    assert rescued(custody) == []
