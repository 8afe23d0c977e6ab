"""Costs and accuracies that are nan or infinite are kept as null, and every reader says so."""

import json

import numpy as np
import pytest

import fnn
from fnn import cli
from fnn.data.splitting import drawn_order
from fnn.runs import directory, metrics
from fnn.training.monitors import Reading
from fnn.training.tasks import Result
from tests.helpers.runs import bytes_of

CONFIG = """
name = "far"
[data]
source = "{source}"
validation = 4
test = 4
[network]
layers = [{{ type = "Dense", units = 1 }}]
cost = {{ type = "Quadratic", activation = "Identity" }}
[training]
optimizer = {{ type = "SGD", eta = 0.1 }}
batch_size = 4
epochs = 3
"""
N, HELD = 20, 8


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """`fnn run` on data whose held out examples are so large that their cost is infinite; the folder of the run."""
    monkeypatch.chdir(tmp_path)
    x, y = np.linspace(-1, 1, N)[:, None], np.linspace(0, 1, N)
    x[drawn_order(N, 0)[:HELD]] = 1e30
    np.savez("far.npz", x=x, y=y)
    (tmp_path / "far.toml").write_text(CONFIG.format(source="far.npz"))

    def run(*options, out="runs"):
        status = cli.main(["run", "far.toml", "--out", out, *options])
        said = capsys.readouterr()
        assert (status, said.err) == (0, "")
        return max((tmp_path / out).iterdir(), key=lambda path: path.stat().st_mtime_ns), said.out

    return run


def rows(folder):
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def evaluation(cost, accuracy):
    return fnn.Evaluation(np.float32(cost), np.float32(accuracy))


def test_a_line_has_null_for_what_is_not_finite_and_nothing_for_what_does_not_apply():
    result = Result(*[None] * len(Result._fields))._replace(epoch=1, factor=1.0, seconds=2.0)
    classes = result._replace(
        train=evaluation(0.5, 1.0), validation=evaluation("inf", 0.5), test=evaluation("nan", "nan")
    )
    line = metrics.line(classes)
    assert json.loads(json.dumps(line, allow_nan=False)) == line
    assert line == {
        **{"epoch": 1, "eta_factor": 1.0, "seconds": 2.0, "train_cost": 0.5, "train_accuracy": 1.0},
        **{"validation_cost": None, "validation_accuracy": 0.5, "test_cost": None, "test_accuracy": None},
    }
    assert str(metrics.numbers(classes)["validation_cost"]) == "inf"
    quantities = result._replace(train=evaluation(0.5, "nan"), test=evaluation("inf", "nan"))
    assert [name for name in metrics.line(quantities) if "accuracy" in name] == []
    reading = Reading(*map(np.float32, ("nan", 0.5, "inf", "nan", 1.0)))
    seen = metrics.line(quantities._replace(monitor=(reading,)))["monitor"]
    assert seen == [{"saturated": 0.5, "delta": None, "coherence": 1.0}]


def test_every_reader_takes_an_infinite_cost(run, capsys, tmp_path):
    folder, said = run()
    assert "validation inf, test inf" in said
    assert [row["validation_cost"] for row in rows(folder)] == [None] * 3
    assert [row["test_cost"] for row in rows(folder)] == [None] * 3
    assert (folder / "learning.png").exists()
    assert cli.main(["verify", str(folder)]) == 0
    assert cli.main(["report", str(folder), "--out", "page"]) == 0
    page = (tmp_path / "page" / "report.html").read_text()
    assert '<th scope="row">test cost</th><td class=n>not finite</td>' in page
    assert "no pictures" not in capsys.readouterr().err


def test_files_of_before_without_the_entries_are_read(run, tmp_path):
    folder, _ = run()
    lines = [{name: x for name, x in row.items() if x is not None} for row in rows(folder)]
    metrics.write(folder, [json.dumps(line) for line in lines])
    (folder / "result.json").write_text(json.dumps(directory.digests(folder)))
    assert cli.main(["report", str(folder), "--out", "page"]) == 0
    assert '<th scope="row">training cost</th>' in (tmp_path / "page" / "report.html").read_text()


def test_a_run_with_infinite_costs_is_resumed_and_extended(run):
    short, _ = run()
    longer, said = run("--set", "training.epochs=5", "--resume")
    assert "going on after 3 epochs" in said
    assert bytes_of(longer) == bytes_of(run("--set", "training.epochs=5", out="whole")[0])
    assert len(rows(short)) == 3
