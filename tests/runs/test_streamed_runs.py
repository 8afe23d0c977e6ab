"""Data in `.npy` files, from the config to the run directory: what memory they may take changes no byte."""

import json

import numpy as np
import pytest

from fnn import cli
from fnn.config.reading import load_config
from fnn.data import load_data, load_inputs
from fnn.data.on_disk import Stored
from fnn.errors import InputError
from fnn.machine import data_digests
from fnn.machine.data_digests import data_digest
from fnn.runs import metrics, preparing
from fnn.runs.models import named
from fnn.storage.arrays import npz_bytes
from tests.helpers.configs import GOOD

TIGHT = 4e-6  # GiB, some 4 kB: windows as small as they get, one turn
FILES = 'source = "x.npy"\ny = "y.npy"\nscale = 0.0625'


@pytest.fixture
def files(tmp_path):
    """The digits as two files, and a config that names them."""
    digits = load_data("digits", train=500).train
    np.save(tmp_path / "x.npy", digits.x)
    np.save(tmp_path / "y.npy", digits.y.argmax(axis=1))
    (tmp_path / "it.toml").write_text(GOOD.replace('source = "digits"', FILES))
    return tmp_path


def loaded(files, **options):
    return load_data(str(files / "x.npy"), y=str(files / "y.npy"), **options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"validation": 60, "test": 40, "split_seed": 2},
        {"classes": ("3", "8"), "targets": "binary", "test": 9},
        {"shape": (1, 8, 8), "train": 100},
    ],
    ids=["all", "split", "classes", "shape"],
)
def test_what_stays_in_the_file_is_what_would_be_loaded(files, options):
    memory, file = loaded(files, **options), loaded(files, memory=TIGHT, **options)
    assert isinstance(memory.train.x, np.ndarray)
    assert isinstance(file.train.x, Stored)
    assert data_digest(file) == data_digest(memory)
    assert (file.classes, file.shape) == (memory.classes, memory.shape)
    assert all(
        np.array_equal(a, b) for a, b in zip(file.train.rows(slice(5)), memory.train.rows(slice(5)), strict=True)
    )


def test_the_digest_sees_every_example_what_is_wanted_of_it_and_its_units(files, monkeypatch):
    monkeypatch.setattr(data_digests, "EXAMPLES_AT_ONCE", 499)
    data = loaded(files)
    x, y, scale = data.train
    last = np.arange(500) == 499
    others = {"x": x + last[:, None].astype(x.dtype), "y": np.roll(y, 1, axis=0), "scale": 2 * scale}
    digests = {data_digest(data._replace(train=data.train._replace(**{k: a}))) for k, a in others.items()}
    assert len(digests | {data_digest(data)}) == 4


def test_bytes_stay_bytes_and_the_budget_is_for_what_is_read(files):
    np.save(files / "x.npy", np.zeros((500, 64)))
    assert loaded(files, memory=500 * 64 * 4 / 2**30).train.x.dtype == np.float32
    assert isinstance(loaded(files, memory=(500 * 64 * 4 - 1) / 2**30).train.x, Stored)
    assert load_inputs(files / "x.npy", (8, 8)).shape == (500, 8, 8)


def test_files_that_disagree_are_refused_with_both_numbers(files):
    np.save(files / "y.npy", np.zeros(499, int))
    with pytest.raises(InputError, match=r"y.npy: y has shape \(499,\); expected \(500,\) or \(500, k\)"):
        loaded(files, memory=TIGHT)


def test_what_cannot_be_done_from_a_file_is_refused(files, capsys):
    with pytest.raises(InputError, match=r"only inputs in memory .* exceed memory = 4e-06 GiB; raise it"):
        loaded(files, memory=TIGHT, standardise=True)
    tight = [str(files / "it.toml"), "--set", f"data.memory={TIGHT}"]
    assert cli.main(["sweep", *tight, "--set", "sweep.seeds=2"]) == 2
    assert "a sweep holds all its data in memory; raise it" in capsys.readouterr().err
    assert cli.main(["run", *tight, "--set", "training.shifts=true", "--set", "data.shape=[1, 8, 8]"]) == 2
    assert "training.shifts: images that do not fit into data.memory = 4e-06 GiB" in capsys.readouterr().err


def test_a_run_from_a_file_is_the_run_in_memory(files, capsys):
    config = str(files / "it.toml")
    assert cli.main(["run", config, "--set", f"data.memory={TIGHT}", "--out", str(files / "runs")]) == 0
    (folder,) = (files / "runs").iterdir()
    *_, last = preparing.results(preparing.prepare(load_config(config)), "backprop")
    assert (folder / "params.npz").read_bytes() == npz_bytes(named(last.params))
    assert _timeless(json.loads((folder / "metrics.jsonl").read_text().splitlines()[-1])) == _timeless(
        metrics.line(last)
    )
    assert cli.main(["verify", str(folder)]) == 0
    capsys.readouterr()
    assert cli.main(["predict", str(folder), str(files / "x.npy")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 501


def _timeless(line):
    return {key: value for key, value in line.items() if key != "seconds"}
