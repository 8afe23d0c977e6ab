"""The user's own files: what `.npz` says by its arrays, and what a broken file says."""

import contextlib

import numpy as np
import pytest

from fnn.data import load_data, load_inputs
from fnn.errors import CorruptFileError, InputError
from tests.helpers.data_files import CSV, saved, written
from tests.helpers.hostile import MIB, memory_below, mutations


@pytest.mark.parametrize(
    ("y", "classes", "wanted"),
    [
        (np.array([7, 5, 7]), ("5", "7"), [[0, 1], [1, 0], [0, 1]]),
        (np.array([True, False, True]), ("0", "1"), [[0, 1], [1, 0], [0, 1]]),
        (np.array([0.5, 2.0, 1.0]), (), [[0.5], [2], [1]]),
        (np.eye(3)[[0, 2, 1]], ("0", "1", "2"), [[1, 0, 0], [0, 0, 1], [0, 1, 0]]),
        (np.array([[1, 1], [0, 1], [0, 0]]), (), [[1, 1], [0, 1], [0, 0]]),
        (np.array([[2, 0], [0, 1], [0, 1]]), (), [[2, 0], [0, 1], [0, 1]]),
        (np.array([[1], [1], [0]]), (), [[1], [1], [0]]),
    ],
    ids=["labels", "truth", "quantity", "one-hot", "several at once", "a two", "one column"],
)
def test_an_npz_says_by_its_y_what_it_is(tmp_path, y, classes, wanted):
    data = load_data(saved(tmp_path, x=np.arange(12.0).reshape(3, 2, 2), y=y))
    assert (data.classes, data.train.y.tolist(), data.shape) == (classes, wanted, (2, 2))
    assert (data.train.x.dtype, data.train.y.dtype) == (np.float32, np.uint8 if classes else np.float32)


def test_bytes_in_an_npz_stay_bytes_and_one_axis_is_one_input(tmp_path):
    assert load_data(saved(tmp_path, x=np.zeros((3, 4), np.uint8), y=np.arange(3))).train.x.dtype == np.uint8
    assert load_data(saved(tmp_path, x=np.array([1, 2, 3]), y=np.arange(3))).train.x.tolist() == [[1], [2], [3]]


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros((3, 2)), "y": np.zeros(2)}, r"y has shape \(2,\); expected \(3,\) or \(3, k\)"),
        ({"x": np.zeros((3, 2)), "y": np.zeros((3, 2, 2))}, r"y has shape \(3, 2, 2\)"),
        ({"x": np.zeros((0, 2)), "y": np.zeros(0)}, r"x has shape \(0, 2\)"),
        ({"x": np.float64(1), "y": np.zeros(1)}, r"x has shape \(\)"),
        ({"x": np.array([[0], [np.nan]]), "y": np.zeros(2)}, r"x\[1\] holds nan"),
        ({"x": np.zeros((2, 1)), "y": np.array([0, 1e300])}, r"y\[1\] holds nan, or a number beyond float32"),
        ({"x": np.zeros((2000, 1)), "y": np.arange(2000)}, r"y holds 2,000 different whole numbers; .* as float32"),
    ],
    ids=range(7),
)
def test_a_wrong_npz_is_an_input_error(tmp_path, arrays, message):
    with pytest.raises(InputError, match=r"a\.npz: " + message):
        load_data(saved(tmp_path, **arrays))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": np.zeros((2, 1)), "y": np.array([None, {}])}, r"array 'y': its dtype is '\|O': Python objects"),
        ({"x": np.array([[None], [1]]), "y": np.arange(2)}, r"array 'x': its dtype is '\|O': Python objects, which wo"),
        ({"x": np.array([["a"], ["b"]]), "y": np.arange(2)}, "array 'x': its dtype is '<U1': text; expected numbers"),
        ({"x": np.array([[b"a"]]), "y": np.arange(2)}, r"array 'x': its dtype is '\|S1': text; expected numbers"),
        ({"x": np.zeros((2, 1), complex), "y": np.arange(2)}, "array 'x': its dtype is '<c16': complex numbers"),
        ({"x": np.zeros(2, "f8,i4"), "y": np.arange(2)}, "array 'x': it has named fields"),
        ({"x": np.zeros((2, 1)), "y": np.zeros(2, "M8[s]")}, "array 'y': its dtype is '<M8.*dates; store them as nu"),
        (
            {"X": np.zeros((2, 1)), "y": np.arange(2)},
            r"holds 'X', 'y'; expected 'x', 'y', once each; write .* np.savez",
        ),
        ({"x_train": np.zeros(2), "y_train": np.arange(2)}, "holds 'x_train', 'y_train'; expected 'x', 'y'"),
        ({"x": np.zeros(2), "y": np.arange(2), "note": np.zeros(1)}, "holds 'x', 'y', 'note'; expected 'x', 'y'"),
        ({"data": np.zeros(2), "indices": np.zeros(2), "shape": np.zeros(2)}, "holds 'data', 'indices', 'shape'; exp"),
    ],
    ids=range(11),
)
def test_a_sound_npz_of_other_arrays_is_not_called_corrupt(tmp_path, arrays, words):
    with pytest.raises(InputError, match=r"a\.npz: " + words):
        load_data(saved(tmp_path, **arrays))


@pytest.mark.parametrize("name", ["a.csv", "a.npz"])
def test_mutated_files_give_data_or_a_documented_error(tmp_path, name):
    path = written(tmp_path, CSV + CSV.split("\n", 1)[1] * 3)
    saved(tmp_path, x=np.arange(24.0).reshape(8, 3), y=np.arange(8) % 3)
    path = tmp_path / name
    with memory_below(66 * MIB):
        for data in mutations(path.read_bytes(), 300):
            path.write_bytes(data)
            with contextlib.suppress(InputError, CorruptFileError):
                assert np.isfinite(load_data(str(path)).train.rows(slice(None))[0]).all()


def test_new_inputs_are_read_with_or_without_their_labels(tmp_path):
    wanted = [[1, 2], [3, 4.5], [-0.5, 0]]
    assert load_inputs(written(tmp_path, "a,b\n1,2\n3,4.5\n-.5,0\n"), (2, 1)).tolist() == [
        [[a], [b]] for a, b in wanted
    ]
    assert load_inputs(saved(tmp_path, x=np.array(wanted)), (2,)).tolist() == wanted
    assert load_inputs(saved(tmp_path, x=np.array(wanted), y=np.zeros(3)), (2,)).tolist() == wanted
    assert load_inputs(saved(tmp_path, x=np.array(wanted), y=np.array([None] * 3)), (2,)).tolist() == wanted
    assert load_inputs(written(tmp_path, "kind,a,b\nx,1,2\n"), (2,), label="kind").tolist() == [[1, 2]]
    with pytest.raises(InputError, match=r"its examples have shape \(2,\), the network takes \(3, 3\)"):
        load_inputs(tmp_path / "a.npz", (3, 3))


TRAINED_ON = {"label": "kind", "columns": ("height", "weight")}


@pytest.mark.parametrize(
    "text",
    [
        "height,weight\n10,1\n2,0\n",
        "weight,height\n1,10\n0,2\n",
        "kind,height,weight\nNA,10,1\n,2,0\n",
        "height,kind,weight\n10,tall,1\n2,small,0\n",
        "weight,height,kind\n1,10,tall\n0,2,small\n",
        '\ufeff"weight", " height "\r\n1, 10\r\n"0",2\r\n',
    ],
    ids=range(6),
)
def test_new_inputs_are_matched_by_name(tmp_path, text):
    assert load_inputs(written(tmp_path, text), (2,), **TRAINED_ON).tolist() == [[10, 1], [2, 0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("price,colour\n1,2\n", "has no column 'height', 'weight', which the network was trained on; its columns are "),
        ("height\n1\n", "has no column 'weight'"),
        ("height,wieght\n1,2\n", "has no column 'weight', .*; did you mean 'wieght'"),
        ("height,kind\n1,2\n", "has no column 'weight'"),
        ("id,height,weight\n7,1,2\n", "was not trained on its column 'id'; remove it. The inputs are 'height', 'wei"),
        ("height,weight,id,kind\n1,2,7,small\n", "was not trained on its column 'id'"),
        ("Height,Weight\n1,2\n", "has no column 'height', 'weight'"),
        ("10,0\n2,0\n", "line 1: all numbers; expected a header line .*; write one|have none, write one"),
        (",height,weight\n0,1,2\n", "line 1: column 1 has no name; is it an index"),
        ("height,weight,weight\n0,1,2\n", "'weight' is there twice"),
        ("weight,height\nNA,2\n", "line 2, column 'weight': 'NA', which marks a missing value; expected a number"),
    ],
    ids=range(11),
)
def test_new_inputs_of_other_names_are_refused_by_name(tmp_path, text, words):
    with pytest.raises(InputError, match=r"a\.csv.*(" + words + ")"):
        load_inputs(written(tmp_path, text), (2,), **TRAINED_ON)


@pytest.mark.parametrize("label", ["", "sort"])
def test_a_column_too_many_of_unknown_names_is_not_dropped(tmp_path, label):
    with pytest.raises(
        InputError, match="3 columns, the network takes 2 inputs and does not know their names: 'width'"
    ):
        load_inputs(written(tmp_path, CSV), (2,), label=label)


def test_new_inputs_keep_the_precision_of_their_file(tmp_path):
    seconds = 1.7e9 + np.arange(6.0).reshape(3, 2)
    np.save(tmp_path / "x.npy", seconds)
    text = "a,b\n" + "".join(f"{a!r},{b!r}\n" for a, b in seconds.tolist())
    for path in (saved(tmp_path, x=seconds), written(tmp_path, text), str(tmp_path / "x.npy")):
        assert np.asarray(load_inputs(path, (2,))).tolist() == seconds.tolist()


@pytest.mark.parametrize("name", ["a.csv", "a.npz"])
def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch, name):
    monkeypatch.setenv("HOME", str(tmp_path))
    written(tmp_path, "a,b\n1,x\n2,y\n")
    saved(tmp_path, x=np.array([[1], [2]]), y=np.array(["x", "y"]))
    assert load_data(f"~/{name}").classes == ("x", "y")
    assert len(load_inputs(f"~/{name}", (1,), label="b")) == 2
