"""Costs: delta is the derivative of value, and large outputs stay finite."""

import math

import jax
import jax.numpy as jnp
import pytest

import fnn
from tests.helpers.support import COSTS, assert_trees_close, draw, one_hot_rows

X64 = pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])


@X64
@pytest.mark.parametrize("cost", COSTS, ids=repr)
def test_delta_is_the_gradient_of_value(cost, x64):
    with jax.enable_x64(x64):
        (z,), y = draw(2, (5, 4)), one_hot_rows(3, 5, 4)
        assert_trees_close(cost.delta(z, y), jax.grad(cost.value)(z, y))
        soft = jax.nn.softmax(draw(4, (5, 4))[0])
        assert_trees_close(cost.delta(z, soft), jax.grad(cost.value)(z, soft))


@pytest.mark.parametrize("z", [-80.0, -20.0, -3.0, 0.0, 3.0, 20.0, 80.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_cross_entropy_keeps_the_digits_of_a_right_answer(z, y):
    exact = 1 / (1 + math.exp(-z)) if y == 0 else -1 / (1 + math.exp(z))
    delta = fnn.CrossEntropy().delta(jnp.array([[z]]), jnp.array([[y]]))
    assert float(delta[0, 0]) == pytest.approx(exact, rel=1e-6, abs=0)


@pytest.mark.parametrize("cost", COSTS, ids=repr)
@pytest.mark.parametrize("size", [1e2, 1e4])
def test_saturated_outputs_stay_finite(cost, size):
    z = size * jnp.array([[1.0, -1.0], [-1.0, 1.0], [0.0, 1.0]])
    y = jnp.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    for array in (cost.output(z), cost.value(z, y), cost.delta(z, y), jax.grad(cost.value)(z, y)):
        assert jnp.isfinite(array).all()
