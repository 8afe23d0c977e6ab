"""Initialisers: the variance that they promise, and what zeros do."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import SGD, CrossEntropy, Dense, Sigmoid, static
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


@pytest.mark.parametrize(
    "initializer", [fnn.Normal(0.3), fnn.ScaledNormal(), fnn.He(), fnn.Glorot(), fnn.Zeros()], ids=repr
)
def test_init_draws_the_bits_of_the_plain_formula(initializer):
    # 3 and 7 inputs: neither a root nor a reciprocal of them is a number of float32
    net, key = (Dense(5, initializer), Sigmoid(), Dense(7, initializer, initializer)), jax.random.key(3)
    one_program = jax.jit(lambda key: fnn.init(net, key, (3,)))
    plain = []
    for layer, k, n_in in zip(net, jax.random.split(key, 3), (3, 5, 5), strict=True):
        if isinstance(layer, Dense):
            k_W, k_b = jax.random.split(k)
            plain.append(formula(initializer, k_W, (layer.units, n_in), n_in, layer.units))
            plain.append(formula(layer.bias_initializer, k_b, (layer.units,), n_in, layer.units))
    for got in (fnn.init(net, key, (3,)), one_program(key)):
        for found, expected in zip(jax.tree.leaves(got), plain, strict=True):
            assert isinstance(found, jax.Array)
            assert np.array_equal(found, expected)


def formula(initializer, key, shape, n_in, n_out):
    match initializer:
        case fnn.Normal(std):
            return std * jax.random.normal(key, shape)
        case fnn.ScaledNormal():
            return jax.random.normal(key, shape) / n_in**0.5
        case fnn.He():
            return jax.random.normal(key, shape) * (2 / n_in) ** 0.5
        case fnn.Glorot():
            return jax.random.uniform(key, shape, minval=-1.0, maxval=1.0) * (6 / (n_in + n_out)) ** 0.5
    return np.zeros(shape, np.float32)


@static
class Orthogonal:
    """Draws with NumPy, so JAX cannot compile it."""

    def draw(self, key, shape, n_in, n_out):
        return jnp.asarray(np.linalg.qr(np.asarray(jax.random.normal(key, shape)))[0])


class Counted(fnn.Sigmoid):
    """A layer that cannot be a key of a dictionary."""

    __hash__ = None


@pytest.mark.parametrize("net", [(Dense(3, Orthogonal()),), (Dense(3), Counted())], ids=["NumPy", "no hash"])
def test_what_jax_cannot_compile_is_drawn_too(net):
    params = fnn.init(net, jax.random.key(0), (3,))
    assert params[0].W.shape == (3, 3)
    expected, _ = net[0].init(jax.random.split(jax.random.key(0), len(net))[0], (3,))
    assert np.array_equal(params[0].W, expected.W)
