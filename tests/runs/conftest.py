"""A run that can be stopped wherever its training gives control back."""

import os
import signal
import time

import pytest

from fnn import cli
from fnn.runs import keeper
from fnn.training import fitting
from tests.helpers.configs import SMALL
from tests.helpers.runs import only


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

    def stop(k, number=signal.SIGTERM):
        calls, call = [], keeper.Keeper.__call__

        def counted(keeper, state):
            calls.append(state)
            if len(calls) == k:
                os.kill(os.getpid(), number)
                deadline = time.monotonic() + 5
                while not keeper.wish.number and time.monotonic() < deadline:
                    time.sleep(0.001)
            call(keeper, state)

        monkeypatch.setattr(keeper.Keeper, "__call__", counted)
        return calls

    return stop


@pytest.fixture
def stopped(run, stop, tmp_path):
    """The directory of a run that was stopped in its second epoch, with two checkpoints."""
    stop(16)
    assert run("--checkpoint", "0")[0] == 143
    stop(0)
    return only(tmp_path / "runs")
