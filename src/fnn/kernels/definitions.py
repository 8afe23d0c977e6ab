"""The formulas as the book has them. The other files of this folder compute the same, in a form that XLA runs fast.

`tests/kernels/test_definitions.py` holds each pair together: values, derivatives, batching, export. Nothing else uses
this file. Shape letters: `n` examples in a batch; images are `(n, channels, height, width)`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fnn.types import Array


def affine(W: Array, b: Array, a: Array) -> Array:
    """`a Wᵀ + b` for every row of `a` `(n, n_in)`, with W `(n_out, n_in)` and b `(n_out,)`."""
    return a @ W.T + b[None, :]


def outer_sum(delta: Array, a: Array) -> Array:
    """`Σ δ aᵀ` over the rows of delta `(n, n_out)` and a `(n, n_in)`: the gradient of W, `(n_out, n_in)`."""
    return delta.T @ a


def row_sums(x: Array) -> Array:
    """The sum of every row of x `(m, k)`."""
    return x.sum(axis=1)


def squares(a: Array, size: int, stride: int) -> Array:
    """Every `size` x `size` square at distances of `stride`: `(n, channels, rows, columns, size, size)`."""
    down, across = (range(0, side - size + 1, stride) for side in a.shape[2:])
    rows = [jnp.stack([a[:, :, i : i + size, j : j + size] for j in across], axis=2) for i in down]
    return jnp.stack(rows, axis=2)


def convolution(W: Array, b: Array, a: Array) -> Array:
    """`z[f, y, x] = b[f] + Σ W[f, c, i, j] a[c, y + i, x + j]` over c, i, j, for every image of `a`.

    W is `(filters, channels, size, size)` and b is `(filters,)`.
    """
    return jnp.einsum("fcij,ncyxij->nfyx", W, squares(a, W.shape[2], 1)) + b[None, :, None, None]


def convolution_backward(W: Array, a: Array, delta: Array) -> tuple[Array, Array, Array]:
    """The derivatives by W, b and a, summed over examples and positions.

    By W: `Σ δ[f, y, x] a[c, y + i, x + j]`. By b: `Σ δ`. By a: the convolution of δ, in a frame of zeros, with the
    filters turned by half a turn.
    """
    by_W = jnp.einsum("nfyx,ncyxij->fcij", delta, squares(a, W.shape[2], 1))
    edge = W.shape[2] - 1
    framed = jnp.pad(delta, ((0, 0), (0, 0), (edge, edge), (edge, edge)))
    turned = W.swapaxes(0, 1)[:, :, ::-1, ::-1]
    return by_W, delta.sum(axis=(0, 2, 3)), convolution(turned, jnp.zeros_like(a, shape=a.shape[1]), framed)


def max_pool(a: Array, size: int) -> Array:
    """The largest pixel of every `size` x `size` square; the squares do not overlap."""
    x = squares(a, size, size)
    x = x.reshape(*x.shape[:4], size**2)
    return jnp.take_along_axis(x, x.argmax(axis=4, keepdims=True), axis=4)[..., 0]


def max_pool_backward(a: Array, size: int, delta: Array) -> Array:
    """`delta` at the first largest pixel of each square, row by row, and 0 at the others."""
    x = squares(a, size, size)
    first = jax.nn.one_hot(x.reshape(*x.shape[:4], size**2).argmax(axis=4), size**2, dtype=delta.dtype)
    routed = (first * delta[..., None]).reshape(x.shape)
    return routed.transpose(0, 1, 2, 4, 3, 5).reshape(a.shape)


def pooled_convolution(W: Array, b: Array, a: Array, pool: int) -> Array:
    """`max_pool` after `convolution`."""
    return max_pool(convolution(W, b, a), pool)


def pooled_convolution_backward(W: Array, a: Array, pool: int, delta: Array) -> tuple[Array, Array, Array]:
    """The derivatives by W, b and a.

    All responses that compete have the same bias, so it does not change which one is the largest.
    """
    z = convolution(W, jnp.zeros_like(W, shape=len(W)), a)
    return convolution_backward(W, a, max_pool_backward(z, pool, delta))
