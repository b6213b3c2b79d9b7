"""``keytui deactivate``, ``activate``, ``delete``: guards, what is said, and exit statuses."""

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from keytui.cli.commands import change as command
from keytui.core.errors import ReadOnlyError, ThrottledError, UsageError
from keytui.core.model import AccessKey, KeyStatus, User
from keytui.journal.log import Event
from tests.support.app import ACTIVE_ID, BOB_ID, INACTIVE_ID, OWN_ID, Desk, an_account
from tests.support.commands import run_command
from tests.support.keyboard import at_a_terminal

ACTIVE, INACTIVE = KeyStatus.ACTIVE, KeyStatus.INACTIVE
UNKNOWN_ID = "AKIAIOSFODNN7EXAMPLE"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, an_account())


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is typed on a terminal, in order."""
    return at_a_terminal(command, monkeypatch)


def status(desk: Desk, key_id: str) -> KeyStatus | None:
    """Return the status that AWS has for a key; None where it is gone."""
    for name in ("admin", "alice", "bob"):
        if key_id in desk.held(name):
            return desk.held(name)[key_id]
    return None


def test_key_in_a_log_line_is_made_inactive_and_written_down(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    line = f'2026-01-15 ERROR leaked: "accessKeyId": "{ACTIVE_ID}" (again {ACTIVE_ID})'

    assert run_command(desk, "deactivate", line) == 0

    assert status(desk, ACTIVE_ID) is INACTIVE
    assert capsys.readouterr().out == f"{ACTIVE_ID} of alice is inactive.\n"
    (entry,) = desk.journal.entries()
    assert (entry.event, entry.key_id, entry.detail) == (Event.STATUS, ACTIVE_ID, "Inactive")
    assert desk.iam.count("iam:ListUsers") == 0


def test_what_is_so_already_is_done(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(desk, "deactivate", INACTIVE_ID) == 0
    assert run_command(desk, "activate", ACTIVE_ID, "--yes") == 0
    said = capsys.readouterr().out
    assert f"{INACTIVE_ID} of alice is inactive already." in said
    assert f"{ACTIVE_ID} of alice is active already." in said
    assert desk.iam.mutations == []


def test_guard_that_asks_leaves_its_key_and_does_the_others(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(desk, "deactivate", BOB_ID, ACTIVE_ID) == 3
    assert (status(desk, BOB_ID), status(desk, ACTIVE_ID)) == (ACTIVE, INACTIVE)
    errors = capsys.readouterr().err
    assert f"{BOB_ID} of bob stays active: It was used in the last 24 hours" in errors
    assert "--yes makes it inactive all the same." in errors

    assert run_command(desk, "deactivate", BOB_ID, "--yes") == 0
    assert status(desk, BOB_ID) is INACTIVE


def test_own_key_takes_more_than_yes(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(desk, "deactivate", OWN_ID, ACTIVE_ID, "--yes") == 3
    assert (status(desk, OWN_ID), status(desk, ACTIVE_ID)) == (ACTIVE, INACTIVE)
    assert "--yes with --own-key makes it inactive all the same." in capsys.readouterr().err

    assert run_command(desk, "deactivate", OWN_ID, "--own-key") == 3
    assert status(desk, OWN_ID) is ACTIVE
    assert run_command(desk, "deactivate", OWN_ID, "--yes", "--own-key") == 0
    assert status(desk, OWN_ID) is INACTIVE


def test_keys_are_made_active_again(desk: Desk) -> None:
    assert run_command(desk, "activate", INACTIVE_ID) == 0
    assert status(desk, INACTIVE_ID) is ACTIVE


def test_deleting_always_takes_a_word(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(desk, "delete", INACTIVE_ID) == 3
    assert "--yes deletes it all the same." in capsys.readouterr().err
    assert status(desk, INACTIVE_ID) is INACTIVE

    assert run_command(desk, "delete", INACTIVE_ID, "--yes") == 0
    assert status(desk, INACTIVE_ID) is None
    assert capsys.readouterr().out == f"{INACTIVE_ID} of alice is deleted.\n"
    assert desk.iam.descriptions(desk.iam.find("alice")) == {}, "its description goes with it"


def test_active_key_is_not_deleted(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_command(desk, "delete", ACTIVE_ID, "--yes") == 1
    assert status(desk, ACTIVE_ID) is ACTIVE
    assert "only an inactive key can be deleted" in capsys.readouterr().err


def test_one_failure_does_not_stop_the_others(
    desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    desk.iam.elsewhere[UNKNOWN_ID] = "999999999999"
    assert run_command(desk, "deactivate", UNKNOWN_ID, ACTIVE_ID) == 1
    said = capsys.readouterr()
    assert f"{UNKNOWN_ID} belongs to the account 999999999999" in said.err
    assert said.out == f"{ACTIVE_ID} of alice is inactive.\n"


def test_refusal_of_aws_is_told(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    desk.iam.deny.add("iam:UpdateAccessKey")
    assert run_command(desk, "deactivate", ACTIVE_ID) == 1
    assert "iam:UpdateAccessKey is denied. Nothing was changed." in capsys.readouterr().err
    desk.iam.errors["iam:GetAccessKeyLastUsed"] = ThrottledError("AWS asks for fewer calls.")
    assert run_command(desk, "deactivate", ACTIVE_ID) == 1
    assert status(desk, ACTIVE_ID) is ACTIVE


def test_read_only_refuses_all(desk: Desk) -> None:
    for verb in ("deactivate", "activate", "delete"):
        with pytest.raises(ReadOnlyError):
            run_command(desk, verb, ACTIVE_ID, "--read-only", "--yes")
    assert desk.iam.mutations == []


def test_text_without_an_id(desk: Desk) -> None:
    with pytest.raises(UsageError, match="No access key ID is in that text"):
        run_command(desk, "deactivate", "nothing here")
    assert desk.connected == []


def test_json_has_an_object_for_each_key(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    ids = [UNKNOWN_ID, BOB_ID, INACTIVE_ID, ACTIVE_ID]
    assert run_command(desk, "deactivate", *ids, "--json") == 1
    told: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    assert [one["key_id"] for one in told] == ids
    assert [one["result"] for one in told] == ["failed", "left", "unchanged", "done"]
    assert [one["status"] for one in told] == [None, "Active", "Inactive", "Inactive"]
    assert told[1] | {"reason": ""} == {
        "key_id": BOB_ID,
        "user": "bob",
        "account": "123456789012",
        "action": "deactivate",
        "result": "left",
        "status": "Active",
        "concern": "used_recently",
        "reason": "",
    }
    assert "--yes" in told[1]["reason"]


def test_json_asks_nothing(desk: Desk, typed: list[str]) -> None:
    assert run_command(desk, "deactivate", BOB_ID, "--json") == 3
    assert typed == []


def test_on_a_terminal_one_harmless_key_is_done_at_once(
    desk: Desk, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(desk, "deactivate", ACTIVE_ID) == 0
    assert typed == []
    assert f"keytui activate {ACTIVE_ID} undoes it." in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "after"), [("", ACTIVE), ("n", ACTIVE), ("y", INACTIVE)])
def test_on_a_terminal_a_guard_asks(
    answer: str,
    after: KeyStatus,
    desk: Desk,
    typed: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    typed.append(answer)
    assert run_command(desk, "deactivate", BOB_ID) == (0 if after is INACTIVE else 3)
    assert (status(desk, BOB_ID), typed) == (after, [])
    said = capsys.readouterr().out
    assert "In the account 123456789012, to be made inactive:" in said
    assert f"{BOB_ID} of bob  It was used in the last 24 hours" in said


def test_on_a_terminal_the_own_key_takes_an_answer_of_its_own(
    desk: Desk, typed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    typed += ["y", "y"]
    assert run_command(desk, "deactivate", OWN_ID, ACTIVE_ID) == 3
    assert (status(desk, OWN_ID), status(desk, ACTIVE_ID), typed) == (ACTIVE, INACTIVE, [])
    typed.append(OWN_ID[-4:])
    capsys.readouterr()
    assert run_command(desk, "deactivate", OWN_ID) == 0
    assert status(desk, OWN_ID) is INACTIVE
    said = capsys.readouterr().out
    assert "keytui's own calls stop now." in said
    assert "undoes it" not in said.splitlines()[-1]


def test_on_a_terminal_deleting_is_typed(desk: Desk, typed: list[str]) -> None:
    typed.append("y")
    assert run_command(desk, "delete", INACTIVE_ID) == 3
    other = desk.iam.add_key(desk.iam.find("carol"), status=INACTIVE)
    typed.append("1")
    assert run_command(desk, "delete", INACTIVE_ID, other.id) == 3
    typed.append("2")
    assert run_command(desk, "delete", INACTIVE_ID, other.id) == 0
    assert (status(desk, INACTIVE_ID), desk.held("carol"), typed) == (None, {}, [])


def test_signal_stops_before_the_next_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = [ACTIVE_ID] + [desk.iam.add_key(desk.iam.find("carol")).id for _ in range(12)]
    done = command.ConsoleChange._end

    def end(run: Any, outcome: Any) -> None:
        if outcome.end is command.End.DONE:
            os.kill(os.getpid(), signal.SIGTERM)
        done(run, outcome)

    monkeypatch.setattr(command.ConsoleChange, "_end", end)
    assert run_command(desk, "deactivate", *ids, "--json") == 128 + signal.SIGTERM
    told = {one["key_id"]: one["result"] for one in json.loads(capsys.readouterr().out)}
    held = desk.held("alice") | desk.held("carol")
    assert set(told.values()) == {"done", "left"}
    assert all((held[key_id] is INACTIVE) == (told[key_id] == "done") for key_id in ids)


@pytest.mark.parametrize("text", ["{0} {1}", "{1},{0}", '["{0}","{1}"]', "{0}\n{1}\n"])
def test_one_id_cut_short_refuses_the_whole_text(
    text: str, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("deactivate", "activate", "delete"):
        with pytest.raises(UsageError, match="cut short or mistyped"):
            run_command(desk, verb, text.format(ACTIVE_ID, BOB_ID[:-1]), "--yes")
    assert desk.iam.mutations == []
    assert BOB_ID[:-1] not in "".join(capsys.readouterr())


def test_key_deactivated_meanwhile_is_unchanged_and_gets_no_hint(
    desk: Desk,
    typed: list[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A colleague is quicker, between the listing and the change."""
    del typed
    listed = desk.iam.keys

    def slower(user: User) -> tuple[AccessKey, ...]:
        keys, holder = listed(user), desk.iam._holders["alice"]
        holder.keys[ACTIVE_ID] = replace(holder.keys[ACTIVE_ID], status=INACTIVE)
        return keys

    monkeypatch.setattr(desk.iam, "keys", slower)

    assert run_command(desk, "deactivate", ACTIVE_ID) == 0

    said = capsys.readouterr().out
    assert f"{ACTIVE_ID} of alice was inactive already." in said
    assert "undoes it" not in said
    assert desk.journal.entries() == []
