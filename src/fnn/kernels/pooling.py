"""Max-pooling, and max-pooling after a convolution as one product; the formulas are in `definitions`.

A pooled pixel is the largest response of a filter at the pool² places of a square. Shape letters as in `im2col`.
"""

from __future__ import annotations

import math
from functools import reduce

import jax
import jax.numpy as jnp
import numpy as np

from fnn.kernels.im2col import apart, col2im, groups, im2col, padded, places, side_by_side, side_by_side_stored
from fnn.kernels.products import bias_gradient, patch_product, patch_product_backward
from fnn.types import Array, Shape

# `candidates` may have this many numbers; with more, autodiff takes 1.3 to 1.8 times as long as with `moved_filters`
CACHED_NUMBERS = 400_000


def max_pool(a: Array, size: int) -> Array:
    """As in `definitions`."""
    return apart(largest(_squares(a, size)), (*a.shape[:2], *places(a.shape, size, size)))


def max_pool_backward(a: Array, size: int, delta: Array) -> Array:
    """As in `definitions`: `delta` goes back to the first of the largest pixels alone."""
    routed = largest_backward(_squares(a, size), side_by_side(delta, *groups(a.shape, size, size)))
    return col2im(routed, a.shape, size, size)


def _squares(a: Array, size: int) -> Array:
    """The pixels that compete, `(g, channels, size², p)`."""
    x = im2col(a, size, size)
    return x.reshape(x.shape[0], a.shape[1], size**2, x.shape[2])


def largest(z: Array) -> Array:
    """The maximum over axis 2; the first of equal entries takes the whole derivative, and so does the first nan."""
    winner = z[:, :, 0]
    for i in range(1, z.shape[2]):
        rival = z[:, :, i]
        winner = jnp.where((winner >= rival) | jnp.isnan(winner), winner, rival)  # beside nan no comparison holds
    return winner


def largest_backward(z: Array, delta: Array) -> Array:
    """`delta` at the first of the largest entries over axis 2, 0 elsewhere."""
    small = np.min_scalar_type(z.shape[2])  # mostly bytes: there is an index for every output
    winner = jax.lax.argmax(z, 2, small)
    wins = winner[:, :, None] == jnp.arange(z.shape[2], dtype=small)[None, None, :, None]
    return jnp.where(wins, delta[:, :, None], 0)


def pooled_convolution(W: Array, b: Array, a: Array, pool: int) -> Array:
    """As in `definitions`: one product, the maximum, the bias."""
    z = largest(responses(W, a, pool)) + b[None, :, None]
    return apart(z, (a.shape[0], W.shape[0], *places(a.shape, W.shape[2] + pool - 1, pool)))


def pooled_convolution_backward(W: Array, a: Array, pool: int, delta: Array) -> tuple[Array, Array, Array]:
    """As in `definitions`: `delta` goes to the first largest response, then to its filter and its patch."""
    d = side_by_side_stored(delta, *groups(a.shape, W.shape[2] + pool - 1, pool))
    by_W, by_a = responses_backward(W, a, pool, largest_backward(responses(W, a, pool), d))
    return by_W, bias_gradient(d), by_a


def responses(W: Array, a: Array, pool: int) -> Array:
    """The responses that compete for every pooled pixel: `(g, filters, pool², p)`, without the bias.

    A filter has pool² places, row by row, in a square of side `size + pool − 1`. There are two ways to compute the
    responses. Either the square is the patch, and the filter is copied to every place in it (`moved_filters`); this
    repeats weights and multiplies zeros. Or every place is a patch of its own, and the filter stays as it is
    (`candidates`); this repeats pixels. The cheaper way is taken; only roundings differ.
    """
    if repeats_pixels(a.shape, W.shape[2], pool):
        z = patch_product(W, candidates(a, W.shape[2], pool))
        return z.reshape(1, W.shape[0], pool**2, z.shape[2] // pool**2)
    z = patch_product(moved_filters(W, pool), im2col(a, W.shape[2] + pool - 1, pool))
    return z.reshape(z.shape[0], W.shape[0], pool**2, z.shape[2])


def responses_backward(W: Array, a: Array, pool: int, delta: Array) -> tuple[Array, Array]:
    """The derivatives of `responses` by `W` and by `a`, summed over examples and positions."""
    g, filters, count, p = delta.shape
    size, side = W.shape[2], W.shape[2] + pool - 1
    if repeats_pixels(a.shape, size, pool):
        x = candidates(a, size, pool)
        by_W, by_x = patch_product_backward(W, x, delta.reshape(g, filters, count * p))
        return by_W, candidates_backward(by_x, a.shape, size, pool)
    x = im2col(a, side, pool)
    by_moved, by_x = patch_product_backward(moved_filters(W, pool), x, delta.reshape(g, filters * count, p))
    return moved_filters_backward(by_moved, W.shape, pool), col2im(by_x, a.shape, side, pool)


def repeats_pixels(shape: Shape, size: int, pool: int) -> bool:
    """Whether repeating pixels is cheaper than repeating weights, for images of `shape`.

    It is cheaper if one product serves all images and the `candidates` fit into a core's cache. A second convolutional
    layer then takes 0.85 of the time (mini-batch 10, a CPU with AVX-512). For a batch of unknown size the answer is no.
    """
    n, channels, side = *shape[:2], size + pool - 1
    if groups(shape, side, pool)[0] != 1 or not isinstance(n, int):
        return False
    return n * channels * size**2 * pool**2 * math.prod(places(shape, side, pool)) <= CACHED_NUMBERS


def candidates(a: Array, size: int, pool: int) -> Array:
    """The patches that compete for every pooled pixel, a column each: `(1, k, pool²·n·q)`, k = channels·size².

    An image has q pooled pixels, and all images make one group. The candidates of a pooled pixel cover a larger square
    of side `size + pool − 1`. The columns are ordered by the place of the candidate in it, row by row, and then by the
    square.
    """
    channels, side = a.shape[1], size + pool - 1
    squares = im2col(a, side, pool)
    squares = squares.reshape(channels, side, side, squares.shape[2])
    x = jnp.stack([squares[:, i : i + size, j : j + size] for i in range(pool) for j in range(pool)], axis=3)
    return x.reshape(1, channels * size**2, math.prod(x.shape[3:]))


def candidates_backward(delta: Array, shape: Shape, size: int, pool: int) -> Array:
    """The transpose of `candidates` for images of `shape`: the sum in the larger squares, then in the images."""
    channels, side = shape[1], size + pool - 1
    delta = delta.reshape(channels, size, size, pool, pool, delta.shape[2] // pool**2)
    # for every pixel t along a side: the places i whose candidate covers it, and the candidate's pixel t - i there
    meeting = [[(i, t - i) for i in range(pool) if 0 <= t - i < size] for t in range(side)]
    columns = [reduce(jnp.add, [delta[:, :, k, :, j] for j, k in pairs]) for pairs in meeting]
    rows = [[reduce(jnp.add, [x[:, k, i] for i, k in pairs]) for x in columns] for pairs in meeting]
    squares = jnp.stack([jnp.stack(row, axis=1) for row in rows], axis=1)
    return col2im(squares.reshape(1, channels * side**2, squares.shape[3]), shape, side, pool)


def moved_filters(W: Array, pool: int) -> Array:
    """Every filter at the pool² places of a larger square: `(filters·pool², channels, size + pool − 1, …)`."""
    filters, channels, size, _ = W.shape
    side = size + pool - 1
    # the rows of a square are laid end to end: i down and j to the right is i·side + j further. One pad moves all rows
    line = padded(W, {3: (0, pool - 1)}).reshape(filters, channels, size * side)
    rest = side**2 - size * side
    moved = [padded(line, {2: (i * side + j, rest - i * side - j)}) for i in range(pool) for j in range(pool)]
    return jnp.stack(moved, axis=1).reshape(filters * pool**2, channels, side, side)


def moved_filters_backward(delta: Array, shape: Shape, pool: int) -> Array:
    """The transpose of `moved_filters` for filters of `shape`: the sum over the places."""
    size, at = shape[-1], [(i, j) for i in range(pool) for j in range(pool)]
    delta = delta.reshape(shape[0], len(at), *delta.shape[1:])
    return reduce(jnp.add, [delta[:, p, :, i : i + size, j : j + size] for p, (i, j) in enumerate(at)])
