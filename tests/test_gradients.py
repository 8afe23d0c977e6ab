"""The gradient by hand against the automatic one, for every layer, cost and random net."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fnn import Dense, Maxout, autodiff, backprop
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


def both(net, cost, params, x, y):
    return backprop(net, cost, params, x, y), autodiff(net, cost, params, x, y)


def around(layer, cost):
    """A net with the layer inside, and a point."""
    net = (Dense(5), layer, Dense(2))
    return net, cost, draw_params(net, 0, (3,)), draw(1, (5, 3))[0], one_hot_rows(2, 5, 2)


@pytest.mark.parametrize("cost", COSTS, ids=repr)
@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_backprop_is_autodiff_for_every_layer_and_cost_in_float64(layer, cost):
    with jax.enable_x64(True):
        assert_trees_close(*both(*around(layer, cost)))


@pytest.mark.long
@pytest.mark.parametrize("layer", LAYERS, ids=repr)
def test_backprop_is_autodiff_for_every_layer_and_cost_compiled_in_float32(layer):
    net, _, *point = around(layer, COSTS[0])  # one program for all costs, one forward pass: compiling takes time
    for by_hand, automatic in jax.jit(lambda point: [both(net, cost, *point) for cost in COSTS])(point):
        assert_trees_close(by_hand, automatic)


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


five = st.lists(cases(widths, st.integers(1, 9)), min_size=5, max_size=5)  # compiled together, in half the time


@pytest.mark.long
@settings(deadline=None, derandomize=True, max_examples=20)
@given(five, st.booleans())
def test_backprop_is_autodiff_for_random_nets(cases, x64):
    check_nets(compiled, cases, x64)


@pytest.mark.campaign
@settings(deadline=None, derandomize=True, max_examples=100)
@given(five, st.booleans())
def test_backprop_is_autodiff_for_five_hundred_random_nets(cases, x64):
    check_nets(compiled, cases, x64)


few = st.sampled_from((1, 4))  # widths: each new shape compiles every operation anew


@pytest.mark.long
@settings(deadline=None, derandomize=True, max_examples=4)
@given(cases(few, st.just(4)), st.booleans())
def test_backprop_is_autodiff_for_random_nets_eagerly(case, x64):
    check_nets(lambda f: f, [case], x64)
