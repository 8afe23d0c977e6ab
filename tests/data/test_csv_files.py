"""Tables in `.csv` files: what is in them, and every mistake by its line and column."""

import numpy as np
import pytest

from fnn.data import load_data
from fnn.errors import CorruptFileError, InputError
from fnn.looking.tables import look_at_table
from tests.helpers.data_files import CSV, written
from tests.helpers.hostile import MIB, memory_below


def test_a_csv_with_text_labels(tmp_path):
    data = load_data(written(tmp_path, CSV))
    assert (data.classes, data.train.x.dtype, data.train.scale) == (("cat", "dog"), np.float32, 1.0)
    assert data.train.x.tolist() == [[1, 2], [3, 4.5], [-0.5, 0]]
    assert data.train.y.tolist() == [[1, 0], [0, 1], [1, 0]]


def test_a_csv_with_a_named_label_column_quotes_and_blank_lines(tmp_path):
    path = written(tmp_path, '\ufeff"kind", "a ""b"""\r\n"x, y", 1\r\n\r\n z ,2\r\n')
    data = load_data(path, label="kind")
    assert (data.classes, data.train.x.tolist()) == (("x, y", "z"), [[1], [2]])


def test_quantities_may_start_with_many_whole_numbers(tmp_path):
    data = load_data(written(tmp_path, "a,b\n" + "".join(f"0,{i}\n" for i in range(1500)) + "0,0.5\n"))
    assert (data.classes, data.train.y.shape, data.train.y[-2:].tolist()) == ((), (1501, 1), [[1499], [0.5]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"line 1: expected a header line"),
        ("a,b\n", r"no rows"),
        ("a,a\n1,2\n", r"line 1: expected a header line, a different name for each"),
        ("a" * 300 + ",b\n3,4\n", r"line 1: a name of 300 characters"),
        ("1,2\n3,4\n", r"line 1: all numbers; expected a header"),
        (
            "a;b\n1;2\n",
            r"one column, 'a;b'; expected inputs and a label, separated by commas and not by ';', with a point",
        ),
        ("a\tb\n1\t2\n", r"one column, 'a\\tb'; expected inputs and a label, separated by commas and not by '\\t'"),
        ("a|b\n1|2\n", r"separated by commas and not by '\|', with a point in decimal numbers"),
        ("ab\n1\n", r"one column, 'ab'; expected inputs and a label, separated by commas$"),
        ("a,b\n1,x\n2\n", r"line 3: 1 cells; expected 2"),
        ("a,b\n1,x\n\n,y\n", r"line 4, column 'a': nothing; expected a number"),
        ("a,b\n1,x\nred,y\n", r"line 3, column 'a': 'red'; expected a number"),
        ("a,b\n1_0,y\n", r"line 2, column 'a': '1_0'; expected a number"),
        ("a,c,b\n1,2,x\n3,nan,y\n", r"line 3, column 'c': nan; expected a finite number"),
        ("a,b\n-inf,y\n", r"line 2, column 'a': -inf; expected a finite"),
        ("a,b\n1e39,y\n", r"line 2, column 'a': 1e39; expected a finite number that fits float32"),
        ("a,b\n1,\n", r"line 2, column 'b': nothing; expected a label"),
        ("a,b\n1,0.5\n1,nan\n", r"line 3, column 'b': nan"),
        ("a,b\n" + "".join(f"0,{i}\n" for i in range(1001)), r"column 'b': more than 1,000 different labels"),
        ("a,b\n" + "".join(f"0,{i}\n" for i in range(1001)), r"all whole numbers; targets = 'quantity' reads a quan"),
        ("a,b\n" + "".join(f"0,x{i}\n" for i in range(2000)), r"line 1003, column 'b': more than 1,000 different"),
        ("a,b\n1," + "x" * 300, r"line 2, column 'b': a label of 300 characters"),
    ],
    ids=range(22),
)
def test_a_wrong_csv_is_an_input_error_with_line_and_column(tmp_path, text, message):
    with pytest.raises(InputError, match=r"a\.csv.*" + message):
        load_data(written(tmp_path, text))


HEADERLESS = "expected a header line .* the file seems to have none, write one"
INDEX = r"is it an index\? Name it or delete it, for example by df.to_csv\(path, index=False\)"


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("6.1,2.8,blue", "column 1 is called '6.1', a number; " + HEADERLESS),
        ("width,2,kind", "column 2 is called '2', a number; " + HEADERLESS),
        ("width,height,+3e4", r"column 3 is called '\+3e4', a number; " + HEADERLESS),
        ("width, nan ,kind", "column 2 is called 'nan', a number; " + HEADERLESS),
        ('\ufeff"-.5",height,kind', "column 1 is called '-.5', a number; " + HEADERLESS),
        ("red,inf,7", "column 2 is called 'inf'"),
        ("?,red,high", r"column 1 is called '\?', which marks a missing value; " + HEADERLESS),
        ("width,-,kind", "column 2 is called '-', which marks a missing value; " + HEADERLESS),
        ("Unnamed: 0.1,height,kind", "column 1 is called 'Unnamed: 0.1', as pandas"),
        ("0,1,2", "all numbers; " + HEADERLESS),
        (",height,kind", "column 1 has no name; " + INDEX),
        ("\ufeff,height,kind", "column 1 has no name; " + INDEX),
        ('"",height,kind', "column 1 has no name; " + INDEX),
        ("width,height,", "column 3 has no name; " + INDEX),
        ("width,\N{NO-BREAK SPACE} ,kind", "column 2 has no name; " + INDEX),
        (
            "Unnamed: 0,height,kind",
            "column 1 is called 'Unnamed: 0', as pandas calls a column without a name; " + INDEX,
        ),
        ("width,kind,width", "expected a header line, a different name for each column; 'width' is there twice"),
        (",,", "expected a header line, a different name for each column"),
    ],
)
def test_a_name_that_is_no_name_is_refused_with_its_place(tmp_path, header, message):
    with pytest.raises(InputError, match=r"a\.csv, line 1: " + message):
        load_data(written(tmp_path, header + "\n1,2,3\n4,5,6\n"))


@pytest.mark.parametrize("header", ["Na,Mg,kind", '\ufeff"1a", "_2" , x1', "e5,1_0,1-2", "0x1,1/2,1:2"])
def test_a_name_that_only_looks_like_a_number_is_one(tmp_path, header):
    data = load_data(written(tmp_path, header.replace('" ,', '",') + "\n1,2,u\n4,5,v\n"))
    assert (*data.columns, data.label) == tuple(name.strip(' "\ufeff') for name in header.split(","))


def test_the_names_of_the_columns_are_kept_in_order(tmp_path):
    data = load_data(written(tmp_path, "height,kind,weight\n1,a,2\n3,b,4\n"), label="kind")
    assert (data.columns, data.label, data.train.x.tolist()) == (("height", "weight"), "kind", [[1, 2], [3, 4]])
    assert load_data(written(tmp_path, CSV), standardise=True).columns == ("width", "height")


def test_quotes_after_spaces_are_quotes(tmp_path):
    data = load_data(written(tmp_path, 'width, "the kind"\n1, "cat, old"\n2, "dog"\n'))
    assert (data.label, data.classes) == ("the kind", ("cat, old", "dog"))


@pytest.mark.parametrize("mark", ["", "?", "NA", "N/A", "nan", "NaN", "null", "None", "-", ".", "#N/A", "<NA>", "n.a."])
def test_a_missing_input_is_named(tmp_path, mark):
    with pytest.raises(
        InputError, match=r"a.csv, line 3, column 'b': (nothing|'.*', which marks a missing value|nan|NaN);"
    ):
        load_data(written(tmp_path, f"a,b,y\n1,2,u\n3,{mark},v\n"))


def test_a_label_that_is_no_column_is_named(tmp_path):
    with pytest.raises(InputError, match=r"label = 'sort' is none of its columns: \['width', 'height', 'kind'\]"):
        load_data(written(tmp_path, CSV), label="sort")


@pytest.mark.parametrize(
    "data",
    [b"a,b\n1,\xff\n", b'a,b\n"1,2\n', b"a,b\n1," + b"x" * 2**18, b"a,b\n" + b"1," * 2**20],
    ids=["not UTF-8", "an open quote", "a huge cell", "a huge line"],
)
def test_a_file_that_is_no_table_is_corrupt(tmp_path, data):
    with pytest.raises(CorruptFileError, match="cannot be read as a table of UTF-8 text"):
        load_data(written(tmp_path, data))


@pytest.mark.parametrize("read", [load_data, look_at_table])
@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-16", "it is UTF-16"), ("latin-1", "line 3 has the byte 0xfc, a 'ü' in Latin-1")],
)
def test_another_encoding_is_told_with_the_place_and_the_remedy(tmp_path, read, encoding, said):
    path = written(tmp_path, "a,y\n1,rot\n2,grün\n".encode(encoding))
    with pytest.raises(CorruptFileError, match=f'UTF-8 text: {said}; save it as UTF-8: "CSV UTF-8" in Excel'):
        read(path)


@pytest.mark.parametrize("read", [load_data, look_at_table])
@pytest.mark.parametrize(
    ("begin", "said"),
    [
        (b"PK\x03\x04", 'it is a zip archive, as those of Excel are; unpack it, or save the sheet as "CSV UTF-8"'),
        (b"\x1f\x8b\x08", "it is compressed by gzip; unpack it"),
        (b"PAR1", "it is a Parquet file; let its name end with .parquet"),
        (b"\x89PNG\r\n", "it is no text, but bytes; expected a .csv file"),
    ],
)
def test_a_file_that_is_no_text_is_told_what_it_is(tmp_path, read, begin, said):
    path = written(tmp_path, begin + bytes(range(256)))
    with pytest.raises(CorruptFileError, match=f"cannot be read as a table of UTF-8 text: {said}$"):
        read(path)


@pytest.mark.parametrize(
    ("read", "header", "most"),
    [
        (load_data, ";".join("ab" * 90), 220),
        (look_at_table, ";".join("ab" * 90), 220),
        (load_data, "\0" * 150 + ",b", 370),
    ],
)
def test_a_long_header_is_told_in_short(tmp_path, read, header, most):
    with pytest.raises(InputError) as told:
        read(written(tmp_path, f"{header}\n1,2\n"))
    assert len(str(told.value).rpartition("/")[2]) < most


@pytest.mark.long
def test_a_small_csv_cannot_ask_for_much_memory(tmp_path):
    path = written(tmp_path, "a,b\n" + "".join(f"0,{i % 1000}\n" for i in range(200_000)))
    with (
        memory_below(65 * MIB),
        pytest.raises(InputError, match="200,000 one-hot rows of 1,000 classes take 200,000,000"),
    ):
        load_data(path)
