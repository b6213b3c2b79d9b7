"""``keytui create``: the secret is kept, or the key is gone again; it is printed on demand only."""

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from keytui.cli.commands import create as command
from keytui.core.errors import QuotaError, ReadOnlyError, StoreError, UsageError
from keytui.core.model import NewAccessKey, User
from keytui.journal.log import Event
from keytui.stores.base import Receipt
from tests.support.app import CsvFile, Desk, an_account, only_key
from tests.support.commands import run_command
from tests.support.sentinel import SENTINEL

CREATE = ("create", "--user", "carol", "--store")
FULL = StoreError("The disk is full.")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path, an_account())
    desk.iam.next_secret = SENTINEL
    return desk


def events(desk: Desk) -> list[Event]:
    return [entry.event for entry in desk.journal.entries()]


def test_secret_is_kept_and_not_printed(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(desk, *CREATE, "keyring", "--description", "build 7") == 0
    key = only_key(desk, "carol")
    said = capsys.readouterr()
    assert said.out == (
        f"{key.id} of carol is made. Its secret is in the OS keyring (Secret Service), read back.\n"
    )
    assert desk.keyring.kept[key.id].reveal() == SENTINEL
    assert SENTINEL not in said.out + said.err
    assert desk.iam.descriptions(User("carol")) == {key.id: "build 7"}
    assert events(desk) == [Event.CREATING, Event.CREATED, Event.STORING, Event.STORED]


def test_file_and_json(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(desk, *CREATE, "csv:keys.csv", "--json") == 0
    key = only_key(desk, "carol")
    out = capsys.readouterr().out
    assert SENTINEL not in out
    assert json.loads(out) == {
        "key_id": key.id,
        "user": "carol",
        "account": "123456789012",
        "action": "create",
        "reason": "",
        "result": "done",
        "status": "Active",
        "store": "csv",
        "where": "keys.csv",
        "warnings": [],
    }
    assert desk.files["keys.csv"].kept[key.id].reveal() == SENTINEL


@pytest.mark.parametrize("as_json", [True, False])
def test_secret_is_printed_where_that_is_asked_for(
    as_json: bool, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--show-secret", *(["--json"] if as_json else [])]
    assert run_command(desk, *CREATE, "keyring", *flags) == 0
    out = capsys.readouterr().out
    if as_json:
        assert json.loads(out)["secret_access_key"] == SENTINEL
    assert out.count(SENTINEL) == 1
    assert Event.SHOWN in events(desk)


def test_store_that_fails_after_all_is_replaced_by_the_keyring(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.files["a.csv"] = CsvFile("a.csv")
    desk.files["a.csv"].fails_at_put = FULL
    assert run_command(desk, *CREATE, "csv:a.csv", "--json") == 1
    key = only_key(desk, "carol")
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert (told["result"], told["status"], told["store"]) == ("failed", "Active", "keyring")
    assert desk.keyring.kept[key.id].reveal() == SENTINEL
    assert "The disk is full." in said.err
    assert f"The secret of {key.id} is in: OS keyring" in said.err


def test_key_whose_secret_can_be_kept_nowhere_is_deleted(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.keyring.fails_at_put = FULL
    assert run_command(desk, *CREATE, "keyring") == 1
    assert desk.held("carol") == {}
    said = capsys.readouterr()
    assert "was deleted again: its secret could not be kept." in said.err
    assert SENTINEL not in said.out + said.err


def test_secret_that_is_printed_needs_no_other_place(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.keyring.fails_at_put = FULL
    assert run_command(desk, *CREATE, "keyring", "--show-secret") == 1
    said = capsys.readouterr()
    assert SENTINEL in said.out
    assert "The disk is full." in said.err
    assert len(desk.held("carol")) == 1
    assert events(desk)[-1] is Event.UNKEPT


def test_secret_that_could_not_be_printed_is_not_lost(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.files["a.csv"] = CsvFile("a.csv")
    desk.files["a.csv"].fails_at_put = FULL
    monkeypatch.setattr(command, "show_secret", lambda *_, **__: False)
    assert run_command(desk, *CREATE, "csv:a.csv", "--show-secret") == 1
    assert desk.keyring.kept[only_key(desk, "carol").id].reveal() == SENTINEL


def test_store_that_can_not_be_written_makes_no_key(desk: Desk) -> None:
    desk.keyring.trouble = StoreError("The keyring is locked.")
    with pytest.raises(StoreError, match="locked"):
        run_command(desk, *CREATE, "keyring")
    assert desk.iam.mutations == []


def test_two_keys_are_said_with_which_could_go(desk: Desk) -> None:
    with pytest.raises(QuotaError, match="could go"):
        run_command(desk, "create", "--user", "alice", "--store", "keyring")
    assert desk.iam.mutations == []


def test_read_only_and_descriptions_are_refused(desk: Desk) -> None:
    with pytest.raises(ReadOnlyError):
        run_command(desk, *CREATE, "keyring", "--read-only")
    with pytest.raises(UsageError, match="A description takes"):
        run_command(desk, *CREATE, "keyring", "--description", "a;b")
    assert desk.iam.mutations == []


def test_description_that_may_not_be_set_is_a_warning(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.iam.deny.add("iam:TagUser")
    assert run_command(desk, *CREATE, "keyring", "--description", "x", "--json") == 0
    said = capsys.readouterr()
    assert "iam:TagUser is denied" in said.err
    assert "iam:TagUser is denied" in json.loads(said.out)["warnings"][0]


def test_lost_reply_is_looked_into(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.iam.lose_reply = True
    assert run_command(desk, *CREATE, "keyring", "--json") == 3
    key = only_key(desk, "carol")
    said = capsys.readouterr()
    told = json.loads(said.out)
    assert (told["result"], told["key_id"]) == ("open", key.id)
    assert f"AWS made {key.id} for carol, but its secret did not arrive." in said.err
    assert "keytui recover" in said.err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_waits_until_the_secret_is_kept(
    number: signal.Signals, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, put = signal.getsignal(number), desk.keyring.put

    def killed(new: NewAccessKey) -> Receipt:
        os.kill(os.getpid(), number)
        return put(new)

    monkeypatch.setattr(desk.keyring, "put", killed)
    assert run_command(desk, *CREATE, "keyring") == 128 + number
    assert desk.keyring.kept[only_key(desk, "carol").id].reveal() == SENTINEL
    assert signal.getsignal(number) is before


def test_signal_before_aws_is_asked_makes_no_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    probe = desk.keyring.probe

    def killed():  # type: ignore[no-untyped-def]
        os.kill(os.getpid(), signal.SIGTERM)
        return probe()

    monkeypatch.setattr(desk.keyring, "probe", killed)
    assert run_command(desk, *CREATE, "keyring") == 128 + signal.SIGTERM
    assert desk.iam.mutations == []
    assert "keytui was stopped. No key was made." in capsys.readouterr().err


def test_fault_of_the_program_loses_no_secret(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> int:
        raise ZeroDivisionError

    desk.files["a.csv"] = CsvFile("a.csv")
    desk.files["a.csv"].fails_at_put = FULL
    monkeypatch.setattr(command._Creation, "_told", broken)
    with pytest.raises(ZeroDivisionError):
        run_command(desk, *CREATE, "csv:a.csv")
    assert desk.keyring.kept[only_key(desk, "carol").id].reveal() == SENTINEL


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_key_is_deleted_if_its_secret_is_not_stored_or_shown(
    flags: list[str],
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    desk.keyring.fails_at_put = FULL
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert run_command(desk, *CREATE, "keyring", "--show-secret", *flags) == 1
        monkeypatch.undo()
    assert desk.held("carol") == {}
    assert events(desk)[-2:] == [Event.DISCARDED, Event.DELETED]
    assert "The disk is full. Standard output did not take the secret." in capsys.readouterr().err


def test_secret_that_is_stored_but_not_read_fails(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with Path("/dev/null").open("w") as nowhere:
        monkeypatch.setattr(sys, "stdout", nowhere)
        assert run_command(desk, *CREATE, "keyring", "--show-secret") == 1
        monkeypatch.undo()
    assert desk.keyring.kept[only_key(desk, "carol").id].reveal() == SENTINEL
    said = capsys.readouterr().err
    assert "Standard output did not take the secret. It is in the OS keyring" in said
