"""`keep = "best"`: the params of the best epoch by validation, and those of the last, whatever happens on the way."""

import json

import pytest

from fnn import cli
from fnn.config.reading import load_config, rebuilt
from fnn.config.schema import describe
from fnn.runs import directory, metrics, preparing
from fnn.runs.models import named
from fnn.storage.arrays import npz_bytes
from tests.helpers.configs import SMALL
from tests.helpers.runs import only
from tests.helpers.support import fails

pytestmark = pytest.mark.usefixtures("slowly")

BEST = [
    "training.keep='best'",
    "training.optimizer={type='SGD', eta=8.0, mu=0.5}",
    "data.train=100",
    "training.epochs=6",
]
SHORT = [*BEST, "training.epochs=5"]  # the best epoch is before both ends
FILES = ("params.npz", "last.npz", "optimizer.npz", "result.json")
EARLY = ["training.schedule={type='EarlyStopping', patience=1}"]


def files_of(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.fixture
def whole(run, tmp_path):
    """The directory of a run that was never stopped."""
    assert run(sets=BEST, out="whole")[0] == 0
    return only(tmp_path / "whole")


def test_the_params_are_those_of_the_best_epoch_and_of_the_last(whole, tmp_path, capsys):
    config = load_config(tmp_path / "good.toml", BEST)
    results = list(preparing.results(preparing.prepare(config), "backprop"))
    accuracies = [float(result.validation.accuracy) for result in results]
    best = accuracies.index(max(accuracies))
    assert 0 < best < 4
    assert metrics.best_epoch(metrics.read(whole)) == best + 1
    assert (whole / "params.npz").read_bytes() == npz_bytes(named(results[best].params))
    assert (whole / "last.npz").read_bytes() == npz_bytes(named(results[-1].params))
    assert cli.main(["verify", str(whole)]) == 0
    result = json.loads((whole / "result.json").read_text())
    (whole / "params.npz").write_bytes((whole / "last.npz").read_bytes())
    (whole / "result.json").write_text(json.dumps(result | directory.digests(whole)))
    assert cli.main(["verify", str(whole)]) == 1
    (whole / "last.npz").write_bytes(b"x")
    fails(capsys, 3, "last.npz: is not what the training wrote", "verify", str(whole))


@pytest.mark.parametrize("k", [2, 9, 14, 22])
def test_a_stop_anywhere_changes_no_bit(k, run, stop, whole, tmp_path):
    stop(k)
    assert run("--checkpoint", "0", sets=BEST)[0] == 143
    stop(0)
    assert run("--resume", sets=BEST)[0] == 0
    assert files_of(only(tmp_path / "runs")) == files_of(whole)


def test_a_finished_run_goes_on_from_its_last_epoch(run, whole, tmp_path):
    assert run(sets=SHORT)[0] == 0
    shorter = only(tmp_path / "runs")
    last = (shorter / "last.npz").read_bytes()
    (shorter / "last.npz").unlink()
    status, _, error = run("--resume", sets=BEST)
    assert (status, error.count("\n")) == (2, 1)
    assert "the params of its last epoch (last.npz) are not kept" in error
    (shorter / "last.npz").write_bytes(last)
    assert run("--resume", sets=BEST)[0] == 0
    longer = max((tmp_path / "runs").iterdir(), key=lambda path: (path / "result.json").stat().st_mtime_ns)
    assert longer != shorter
    assert files_of(longer) == files_of(whole)


def test_a_checkpoint_holds_what_is_kept(run, stop, tmp_path):
    stop(11)
    assert run("--checkpoint", "0", sets=BEST)[0] == 143
    stop(0)
    for path in (only(tmp_path / "runs") / "checkpoints").iterdir():
        manifest = json.loads((path / "manifest.json").read_text())
        assert {name for name in manifest["arrays"] if name.startswith("kept.")} == {"kept.0.W", "kept.0.b"}
        assert json.loads((path / "state.json").read_text())["kept"][0] in (0, 1, 2)


@pytest.mark.parametrize(
    ("sets", "keep"),
    [
        ([], "last"),
        (EARLY, "best"),
        ([*EARLY, "data.validation=0"], "last"),
        ([*EARLY, "training.keep=last"], "last"),
        (["training.schedule=HalveOnPlateau"], "last"),
        (["training.keep=best"], "best"),
    ],
    ids=str,
)
def test_early_stopping_keeps_the_best_epoch_unless_it_is_told_otherwise(sets, keep, tmp_path):
    (tmp_path / "it.toml").write_text(SMALL)
    config = load_config(tmp_path / "it.toml", sets)
    assert config.training.keep == keep
    assert rebuilt(describe(config)) == config


def test_the_best_epoch_needs_validation_data(run):
    status, _, error = run(sets=["training.keep=best", "data.validation=0"])
    assert (status, error.count("\n")) == (2, 1)
    assert "training.keep = 'best': the best epoch is chosen by validation data, and data.validation is 0" in error
    status, _, error = run(sets=["training.keep=bets"])
    assert status == 2
    assert "keep = 'bets': did you mean 'best'?" in error


@pytest.mark.long
def test_a_run_of_before_kept_its_last_epoch(run, tmp_path, capsys):
    assert run(sets=[*EARLY, "training.keep=last"])[0] == 0
    folder = only(tmp_path / "runs")
    config = json.loads((folder / "config.json").read_text())
    del config["training"]["keep"]
    (folder / "config.json").write_text(json.dumps(config))
    result = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps({name: result[name] for name in directory.digests(folder)}))
    assert cli.main(["verify", str(folder)]) == 0
    capsys.readouterr()
    assert "training.keep was 'last', is 'best'" in run("--resume", sets=EARLY)[1]
    assert "nothing to resume" in run("--resume", sets=[*EARLY, "training.keep=last"])[1]
