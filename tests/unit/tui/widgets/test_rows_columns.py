"""The columns of a table: by the width of the window alone."""

from rich.text import Text

from keytui.tui.widgets.rows import Column, Columns

ID, NAME, AGE, NOTE = (
    Column("ID", (10,)),
    Column("Name\nN", (20, 8), rank=1),
    Column("Age", (5,), rank=2, least=50),
    Column("Note", (6,), fills=True),
)
TABLE = Columns(ID, NAME, AGE, NOTE, margin=2)


def test_columns_fill_the_window_exactly() -> None:
    for width in range(30, 200):
        shown = [cells for cells in TABLE.widths(width) if cells]
        assert sum(shown) + 2 * (len(shown) - 1) + 2 == width


def test_columns_leave_by_rank_and_never_come_back() -> None:
    shown = [tuple(map(bool, TABLE.widths(width))) for width in range(200, 10, -1)]
    assert shown[0] == (True, True, True, True)
    assert shown[-1] == (True, False, False, True)
    assert sorted(shown, reverse=True) == shown


def test_columns_stand_in_no_window_below_their_least() -> None:
    assert TABLE.widths(49)[2] == 0
    assert TABLE.widths(50)[2] == 5


def test_row_has_each_cell_in_its_column() -> None:
    cells = [Text("a" * 30), Text("name"), Text("1 d"), Text("note")]
    line = TABLE.line(Text("▸"), cells, 50).plain
    header = TABLE.header(50).plain
    assert line.startswith("▸ aaaaaaaaa…  name")
    assert [header.index(title) for title in ("ID", "Name", "Age", "Note")] == [2, 14, 36, 43]
    assert line.index("note") == 43


def test_row_with_fewer_cells_lets_the_last_take_the_rest() -> None:
    line = TABLE.line(Text(), [Text("a"), Text("a sentence that needs the rest of it")], 60)
    assert line.plain == "  a           a sentence that needs the rest of it"
