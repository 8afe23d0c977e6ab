"""The two gradients side by side: each number is of the pair that it names."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import CrossEntropy, Dense
from fnn.checking.comparison import Difference, Training, compare, differences, relative, ulps
from fnn.config.reading import load_config
from fnn.errors import DivergedError
from fnn.examples import Examples
from fnn.runs import preparing
from fnn.training.tasks import Result
from tests.helpers.support import draw, draw_params, one_hot_rows

pytestmark = pytest.mark.long  # on the newest Python a change has no time for these


@fnn.static
class Doubles(Dense):
    """A layer whose handwritten derivative by W is wrong by a factor of 2."""

    def backward(self, params, a, delta):
        nabla, before = Dense.backward(self, params, a, delta)
        return nabla._replace(W=2 * nabla.W), before


def at(params):
    """The epochs of a training that is there after its first and only one."""
    return Training(iter([result_at(params)]))


def result_at(params):
    return Result(*[None] * len(Result._fields))._replace(params=params)


def test_the_gradient_that_is_wrong_is_told_from_the_one_that_is_right():
    net, (x,) = (Doubles(2),), draw(1, (3, 4))
    train = Examples(x.at[0].set(0), one_hot_rows(2, 3, 2))  # of W the first example alone says nothing
    params = draw_params(net, 0, (4,))
    there = jax.tree.map(lambda p: 4 * p, params)
    ((*_, (row,), fault),) = compare(net, CrossEntropy(), train, at(params), at(there))
    assert fault == ""
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


@pytest.fixture
def turns(config):
    """`turns(hand, auto)`: the comparisons of two trainings of so many epochs, the trainings, and who went when.

    A training of -k epochs diverges in epoch k.
    """
    prepared, went = preparing.prepare(load_config(config)), []
    net, cost = prepared.config.network.layers, prepared.config.network.cost

    def training(name, epochs):
        for epoch in range(1, abs(epochs) + 1):
            went.append(name)
            if epoch == -epochs:
                raise DivergedError(name, epoch, 1, 0)
            yield result_at(prepared.params)._replace(epoch=epoch)

    def turns(hand, auto):
        trainings = Training(training("hand", hand)), Training(training("auto", auto))
        return len(list(compare(net, cost, prepared.data.train, *trainings))), trainings, went

    return turns


def test_compared_trainings_take_turns_until_one_ends(turns):
    count, (hand, auto), went = turns(4, 3)
    assert count == 3
    assert went == ["hand", "auto", "auto", "hand", "hand", "auto", "hand"]
    assert (hand.last.epoch, auto.last.epoch) == (4, 3)


@pytest.mark.parametrize(("hand", "auto"), [(5, -2), (-2, 5), (-2, -2), (-1, 5), (5, -1)])
def test_where_one_diverges_the_other_has_tried_that_epoch(hand, auto, turns):
    count, trainings, _ = turns(hand, auto)
    first = min(abs(hand), abs(auto))
    assert count == first - 1
    for epochs, training in zip((hand, auto), trainings, strict=True):
        assert (training.diverged is not None) == (epochs < 0)
        assert (training.last.epoch if training.last else 0) == (first - 1 if epochs < 0 else first)


@fnn.static
class Root(fnn.Sigmoid):
    """sqrt of the positive part; by hand right everywhere, by autodiff nan where the input is not positive."""

    def forward(self, params, a):
        return jnp.where(a > 0, jnp.sqrt(a), 0.0)

    def backward(self, params, a, delta):
        return (), jnp.where(a > 0, delta / (2 * jnp.sqrt(jnp.where(a > 0, a, 1.0))), 0.0)


def test_a_gradient_that_is_nan_at_the_point_is_told():
    net, (x,) = (Dense(3), Root(), Dense(2)), draw(1, (9, 4))
    params, train = draw_params(net, 0, (4,)), Examples(x, one_hot_rows(2, 9, 2))
    ((*_, rows, fault),) = compare(net, CrossEntropy(), train, at(params), at(params))
    assert np.isnan(rows[0].gradient)
    assert rows[0].nearer == "neither"
    assert fault.startswith("the derivative by jax.grad of layer 1 (Root) with respect to its input is nan where")


@pytest.mark.parametrize(
    ("errors", "nearer"),
    [
        ((1.0, 2.0), "backprop"),
        ((2.0, 1.0), "autodiff"),
        ((1.0, 1.0), "equal"),
        ((0.0, 0.0), "equal"),
        ((np.nan, 1.0), "autodiff"),
        ((1.0, np.nan), "backprop"),
        ((np.nan, np.nan), "neither"),
        ((np.inf, np.nan), "neither"),
    ],
)
def test_which_is_nearer(errors, nearer):
    assert Difference(0, 1.0, 1.0, *errors, 1.0).nearer == nearer


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
