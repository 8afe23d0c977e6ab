"""Products of matrices, in the form that XLA computes fastest; the formulas are in `definitions`.

Shape letters: `n` examples in a batch, `n_in` and `n_out` the widths of a layer; `g`, `k` and `p` as in `im2col`.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from fnn.kernels.im2col import apart, col2im, groups, im2col, places, side_by_side
from fnn.types import Array

FEW_ROWS = 64  # with more rows, or an unknown number of them, `affine` is the product of the definition
FEW_UNITS = 64  # a factor of more units is not stored first


def affine(W: Array, b: Array, a: Array) -> Array:
    """As in `definitions`. For a small batch W is the first factor, because XLA copies the second factor.

    This saves 5 to 25 % of a training step, measured on a CPU with AVX-512. For a layer of few units the two halves of
    the result are joined. XLA removes that again, but its derivative makes XLA store the transposed δ for `jax.grad`,
    as `outer_sum` does by hand. Without it a step by autodiff takes 1.1 of the time at 10 rows and 1.3 at 64.
    """
    n, n_out = a.shape[0], W.shape[0]
    if not (isinstance(n, int) and n <= FEW_ROWS):
        return a @ W.T + b[None, :]
    z = W @ a.T + b[:, None]
    return (jnp.concatenate([z[: n_out // 2], z[n_out // 2 :]]) if n_out <= FEW_UNITS else z).T


def outer_sum(delta: Array, a: Array) -> Array:
    """As in `definitions`, with the transposed factor in memory before the product reads it."""
    return stored(delta.T) @ a


def stored(rows: Array) -> Array:
    """`rows` `(n_out, n)` itself. The barrier makes XLA store it first, if it has few units.

    XLA does not store a transposed factor otherwise. The product then reads it column by column, which is slow for
    narrow layers: with the barrier a step of [784, 30, 10] takes 0.9 of the time, and 0.7 at 64 rows (a CPU with
    AVX-512). The barrier is the identity, and so is its derivative.
    """
    return jax.lax.optimization_barrier(rows) if rows.shape[0] <= FEW_UNITS else rows


def row_sums(x: Array, precision: str | None = None) -> Array:
    """As in `definitions`, as a product with ones. XLA:CPU adds one number after another: that takes ten times as long.

    Args:
        x: `(m, k)`.
        precision: Of the product, on a device that has several.
    """
    return jnp.matmul(x, jnp.ones(x.shape[1], x.dtype), precision=precision)


def convolution(W: Array, b: Array, a: Array) -> Array:
    """As in `definitions`: the patches as columns (im2col), one product, the bias."""
    size = W.shape[2]
    z = patch_product(W, im2col(a, size)) + b[None, :, None]
    return apart(z, (a.shape[0], W.shape[0], *places(a.shape, size)))


def convolution_backward(W: Array, a: Array, delta: Array) -> tuple[Array, Array, Array]:
    """As in `definitions`; the gradient of a shared weight is the sum over the positions that share it."""
    size = W.shape[2]
    d = side_by_side(delta, *groups(a.shape, size))
    by_W, by_patches = patch_product_backward(W, im2col(a, size), d)
    return by_W, bias_gradient(d), col2im(by_patches, a.shape, size)


def patch_product(W: Array, x: Array) -> Array:
    """`W x` for every group: filters `(m, channels, …)` of k weights times patches `(g, k, p)` is `(g, m, p)`."""
    return _for_each_group(W, x) @ x


def patch_product_backward(W: Array, x: Array, delta: Array) -> tuple[Array, Array]:
    """The derivatives of `patch_product`: `Σ δ xᵀ` over groups and patches, and `Wᵀ δ`."""
    if x.shape[0] != 1:
        by_W = (delta @ x.mT).sum(axis=0)
    else:
        # This is the transpose of x δᵀ. That product is tall; XLA:CPU splits a tall product between cores, but not a
        # flat one. The extra axis keeps XLA from computing δ xᵀ instead.
        tall = x.reshape(W.shape[1], math.prod(W.shape[2:]), x.shape[2])
        by_W = jnp.einsum("ckp,mp->ckm", tall, delta[0]).transpose(2, 0, 1)
    return by_W.reshape(W.shape), _for_each_group(W, x).mT @ delta


def _for_each_group(W: Array, x: Array) -> Array:
    """`W` as rows, repeated for every group of `x`. Without the repetition `@` would first transpose all of `x`."""
    rows = W.reshape(W.shape[0], math.prod(W.shape[1:]))
    return rows if x.shape[0] == 1 else jnp.broadcast_to(rows, (x.shape[0], *rows.shape))


def bias_gradient(delta: Array) -> Array:
    """The sum of δ `(g, filters, p)` over groups and positions.

    The groups are summed first, so that the rows of the product with ones are shorter.
    """
    return row_sums(delta.sum(axis=0))
