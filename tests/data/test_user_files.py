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


def test_text_or_objects_in_an_npz_are_refused_unread(tmp_path):
    for y in (np.array(["a", "b"]), np.array([None, {}])):
        with pytest.raises(CorruptFileError, match="array 'y': its dtype is"):
            load_data(saved(tmp_path, x=np.zeros((2, 1)), y=y))


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
    assert load_inputs(written(tmp_path, CSV), (2,)).tolist() == wanted
    assert load_inputs(written(tmp_path, "a,b\n1,2\n3,4.5\n-.5,0\n"), (2, 1)).tolist() == [
        [[a], [b]] for a, b in wanted
    ]
    assert load_inputs(saved(tmp_path, x=np.array(wanted)), (2,)).tolist() == wanted
    assert load_inputs(saved(tmp_path, x=np.array(wanted), y=np.zeros(3)), (2,)).tolist() == wanted
    assert load_inputs(written(tmp_path, "kind,a,b\nx,1,2\n"), (2,), label="kind").tolist() == [[1, 2]]
    with pytest.raises(InputError, match=r"its examples have shape \(2,\), the network takes \(3, 3\)"):
        load_inputs(tmp_path / "a.npz", (3, 3))
