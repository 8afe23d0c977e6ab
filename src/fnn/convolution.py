"""Convolution and max-pooling by hand: patches, one matrix product, a maximum; under each, its reverse.

As everywhere in deep learning "convolution" is cross-correlation: the filter is not flipped. Shape
letters are those of `patching`; `delta` is ∂C/∂(output).
"""

from __future__ import annotations

import math
from functools import reduce
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.initializers import Normal, ScaledNormal
from fnn.kernels.im2col import apart, beside, beside_once, few, overlay, padded, patches, rivals, rivals_backward, steps
from fnn.layers import positive
from fnn.types import Array, Initializer, Key, Params, Shape, static


def product(W: Array, x: Array) -> Array:
    """`W x` for every group: filters `(m, channels, …)` of k weights times `(g, k, p)` is `(g, m, p)`."""
    return _each(W, x) @ x


def product_backward(W: Array, x: Array, delta: Array) -> tuple[Array, Array]:
    """The derivatives of `product`: `Σ δ xᵀ` over groups and patches, and `Wᵀ δ`."""
    if len(x) > 1:
        by_W = (delta @ x.mT).sum(axis=0)
    else:
        # x δᵀ, transposed: it is tall, and cores share a tall product, not a flat one. Of two axes XLA would make δ xᵀ
        apiece = x.reshape(W.shape[1], math.prod(W.shape[2:]), x.shape[2])
        by_W = jnp.einsum("ckp,mp->ckm", apiece, delta[0]).transpose(2, 0, 1)
    return by_W.reshape(W.shape), _each(W, x).mT @ delta


def _each(W: Array, x: Array) -> Array:
    """`W` as rows, once for every group of `x`: to make one product of them, `@` would move all of `x`."""
    rows = W.reshape(len(W), math.prod(W.shape[1:]))
    return jnp.broadcast_to(rows, (len(x), *rows.shape)) if len(x) > 1 else rows


def largest(z: Array) -> Array:
    """The maximum over axis 2, of which the first of equal ones takes the whole derivative."""
    winner = z[:, :, 0]
    for p in range(1, z.shape[2]):
        winner = jnp.where(z[:, :, p] > winner, z[:, :, p], winner)
    return winner


def largest_backward(z: Array, delta: Array) -> Array:
    """`delta` where the first winner is, 0 elsewhere."""
    small = np.min_scalar_type(z.shape[2])  # of bytes where they suffice: there is an index per output
    winner = jax.lax.argmax(z, 2, small)
    wins = winner[:, :, None] == jnp.arange(z.shape[2], dtype=small)[None, None, :, None]
    return jnp.where(wins, delta[:, :, None], 0)


def total(delta: Array) -> Array:
    """The gradient of a bias, `δ` `(g, filters, n/g·q)` summed over examples and positions."""
    # XLA adds a long row number after number; what is short by then is a product with ones
    return delta.sum(axis=0) @ jnp.ones(delta.shape[2], delta.dtype)


def contest(W: Array, a: Array, pool: int) -> Array:
    """What competes for every pooled pixel, without the bias: `(g, filters, pool², n/g·q)`, places row by row.

    A filter and a square of pixels meet at pool² places. Either the square is a patch, and the filter moves in it
    (`moved`): that repeats weights, and multiplies zeros. Or the filter stays, and every place is a patch (`rivals`):
    that repeats pixels. `few` takes the cheaper one; the result is the same but for rounding.
    """
    if few(a.shape, W.shape[2], pool):
        z = product(W, rivals(a, W.shape[2], pool))
    else:
        z = product(moved(W, pool), patches(a, W.shape[2] + pool - 1, pool))
    return z.reshape(len(z), len(W), pool**2, z.size // (len(z) * len(W) * pool**2))


def contest_backward(W: Array, a: Array, pool: int, delta: Array) -> tuple[Array, Array]:
    """The derivatives of `contest` by `W` and by `a`, for `delta` by its result: summed over examples and positions."""
    g, filters, places, p = delta.shape
    if few(a.shape, W.shape[2], pool):
        x = rivals(a, W.shape[2], pool)
        by_W, by_x = product_backward(W, x, delta.reshape(g, filters, places * p))
        return by_W, rivals_backward(by_x, a.shape, W.shape[2], pool)
    side = W.shape[2] + pool - 1
    x = patches(a, side, pool)
    by_moved, by_x = product_backward(moved(W, pool), x, delta.reshape(g, filters * places, p))
    return moved_backward(by_moved, W.shape, pool), overlay(by_x, a.shape, side, pool)


def moved(W: Array, pool: int) -> Array:
    """Every filter at the pool² places of a larger square: `(filters·pool², channels, size + pool − 1, …)`."""
    filters, channels, size, _ = W.shape
    side = size + pool - 1
    # with the rows of a square end to end, i down and j across is i·side + j further along: one pad, not one per row
    line = padded(W, {3: (0, pool - 1)}).reshape(filters, channels, size * side)
    rest = side**2 - size * side
    places = [padded(line, {2: (i * side + j, rest - i * side - j)}) for i in range(pool) for j in range(pool)]
    return jnp.stack(places, axis=1).reshape(filters * pool**2, channels, side, side)


def moved_backward(delta: Array, shape: Shape, pool: int) -> Array:
    """The transpose of `moved` for filters of `shape`: the sum over the places."""
    size, places = shape[-1], [(i, j) for i in range(pool) for j in range(pool)]
    delta = delta.reshape(shape[0], len(places), *delta.shape[1:])
    return reduce(jnp.add, [delta[:, p, :, i : i + size, j : j + size] for p, (i, j) in enumerate(places)])


class ConvParams(NamedTuple):
    """Parameters of `Conv` and `ConvPool`: filters and biases that all positions share."""

    W: Array  # (filters, channels, size, size)
    b: Array  # (filters,)


def pooled(layer: object, shape: Shape, size: int, pool: int) -> tuple[int, int]:
    """Height and width after filters of `size` and squares of `pool`.

    Raises:
        ValueError: `shape` has not three axes, or an image is smaller than a filter or not divided by `pool`.
    """
    if len(shape) != 3:
        raise ValueError(
            f"{layer} got examples of shape {shape}; it needs images, (channels, height, width): "
            "reshape the data, grey images to one channel, (1, height, width)."
        )
    height, width = steps(shape, size, 1)
    if min(height, width) < 1:
        raise ValueError(f"{layer} got images of {shape[1]} x {shape[2]}; it needs at least {size} x {size} pixels.")
    if height % pool or width % pool:
        common = math.gcd(height, width)
        choices = [p for p in range(1, common + 1) if common % p == 0]
        raise ValueError(
            f"{layer} got images of {shape[1]} x {shape[2]}; squares of {pool} x {pool} do not divide the "
            f"{height} x {width} pixels to pool. Pool by one of {choices}, or crop or pad the images."
        )
    return height // pool, width // pool


def draw_filters(layer: Conv | ConvPool, key: Key, channels: int, n_out: int) -> ConvParams:
    """New filters and biases by the initialisers of `layer`, from independent keys."""
    k_W, k_b = jax.random.split(key)
    shape, n_in = (layer.filters, channels, layer.size, layer.size), channels * layer.size**2
    W = layer.initializer.draw(k_W, shape, n_in, n_out)
    return ConvParams(W, layer.bias_initializer.draw(k_b, shape[:1], n_in, n_out))


@static
class Conv:
    """`z = W ⋆ a + b`: one dot product of every filter with every square of `size` pixels (valid, stride 1).

    Images `(n, channels, height, width)` become `(n, filters, height − size + 1, width − size + 1)`.
    `initializer` draws `W` and `bias_initializer` draws `b`, as for `Dense`, with n_in = channels·size²,
    the inputs of a unit, and n_out = filters·size², the units that a pixel feeds.

    Raises:
        TypeError: `filters` or `size` is not a whole number.
        ValueError: `filters` or `size` is below 1.
    """

    filters: int
    size: int
    initializer: Initializer = ScaledNormal()
    bias_initializer: Initializer = Normal(1.0)

    def __post_init__(self) -> None:
        positive("Conv", "filters", self.filters)
        positive("Conv", "size", self.size)

    def init(self, key: Key, shape: Shape) -> tuple[ConvParams, Shape]:
        """`W` `(filters, channels, size, size)` and `b` `(filters,)` from independent keys."""
        after = pooled(self, shape, self.size, pool=1)
        return draw_filters(self, key, shape[0], n_out=self.filters * self.size**2), (self.filters, *after)

    def forward(self, params: ConvParams, a: Array) -> Array:
        """Patches, one product, the bias."""
        z = product(params.W, patches(a, self.size)) + params.b[None, :, None]
        return apart(z, (len(a), self.filters, *steps(a.shape, self.size, 1)))

    def backward(self, params: ConvParams, a: Array, delta: Array) -> tuple[ConvParams, Array]:
        """The gradient of a shared weight is the sum over the positions that share it."""
        x = patches(a, self.size)
        d = beside(delta, len(x))
        by_W, by_patches = product_backward(params.W, x, d)
        return ConvParams(by_W, total(d)), overlay(by_patches, a.shape, self.size)


@static
class MaxPool:
    """The largest pixel of every square of `size` pixels, which do not overlap, channel by channel.

    Ties: the first winner, row by row within the square, takes the whole derivative.

    Raises:
        TypeError: `size` is not a whole number.
        ValueError: `size` is below 1.
    """

    size: int

    def __post_init__(self) -> None:
        positive("MaxPool", "size", self.size)

    def init(self, key: Key, shape: Shape) -> tuple[tuple[()], Shape]:
        """No parameters, height and width divided by `size`."""
        return (), (shape[0], *pooled(self, shape, 1, self.size))

    def squares(self, a: Array) -> Array:
        """The pixels that compete, `(g, channels, size², n/g·q)`."""
        x = patches(a, self.size, self.size)
        return x.reshape(len(x), a.shape[1], self.size**2, x.shape[2])

    def forward(self, params: Params, a: Array) -> Array:
        """`max` over every square."""
        return apart(largest(self.squares(a)), (*a.shape[:2], *steps(a.shape, self.size, self.size)))

    def backward(self, params: Params, a: Array, delta: Array) -> tuple[tuple[()], Array]:
        """`delta` goes back to the winning pixel alone."""
        squares = self.squares(a)
        routed = largest_backward(squares, beside(delta, len(squares)))
        return (), overlay(routed, a.shape, self.size, self.size)


@static
class ConvPool:
    """`MaxPool(pool)` after `Conv(filters, size)`, as one product; the activation follows as a layer.

    A pooled pixel depends on one square of `size + pool − 1` pixels, in which the filter can stand at pool²
    places; it is the largest of their dot products. For an increasing activation, pooling before it is the
    same as after it, and a quarter of the work at `pool` 2. Ties: the first place, row by row, takes the
    whole derivative.

    The initialisers are as in `Conv`, except that of the units that a pixel feeds only one in pool² is
    passed on: n_out = filters·size²/pool², rounded up. (Nielsen's `network3` draws W from N(0, 1/n_out).)

    Raises:
        TypeError: `filters`, `size` or `pool` is not a whole number.
        ValueError: `filters`, `size` or `pool` is below 1.
    """

    filters: int
    size: int
    pool: int
    initializer: Initializer = ScaledNormal()
    bias_initializer: Initializer = Normal(1.0)

    def __post_init__(self) -> None:
        positive("ConvPool", "filters", self.filters)
        positive("ConvPool", "size", self.size)
        positive("ConvPool", "pool", self.pool)

    def init(self, key: Key, shape: Shape) -> tuple[ConvParams, Shape]:
        """`W` `(filters, channels, size, size)` and `b` `(filters,)` from independent keys."""
        after = pooled(self, shape, self.size, self.pool)
        n_out = math.ceil(self.filters * self.size**2 / self.pool**2)
        return draw_filters(self, key, shape[0], n_out), (self.filters, *after)

    def forward(self, params: ConvParams, a: Array) -> Array:
        """One product, the maximum, the bias."""
        z = largest(contest(params.W, a, self.pool)) + params.b[None, :, None]
        return apart(z, (len(a), self.filters, *steps(a.shape, self.size + self.pool - 1, self.pool)))

    def backward(self, params: ConvParams, a: Array, delta: Array) -> tuple[ConvParams, Array]:
        """`delta` goes to the first winner, and from there to the filter and to the patch that met."""
        z = contest(params.W, a, self.pool)
        d = beside_once(delta, len(z))
        by_W, by_a = contest_backward(params.W, a, self.pool, largest_backward(z, d))
        return ConvParams(by_W, total(d)), by_a


@static
class Flatten:
    """Every example as one row, row-major: what a `Dense` after images needs."""

    def init(self, key: Key, shape: Shape) -> tuple[tuple[()], Shape]:
        """No parameters, one axis."""
        return (), (math.prod(shape),)

    def forward(self, params: Params, a: Array) -> Array:
        """`(n, *shape)` as `(n, n_out)`."""
        return a.reshape(a.shape[0], math.prod(a.shape[1:]))

    def backward(self, params: Params, a: Array, delta: Array) -> tuple[tuple[()], Array]:
        """`delta` in the shape of `a`."""
        return (), delta.reshape(a.shape)
