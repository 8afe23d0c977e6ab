"""What a column of labels is read as, what is refused in it, and what is told."""

import itertools

import numpy as np
import pytest

from fnn.data import load_data
from fnn.errors import InputError
from tests.helpers.data_files import saved, written

QUANTITIES = [f"{k * 0.37:.2f}" for k in range(60)]
FEW = ["0", "1"] * 5


def read(tmp_path, labels, **options):
    text = "a,y\n" + "".join(f'{k},"{label}"\n' for k, label in enumerate(labels))
    return load_data(written(tmp_path, text), **options)


@pytest.mark.parametrize(
    ("labels", "classes"),
    [
        (("10", "9", "9"), ("9", "10")),
        (("-1", "+1"), ("-1", "+1")),
        (("01", "02"), ("01", "02")),
        (("1", "2.5"), ()),
        (("1", "2.0"), ()),
        (("1e3", "2"), ()),
        (("1", "two"), ("1", "two")),
        (("3.11", "pypy", "cpython", "3.11", *["jython"] * 18), ("3.11", "cpython", "jython", "pypy")),
        (("True", "False"), ("False", "True")),
        (("2026-01-01", "2025-01-01"), ("2025-01-01", "2026-01-01")),
        (("10-20", "20-30"), ("10-20", "20-30")),
        (("1.2.3", "1.2.4"), ("1.2.3", "1.2.4")),
        (("Na", "Mg", "Na"), None),
    ],
    ids=str,
)
def test_whole_numbers_and_text_are_classes_other_numbers_are_quantities(tmp_path, labels, classes):
    if classes is None:
        with pytest.raises(InputError, match="line 2, column 'y': 'Na', which marks a missing value"):
            read(tmp_path, labels)
        return
    data = read(tmp_path, labels)
    assert data.classes == classes
    assert data.train.y.shape == (len(labels), len(classes) or 1)
    if not classes:
        assert data.train.y.ravel().tolist() == [float(label) for label in labels]


@pytest.mark.parametrize("order", list(itertools.permutations("abcd")), ids="".join)
def test_classes_are_sorted_in_whatever_order_they_appear(tmp_path, order):
    data = read(tmp_path, [*order, "b"])
    assert data.classes == tuple("abcd")
    assert [data.classes[k] for k in data.train.y.argmax(axis=1)] == [*order, "b"]


@pytest.mark.parametrize("order", list(itertools.permutations(("-5", "2", "10"))), ids=str)
def test_whole_numbers_are_sorted_by_value_in_whatever_order_they_appear(tmp_path, order):
    data = read(tmp_path, [*order, "2"])
    assert data.classes == ("-5", "2", "10")
    assert [data.classes[k] for k in data.train.y.argmax(axis=1)] == [*order, "2"]


@pytest.mark.parametrize("targets", ["", "one-hot", "binary", "quantity"])
@pytest.mark.parametrize("labels", [QUANTITIES, FEW, ["cat", "dog", "cat"]], ids=["quantities", "few", "text"])
@pytest.mark.parametrize(
    "mark",
    [
        "",
        " ",
        "?",
        "NA",
        "na",
        "N/A",
        "nan",
        "-nan",
        "NaN",
        "null",
        "NULL",
        "None",
        "-",
        ".",
        "--",
        "#N/A",
        "<NA>",
        "NaT",
    ],
)
def test_a_missing_label_is_named_with_its_line(tmp_path, labels, mark, targets):
    if targets == "quantity" and labels[0] == "cat":
        labels = QUANTITIES
    labels = [*labels[:2], mark, *labels[2:]]
    with pytest.raises(
        InputError, match=r"a\.csv, line 4, column 'y': (nothing|.*, which marks a missing|-nan; expected a f)"
    ):
        read(tmp_path, labels, targets=targets)


@pytest.mark.parametrize("slip", ["abc", "n/k", "3,5", "1 000", "3.5%", "1_0", "O.5", "1e", "--1", "12.5 kg", "<0.1"])
@pytest.mark.parametrize("numbers", [QUANTITIES, FEW, [str(k) for k in range(1500)]], ids=["fractions", "few", "many"])
def test_text_among_numbers_is_named_with_its_line(tmp_path, numbers, slip):
    many = f"{len(numbers):,} of {len(numbers) + 1:,}"
    with pytest.raises(
        InputError, match=rf"line {len(numbers) + 2}, column 'y': {slip!r}; expected a number, as in {many}"
    ):
        read(tmp_path, [*numbers, slip])


def test_text_among_fractions_is_a_slip_even_where_it_prevails(tmp_path):
    with pytest.raises(InputError, match="line 62, column 'y': 'unknown'; expected a number, as in 60 of 160 rows"):
        read(tmp_path, [*QUANTITIES, *["unknown"] * 100])


def test_text_among_whole_numbers_is_a_class_where_it_is_meant(tmp_path):
    with pytest.raises(InputError, match="'unknown'; .*or targets = 'one-hot' makes each different text a class"):
        read(tmp_path, [*FEW, "unknown"])
    data = read(tmp_path, [*FEW, "unknown"], targets="one-hot")
    assert (data.classes, data.read_as) == (
        ("0", "1", "unknown"),
        "y: column 'y' read as 3 classes, since it holds text",
    )
    with pytest.raises(InputError, match="'unknown'; expected a number, as in 60 of 61 rows: correct it$"):
        read(tmp_path, [*QUANTITIES, "unknown"], targets="one-hot")


@pytest.mark.parametrize(
    "labels",
    [
        ("3,5", "4,25", "1,5"),
        ("3.5%", "4%", "1.5%"),
        ("1,000", "2,500", "10,000"),
        ("$3.50", "$4"),
        ("3 €", "4 €"),
        ("1_0", "2_0"),
    ],
    ids=str,
)
def test_numbers_in_another_notation_are_not_made_classes(tmp_path, labels):
    message = f"line 2, column 'y': {labels[0]!r}; expected a number such as 3.5: correct it, or targets = 'one-hot'"
    with pytest.raises(InputError, match=message.replace("$", r"\$")):
        read(tmp_path, labels)
    assert len(read(tmp_path, labels, targets="one-hot").classes) == len(labels)


@pytest.mark.parametrize("digits", [18, 19, 20, 39, 60, 199])
def test_long_whole_numbers_are_classes_by_their_text(tmp_path, digits):
    labels = [str(10 ** (digits - 1) + k) for k in (2, 0, 1)]
    assert read(tmp_path, labels).classes == tuple(sorted(labels))


@pytest.mark.parametrize(
    ("labels", "line", "one", "other", "first", "targets"),
    [
        (("1", "01", "2"), 3, "01", "1", 2, ""),
        (("1", "2", "+1"), 4, r"\+1", "1", 2, ""),
        (("2", "007", "7"), 4, "7", "007", 3, ""),
        (("0", "-0", "1"), 3, "-0", "0", 2, ""),
        (("-3", "1", "-03"), 4, "-03", "-3", 2, ""),
        (("1", "1.0", "2"), 3, "1.0", "1", 2, "one-hot"),
        (("1e1", "2", "10"), 4, "10", "1e1", 2, "binary"),
        (("a", "b", "c", "1", "01"), 6, "01", "1", 5, ""),
    ],
)
def test_a_number_in_two_spellings_is_refused_with_both_lines(tmp_path, labels, line, one, other, first, targets):
    message = f"line {line}, column 'y': '{one}' is the same number as '{other}' in line {first}; write both alike"
    with pytest.raises(InputError, match=message):
        read(tmp_path, labels, targets=targets)


@pytest.mark.parametrize(
    ("labels", "targets", "classes", "why"),
    [
        (("0", "2", "1"), "", 3, "since it holds whole numbers; targets = 'quantity' reads a quantity"),
        (("0", "2", "1"), "quantity", 0, "since targets = 'quantity'"),
        (("0.0", "2.0", "1.0"), "", 0, "point or an exponent, though all are whole; targets = 'one-hot' reads classes"),
        (("0.0", "2.0", "1.0"), "one-hot", 3, "since targets = 'one-hot'; targets = 'quantity' reads a quantity"),
        (("0.0", "2.0", "1.0"), "binary", 3, "since targets = 'binary'; targets = 'quantity' reads a quantity"),
        (("0.5", "2", "1"), "", 0, "since not all of its numbers are whole"),
        (("0.5", "2", "1"), "one-hot", 0, "since not all of its numbers are whole"),
        (("cat", "dog", "ox"), "", 3, "since it holds text"),
    ],
)
def test_how_labels_were_read_is_told(tmp_path, labels, targets, classes, why):
    data = read(tmp_path, labels, targets=targets)
    read_as = f"{classes} classes" if classes else "a quantity"
    assert data.read_as == f"y: column 'y' read as {read_as}, {data.read_as.partition(', ')[2]}"
    assert data.read_as.endswith(why)
    assert len(data.classes) == classes
    assert data.train.y.shape == (3, {"binary": 2}.get(targets, classes or 1))
    assert data.train.y.dtype == (np.uint8 if classes else np.float32)


@pytest.mark.parametrize(
    ("y", "targets", "classes", "read_as"),
    [
        (
            np.array([0, 2, 1]),
            "",
            ("0", "1", "2"),
            "3 classes, since it holds whole numbers; targets = 'quantity' reads a",
        ),
        (np.array([0, 2, 1]), "quantity", (), "a quantity, since targets = 'quantity'"),
        (
            np.array([0, 2, 1.0]),
            "",
            (),
            "a quantity, since it holds floats, though all are whole; targets = 'one-hot' re",
        ),
        (
            np.array([0, 2, 1.0]),
            "one-hot",
            ("0", "1", "2"),
            "3 classes, since targets = 'one-hot'; targets = 'quantity'",
        ),
        (np.array([0, 2, 1.0]), "binary", ("0", "1", "2"), "3 classes, since targets = 'binary'"),
        (
            np.array([[0], [2], [1]]),
            "",
            (),
            r"a quantity, since it is a column of shape (3, 1); targets = 'one-hot' reads",
        ),
        (np.array([[0], [2], [1]]), "one-hot", ("0", "1", "2"), "3 classes, since targets = 'one-hot'"),
        (np.array([[0], [2], [1.0]]), "one-hot", ("0", "1", "2"), "3 classes, since targets = 'one-hot'"),
        (np.array([0.5, 2, 1]), "one-hot", (), "a quantity, since not all of its numbers are whole"),
        (np.array([0.5, 2, 1]), "", (), "a quantity, since not all of its numbers are whole"),
        (
            np.eye(3),
            "",
            ("0", "1", "2"),
            "3 classes, since each of its rows has a single 1; targets = 'quantity' reads",
        ),
        (np.eye(3), "quantity", (), "3 quantities a row, since targets = 'quantity'"),
        (
            np.array([[1, 1], [0, 1], [0, 0]]),
            "",
            (),
            "2 outputs of 0 or 1 a row, since not each of its rows has a single 1",
        ),
        (np.array([[1, 2], [0, 1], [0, 0]]), "", (), "2 quantities a row, since not each of its rows has a single 1"),
        (np.array(["b", "c", "a"]), "", ("a", "b", "c"), "3 classes, since it holds text"),
        (np.array(["b", "c", "a"], ">U9"), "", ("a", "b", "c"), "3 classes, since it holds text"),
        (np.array([b"b", b"c", b"a"]), "", ("a", "b", "c"), "3 classes, since it holds text"),
        (np.array([["b"], ["c"], ["a"]]), "", ("a", "b", "c"), "3 classes, since it holds text"),
        (np.array([0, 2, 1], ">i8"), "", ("0", "1", "2"), "3 classes, since it holds whole numbers"),
        (np.array(["0.5", "2", "1"]), "", (), "a quantity, since not all of its numbers are whole"),
        (
            np.array([10**18 + 1, 10**18, 10**18 + 1]),
            "",
            (str(10**18), str(10**18 + 1)),
            "2 classes, since it holds whole",
        ),
    ],
)
def test_how_the_y_of_an_array_was_read_is_told(tmp_path, y, targets, classes, read_as):
    data = load_data(saved(tmp_path, x=np.arange(3), y=y), targets=targets)
    assert (data.classes, data.read_as[: len(read_as) + 11]) == (classes, f"y: read as {read_as}")
    np.save(tmp_path / "x.npy", np.arange(3))
    np.save(tmp_path / "y.npy", y)
    same = load_data(str(tmp_path / "x.npy"), y=str(tmp_path / "y.npy"), targets=targets)
    assert (same.classes, same.read_as) == (data.classes, data.read_as)
    np.testing.assert_array_equal(same.train.y, data.train.y)


@pytest.mark.parametrize(
    ("y", "targets", "message"),
    [
        (np.array(["1", "NA", "2"]), "", r"a.npz, y\[1\]: 'NA', which marks a missing value; expected a label"),
        (np.array(["1", "01", "2"]), "", r"a.npz, y\[1\]: '01' is the same number as '1' in y\[0\]"),
        (np.array(["1", "2", "x"]), "", r"a.npz, y\[2\]: 'x'; expected a number, as in 2 of 3 rows"),
        (np.array([b"a", b"\xe9", b"\xe8"]), "", r"a.npz, y\[1\]: b'\\xe9' is not UTF-8 text; store text by astype"),
        (np.array(["a", "", "b"]), "", r"a.npz, y\[1\]: nothing; expected a label"),
        (np.array(["a", "b", "b"]), "quantity", r"a.npz, y\[0\]: 'a'; expected a number, since targets = 'quantity'"),
        (
            np.array([["a", "b"]] * 3),
            "",
            r"a.npz: y holds text and has shape \(3, 2\); expected one label a row, \(3,\)",
        ),
        (np.array([0.5, np.nan, 1]), "", r"a.npz: y\[1\] holds nan"),
        (
            np.array([0.5, 2, 1]),
            "binary",
            "the outputs are quantities, .* y: read as a quantity, since not all of its num",
        ),
        (np.array([7, 7, 7]), "", "a.npz: every row has the label '7'; expected two or more classes"),
        (np.eye(3)[[1, 1, 1]], "", "a.npz: every row has the label '1'; expected two or more classes"),
        (np.array(["a"] * 3), "", "a.npz: every row has the label 'a'"),
        (
            1.7e9 + np.arange(3.0) / 4,
            "",
            r"a.npz: y\[:, 0\]: its numbers differ, and are one number or nearly so in float32",
        ),
        (
            np.array([[10**18], [10**18 + 1], [10**18 + 2]]),
            "",
            r"a.npz: y\[:, 0\]: its numbers differ, and are one number",
        ),
    ],
)
def test_a_wrong_y_of_an_array_is_named_with_its_row(tmp_path, y, targets, message):
    with pytest.raises(InputError, match=message):
        load_data(saved(tmp_path, x=np.arange(3), y=y), targets=targets)


def test_many_whole_numbers_are_a_quantity_if_they_are_meant_so(tmp_path):
    labels = [str(200_000 + 7 * k) for k in range(1500)]
    assert read(tmp_path, labels, targets="quantity").train.y[-1] == 210_493
    assert load_data(saved(tmp_path, x=np.arange(1500), y=np.arange(1500)), targets="quantity").train.y[-1] == 1499


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("1" * 45, "2"), "line 2, column 'y': 1111.*; expected a finite number that fits float32"),
        (("12345678901234567890", "12345678901234567891"), "column 'y': its numbers differ only after sixteen digits"),
        (
            ("1700000000.25", "1700000000.5"),
            "a.csv, column 'y': its numbers differ, and are one number or nearly so in flo",
        ),
        (("cat", "dog"), "line 2, column 'y': 'cat'; expected a number, since targets = 'quantity'"),
        (("1", "3,5"), "line 3, column 'y': '3,5'; expected a number, since targets = 'quantity'"),
    ],
    ids=range(5),
)
def test_what_is_no_quantity_is_not_made_one(tmp_path, labels, message):
    with pytest.raises(InputError, match=message):
        read(tmp_path, labels, targets="quantity")


@pytest.mark.parametrize("label", ["cat", "1", "01"])
@pytest.mark.parametrize("targets", ["", "one-hot", "binary"])
def test_one_class_alone_is_refused(tmp_path, label, targets):
    with pytest.raises(
        InputError, match=f"a.csv: every row has the label '{label}'; expected two or more classes. y: col"
    ):
        read(tmp_path, [label] * 5, targets=targets)


def test_the_digits_may_be_read_as_quantities():
    classes, numbers = load_data("digits"), load_data("digits", targets="quantity")
    assert (numbers.classes, numbers.read_as) == ((), "y: a quantity, since targets = 'quantity'")
    assert numbers.train.y.ravel().tolist() == classes.train.y.argmax(axis=1).tolist()
    assert classes.read_as == "y: 10 classes"
    assert load_data("sine").read_as == "y: 1 quantity"
