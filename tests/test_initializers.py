"""Initialisers: the variance that they promise, and what zeros do."""

import jax
import jax.numpy as jnp
import pytest

import fnn
from fnn import SGD, CrossEntropy, Dense, Sigmoid
from tests.helpers.support import draw


@pytest.mark.parametrize("initializer", [fnn.Normal(2.0), fnn.ScaledNormal(), fnn.He(), fnn.Glorot(), fnn.Zeros()])
def test_initializers_have_the_variance_they_promise(initializer):
    variance = {"Normal": 4, "ScaledNormal": 1 / 400, "He": 2 / 400, "Glorot": 2 / 700, "Zeros": 0}
    W = initializer.draw(jax.random.key(0), (300, 400), 400, 300)
    assert W.shape == (300, 400)
    assert float(W.var()) == pytest.approx(variance[type(initializer).__name__], rel=0.02)
    assert abs(float(W.mean())) < 3 * (variance[type(initializer).__name__] / 120_000) ** 0.5 + 1e-12


def test_hidden_units_that_start_at_zero_stay_equal():
    net = (Dense(3, fnn.Zeros(), fnn.Zeros()), Sigmoid(), Dense(1, fnn.Zeros(), fnn.Zeros()))
    params, x, y = fnn.init(net, jax.random.key(0), (2,)), draw(1, (8, 2))[0], jnp.ones((8, 1))
    sgd = SGD(0.5)
    for _ in range(5):
        params, _ = fnn.step(net, CrossEntropy(), sgd, params, sgd.init(params), x, y, fnn.backprop)
    assert jnp.abs(params[0].W - params[0].W[:1]).max() < 1e-6
