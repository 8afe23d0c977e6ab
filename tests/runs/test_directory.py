"""A run directory holds everything, and the same config gives the same bytes."""

import json
import os

import numpy as np
import pytest

import fnn
from fnn import cli
from fnn.config.reading import load_config
from fnn.config.schema import describe
from fnn.plots import curves
from fnn.runs import directory, metrics
from fnn.training.tasks import Result
from tests.helpers.configs import GOOD
from tests.helpers.runs import bytes_of
from tests.helpers.support import fails


def test_a_run_directory_holds_everything(finished, config):
    assert {path.name for path in finished.iterdir()} == {
        *("config.toml", "config.json", "environment.json", "metrics.jsonl", "params.npz", "result.json", ".lock"),
        *(["confusion.png", "learning.png", "mistakes.png", "weights.png"] if curves.available() else []),
    }
    assert (finished / "config.toml").read_text() == GOOD
    lines = [json.loads(line) for line in (finished / "metrics.jsonl").read_text().splitlines()]
    assert [line["epoch"] for line in lines] == [1, 2]
    expected = {f"{part}_{measure}" for part in ("train", "validation", "test") for measure in ("cost", "accuracy")}
    assert set(lines[0]) == expected | {"epoch", "eta_factor", "seconds"}
    assert set(json.loads((finished / "environment.json").read_text())["versions"]) >= {"jax", "jaxlib", "numpy", "fnn"}
    about = json.loads((finished / "config.json").read_text())
    assert about["inputs"] == {"scale": 1 / 16, "mean": [0.0], "sd": [1.0], "columns": []}
    assert about["training"] == describe(load_config(config).training) | {"target_cost": "-inf"}


def test_the_same_config_gives_the_same_bytes_beside_the_first(finished, config, tmp_path, capsys):
    assert cli.main(["run", config, "--out", str(tmp_path / "runs")]) == 0
    second = finished.with_name(finished.name + "-2")
    assert bytes_of(second) == bytes_of(finished)
    assert (second / "result.json").read_bytes() == (finished / "result.json").read_bytes()


def test_metrics_leave_out_what_does_not_apply():
    quantities = fnn.Evaluation(np.float32(0.1), np.float32("nan"))
    result = Result(*[None] * len(Result._fields))
    line = metrics.line(result._replace(epoch=1, factor=0.5, train=quantities, seconds=2.0))
    assert line == {"epoch": 1, "eta_factor": 0.5, "train_cost": 0.1, "seconds": 2.0}


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in folders here")
@pytest.mark.parametrize("name", ["metrics.jsonl", "params.npz"])
def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(finished, name, capsys):
    (finished / name).unlink()
    os.mkfifo(finished / name)
    for command in ("verify", "report"):
        fails(capsys, 3, f"{name}: is not a plain file", command, str(finished))


def test_a_new_run_has_the_highest_number(config, tmp_path):
    made = [directory.create(tmp_path / "runs", "good", load_config(config)) for _ in range(3)]
    made[0].rmdir()
    last = directory.create(tmp_path / "runs", "good", load_config(config))
    assert last.name == made[0].name + "-4"
    assert [number for number, _ in directory.numbered(tmp_path / "runs", made[0].name)] == [4, 3, 2]


def test_a_run_of_before_the_names_of_columns_goes_on_and_then_has_them(slowly, stopped, run):
    path = stopped / "config.json"
    now = json.loads(path.read_text())
    old = json.loads(path.read_text())
    del old["label"], old["read_as"], old["inputs"]["columns"]
    old["data"]["targets"] = "one-hot"
    path.write_text(json.dumps(old))
    status, out, error = run("--resume")
    assert (status, error) == (0, "")
    assert "going on after" in out
    assert json.loads(path.read_text()) == now
    assert now["read_as"] == "y: 10 classes"
