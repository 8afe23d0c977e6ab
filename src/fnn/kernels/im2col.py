"""Images cut into patches, the columns of one matrix product, and patches laid back onto images.

Shape letters: `n` examples in a batch of images `(n, channels, height, width)`; `k` numbers in a patch, its
channels times its pixels; `q` patches in an image, row by row; `g` groups of `n/g` images, side by side
in one product.
"""

from __future__ import annotations

import math
from functools import reduce

import jax
import jax.numpy as jnp

from fnn.types import Array, Shape

CACHED = 400_000  # numbers in `rivals`; with more, autodiff takes 1.3 to 1.8 times as long as by moved filters


def steps(shape: Shape, size: int, stride: int) -> tuple[int, int]:
    """How many squares of `size` fit into `(..., height, width)` at steps of `stride`, down and across."""
    height, width = shape[-2:]
    return (height - size) // stride + 1, (width - size) // stride + 1


def groups(shape: Shape, size: int, stride: int) -> int:
    """How many products the images of `shape` are worth; those of a group lie side by side and share one.

    All images make one group, unless an image has more patches than a filter has weights: then each is its own,
    since it is cheaper to repeat the filters than to move the patches.
    """
    return max(1, shape[0]) if shape[1] * size**2 < math.prod(steps(shape, size, stride)) else 1


def few(shape: Shape, size: int, pool: int) -> bool:
    """Whether the patches that compete for the pixels of a pool are so few that repeating them is cheaper than filters.

    They are when one product serves all images of `shape`, and the `rivals` stay in a core's cache.
    """
    n, channels, side = *shape[:2], size + pool - 1
    numbers = n * channels * size**2 * pool**2 * math.prod(steps(shape, side, pool))
    return groups(shape, side, pool) == 1 and numbers <= CACHED


def beside(x: Array, g: int) -> Array:
    """Images `(n, channels, height, width)` in `g` groups of pixels side by side: `(g, channels, n/g·height·width)`."""
    (n, channels), pixels = x.shape[:2], math.prod(x.shape[2:])
    return x.reshape(g, n // g, channels, pixels).swapaxes(1, 2).reshape(g, channels, n // g * pixels)


def beside_once(x: Array, g: int) -> Array:
    """`beside` for several readers: in halves of the channels, since XLA writes down what it joins.

    Otherwise every reader reads images across, which takes longer than the rest of its work.
    """
    if g > 1:
        return beside(x, g)
    half = x.shape[1] // 2
    return jnp.concatenate([beside(x[:, :half], g), beside(x[:, half:], g)], axis=1)


def apart(x: Array, shape: Shape) -> Array:
    """The reverse of `beside`, for images of `shape`."""
    n, channels = shape[:2]
    return x.reshape(len(x), channels, n // len(x), math.prod(shape[2:])).swapaxes(1, 2).reshape(shape)


def patches(a: Array, size: int, stride: int = 1) -> Array:
    """Every square of `size` pixels at steps of `stride`, as a column: `(g, k, n/g·q)`, k = channels·size²."""
    (n, channels, height, width), g = a.shape, groups(a.shape, size, stride)
    a = beside(a, g).reshape(g, channels, n // g, height, width)
    bands = jnp.stack([a[..., i : height - size + 1 + i : stride, :] for i in range(size)], axis=2)
    squares = jnp.stack([bands[..., j : width - size + 1 + j : stride] for j in range(size)], axis=3)
    return squares.reshape(g, channels * size**2, math.prod(squares.shape[4:]))


def overlay(delta: Array, shape: Shape, size: int, stride: int = 1) -> Array:
    """The transpose of `patches`: every pixel of images of `shape` sums the deltas of the patches it is in.

    Row r of a patch at step y is row r mod stride of the stride rows at step y + r // stride, so patches overlap
    in whole steps only.
    """
    (n, channels, height, width), g, s = shape, len(delta), stride
    reach = -(-size // s)  # steps that a patch covers, the last one perhaps in part
    rest = 0, reach * s - size
    squares = delta.reshape(g, channels, size, size, n // g, *steps(shape, size, s))
    squares = padded(squares, {2: rest, 3: rest}).reshape(g, channels, reach, s, reach, s, *squares.shape[4:])
    bands = _slid(squares, 4, 8)  # (g, channels, reach, s, s, n/g, down, across)
    bands = bands.transpose(0, 5, 1, 2, 6, 3, 7, 4)  # before the sum: what is moved last, XLA moves for every reader
    pixels = _slid(bands, 3, 4)  # (g, n/g, channels, down, s, across, s)
    pixels = pixels.reshape(n, channels, pixels.shape[3] * s, pixels.shape[5] * s)
    return padded(pixels, {2: (0, height - pixels.shape[2]), 3: (0, width - pixels.shape[3])})


def rivals(a: Array, size: int, pool: int) -> Array:
    """The patches that compete in every square of `pool`, a column each: `(1, k, pool²·n·q)`, k = channels·size².

    An image has q squares; all images must make one group, as where `few` holds. The columns come place by place,
    row by row, of a patch in the larger square that its rivals cover.
    """
    channels, side = a.shape[1], size + pool - 1
    squares = patches(a, side, pool)
    squares = squares.reshape(channels, side, side, squares.shape[2])
    x = jnp.stack([squares[:, i : i + size, j : j + size] for i in range(pool) for j in range(pool)], axis=3)
    return x.reshape(1, channels * size**2, math.prod(x.shape[3:]))


def rivals_backward(delta: Array, shape: Shape, size: int, pool: int) -> Array:
    """The transpose of `rivals` for images of `shape`: rivals meet in the larger square, and squares in the image."""
    channels, side = shape[1], size + pool - 1
    delta = delta.reshape(channels, size, size, pool, pool, delta.shape[2] // pool**2)
    meeting = [[(i, t - i) for i in range(pool) if 0 <= t - i < size] for t in range(side)]  # at pixel t of the square
    columns = [reduce(jnp.add, [delta[:, :, k, :, j] for j, k in pairs]) for pairs in meeting]
    rows = [[reduce(jnp.add, [x[:, k, i] for i, k in pairs]) for x in columns] for pairs in meeting]
    squares = jnp.stack([jnp.stack(row, axis=1) for row in rows], axis=1)
    return overlay(squares.reshape(1, channels * side**2, squares.shape[3]), shape, side, pool)


def _slid(x: Array, by: int, along: int) -> Array:
    """The sum of the slices of `x` over axis `by`, slice i moved i places on along the later axis `along`."""
    last = x.shape[by] - 1
    slices = (jax.lax.index_in_dim(x, i, by, keepdims=False) for i in range(last + 1))
    return reduce(jnp.add, [padded(d, {along - 1: (i, last - i)}) for i, d in enumerate(slices)])


def padded(x: Array, edges: dict[int, tuple[int, int]]) -> Array:
    """`x` with so many zeros before and after along the axes of `edges`; fewer than 0 are cut off."""
    return jax.lax.pad(x, jnp.zeros((), x.dtype), [(*edges.get(axis, (0, 0)), 0) for axis in range(x.ndim)])
