"""A run that can be stopped wherever its training gives control back."""

import pytest

from fnn import cli
from fnn.runs import keeper
from fnn.training import fitting
from tests.helpers.configs import SMALL
from tests.helpers.runs import only, stopping


@pytest.fixture
def slowly(monkeypatch, no_pictures):
    """No pictures; control comes back after every turn of training."""
    monkeypatch.setattr(fitting, "SEGMENT_SECONDS", 0.0)


@pytest.fixture
def run(tmp_path, capsys):
    """`fnn run` of a small config: the status, what it printed, and the error."""
    config = tmp_path / "good.toml"
    config.write_text(SMALL)

    def run(*options, out="runs", sets=()):
        words = [word for entry in sets for word in ("--set", entry)]
        status = cli.main(["run", str(config), "--out", str(tmp_path / out), *words, *options])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def stop(monkeypatch):
    """`stop(k, number)`: the k-th time that a training gives control back it gets the signal; the list of all times."""

    return stopping(monkeypatch, keeper.Keeper)


@pytest.fixture
def stopped(run, stop, tmp_path):
    """The directory of a run that was stopped in its second epoch, with two checkpoints."""
    stop(16)
    assert run("--checkpoint", "0")[0] == 143
    stop(0)
    return only(tmp_path / "runs")
