"""Which pictures are drawn of a net on images, and of what."""

import numpy as np
import pytest
from test_config import GOOD

import fnn
from fnn.cli import run_pictures
from fnn.config.reading import load_config
from fnn.layers import DenseParams
from fnn.plots import curves, images
from fnn.runs.preparing import Prepared


@pytest.mark.parametrize(
    ("shape", "size"), [((3, 8, 6), (8, 6)), ((64,), (8, 8)), ((60,), (0, 0)), ((9,), (0, 0)), ((8, 8), (0, 0))]
)
def test_a_picture_has_the_size_of_an_example(shape, size):
    assert images.image_shape(shape) == size


@pytest.mark.parametrize(
    ("W", "shown"),
    [((3, 16), (3, 4, 4)), ((2, 3, 16), (6, 4, 4)), ((5, 2, 3, 3), (5, 3, 3)), ((3, 15), (0, 1, 1))],
    ids=["Dense", "Maxout", "Conv", "no square"],
)
def test_every_unit_of_the_first_layer_is_a_picture(W, shown):
    params = (), DenseParams(np.ones(W), np.zeros(W[:-1])), DenseParams(np.zeros((2, 16)), np.zeros(2))
    assert images.first_weights(params, (W[-1],)).shape == shown


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
