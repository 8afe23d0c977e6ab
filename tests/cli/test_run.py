"""`fnn run` as a user meets it: what it needs, and how it ends."""

import io
import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from fnn import cli
from fnn.cli import run
from tests.helpers.configs import GOOD
from tests.helpers.support import fails


def test_divergence_ends_with_status_4(config, tmp_path, capsys):
    options = ["--out", str(tmp_path / "d"), "--set", "network.cost={type='Quadratic', activation='Identity'}"]
    assert cli.main(["run", config, *options, "--set", "training.optimizer.eta=1e9"]) == 4
    assert "eta" in capsys.readouterr().err
    (folder,) = (tmp_path / "d").iterdir()
    fails(capsys, 2, "has no params.npz, since this run diverged: epoch 1, step ", "predict", str(folder))
    fails(capsys, 2, "this run diverged: epoch 1, step ", "verify", str(folder))
    (folder / "diverged.json").unlink()
    fails(capsys, 2, "has no params.npz, since this run is not finished; finish it with", "predict", str(folder))


@pytest.mark.long
@pytest.mark.skipif(not os.environ.get("FNN_DATA_DIR"), reason="needs MNIST: set FNN_DATA_DIR to its folder")
def test_thirty_sigmoid_neurons_read_mnist(tmp_path, capsys):
    path = tmp_path / "m.toml"
    path.write_text(GOOD.replace("digits", "mnist").replace("test = 300", "").replace("units = 5", "units = 30"))
    assert cli.main(["run", str(path), "--out", str(tmp_path / "r")]) == 0
    last = json.loads(next((tmp_path / "r").glob("*/metrics.jsonl")).read_text().splitlines()[-1])
    assert last["test_accuracy"] > 0.91


def test_a_folder_that_leads_nowhere_is_refused(config, tmp_path, capsys):
    (tmp_path / "runs").symlink_to(tmp_path / "gone" / "away")
    fails(capsys, 2, "expected a writable folder", "run", config, "--out", str(tmp_path / "runs"))


@pytest.mark.long
def test_a_config_that_changes_meanwhile_is_kept_as_it_was_read(config, tmp_path, capsys, monkeypatch):
    def then_changed(*words, real=run.prepared_for):
        (tmp_path / "good.toml").unlink()
        return real(*words)

    monkeypatch.setattr(run, "prepared_for", then_changed)
    (tmp_path / "good.toml").write_bytes(GOOD.replace("\n", "\r\n").encode())
    assert cli.main(["run", config, "--out", str(tmp_path / "runs")]) == 0
    assert (next((tmp_path / "runs").iterdir()) / "config.toml").read_bytes() == GOOD.replace("\n", "\r\n").encode()


@pytest.mark.long
def test_a_reader_who_has_seen_enough_is_no_full_disk(config, tmp_path):
    arguments = ["run", config, "--out", str(tmp_path / "runs"), "--set", "training.epochs=200"]
    command = [sys.executable, "-c", f"import sys; from fnn import cli; sys.exit(cli.main({arguments}))"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize("streams", [{"stdout": None}, {"encoding": "ascii"}], ids=["closed", "ascii"])
def test_a_run_does_not_depend_on_what_can_be_told(streams, config, tmp_path, monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), streams["encoding"]) if "encoding" in streams else None
    monkeypatch.setattr(sys, "stdout", out)
    folder = tmp_path / "é"
    assert cli.main(["run", config, "--out", str(folder)]) == 0
    assert (next(folder.iterdir()) / "result.json").exists()
    if out is not None:
        out.seek(0)
        assert "\\xe9" in out.read()


@pytest.fixture
def table(tmp_path):
    """`fnn run` of a table whose inputs are in `unit`, with these entries set; the lines that it prints."""

    def lines(capsys, unit, *entries):
        rng = np.random.default_rng(0)
        rows = [f"{unit * rng.random():.9g},{unit * rng.random():.9g},{k % 2}" for k in range(40)]
        (tmp_path / "t.csv").write_text("\n".join(["height,weight,kind", *rows]))
        (tmp_path / "t.toml").write_text(GOOD.replace("digits", "t.csv").replace("test = 300\n", ""))
        sets = ["network.layers.2.units=2", "data.validation=0", "training.epochs=1", *entries]
        words = [word for entry in sets for word in ("--set", entry)]
        assert cli.main(["run", str(tmp_path / "t.toml"), "--out", str(tmp_path / "runs"), *words]) == 0
        return capsys.readouterr().out.splitlines()

    return lines


@pytest.mark.usefixtures("no_pictures")
def test_what_y_was_read_as_is_told_before_the_first_epoch_and_kept(table, tmp_path, capsys):
    _, said, inputs, epoch, *_ = table(capsys, 1.0)
    assert inputs == "x: 2 inputs from 2 numbers, 'height', 'weight'"
    assert said.startswith("y: column 'kind' read as 2 classes, since it holds whole numbers")
    assert epoch.startswith("epoch 1/1")
    about = json.loads(next(tmp_path.glob("runs/*/config.json")).read_text())
    assert (about["read_as"], about["label"], about["inputs"]["columns"]) == (said, "kind", ["height", "weight"])


@pytest.mark.usefixtures("no_pictures")
@pytest.mark.parametrize(
    ("unit", "entries", "hinted"),
    [
        (255, (), True),
        (1e-5, (), True),
        (1, (), False),
        (255, ("data.scale=0.00392",), False),
        (255, ("data.standardise=true",), False),
    ],
)
def test_inputs_that_nobody_scaled_get_a_hint_before_the_first_epoch(table, capsys, unit, entries, hinted):
    before = list(itertools.takewhile(lambda line: not line.startswith("epoch"), table(capsys, unit, *entries)))
    assert ("hint: inputs go from" in before[-1]) == hinted
    assert len(before) == 3 + hinted
