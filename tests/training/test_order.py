"""The order of the examples: a permutation whose every position can be computed alone."""

import collections
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fnn.training import order
from fnn.training.order import of_epoch, permutation, permuted


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 64, 1797, 50_000])
def test_a_permutation_visits_everything_once(n):
    order = jax.jit(permutation, static_argnums=1)(jax.random.key(n), n)
    assert sorted(order.tolist()) == list(range(n))


@pytest.mark.parametrize("n", [1, 2, 5, 300, 1000])
def test_numpy_orders_as_a_program_does(n):
    for seed, epoch in ((0, 1), (0, 2), (2**32 - 1, 63), (0, 64), (7, 500)):
        key = jax.random.key(seed)
        found = of_epoch(key, epoch, n)
        assert isinstance(found, np.ndarray)
        assert found.dtype == np.int32
        assert np.array_equal(found, order._of_epoch(key, epoch, n))


def test_a_long_order_and_one_of_a_key_on_a_device_are_computed_by_a_program(monkeypatch):
    monkeypatch.setattr(order, "SHORT", 10)
    key = jax.random.key(3)
    assert isinstance(of_epoch(key, 1, 10), np.ndarray)
    assert isinstance(of_epoch(key, 1, 11), jax.Array)
    assert isinstance(of_epoch(jax.device_put(key, jax.devices()[0]), 1, 10), jax.Array)
    assert isinstance(jax.jit(lambda key: of_epoch(key, 1, 10))(key), jax.Array)


@pytest.mark.parametrize("n", [0, -1, 2**31])
def test_an_epoch_of_nothing_is_refused(n):
    with pytest.raises(ValueError, match=f"n={n}.*1 to"):
        of_epoch(jax.random.key(0), 1, n)


@pytest.mark.long
@settings(deadline=None, derandomize=True, max_examples=8)
@given(n=st.sampled_from([1, 9, 397]), seed=st.integers(0, 2**32 - 1))
def test_any_position_can_be_computed_alone(n, seed):
    key = jax.random.key(seed)
    positions = jnp.arange(n)[:: max(1, n // 7)]
    assert permuted(key, positions, n).tolist() == permutation(key, n)[positions].tolist()


def test_the_orders_of_four_are_equally_likely():
    keys = jax.random.split(jax.random.key(1), 24_000)
    orders = np.asarray(jax.jit(jax.vmap(lambda key: permutation(key, 4)))(keys))
    counts = collections.Counter(map(tuple, orders.tolist()))
    chi_square = sum((count - 1000) ** 2 / 1000 for count in counts.values())
    assert len(counts) == 24
    assert chi_square < 49.7  # 23 degrees of freedom; a fair shuffle exceeds this once in 1,000 keys


def test_places_and_neighbours_are_independent():
    keys = jax.random.split(jax.random.key(2), 20_000)
    orders = np.asarray(jax.jit(jax.vmap(lambda key: permutation(key, 50)))(keys))
    places = np.stack([np.bincount(column, minlength=50) for column in orders.T])
    distances = np.bincount(((orders[:, 1:] - orders[:, :-1]) % 50).ravel(), minlength=50)[1:]
    for counts, freedom in ((places, 49 * 49), (distances, 48)):
        chi_square = ((counts - counts.mean()) ** 2 / counts.mean()).sum()
        assert abs(chi_square - freedom) < 4 * math.sqrt(2 * freedom)


@pytest.mark.parametrize("n", [0, -1, 2**31])
def test_an_order_of_nothing_is_refused(n):
    with pytest.raises(ValueError, match=f"n={n}.*1 to"):
        permuted(jax.random.key(0), jnp.arange(3), n)
