"""The blackboard: the numbers are those of the real step, and the sums come out right."""

import re
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import SGD, CrossEntropy, Dense, Maxout, Sigmoid, Softmax
from fnn.layers import DenseParams
from fnn.lessons.blackboard import explained
from tests.helpers.support import Swish, draw_params

NET, COST, SGD_L2 = (Dense(3), Sigmoid(), Dense(2)), CrossEntropy(), SGD(0.5, lmbda=0.01)
X, Y = np.array([[0.5, -1.5]]), np.array([[1.0, 0]])


def golden():
    """The net of a worked example with twelve known digits."""
    hidden = np.array([[0.1, -0.2], [0.3, 0.4], [-0.5, 0.6]]), np.array([0.01, -0.02, 0.03])
    last = np.array([[0.7, -0.8, 0.9], [-1, 1.1, -1.2]]), np.array([0.04, -0.05])
    return DenseParams(*map(jnp.asarray, hidden)), (), DenseParams(*map(jnp.asarray, last))


@pytest.fixture(scope="module")
def board():
    with jax.enable_x64(True):
        return explained(NET, COST, SGD_L2, golden(), X, Y)


def said(text, name):
    """The last number of each line that begins with `name =`."""
    return [float(line.split()[-1]) for line in text.splitlines() if line.strip().startswith(f"{name} = ")]


@pytest.mark.parametrize(
    ("name", "values"),
    {
        "z1": [0.36, 0.366045],
        "z2": [-0.47, -0.511176],
        "a2": [0.384616],
        "C": [0.996653],
        "dC/dW[1,2]": [-0.157499, 0.24022],
        "delta2": [0.740007, 0.17515],  # at the output of the hidden layer, then before its sigmoid
        "W[1,1]": [0.139537, 0.817105],
        "W[3,2]": [0.48314],
        "b[2]": [-0.107575, -0.237459],
    }.items(),
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_the_worked_example(board, name, values):
    assert said(board, name) == pytest.approx(values, rel=2e-6)


def sums(text):
    """How many sums are written out; each has come out."""
    worked = [
        re.split(r" = ", line.strip(), maxsplit=1)[1].rsplit(" = ", 1)
        for line in text.splitlines()
        if line.count(" = ") == 2
    ]
    written = [(sum_, value) for sum_, value in worked if re.fullmatch(r"[-+*().e0-9 ]+", sum_)]
    for sum_, value in written:
        assert eval(sum_) == pytest.approx(float(value), rel=1e-4, abs=1e-6), sum_
    return len(written)


def test_every_sum_on_the_board_comes_out(board):
    assert sums(board) >= 40


def test_the_new_parameters_are_those_of_the_real_step(board):
    with jax.enable_x64(True):
        new, _ = fnn.step(NET, COST, SGD_L2, golden(), (), X, Y, fnn.autodiff)
    for leaf, name in (("W", r"W\["), ("b", r"b\[")):
        found = [float(line.split()[-1]) for line in board.splitlines() if re.match(rf"    {name}", line)]
        expected = np.concatenate([np.ravel(getattr(p, leaf)) for p in new if p])
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_the_cost_falls_by_about_what_the_gradient_promised():
    neuron = (DenseParams(jnp.array([[0.5, -0.25]]), jnp.array([0.2])),)
    text = explained((Dense(1),), COST, SGD(0.1), neuron, jnp.array([[1.0, 2]]), jnp.array([[1.0]]))
    assert "0.598139 before, 0.485471 after" in text
    assert "promised 0.476549" in text


class Shift(NamedTuple):
    c: jax.Array


@fnn.static
class Moved:
    def init(self, key, shape):
        return Shift(jnp.zeros(shape)), shape

    def forward(self, params, a):
        return a + params.c[None]

    def backward(self, params, a, delta):
        return Shift(delta.sum(axis=0)), delta


@dataclass(frozen=True)
class SignDescent:
    def init(self, params):
        return ()

    def update(self, params, v, gradient):
        return jax.tree.map(lambda p, g: p - 0.1 * jnp.sign(g), params, gradient), v

    def scaled(self, factor):
        return self


def test_layers_and_rules_of_ones_own_are_explained_too():
    net = (Maxout(2, 2), Moved(), Swish(), Dense(2), Softmax())
    params = draw_params(net, 0, (6,))
    x = jnp.ones((1, 6))
    text = explained(net, fnn.Quadratic(fnn.Identity()), SignDescent(), params, x, jnp.array([[1.0, 0]]))
    assert "layer 1, Maxout 6 -> 2: a = forward(...)" in text
    assert "dC/dW[2,1,3] = " in text
    assert "dC/dc[2] = " in text
    assert "new parameters = SignDescent" in text
    new, _ = fnn.step(
        net, fnn.Quadratic(fnn.Identity()), SignDescent(), params, (), x, jnp.array([[1.0, 0]]), fnn.backprop
    )
    assert said(text, "c[2]") == pytest.approx([float(new[1].c[1])], rel=1e-5)


@fnn.static
class Scaled:
    """A layer whose params are one array, without a name."""

    def init(self, key, shape):
        return jnp.ones(shape), shape

    def forward(self, params, a):
        return a * params[None]

    def backward(self, params, a, delta):
        return (a * delta).sum(axis=0), delta * params[None]


def test_params_without_a_name_are_written_as_p():
    text = explained((Scaled(),), COST, SGD(0.1), (jnp.ones(2),), jnp.ones((1, 2)), jnp.array([[1.0, 0]]))
    assert "dC/dp[2] = 0.731059" in text
    assert said(text, "p[2]") == pytest.approx([1 - 0.1 * 0.731059], rel=1e-5)


def test_long_sums_are_cut_short():
    net = (Dense(1),)
    params = draw_params(net, 0, (9,))
    text = explained(net, COST, SGD(0.1, mu=0.9), params, jnp.ones((1, 9)), jnp.ones((1, 1)), fnn.autodiff)
    assert re.search(r"z1 = \S+ [+-] \S+ [+-] \.\.\. \(9 terms\) [+-] \S+ = \S+\n", text)
    assert "mu = 0.9 plays no part yet" in text


@pytest.mark.parametrize("n", [0, 4])
def test_a_board_is_for_one_example(n):
    params = draw_params((Dense(1),), 0, (2,))
    with pytest.raises(fnn.InputError, match=f"one example, got {n} rows of x"):
        explained((Dense(1),), COST, SGD(0.1), params, jnp.ones((n, 2)), jnp.ones((n, 1)))


@fnn.static
class Twice(Dense):
    def forward(self, params, a):
        return 2 * Dense.forward(self, params, a)

    def backward(self, params, a, delta):
        return Dense.backward(self, params, a, 2 * delta)


@pytest.mark.parametrize(("layer", "lmbda"), [(Twice(2), 0.0), (Dense(2), -0.5)])
def test_what_is_worked_out_is_what_it_says(layer, lmbda):
    params = draw_params((layer,), 0, (3,))
    text = explained((layer,), COST, SGD(0.5, lmbda=lmbda), params, jnp.ones((1, 3)), jnp.array([[1.0, 0]]))
    assert sums(text) >= 8  # the new parameters at least
