"""Access key IDs are found in texts as terminals, logs and encoders leave them."""

import pytest

from keytui.core.key_ids import IdsInText, key_ids, read_ids

ID = "AKIAIOSFODNN7EXAMPLE"


@pytest.mark.parametrize(
    "text",
    [
        ID,
        f'{{"accessKeyId":"{ID}"}}',
        f"a,{ID},b",
        f"x_{ID}_y",
        f"é{ID}é",
        # Coloured by a terminal, and as pagers, JSON, cat -v and syslog write that.
        f"\x1b[31m{ID}\x1b[0m",
        f"\x1b[01;31m\x1b[K{ID}\x1b[m\x1b[K",
        f"\x1b[38:5:1mid\x1b[0m={ID[:4]}\x1b[1m{ID[4:]}\x1b[0m",
        f"\x9b31m{ID}\x9b0m",
        f"^[[31m{ID}^[[0m",
        f"\\x1b[31m{ID}\\x1b[0m",
        f"\\x1B[1;31m{ID}\\x1B[m",
        f"\\u001b[31m{ID}\\u001b[0m",
        f"\\033[31m{ID}\\033[0m",
        f"\\e[31m{ID}\\e[0m",
        f"#033[31m{ID}#033[0m",
        # Escaped.
        f"Credential%3D{ID}%2F20260101",
        f"%253D{ID}%252F",
        f"%25252F{ID}",
        f"id\\u003d{ID}",
        f"\\u0022{ID}\\u0022",
        f"\\x3d{ID}\\x22",
        f"=3D{ID}=22",
        f"\\n{ID}\\t",
        f"&quot;{ID}&quot;",
    ],
)
def test_id_is_found(text: str) -> None:
    assert key_ids(text) == (ID,)


@pytest.mark.parametrize(
    "text",
    [
        f"x{ID}",
        f"AKIA{ID}",
        f"{ID}{ID}",
        f"{ID}X",
        ID.lower(),
        f"a3D{ID}",
        f"=41{ID}",
        f"003d{ID}",
        f"u003d{ID}",
        f"x3d{ID}",
        f"31m{ID}",
        f"[31m{ID}",
        f"{ID[:10]}\n{ID[10:]}",
    ],
)
def test_longer_run_is_no_id(text: str) -> None:
    assert key_ids(text) == ()


def test_id_beside_one_that_the_cursor_moved_away_from() -> None:
    assert key_ids(f"key\x1b[5C{ID}") == (ID,)


OTHER = "AKIAI44QH8DHBEXAMPLE"


@pytest.mark.parametrize(
    "broken",
    [
        OTHER[:-1],
        f"{OTHER}X",
        OTHER.lower(),
        OTHER.capitalize(),
        OTHER[:8],
        "AKIA",
        "akiaiosf",
        "AKIA************MPLE",
        "AKIA\u2026MPLE",
        f"{OTHER}{OTHER}",
        f"id{OTHER}",
        f"id{OTHER[:-2]}",
        f"{OTHER[:10]}\n{OTHER[10:]}",
        f"{OTHER[:10]}-{OTHER[10:]}",
        f'"accessKeyId":"{OTHER[:-1]}"',
        f"key={OTHER[:-1]},",
        f"({OTHER[:-1]})",
        f"\\n{OTHER[:-1]}",
        f"%3D{OTHER[:-1]}%26",
        f"\x1b[31m{OTHER[:-1]}\x1b[0m",
        f"{OTHER[:9]}\u200b{OTHER[9:]}",
        f"\uff21\uff2b\uff29\uff21{OTHER[4:]}",
        f"\u0410\u041a\u0406\u0410{OTHER[4:]}",
        f"{OTHER[:9]}\u0415{OTHER[10:]}",
        f"AK1A{OTHER[4:]}",
        f"AKlA{OTHER[4:]}",
        f"AS{OTHER[2:-1]}",
        f"as{OTHER[2:-1].lower()}",
        # The first letters are missing, mistyped, swapped, escaped or only look right.
        OTHER[1:],
        OTHER[2:],
        f"AIA{OTHER[4:]}",
        f"AKI{OTHER[4:]}",
        f"SIA{OTHER[4:]}",
        f"KAIA{OTHER[4:]}",
        f"AIKA{OTHER[4:]}",
        f"AKAI{OTHER[4:]}",
        f"4KIA{OTHER[4:]}",
        f"AKIS{OTHER[4:]}",
        f"ALIA{OTHER[4:]}",
        f"AK7A{OTHER[4:]}",
        f"A\u0301{OTHER[1:]}",
        f"\u13aa{OTHER[1:]}",
        f"\ua4ee{OTHER[1:]}",
        f"%41{OTHER[1:]}",
        f"\\u0041{OTHER[1:]}",
        f"&#65;{OTHER[1:]}",
    ],
)
@pytest.mark.parametrize("text", ["{} {}", "{1} {0}", "see {},{}", '["{}", "{}"]', "{}\n{}\n"])
def test_id_that_is_cut_short_or_mistyped_is_noticed(text: str, broken: str) -> None:
    found = read_ids(text.format(ID, broken))
    assert found.ids == (ID,)
    assert found.broken
    assert "cut short or mistyped" in found.problem
    assert broken[4:] not in found.problem or broken == "AKIA"


@pytest.mark.parametrize(
    "word",
    [
        *("Asia/Tokyo", "asia-northeast1", "ASIA", "Asian", "asiatic", "akin", "é", "xAKIA"),
        *("--", "-", "KIA", "IA", "4KIA"),
        # A user, a role, a server certificate, a bearer token, and hexadecimal digits.
        *("AIDAI44QH8DHBEXAMPLE1", "AIDAI44QH8DHBEXAMPLE", "AROAI44QH8DHBEXAMPLE1"),
        *("ASCAI44QH8DHBEXAMPLE", "ABIAI44QH8DHBEXAMPLE", "0123456789ABCDEF0123"),
    ],
)
def test_word_that_is_no_id_is_passed_over(word: str) -> None:
    assert read_ids(f"{ID} {word}") == IdsInText((ID,))
    assert read_ids(f"{word} {ID} {OTHER} {ID}") == IdsInText((ID, OTHER))


def test_id_in_any_of_its_forms_is_whole() -> None:
    for text in (f'{{"id":"{ID}"}}', f"\x1b[31m{ID}\x1b[0m", f"%3D{ID}%26", f"x_{ID}_y"):
        assert read_ids(text) == IdsInText((ID,))
