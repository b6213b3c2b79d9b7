"""What is painted in fewer bytes is the same on the screen."""

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len, set_cell_size

from keytui.tui.terminal.wire import Painted, thin

WIDTH, HEIGHT = 40, 6
STYLES = ["", "1", "2", "7", "4", "31", "1;36", "39;49", "1;36;49", "44", "38;5;49;48;5;39", "9"]
BLANK = " " * 14

_blanks = st.sampled_from(["", " ", BLANK, BLANK * 3])
_text = st.tuples(_blanks, st.text("ab●日 ", max_size=8), _blanks).map("".join)


@st.composite
def _line(draw: st.DrawFn) -> str:
    """A line as Textual paints it: from some place on, and never past the right edge."""
    y, x = draw(st.integers(1, HEIGHT)), draw(st.integers(1, WIDTH))
    line, room = f"\x1b[{y};{x}H", WIDTH - x + 1
    for codes, text in draw(st.lists(st.tuples(st.sampled_from(STYLES), _text), max_size=5)):
        cut = set_cell_size(text, min(cell_len(text), room))
        room -= cell_len(cut)
        line += _as_rich_does(codes, cut)
    return line + ("\n" if y < HEIGHT else "")


_frame = st.lists(_line()).map("".join)


def _as_rich_does(codes: str, text: str) -> str:
    return f"\x1b[{codes}m{text}\x1b[0m" if codes else text


def _shown(*frames: str) -> list[list[object]]:
    """Return each cell's character and all of its style that is seen, and where the cursor is."""
    screen = pyte.Screen(WIDTH, HEIGHT)
    stream = pyte.Stream(screen)
    for frame in ("\x1b[?7l" + "x" * WIDTH + "\x1b[H", *frames):
        stream.feed(frame)
    cells: list[list[object]] = [[screen.cursor.attrs]]
    for y in range(HEIGHT):
        for x in range(WIDTH):
            cell = screen.buffer[y][x]
            seen = (cell.data, cell.bg, cell.reverse, cell.underscore, cell.strikethrough)
            blank = cell.data == " " and not (cell.reverse or cell.underscore)
            cells.append([seen] if blank else [seen, cell.fg, cell.bold, cell.italics])
    return cells


@settings(max_examples=60, deadline=None)
@given(st.lists(_frame, min_size=1, max_size=3))
def test_screen_is_the_same(frames: list[str]) -> None:
    assert _shown(*map(thin, frames)) == _shown(*frames)


@settings(max_examples=60, deadline=None)
@given(st.lists(_frame, min_size=1, max_size=4))
def test_screen_is_the_same_when_only_what_differs_is_painted(frames: list[str]) -> None:
    assert _shown(*map(Painted().reduce, frames)) == _shown(*frames)


def test_what_stands_there_is_not_painted_again() -> None:
    painted = Painted()
    painted.reduce("\x1b[1;1H\x1b[1mone\x1b[0m two     three\n\x1b[2;1Hmore\x1b[1;2H")

    assert painted.reduce("\x1b[1;1H\x1b[1mone\x1b[0m two     three\n\x1b[1;2H") == ""
    assert painted.reduce("\x1b[1;1H\x1b[1mone\x1b[0m two     tree\n") == "\x1b[1;14Hre"
    assert painted.reduce("\x1b[2;1H\x1b[39;49mmore\x1b[0m") == ""
    painted.forget()
    assert painted.reduce("\x1b[2;1Hmore") == "\x1b[2;1Hmore"


@pytest.mark.parametrize("clears", ["\x1b[?1049h", "\x1b[2J", "\x1b[1;1Ha\tb"])
def test_after_what_it_does_not_know_all_is_painted_anew(clears: str) -> None:
    painted = Painted()
    painted.reduce("\x1b[2;1Hmore")

    assert painted.reduce(clears) == clears
    assert painted.reduce("\x1b[2;1Hmore") == "\x1b[2;1Hmore"


@settings(max_examples=40, deadline=None)
@given(_frame)
def test_it_is_never_longer(frame: str) -> None:
    assert len(thin(frame)) <= len(frame)


@pytest.mark.parametrize(
    ("painted", "thinned"),
    [
        ("\x1b[39;49mfilter\x1b[0m\x1b[49m   \x1b[0m", "filter   "),
        ("\x1b[1;36;49mc\x1b[0m\x1b[39;49m Create\x1b[0m", "\x1b[1;36mc\x1b[m Create"),
        (f"\x1b[1;1Ha{' ' * 30}b", "\x1b[1;1Ha\x1b[30X\x1b[30Cb"),
        (f"a{' ' * 30}\x1b[2;1Hb", "a\x1b[30X\x1b[2;1Hb"),
        (f"\x1b[7ma{' ' * 30}\x1b[0m", f"\x1b[7ma{' ' * 30}\x1b[m"),
        ("\x1b]52;c;YQ==\a", "\x1b]52;c;YQ==\a"),
    ],
)
def test_what_becomes_of_it(painted: str, thinned: str) -> None:
    assert thin(painted) == thinned
