"""Access key IDs are found in texts as terminals, logs and encoders leave them."""

import pytest

from keytui.key_ids import key_ids

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
def test_an_id_is_found(text: str) -> None:
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
def test_a_longer_run_is_no_id(text: str) -> None:
    assert key_ids(text) == ()


def test_an_id_beside_one_that_the_cursor_moved_away_from() -> None:
    assert key_ids(f"key\x1b[5C{ID}") == (ID,)
