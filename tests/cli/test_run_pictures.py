"""Which pictures are drawn of a run, what they are given, and what is said without them."""

import numpy as np
import pytest

import fnn
from fnn import cli
from fnn.cli import run_pictures
from fnn.config.reading import load_config
from fnn.layers import DenseParams
from fnn.plots import confusion, curves, fits, images
from fnn.runs import preparing, results
from tests.helpers.configs import GOOD

LINEAR = ["network.cost={type='Quadratic', activation='Identity'}", "network.layers=[{type='Dense', units=1}]"]
ROW = {"train_cost": 1.0, "validation_cost": 1.0, "test_cost": 1.0}


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """What each picture was given; nothing is drawn."""
    given = {}
    pictures = (curves.learning, confusion.confusion, fits.curve, fits.predictions, images.weights, images.mistakes)
    modules = (curves, confusion, fits, fits, images, images)
    for module, draw in zip(modules, pictures, strict=True):
        monkeypatch.setattr(module, draw.__name__, lambda *words, name=draw.__name__: given.update({name: words}))
    return given


@pytest.fixture
def run(tmp_path):
    """A run of `GOOD` with these entries set, whose params are the initial ones, or those that are given."""

    def run(*sets, params=None, line=None):
        (tmp_path / "good.toml").write_text(GOOD)
        prepared = preparing.prepare(load_config(tmp_path / "good.toml", sets))
        params = prepared.params if params is None else params
        history = [ROW if line is None else ROW | line]
        return run_pictures.Run(tmp_path, prepared, params, history, results.of(prepared, history, params))

    return run


def test_the_mistakes_shown_are_the_surest_that_are_wrong(drawn, run):
    says_0 = DenseParams(np.zeros((10, 64), np.float32), np.eye(10, dtype=np.float32)[0])
    test = fnn.load_data("digits", validation=100, test=300).test
    wrong = np.flatnonzero(test.y[:, 0] == 0)
    accuracy = {f"{part}_accuracy": 1 - len(wrong) / 300 for part in ("train", "validation", "test")}
    shown = run("network.layers=[{type='Dense', units=10}]", params=(says_0,), line=accuracy)
    assert run_pictures.draw(shown) == ["learning.png", "confusion.png", "weights.png", "mistakes.png"]
    pictures, rows, count, total, *_ = drawn["mistakes"]
    assert [row["row"] for row in rows] == wrong[:40].tolist()
    np.testing.assert_array_equal(pictures, test.x[wrong[:40]].reshape(-1, 8, 8))
    assert (count, total) == (len(wrong), 300)
    assert {row["decided"] for row in rows} == {"0"}
    assert [row["class"] for row in rows] == [str(k) for k in test.y[wrong[:40]].argmax(axis=1)]
    matrix, names, _, title = drawn["confusion"]
    assert names == [str(k) for k in range(10)]
    assert np.array(matrix).tolist() == np.outer(test.y.sum(axis=0, dtype=int), np.eye(10, dtype=int)[0]).tolist()
    assert title == f"good: 300 test rows, accuracy {1 - len(wrong) / 300:.2%}"


@pytest.mark.parametrize("more", [(), ("data.standardise=true",), ("data.scale=0.1",)], ids=str)
def test_the_curve_of_one_input_is_in_the_units_of_the_user(more, drawn, run):
    shown = run(*LINEAR, "data.source=sine", "data.size=500", *more)
    assert run_pictures.draw(shown) == ["learning.png", "fit.png"]
    parts, net, x_name, names, _, title = drawn["curve"]
    raw = fnn.load_data("sine", size=500, validation=100, test=300)
    assert (x_name, names, net.said) == ("x", ("y",), "the net")
    assert [part.said for part in parts] == ["training", "test"]
    for part, given in zip(parts, (raw.train, raw.test), strict=True):
        np.testing.assert_allclose(part.x, given.x, rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(part.y, given.y)
    x = np.concatenate([raw.train.x, raw.test.x])
    assert (net.x.min(), net.x.max()) == pytest.approx((x.min(), x.max()), rel=1e-5)
    W, b = np.asarray(shown.params[0].W), np.asarray(shown.params[0].b)
    data = shown.prepared.data
    scale = float(data.train.scale)
    np.testing.assert_allclose(net.a, (net.x - data.mean) / data.sd * scale @ W.T + b, rtol=1e-4, atol=1e-5)
    assert title.startswith("good: test RMSE ")


def test_several_inputs_are_predicted_against_desired(drawn, run, monkeypatch):
    monkeypatch.setattr(run_pictures, "MOST_POINTS", 7)
    shown = run(*LINEAR, "data.targets=quantity", "data.test=0")
    assert run_pictures.draw(shown) == ["learning.png", "fit.png", "weights.png"]
    parts, names, *_ = drawn["predictions"]
    assert [part.said for part in parts] == ["training, 7 of 1,697", "validation, 7 of 100"]
    assert names == ("y",)
    data = shown.prepared.data
    rows = np.linspace(0, 99, 7).astype(int)
    np.testing.assert_array_equal(parts[1].y, data.validation.y[rows])
    net, cost = shown.prepared.config.network.layers, shown.prepared.config.network.cost
    a = fnn.predict(net, cost, shown.params, data.validation.rows(rows)[0])
    np.testing.assert_allclose(parts[1].a, a, rtol=1e-5)


def test_a_truth_table_has_no_confusion(drawn, run):
    sets = ["data.source=xor", "data.validation=0", "data.test=0", "training.batch_size=4", "network.layers.2.units=2"]
    assert run_pictures.draw(run(*sets)) == ["learning.png"]
    *_, cost, best = drawn["learning"]
    assert (cost, best) == ("quadratic cost", 1)


@pytest.mark.parametrize(
    ("name", "words"),
    [("CrossEntropy", "cross-entropy cost"), ("HingeLoss", "hinge-loss"), ("MyCost", "my-cost"), ("MSE", "mse cost")],
)
def test_a_cost_is_called_by_its_name(name, words):
    assert run_pictures.cost_name(type(name, (), {})()) == words


def test_without_matplotlib_a_line_says_how_to_get_it(config, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(curves, "available", lambda: False)
    assert cli.main(["run", config, "--out", str(tmp_path / "r")]) == 0
    assert "pip install 'fnn[plots]'" in capsys.readouterr().out
