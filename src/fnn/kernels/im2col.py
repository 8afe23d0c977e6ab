"""im2col and its transpose, col2im: the patches of images as the columns of one matrix, and back onto the images.

Shape letters: `n` examples in a batch of images `(n, channels, height, width)`; `k` numbers in a patch, its channels
times its pixels; `q` patches in an image, row by row; `g` groups of `m` images, `g m = n`. The images of a group
lie side by side and share one product, which has `p = m q` columns.
"""

from __future__ import annotations

import math
from functools import reduce
from typing import Any

import jax
import jax.numpy as jnp

from fnn.types import Array, Shape


def places(shape: Shape, size: int, stride: int = 1) -> tuple[int, int]:
    """How many squares of side `size` fit into images of this `shape`, at distances of `stride`: down and across."""
    height, width = shape[-2:]
    return (height - size) // stride + 1, (width - size) // stride + 1


def groups(shape: Shape, size: int, stride: int = 1) -> tuple[Any, Any]:
    """The number of groups for images of `shape`, and the number of images in each: `(1, n)` or `(n, 1)`.

    All images make one group, unless an image has more patches than a patch has numbers. Then each image is a group
    of its own, because repeating the filters is cheaper than moving the patches.
    """
    n, channels = shape[:2]
    return (n, 1) if channels * size**2 < math.prod(places(shape, size, stride)) else (1, n)


def side_by_side(x: Array, g: Any, m: Any) -> Array:
    """Images in `g` groups of `m`, the pixels of a group side by side: `(g, channels, m·height·width)`."""
    channels, pixels = x.shape[1], math.prod(x.shape[2:])
    return x.reshape(g, m, channels, pixels).swapaxes(1, 2).reshape(g, channels, m * pixels)


def side_by_side_stored(x: Array, g: Any, m: Any) -> Array:
    """`side_by_side` for a result that several products read.

    XLA would repeat the transposition in each of them. It stores the result of a concatenation, so the two halves of
    the channels are concatenated to have it stored once.
    """
    if g != 1:
        return side_by_side(x, g, m)
    half = x.shape[1] // 2
    return jnp.concatenate([side_by_side(x[:, :half], g, m), side_by_side(x[:, half:], g, m)], axis=1)


def apart(x: Array, shape: Shape) -> Array:
    """The reverse of `side_by_side`, for images of `shape`."""
    n, channels = shape[:2]
    g = x.shape[0]
    return x.reshape(g, channels, n if g == 1 else 1, math.prod(shape[2:])).swapaxes(1, 2).reshape(shape)


def im2col(a: Array, size: int, stride: int = 1) -> Array:
    """Every `size` x `size` square at distances of `stride`, as a column: `(g, k, p)`, k = channels·size²."""
    channels, height, width = a.shape[1:]
    g, m = groups(a.shape, size, stride)
    a = side_by_side(a, g, m).reshape(g, channels, m, height, width)
    bands = jnp.stack([a[..., i : height - size + 1 + i : stride, :] for i in range(size)], axis=2)
    squares = jnp.stack([bands[..., j : width - size + 1 + j : stride] for j in range(size)], axis=3)
    return squares.reshape(g, channels * size**2, math.prod(squares.shape[4:]))


def col2im(delta: Array, shape: Shape, size: int, stride: int = 1) -> Array:
    """The transpose of `im2col`: every pixel of images of `shape` is the sum over the patches that contain it.

    The rows of pixels are taken in bands of `stride` rows. The patch at place y begins with band y. Row r of the patch
    lies in band y + r // stride, and is row r mod stride there. So the patches are added band by band. The same holds
    for the columns.
    """
    (n, channels, height, width), s = shape, stride
    g, m = groups(shape, size, s)
    reach = -(-size // s)  # the bands that a patch covers, the last one perhaps in part
    rest = 0, reach * s - size
    squares = delta.reshape(g, channels, size, size, m, *places(shape, size, s))
    squares = padded(squares, {2: rest, 3: rest}).reshape(g, channels, reach, s, reach, s, *squares.shape[4:])
    bands = _slid(squares, 4, 8)  # (g, channels, reach, s, s, m, down, across)
    # transposed before the sum: XLA would repeat a later transposition in every operation that reads the result
    bands = bands.transpose(0, 5, 1, 2, 6, 3, 7, 4)
    pixels = _slid(bands, 3, 4)  # (g, m, channels, down, s, across, s)
    pixels = pixels.reshape(n, channels, pixels.shape[3] * s, pixels.shape[5] * s)
    return padded(pixels, {2: (0, height - pixels.shape[2]), 3: (0, width - pixels.shape[3])})


def _slid(x: Array, by: int, along: int) -> Array:
    """The sum of the slices of `x` over axis `by`, slice i moved by i places along the later axis `along`."""
    last = x.shape[by] - 1
    slices = (jax.lax.index_in_dim(x, i, by, keepdims=False) for i in range(last + 1))
    return reduce(jnp.add, [padded(d, {along - 1: (i, last - i)}) for i, d in enumerate(slices)])


def padded(x: Array, edges: dict[int, tuple[int, int]]) -> Array:
    """`x` with `edges[axis]` zeros before and after it along these axes; a negative number cuts entries off."""
    return jax.lax.pad(x, jnp.zeros((), x.dtype), [(*edges.get(axis, (0, 0)), 0) for axis in range(x.ndim)])
