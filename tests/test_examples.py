"""Examples: what rows of them are read as."""

import copy
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import fnn
from fnn import SGD, Dense, LogLikelihood, Shifted
from fnn.examples import Examples
from fnn.training import streaming
from tests.helpers.support import draw_params


@pytest.mark.parametrize("i", [slice(1, 3), np.array([2, 0])], ids=["slice", "numbers"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32], ids=["uint8", "float32"])
def test_rows_are_scaled_and_float32_in_numpy_and_traced(i, dtype):
    examples = Examples(np.arange(6, dtype=dtype).reshape(3, 2), np.eye(3, dtype=np.uint8), 0.5)
    x, y = examples.rows(i)
    assert (x.dtype, y.dtype) == (np.float32, np.float32)
    assert np.array_equal(x, np.arange(6).reshape(3, 2)[i] / 2)
    assert np.array_equal(y, np.eye(3)[i])
    traced = jax.jit(lambda examples: examples.rows(i))(jax.device_put(examples))
    assert all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in zip(traced, (x, y), strict=True))
    assert (examples.n, examples.shape) == (3, (2,))


@pytest.mark.parametrize("dtype", [jnp.bfloat16, np.float16, np.float64], ids=["bfloat16", "float16", "float64"])
def test_floating_rows_keep_their_dtype(dtype):
    with jax.enable_x64(True):
        x, y = Examples(jnp.ones((3, 2), dtype), jnp.ones((3, 1), jnp.uint8)).rows(slice(2))
    assert x.dtype == y.dtype == dtype


def test_rows_have_one_dtype_whatever_the_scale():
    x, y = np.ones((3, 2), np.uint8), np.ones((3, 1), np.uint8)
    for scale in (1 / 255, np.float64(1 / 255), np.float32(1 / 255)):
        assert {part.dtype.name for part in Examples(x, y, scale).rows(slice(2))} == {"float32"}
        half = Examples(jnp.asarray(x, "bfloat16"), y, scale)
        with jax.numpy_dtype_promotion("standard"):
            assert {part.dtype.name for part in half.rows(slice(2))} == {"bfloat16"}


def of(rows_of_x, rows_of_y):
    """Examples whose lengths may differ: `_replace` builds a tuple without a look at its fields."""
    x, y = np.ones((rows_of_x, 1, 2, 2), np.float32), np.eye(2, dtype=np.float32)[np.arange(rows_of_y) % 2]
    return Examples(x[:0], y[:0])._replace(x=x, y=y)


NET, COST, KEY = (fnn.Flatten(), Dense(2)), LogLikelihood(), jax.random.key(0)
PARAMS = draw_params(NET, 0, (1, 2, 2))
MANY = jax.tree.map(lambda p: np.stack([p, p]), PARAMS)
GOOD = of(20, 20)


def fit(train, **parts):
    return next(fnn.fit(NET, COST, SGD(0.1), PARAMS, train, KEY, batch_size=4, epochs=1, **parts))


def sweep(train, **parts):
    return next(fnn.sweep(NET, COST, SGD(0.1), MANY, train, KEY, batch_size=4, epochs=1, **parts))


WAYS_IN = {
    "built": lambda bad: Examples(bad.x, bad.y),
    "built of JAX's": lambda bad: Examples(jnp.asarray(bad.x), jnp.asarray(bad.y)),
    "built in part": lambda bad: Examples(bad.x, jnp.asarray(bad.y)),
    "n": lambda bad: bad.n,
    "shifted": lambda bad: Shifted(bad).n,
    "evaluate": lambda bad: fnn.evaluate(NET, COST, PARAMS, bad),
    "evaluate, shifted": lambda bad: fnn.evaluate(NET, COST, PARAMS, Shifted(bad)),
    "evaluate, compiled": jax.jit(lambda bad: fnn.evaluate(NET, COST, PARAMS, bad)),
    "epoch": lambda bad: fnn.epoch(NET, COST, SGD(0.1), PARAMS, (), bad, KEY, batch_size=4),
    "epoch, shifted": lambda bad: fnn.epoch(NET, COST, SGD(0.1), PARAMS, (), Shifted(bad), KEY, batch_size=4),
    "fit": fit,
    "fit, shifted": lambda bad: fit(Shifted(bad)),
    "fit, validation": lambda bad: fit(GOOD, validation=bad),
    "fit, test": lambda bad: fit(GOOD, test=bad),
    "sweep": sweep,
    "sweep, shifted": lambda bad: sweep(Shifted(bad)),
    "sweep, validation": lambda bad: sweep(GOOD, validation=bad),
    "sweep, test": lambda bad: sweep(GOOD, test=bad),
    "window": lambda bad: streaming.Window(Examples(bad.x, bad.y), 0),
}


@pytest.mark.parametrize("rows", [(20, 12), (20, 30), (20, 1), (1, 20), (20, 0), (0, 20)], ids=str)
@pytest.mark.parametrize("way", WAYS_IN)
def test_different_numbers_of_rows_are_refused(way, rows):
    with pytest.raises(ValueError, match=f"x has {rows[0]} rows, y has {rows[1]}; expected one row of y for each"):
        WAYS_IN[way](of(*rows))


@pytest.mark.parametrize(
    ("x", "name"), [([[0, 1]], "list"), (1.5, "float"), (np.float32(1), "float32"), (None, "NoneType")]
)
def test_what_is_no_array_of_rows_is_refused(x, name):
    with pytest.raises(TypeError, match=f"Examples.x is a {name}; expected an array with one row per example"):
        fnn.evaluate(NET, COST, PARAMS, Examples(x, GOOD.y))
    with pytest.raises(TypeError, match=f"Examples.y is a {name}"):
        fit(Examples(GOOD.x, x))


def test_jax_builds_examples_of_anything():
    axes = Examples(0, None, None)
    shapes = jax.eval_shape(lambda examples: examples, GOOD)
    assert (shapes.n, type(shapes)) == (20, Examples)
    assert jax.tree.map(lambda leaf: None, GOOD) == Examples(None, None, None)
    many = jax.vmap(jax.device_put(GOOD).take)(np.arange(20).reshape(5, 4))
    assert (many.x.shape, many.y.shape) == ((5, 4, 1, 2, 2), (5, 4, 2))
    ones = jax.vmap(lambda x: Examples(x, GOOD.y).take(slice(0, 3)), axes[:1])(np.stack([GOOD.x] * 3))
    assert ones.x.shape == (3, 3, 1, 2, 2)
    last, _ = jax.lax.scan(lambda carry, _: (carry, None), jax.device_put(GOOD), None, 2)
    assert last.n == 20
    assert jax.tree.map(jnp.sum, GOOD).x == 80
    assert copy.deepcopy(GOOD).n == pickle.loads(pickle.dumps(GOOD)).n == 20
