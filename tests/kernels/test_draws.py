"""What NumPy draws has the bits of `jax.random`, and where NumPy must not draw, JAX does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fnn.kernels import draws

SEEDS = st.sampled_from([0, 1, 7, 2**31, 2**32 - 1]) | st.integers(0, 2**32 - 1)
SIZES = [1, 3, 16, 17, 1000, 1025, 4099]  # odd ends of vectors, and both sides of a power of 2


def words(key):
    return np.asarray(jax.random.key_data(key))


@settings(deadline=None, derandomize=True, max_examples=30)
@given(seed=SEEDS, number=st.sampled_from([0, 1, 2, 500, 2**32 - 1]))
def test_keys_are_those_of_jax(seed, number):
    key = jax.random.key(seed)
    assert np.array_equal(words(draws.key_of(seed)), words(key))
    assert np.array_equal(words(draws.fold_in(key, number)), words(jax.random.fold_in(key, number)))
    for several in (1, 2, 5):
        assert np.array_equal([words(k) for k in draws.split(key, several)], words(jax.random.split(key, several)))


@pytest.mark.parametrize("n", SIZES)
def test_numbers_are_those_of_jax(n):
    for seed in (0, 3, 2**32 - 1):
        key = jax.random.key(seed)
        assert np.array_equal(draws.integers(draws.words_of(key), n), jax.random.bits(key, (n,)))
        assert np.array_equal(draws.normal(key, (n,)), jax.random.normal(key, (n,)))
        assert np.array_equal(draws.uniform(key, (n,)), jax.random.uniform(key, (n,), minval=-1.0, maxval=1.0))


def test_many_keys_draw_as_each_of_them():
    keys = jax.random.split(jax.random.key(4), 3)
    together = draws.integers(words(keys), 6)
    assert np.array_equal(together, [jax.random.bits(key, (6,)) for key in keys])


def test_an_array_of_several_axes_is_filled_row_by_row():
    key = jax.random.key(2)
    drawn = draws.normal(key, (3, 4, 5))
    assert isinstance(drawn, np.ndarray)
    assert np.array_equal(drawn.ravel(), jax.random.normal(key, (60,)))
    assert np.array_equal(jax.jit(lambda key: draws.normal(key, (3, 4, 5)))(key), drawn)
    uniform = jax.random.uniform(key, (3, 4, 5), minval=-1.0, maxval=1.0)
    assert np.array_equal(draws.uniform(key, (3, 4, 5)), uniform)


def committed(key):
    return jax.device_put(key, jax.devices()[0])


OTHERS = {
    "committed": committed,
    "other generator": lambda key: jax.random.key(5, impl="rbg"),
    "old kind": lambda key: jax.random.PRNGKey(5),
}


@pytest.mark.parametrize("other", OTHERS)
def test_other_keys_are_left_to_jax(other):
    key = OTHERS[other](jax.random.key(5))
    assert draws.words_of(key) is None
    drawn = draws.normal(key, (4,))
    assert isinstance(drawn, jax.Array)
    assert np.array_equal(drawn, jax.random.normal(key, (4,)))
    assert np.array_equal(draws.uniform(key, (4,)), jax.random.uniform(key, (4,), minval=-1.0, maxval=1.0))
    assert len(draws.split(key, 3)) == 3
    assert jax.random.normal(draws.fold_in(key, 1)).shape == ()


def test_bits_that_depend_on_the_size_are_left_to_jax():
    with jax.threefry_partitionable(False):
        key = jax.random.key(5)
        assert draws.words_of(key) is None
        assert np.array_equal(draws.normal(key, (7,)), jax.random.normal(key, (7,)))
        assert np.array_equal(words(draws.split(key)[1]), words(jax.random.split(key)[1]))


def test_large_arrays_and_doubles_are_left_to_jax(monkeypatch):
    key = jax.random.key(5)
    monkeypatch.setattr(draws, "LARGEST", 6)
    assert isinstance(draws.normal(key, (2, 3)), np.ndarray)
    for draw in (draws.normal, draws.uniform):
        assert isinstance(draw(key, (7,)), jax.Array)
        with jax.enable_x64(True):
            assert draw(key, (2,)).dtype == jnp.float64


def test_in_a_program_jax_draws_from_its_keys_and_numpy_from_known_ones():
    key = jax.random.key(5)
    expected = jax.random.normal(key, (7,))
    assert np.array_equal(jax.jit(lambda key: draws.normal(key, (7,)))(key), expected)
    assert np.array_equal(jax.jit(lambda: draws.normal(key, (7,)))(), expected)
    assert np.array_equal(
        jax.vmap(lambda key: draws.normal(draws.split(key)[1], (7,)))(key[None])[0],
        jax.random.normal(jax.random.split(key)[1], (7,)),
    )
    assert jax.eval_shape(lambda: draws.normal(draws.fold_in(draws.key_of(3), 1), (7,))).shape == (7,)
