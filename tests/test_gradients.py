"""Backward against forward, by hand against automatic, for every layer, cost and random net."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fnn
from fnn import Dense, Maxout, ReLU, Sigmoid, autodiff, backprop
from tests.helpers.support import (
    ACTIVATIONS,
    COSTS,
    LAYERS,
    assert_trees_close,
    compiled,
    draw,
    draw_params,
    one_hot_rows,
)

X64 = pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])


def both(net, cost, params, x, y):
    return backprop(net, cost, params, x, y), autodiff(net, cost, params, x, y)


def check_layer(layer, wrap=lambda f: f):
    (params,) = draw_params((layer,), 0, (3,))
    a, delta = draw(1, (5, 3), (5, *fnn.shape_out((layer,), (3,))))
    _, vjp = jax.vjp(layer.forward, params, a)
    assert_trees_close(wrap(layer.backward)(params, a, delta), vjp(delta))


@pytest.mark.parametrize(("x64", "wrap"), [(True, lambda f: f), (False, jax.jit)], ids=["float64", "float32-jit"])
@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_backward_is_the_transpose_of_the_derivative(layer, x64, wrap):
    with jax.enable_x64(x64):
        check_layer(layer, wrap)


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_init_promises_the_shape_of_forward(layer):
    params, out_shape = layer.init(jax.random.key(0), (3,))
    assert layer.forward(params, jnp.ones((5, 3))).shape == (5, *out_shape)


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


def around(layer, cost):
    """A net with the layer inside, and a point."""
    net = (Dense(5), layer, Dense(2))
    return net, cost, draw_params(net, 0, (3,)), draw(1, (5, 3))[0], one_hot_rows(2, 5, 2)


@pytest.mark.parametrize("cost", COSTS, ids=repr)
@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_backprop_is_autodiff_for_every_layer_and_cost_in_float64(layer, cost):
    with jax.enable_x64(True):
        assert_trees_close(*both(*around(layer, cost)))


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_backprop_is_autodiff_for_every_layer_and_cost_compiled_in_float32(layer):
    net, _, *point = around(layer, COSTS[0])  # one program for all costs, one forward pass: compiling takes time
    for by_hand, automatic in jax.jit(lambda point: [both(net, cost, *point) for cost in COSTS])(point):
        assert_trees_close(by_hand, automatic)


@fnn.static
class ForgetsPrime(Sigmoid):
    """A planted bug: σ′ is missing."""

    def backward(self, params, a, delta):
        return (), delta


@fnn.static
class SecondWinner(Maxout):
    """A planted bug: the derivative goes to the last of the winning pieces."""

    def backward(self, params, a, delta):
        nabla, delta_prev = super().backward(params, a, delta)
        return nabla._replace(W=nabla.W[::-1]), delta_prev


@fnn.static
class TransposedDense(Dense):
    """A planted bug: `W` instead of `Wᵀ`, with a square matrix so that the shapes fit."""

    def backward(self, params, a, delta):
        return super().backward(params, a, delta)[0], delta @ params.W.T


@fnn.static
class HalfBias(Dense):
    """A planted bug: the bias gets the mean of delta, not its sum."""

    def backward(self, params, a, delta):
        nabla, delta_prev = super().backward(params, a, delta)
        return nabla._replace(b=delta.mean(axis=0)), delta_prev


@pytest.mark.parametrize("layer", [ForgetsPrime(), SecondWinner(3), TransposedDense(3), HalfBias(4)], ids=repr)
def test_the_check_rejects_a_wrong_rule(layer):
    with pytest.raises(AssertionError):
        check_layer(layer)


@X64
def test_relu_like_kinks_give_one_side_by_both_routes(x64):
    with jax.enable_x64(x64):
        zero, one = jnp.zeros((1, 1)), jnp.ones((1, 1))
        for layer, side in ((ReLU(), 0.0), (fnn.LeakyReLU(0.3), 0.3), (fnn.Step(), 0.0)):
            _, by_hand = layer.backward((), zero, one)
            assert (
                by_hand[0, 0] == jax.grad(lambda z, f=layer.f: f(z).sum())(zero)[0, 0] == jnp.asarray(side, zero.dtype)
            )


def test_tied_maxout_pieces_give_everything_to_the_first():
    layer = Maxout(1, 3)
    params = jax.tree.map(lambda p: jnp.ones_like(p), layer.init(jax.random.key(0), (2,))[0])
    a, delta = jnp.array([[2.0, 3.0]]), jnp.ones((1, 1))
    nabla, _ = layer.backward(params, a, delta)
    assert nabla.b.tolist() == [[1.0], [0.0], [0.0]]
    assert_trees_close(layer.backward(params, a, delta), jax.vjp(layer.forward, params, a)[1](delta))


@st.composite
def nets(pick, widths):
    """1 to 5 layers with at least one that has parameters, and the number of outputs."""
    hidden = st.one_of(st.sampled_from(ACTIVATIONS), widths.map(Dense), st.builds(Maxout, widths, st.integers(1, 4)))
    n_out = pick(widths)
    return (*pick(st.lists(hidden, max_size=4)), Dense(n_out)), n_out


def check_nets(wrap, cases, x64):
    """Each case is a net with its number of outputs, a cost, n_in, n, a seed; `wrap` compiles them all, or does not."""
    with jax.enable_x64(x64):
        problems = [problem(*case) for case in cases]
        found = wrap(lambda problems: [both(*problem) for problem in problems])(problems)
        for given_, (by_hand, automatic) in zip(problems, found, strict=True):
            try:
                assert_trees_close(by_hand, automatic)
            except AssertionError:
                if x64:
                    raise
                assert_as_near_to_float64(*given_, by_hand, automatic)


def problem(net, cost, n_in, n, seed):
    """The arguments of a gradient."""
    layers, n_out = net
    # too small to saturate: where 1 - a is left of a, neither route has twelve digits to agree in
    params = jax.tree.map(lambda p: np.asarray(p) / (2 * math.sqrt(p.shape[-1])), draw_params(layers, seed, (n_in,)))
    params = jax.device_put(params)
    return layers, cost, params, draw(seed + 1, (n, n_in))[0], one_hot_rows(seed + 2, n, n_out)


def assert_as_near_to_float64(net, cost, params, x, y, by_hand, automatic):
    """Where float32 keeps few digits (a - y of an output nearly right), both may be off, but not backprop alone."""
    with jax.enable_x64(True):
        exact = autodiff(net, cost, *jax.tree.map(lambda p: jnp.asarray(p, "float64"), (params, x, y)))
        exact = jax.tree.map(np.asarray, exact)
    for e, b, a in zip(*map(jax.tree.leaves, (exact, by_hand, automatic)), strict=True):
        of_backprop, of_autodiff = (abs(np.asarray(got, "float64") - e).max() for got in (b, a))
        assert of_backprop <= 2 * of_autodiff + 1e-5 * abs(e).max()


widths = st.integers(1, 17)


def cases(widths, rows):
    """One case of `check_nets`."""
    return st.tuples(nets(widths), st.sampled_from(COSTS), widths, rows, st.integers(0, 9999))


five = st.lists(cases(widths, st.integers(1, 9)), min_size=5, max_size=5)  # of 200; compiled together, in half the time


@pytest.mark.long
@settings(deadline=None, derandomize=True, max_examples=40)
@given(five, st.booleans())
def test_backprop_is_autodiff_for_random_nets(cases, x64):
    check_nets(compiled, cases, x64)


few = st.sampled_from((1, 4))  # widths: each new shape compiles every operation anew


@settings(deadline=None, derandomize=True, max_examples=8)
@given(cases(few, st.just(4)), st.booleans())
def test_backprop_is_autodiff_for_random_nets_eagerly(case, x64):
    check_nets(lambda f: f, [case], x64)
