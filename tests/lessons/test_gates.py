"""Gates: every local rule against two independent ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnn.lessons.gates import Add, Constant, Exp, FanOut, Log, Max, Multiply, Reciprocal, Sigmoid, Sin, Square
from tests.helpers.support import assert_trees_close

GATES = (
    (Add(), 3),
    (Multiply(), 2),
    (Max(), 3),
    (Square(), 1),
    (Reciprocal(), 1),
    (Exp(), 1),
    (Log(), 1),
    (Sin(), 1),
    (Sigmoid(), 1),
    (Constant(2.5), 0),
)


@pytest.mark.parametrize(("gate", "n"), GATES, ids=repr)
def test_a_gates_backward_is_the_transpose_of_its_derivative(gate, n):
    with jax.enable_x64(True):
        inputs = tuple(jnp.asarray(v) for v in np.random.default_rng(0).uniform(0.3, 2, n))
        _, vjp = jax.vjp(gate.forward, inputs)
        assert_trees_close(gate.backward(inputs, jnp.asarray(1.7)), vjp(jnp.asarray(1.7))[0])
        for i in range(n):  # and of its difference quotient, which knows no derivative at all
            high, low = (gate.forward((*inputs[:i], inputs[i] + h, *inputs[i + 1 :])) for h in (1e-6, -1e-6))
            assert float(gate.backward(inputs, jnp.asarray(1.0))[i]) == pytest.approx(
                float(high - low) / 2e-6, rel=1e-8
            )


def test_fan_out_and_sum_are_each_others_reverse():
    deltas = tuple(jnp.asarray(d) for d in (0.5, -2.0, 3.0))
    x = (jnp.asarray(0.3),)
    assert FanOut(3).forward(x) == x * 3
    assert FanOut(3).backward(x, deltas)[0] == Add().forward(deltas) == 1.5
    assert Add().backward(deltas, x[0]) == FanOut(3).forward(x)


def test_the_first_of_equal_inputs_takes_all_of_the_delta():
    inputs = tuple(jnp.asarray(v) for v in (2.0, 2.0, 1.0))
    assert [float(d) for d in Max().backward(inputs, jnp.asarray(1.0))] == [1, 0, 0]
