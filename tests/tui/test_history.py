"""History: what keytui did, what is open first, and a file of it."""

import json
import stat
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import pytest

from keytui.journal.log import Entry, Event
from keytui.tui.dialogs.dialogs import PathScreen
from keytui.tui.history.screen import HistoryScreen
from keytui.tui.keys.recover import OrphanScreen
from tests.support.app import Desk, an_orphan, opened
from tests.support.fake_iam import ACCOUNT, START

ADMIN = f"arn:aws:iam::{ACCOUNT}:user/admin"
SIZES = [(120, 40), (80, 24), (60, 20)]


def did(desk: Desk, event: Event, days_ago: int, **more: str) -> None:
    """Write a line of an earlier run."""
    at = (START - timedelta(days=days_ago)).isoformat()
    told = {"at": at, "account": ACCOUNT, "user": "alice", "caller": ADMIN, **more}
    desk.journal.append(Entry(event=event, **told))


def some_days(desk: Desk) -> None:
    """Let there be a change, a creation and a deletion."""
    did(desk, Event.STATUS, 3, key_id="AKIACHANGED000000001", detail="Inactive")
    did(desk, Event.CREATING, 2, attempt="a1", store="keyring")
    did(desk, Event.CREATED, 2, attempt="a1", key_id="AKIACREATED000000001")
    did(desk, Event.STORED, 2, attempt="a1", key_id="AKIACREATED000000001", store="keyring")
    did(desk, Event.DELETED, 1, key_id="AKIADELETED000000001", user="bob")


async def at_history(desk: Desk) -> HistoryScreen:
    await desk.press("H")
    screen = await desk.on(HistoryScreen)
    await desk.sees("History")
    return screen


def rows(desk: Desk) -> list[str]:
    """Return the access key IDs on the screen, from the top."""
    words = desk.text.split()
    return [word for word in words if word.startswith("AKIA") and len(word) == 20]


async def test_nothing_was_done_yet(desk: Desk) -> None:
    async with opened(desk):
        await at_history(desk)
        await desk.sees("keytui has done nothing yet.")
        await desk.press("enter", "e", "j", "G")
        await desk.pilot.pause()
        assert isinstance(desk.app.screen, HistoryScreen)
        await desk.press("escape")
        await desk.on_main()


async def test_line_for_each_matter_the_latest_first(desk: Desk) -> None:
    some_days(desk)
    async with opened(desk):
        await at_history(desk)
        assert rows(desk) == [
            "AKIADELETED000000001",
            "AKIACREATED000000001",
            "AKIACHANGED000000001",
        ]
        await desk.sees(
            "2026-01-14 09:00 AKIADELETED000000001 bob",
            "2026-01-13 09:00 AKIACREATED000000001 alice",
            "created, its secret in the OS",
            "made inactive",
            "3 lines",
        )
        await desk.press("j")
        await desk.sees(f"alice: created, its secret in the OS keyring, by {ADMIN}")
        assert "unfinished" not in desk.words


async def test_what_is_open_stands_first_and_says_so(desk: Desk) -> None:
    _, key = an_orphan(desk)
    some_days(desk)
    async with opened(desk):
        await at_history(desk)
        assert rows(desk)[0] == key.id
        assert "! created, its secret is lost" in desk.line(key.id)
        await desk.sees("4 lines · 1 creation unfinished, at the top", "enter Look into it")
        await desk.press("j")
        await desk.loses("enter Look into it")


@pytest.mark.parametrize("size", SIZES)
async def test_it_can_be_read_at_any_size(desk: Desk, size: tuple[int, int]) -> None:
    an_orphan(desk)
    some_days(desk)
    async with opened(desk, size=size, ready=False):
        await desk.sees("unfinished: H")
        await at_history(desk)
        await desk.sees("01-13 09:00", "AKIACREATED000000001", "alice", "made inactive")
        await desk.sees("enter Look into it", "esc Back", "! created", "unfinished, at the top")
        assert all(len(line) <= size[0] for line in desk.text.splitlines())
        await desk.press("G")
        await desk.sees(f"alice: made inactive, by {ADMIN}")


async def test_filter_and_esc_twice(desk: Desk) -> None:
    some_days(desk)
    async with opened(desk):
        await at_history(desk)
        await desk.press("slash")
        await desk.write("bob")
        await desk.until(lambda: rows(desk) == ["AKIADELETED000000001"])
        await desk.press("enter", "q")
        await desk.on_main()
        await at_history(desk)
        await desk.press("slash")
        await desk.write("created alice")
        await desk.until(lambda: rows(desk) == ["AKIACREATED000000001"])
        await desk.press("escape")
        await desk.until(lambda: len(rows(desk)) == 3)
        assert isinstance(desk.app.screen, HistoryScreen)
        await desk.press("escape")
        await desk.on_main()


async def test_keys_typed_at_once_go_into_the_filter(desk: Desk) -> None:
    some_days(desk)
    async with opened(desk):
        await desk.press("H", "slash")
        await desk.write("quebec")
        await desk.on(HistoryScreen)
        await desk.until(lambda: rows(desk) == [])
        await desk.sees("quebec")


async def test_enter_on_an_open_one_looks_into_it(desk: Desk) -> None:
    _, key = an_orphan(desk)
    async with opened(desk):
        await desk.sees("! 1 creation unfinished: H")
        await at_history(desk)
        await desk.press("enter")
        await desk.on(OrphanScreen)
        await desk.sees(f"AWS made {key.id} for carol")
        await desk.press("enter")
        await desk.sees(f"{key.id} is deleted.")
        await desk.loses("unfinished")
        await at_history(desk)
        await desk.sees("created and deleted again", "1 line")
    assert desk.held("carol") == {}


async def test_click_chooses_the_line_and_the_hint_looks(desk: Desk) -> None:
    _, key = an_orphan(desk)
    an_orphan(desk, "team-one")
    async with opened(desk):
        await desk.sees("! 2 creations unfinished: H")
        await at_history(desk)
        await desk.click("carol")
        await desk.click("Look into it")
        await desk.on(OrphanScreen)
        await desk.sees(key.id)


async def test_enter_on_anything_else_does_nothing(desk: Desk) -> None:
    some_days(desk)
    async with opened(desk):
        await at_history(desk)
        desk.iam.calls.clear()
        await desk.press("enter")
        await desk.pilot.pause()
        assert isinstance(desk.app.screen, HistoryScreen)
    assert desk.iam.calls == []


async def test_one_of_another_account_is_not_looked_for_here(desk: Desk) -> None:
    did(desk, Event.CREATING, 1, attempt="a9", account="999999999999")
    async with opened(desk):
        await at_history(desk)
        await desk.press("enter")
        await desk.on_main()
        await desk.sees(
            "That key was asked for in the account 999999999999; this is 123456789012.",
            "P switches to a profile of that account.",
        )
    assert desk.iam.mutations == []


async def test_record_that_can_not_be_read_is_said(desk: Desk) -> None:
    desk.journal.path.parent.mkdir()
    desk.journal.path.mkdir()
    async with opened(desk):
        await desk.press("H")
        await desk.sees("can't read its record")
        await desk.on_main()


# The export.


async def exported(desk: Desk, path: Path) -> None:
    """Export what is shown to a file."""
    await desk.press("e")
    await desk.on(PathScreen)
    await desk.sees("Export the history as JSON lines")
    await desk.press("ctrl+u")
    await desk.write(str(path))
    await desk.press("enter")
    await desk.on_main()


async def test_e_writes_json_lines_for_its_owner_alone(desk: Desk, tmp_path: Path) -> None:
    some_days(desk)
    file = tmp_path / "history.jsonl"
    async with opened(desk):
        await at_history(desk)
        await exported(desk, file)
        await desk.sees(f"The history is in {file}: 5 lines.")
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert lines == [asdict(entry) for entry in desk.journal.entries()]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_what_is_filtered_out_is_not_exported(desk: Desk, tmp_path: Path) -> None:
    some_days(desk)
    file = tmp_path / "bob.jsonl"
    async with opened(desk):
        await at_history(desk)
        await desk.press("slash")
        await desk.write("bob")
        await desk.press("enter")
        await exported(desk, file)
        await desk.sees(f"The history is in {file}: 1 line.")
    assert [json.loads(line)["user"] for line in file.read_text().splitlines()] == ["bob"]


async def test_file_that_is_there_is_not_replaced(desk: Desk, tmp_path: Path) -> None:
    some_days(desk)
    file = tmp_path / "there.jsonl"
    file.write_text("mine")
    async with opened(desk):
        await at_history(desk)
        await exported(desk, file)
        await desk.sees(f"There is a file at {file} already", "Nothing was written.")
    assert file.read_text() == "mine"


async def test_export_can_be_left(desk: Desk) -> None:
    some_days(desk)
    async with opened(desk):
        await at_history(desk)
        await desk.press("e")
        await desk.on(PathScreen)
        await desk.press("escape")
        await desk.on_main()
