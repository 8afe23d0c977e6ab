"""Tables in csv files, Parquet files, dicts and frames: the same arrays from all of them, and the same refusals."""

import datetime
import sys

import numpy as np
import pytest

from fnn.data import load_data, tables
from fnn.data.csv_files import CELLS_AT_ONCE
from fnn.errors import CorruptFileError, InputError
from tests.helpers.data_files import digest, written
from tests.helpers.frames import ArrowLike, PandasLike, ParquetFiles, PolarsLike, as_csv
from tests.helpers.hostile import MIB, memory_below

RNG = np.random.default_rng(0)
PETS = {
    "id": [f"p{k:03}" for k in range(60)],
    "height": RNG.integers(10, 90, 60).tolist(),
    "weight": RNG.normal(9, 2, 60).round(3).tolist(),
    "colour": RNG.choice(["black", "white", "ginger"], 60).tolist(),
    "legs": RNG.choice([3, 4], 60).tolist(),
    "kind": RNG.choice(["cat", "dog"], 60).tolist(),
}
BLANKS = PETS | {
    "height": [None if k == 7 else v for k, v in enumerate(PETS["height"])],
    "weight": [float("nan") if k in (3, 7) else v for k, v in enumerate(PETS["weight"])],
    "colour": [None if k == 30 else v for k, v in enumerate(PETS["colour"])],
}
FORMS = ("csv", "parquet", "dict", "arrays", "texts", "pandas-like", "polars-like", "pyarrow-like", "pandas", "polars")
FORMS += ("pyarrow", "a real parquet")
COLUMNS = {"drop": ["id"], "onehot": ["colour", "legs"]}


def array(cells):
    if any(isinstance(cell, str) for cell in cells):
        return np.array(["" if cell is None else cell for cell in cells])
    return np.array([np.nan if cell is None else cell for cell in cells])


@pytest.fixture(params=FORMS)
def source(request, tmp_path, monkeypatch):
    """From columns to a source of this form, and how a row of it is called."""
    form = request.param
    if form == "csv":
        return lambda columns: written(tmp_path, as_csv(columns))
    if form == "parquet":
        path = written(tmp_path, "", "a.parquet")
        files = ParquetFiles({path: {}})
        monkeypatch.setitem(sys.modules, "pyarrow", object())
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", files)
        return lambda columns: files.files.update({path: columns}) or path
    if form in ("pandas", "polars", "pyarrow", "a real parquet"):
        module = pytest.importorskip("pyarrow" if form == "a real parquet" else form)
        if form in ("pandas", "polars"):
            return module.DataFrame
        return module.table if form == "pyarrow" else lambda columns: real_parquet(columns, tmp_path)
    plain = {
        "dict": dict,
        "arrays": lambda columns: {name: array(cells) for name, cells in columns.items()},
        "texts": lambda columns: {n: ["" if c is None or c != c else str(c) for c in v] for n, v in columns.items()},
    }
    return plain.get(form) or {"pandas-like": PandasLike, "polars-like": PolarsLike, "pyarrow-like": ArrowLike}[form]


def real_parquet(columns, folder):
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    parquet.write_table(pyarrow.table(columns), folder / "real.parquet")
    return str(folder / "real.parquet")


def row(source, k):
    """How row `k` is called in messages."""
    return f"{source}, line {k + 2}, " if str(source).endswith("csv") else f"row {k}, "


SAME = [
    (PETS, COLUMNS | {"standardise": True, "test": 12}),
    (PETS, COLUMNS | {"order": "as stored", "validation": 9, "classes": ("dog", "cat")}),
    (PETS, {"drop": ["id", "kind"], "onehot": ["colour"], "label": "weight", "standardise_y": True}),
    (PETS, {"drop": ["id", "colour"], "label": "legs", "onehot": ["kind"], "targets": "quantity"}),
    (BLANKS, COLUMNS | {"missing": "mean", "standardise": True, "test": 12}),
    (BLANKS, COLUMNS | {"missing": "drop", "test": 12}),
]


@pytest.mark.parametrize(("columns", "options"), SAME, ids=range(len(SAME)))
def test_every_form_of_a_table_gives_the_same_bytes(source, columns, options, tmp_path):
    expected = load_data(written(tmp_path, as_csv(columns), "expected.csv"), **options)
    given = load_data(source(columns), **options)
    assert digest(given) == digest(expected)
    assert given._replace(train=0, validation=0, test=0, mean=0, sd=0, y_mean=0, y_sd=0) == expected._replace(
        train=0, validation=0, test=0, mean=0, sd=0, y_mean=0, y_sd=0
    )
    for name in ("mean", "sd", "y_mean", "y_sd"):
        np.testing.assert_array_equal(getattr(given, name), getattr(expected, name), strict=True)


def put(name, k, cell):
    return PETS | {name: [cell if i == k else v for i, v in enumerate(PETS[name])]}


SLIPS = [
    (
        put("height", 5, None),
        {},
        5,
        "column 'height': nothing; expected a number: fill it in, remove the row, or set mi",
    ),
    (put("weight", 5, float("nan")), {}, 5, "column 'weight': nothing; expected a number"),
    (put("colour", 6, None), {}, 6, "column 'colour': nothing; expected a text: fill it in, remove the row, or set"),
    (
        put("kind", 6, None),
        {},
        6,
        "column 'kind': nothing; expected a label: fill it in, or remove the row, as missing =",
    ),
    (put("kind", 6, None), {"missing": "mean"}, 6, "column 'kind': nothing; expected a label"),
    (
        put("colour", 9, "wh\x07ite"),
        {},
        9,
        r"column 'colour': 'wh\\x07ite': holds '\\x07', a character that cannot be se",
    ),
    (put("colour", 9, "x" * 201), {}, 9, "column 'colour': a text of 201 characters; expected at most 200"),
    (put("colour", 59, "White"), {}, 59, "column 'colour': 'White' is another spelling of 'white' in "),
    (put("kind", 59, "Dog"), {}, 59, "column 'kind': 'Dog' is another spelling of 'dog' in "),
    (put("weight", 4, 1e39), {}, 4, r"column 'weight': 1e\+39; expected a finite number that fits float32"),
    (put("weight", 4, float("inf")), {}, 4, "column 'weight': inf; expected a finite number that fits float32"),
    (
        PETS,
        {"onehot": ["legs"]},
        0,
        r"column 'colour': '\w+'; expected a number: correct it, or name the column: onehot = \['colour'\] or drop = ",
    ),
    (
        PETS,
        {"drop": [], "onehot": []},
        0,
        r"column 'id': 'p000'; .* onehot = \['id'\] or drop = \['id'\]. Text is also in 'colour'",
    ),
    (
        PETS,
        {"onehot": ["colour", "weight"]},
        0,
        r"column 'weight': [\d.]+; expected text or whole numbers in a one-hot",
    ),
    (PETS | {"legs": [k > 30 for k in range(60)]}, {"onehot": ["colour"]}, 0, "column 'legs': 'False'; expected a num"),
]


@pytest.mark.parametrize(("columns", "options", "k", "message"), SLIPS, ids=range(len(SLIPS)))
def test_a_cell_is_refused_by_column_and_row_in_every_form(source, columns, options, k, message):
    given = source(columns)
    with pytest.raises(InputError, match=row(given if isinstance(given, str) else "", k) + message) as caught:
        load_data(given, **COLUMNS | options)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600


WHOLE = [
    (
        PETS | {"height": [2**60 + k for k in range(60)]},
        "column 'height': its numbers differ, .* float64, .* sixteen di",
    ),
    (PETS | {"height": [1.7e9 + k / 99 for k in range(60)]}, "column 'height': its numbers differ, .* float32"),
    ({"": PETS["height"]} | PETS, "column 1 has no name; is it an index"),
    ({"Unnamed: 0": PETS["height"]} | PETS, "column 1 is called 'Unnamed: 0', .* or set drop = .'Unnamed: 0'"),
    ({"7": PETS["height"]} | PETS, "column 1 is called '7', a number"),
    (
        PETS | {"Height": PETS["height"], "h\u00e9": PETS["height"], "he\u0301": PETS["legs"]},
        "'h\u00e9' is there twice",
    ),
    (
        {name: PETS[name] for name in ("id", "kind")} | {"colour": PETS["colour"]},
        "onehot: 'legs' is none of its columns",
    ),
]


@pytest.mark.parametrize(("columns", "message"), WHOLE, ids=range(len(WHOLE)))
def test_a_table_is_refused_in_every_form(source, columns, message):
    with pytest.raises(InputError, match=message):
        load_data(source(columns), **COLUMNS)


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"drop": ["ids"]}, r"drop: 'ids' is none of its columns: \['id', .*; did you mean 'id'\?"),
        ({"onehot": ["color"]}, "onehot: 'color' is none of its columns: .*; did you mean 'colour'"),
        ({"label": "sort"}, "label = 'sort' is none of its columns"),
        ({"drop": ["id", "id"]}, "drop: 'id' is there twice; name it once"),
        ({"drop": ["colour"], "onehot": ["colour"]}, "'colour' is in drop and in onehot; expected one of the two"),
        ({"drop": ["kind"], "label": "kind"}, "column 'kind' is the label and in drop; expected one of the two"),
        ({"onehot": ["kind"], "label": "kind"}, "column 'kind' is the label, and in onehot; expected one of the two"),
        ({"onehot": ["kind"]}, "column 'kind' is the label, since it is the last column, and in onehot; expected one"),
        ({"drop": [*list(PETS)[:-1]]}, "drop leaves one column, 'kind'; expected inputs and a label"),
        ({"drop": [*PETS]}, "drop leaves no column; expected inputs and a label"),
        ({"missing": "median"}, "missing = 'median': expected 'refuse', 'drop' or 'mean'; did you mean 'mean'"),
        ({"missing": None}, "missing = None: expected 'refuse', 'drop' or 'mean'$"),
        ({"missing": ""}, "missing = '': expected 'refuse', 'drop' or 'mean'$"),
        ({"order": "stored"}, "order = 'stored': expected 'random' or 'as stored'; did you mean 'as stored'"),
        ({"order": "as stored", "split_seed": 3}, "split_seed = 3: order = 'as stored' draws no rows"),
        ({"drop": "id"}, "drop = 'id': expected a list of texts"),
        ({"onehot": [1]}, r"onehot = \[1\]: expected a list of texts, such as"),
        ({"standardise_y": "no"}, "standardise_y = 'no': expected True or False"),
        ({"noise": 0.5}, "size, noise, seed: they describe moons, spirals, sine, not the table; drop them"),
        ({"memory": 1.0}, "y, memory: they are for inputs in an .npy file, not for the table; drop them"),
        (
            {"standardise_y": True, **COLUMNS},
            "standardise_y = true: the outputs are classes, .* 'kind' read as 2 class",
        ),
    ],
)
def test_a_wrong_choice_of_columns_is_named(choice, message):
    with pytest.raises(InputError, match=message):
        load_data(PETS, **choice)


@pytest.mark.parametrize("name", ["digits", "xor", "sine", "mnist", "a.npz"])
@pytest.mark.parametrize(
    ("option", "said"),
    [
        ({"drop": ["a"]}, r"drop = \['a'\]"),
        ({"onehot": ["a"]}, r"onehot = \['a'\]"),
        ({"missing": "mean"}, "missing = 'mean'"),
    ],
)
def test_options_of_columns_are_for_tables(name, option, said):
    with pytest.raises(
        InputError, match=f"{said}: only a .csv or .parquet file or a data frame has named columns, '{name}"
    ):
        load_data(name, **option)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a": [1, 2], "b": [1, 2, 3]}, "column 'b' has 3 rows, 'a' has 2; expected as many"),
        ({"a": 5, "b": [1]}, "column 'a': 5; expected one number or text for each row"),
        ({"a": "xyz", "b": [1, 2, 3]}, "column 'a': 'xyz'; expected one number"),
        (
            {"a": np.zeros((2, 3)), "b": [1, 2]},
            r"column 'a' has shape \(2, 3\); expected one number or text for each row",
        ),
        ({"a": {1, 2}, "b": [1, 2]}, "column 'a': .* expected one number or text for each row"),
        ({"a": [], "b": []}, "the table: no rows; expected at least one row"),
        ({0: [1, 2], 1: [3, 4]}, "the table: all numbers; expected names of columns; rename them"),
        ({"a": [1, 2]}, "the table: one column, 'a'; expected inputs and a label$"),
        ({}, "the table: expected a different name for each column"),
        ({"a": [1, 2j], "b": ["u", "v"]}, "row 0, column 'a': '1'|row 1, column 'a': '2j'; expected a number"),
        ({"a": [1, b"\xff"], "b": ["u", "v"]}, r"row 1, column 'a': '\\\\xff'; expected a number"),
        ({"a": [[1], [2]], "b": ["u", "v"]}, r"row 0, column 'a': '\[1\]'; expected a number"),
        (
            {"a": np.ma.masked_equal([1, 2, 3], 2), "b": ["u", "v", "u"]},
            "row 1, column 'a': nothing; expected a number",
        ),
    ],
    ids=range(13),
)
def test_what_is_no_table_of_columns_is_refused(columns, message):
    with pytest.raises(InputError, match=message):
        load_data(columns)


@pytest.mark.parametrize("source", [None, 3, b"x", ["a.csv"], np.zeros((2, 2)), object()], ids=range(6))
def test_what_is_no_source_is_refused(source):
    with pytest.raises(InputError, match=r"^source = .*: expected a text, or columns by name: a dict or a data frame$"):
        load_data(source)


def test_numbers_of_every_kind_are_read_exactly():
    kinds = ["i1", "u1", "i4", ">i8", "u8", "f2", ">f4", "f4", "f8"]
    columns = {kind: np.array([1, 0, 3, 2], kind) for kind in kinds} | {"y": np.array(["u", "v", "v", "u"])}
    data = load_data(columns)
    assert data.columns == tuple(kinds)
    np.testing.assert_array_equal(data.train.x, np.array([1, 0, 3, 2], "f4")[:, None].repeat(len(kinds), 1))
    exact = load_data({"a": np.array([0.1, 0.5], "f4"), "y": [0, 1]}, standardise=True)
    assert exact.mean.tolist() == [(float(np.float32(0.1)) + 0.5) / 2]


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        ([10, 9, 9], ("9", "10")),
        (np.array([10, 9, 9], np.uint8), ("9", "10")),
        ([True, False, True], ("False", "True")),
        ([b"u", b"v", b"u"], ("u", "v")),
        (np.array(["b", "a", "b"], object), ("a", "b")),
        ([1.0, 2.0, 1.0], ()),
        (np.array([1.5, 2.5, 1.5], "f4"), ()),
        ([1, 2.5, 3], ()),
        ([2**70, 1, 2**70], ("1", str(2**70))),
    ],
    ids=str,
)
def test_labels_in_memory_are_read_as_those_of_a_file(labels, classes):
    data = load_data({"a": [1, 2, 3], "y": labels})
    assert data.classes == classes
    if not classes:
        assert data.train.y.ravel().tolist() == [float(v) for v in labels]


def test_times_are_the_same_texts_from_everywhere():
    times = [datetime.datetime(2026, 1, 2, 3, 4), None, datetime.datetime(2026, 1, 2)]
    for given in (times, np.array(times, "M8[ns]"), np.array(times, "M8[s]")):
        data = load_data({"a": given, "y": [1.5, 2.5, 3.5]}, onehot=["a"], missing="drop")
        assert data.encoding.columns[0].texts == ("2026-01-02 00:00:00", "2026-01-02 03:04:00")
        with pytest.raises(InputError, match="row 0, column 'a': '2026-01-02 03:04:00'; expected a number"):
            load_data({"a": given, "y": [1.5, 2.5, 3.5]})


def test_more_labels_than_classes_may_be_are_refused_from_memory():
    with pytest.raises(InputError, match="column 'y': more than 1,000 different labels, all whole numbers"):
        load_data({"a": np.arange(2000), "y": np.arange(2000)})
    with pytest.raises(
        InputError, match="row 1001, column 'a': more than 1,000 different texts; .* drop = .'a'. leaves"
    ):
        load_data({"a": [f"t{k}" for k in range(2000)], "y": np.arange(2000) % 2}, onehot=["a"])


def test_one_table_in_many_pieces(tmp_path):
    n = CELLS_AT_ONCE // 3 * 2 + 5
    columns = {"a": [None if k % 97 == 5 else k for k in range(n)], "b": RNG.normal(size=n), "y": ["u", "v"] * (n // 2)}
    columns["y"] += ["u"] * (n - len(columns["y"]))
    path = written(tmp_path, as_csv(columns))
    for missing in ("mean", "drop"):
        assert digest(load_data(path, missing=missing)) == digest(load_data(columns, missing=missing))
    late = "\n" * 3 + f"{n},x,u\n"
    with open(path, "a") as file:
        file.write(late)
    with pytest.raises(InputError, match=f"line {n + 5}, column 'b': 'x'; expected a number"):
        load_data(path, missing="drop")


def test_a_table_says_what_it_holds(tmp_path):
    table = tables.read(written(tmp_path, "a,b,c\n1,x,\n2,,4\nNA,x,5\n3,7,1_0\n"))
    a, b, c = table.columns
    assert (table.names, table.n, [table.place(k) for k in (0, 3)]) == (("a", "b", "c"), 4, ["line 2", "line 5"])
    assert (a.codes, a.missing, a.text) == (None, (2, "NA"), None)
    np.testing.assert_array_equal(a.numbers, [1, 2, np.nan, 3])
    assert (b.texts, b.codes.tolist(), b.rows, b.missing, b.text) == (
        ("x", "7"),
        [0, -1, 0, 1],
        (0, 3),
        (1, ""),
        (0, "x"),
    )
    assert (c.text, c.is_missing.tolist()) == ((3, "1_0"), [True, False, False, False])
    assert list(table.cells("b")) == ["x", "", "x", "7"]
    some = table.take(np.array([False, True, True, True]))
    assert (some.place(0), some.column("b").texts, some.column("b").rows) == ("line 3", ("x", "7"), (1, 2))
    assert tables.of_frame(3) is tables.of_frame("digits") is tables.of_frame(np.zeros(3)) is None
    assert tables.of_frame({"a": [1]}).where == "the table"


def test_an_index_that_has_a_name_is_told_to_be_no_column():
    frame = PandasLike({"a": [1, 2], "y": ["u", "v"]})
    assert load_data(frame).told == ("x: 1 input from 1 number, 'a'",)
    frame.index = type("Index", (), {"names": [None]})
    assert len(load_data(frame).told) == 1
    frame.index.names = ["when", None]
    assert load_data(frame).told[1] == "not read: 'when', the index of the table; df.reset_index() makes it a column"


def test_parquet_without_pyarrow_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    path = written(tmp_path, "x", "a.parquet")
    with pytest.raises(InputError, match=r"a.parquet: pyarrow reads .parquet files, .* pip install 'fnn\[parquet\]'$"):
        load_data(path)
    with pytest.raises(InputError, match="there is no such file"):
        load_data(str(tmp_path / "none.parquet"))


def test_a_parquet_file_that_is_none_or_too_large(tmp_path, monkeypatch):
    path = written(tmp_path, "", "a.parquet")
    files = ParquetFiles({path: {"a": range(2**27), "y": range(2**27)}})
    monkeypatch.setitem(sys.modules, "pyarrow", object())
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", files)
    with pytest.raises(
        InputError, match="268,435,456 cells; expected at most 134,217,728. Keep fewer rows, or drop col"
    ):
        load_data(path)
    files.ParquetFile = lambda path: int("no magic bytes")
    with pytest.raises(CorruptFileError, match="cannot be read as a Parquet file: invalid literal"):
        load_data(path)


def test_a_column_of_many_texts_takes_little_memory(tmp_path):
    path = written(tmp_path, "a,b\n" + "".join(f"{k % 7},text number {k}\n" for k in range(20_000)))
    with memory_below(6 * MIB), pytest.raises(InputError, match="line 1003, column 'b': more than 1,000 different"):
        load_data(path)
    with memory_below(6 * MIB):
        assert len(tables.read(path).column("b").texts) == 1001
