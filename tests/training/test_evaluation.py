"""Evaluation: exact for any number of examples, and what counts as right."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import CrossEntropy, Dense, Examples, Identity, LogLikelihood, Quadratic, ReLU, Tanh, Zeros
from fnn.layers import DenseParams
from fnn.training.evaluation import measure_for
from tests.helpers.training import COST, KEY, LINEAR, NET, PLAIN, params_of, some, some_reals

QUANTITIES = Quadratic(Identity())


@pytest.mark.parametrize(
    ("n", "n_in"),
    [
        (5001, 5),
        *(pytest.param(*sizes, marks=pytest.mark.long) for sizes in [(1, 5), (5000, 5), (100, 4000)]),
        (211, 4000),
    ],  # 211 inputs of 4,000: a hundred, another, and eleven
)
def test_evaluation_is_exact_for_any_number(n, n_in):
    examples, params = some(n, n_in=n_in), fnn.init(NET, jax.random.key(0), (n_in,))
    x, y = np.asarray(examples.x, np.float32) / 255, np.asarray(examples.y)
    a = np.asarray(fnn.predict(NET, COST, params, jnp.asarray(x)))
    cost, accuracy = fnn.evaluate(NET, COST, params, examples)
    assert float(accuracy) == pytest.approx((a.argmax(axis=1) == y.argmax(axis=1)).mean(), abs=1e-7)
    assert float(cost) == pytest.approx(-np.log(a[y == 1]).mean(), rel=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sums_over_many_examples_do_not_need_to_fit_into_half_precision(dtype):
    examples, net = some(60_000), (Dense(3),)
    params = fnn.init(net, jax.random.key(0), examples.shape)
    wanted = fnn.evaluate(net, COST, params, examples)
    half = examples._replace(x=examples.x.astype(dtype)), jax.tree.map(lambda leaf: leaf.astype(dtype), params)
    got = fnn.evaluate(net, COST, half[1], half[0])
    assert float(got.cost) == pytest.approx(float(wanted.cost), rel=0.01)
    assert float(got.accuracy) == pytest.approx(float(wanted.accuracy), abs=0.002)


def scored(z, y, cost=QUANTITIES, measure=None):
    """The accuracy of outputs `z`, which an identity gives."""
    identity = DenseParams(jnp.eye(len(z[0])), jnp.zeros(len(z[0])))
    examples = Examples(jnp.array(z, jnp.float32), jnp.array(y, jnp.float32))
    return fnn.evaluate((Dense(len(z[0])),), cost, (identity,), examples, measure=measure).accuracy


@pytest.mark.parametrize(
    ("z", "y", "cost", "accuracy"),
    [
        ([[2, 1], [1, 2]], [[1, 0], [1, 0]], QUANTITIES, 0.5),  # classes: the largest output
        ([[1, 1], [1, 1]], [[1, 0], [0, 1]], QUANTITIES, 0.5),  # of equal outputs the first one counts
        ([[0.6], [0.5]], [[1], [1]], QUANTITIES, 0.5),  # one output: above 1/2, strictly
        ([[0.9, 0.9], [0.9, 0.1]], [[1, 1], [1, 1]], QUANTITIES, 0.5),  # a code: all of its bits
        ([[0.9, 0.1]], [[0.7, 0.2]], QUANTITIES, math.nan),  # quantities
        ([[0.9, 0.1]], [[0.7, 0.3]], QUANTITIES, math.nan),  # two quantities that happen to sum to 1
        ([[0.9, 0.1]], [[0.7, 0.3]], Quadratic(Tanh()), math.nan),
        ([[0.9, 0.1]], [[0.7, 0.3]], LogLikelihood(), 1.0),  # soft classes: the outputs are shares too
        ([[0.9, 0.1]], [[0.7, 0.3]], CrossEntropy(), 1.0),
        ([[0.9, 0.1]], [[0.7, 0.2999]], LogLikelihood(), 1.0),  # sums are taken to a thousandth
    ],
)
def test_what_counts_as_right(z, y, cost, accuracy):
    assert float(scored(z, y, cost)) == pytest.approx(accuracy, nan_ok=True)
    traced = jax.jit(lambda y: scored(z, y, cost))(jnp.array(y, jnp.float32))  # decided in the compiled program
    assert float(traced) == pytest.approx(accuracy, nan_ok=True)


Z, ONE_HOT = [[2.0, 1.0, -1.0], [-3.0, -2.0, -4.0]], [[1, 0, 0], [0, 1, 0]]


@pytest.mark.parametrize(("measure", "accuracy"), [("classes", 1.0), ("bits", 0.0), ("none", math.nan), (None, 1.0)])
def test_the_caller_may_say_what_counts(measure, accuracy):
    assert float(scored(Z, ONE_HOT, measure=measure)) == pytest.approx(accuracy, nan_ok=True)


@pytest.mark.parametrize("measure", ["accuracy", "", True, "Classes", b"bits"])
def test_an_unknown_measure_is_refused(measure):
    with pytest.raises(ValueError, match=f"measure={measure!r}: expected 'classes', 'bits' or 'none'"):
        scored(Z, ONE_HOT, measure=measure)


def test_of_one_output_the_largest_is_no_answer():
    with pytest.raises(ValueError, match="of one output the largest is always right"):
        scored([[1.0]], [[0.0]], measure="classes")


@pytest.mark.parametrize(
    ("parts", "measure"),
    [
        ([[[1, 0], [0, 1]], [[1, 0]]], "classes"),
        ([[[1, 0], [0, 1]], [[1, 1]]], "bits"),  # a single row of two labels, in any part
        ([[[1, 0], [0, 1]], [[0, 0]]], "bits"),
        ([[[1], [0]], [[1]]], "bits"),
        ([[[1], [0]], [[3]]], "none"),
        ([[[1, 0]], [[0.5, 0.5]]], "none"),
        ([np.zeros((0, 2)), [[1, 0]]], "classes"),
        ([[[math.nan, 0]]], "none"),
    ],
)
def test_one_measure_for_all_parts(parts, measure):
    assert measure_for(QUANTITIES, *map(np.array, parts)) == measure


@pytest.mark.parametrize("rows", [[0], [1], [0, 1]], ids=str)
@pytest.mark.parametrize("y", [ONE_HOT, [[1, 1, 0], [0, 1, 0]]], ids=["classes", "bits"])
def test_the_accuracy_of_nan_is_nan(rows, y):
    z = np.array(Z)
    z[rows] = math.nan
    assert math.isnan(scored(z, y))
    assert math.isnan(scored(np.where(np.isnan(z), [[math.nan, 0, 0]], z), y))  # one output of a row


@pytest.mark.long
def test_what_does_not_apply_raises_no_alarm():
    z, y, nets = [[0.9, 0.1]], [[0.7, 0.2]], jax.vmap(lambda key: fnn.init(LINEAR, key, (5,)))(jax.random.split(KEY, 2))
    reals = some_reals(6)._replace(y=np.linspace(-1, 2, 18, dtype=np.float32).reshape(6, 3))
    silent, params = (
        (Dense(3, Zeros(), Zeros()), ReLU(), Dense(3)),
        params_of((Dense(3, Zeros(), Zeros()), ReLU(), Dense(3))),
    )
    with jax.debug_nans(True):
        assert math.isnan(scored(z, y))
        readings = fnn.monitor(silent, QUANTITIES, params, *reals.rows(slice(None)))
        assert math.isnan(readings[1].update)
        (last,) = fnn.fit(
            silent, QUANTITIES, PLAIN, params, reals, KEY, batch_size=3, epochs=1, validation=reals, monitor=True
        )
        assert math.isnan(last.validation.accuracy)
        (last,) = fnn.sweep(LINEAR, QUANTITIES, PLAIN, nets, reals, KEY, batch_size=3, epochs=1)
        assert math.isnan(last.train.accuracy[1])
        with pytest.raises(FloatingPointError):  # a true alarm
            scored([[math.nan, 0.1]], y)


KINDS = {
    "a tuple": (lambda x, y: (x, y), r"examples is a tuple; expected Examples\(x, y\)\.$"),
    "a data set": (
        lambda x, y: fnn.load_data("moons"),
        r"examples is a Dataset; .* Of a Dataset these are data\.train",
    ),
    "objects": (lambda x, y: fnn.Examples(x.astype(object), y), "examples: x is an array of object; expected numbers"),
    "text": (lambda x, y: fnn.Examples(x, y.astype(str)), "examples: y is an array of <U32; expected numbers"),
    "complex": (lambda x, y: fnn.Examples(x * 1j, y), "examples: x is an array of complex64; expected numbers"),
    "a list": (lambda x, y: fnn.Examples(x.tolist(), y), "Examples.x is a list; expected an array with one row per"),
}


@pytest.mark.parametrize(("examples", "said"), KINDS.values(), ids=KINDS)
def test_examples_of_another_kind_are_named(examples, said):
    net, x, y = (fnn.Dense(2),), np.ones((4, 3), np.float32), np.eye(2, dtype=np.float32)[[0, 1, 0, 1]]
    params = fnn.init(net, jax.random.key(0), (3,))
    with pytest.raises(TypeError, match=said):
        fnn.evaluate(net, fnn.LogLikelihood(), params, examples(x, y))
    said = said.replace("examples is", "train is").replace("examples: ", "train: ")
    with pytest.raises(TypeError, match=said):
        next(
            fnn.fit(
                net,
                fnn.LogLikelihood(),
                fnn.SGD(0.1),
                params,
                examples(x, y),
                jax.random.key(1),
                batch_size=2,
                epochs=1,
            )
        )


@pytest.mark.parametrize("cost", ["LogLikelihood", fnn.LogLikelihood, None], ids=str)
def test_a_cost_is_a_value(cost):
    net = (fnn.Dense(2),)
    params = fnn.init(net, jax.random.key(0), (3,))
    with pytest.raises(TypeError, match="expected a cost, such as LogLikelihood"):
        fnn.evaluate(net, cost, params, fnn.Examples(np.ones((1, 3)), np.ones((1, 2))))
