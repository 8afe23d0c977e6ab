"""The two ways to a pooled convolution: its patches are repeated, or its filters are moved."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from fnn.kernels import pooling
from fnn.kernels.im2col import places
from fnn.kernels.pooling import (
    candidates,
    candidates_backward,
    pooled_convolution,
    pooled_convolution_backward,
    repeats_pixels,
)
from tests.helpers.support import assert_trees_close, compiled, draw


@pytest.mark.parametrize(("size", "pool", "shape"), [(3, 2, (2, 3, 8, 6)), (2, 3, (1, 2, 7, 10)), (4, 1, (2, 1, 5, 4))])
def test_candidates_are_the_patches_of_a_square_and_run_backward(size, pool, shape):
    def reverses(a, delta):
        _, transpose = jax.vjp(lambda a: candidates(a, size, pool), a)
        return candidates_backward(delta, shape, size, pool), *transpose(delta)

    (a,) = draw(0, shape)
    x = candidates(a, size, pool)
    assert_trees_close(*compiled(reverses)(a, *draw(1, x.shape)))
    (n, channels), (down, across) = shape[:2], places(shape, size + pool - 1, pool)
    columns = np.asarray(x).reshape(channels, size, size, pool, pool, n, down, across)
    for v, h, e, d, r in np.ndindex(*columns.shape[3:]):
        at = np.s_[d * pool + v : d * pool + v + size], np.s_[r * pool + h : r * pool + h + size]
        np.testing.assert_array_equal(columns[:, :, :, v, h, e, d, r], np.asarray(a)[e, :, *at])


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("size", "pool", "shape"), [(3, 2, (3, 5, 6, 8)), (4, 3, (3, 2, 9, 6))])
def test_moved_filters_and_candidates_are_one_contest(size, pool, shape, tied, monkeypatch):
    n, channels, *_ = shape
    W, b, a, delta = draw(0, (2, channels, size, size), (2,), shape, (n, 2, *places(shape, size + pool - 1, pool)))
    if tied:
        W, b, a = jnp.sign(W), jnp.sign(b), (a > 0).astype(a.dtype)

    def both_ways(W, b, a, delta):
        return pooled_convolution(W, b, a, pool), pooled_convolution_backward(W, a, pool, delta)

    results = []
    for cached in (10**6, 0):
        monkeypatch.setattr(pooling, "CACHED_NUMBERS", cached)
        assert repeats_pixels(shape, size, pool) == (cached > 0)
        results.append(compiled(lambda *x: both_ways(*x))(W, b, a, delta))
    assert_trees_close(*results)


def test_pixels_are_repeated_in_a_small_batch_of_many_channels():
    assert repeats_pixels((10, 20, 12, 12), 5, 2)  # Nielsen's second layer of filters
    assert not repeats_pixels((64, 20, 12, 12), 5, 2)  # too many to stay in the cache
    assert not repeats_pixels((10, 1, 28, 28), 5, 2)  # his first: few weights, many patches
