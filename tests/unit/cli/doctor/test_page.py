"""The doctor's page and its JSON, from rows."""

import json
import re
from dataclasses import replace

import pytest

from keytui.cli.doctor.checks import Group, Row, Status
from keytui.cli.doctor.page import Style, page, passed, to_json

LONG = "arn:aws:iam::123456789012:user/" + "a-very-long-name/" * 6
OK = Row(Group.AWS, "caller", "Caller", Status.OK, f"{LONG} (IAM user, key AKIA).", LONG)
BAD = Row(
    Group.KEYRING,
    "writable",
    "Writable",
    Status.FAIL,
    "The OS keyring is locked.",
    False,
    "It was open before.",
    "keytui --unlock-keyring --with-a-line-that-is-longer-than-any-narrow-terminal-could-show",
)
BLANK = Row(Group.STATE, "journal", "Record", Status.UNKNOWN, "None yet.")
WARNED = Row(Group.TERMINAL, "size", "Size", Status.WARN, "50×10.", "50x10", "Make it larger.")


def action(name: str, status: Status, text: str, advice: str = "") -> Row:
    return Row(Group.AWS, name, "IAM actions", status, text, "x", advice, item=name)


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_every_line_fits_but_a_command_stays_whole(width: int) -> None:
    lines = page([OK, BAD, WARNED, BLANK], Style(width=width)).splitlines()

    assert all(len(line) <= width for line in lines if "$ " not in line)
    assert [line.strip() for line in lines if "$ " in line] == [f"$ {BAD.command}"]


def test_rows_stand_under_their_titles_with_a_mark_each() -> None:
    text = page([BLANK, WARNED, BAD, OK], Style(width=120))

    titles = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert titles[:4] == ["AWS", "Keyring", "Terminal", "keytui's files"]
    assert re.search(r"^  ✗ Writable +The OS keyring is locked. It was open before.$", text, re.M)
    assert re.search(r"^  ! Size +50×10. Make it larger.$", text, re.M)
    assert re.search(r"^  – Record +None yet.$", text, re.M)
    assert text.endswith("To mend: 1 (✗). Worth knowing: 1 (!).")
    assert page([OK], Style()).endswith("Nothing is in the way.")


def test_actions_that_say_the_same_share_a_line() -> None:
    rows = [
        action("ListUsers", Status.OK, "Allowed for every user"),
        action("GetUser", Status.OK, "Allowed for every user"),
        action("TagUser", Status.WARN, "Denied", "Without it no description can be written."),
        action("UntagUser", Status.OK, "Allowed for every user"),
    ]
    text = page(rows, Style(width=120))

    assert "IAM actions  Allowed for every user: ListUsers, GetUser, UntagUser.\n" in text
    assert "! IAM actions  Denied: TagUser. Without it no description can be written.\n" in text


def test_rows_of_one_thing_are_never_joined() -> None:
    twice = [BLANK, replace(BLANK, key="folder", name="State folder")]

    assert page(twice, Style()).count("None yet.") == 2


def test_colours_only_on_request_and_only_the_marks() -> None:
    assert "\x1b" not in page([OK, BAD, WARNED, BLANK], Style())
    coloured = page([OK, BAD, WARNED, BLANK], Style(colour=True))
    assert re.findall(r"\x1b\[(\d+)m(.)\x1b\[0m", coloured) == [
        ("32", "✓"),
        ("31", "✗"),
        ("33", "!"),
        ("2", "–"),
    ]


def test_ascii_has_its_own_marks() -> None:
    text = page([OK, BAD, WARNED, replace(BLANK, text="naïve…")], Style(ascii_only=True))

    assert text.isascii()
    assert re.findall(r"^  (\S) ", text, re.M) == ["+", "x", "!", "-"]
    assert "50x10" in text
    assert "na?ve..." in text


def test_text_from_outside_can_not_move_the_cursor() -> None:
    evil = "\x1b[2J\x1b]52;c;aGk=\a\u202e\r\n"
    row = replace(BAD, text=evil, advice=evil, command=evil, value=evil)

    text = page([row], Style())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\u202e]", text)
    found = json.loads(to_json([row]))["keyring"]["writable"]
    for value in (found["text"], found["advice"], found["command"], found["value"]):
        assert value.isprintable()


def test_json_report_has_each_group_and_the_status_as_a_word() -> None:
    found = json.loads(to_json([OK, BAD, WARNED, BLANK]))

    assert found["ok"] is False
    assert list(found) == ["ok", "version", "aws", "keyring", "terminal", "state"]
    assert found["aws"]["caller"] == {
        "status": "ok",
        "value": LONG,
        "text": OK.text,
        "advice": "",
        "command": "",
    }
    assert found["keyring"]["writable"]["status"] == "fail"
    assert found["keyring"]["writable"]["value"] is False
    assert found["terminal"]["size"]["status"] == "warn"
    assert (found["state"]["journal"]["status"], found["state"]["journal"]["value"]) == (
        "unknown",
        None,
    )


@pytest.mark.parametrize("status", list(Status))
def test_only_a_failure_is_one(status: Status) -> None:
    assert passed([OK, replace(BLANK, status=status)]) is (status is not Status.FAIL)
