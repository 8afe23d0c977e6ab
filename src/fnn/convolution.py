"""Convolution and max-pooling, each with its derivative by hand under it.

As everywhere in deep learning "convolution" is cross-correlation: the filter is not flipped. Shape letters: `n`
images of a batch, `(n, channels, height, width)`; `delta` is ∂C/∂(output). The formulas of the sums over pixels
stand in `kernels.definitions`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from fnn.initializers import Normal, ScaledNormal
from fnn.kernels.draws import split
from fnn.kernels.im2col import places
from fnn.kernels.pooling import max_pool, max_pool_backward, pooled_convolution, pooled_convolution_backward
from fnn.kernels.products import convolution, convolution_backward
from fnn.types import Array, Initializer, Key, Params, Shape, positive, short_repr, static, stored_as


@stored_as("fnn.ConvParams")
class ConvParams(NamedTuple):
    """Parameters of `Conv` and `ConvPool`: filters and biases that all positions share."""

    W: Array  # (filters, channels, size, size)
    b: Array  # (filters,)

    __repr__ = short_repr


def pooled(layer: object, shape: Shape, size: int, pool: int) -> tuple[int, int]:
    """Height and width after filters of `size` and squares of `pool`.

    Raises:
        ValueError: `shape` does not have three axes, an image is smaller than a filter, or `pool` does not divide the
            height and the width after the filters.
    """
    if len(shape) != 3:
        raise ValueError(
            f"{layer} got examples of shape {shape}; it needs images, (channels, height, width): "
            "reshape the data, grey images to one channel, (1, height, width)."
        )
    height, width = places(shape, size)
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
    k_W, k_b = split(key)
    shape, n_in = (layer.filters, channels, layer.size, layer.size), channels * layer.size**2
    W = layer.initializer.draw(k_W, shape, n_in, n_out)
    return ConvParams(W, layer.bias_initializer.draw(k_b, shape[:1], n_in, n_out))


@static
class Conv:
    """`z = W ⋆ a + b`: one dot product of every filter with every `size` x `size` square (valid, stride 1).

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
        """`z[f, y, x] = b[f] + Σ W[f, c, i, j] a[c, y + i, x + j]`, over channels c and pixels i, j of the filter."""
        return convolution(params.W, params.b, a)

    def backward(self, params: ConvParams, a: Array, delta: Array) -> tuple[ConvParams, Array]:
        """The gradient of a weight is the sum over all positions that share it: `Σ δ[f, y, x] a[c, y + i, x + j]`."""
        by_W, by_b, by_a = convolution_backward(params.W, a, delta)
        return ConvParams(by_W, by_b), by_a


@static
class MaxPool:
    """The largest pixel of every `size` x `size` square, channel by channel. The squares do not overlap.

    Ties: the first of the largest pixels, row by row within the square, takes the whole derivative.

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

    def forward(self, params: Params, a: Array) -> Array:
        """`max` over every square."""
        return max_pool(a, self.size)

    def backward(self, params: Params, a: Array, delta: Array) -> tuple[tuple[()], Array]:
        """`delta` goes back to the first of the largest pixels alone."""
        return (), max_pool_backward(a, self.size, delta)


@static
class ConvPool:
    """`MaxPool(pool)` after `Conv(filters, size)`, as one product; the activation follows as a layer of its own.

    A filter can stand at pool² places in a square of side `size + pool − 1`. The pooled pixel is the largest of its
    dot products there. If the activation is an increasing function, pooling before it gives the same as pooling after
    it. With `pool` 2 the activation then has a quarter of the work. Ties: the first of the places with the largest
    dot product, row by row, takes the whole derivative.

    The initialisers are as in `Conv`, but with another n_out. Of the units that a pixel feeds only one in pool² is
    passed on, so n_out = filters·size²/pool², rounded up. (Nielsen's `network3` draws W from N(0, 1/n_out).)

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
        """The largest output of `Conv` in every `pool` x `pool` square."""
        return pooled_convolution(params.W, params.b, a, self.pool)

    def backward(self, params: ConvParams, a: Array, delta: Array) -> tuple[ConvParams, Array]:
        """`delta` goes to the first largest response, and from there to the filter and the patch that gave it."""
        by_W, by_b, by_a = pooled_convolution_backward(params.W, a, self.pool, delta)
        return ConvParams(by_W, by_b), by_a


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
