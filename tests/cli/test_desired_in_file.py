"""What is desired stands beside the outputs of a file that says it; what it says is never refused."""

import jax
import numpy as np
import pytest

import fnn
from fnn import Dense, LogLikelihood, Model
from fnn.cli.desired_in_file import desired_in

A = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7]])


def model(classes=("cat", "dog"), label="kind", n_out=2):
    net = (Dense(n_out),)
    params = fnn.init(net, jax.random.key(0), (1,))
    return Model(net, LogLikelihood(), params, (1,), classes=classes, columns=("x",), label=label)


def table(tmp_path, cells, name="kind"):
    path = tmp_path / "new.csv"
    path.write_text("\n".join([f"x,{name}", *(f"1,{cell}" for cell in cells)]))
    return str(path)


CELLS = {
    "classes": (["cat", " cat", "dog"], ["cat", "cat", "dog"], [True, False, True]),
    "blanks": (["cat", "", "NA"], ["cat", "", ""], [True, False, False]),
    "a class that is unknown": (["cow", "dog", "dog"], ["cow", "dog", "dog"], [False, True, True]),
}


@pytest.mark.parametrize(("cells", "expected", "right"), CELLS.values(), ids=CELLS)
def test_the_label_column_of_a_table(cells, expected, right, tmp_path):
    desired = desired_in(table(tmp_path, cells), model(), A)
    assert desired.cells == [[name] for name in expected]
    assert desired.known.tolist() == [bool(name) for name in expected]
    assert desired.right.tolist() == right
    assert desired.strange == tuple(name for name in expected if name == "cow")


def test_a_class_that_is_a_number_may_be_written_in_another_way(tmp_path):
    desired = desired_in(table(tmp_path, ["1.0", "01", "2"]), model(("1", "02")), A)
    assert desired.cells == [["1"], ["1"], ["02"]]


def test_quantities_in_their_units(tmp_path):
    a = np.array([[1.0], [2.0], [3.0]])
    desired = desired_in(table(tmp_path, ["1.5", "?", "12 EUR"]), model((), n_out=1), a)
    assert desired.known.tolist() == [True, False, False]
    assert desired.error[0] == -0.5
    assert desired.right is None


def test_a_table_that_does_not_say_it_has_no_such_column(tmp_path):
    assert desired_in(table(tmp_path, ["", "?", "nan"]), model(), A) is None
    assert desired_in(table(tmp_path, ["cat", "cat", "dog"], "other"), model(), A) is None
    assert desired_in(table(tmp_path, ["cat", "cat", "dog"]), model(label=""), A) is None


ARRAYS = {
    "texts": (np.array(["cat", "dog", "cow"]), ["cat", "dog", "cow"]),
    "rows of classes": (np.eye(2)[[0, 0, 1]], ["cat", "cat", "dog"]),
    "another number of rows": (np.array(["cat", "dog"]), None),
    "none": (None, None),
    "bytes": (np.array([b"cat", b"dog", b"cow"]), None),
    "of another shape": (np.zeros((3, 5)), None),
}


@pytest.mark.parametrize(("y", "expected"), ARRAYS.values(), ids=ARRAYS)
def test_the_y_of_an_npz(y, expected, tmp_path):
    np.savez(tmp_path / "new.npz", x=np.zeros((3, 1)), **({} if y is None else {"y": y}))
    desired = desired_in(str(tmp_path / "new.npz"), model(), A)
    assert (desired and [name for (name,) in desired.cells]) == expected


def test_whole_numbers_and_quantities_of_an_npz(tmp_path):
    path = tmp_path / "new.npz"
    np.savez(path, x=np.zeros((3, 1)), y=np.array([7, 3, 7]))
    assert desired_in(str(path), model(("3", "7")), A).cells == [["7"], ["3"], ["7"]]
    desired = desired_in(str(path), model((), "", 1), np.array([[7.0], [3.0], [8.0]]))
    assert desired.error.ravel().tolist() == [0, 0, 1]
    assert desired_in(str(tmp_path / "new.npy"), model(), A) is None
