"""What is told about the parts of a data set: classes without a training example, rows that are in two parts."""

import numpy as np
import pytest

from fnn import cli
from fnn.data import load_data
from fnn.data.hints import repeated, unlearnt
from tests.helpers.configs import SMALL
from tests.helpers.data_files import saved


@pytest.mark.parametrize("targets", ["", "binary", "one-hot"])
def test_classes_that_are_only_held_out_are_named(targets):
    data = load_data("digits", train=5, validation=20, test=50, targets=targets)
    said = unlearnt(data)
    assert said.startswith(
        "no training example is of class '1', '3', '4', '6', '8', of which the validation and test e"
    )
    assert "\n" not in said
    assert unlearnt(load_data("digits", validation=100, test=100, targets=targets)) == ""
    assert unlearnt(load_data("sine", test=100)) == ""


def test_rows_that_are_in_two_parts_are_counted(tmp_path):
    x, y = np.repeat(np.arange(10.0), 10)[:, None], np.tile([0, 1], 50)
    said = repeated(load_data(saved(tmp_path, x=x, y=y), validation=20, test=30))
    assert said.startswith("20 of the 20 validation examples and 30 of the 30 test examples have the inputs of a train")
    x[:] = np.arange(100.0)[:, None]
    assert repeated(load_data(saved(tmp_path, x=x, y=y), validation=20, test=30)) == ""
    assert repeated(load_data(saved(tmp_path, x=x * 0, y=y))) == ""
    assert repeated(load_data("digits", validation=100, test=300)) == ""


@pytest.mark.long
@pytest.mark.usefixtures("no_pictures")
def test_a_run_tells_it_before_its_first_epoch(tmp_path, capsys):
    (tmp_path / "c.toml").write_text(SMALL)
    few = ["--set", "data.train=5", "--set", "training.batch_size=5"]
    assert cli.main(["run", str(tmp_path / "c.toml"), "--out", str(tmp_path / "runs"), *few]) == 0
    before = capsys.readouterr().out.partition("epoch")[0]
    assert before.count("hint: no training example is of class ") == 1
