"""How things are worded, and that text from AWS can't do anything on a terminal."""

from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from keytui.core.text import plain
from keytui.stores.base import Receipt
from keytui.tui.widgets.text import age, ago, backend, count, fit, moment, place

NOW = datetime(2026, 1, 15, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    "text",
    [
        "alice",
        "svc+reports=eu,prod.batch@acme-corp",
        "[red]not red[/red]",
        "café — naïve, 日本語 ✓ 😀",
        "Tie\u0302\u0301ng Vie\u0323\u0302t",
        "क्षत्रिय हिन्दी निर्भीकता",
        "ที่อยู่ น้ำ ปั๊ม",
        "בְּרֵאשִׁ֖ית שָׁלוֹם",
        "مُحَمَّدٌ، بِسْمِ ٱللَّٰهِ",
        "བསྒྲུབས་པ",
        "한국어 ᄒ\u1161\u11ab ﾊﾝｶｸ 全角\u3000空白",
        "👍🏽 👋🏿",
        "dix\u202f% et 10\u00a0€",
        "",
    ],
)
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert plain(text) == text


@pytest.mark.parametrize(
    "bad",
    [
        *map(chr, range(0x20)),
        *map(chr, range(0x7F, 0xA0)),
        "\xad",
        "\u061c",
        "\u180e",
        "\u200b",
        "\u200c",
        "\u200d",
        "\u200e",
        "\u200f",
        "\u2028",
        "\u2029",
        "\u202a",
        "\u202b",
        "\u202c",
        "\u202d",
        "\u202e",
        "\u2060",
        "\u2066",
        "\u2067",
        "\u2068",
        "\u2069",
        "\ufeff",
        "\ufff9",
        "\ue000",
        "\ud800",
        "\U000e0001",
        "\U000e0041",
        "\uffff",
        "\u0378",
    ],
    ids=lambda char: f"U+{ord(char):04X}",
)
def test_character_that_could_act_is_shown_as_a_mark(bad: str) -> None:
    assert plain(f"a{bad}b") == "a�b"


@pytest.mark.parametrize(
    "char",
    [
        *"\u034f\u115f\u1160\u17b4\u17b5\u180b\u180f\u2065\u2800\u3164\ufe00\ufe0f\uffa0\ufffc",
        *"\u1680\u2000\u2003\u200a\u205f\U0001bca0\U0001d159\U0001d173\U000e0000\U000e0020",
        *"\U000e007f\U000e0100\U000e01ef\U000e0fff\U00013441\U00016fe4",
    ],
    ids=lambda char: f"U+{ord(char):04X}",
)
def test_character_that_nobody_sees_is_shown_as_a_mark(char: str) -> None:
    assert plain(f"admin{char}") == "admin�"
    assert plain(char) == "�"


@pytest.mark.parametrize(
    "mark",
    ["\u0301", "\u0336", "\u20dd", "\u0e47", "\u093f", "\u1ab0", "\u1161", "\ud7fb", "\U0001f3fd"],
)
def test_pile_of_marks_is_cut(mark: str) -> None:
    assert plain(f"a{mark * 1000}b") == f"a{mark * 4}{'�' * 996}b"
    assert plain(f"a{mark * 4}b{mark * 4}") == f"a{mark * 4}b{mark * 4}"
    mixed = f"a{mark}\u0301\u0489{mark}\u034f{mark}"
    assert plain(mixed) == f"a{mark}\u0301\u0489{mark}��"


def test_mark_without_a_letter_stands_on_nothing_of_keytuis() -> None:
    assert plain("\u0336admin") == "�admin"


@pytest.mark.parametrize(
    "sequence",
    [
        "\x1b[31mred",
        "\x1b]52;c;c2VjcmV0\x07",
        "\x1b]0;title\x1b\\",
        "\x9b31mred",
        "\x1bP+q\x1b\\",
        "safe\rover",
        "line\nline",
        "back\b\b\bspace",
        "\x1b[2J\x1b[H",
    ],
)
def test_sequence_loses_its_force(sequence: str) -> None:
    shown = plain(sequence)
    assert shown.isprintable()
    assert len(shown) == len(sequence)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(minutes=-5), "0 min"),
        (timedelta(0), "0 min"),
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(hours=1) - SECOND, "59 min"),
        (timedelta(hours=1), "1 h"),
        (timedelta(days=1) - SECOND, "23 h"),
        (timedelta(days=1), "1 d"),
        (timedelta(days=90), "90 d"),
        (timedelta(days=730) - SECOND, "729 d"),
        (timedelta(days=730), "2 y"),
        (timedelta(days=1095) - SECOND, "2 y"),
        (timedelta(days=1095), "3 y"),
    ],
)
def test_age_in_its_largest_whole_unit(span: timedelta, words: str) -> None:
    assert age(NOW - span, NOW) == words
    assert ago(NOW - span, NOW) == f"{words} ago"


def test_age_that_is_not_known() -> None:
    assert age(None, NOW) == "–"
    assert ago(None, NOW) == "–"
    assert moment(None) == "unknown"


def test_moment_to_the_minute() -> None:
    assert moment(NOW) == "2026-01-15 09:00 UTC"


def test_moment_is_told_in_utc_wherever_it_comes_from() -> None:
    from datetime import timezone

    assert moment(NOW.astimezone(timezone(timedelta(hours=2)))) == "2026-01-15 09:00 UTC"


@pytest.mark.parametrize(
    ("number", "words"),
    [(0, "no users"), (1, "1 user"), (2, "2 users"), (12, "12 users"), (5000, "5,000 users")],
)
def test_count(number: int, words: str) -> None:
    assert count(number, "user") == words


@pytest.mark.parametrize(
    ("text", "width", "fitted"),
    [
        ("alice", 5, "alice"),
        ("alice", 6, "alice"),
        ("alice", 4, "ali…"),
        ("alice", 1, "…"),
        ("", 0, ""),
    ],
)
def test_text_is_cut_with_an_ellipsis(text: str, width: int, fitted: str) -> None:
    assert fit(text, width) == fitted


@pytest.mark.parametrize("width", range(1, 8))
def test_wide_characters_are_cut_by_cells(width: int) -> None:
    assert cell_len(fit("日本語日本語", width)) <= width


def test_backend_by_its_name() -> None:
    assert backend("OS keyring (Secret Service)") == "Secret Service"
    assert backend("OS keyring") == ""
    assert backend("Fake store") == "Fake store"


def test_place_as_it_stands_in_a_sentence() -> None:
    keyring = Receipt("keyring", "OS keyring (Secret Service)")
    assert place(keyring) == "the OS keyring (Secret Service)"
    assert place(Receipt("csv", "/home/me/alice.csv")) == "/home/me/alice.csv"
