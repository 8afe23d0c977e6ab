"""What a file holds: all its faults at once, each with its place, in bounded memory."""

import numpy as np
import pytest

from fnn.errors import CorruptFileError, InputError
from fnn.looking import tables
from fnn.looking.arrays import look_at_arrays
from tests.helpers.data_files import saved, written

FAULTY = """id,age,age,plan,,churn
a1,33,1,basic,1,yes
a2,abc,1,Basic,1,no
a3,,2,pro,1,yes
a4,44,2,basic,1
a5,inf,2.5,basic,7,no
a6,45,x,basic,7,no
"""


def looked(tmp_path, text):
    return tables.look_at_table(written(tmp_path, text))


def test_all_faults_are_found_each_with_its_place(tmp_path):
    assert looked(tmp_path, FAULTY).all_faults == (
        "line 1: expected a header line, a different name for each column; 'age' is there twice",
        "line 5: 5 cells; expected 6, as in the header: a text with a comma in it stands in quotes",
        "column 'age', line 6: 'inf'; expected a finite number that fits float32: correct it",
        "column 'age', line 3: 'abc'; expected a number, as in 3 of 4 rows: correct it",
        "column 'age', line 7: 'x'; expected a number, as in 4 of 5 rows: correct it",
        "column 'plan', line 3: 'Basic' is another spelling of 'basic' in line 2; write both alike",
    )


def test_of_many_faults_of_a_column_the_first_are_told_and_the_others_counted(tmp_path):
    rows = "".join(f"{'abc' if k % 5 == 0 else k},{k % 2}{',9' if k % 7 == 0 else ''}\n" for k in range(1, 101))
    width, column = looked(tmp_path, f"a,y\n{rows}").all_faults
    assert width.startswith("line 8: 3 cells, line 15: 3 cells, line 22: 3 cells and 11 more; expected 2")
    assert column.startswith("column 'a', line 6: 'abc', line 11: 'abc', line 16: 'abc' and 15 more; expected a number")


@pytest.mark.parametrize(
    ("cells", "kind", "described"),
    [
        (["1", "2", "4"], "numbers", "whole numbers 1 to 4, mean 2.3333"),
        (["1.5", "NA", "-2e3"], "numbers", "-2000 to 1.5, mean -999.25"),
        (["7", "7", ""], "numbers", "7 in every row"),
        (["a", "b", "a"], "text", "a: 2 (66.7%), b: 1 (33.3%)"),
        (["1", "3+", "2", "3+"], "text", "3+: 2 (50.0%), 1: 1 (25.0%), 2: 1 (25.0%)"),
        (["1.5", "x", "2"], "numbers and text", None),
        (["$1,200", "$15", "$7"], "numbers and text", None),
        (["2024-01-31", "2024-02-01", "2024-02-02"], "dates", "from 2024-01-31 to 2024-02-02"),
        (["31/12/23", "01/01/24", ""], "dates", "from 31/12/23 on"),
        (["", "-", "NA"], "nothing", "blank in every row"),
    ],
)
def test_what_a_column_is(tmp_path, cells, kind, described):
    column = looked(tmp_path, "a,y\n" + "".join(f'"{cell}",{k}\n' for k, cell in enumerate(cells))).columns[0]
    assert column.kind == kind
    assert described is None or column.described() == described


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("", InputError, "line 1: expected a header line"),
        ("a,y\n", InputError, "no rows"),
        ("a,b\n1\n2,3,4\n", InputError, "line 2: 1 cell, line 3: 3 cells; expected 2"),
        ("y\n1\n", InputError, "one column, 'y'"),
        ("a;y\n1;2\n", InputError, "not by ';'"),
        ("1,2\n3,4\n", InputError, "all numbers"),
        (b"gr\xf6sse,y\n1,2\n", CorruptFileError, "UTF-8"),
        ('a,y\n"1,2\n3,4\n', CorruptFileError, "line 3"),
        ("a,y\n" + "1" * 2**21 + ",2\n", CorruptFileError, "a line has more than"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, text, error, message):
    with pytest.raises(error, match=message):
        looked(tmp_path, text)


def test_rows_behind_many_cells_are_only_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "MOST_CELLS", 3000)
    monkeypatch.setattr(tables, "ROWS_AT_ONCE", 100)
    table = looked(tmp_path, "a,b,y\n" + "1,2,3\n" * 5000)
    assert (table.rows, table.looked_at) == (5000, 1000)


def test_blank_lines_are_no_rows(tmp_path):
    table = looked(tmp_path, "a,y\n" + "\n" * 10_000 + "1,2\n\nx,3\n2,3\n4,4\n5,3\n")
    assert table.rows == 5
    assert table.all_faults == ("column 'a', line 10004: 'x'; expected a number, as in 4 of 5 rows: correct it",)


def test_a_column_without_a_name_is_no_fault_since_it_can_be_dropped(tmp_path):
    assert looked(tmp_path, ",a,y\n0,1,2\n1,3,4\n").all_faults == ()


def test_all_faults_of_arrays_are_found(tmp_path):
    x = np.ones((9, 2))
    x[[1, 3, 4, 7, 8], 1] = np.nan, np.inf, 1e300, np.nan, np.nan
    faults = look_at_arrays(saved(tmp_path, x=x, y=np.array(["a", "b", ""] * 3))).faults
    assert faults == (
        "x[1], x[3], x[4] and 2 rows more hold a number that is nan, infinite or beyond float32; remove the row",
        "y[2], y[5], y[8] hold no label; remove the row",
    )


def test_the_numbers_of_arrays(tmp_path):
    x = look_at_arrays(saved(tmp_path, x=np.arange(24, dtype=np.uint8).reshape(3, 2, 4), y=np.arange(3))).x
    assert (x.n, x.shape, x.low, x.high, x.mean) == (3, (2, 4), 0, 23, 11.5)


def test_a_parquet_file_looks_like_the_csv_of_the_same_table(tmp_path):
    pyarrow, parquet = (pytest.importorskip(name) for name in ("pyarrow", "pyarrow.parquet"))
    rows = [(k, [1.5, None][k % 2], "uv"[k % 2], k % 3 == 0, [7, None, 9][k % 3]) for k in range(30)]
    names = ["id", "x", "text", "flag", "whole"]
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    parquet.write_table(pyarrow.table(columns), tmp_path / "t.parquet")
    cells = ("\n".join(",".join("" if cell is None else str(cell) for cell in row) for row in rows)) + "\n"
    theirs, ours = tables.look_at_table(str(tmp_path / "t.parquet")), looked(tmp_path, f"{','.join(names)}\n{cells}")
    assert theirs.rows == ours.rows == 30
    for one, other in zip(theirs.columns, ours.columns, strict=True):
        seen = [(each.name, each.kind, each.blanks, each.different, each.described()) for each in (one, other)]
        assert seen[0] == seen[1]
