"""Evaluation: exact for any number of examples, and what counts as right."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import Dense, Examples, Identity, Quadratic
from tests.helpers.training import COST, NET, some


@pytest.mark.parametrize(
    ("n", "n_in"),
    [(1, 5), (5000, 5), (5001, 5), (100, 4000), (211, 4000)],  # 211 inputs of 4,000: a hundred, another, and eleven
)
def test_evaluation_is_exact_for_any_number(n, n_in):
    examples, params = some(n, n_in=n_in), fnn.init(NET, jax.random.key(0), (n_in,))
    x, y = np.asarray(examples.x, np.float32) / 255, np.asarray(examples.y)
    a = np.asarray(fnn.predict(NET, COST, params, jnp.asarray(x)))
    cost, accuracy = fnn.evaluate(NET, COST, params, examples)
    assert float(accuracy) == pytest.approx((a.argmax(axis=1) == y.argmax(axis=1)).mean(), abs=1e-7)
    assert float(cost) == pytest.approx(-np.log(a[y == 1]).mean(), rel=1e-5)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sums_over_many_examples_do_not_need_to_fit_into_half_precision(dtype):
    examples, net = some(60_000), (Dense(3),)
    params = fnn.init(net, jax.random.key(0), examples.shape)
    wanted = fnn.evaluate(net, COST, params, examples)
    half = examples._replace(x=examples.x.astype(dtype)), jax.tree.map(lambda leaf: leaf.astype(dtype), params)
    got = fnn.evaluate(net, COST, half[1], half[0])
    assert float(got.cost) == pytest.approx(float(wanted.cost), rel=0.01)
    assert float(got.accuracy) == pytest.approx(float(wanted.accuracy), abs=0.002)


@pytest.mark.parametrize(
    ("z", "y", "accuracy"),
    [
        ([[2, 1], [1, 2]], [[1, 0], [1, 0]], 0.5),  # classes: the largest output
        ([[1, 1], [1, 1]], [[1, 0], [0, 1]], 0.5),  # of equal outputs the first one counts
        ([[0.6], [0.5]], [[1], [1]], 0.5),  # one output: above 1/2, strictly
        ([[0.9, 0.9], [0.9, 0.1]], [[1, 1], [1, 1]], 0.5),  # a code: all of its bits
        ([[0.9, 0.1]], [[0.7, 0.2]], math.nan),  # quantities
        ([[0.9, 0.1]], [[0.7, 0.3]], 1.0),  # soft classes
        ([[0.9, 0.1]], [[0.7, 0.2999]], 1.0),  # sums are taken to a thousandth
    ],
)
def test_what_counts_as_right(z, y, accuracy):
    identity = fnn.layers.DenseParams(jnp.eye(len(z[0])), jnp.zeros(len(z[0])))
    examples = Examples(jnp.array(z, jnp.float32), jnp.array(y, jnp.float32))
    got = fnn.evaluate((Dense(len(z[0])),), Quadratic(Identity()), (identity,), examples).accuracy
    assert float(got) == pytest.approx(accuracy, nan_ok=True)
