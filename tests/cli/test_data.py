"""`fnn data`: the sources, one of them in full, and what a file holds."""

import numpy as np

from fnn import cli
from fnn.cli.text_width import width
from tests.helpers import tables
from tests.helpers.data_files import saved, written
from tests.helpers.support import fails


def test_data_lists_its_sources(capsys):
    assert cli.main(["data"]) == 0
    assert {"digits", "mnist", "xor"} <= {line.split(" ")[0] for line in capsys.readouterr().out.splitlines()}
    assert cli.main(["data", "digits"]) == 0
    assert "CC BY 4.0" in capsys.readouterr().out
    fails(capsys, 2, "did you mean 'digits'", "data", "digit")


def page(capsys, *arguments):
    """What `fnn data` prints about a file, at most 80 columns wide."""
    assert cli.main(["data", *map(str, arguments)]) == 0
    said = capsys.readouterr().out
    assert max(map(width, said.splitlines())) <= 80
    return said


def test_a_table_is_shown_by_its_columns(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = page(capsys, tables.customers("t.csv")).splitlines()
    assert lines[0] == "t.csv: 400 rows, 7 columns, 16.8 kB"
    rows = [line.split(maxsplit=1) for line in lines[3:13] if not line.startswith(" ")]
    assert dict(rows) == {
        "customer": "left out         an id: a different text in each of the 400 rows",
        "contract": "3 inputs         text: monthly: 197 (49.2%), two years: 103 (25.8%),",
        "pays_by": "3 inputs         text: transfer: 137 (34.2%), card: 132 (33.0%),",
        "months": "a number         whole numbers 1 to 71, mean 37.55",
        "fee": "a number         5 to 111.99, mean 59.86",
        "paid": "a number         35 to 6470.8, mean 2229.2; 15 blanks",
        "left": "2 classes        to predict, the last column: no: 357 (89.2%), yes: 43",
    }
    assert "A net gets 9 inputs and has 1 output." in lines
    assert "Always saying 'no' is right in 89.2% of the rows; a net has to beat that." in lines


def test_the_next_command_has_the_label(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    tables.customers("t.csv")
    assert "Next: fnn new t.csv --label contract > new.toml" in page(capsys, "t.csv", "--label", "contract")


def test_a_quantity_has_its_units(tmp_path, capsys):
    said = page(capsys, tables.houses(tmp_path / "t.csv"))
    assert "Always saying the mean, 266,209, has an RMSE of 90,040; a net has to beat that." in said


def test_all_that_is_in_the_way_is_told_with_the_remedy(tmp_path, capsys):
    text = "a,b,c,y\n" + "".join(f"{'x' if k == 3 else k},{'inf' if k == 5 else k},{k},{k % 2}\n" for k in range(9))
    said = page(capsys, written(tmp_path, text))
    assert "In the way (these columns are left out):\n- column 'a', line 5: 'x'; expected a number" in said
    assert "- column 'b', line 7: 'inf'; expected a finite number" in said
    said = page(capsys, written(tmp_path, text + "1,2\n"))
    assert "In the way:\n- line 11: 2 cells; expected 4" in said
    assert "- column 'a', line 5: 'x'" in said


def test_many_columns_do_not_flood_the_terminal(tmp_path, capsys):
    names = [f"pixel{k}" for k in range(784)]
    text = ",".join([*names, "digit"]) + "\n" + "".join(f"{','.join(str(k) * 784)},{k % 2}\n" for k in range(9))
    lines = page(capsys, written(tmp_path, text)).splitlines()
    assert len(lines) < 25
    assert any(line.startswith("pixel0...pixel783  784 numbers") for line in lines)
    names = [f"c{j}" for j in range(300)]
    rows = [",".join([*("uv"[(k + j) % 2] for j in range(300)), str(k), str(k % 2)]) for k in range(19)]
    assert len(page(capsys, written(tmp_path, "\n".join([",".join([*names, "x", "y"]), *rows]))).splitlines()) < 130


def test_names_of_every_kind_fit_the_columns(tmp_path, capsys):
    rows = "".join(f"{k},{k % 7},{k % 5},{'кот' if k % 2 else 'пёс'}\n" for k in range(40))
    page(capsys, written(tmp_path, f'{"数量" * 30},"a ""b"", c",{"x" * 150},класс\n{rows}'))
    rows = "".join(f"{k % 7},{'数量很大' * 9}{k % 5},{'类别' * 20}{k % 2}\n" for k in range(40))
    page(capsys, written(tmp_path, f"x,{'数量' * 9},类别\n{rows}{'数' * 40},数,数\n"))


def test_arrays_are_shown(tmp_path, capsys):
    images = np.arange(60 * 64, dtype=np.uint8).reshape(60, 8, 8)
    said = page(capsys, saved(tmp_path, x=images, y=np.arange(60) % 3))
    assert "x      inputs           60 examples of shape 8 x 8, uint8: 0 to 255, mean" in said
    assert "- shape = [1, 8, 8]: images of 8 x 8 pixels in one channel" in said
    said = page(capsys, saved(tmp_path, x=images, y=np.arange(59) % 3))
    assert "In the way:\n- y has shape (59,); expected (60,) or (60, k), a row for each x" in said


def test_what_is_no_file_is_told_in_a_line(tmp_path, capsys):
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "notes.txt").write_text("a,y\n1,2\n")
    fails(capsys, 2, "is a folder; expected a .csv, .parquet, .npz or .npy file.", "data", str(tmp_path / "folder.csv"))
    fails(capsys, 2, "is another kind of file; expected", "data", str(tmp_path / "notes.txt"))
    fails(capsys, 2, "there is no such file", "data", str(tmp_path / "no.npz"))
    fails(capsys, 2, "there is no such file; expected a .csv, .parquet, .npz or .npy file", "data", "no.xlsx")
    fails(capsys, 3, "is not an .npz file", "data", written(tmp_path, "x" * 50, "a.npz"))
