"""Costs: delta is the derivative of value, and large outputs stay finite."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import (
    SGD,
    Conv,
    CrossEntropy,
    Dense,
    Examples,
    Identity,
    LeakyReLU,
    LogLikelihood,
    Quadratic,
    ReLU,
    Softmax,
    Step,
    Tanh,
)
from fnn.costs import check_values
from tests.helpers.support import COSTS, assert_trees_close, compiled, draw, one_hot_rows

X64 = pytest.mark.parametrize("x64", [False, True], ids=["float32", "float64"])


@X64
@pytest.mark.parametrize("cost", COSTS, ids=repr)
def test_delta_is_the_gradient_of_value(cost, x64):
    with jax.enable_x64(x64):
        (z, shares), y = draw(2, (5, 4), (5, 4)), one_hot_rows(3, 5, 4)
        soft = np.exp(shares) / np.exp(shares).sum(axis=1, keepdims=True)
        both = compiled(lambda z, y: (cost.delta(z, y), jax.grad(cost.value)(z, y)))
        assert_trees_close(*both(z, y))
        assert_trees_close(*both(z, soft))
        # rows of another sum, as rounded or weighted classes have them
        assert_trees_close(*both(z, soft * np.linspace(0.5, 2.0, 5)[:, None].astype(soft.dtype)))


@pytest.mark.parametrize("z", [-80.0, -20.0, -3.0, 0.0, 3.0, 20.0, 80.0])
@pytest.mark.parametrize("y", [0.0, 1.0])
def test_cross_entropy_keeps_the_digits_of_a_right_answer(z, y):
    exact = 1 / (1 + math.exp(-z)) if y == 0 else -1 / (1 + math.exp(z))
    delta = fnn.CrossEntropy().delta(jnp.array([[z]]), jnp.array([[y]]))
    assert float(delta[0, 0]) == pytest.approx(exact, rel=1e-6, abs=0)


@pytest.mark.long
@pytest.mark.parametrize("cost", COSTS, ids=repr)
@pytest.mark.parametrize("size", [1e2, 1e4])
def test_saturated_outputs_stay_finite(cost, size):
    z = size * jnp.array([[1.0, -1.0], [-1.0, 1.0], [0.0, 1.0]])
    y = jnp.array([[0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    for array in (cost.output(z), cost.value(z, y), cost.delta(z, y), jax.grad(cost.value)(z, y)):
        assert jnp.isfinite(array).all()


@fnn.static
class Counts:
    """A user's own cost, for whole numbers: Poisson regression."""

    def output(self, z):
        return jnp.exp(z)

    def value(self, z, y):
        return (jnp.exp(z) - y * z).sum(axis=1).mean()

    def delta(self, z, y):
        return (jnp.exp(z) - y) / z.shape[0]

    def targets(self, y):
        return "" if (y == np.round(y)).all() else f"Counts is for whole numbers, got {y[y != np.round(y)][0]:g}."


@fnn.static
class Doubled:
    """A user's own activation, of which nothing is known."""

    def init(self, key, shape):
        return (), shape

    def forward(self, params, a):
        return 2 * a

    def backward(self, params, a, delta):
        return (), 2 * delta


OF_BOTH_SIGNS, SIGNS = [[-5.5, 8.25], [1.0, 0.0]], [[-1.0], [1.0]]
BOTH, SHARES, TAGS = [[1.0, 0.0], [0.0, 1.0]], [[0.25, 0.75], [0.3333, 0.6667]], [[0, 1], [1, 1], [0, 0]]
WRONG = {
    "quantities": (LogLikelihood(), OF_BOTH_SIGNS, r"0 that sum to 1 in every row, got -5.5 to 8.25; use Quadratic"),
    "positive quantities": (LogLikelihood(), [[1.5, 3.0]], r"got a sum of 4.5 in row 0; use Quadratic\(Identity\(\)\)"),
    "tags": (LogLikelihood(), TAGS, r"got a sum of 2 in row 1; use CrossEntropy"),
    "no class": (LogLikelihood(), [[0, 1], [0, 0]], r"got a sum of 0 in row 1; use CrossEntropy"),
    "one output": (LogLikelihood(), [[1], [0]], "softmax of one output is always 1; use CrossEntropy"),
    "one output of signs": (LogLikelihood(), SIGNS, "softmax of one output is always 1; use Quadratic"),
    "infinite": (LogLikelihood(), [[math.inf, 0.0]], "got a sum of inf in row 0"),
    "signs": (CrossEntropy(), SIGNS, "CrossEntropy is for desired outputs from 0 to 1, got -1 to 1; use Quadratic"),
    "bytes": (CrossEntropy(), np.array([[0], [255]], np.uint8), "from 0 to 1, got 0 to 255"),
    "a layer with params": (Quadratic(Dense(2)), BOTH, "Dense has parameters"),
    "a layer of images": (Quadratic(Conv(1, 1)), BOTH, r"activation of Quadratic: .*Conv\(filters=1"),
    "signs, sigmoid": (
        Quadratic(),
        SIGNS,
        r"Quadratic\(Sigmoid\(\)\) is for desired outputs from 0 to 1, got -1 to 1; ",
    ),
    "large, sigmoid": (
        Quadratic(),
        [[0.0], [1.01]],
        r"got 0 to 1.01; use Quadratic\(Identity\(\)\), in a",
    ),
    "quantities, tanh": (Quadratic(Tanh()), OF_BOTH_SIGNS, r"Quadratic\(Tanh\(\)\) .* from -1 to 1, got -5.5 to 8.25"),
    "signs, ReLU": (
        Quadratic(ReLU()),
        SIGNS,
        r"Quadratic\(ReLU\(\)\) is for .* of at least 0, got -1 to 1",
    ),
    "signs, ReLU as a leaky one": (Quadratic(LeakyReLU(0.0)), SIGNS, "of at least 0, got -1 to 1"),
    "large, step": (Quadratic(Step()), [[0.0], [3.0]], "from 0 to 1, got 0 to 3"),
    "infinite, ReLU": (Quadratic(ReLU()), [[-math.inf, 0.0]], "of at least 0, got -inf to 0"),
    "tags, softmax": (
        Quadratic(Softmax()),
        TAGS,
        r"to 1 in every row, got a sum of 2 in row 1; use Quadratic\(Sigm",
    ),
    "signs, softmax": (Quadratic(Softmax()), OF_BOTH_SIGNS, r"Quadratic\(Softmax\(\)\) .* from 0 to 1, got -5.5"),
    "one output, softmax": (Quadratic(Softmax()), [[1], [0]], "a sum of 0 in row 1"),
    "bytes, sigmoid": (Quadratic(), np.array([[0], [255]], np.uint8), "from 0 to 1, got 0 to 255"),
    "somebody's own": (Counts(), [[1.0, 2.0], [2.5, 1.0]], "Counts is for whole numbers, got 2.5"),
}
RIGHT = {
    "classes": (LogLikelihood(), np.eye(3, dtype=np.uint8)),
    "soft classes": (LogLikelihood(), SHARES),
    "soft classes in half precision": (LogLikelihood(), np.asarray(jnp.full((2, 3), 1 / 3, "bfloat16"))),
    "truth values": (LogLikelihood(), np.eye(2, dtype=bool)),
    "a hole, which training names": (LogLikelihood(), [[math.nan, 1.0], [0.0, 1.0]]),
    "tags": (CrossEntropy(), TAGS),
    "shares": (CrossEntropy(), [[0.0], [0.5]]),
    "any": (Quadratic(Identity()), OF_BOTH_SIGNS),
    "any, leaky": (Quadratic(LeakyReLU()), OF_BOTH_SIGNS),
    "any, of an activation that is not ours": (Quadratic(Doubled()), OF_BOTH_SIGNS),
    "the ends of the sigmoid": (Quadratic(), TAGS),
    "the ends of the sigmoid, rounded": (Quadratic(), np.array([[-1e-7], [1 + 1e-7]])),
    "the ends of tanh": (Quadratic(Tanh()), SIGNS),
    "within tanh": (Quadratic(Tanh()), BOTH),
    "truth values, sigmoid": (Quadratic(), np.eye(2, dtype=bool)),
    "truth values, step": (Quadratic(Step()), np.eye(2, dtype=bool)),
    "positive quantities, ReLU": (Quadratic(ReLU()), [[0.0, 1e30]]),
    "shares, softmax": (Quadratic(Softmax()), SHARES),
    "a hole, sigmoid": (Quadratic(), [[math.nan, 1.0], [0.0, 1.0]]),
    "somebody's own": (Counts(), [[1.0, 7.0]]),
    "none": (LogLikelihood(), np.zeros((0, 1))),
}


@pytest.mark.parametrize(("cost", "y", "said"), WRONG.values(), ids=WRONG)
def test_a_cost_says_what_it_does_not_take(cost, y, said):
    with pytest.raises(ValueError, match=said):
        check_values(cost, np.asarray(y))


@pytest.mark.parametrize(("cost", "y"), RIGHT.values(), ids=RIGHT)
def test_a_cost_takes_what_it_is_for(cost, y):
    check_values(cost, np.asarray(y))


def test_the_last_row_of_a_large_table_counts(monkeypatch):
    monkeypatch.setattr("fnn.costs.BLOCK", 8)
    y = np.eye(3, dtype=np.uint8)[np.arange(100) % 3]
    check_values(LogLikelihood(), y)
    y[99] = 1
    with pytest.raises(ValueError, match="got a sum of 3 in row 99"):
        check_values(LogLikelihood(), y)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
@pytest.mark.parametrize("way", ["fit", "sweep"])
@pytest.mark.parametrize(
    ("cost", "y"),
    [(LogLikelihood(), TAGS), (CrossEntropy(), OF_BOTH_SIGNS), (Quadratic(), OF_BOTH_SIGNS), (Counts(), SHARES)],
)
def test_every_part_is_looked_at_before_anything_is_compiled(cost, y, way, part):
    x, net = np.ones((3, 4), np.float32), (Dense(2),)
    bad = Examples(x[: len(y)], np.asarray(y, np.float32))
    parts = {
        name: bad if name == part else Examples(x[:2], np.eye(2, dtype=np.uint8))
        for name in ("train", "validation", "test")
    }
    params = fnn.init(net, jax.random.key(0), (4,))
    if way == "sweep":
        params = jax.tree.map(lambda p: p[None], params)

    def never(*arguments):
        raise AssertionError("the program is being traced")

    settings = {
        "batch_size": 1,
        "epochs": 1,
        "gradient": never,
        "validation": parts["validation"],
        "test": parts["test"],
    }
    with pytest.raises(ValueError, match=rf"^{part}: {type(cost).__name__}\S* is for"):
        next(getattr(fnn, way)(net, cost, SGD(0.1), params, parts["train"], jax.random.key(1), **settings))


@pytest.mark.parametrize(("cost", "y"), [(LogLikelihood(), TAGS), (CrossEntropy(), OF_BOTH_SIGNS), (Counts(), SHARES)])
def test_evaluation_looks_too(cost, y):
    params = fnn.init((Dense(2),), jax.random.key(0), (4,))
    with pytest.raises(ValueError, match=f"^{type(cost).__name__} is for"):
        fnn.evaluate((Dense(2),), cost, params, Examples(np.ones((len(y), 4), np.float32), np.asarray(y, np.float32)))
