"""An audit as CSV, JSON and Markdown, with names that mean harm."""

import csv
import html
import io
import json
from datetime import UTC, datetime, timedelta

import pytest

from keytui.audit.export import CSV_COLUMNS, as_csv, as_json, as_markdown
from keytui.audit.rows import Audit, AuditRow
from keytui.core.model import ROOT_USER, AccessKey, KeyStatus, LastUsed, User
from keytui.core.rules import Thresholds

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
ACCOUNT = "123456789012"
HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+1-800",
    "-2+3",
    "@SUM(A1)",
    "＝1+1",
    "\t=1",
    "\r=1",
    "\n=1",
    'a"b,c',
    "<img src=x onerror=alert(1)>",
    "a|b",
    "a\\|b",
    "`code` **bold** _it_ [x](y)",
    "line\nbreak\r\nand\x1b[2J\u202etxt",
    "@everyone",
    "jürgen",
    "",
)


def rows_of(*keys: AccessKey, mfa: bool | None = None) -> list[AuditRow]:
    audit = Audit(Thresholds(), lambda: NOW)
    for number, key in enumerate(keys):
        audit.take_keys(User(str(number)), [key], NOW, mfa=mfa)
    return list(audit.rows)


def a_key(name: str = "alice", key_id: str = "AKIA1") -> AccessKey:
    used = LastUsed(NOW - timedelta(days=50), "s3", "eu-west-1")
    return AccessKey(key_id, User(name), KeyStatus.ACTIVE, NOW - timedelta(days=100), used)


def hostile_rows() -> list[AuditRow]:
    return rows_of(*(a_key(name, f"AKIA{i}") for i, name in enumerate(HOSTILE)))


def test_json() -> None:
    (row,) = rows_of(a_key(), mfa=True)
    assert json.loads(as_json([row], ACCOUNT)) == [
        {
            "key_id": "AKIA1",
            "user": "alice",
            "account": ACCOUNT,
            "status": "Active",
            "created": "2025-10-07T09:00:00+00:00",
            "last_used": "2025-11-26T09:00:00+00:00",
            "last_used_service": "s3",
            "last_used_region": "eu-west-1",
            "description": None,
            "mfa": True,
            "live": True,
            "findings": [
                {"rule": "old", "cis": "1.14", "fails": True},
                {"rule": "unused", "cis": "1.12", "fails": True},
            ],
        }
    ]


def test_json_has_a_line_for_each_key() -> None:
    rows = hostile_rows()
    lines = as_json(rows, ACCOUNT).splitlines()
    assert len(lines) == len(rows) + 2
    assert [json.loads(line.rstrip(","))["key_id"] for line in lines[1:-1]] == [
        row.key.id for row in rows
    ]


def test_what_is_not_known_is_null_or_empty() -> None:
    key = AccessKey("", ROOT_USER, KeyStatus.INACTIVE, None, None)
    row = AuditRow(key, (), None, 0, live=False)
    (one,) = json.loads(as_json([row], ACCOUNT))
    assert {name for name, value in one.items() if value is None} == {
        "key_id",
        "created",
        "last_used",
        "description",
        "mfa",
    }
    (_, cells) = csv.reader(io.StringIO(as_csv([row], ACCOUNT)))
    assert cells == [ACCOUNT, "<root account>", "", "Inactive", *[""] * 5, "false", "", ""]


def test_key_never_used() -> None:
    (row,) = rows_of(AccessKey("AKIA1", User("a"), KeyStatus.ACTIVE, NOW, LastUsed()))
    (one,) = json.loads(as_json([row], ACCOUNT))
    assert one["last_used"] == "never"
    assert one["findings"] == [{"rule": "never used", "cis": "1.12", "fails": False}]
    (found,) = csv.DictReader(io.StringIO(as_csv([row], ACCOUNT)))
    assert (found["last_used"], found["findings"]) == ("never", "")


def test_nothing_to_tell() -> None:
    assert json.loads(as_json([], ACCOUNT)) == []
    assert as_csv([], ACCOUNT) == ",".join(CSV_COLUMNS) + "\r\n"
    assert "| two active | 1.13 | 0 of 0 | 0 |" in as_markdown([], ACCOUNT)


@pytest.mark.parametrize("name", HOSTILE)
def test_json_gives_every_name_back(name: str) -> None:
    text = as_json(rows_of(a_key(name)), ACCOUNT)
    assert json.loads(text)[0]["user"] == name
    assert text.isascii()
    assert "\x1b" not in text


def test_csv_has_a_record_for_each_key_whatever_its_name() -> None:
    text = as_csv(hostile_rows(), ACCOUNT)
    assert text.count("\r\n") == text.count("\n") == text.count("\r") == len(HOSTILE) + 1
    records = list(csv.reader(io.StringIO(text)))
    assert {len(record) for record in records} == {len(CSV_COLUMNS)}
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("name", HOSTILE)
def test_csv_gives_names_back_but_no_formula(name: str) -> None:
    (found,) = csv.DictReader(io.StringIO(as_csv(rows_of(a_key(name)), ACCOUNT)))
    assert not found["user"].startswith(tuple("=+-@＝＋－＠\t\r\n"))
    if name.isprintable():
        assert found["user"] in {name, f"'{name}"}
    assert found["findings"] == "old; unused"
    assert found["cis"] == "1.14; 1.12"
    assert (found["live"], found["mfa"], found["account"]) == ("true", "", ACCOUNT)


def test_name_like_any_other_has_no_apostrophe() -> None:
    (found,) = csv.DictReader(io.StringIO(as_csv(rows_of(a_key("a=b+c@d")), ACCOUNT)))
    assert found["user"] == "a=b+c@d"


def test_markdown() -> None:
    text = as_markdown(rows_of(a_key("ci@example.com"), mfa=False), ACCOUNT)
    assert text.splitlines()[:9] == [
        "# Access keys of the account `123456789012`",
        "",
        "| Rule | CIS | Active keys that pass | that fail |",
        "| --- | --- | --- | --- |",
        "| root key | 1.4 | 1 of 1 | 0 |",
        "| old | 1.14 | 0 of 1 | 1 |",
        "| unused | 1.12 | 0 of 1 | 1 |",
        "| never used | 1.12 | 1 of 1 | 0 |",
        "| two active | 1.13 | 1 of 1 | 0 |",
    ]
    assert text.splitlines()[-1] == (
        "| `ci@example.com` | `AKIA1` | Active | 2025-10-07 | `2025-11-26 09:00 s3 eu-west-1` "
        "| no | old (CIS 1.14), unused (CIS 1.12) |"
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_keeps_its_columns_and_shows_names_as_they_are(name: str) -> None:
    *_, line = as_markdown(rows_of(a_key(name)), ACCOUNT).splitlines()
    cells = line.split("|")
    assert len(cells) == 7 + 2
    cell = cells[1].strip()
    assert not set("<>*[]()!\\\x1b\u202e") & set(cell)
    if not cell.startswith("`"):
        assert not set("`_@~") & set(cell)
        cell = f"`{cell}`" if cell else "``"
    if name.isprintable():
        assert html.unescape(cell.strip("`")) == name
