"""A schedule of the user's own in a run: named by --type, stopped, resumed, given more epochs, verified."""

import json

import pytest

from fnn import cli
from tests.helpers.runs import bytes_of, only

pytestmark = pytest.mark.usefixtures("slowly")

OWN = """
import fnn


@fnn.static
class WarmUp:
    epochs: int = 4

    def init(self):
        return fnn.Progress(factor=1 / self.epochs)

    def after(self, progress, score):
        return progress.seen(score)._replace(factor=min(1.0, (progress.epoch + 1) / self.epochs))
"""
LONG, SHORT = "training.epochs=6", "training.epochs=3"


@pytest.fixture
def warmed(run, tmp_path):
    """`fnn run` with the schedule, and the words that name it."""
    (tmp_path / "own.py").write_text(OWN)
    names = ["--type", f"{tmp_path / 'own.py'}:WarmUp"]

    def warmed(*options, sets, out="runs"):
        return run(*names, *options, sets=["training.schedule=WarmUp", *sets], out=out)

    return warmed, names


def test_a_run_goes_on_with_it_to_the_same_bytes(warmed, stop, tmp_path):
    run, names = warmed
    assert run(sets=[LONG], out="whole")[0] == 0
    whole = only(tmp_path / "whole")
    factors = [json.loads(line)["eta_factor"] for line in (whole / "metrics.jsonl").read_text().splitlines()]
    assert factors == [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    stop(16)
    assert run("--checkpoint", "0", sets=[LONG])[0] == 143
    stop(0)
    states = (only(tmp_path / "runs") / "checkpoints").glob("*/state.json")
    assert {len(json.loads(state.read_text())["progress"]) for state in states} == {3}  # as checkpoints always were
    assert run("--resume", sets=[LONG])[0] == 0
    assert bytes_of(only(tmp_path / "runs")) == bytes_of(whole)
    assert cli.main(["verify", str(whole), *names]) == 0


def test_a_finished_run_that_is_given_more_epochs_knows_their_numbers(warmed, tmp_path):
    run, _ = warmed
    assert run(sets=[LONG], out="whole")[0] == 0
    assert run(sets=[SHORT])[0] == 0
    assert run("--resume", sets=[LONG])[0] == 0
    longer = max((tmp_path / "runs").iterdir(), key=lambda folder: (folder / "metrics.jsonl").stat().st_size)
    assert bytes_of(longer) == bytes_of(only(tmp_path / "whole"))


def test_a_schedule_without_a_first_factor_is_told_what_it_lacks(warmed, tmp_path):
    run, _ = warmed
    (tmp_path / "own.py").write_text(OWN.replace("def init", "def begin"))
    status, _, error = run(sets=[])
    assert (status, error.count("\n")) == (2, 1)
    assert error.endswith("training.schedule: 'WarmUp' has no method 'init'; expected init, after.\n")
