"""Which pictures are drawn of a run, and what is said without them."""

import numpy as np

import fnn
from fnn import cli
from fnn.cli import run_pictures
from fnn.config.reading import load_config
from fnn.layers import DenseParams
from fnn.plots import curves, images
from fnn.runs.preparing import Prepared
from tests.helpers.configs import GOOD


def test_the_mistakes_shown_are_all_that_are_wrong(tmp_path, monkeypatch):
    drawn = {}
    for module, name in ((curves, "learning"), (images, "weights"), (images, "mistakes")):
        monkeypatch.setattr(module, name, lambda *arguments, name=name: drawn.update({name: arguments}))
    (tmp_path / "good.toml").write_text(GOOD)
    config = load_config(tmp_path / "good.toml", ["network.layers=[{type = 'Dense', units = 10}]"])
    data = fnn.load_data("digits", test=300)
    says_0 = DenseParams(np.zeros((10, 64), np.float32), np.eye(10, dtype=np.float32)[0])
    names = run_pictures.draw(tmp_path, Prepared(config, data, (says_0,), None), (says_0,), [])
    assert names == ["learning.png", "weights.png", "mistakes.png"] == [f"{name}.png" for name in drawn]
    shown, said, meant, total, *_ = drawn["mistakes"]
    wrong = data.test.y[:, 0] == 0
    np.testing.assert_array_equal(shown, data.test.x[wrong].reshape(-1, 8, 8))
    assert (set(said), total) == ({"0"}, 300)
    assert meant == [str(k) for k in data.test.y[wrong].argmax(axis=1)]


def test_without_matplotlib_a_line_says_how_to_get_it(config, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(curves, "available", lambda: False)
    assert cli.main(["run", config, "--out", str(tmp_path / "r")]) == 0
    assert "pip install 'fnn[plots]'" in capsys.readouterr().out
