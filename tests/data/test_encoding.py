"""One-hot columns, missing cells, units of outputs, the order of rows: what the training rows decide, what is told."""

import numpy as np
import pytest

from fnn.data import encoding, load_data, load_inputs
from fnn.data.encoding import Coded, Encoding
from fnn.data.hints import hints
from fnn.errors import InputError
from tests.helpers.data_files import saved, written

SIZES = "size,colour,doors,price\n1,red,2,5.5\n2,blue,10,6.5\n4,red,2.0,7.5\n3,green,02,1.5\n"
ORDER = {"order": "as stored"}


def read(tmp_path, text=SIZES, **options):
    return load_data(written(tmp_path, text), **options)


def test_a_text_is_one_input_for_each_of_the_training_texts(tmp_path):
    data = read(tmp_path, onehot=["colour", "doors"])
    assert data.train.x.tolist() == [
        [1, 0, 0, 1, 1, 0],
        [2, 1, 0, 0, 0, 1],
        [4, 0, 0, 1, 1, 0],
        [3, 0, 1, 0, 1, 0],
    ]
    coded = (Coded("size"), Coded("colour", ("blue", "green", "red")), Coded("doors", ("2", "10")))
    assert (data.encoding, data.columns) == (Encoding(coded), ("size", "colour", "doors"))
    assert data.encoding.inputs == ("size", "colour=blue", "colour=green", "colour=red", "doors=2", "doors=10")
    assert data.told == ("x: 6 inputs from 1 number, 'size'; 2 one-hot, 'colour' (blue, green, red), 'doors' (2, 10)",)


def test_what_is_told_of_many_columns_stays_short():
    columns = {f"c{k}": [k, 1, 2] for k in range(300)} | {
        f"t{k}": [str(i + k) + "x" for i in range(3)] for k in range(9)
    }
    data = load_data(columns | {"y": ["u", "v", "u"]}, onehot=[f"t{k}" for k in range(9)])
    numbers = "300 numbers, 'c0', 'c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', ... 300 in all"
    assert data.told[0].startswith(f"x: 327 inputs from {numbers}; 9 one-hot, 't0' (0x, 1x, 2x), ")
    assert data.told[0].endswith("'t7' (7x, 8x, 9x), ... 9 in all")


def test_without_choices_nothing_is_encoded(tmp_path):
    data = read(tmp_path, "a,b,y\n1,2,u\n3,4,v\n")
    assert (data.encoding, data.y_mean, data.y_sd) == (None, 0.0, 1.0)
    assert data.told == ("x: 2 inputs from 2 numbers, 'a', 'b'",)


def test_a_constant_may_be_onehot(tmp_path):
    data = read(tmp_path, "a,b,y\n1,x,u\n1,x,v\n", onehot=["a", "b"], standardise=True)
    assert data.train.x.tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("red", None),
        ("violet", r"a.csv, line 5, column 'colour': 'violet' is in no training row; they have 'blue', 'red': choose"),
    ],
)
def test_a_text_of_no_training_row_is_refused(tmp_path, cell, message):
    text = SIZES.replace("green", cell)
    if message is None:
        assert read(tmp_path, text, onehot=["colour", "doors"], test=1, **ORDER).test.x.tolist() == [[3, 0, 1, 1, 0]]
        return
    for held in ("test", "validation"):
        with pytest.raises(InputError, match=message + " other training rows by split_seed or train, or drop"):
            read(tmp_path, text, onehot=["colour", "doors"], **ORDER, **{held: 1})


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (
            ("a", "A", "b"),
            "line 3, column 'c': 'A' is another spelling of 'a' in line 2; write both alike, or drop the col",
        ),
        (("2", "02", "5more"), "line 3, column 'c': '02' is the same number as '2' in line 2"),
        (("1", "1.5", "2"), "line 3, column 'c': 1.5; expected text or whole numbers in a one-hot column"),
        (("1", "inf", "2"), "line 3, column 'c': inf; expected text or whole numbers"),
        (
            ("a", "NA", "b"),
            "line 3, column 'c': 'NA', which marks a missing value; expected a text: fill it in, remove",
        ),
        (("a", "\u200b\ufeffb", "b"), "column 'c': .* holds '\\\\ufeff', a character that cannot be seen"),
    ],
    ids=range(6),
)
def test_what_is_no_text_is_refused(tmp_path, cells, message):
    text = "c,y\n" + "".join(f"{cell},{k % 2}\n" for k, cell in enumerate(cells))
    with pytest.raises(InputError, match=message):
        read(tmp_path, text, onehot=["c"])


BLANK = "a,c,y\n1,u,0.5\n,v,1.5\n5,,2.5\n6,u,3.5\n9,v,4.5\n90,u,9.5\n"


def test_a_missing_cell_is_filled_with_the_mean_of_the_training_rows(tmp_path):
    data = read(tmp_path, BLANK, onehot=["c"], missing="mean", test=1, **ORDER)
    assert data.encoding == Encoding((Coded("a", (), (5.25,)), Coded("c", ("u", "v"), (0.5, 0.5))))
    assert data.train.x.tolist() == [[1, 1, 0], [5.25, 0, 1], [5, 0.5, 0.5], [6, 1, 0], [9, 0, 1]]
    assert data.told == (
        "x: 3 inputs from 1 number, 'a'; 1 one-hot, 'c' (u, v)",
        "filled with the mean of the training rows: 1 of 'a' by 5.25; 1 of 'c' by the share of each text",
        "rows: as stored, the first 5 for training, the last 1 for the test",
    )
    held = read(tmp_path, BLANK.replace("90,", ","), onehot=["c"], missing="mean", test=1, **ORDER)
    assert held.test.x.tolist() == [[5.25, 1, 0]]


def test_a_row_with_a_missing_cell_is_left_out_before_the_split(tmp_path):
    data = read(tmp_path, BLANK.replace("9,v", "9,u"), onehot=["c"], missing="drop", validation=1, test=1, **ORDER)
    assert [part.y.ravel().tolist() for part in data[:3]] == [[0.5, 3.5], [4.5], [9.5]]
    assert data.told[1] == "left out: 2 of 6 rows, in which cells are missing: 1 in 'a', 1 in 'c'"
    assert not any(column.fill for column in data.encoding.columns)
    label = read(tmp_path, "a,y\n1,u\n2,NA\n3,v\n", missing="drop")
    assert (label.classes, label.train.x.tolist()) == (("u", "v"), [[1], [3]])
    assert label.told[1] == "left out: 1 of 3 rows, in which cells are missing: 1 in 'y'"


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (
            "a,y\n,u\n,v\n",
            {"missing": "drop"},
            "leaves none of 2 rows; cells are missing: 2 in 'a'; 'a' has none: drop",
        ),
        (
            "a,b,y\n1,,u\n2,,v\n3,7,v\n",
            {"missing": "mean", "test": 1, **ORDER},
            "column 'b': it is missing in every train",
        ),
        ("a,y\n1,u\n2,\n", {"missing": "mean"}, "line 3, column 'y': nothing; expected a label"),
        ("a,y\n1,u\n,v\n", {}, "line 3, column 'a': nothing; .*, remove the row, or set missing = 'drop' or 'mean'"),
    ],
    ids=range(4),
)
def test_what_cannot_be_filled_is_refused(tmp_path, text, options, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, text, **options)


def test_numbers_beside_missing_cells_lose_no_digits_either(tmp_path):
    text = "a,b,y\n" + "".join(f"{1_700_000_000 + k},{k},{k % 2}\n" for k in range(40)) + ",1,0\n"
    with pytest.raises(InputError, match="column 'a': its numbers differ, .* float32.*; data.standardise = true"):
        read(tmp_path, text, missing="mean")
    assert len(np.unique(read(tmp_path, text, missing="mean", standardise=True).train.x[:, 0])) == 41
    with pytest.raises(InputError, match="column 'a': its numbers differ, .* float64"):
        read(tmp_path, text.replace("17000000", "90071992547410"), missing="mean", standardise=True)


def test_what_is_in_a_row_that_is_left_out_does_not_count(tmp_path):
    text = "a,c,y\n1,u,2\n,slip,no number\n3,v,4\n5,u,6\n"
    data = read(tmp_path, text, onehot=["c"], missing="drop", targets="quantity")
    assert (data.encoding.columns[1].texts, data.train.y.ravel().tolist()) == (("u", "v"), [2, 4, 6])
    with pytest.raises(
        InputError, match="line 4, column 'y': 'no number'; expected a number, since targets = 'quantity'"
    ):
        read(tmp_path, "a,y\n,1\n2,3\n4,no number\n", missing="drop", targets="quantity")


def test_one_hot_inputs_are_not_standardised(tmp_path):
    text = SIZES.replace("green", "red")
    data = read(tmp_path, text, onehot=["colour", "doors"], standardise=True, test=1, **ORDER)
    size = np.array([1, 2, 4.0])
    assert data.mean.tolist() == [size.mean(), 0, 0, 0, 0]
    np.testing.assert_allclose(data.sd, [size.std(), 1, 1, 1, 1])
    np.testing.assert_allclose(data.train.x[:, 0], (size - size.mean()) / size.std(), rtol=1e-6)
    assert data.train.x[:, 1:].tolist() == [[0, 1, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0]]
    assert data.told[1] == "standardised: the inputs that are numbers; the one-hot inputs stay 0 and 1"


@pytest.mark.parametrize("form", ["csv", "npz", "npy", "npy in its file"])
def test_quantities_are_standardised_over_the_training_rows(tmp_path, form):
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(50, 3)).astype(np.float32), 1.7e9 + rng.normal(size=(50, 2)) * [1, 7]
    options = {"standardise_y": True, "order": "as stored", "test": 10}
    if form == "csv":
        y = y[:, :1]
        rows = [",".join(map(repr, row)) for row in np.column_stack((x, y)).tolist()]
        data = read(tmp_path, "a,b,c,y\n" + "\n".join(rows) + "\n", **options)
    elif form == "npz":
        data = load_data(saved(tmp_path, x=x, y=y), **options)
    else:
        np.save(tmp_path / "x.npy", x)
        np.save(tmp_path / "y.npy", y)
        memory = {"memory": 1e-9} if "file" in form else {}
        data = load_data(str(tmp_path / "x.npy"), y=str(tmp_path / "y.npy"), **memory, **options)
    assert (data.y_mean.shape, data.y_sd.dtype, data.train.y.dtype) == ((y.shape[1],), np.float64, np.float32)
    np.testing.assert_allclose(data.y_mean, y[:40].mean(axis=0), rtol=1e-15)
    np.testing.assert_allclose(data.y_sd, y[:40].std(axis=0), rtol=1e-6)
    np.testing.assert_allclose(data.test.y * data.y_sd + data.y_mean, y[40:], rtol=0, atol=1e-5)
    np.testing.assert_array_equal(np.asarray(data.test.x), x[40:])
    said = "; costs are in these units, predictions in those of y"
    assert [line for line in data.told if line.startswith("y: standardised, (y - 1.7e+09)/") and line.endswith(said)]


@pytest.mark.parametrize(("factor", "largest"), [(1000, "9500"), (1e-5, "9.5e-05"), (1, "")])
def test_quantities_far_from_1_are_better_standardised(tmp_path, factor, largest):
    text = "a,y\n" + "".join(f"{k},{k * factor / 2}\n" for k in range(20))

    outlier = "a,y\n" + "".join(f"{k},{k % 2 + 1e6 * (k == 7)}\n" for k in range(500))

    def said(text, **options):
        return [hint for hint in hints(read(tmp_path, text, **options)) if hint.startswith("y goes")]

    hint = f"y goes from 0 to {largest} and is not standardised; data.standardise_y = true usually trains better"
    assert said(text, targets="quantity") == [hint] * bool(largest)
    assert not said(outlier, targets="quantity", standardise_y=True)


def test_a_mean_below_zero_is_told_with_one_sign(tmp_path):
    data = read(tmp_path, "a,y\n" + "".join(f"{k},{k - 29.5}\n" for k in range(20)), standardise_y=True)
    assert any(line.startswith("y: standardised, (y + 20)/5.76628;") for line in data.told)


def test_quantities_that_float32_cannot_tell_apart_want_standardise_y(tmp_path):
    text = "a,y\n" + "".join(f"{k},{1.7e9 + k / 10}\n" for k in range(30))
    with pytest.raises(
        InputError, match="column 'y': its numbers differ, .* float32, .*; data.standardise_y = true, or"
    ):
        read(tmp_path, text)
    assert len(np.unique(read(tmp_path, text, standardise_y=True).train.y)) == 30


@pytest.mark.parametrize("source", ["xor", "digits"])
def test_classes_have_no_units(source):
    with pytest.raises(
        InputError, match="standardise_y = true: the outputs are classes, and only quantities have units"
    ):
        load_data(source, standardise_y=True)


def test_the_first_rows_train_the_next_validate_the_last_test():
    moons = load_data("moons", size=20)
    data = load_data("moons", size=20, train=8, validation=5, test=4, **ORDER)
    for part, rows in zip(data[:3], (slice(8), slice(8, 13), slice(16, 20)), strict=True):
        np.testing.assert_array_equal(part.x, moons.train.x[rows])
    with pytest.raises(InputError, match="order = 'as stored': 'mnist' is split in its own order; drop it"):
        load_data("mnist", **ORDER)


def test_rows_of_a_file_stay_in_its_order_too(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(12.0)[:, None])
    np.save(tmp_path / "y.npy", np.arange(12) % 2)
    data = load_data(str(tmp_path / "x.npy"), y=str(tmp_path / "y.npy"), memory=1e-9, validation=3, test=2, **ORDER)
    assert [np.asarray(part.x).ravel().tolist() for part in data[:3]] == [[*range(7)], [7, 8, 9], [10, 11]]


def test_too_many_one_hot_inputs_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(encoding, "LARGEST_ENCODED", 150)
    with pytest.raises(
        InputError, match="4 rows of 6 inputs, with those that are one-hot, take 192 bytes; expected at"
    ):
        read(tmp_path, onehot=["colour", "doors"])
    assert read(tmp_path, onehot=["colour"], drop=["doors"]).train.n == 4


CODING = Encoding((Coded("a", (), (7.0,)), Coded("c", ("2", "10")), Coded("d", ("u", "v"), (0.25, 0.75))), ("id",))
INPUTS = {"columns": ("a", "c", "d"), "label": "y", "encoding": CODING}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,c,d\n1,2,u\n,10,\n", [[1, 1, 0, 1, 0], [7, 0, 1, 0.25, 0.75]]),
        ("d,id,y,c,a\nv,x,NA,2.0,1\nu,,,010,?\n", [[1, 1, 0, 0, 1], [7, 0, 1, 1, 0]]),
    ],
    ids=range(2),
)
def test_new_inputs_are_encoded_as_in_the_training(tmp_path, text, expected):
    assert load_inputs(written(tmp_path, text), (5,), **INPUTS).tolist() == expected


def test_a_text_that_only_looks_like_a_number_is_found_as_it_is_written(tmp_path):
    coding = Encoding((Coded("c", ("02", "5more")),))
    known = load_inputs(written(tmp_path, "c\n02\n02\n"), (2,), columns=("c",), encoding=coding)
    assert known.tolist() == [[1, 0], [1, 0]]
    with pytest.raises(InputError, match="line 2, column 'c': '2' is in no training row"):
        load_inputs(written(tmp_path, "c\n2\n"), (2,), columns=("c",), encoding=coding)
    many = "".join(f"{k}\n" for k in range(3000))
    with pytest.raises(InputError, match="line 2, column 'c': '0' is in no training row"):
        load_inputs(written(tmp_path, "c\n" + many), (2,), columns=("c",), encoding=coding)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,c,d\n1,2,u\n1,,u\n", "line 3, column 'c': nothing; expected a text: fill it in, or remove the row$"),
        (
            "a,c,d\n1,2,u\n1,3,u\n",
            "line 3, column 'c': '3' is in no training row; they have '2', '10': correct it, or lea",
        ),
        ("a,c,d\n1,2,w\n", "line 2, column 'd': 'w' is in no training row; they have 'u', 'v'"),
        ("a,c,d\nx,2,u\n", "line 2, column 'a': 'x'; expected a number$"),
        ("a,c,d,e\n1,2,u,1\n", "was not trained on its column 'e'; remove it"),
        ("a,c\n1,2\n", "has no column 'd', which the network was trained on"),
    ],
    ids=range(6),
)
def test_new_inputs_that_do_not_fit_are_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        load_inputs(written(tmp_path, text), (5,), **INPUTS)


@pytest.mark.parametrize(("part", "row"), [("validation", 13), ("test", 17)])
def test_a_held_out_number_far_from_the_training_rows_is_told(tmp_path, part, row):
    options = {"standardise": True, "validation": 4, "test": 4, "onehot": ["c"], "order": "as stored"}
    cells = [[("red", "blue")[k % 2], k % 3, "ab"[k % 2]] for k in range(20)]

    def told():
        text = "c,size,y\n" + "".join(",".join(map(str, each)) + "\n" for each in cells)
        return [each for each in hints(read(tmp_path, text, **options)) if "standard deviations" in each]

    assert not told()
    cells[row][1] = 1e20
    (said,) = told()
    assert said.startswith(f"{part} row 1: 'size' is 1.2e+20 standard deviations from the mean of the training rows")
