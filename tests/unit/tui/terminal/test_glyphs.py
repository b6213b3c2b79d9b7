"""What stands in for a glyph that the terminal can't show."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from unicodedata import category

import pytest
from rich.cells import cell_len

import keytui
from keytui.tui.terminal.glyphs import STAND_INS, Glyphs, known, speaks_utf8, spell

SOURCES = Path(keytui.__file__).parent


@pytest.mark.parametrize(
    ("env", "utf8_mode", "glyphs"),
    [
        ({"LANG": "C.UTF-8"}, 0, Glyphs.ALL),
        ({"LANG": "de_DE.utf8@euro", "LC_CTYPE": "C.UTF-8"}, 1, Glyphs.ALL),
        ({"LC_CTYPE": "UTF-8"}, 0, Glyphs.ALL),
        ({"LC_CTYPE": "C.UTF-8"}, 0, Glyphs.ALL),
        ({"LC_CTYPE": "C.UTF-8"}, 1, Glyphs.ASCII),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, 1, Glyphs.ASCII),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, 1, Glyphs.ASCII),
        ({"LANG": "POSIX"}, 1, Glyphs.ASCII),
        ({"LANG": "en_US.ISO-8859-1"}, 0, Glyphs.ASCII),
        ({"LANG": "en_US"}, 0, Glyphs.ASCII),
        ({"LC_ALL": "", "LANG": "en_US.UTF-8", "TERM": "linux"}, 0, Glyphs.OWN),
        ({}, 1, Glyphs.ASCII),
        # Set by the user, also where Python has UTF-8 mode on.
        ({"LC_ALL": "C.UTF-8", "LC_CTYPE": "C.UTF-8"}, 1, Glyphs.ALL),
        ({"LANG": "de_DE.UTF-8", "LC_CTYPE": "C.UTF-8"}, 1, Glyphs.ALL),
        ({"LANG": "en_GB.ISO-8859-1", "LC_CTYPE": "en_GB.UTF-8"}, 1, Glyphs.ALL),
        ({"LANG": "de_DE.utf8@euro"}, 0, Glyphs.ALL),
        ({"LANG": "de_DE@utf8"}, 0, Glyphs.ASCII),
    ],
)
def test_locale_says_what_can_be_shown(
    env: Mapping[str, str], utf8_mode: int, glyphs: Glyphs
) -> None:
    assert known(env, utf8_mode) is glyphs
    assert speaks_utf8(env, utf8_mode) is (glyphs is not Glyphs.ASCII)


def test_stand_in_is_ascii_and_as_wide_as_its_glyph() -> None:
    for glyph, stand_in in STAND_INS.items():
        assert stand_in.isascii()
        assert cell_len(glyph) == cell_len(stand_in) == 1, glyph


def test_every_glyph_that_keytui_shows_has_a_stand_in() -> None:
    missing = {
        (path.name, char)
        for path in SOURCES.rglob("*.py")
        for text in _texts(ast.parse(path.read_text(encoding="utf-8")))
        for char in text
        if not char.isascii() and char not in STAND_INS and category(char)[0] in "LPSZ"
    }
    assert missing == set()


def test_text_keeps_its_width() -> None:
    assert spell("● für 日本 e\u0301…", Glyphs.ASCII) == "* f?r ???? e~"
    assert cell_len("● für 日本 e\u0301…") == cell_len("* f?r ???? e~")


def test_console_shows_letters_of_any_script() -> None:
    assert spell("● für 日本", Glyphs.OWN) == "* für 日本"
    assert spell("● für 日本", Glyphs.ALL) == "● für 日本"


def _texts(tree: ast.AST) -> Iterator[str]:
    """Yield the texts of a source that can be shown: all but docstrings and this table."""
    bare = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in bare:
            yield node.value
