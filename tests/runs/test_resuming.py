"""A run that is stopped goes on to the same bytes, and a changed one is named."""

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest

from fnn import cli
from fnn.cli import run_pictures
from fnn.config.reading import load_config, short_hash
from fnn.plots import curves
from fnn.runs import keeper, resuming
from fnn.storage import locks
from tests.helpers.runs import bytes_of, only
from tests.helpers.support import fails

pytestmark = pytest.mark.usefixtures("slowly")

PLAIN = "training.optimizer={type='SGD', eta=3.0}"
MOMENTUM = "training.optimizer={type='SGD', eta=9.0, mu=0.9, lmbda=1e-4}"
HALVING = "training.schedule={type='HalveOnPlateau', patience=1}"
FEW = "data.validation=22"  # examples, whose accuracy is often the same
SETTINGS = ([PLAIN], [MOMENTUM, HALVING, FEW, "monitor.on=true"])


@pytest.mark.parametrize("sets", SETTINGS, ids=["plain", "momentum-l2-halving"])
def test_a_stopped_run_goes_on_to_the_same_bytes(run, stop, tmp_path, sets):
    assert run(out="whole", sets=sets)[0] == 0
    factors = [line["eta_factor"] for line in bytes_of(only(tmp_path / "whole"))[1]]
    assert (len(set(factors)) > 1) == (HALVING in sets)
    for k in np.random.default_rng(3).permutation(range(1, 26))[:5]:
        stop(int(k))
        status, _, error = run(sets=sets)
        assert status == 143
        assert error.count("\n") == 1
        assert "stopped by SIGTERM, saved in" in error
        assert "--resume" in error
        stop(0)
        assert run("--resume", sets=sets)[0] == 0
        assert bytes_of(only(tmp_path / "runs")) == bytes_of(only(tmp_path / "whole"))
        assert not any(path.name.startswith("checkpoints") for path in only(tmp_path / "runs").iterdir())
        shutil.rmtree(tmp_path / "runs")


def test_a_run_that_is_stopped_again_and_again(run, stop, tmp_path):
    assert run(out="whole")[0] == 0
    stop(2, signal.SIGINT)
    assert run()[0] == 130
    for k in (3, 17, 5, 2):
        stop(k, signal.SIGINT)
        assert run("--resume")[0] == 130
    stop(0)
    assert run("--resume")[0] == 0
    assert bytes_of(only(tmp_path / "runs")) == bytes_of(only(tmp_path / "whole"))


@pytest.mark.long
def test_a_fresh_process_goes_on_to_the_same_bytes(run, stop, tmp_path):
    assert run(out="whole")[0] == 0
    stop(20)
    assert run()[0] == 143
    arguments = ["run", str(tmp_path / "good.toml"), "--out", str(tmp_path / "runs"), "--resume"]
    code = "import sys; from fnn import cli; from fnn.plots import curves; curves.available = bool; "
    code += "sys.exit(cli.main(sys.argv[1:]))"
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, capture_output=True)
    assert bytes_of(only(tmp_path / "runs")) == bytes_of(only(tmp_path / "whole"))


def test_resume_begins_what_never_began_and_ends_what_has_ended(run, tmp_path):
    assert run("--resume")[0] == 0
    finished = bytes_of(only(tmp_path / "runs"))
    status, out, _ = run("--resume")
    assert status == 0
    assert "nothing to resume, this run is finished" in out
    assert bytes_of(only(tmp_path / "runs")) == finished


@pytest.fixture
def loaded(config):
    return load_config(config)


def test_the_newest_unfinished_run_goes_on_else_the_newest_finished_one_is_the_answer(loaded, tmp_path):
    own = [tmp_path / f"good-{short_hash(loaded)}{suffix}" for suffix in ("-10", "-2", "")]
    for path in own:
        path.mkdir()
    for path in own:
        assert resuming.find(tmp_path, loaded, "") == path
        (path / "result.json").touch()
    assert resuming.find(tmp_path, loaded, "") == own[0]


def test_a_run_of_another_config_that_never_saved_is_no_reason_to_refuse(loaded, tmp_path):
    (tmp_path / "good-00000000").mkdir()
    resuming.check_config(tmp_path, loaded, "")
    assert resuming.find(tmp_path, loaded, "") is None


def test_a_signal_after_the_last_epoch_stops_nothing(run, stop, tmp_path):
    times = stop(0)
    assert run()[0] == 0
    stop(len(times))
    assert run(out="again")[0] == 0
    assert bytes_of(only(tmp_path / "again")) == bytes_of(only(tmp_path / "runs"))


def test_a_changed_config_is_named(run, stopped):
    status, _, error = run("--resume", sets=["training.epochs=5", "data.test=200"])
    assert status == 2
    assert "data.test was 300, is 200; training.epochs was 3, is 5" in error
    assert run("--resume", "--accept-changes", sets=["training.epochs=5"])[0] == 0
    assert len(list(stopped.parent.iterdir())) == 2


@pytest.mark.parametrize(("key", "was"), [("cores", 10_000), ("data", "0" * 64), ("cpu", "Z80"), ("XLA_FLAGS", "-x")])
def test_a_changed_environment_is_named_and_refused_unless_accepted(run, stopped, monkeypatch, key, was):
    now = resuming.changes
    monkeypatch.setattr(
        resuming,
        "changes",
        lambda saved, about: now(saved, about | {"environment": {**about["environment"], key: was}}),
    )
    path = stopped / "environment.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"changes": ["an earlier one"]}))
    status, _, error = run("--resume")
    assert status == 2
    assert f"environment.{key} was" in error
    assert f"is {was!r}" in error
    status, _, error = run("--resume", "--accept-changes")
    assert status == 0
    assert f"going on under changes: environment.{key} was" in error
    earlier, now = json.loads(path.read_text())["changes"]
    assert earlier == "an earlier one"
    assert now.startswith(f"environment.{key} was")
    assert cli.main(["verify", str(stopped)]) == 2


def test_a_run_has_one_trainer(run, stopped):
    with locks.locked(stopped):
        status, _, error = run("--resume")
    assert status == 2
    assert "another process is training here" in error


def test_a_finished_run_is_resumed_by_drawing_its_pictures(run, tmp_path, monkeypatch):
    assert run()[0] == 0
    folder = only(tmp_path / "runs")
    assert not list(folder.glob("*.png"))
    monkeypatch.setattr(curves, "available", lambda: True)

    def stopped(*args):
        os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(run_pictures, "draw", stopped)
        status, _, error = run("--resume")
    assert status == 143
    assert error == (
        f"fnn: stopped by SIGTERM; the training is finished and kept, --resume draws its pictures: {folder}\n"
    )
    before = bytes_of(folder)
    status, out, _ = run("--resume")
    assert status == 0
    assert f"nothing to resume, this run is finished: {folder}" in out
    assert "pictures: learning.png" in out
    assert (folder / "learning.png").exists()
    assert bytes_of(folder) == before
    metrics = (folder / "metrics.jsonl").read_text()
    (folder / "metrics.jsonl").write_text(metrics.replace('"epoch": 1,', '"epoch": 9,'))
    status, out, _ = run("--resume")
    assert (status, "nothing to resume" in out) == (3, False)


@pytest.mark.long
def test_a_run_without_its_description_does_not_go_on_in_vain(config, tmp_path, capsys, monkeypatch):
    call = keeper.Keeper.__call__

    def stopped_after_an_epoch(keeper, state):
        keeper.wish.number = signal.SIGTERM if state.epochs else 0
        call(keeper, state)

    monkeypatch.setattr(keeper.Keeper, "__call__", stopped_after_an_epoch)
    words = ["run", config, "--out", str(tmp_path / "out"), "--set", "training.epochs=4"]
    assert cli.main(words) == 143
    monkeypatch.undo()
    monkeypatch.setattr(curves, "available", lambda: False)
    (folder,) = (tmp_path / "out").iterdir()
    (folder / "config.json").unlink()
    capsys.readouterr()
    fails(capsys, 3, "config.json", *words, "--resume")
    assert not (folder / "result.json").exists()
