"""What is kept of a training, and what a damaged disk or a killed process leaves."""

import errno
import json
import os
import shutil

import jax
import numpy as np
import pytest

import fnn
from fnn.errors import StoppedError
from fnn.machine.signals import Wish
from fnn.runs import directory, keeper
from fnn.storage import files
from fnn.storage.arrays import read_npz
from fnn.training import fitting, mini_batches
from fnn.training.tasks import Task
from tests.helpers.disks import Full
from tests.helpers.runs import bytes_of, only

pytestmark = pytest.mark.usefixtures("slowly")

ARRAYS = ("params.0.W", "params.0.b")


@pytest.mark.parametrize("seconds", ["nan", "-1"])
def test_a_time_between_checkpoints_that_is_none_is_refused(run, tmp_path, seconds):
    status, _, error = run("--checkpoint", seconds)
    assert status == 2
    assert f"--checkpoint {float(seconds)}: expected a number of seconds, at least 0." in error
    assert not (tmp_path / "runs").exists()


def test_a_run_that_died_after_its_last_epoch_has_no_epoch_more(run, tmp_path, monkeypatch):
    def die(path):
        raise OSError(errno.ENOSPC, "dead")

    with monkeypatch.context() as until_then:
        until_then.setattr(directory, "digests", die)
        assert run("--checkpoint", "0")[0] == 2
    trained = bytes_of(only(tmp_path / "runs"))
    assert run("--resume")[0] == 0
    assert bytes_of(only(tmp_path / "runs")) == trained


def test_a_state_whose_cost_overflows_is_not_saved(tmp_path):
    net, examples = (fnn.Dense(1),), fnn.Examples(np.ones((1, 1), np.float32), np.ones((1, 1), np.float32))
    task = Task(net, fnn.Quadratic(fnn.Identity()), fnn.SGD(1.0), examples, jax.random.key(0), 1, 1)
    keep, (params,) = keeper.Keeper(tmp_path, task, {}, 0.0, Wish()), fnn.init(net, jax.random.key(0), (1,))
    keep(fitting.start(task, (params._replace(b=params.b + 1e30),)))
    assert not list(tmp_path.iterdir())
    keep(fitting.start(task, (params,)))
    assert list(tmp_path.iterdir())


@pytest.fixture
def begun(tmp_path):
    """A keeper that has nothing to do yet, and the state that it is given."""
    net, examples = (fnn.Dense(1),), fnn.Examples(np.ones((1, 1), np.float32), np.ones((1, 1), np.float32))
    task = Task(net, fnn.Quadratic(fnn.Identity()), fnn.SGD(1.0), examples, jax.random.key(0), 1, 1)
    return keeper.Keeper(tmp_path, task, {}, 1e9, Wish()), fitting.start(task, fnn.init(net, jax.random.key(0), (1,)))


def test_what_any_process_asks_for_is_done_by_each(begun, tmp_path):
    keep, state = begun
    keep(state)
    assert not list(tmp_path.iterdir())
    keep.agreed = lambda due, wish: (1.0, wish)  # it is time on another process
    keep(state)
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1
    keep.agreed = lambda due, wish: (due, 15.0)  # another process got SIGTERM
    with pytest.raises(StoppedError) as stopped:
        keep(state)
    assert stopped.value.number == 15


def test_one_of_several_processes_writes(begun, tmp_path):
    keep, state = begun
    keep.writes, keep.agreed = False, lambda due, wish: (1.0, wish)
    keep(state)
    assert keep.saved == 0
    assert not list(tmp_path.iterdir())


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_goes_on(run, stopped, tmp_path):
    newest = max((stopped / "checkpoints").iterdir())
    data = bytearray((newest / "arrays.npz").read_bytes())
    data[len(data) // 2] ^= 1
    (newest / "arrays.npz").write_bytes(data)
    status, _, error = run("--resume")
    assert status == 0
    assert f"passed over a damaged checkpoint: {newest / 'arrays.npz'}" in error
    assert run(out="whole")[0] == 0
    assert bytes_of(stopped) == bytes_of(only(tmp_path / "whole"))


def test_only_damaged_checkpoints_are_status_3(run, stopped):
    for path in (stopped / "checkpoints").iterdir():
        (path / "manifest.json").unlink()
    status, _, error = run("--resume")
    assert status == 3
    assert error.count("\n") == 1
    assert "manifest.json" in error


def forge(run, change, metrics=None):
    """Every checkpoint of a run again, with another state, and other metrics if they are given."""
    for path in (run / "checkpoints").iterdir():
        state, arrays = json.loads((path / "state.json").read_text()), read_npz(path / "arrays.npz", ARRAYS)
        lines = (path / "metrics.jsonl").read_bytes() if metrics is None else metrics
        keeper.checkpoints.save(
            path.parent, keeper.checkpoints.Checkpoint(int(path.name[5:]), arrays, state | change, lines)
        )


def test_an_epoch_took_what_its_parts_took(run, stopped):
    forge(stopped, {"seconds": 1000.0})
    assert run("--resume")[0] == 0
    seconds = [json.loads(line)["seconds"] for line in (stopped / "metrics.jsonl").read_text().splitlines()]
    assert [s > 1000 for s in seconds] == [False, True, False]


@pytest.mark.parametrize(
    "change",
    [
        {"epochs": 1.5},
        {"epochs": -1},
        {"progress": [1]},
        {"progress": ["nan", 0, 1]},
        {"step": "3"},
        {"metrics": "x"},
        {"key": {"data": [0, 0], "kind": "fry"}},
        {"epochs": 0},
    ],
    ids=str,
)
def test_a_checkpoint_of_something_else_is_refused(run, stopped, change):
    forge(stopped, change, b"[]\n" if "metrics" in change else None)
    status, _, error = run("--resume")
    assert status in (2, 3)
    assert "not the state of a training" in error or "another training" in error


def test_a_checkpoint_where_no_turn_begins_is_refused(run, stopped, monkeypatch):
    # turns of 7 mini-batches, not 11, as in another version
    monkeypatch.setattr(mini_batches, "GATHERED_ROWS", 140)
    status, _, error = run("--resume")
    assert status == 2
    assert error.count("\n") == 1
    assert "cannot go on after" in error
    assert "another version of fnn" in error
    assert list((stopped / "checkpoints").iterdir())


def test_a_full_disk_is_one_line_and_the_run_goes_on_later(run, tmp_path, monkeypatch):
    assert run(out="whole")[0] == 0
    for n in (30, 100, 170):
        monkeypatch.setattr(files, "os", Full(n))
        status, _, error = run("--checkpoint", "0")
        assert status == 2
        assert error.count("\n") == 1
        assert "cannot be written (No space left on device)" in error
        monkeypatch.setattr(files, "os", os)
        assert run("--resume")[0] == 0
        assert bytes_of(only(tmp_path / "runs")) == bytes_of(only(tmp_path / "whole"))
        shutil.rmtree(tmp_path / "runs")


def test_divergence_is_status_4_and_keeps_the_last_good_checkpoint(run, tmp_path):
    sets = ["network.cost={type='Quadratic', activation='Identity'}", "training.optimizer.eta=4.0"]
    status, _, error = run("--checkpoint", "0", sets=sets)
    assert status == 4
    assert error.count("\n") == 1
    assert "smaller eta" in error
    assert "epoch 1, step" in error
    assert "layer" in error
    kept = sorted((only(tmp_path / "runs") / "checkpoints").iterdir())
    with np.load(kept[-1] / "arrays.npz") as arrays:
        assert all(np.isfinite(arrays[name]).all() for name in arrays)
    assert run("--resume", sets=sets)[::2] == (4, error)


def test_temporaries_of_a_killed_run_are_gone_after_the_next_start(run, stopped):
    for path in (stopped / ".params.npz.tmp-1-ab", stopped / "checkpoints" / ".step-1.tmp-1-ab"):
        path.mkdir()
        (path / "arrays.npz").write_bytes(b"half")
    assert run("--resume")[0] == 0
    assert not list(stopped.rglob("*.tmp-*"))
