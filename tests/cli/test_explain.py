"""`fnn explain`: a step of a config's net on the board."""

import pathlib
import re

import numpy as np
import pytest

from fnn import cli
from fnn.plots import curves
from fnn.plots.network_drawing import _three
from tests.helpers.support import fails

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these

CONFIGS = pathlib.Path(__file__).parents[2] / "configs"
XOR, DIGITS = str(CONFIGS / "xor.toml"), str(CONFIGS / "digits.toml")


def board(capsys, *arguments):
    assert cli.main(["explain", *arguments]) == 0
    return capsys.readouterr().out


def test_the_command_explains_a_step_of_xor(capsys):
    out = board(capsys, XOR, "--example", "2", "--gradient", "autodiff")
    head = "xor: the first training step, seed 0\non training example 2 (of 0 to 3)\n"
    assert out.startswith(f"{head}a mini-batch of this config has 4 examples, such as --example 0-3\n\nLayers, rows")
    assert "\nFORWARD\n  x = (1, 0)\n" in out
    assert "dC/dW and dC/db by autodiff\n" in out
    assert all(name in out for name in ("BP1", "BP2", "BP3", "BP4", "STEP"))


def test_it_begins_with_the_first_example_that_is_not_all_zeros(capsys):
    out = board(capsys, XOR)  # example 0 is (0, 0)
    assert "\non training example 1 (of 0 to 3), the first that is not all zeros\n" in out
    assert "\n  x = (0, 1)\n" in out
    assert "\n  x = (0, 0)\n" in board(capsys, XOR, "--example", "0")


@pytest.fixture
def own_data(tmp_path):
    """Writes a config with data of one's own."""

    def write(x, y):
        np.savez(tmp_path / "own.npz", x=np.asarray(x, np.float32), y=np.asarray(y))
        text = (CONFIGS / "xor.toml").read_text().replace('source = "xor"', 'source = "own.npz"')
        (tmp_path / "own.toml").write_text(text.replace("batch_size = 4", "batch_size = 2"))
        return str(tmp_path / "own.toml")

    return write


def test_zeros_are_searched_as_far_as_there_are_some(own_data, capsys):
    x = np.zeros((2500, 2))
    x[2222, 1] = 3
    out = board(capsys, own_data(x, np.arange(2500) % 2))
    assert "\non training example 2222 (of 0 to 2499), the first that is not all zeros\n" in out


def test_where_all_examples_are_zeros_it_begins_with_the_first(own_data, capsys):
    out = board(capsys, own_data(np.zeros((4, 2)), [0, 1, 0, 1]))
    assert "\non training example 0 (of 0 to 3)\n" in out


@pytest.mark.parametrize(
    ("chosen", "rows"), [("0-3", [0, 1, 2, 3]), ("3,0", [3, 0]), ("1, 2-3", [1, 2, 3]), ("2-2", [2])]
)
def test_several_examples_are_one_mini_batch(chosen, rows, capsys):
    out = board(capsys, XOR, "--example", chosen)
    x = [(0, 0), (0, 1), (1, 0), (1, 1)]
    if len(rows) > 1:
        listed = ", ".join(map(str, rows))
        assert f"\non the training examples {listed} (of 0 to 3), here rows 0 to {len(rows) - 1}\n" in out
    for r, row in enumerate(rows):
        name = f"row {r}: x" if len(rows) > 1 else "x"
        assert f"\n  {name} = ({x[row][0]}, {x[row][1]})\n" in out
    assert ("a mini-batch of this config has 4" in out) == (len(rows) < 4)


def test_the_eta_of_the_first_epoch_is_told(capsys):
    said = "HalveOnPlateau: in the first epoch eta is 1 times that of the config\n"
    assert said in board(capsys, XOR, "--set", 'training.schedule="HalveOnPlateau"')
    assert "in the first epoch" not in board(capsys, XOR)


def test_momentum_shows_the_velocity(capsys):
    out = board(capsys, XOR, "--set", "training.optimizer.mu=0.9")
    assert "\n  eta = 0.5, mu = 0.9\n" in out
    assert re.search(r"\n    v of W\[0,0\] = 0\.9\*0 - 0\.5\*\S+ = \S+\n    W\[0,0\] = \S+ [+-] \S+ = \S+\n", out)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([DIGITS], "parameters: a blackboard takes at most 120; make it smaller"),
        ([XOR, "--example", "4"], "--example 4: expected 0 to 3, a row of the training data"),
        ([XOR, "--example", "-1"], "--example -1: expected 0 to 3"),
        ([XOR, "--example", "3-1"], "--example 3-1: expected 0 to 3"),
        ([XOR, "--example", "0,4"], "--example 0,4: expected 0 to 3"),
        ([XOR, "--example", "0-4"], "--example 0-4: expected 0 to 3"),
        ([XOR, "--example", "0,"], "--example 0,: expected 0 to 3, a row of the training data, or several: 0,2 or 0-2"),
        ([XOR, "--example", ""], "--example : expected 0 to 3"),
        ([XOR, "--example", "one"], "--example one: expected 0 to 3"),
        ([XOR, "--example", "1.0"], "--example 1.0: expected 0 to 3"),
        ([XOR, "--example", "٢"], "--example ٢: expected 0 to 3"),
        ([XOR, "--example", "9" * 5000], "expected 0 to 3"),
        ([XOR, "--example", "0-3,0-3,0-3"], "these are 12 examples; a blackboard takes at most 10"),
        ([str(CONFIGS / "logistic.toml"), "--example", "0-199"], "these are 200 examples; a blackboard takes at most"),
    ],
    ids=lambda v: "" if isinstance(v, str) else v[-1][-12:],
)
def test_what_cannot_be_explained_is_said_in_one_line(capsys, arguments, message):
    fails(capsys, 2, message, "explain", *arguments)


def test_the_network_is_drawn_with_the_numbers_of_the_step(capsys, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    figures = []
    monkeypatch.setattr(curves, "write", lambda fig, path: figures.append((fig, path)))
    out = board(capsys, XOR, "--out", str(tmp_path / "board"))
    text = (tmp_path / "board" / "explain.txt").read_text()
    assert out == f"{text}\nxor: {tmp_path / 'board'}: explain.txt, network.png\n"
    ((fig, path),) = figures
    assert path == tmp_path / "board" / "network.png"
    sums = re.findall(r"z\[\d\] = (\S+)\*0 ([+-]) (\S+)\*1 ([+-]) (\S+) =", text)  # of layer 0
    told = [number for w, s, v, t, b in sums for number in (w, f"{s}{v}", f"{t}{b}")]
    told += re.findall(r"= tanh\([-.\d]+\) = (\S+)", text)
    told += re.findall(r"delta = \((.*)\)", text)[-1].split(", ")
    told += re.findall(r"= sigmoid\([-.\d]+\) = (\S+)", text)
    drawn = [t.get_text().removeprefix("b ").replace("−", "-") for t in fig.axes[0].texts]
    assert len(told) == 4 * 3 + 4 + 4 + 1
    assert {_three(float(number)).replace("−", "-") for number in told} <= set(drawn)
    before, after = re.search(r"C is (\S+) before the step and (\S+) after it", text).groups()
    assert fig.get_suptitle() == f"xor: one step takes the cost from {float(before):.3f} to {float(after):.3f}"


def test_each_row_of_a_mini_batch_is_drawn(capsys, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    figures = []
    monkeypatch.setattr(curves, "write", lambda fig, path: figures.append(fig))
    layers = '[{type="Maxout",units=2,pieces=2},{type="ReLU"},{type="Dense",units=1},{type="Tanh"},{type="Step"}]'
    out = board(
        *(capsys, XOR, "--out", str(tmp_path), "--example", "1,3"),
        *("--set", f"network.layers={layers}", "--set", 'network.cost="Quadratic"'),
    )
    assert out.endswith(": explain.txt, network-0.png, network-1.png\n")
    names = [text.get_text() for text in figures[0].axes[0].texts]
    assert {"inputs", "0 Maxout\n1 ReLU", "2 Dense\n3 Tanh", "4 Step\nQuadratic"} <= set(names)
    assert [fig.get_suptitle().split(";")[0] for fig in figures] == ["xor: row 0 of 2", "xor: row 1 of 2"]


def test_without_matplotlib_there_are_the_words_alone(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(curves, "available", lambda: False)
    out = board(capsys, XOR, "--out", str(tmp_path))
    assert out.endswith(f"xor: {tmp_path}: explain.txt; {curves.MISSING}\n")


def test_a_folder_that_cannot_be_made_is_said_in_one_line(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    said = "cannot be written (Not a directory); make room or name another by --out"
    fails(capsys, 2, said, "explain", XOR, "--out", str(tmp_path / "file" / "board"))
