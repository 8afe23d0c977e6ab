"""`fnn sweep`: tables, pictures and every network, whatever ends it."""

import csv
import json
import os
import re
import signal
import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import cli
from fnn.cli import sweep, sweep_groups, sweep_report
from fnn.config.reading import load_config
from fnn.runs import preparing, sweep_keeper, sweeps
from fnn.runs.grid import Member, members
from fnn.runs.sweep_tables import Point
from fnn.storage.locks import LOCK
from fnn.training import fitting
from fnn.training.sweeping import SweepResult
from tests.helpers.runs import stopping
from tests.helpers.support import assert_trees_close, fails

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these


def table(path):
    with path.open() as file:
        return list(csv.DictReader(file))


def test_the_command_keeps_tables_pictures_and_every_network(grid, tmp_path, capsys):
    assert cli.main(["sweep", grid, "--out", str(tmp_path / "runs")]) == 0
    out = capsys.readouterr().out
    assert "8 networks in 1 turn" in out
    assert "\ny: 10 classes\n" in out
    assert out.count("best by validation_accuracy") == 1
    folder = next((tmp_path / "runs").iterdir())
    rows = table(folder / "sweep.csv")
    assert [row["eta"] for row in rows] == ["0.5"] * 4 + ["3.0"] * 4
    assert len(table(folder / "curves.csv")) == 8 * 2
    assert "finished, 8 networks; 4 points of the grid" in (folder / "report.html").read_text()
    # the first seed's network is the one that `fnn run` trains
    model = fnn.load(folder / "networks" / "0006")
    prepared = preparing.prepare(load_config(grid, ["training.optimizer={type='SGD', eta=3.0, lmbda=0.01}"]))
    *_, last = preparing.results(prepared, "backprop")
    assert_trees_close(model.params, last.params)
    assert float(rows[6]["test_accuracy"]) == pytest.approx(float(last.test.accuracy), abs=0.004)
    assert json.loads((folder / "networks" / "0006" / "config.json").read_text())["member"]["eta"] == 3.0
    capsys.readouterr()
    assert cli.main(["predict", str(folder / "networks" / "0007")]) == 0


@pytest.fixture
def stop(monkeypatch, no_pictures):
    """`stop(k, number)`: the k-th time that a sweep gives control back, after each turn, it gets the signal."""
    monkeypatch.setattr(fitting, "SEGMENT_SECONDS", 0.0)

    return stopping(monkeypatch, sweep_keeper.GroupKeeper)


def bytes_of(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != LOCK
    }


def test_a_sweep_that_is_stopped_again_and_again_ends_with_the_bytes_of_one_that_is_not(grid, tmp_path, capsys, stop):
    sets = ["sweep.units=[5, 6]", "sweep.mu=[0.9]", "sweep.eta=[0.5, 1e30]", "sweep.own_orders=true"]
    sets += ["training.batch_size=18"]  # seven turns and a rest in an epoch
    words = ["sweep", grid, *(word for entry in sets for word in ("--set", entry)), "--out"]
    calls = stop(0)
    assert cli.main([*words, str(tmp_path / "whole")]) == 0
    (whole,) = (tmp_path / "whole").iterdir()
    printed = capsys.readouterr().out.split("\n")
    rows = [line for line in printed if line.startswith("eta ")]
    assert len(calls) > 20
    stopped_inside = 0
    for k in (3, len(calls) // 2, 4):  # inside the first group, and inside the second one twice
        calls = stop(k, signal.SIGINT)
        fails(capsys, 130, "stopped by SIGINT; what was done is in", *words, str(tmp_path / "parts"), "--resume")
        stopped_inside += calls[-1].step > 0
    stop(0)
    assert stopped_inside
    assert cli.main([*words, str(tmp_path / "parts"), "--resume"]) == 0
    (folder,) = (tmp_path / "parts").iterdir()
    assert bytes_of(folder) == bytes_of(whole)
    out = capsys.readouterr().out
    assert f"going on: {folder}" in out
    assert [line for line in out.split("\n") if line.startswith("eta ")] == rows
    assert "networks 0-7 are done" in out
    assert "networks 0-7  epoch" not in out
    assert "networks 8-15 go on after 0 epochs and " in out
    assert cli.main([*words, str(tmp_path / "parts"), "--resume"]) == 0
    assert f"nothing to resume, this sweep is finished: {folder}" in capsys.readouterr().out


def test_a_signal_while_a_sweep_computes_is_one_line(grid, tmp_path):
    sets = ["training.epochs=100000", "network.layers=[{type='Dense', units=10}]", "data.validation=0", "data.test=0"]
    words = ["sweep", grid, "--out", str(tmp_path / "runs"), *(word for entry in sets for word in ("--set", entry))]
    process = subprocess.Popen(
        [sys.executable, "-m", "fnn.cli", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while "/100000  lowest" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130
    assert error.startswith("fnn: stopped by SIGINT; what was done is in ")
    assert error.count("\n") == 1
    (folder,) = (tmp_path / "runs").iterdir()
    assert len(table(folder / "sweep.csv")) == len(list((folder / "networks").iterdir())) == 8


def test_networks_of_a_sweep_that_is_stopped_are_told_and_kept(grid, tmp_path, capsys, stop):
    words = ["sweep", grid, "--set", "sweep.units=[5, 6]", "--out", str(tmp_path / "runs")]
    calls = stop(0)
    assert cli.main(words) == 0
    capsys.readouterr()
    stop(len(calls) - 3, signal.SIGINT)  # in the second epoch of the second turn
    assert cli.main(words) == 130
    (folder,) = (path for path in (tmp_path / "runs").iterdir() if path.name.endswith("-2"))
    assert [row["epochs"] for row in table(folder / "sweep.csv")] == ["2"] * 8 + ["1"] * 8
    assert len(list((folder / "networks").iterdir())) == 16
    assert "networks stopped before epoch 2, not in this table: 8" in capsys.readouterr().out


def test_a_sweep_goes_on_only_where_the_same_bits_can_be_expected(grid, tmp_path, capsys, stop):
    words = ["sweep", grid, "--out", str(tmp_path / "runs")]
    stop(3)
    assert cli.main(words) == 143
    (folder,) = (tmp_path / "runs").iterdir()
    path = folder / "environment.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"XLA_FLAGS": "--other"}))
    capsys.readouterr()
    fails(capsys, 2, "began otherwise: XLA_FLAGS was '--other', is ''", *words, "--resume")
    (state,) = folder.rglob("arrays.npz")
    state.write_bytes(state.read_bytes()[:-1])
    path.write_text(json.dumps(json.loads(path.read_text()) | {"XLA_FLAGS": os.environ.get("XLA_FLAGS", "")}))
    fails(capsys, 3, "arrays.npz: is not what was written", *words, "--resume")


def test_without_a_sweep_to_resume_one_begins_and_says_so(grid, tmp_path, capsys, stop):
    stop(3)
    words = ["sweep", grid, "--out", str(tmp_path / "runs"), "--resume"]
    assert cli.main(words) == 143
    assert f"nothing to resume: {tmp_path / 'runs'} has no sweep of this config" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sweep.scale=[1e39]", "scale = [1e+39]: expected numbers from 0 to"),
        ("sweep.eta=[0.0]", "eta = [0.0]: expected numbers from 1.18e-38"),
        ("sweep.eta=1.0", "sweep.eta = 1.0: expected a list"),
        ("sweep.seeds=0", "seeds = 0: expected 1 to"),
        ("sweep.etas=[1.0]", "sweep.etas: unknown key; did you mean 'eta'?"),
    ],
)
def test_mistakes_in_a_grid_are_one_line(grid, tmp_path, capsys, override, message):
    assert cli.main(["sweep", grid, "--out", str(tmp_path / "r"), "--set", override]) == 2
    assert message in capsys.readouterr().err


def test_a_config_without_a_grid_is_told_the_line_to_add(config, tmp_path, capsys, no_pictures):
    said = "good.toml: there is no grid to sweep; add the line [sweep] and below it for example eta = [0.75, 3, 12]"
    fails(capsys, 2, said, "sweep", config, "--out", str(tmp_path / "r"))
    fails(capsys, 2, "or say --set 'sweep.eta = [0.75, 3, 12]'", "sweep", config, "--set", "sweep.own_orders=true")
    counts = [len(members(load_config(config, [line]))) for line in ("sweep.eta = [0.75, 3, 12]", "sweep.seeds = 5")]
    assert counts == [3, 5]


@pytest.mark.parametrize(
    "override", ["training.schedule={type='EarlyStopping'}", "training.target_cost=0.1", "training.keep=best"]
)
def test_what_ends_one_training_is_refused_for_many(grid, tmp_path, capsys, override):
    assert cli.main(["sweep", grid, "--out", str(tmp_path / "r"), "--set", override]) == 2
    assert "for one training by itself" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()


def diverged(eta):
    line = {name: np.nan for name in ("train_cost", "train_accuracy", "test_cost", "test_accuracy")}
    return sweeps.Track(Member(Point(0, eta, 0.0, 0.0, 1.0), 0), [line], 1)


def test_a_grid_that_diverges_altogether_has_its_table(tmp_path, capsys):
    tracks = [diverged(1e20), diverged(1e30)]
    assert "<- best" not in sweep_report.table(tracks)
    sweep.conclude(tmp_path, "some", tracks)
    assert "pictures: none, every network in this table has diverged" in capsys.readouterr().out
    assert [row["diverged_in_epoch"] for row in table(tmp_path / "sweep.csv")] == ["1", "1"]


def test_networks_stopped_sooner_are_not_compared_with_the_others(tmp_path, capsys):
    def track(eta, costs):
        return sweeps.Track(Member(Point(0, eta, 0.0, 0.0, 1.0), 0), [{"train_cost": cost} for cost in costs], 0)

    sweep.conclude(tmp_path, "some", [track(0.1, [3.0, 2.0]), track(0.2, [9.0, 1.9]), track(0.3, [0.5])])
    best, *rest = [line for line in capsys.readouterr().out.splitlines() if "<- best" in line]
    assert best.startswith("eta 0.2")
    assert not rest
    assert [row["epochs"] for row in table(tmp_path / "sweep.csv")] == ["2", "2", "1"]


def test_a_sweep_all_of_whose_networks_diverge_has_diverged(grid, tmp_path, capsys):
    words = ["sweep", grid, "--out", str(tmp_path / "runs"), "--set", "sweep.eta=[1e30]"]
    assert cli.main([*words, "--set", "sweep.lmbda=[0.01]"]) == 4
    out, error = capsys.readouterr()
    assert error.startswith("fnn: every network has diverged; a smaller eta")
    assert "sweep.csv" in out


@pytest.mark.parametrize("own_orders", [pytest.param(each, marks=pytest.mark.campaign) for each in ("true", "false")])
def test_a_sweep_that_diverges_by_one_derivative_names_it(own_orders, grid, tmp_path, capsys, monkeypatch):
    (tmp_path / "own.py").write_text(
        "import fnn, jax.numpy as jnp\n\n\n@fnn.static\nclass Root(fnn.Sigmoid):\n"
        "    def forward(self, params, a):\n        return jnp.where(a > 0, jnp.sqrt(a), 0.0)\n"
    )
    monkeypatch.chdir(tmp_path)
    sets = ["network.layers.1={type='Root'}", "sweep.seeds=1", f"sweep.own_orders={own_orders}", "training.epochs=1"]
    words = [word for entry in sets for word in ("--set", entry)]
    assert cli.main(["sweep", grid, "--type", "own:Root", "--gradient", "autodiff", *words]) == 4
    error = capsys.readouterr().err
    assert error.startswith("fnn: every network has diverged; network 0, epoch 1, step 1 of ")
    assert "the derivative by jax.grad of layer 1 (Root) with respect to its input is nan" in error
    assert 'or train with gradient = "backprop".\n' in error
    sys.modules.pop("own", None)


def test_networks_that_are_well_but_were_stopped_are_not_said_to_have_diverged(tmp_path, capsys):
    well = sweeps.Track(Member(Point(0, 0.1, 0.0, 0.0, 1.0), 0), [{"train_cost": 1.0}], 0)
    bad = sweeps.Track(Member(Point(0, 9.0, 0.0, 0.0, 1.0), 0), [{"train_cost": 1.0}, {"train_cost": np.nan}], 2)
    sweep.conclude(tmp_path, "some", [bad, well])
    out = capsys.readouterr().out
    assert "networks stopped before epoch 2, not in this table: 1" in out
    assert "pictures: none, every network in this table has diverged" in out


def test_a_sweep_some_of_whose_networks_diverge_is_done(grid, tmp_path):
    words = ["sweep", grid, "--out", str(tmp_path / "runs"), "--set", "sweep.eta=[1e30,1.0]"]
    assert cli.main([*words, "--set", "sweep.lmbda=[0.01]"]) == 0


def test_the_lowest_cost_is_that_of_the_networks_that_are_well(grid):
    prepared = preparing.prepare(load_config(grid))
    scores = fnn.Evaluation(jnp.array([jnp.nan, 0.25, jnp.inf]), jnp.zeros(3))
    said = sweep_groups.line(SweepResult(1, scores, None, None, 1.0, (), ()), prepared, 0, 3)
    assert "lowest training cost 0.25 " in said


def test_a_sweep_on_a_full_disk_is_one_line(grid, tmp_path, capsys, monkeypatch):
    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sweeps, "write_networks", full)
    assert cli.main(["sweep", grid, "--out", str(tmp_path / "r")]) == 2
    error = capsys.readouterr().err
    assert "cannot be written (No space left on device); make room" in error
    assert error.count("\n") == 1


def test_a_width_beyond_the_memory_is_refused(grid, tmp_path, capsys):
    assert cli.main(["sweep", grid, "--out", str(tmp_path / "r"), "--set", "sweep.units=[1000000000]"]) == 2
    assert "sweep.units: a network of 1000000000 units takes" in capsys.readouterr().err


def test_seeds_end_where_keys_would_begin_again(config, capsys):
    options = ["--set", f"seed={2**32 - 2}", "--set", "sweep.seeds=3"]
    fails(capsys, 2, "the last seed would be 4,294,967,296", "sweep", config, *options)
    assert load_config(config, [f"seed={2**32 - 2}", "sweep.seeds=2"]).sweep.seeds == 2


@pytest.mark.usefixtures("no_pictures")
def test_a_sweep_may_have_all_the_memory(config, tmp_path):
    sets = ("--set", "sweep.memory=1e300", "--set", "sweep.seeds=2")
    assert cli.main(["sweep", config, "--out", str(tmp_path / "out"), *sets]) == 0


@pytest.mark.campaign
def test_a_pipe_gets_some_thirty_lines_of_a_sweep(grid, tmp_path, capsys, no_pictures):
    words = ["sweep", grid, "--out", str(tmp_path / "r"), "--set", "sweep.units=[2, 3]", "--set", "sweep.seeds=1"]
    words += ["--set", "training.epochs=40", "--set", "training.batch_size=200", "--set", "sweep.lmbda=[0.0]"]
    assert cli.main(words) == 0
    told = re.findall(r"^(networks \d-\d)  epoch +(\d+)/40  ", capsys.readouterr().out, re.MULTILINE)
    for who in ("networks 0-1", "networks 2-3"):
        assert [int(epoch) for name, epoch in told if name == who] == [1, *range(3, 40, 3), 40]
