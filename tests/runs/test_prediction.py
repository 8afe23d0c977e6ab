"""What a trained run is asked about, and the names of what it says."""

import numpy as np
import pytest

import fnn
from fnn.config.sections import DataConfig
from fnn.runs.prediction import Trained, classes, inputs


def trained(source="xor", names=(), **data):
    return Trained((), fnn.CrossEntropy(), (), DataConfig(source, **data), (2,), names, 1.0, np.zeros(1), np.ones(1))


@pytest.mark.parametrize(
    ("targets", "rows", "said"),
    [
        ("binary", [[0.1, 0.2], [0.1, 0.9], [0.8, 0.2], [0.8, 0.9]], ["a", "b", "c", "?"]),
        ("one-hot", [[0.1, 0.2, 0.1], [0.1, 0.2, 0.3]], ["b", "c"]),
    ],
)
def test_a_code_is_read_highest_bit_first_and_may_be_of_no_class(targets, rows, said):
    assert classes(trained(names=("a", "b", "c"), targets=targets), np.array(rows)) == said


@pytest.mark.parametrize(("source", "split", "part"), [("xor", {}, "train"), ("moons", {"size": 9, "test": 3}, "test")])
def test_without_a_file_a_run_is_asked_about_its_test_data_or_for_want_of_them_its_training_data(source, split, part):
    expected, _ = getattr(fnn.load_data(source, **split), part).rows(slice(None))
    (x,) = inputs(trained(source, **split), None)
    np.testing.assert_array_equal(x, expected)
