"""`fnn compare`: how far apart the gradients are, the time of a step, and the verdict."""

import csv
import errno
import io
import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fnn
from fnn import Dense, Sigmoid, cli
from fnn.checking.comparison import Comparison, Difference
from fnn.cli import compare, compare_table
from fnn.cli.compare_table import shown
from fnn.config.reading import load_config
from fnn.plots import curves
from fnn.runs import preparing
from fnn.training.tasks import Result
from tests.helpers import terminals
from tests.helpers.support import fails

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these

OWN = """
import fnn, jax.numpy as jnp
@fnn.static
class Root:
    def init(self, key, shape): return (), shape
    def forward(self, params, a): return jnp.where(a > 0, jnp.sqrt(a), 0.0)
    def backward(self, params, a, delta):
        return (), jnp.where(a > 0, delta / (2 * jnp.sqrt(jnp.where(a > 0, a, 1.0))), 0.0)
@fnn.static
class Late:
    '''nan by autodiff once the net's only weight has gone down to 1/2, which the second epoch finds.'''
    def init(self, key, shape): return (), shape
    def forward(self, params, a): return a + jnp.where(a > 0.5, 0 * jnp.sqrt(a - 0.5), 0.0)
    def backward(self, params, a, delta): return (), delta
@fnn.static
class One:
    def draw(self, key, shape, n_in, n_out): return jnp.ones(shape)
"""
LATE = """
name = "late"
[data]
source = "ones.npz"
[network]
layers = [{ type = "Dense", units = 1, initializer = "One", bias_initializer = "Zeros" }, "Late"]
cost = { type = "Quadratic", activation = "Identity" }
[training]
optimizer = { type = "SGD", eta = 0.3 }
batch_size = 4
epochs = 3
"""


def test_compare_says_how_far_apart_the_gradients_are(config, capsys):
    assert cli.main(["compare", config]) == 0
    out = capsys.readouterr().out
    assert out.count("0 Dense") == out.count("2 Dense") == 2
    assert "nearer" in out
    assert "us per step" in out
    last = out.splitlines()[-1]
    assert last.startswith("by hand and automatic gradients agree to ")
    assert last.endswith(", accuracies equal")
    assert " of the largest entry at worst, the parameters after 2 epochs to " in last


def test_compare_counts_the_steps_of_shifted_images(config, capsys, monkeypatch):
    seen = []
    monkeypatch.setattr(compare.comparison, "compare", lambda *_: iter([epoch_of(1, (1,))]))
    monkeypatch.setattr(compare, "_way", lambda way, results, steps: seen.append(steps) or "")
    sets = ["data.shape=[1, 8, 8]", "network.layers=[{type='Flatten'}, {type='Dense', units=10}]"]
    words = [word for entry in (*sets, "training.shifts=true") for word in ("--set", entry)]
    assert cli.main(["compare", config, *words]) == 0
    data = preparing.prepare(load_config(config, sets)).data.train
    assert seen == [-(-5 * data.n // load_config(config).training.batch_size)] * 2


def epoch_of(epoch, layers=(0, 2)):
    score = fnn.Evaluation(np.float32(0.5), np.float32(0.75))
    result = Result(*[None] * len(Result._fields))._replace(epoch=epoch, train=score, seconds=1.0)
    return Comparison(result, result, tuple(Difference(k, 1e-7, 4e6, 2e-7, 1e-7, 3e-7) for k in layers))


NET = (Dense(3), Sigmoid(), Dense(2))


@fnn.static
class AReallyLongNameOfALayer(Sigmoid):
    pass


def told(text):
    """The epochs whose rows are in a table, each once for every row."""
    return [int(row.split()[0]) for row in text.splitlines() if row.split() and row.split()[0].isdigit()]


@pytest.mark.parametrize(("epochs", "over"), [(1, 1), (15, 15), (60, 60), (1000, 1000), (300, 7), (10**6, 3)])
def test_in_a_pipe_some_thirty_rows_are_printed_the_first_and_the_last_epoch_too(epochs, over):
    comparisons, out = [epoch_of(e) for e in range(1, over + 1)], io.StringIO()
    assert list(shown(comparisons, NET, epochs, out)) == comparisons
    rows = told(out.getvalue())
    assert rows == sorted(2 * list(set(rows)))
    assert (rows[0], rows[-1]) == (1, over)
    assert len(rows) <= 34
    assert max(map(len, out.getvalue().splitlines())) < 80


def test_a_deep_net_has_its_first_and_its_last_epoch():
    net, out = (Dense(2),) * 50, io.StringIO()
    list(shown([epoch_of(e, range(50)) for e in range(1, 10)], net, 9, out))
    assert told(out.getvalue()) == [1] * 50 + [9] * 50


@pytest.mark.parametrize("columns", [200, 120, 80, 60, 40, 20, 0])
@pytest.mark.parametrize("settings", [{}, {"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_no_row_is_wider_than_the_terminal(columns, settings, monkeypatch):
    ticks, net = itertools.count(), (*NET[:2], AReallyLongNameOfALayer())
    monkeypatch.setattr(compare_table.time, "monotonic", lambda: float(next(ticks)))
    epochs = [epoch_of(e) for e in range(1, 41)]
    screen = terminals.screen(columns, lambda out: shown(iter(epochs), net, 40, out), monkeypatch, **settings)
    assert max(map(len, screen.rows)) < (columns or 80)
    assert told("\n".join(screen.rows)) == [1, 1, *(e for e in range(3, 40, 3) for _ in "01"), 40, 40]
    assert ("epoch 2/40" in screen.written) == (settings.get("TERM") != "dumb")
    assert ("\x1b" in screen.written) == (not settings)


HEADS = {
    200: "epoch  layer                      gradients    ulps  backprop  autodiff    nearer   params",
    80: "epoch  layer           gradients    ulps  backprop  autodiff    nearer   params",
    60: "epoch  layer         gradients  backprop  autodiff   params",
    40: "epoch  layer         gradients   params",
}


@pytest.mark.parametrize(("columns", "head"), HEADS.items())
def test_a_narrow_table_has_whole_columns(columns, head):
    table = compare_table.Table((*NET[:2], AReallyLongNameOfALayer()), 40, columns)
    (row, other), name = table.rows(epoch_of(3)), "2 AReallyLongNameOfALayer"
    assert table.heading() == head
    assert len(row) == len(other) == len(head) < columns
    assert other[7:].startswith(name[: len(head.partition(" gradients")[0]) - 8].strip())
    assert row.split()[1:3] == ["0", "Dense"]


def test_the_whole_table_and_its_picture_are_written(config, tmp_path, capsys):
    folder = tmp_path / "deep" / "out"
    assert cli.main(["compare", config, "--out", str(folder), "--set", "training.epochs=3"]) == 0
    out = capsys.readouterr().out
    with (folder / "compare.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["epoch"], row["layer"], row["type"]) for row in rows] == [(e, k, "Dense") for e in "123" for k in "02"]
    printed = [line.split() for line in out.splitlines() if line.split()[0].isdigit()]
    for row, words in zip(rows, printed, strict=True):
        assert [f"{float(row[name]):.1e}" for name in ("gradient", "params")] == [words[3], words[-1]]
        assert row["nearer"] == words[-2]
    assert f"good: {folder}: compare.csv{', compare.png' if curves.available() else ''}" in out.splitlines()[-2]
    assert (folder / "compare.png").exists() == curves.available()


def test_without_matplotlib_the_table_is_written(config, tmp_path, capsys, no_pictures):
    assert cli.main(["compare", config, "--out", str(tmp_path / "o"), "--set", "training.epochs=1"]) == 0
    assert f"good: {tmp_path / 'o'}: compare.csv; {curves.MISSING}" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "o").iterdir()] == ["compare.csv"]


def test_a_folder_that_cannot_be_written_is_told_before_the_training(config, tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(compare, "_compared", None)
    said = f"{tmp_path / 'file'}: cannot be written (File exists); make room or name another by --out."
    fails(capsys, 2, said, "compare", config, "--out", str(tmp_path / "file"))


def test_a_picture_that_cannot_be_drawn_decides_no_status(config, tmp_path, capsys, monkeypatch):
    pytest.importorskip("matplotlib")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(curves, "write", full)
    words = ("--out", str(tmp_path / "o"), "--set", "training.epochs=1")
    fails(capsys, 0, "No space left on device", "compare", config, *words)
    assert (tmp_path / "o" / "compare.csv").exists()


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The folder in which the command runs, with classes of the user's own."""
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "late.toml").write_text(LATE)
    np.savez(tmp_path / "ones.npz", x=np.ones((4, 1)), y=np.array([0.0, 0.01, -0.01, 0.0]))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    sys.modules.pop("own", None)


def test_the_way_that_diverged_is_named_with_the_state_of_the_other(config, own, capsys):
    words = ["compare", config, "--type", "own:Root", "--set", "network.layers.1={type='Root'}", "--out", "o"]
    assert cli.main([*words, "--set", "training.optimizer.eta=0.1"]) == 4
    out, error = capsys.readouterr()
    assert error.count("\n") == 1
    assert error.startswith("fnn: autodiff: epoch 1, step 1 of ")
    assert "the derivative by jax.grad of layer 1 (Root) with respect to its input is nan where the one by" in error
    assert 'or train with gradient = "backprop". backprop: epoch 1 is finite, training cost 0.' in error
    assert out.splitlines()[-1] == (
        "no epoch could be compared; the training by autodiff diverged in epoch 1, that by backprop did not"
    )
    assert "\n" not in (own / "o" / "compare.csv").read_text().strip()


def test_the_table_so_far_is_kept(own, capsys):
    assert cli.main(["compare", "late.toml", "--type", "own:Late", "--type", "own:One", "--out", "o"]) == 4
    out, error = capsys.readouterr()
    assert told(out) == [1]
    assert out.splitlines()[-1].endswith(
        "costs are equal; the training by autodiff diverged in epoch 2, that by backprop did not"
    )
    assert error.startswith("fnn: autodiff: epoch 2, step 1 of 1: the derivative by jax.grad of layer 1 (Late)")
    assert "us per step" in out
    with (own / "o" / "compare.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1"]


def test_both_that_diverge_are_named(config, capsys):
    sets = ["training.optimizer.eta=1e38", "network.cost={type='Quadratic', activation='Identity'}"]
    assert cli.main(["compare", config, *(word for entry in sets for word in ("--set", entry))]) == 4
    out, error = capsys.readouterr()
    assert out.splitlines()[-1] == "no epoch could be compared; both trainings diverged in epoch 1"
    assert error.startswith("fnn: backprop: epoch 1, step")
    assert error.count("a smaller eta") == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no full device")
def test_a_full_disk_is_told_before_the_training(config):
    words = [sys.executable, "-m", "fnn.cli", "compare", config, "--set", "training.epochs=1000000"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    said = "fnn: stdout: cannot be written (No space left on device); what was printed is incomplete.\n"
    assert (done.returncode, done.stderr) == (2, said)


@pytest.mark.campaign
def test_with_stdout_closed_the_files_are_the_result(config, tmp_path):
    words = [sys.executable, "-m", "fnn.cli", "compare", config, "--set", "training.epochs=1", "--out", "o"]
    closing = ["bash", "-c", '"$@" >&-', "bash", *words]
    done = subprocess.run(closing, cwd=tmp_path, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "o" / "compare.csv").exists()
