"""The two gradients side by side: each number is of the pair that it names."""

import jax
import numpy as np
import pytest

import fnn
from fnn import CrossEntropy, Dense
from fnn.checking.comparison import compare, differences, relative, ulps
from fnn.config.reading import load_config
from fnn.examples import Examples
from fnn.runs import preparing
from fnn.training.fitting import Result
from tests.helpers.support import draw, draw_params, one_hot_rows


@fnn.static
class Doubles(Dense):
    """A layer whose handwritten derivative by W is wrong by a factor of 2."""

    def backward(self, params, a, delta):
        nabla, before = Dense.backward(self, params, a, delta)
        return nabla._replace(W=2 * nabla.W), before


def at(params):
    """The epochs of a training that is there after its first and only one."""
    return iter([Result(*[None] * len(Result._fields))._replace(params=params)])


def test_the_gradient_that_is_wrong_is_told_from_the_one_that_is_right():
    net, (x,) = (Doubles(2),), draw(1, (3, 4))
    train = Examples(x.at[0].set(0), one_hot_rows(2, 3, 2))  # of W the first example alone says nothing
    params = draw_params(net, 0, (4,))
    there = jax.tree.map(lambda p: 4 * p, params)
    ((*_, (row,)),) = compare(net, CrossEntropy(), train, at(params), at(there))
    assert (row.gradient, row.backprop_error, row.params) == pytest.approx((1, 1, 0.75), rel=1e-5)
    assert row.autodiff_error < 1e-5
    assert row.nearer == "autodiff"


def test_the_true_gradient_is_computed_in_full_precision_whatever_is_set():
    traced = []

    @fnn.static
    class Notes(fnn.Identity):
        def forward(self, params, a):
            traced.append((str(a.dtype), jax.config.jax_default_matmul_precision))
            return a

    net, (x,) = (Dense(2), Notes()), draw(1, (3, 4))
    params = draw_params(net, 0, (4,))
    with jax.default_matmul_precision("bfloat16"):
        differences(net, CrossEntropy(), params, params, Examples(x, one_hot_rows(2, 3, 2)))
    assert set(traced) == {("float32", "bfloat16"), ("float64", "highest")}


@pytest.mark.parametrize("leaf", [0, 1])
@pytest.mark.parametrize("measure", [relative, ulps])
def test_nan_in_any_leaf_is_no_agreement(measure, leaf):
    right = [np.ones(2), np.ones(1)]
    got = [np.full_like(a, np.nan) if i == leaf else a for i, a in enumerate(right)]
    assert np.isnan(measure(got, right))


def test_the_comparison_measures_relative_to_the_largest_entry_and_in_ulps():
    right, wrong = [np.array([1.0, -2.0], np.float32)], [np.array([1.0, -2.002], np.float32)]
    assert relative(right, right) == ulps(right, right) == 0
    assert relative(wrong, right) == pytest.approx(1e-3, rel=1e-3)
    next_up = [np.array([1.0, np.nextafter(np.float32(-2), np.float32(-3))], np.float32)]
    assert ulps(next_up, right) == 1


def test_compared_trainings_take_turns_until_one_ends(config):
    prepared, went = preparing.prepare(load_config(config)), []
    net, cost = prepared.config.network.layers, prepared.config.network.cost
    (result,) = at(prepared.params)

    def training(name, epochs):
        for _ in range(epochs):
            went.append(name)
            yield result

    found = compare(net, cost, prepared.data.train, training("hand", 4), training("auto", 3))
    assert len(list(found)) == 3
    assert went == ["hand", "auto", "auto", "hand", "hand", "auto", "hand"]


def test_the_comparison_says_which_is_nearer_to_float64(config):
    prepared = preparing.prepare(load_config(config))
    net, cost = prepared.config.network.layers, prepared.config.network.cost
    rows = differences(net, cost, prepared.params, prepared.params, prepared.data.train)
    assert [row.layer for row in rows] == [0, 2]
    for row in rows:
        assert 0 < row.backprop_error < 1e-5
        assert 0 < row.autodiff_error < 1e-5
        assert row.ulps == pytest.approx(row.gradient * 2**24, rel=0.5, abs=1)
        assert row.params == 0
    worse = rows[0]._replace(backprop_error=1.0)
    assert worse.nearer == "autodiff"
