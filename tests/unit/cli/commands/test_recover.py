"""``keytui recover``: what it prints and asks for each interrupted key creation."""

from dataclasses import replace
from pathlib import Path

import pytest

from keytui.cli.commands import recover as command
from keytui.core.model import KeyStatus, LastUsed, User
from keytui.core.port import run_now
from keytui.session.settings import Settings
from tests.support.app import Desk, an_account, an_orphan, parts_of
from tests.support.fake_iam import START
from tests.support.keyboard import at_a_terminal

OTHER_ID = "AKIASOMEBODYELSES001"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, an_account())


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is typed on a terminal, in order."""
    return at_a_terminal(command, monkeypatch)


def recover(desk: Desk, *, yes: bool = False, read_only: bool = False) -> int:
    return command.recover(parts_of(desk, Settings(read_only=read_only)), yes=yes)


def useless(desk: Desk) -> str:
    """Make a key that certainly nobody can use; return its ID."""
    return an_orphan(desk)[1].id


def doubtful(desk: Desk) -> str:
    """Make a key that somebody may use; return its ID."""
    key_id = useless(desk)
    desk.iam.deny = {"iam:GetAccessKeyLastUsed"}
    return key_id


def in_use(desk: Desk) -> str:
    """Make a key that somebody uses; return its ID."""
    key_id = useless(desk)
    desk.iam._uses[key_id] = LastUsed(START, "s3", "eu-west-1")
    return key_id


def stays(desk: Desk, key_id: str) -> bool:
    return desk.held("carol")[key_id] is KeyStatus.ACTIVE and not desk.iam.mutations


def told(key_id: str, advice: str, *more: str) -> str:
    """Return what is printed of carol's key."""
    first = f"AWS made {key_id} for carol, but its secret did not arrive. {advice}"
    return "".join(f"{line}\n" for line in (first, *more))


def times(key_id: str) -> str:
    at = "2026-01-15 09:00:00 UTC"
    return f"keytui asked for a key at {at}; AWS created {key_id} at {at}."


USELESS = "Nobody can use it."
IN_USE = "It was used at 2026-01-15 09:00:00 UTC: somebody has its secret."
DOUBTFUL = (
    "When it was last used is unknown: You may not do this: iam:GetAccessKeyLastUsed is denied."
)


# Nobody can be asked.


def test_useless_key_takes_the_flag(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    key_id = useless(desk)

    assert recover(desk) == 3
    assert capsys.readouterr().out == told(
        key_id, USELESS, f"{key_id} stays: keytui recover --yes deletes it."
    )
    assert stays(desk, key_id)

    assert recover(desk, yes=True) == 0
    assert capsys.readouterr().out == told(key_id, USELESS, f"{key_id} is deleted.")
    assert desk.held("carol") == {}


@pytest.mark.parametrize("yes", [False, True], ids=["no flag", "--yes"])
def test_doubtful_key_stays_whatever_the_flag(
    desk: Desk, capsys: pytest.CaptureFixture[str], yes: bool
) -> None:
    key_id = doubtful(desk)

    assert recover(desk, yes=yes) == 3

    kept = f"{key_id} stays: H in keytui offers to delete it."
    assert capsys.readouterr().out == told(key_id, DOUBTFUL, times(key_id), kept)
    assert stays(desk, key_id)


def test_confirmation_is_never_given_by_the_flag(desk: Desk, typed: list[str]) -> None:
    """The driver may ask for it, even where a terminal could answer."""
    key_id = doubtful(desk)
    typed.append(key_id[-4:])
    (key,) = desk.iam.held(desk.iam.find("carol"))

    assert not run_now(command.ConsoleRecovery(yes=True).confirm_last_four(key))

    assert typed == [key_id[-4:]]


def test_read_only_mode_says_why_a_key_stays(
    desk: Desk, capsys: pytest.CaptureFixture[str], typed: list[str]
) -> None:
    key_id = useless(desk)

    assert recover(desk, read_only=True) == 3

    out = capsys.readouterr().out
    assert out.startswith(told(key_id, USELESS) + f"{key_id} stays. keytui is in read-only mode.")
    assert stays(desk, key_id)


def test_failed_deletion_is_reported_and_the_next_key_examined(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    key_id, (_, other) = useless(desk), an_orphan(desk, "team-one")
    desk.iam.deny = {"iam:UpdateAccessKey"}

    assert recover(desk, yes=True) == 3

    said = capsys.readouterr()
    failures = said.err.splitlines()
    assert [line.partition(" could not be deleted. ")[0] for line in failures] == [
        f"keytui: {other.id}",
        f"keytui: {key_id}",
    ]
    assert "is deleted" not in said.out


# On a terminal.


@pytest.mark.parametrize("answer", ["", "y"])
def test_useless_key_is_deleted_by_enter_or_yes(
    desk: Desk, capsys: pytest.CaptureFixture[str], typed: list[str], answer: str
) -> None:
    key_id = useless(desk)
    typed.append(answer)

    assert recover(desk) == 0

    assert f"Delete {key_id}? [Y/n]" in capsys.readouterr().out
    assert desk.held("carol") == {}


@pytest.mark.parametrize("answers", [["n"], ["x"], []], ids=["n", "x", "end of input"])
def test_useless_key_stays_by_any_other_answer(
    desk: Desk, capsys: pytest.CaptureFixture[str], typed: list[str], answers: list[str]
) -> None:
    key_id = useless(desk)
    typed += answers

    assert recover(desk) == 3

    assert capsys.readouterr().out.endswith(f"{key_id} stays.\n")
    assert stays(desk, key_id)


@pytest.mark.parametrize("answer", ["", "y", "wxyz"])
def test_doubtful_key_stays_without_its_last_four(
    desk: Desk, capsys: pytest.CaptureFixture[str], typed: list[str], answer: str
) -> None:
    key_id = doubtful(desk)
    typed.append(answer)

    assert recover(desk) == 3

    asked = f"Delete {key_id}? Type the last four characters of its ID: {key_id} stays."
    assert capsys.readouterr().out == told(key_id, DOUBTFUL, times(key_id), asked)
    assert (stays(desk, key_id), typed) == (True, [])


def test_doubtful_key_is_deleted_by_its_last_four(desk: Desk, typed: list[str]) -> None:
    typed.append(doubtful(desk)[-4:])

    assert recover(desk) == 0

    assert (desk.held("carol"), typed) == ({}, [])


def test_last_four_are_accepted_in_lower_case(desk: Desk, typed: list[str]) -> None:
    typed += ["wxyz", "xwyz"]
    (key,) = [replace(key, id="AKIAFAKE00000000WXYZ") for key in desk.iam.held(User("bob"))]
    port = command.ConsoleRecovery(yes=False)

    assert [run_now(port.confirm_last_four(key)) for _ in range(2)] == [True, False]


def test_key_in_use_is_never_asked_about(
    desk: Desk, capsys: pytest.CaptureFixture[str], typed: list[str]
) -> None:
    key_id = in_use(desk)
    typed.append(key_id[-4:])

    assert recover(desk) == 3

    kept = f"{key_id} stays: if it is of no use, keytui delete {key_id} deletes it as any other key"
    assert capsys.readouterr().out == told(key_id, IN_USE, times(key_id), f"{kept}.")
    assert (stays(desk, key_id), typed) == (True, [key_id[-4:]])


@pytest.mark.parametrize("read_only", [False, True], ids=["writable", "read-only"])
def test_ambiguous_keys_are_shown_and_never_asked_about(
    desk: Desk, capsys: pytest.CaptureFixture[str], typed: list[str], read_only: bool
) -> None:
    useless(desk)
    desk.iam.add_key(desk.iam.find("carol"), OTHER_ID, created=START)
    typed.append("y")

    assert recover(desk, read_only=read_only) == 3

    (line,) = capsys.readouterr().out.splitlines()
    assert line.endswith("the secret of the other is lost. keytui deletes neither by itself.")
    assert (len(desk.held("carol")), desk.iam.mutations, typed) == (2, [], ["y"])
