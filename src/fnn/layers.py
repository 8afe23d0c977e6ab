"""Layers of units that see all inputs: each one a function and, under it, its derivative by hand.

Shape letters: `n` examples in a batch, `n_in` and `n_out` widths, `k` pieces of a maxout unit. The output of an
affine layer is called `z`; `delta` is ∂C/∂(output).

To add a layer, write a class like these: `init`, `forward` and, under it, `backward`.
"""

from __future__ import annotations

from typing import NamedTuple

import jax.numpy as jnp

from fnn.initializers import Normal, ScaledNormal
from fnn.kernels.draws import split
from fnn.kernels.pooling import largest
from fnn.kernels.products import affine, outer_sum
from fnn.types import Array, Initializer, Key, Shape, positive, short_repr, static, stored_as, width


@stored_as("fnn.DenseParams")
class DenseParams(NamedTuple):
    """Parameters of `Dense`."""

    W: Array  # (n_out, n_in)
    b: Array  # (n_out,)

    __repr__ = short_repr


@static
class Dense:
    """The affine map `z = a Wᵀ + b` of every row of a batch, `n_out = units`.

    `initializer` draws `W` (default `ScaledNormal()`) and `bias_initializer` draws `b` (default
    `Normal(1.0)`), Nielsen's choice in ch. 3.

    Raises:
        TypeError: `units` is not a whole number.
        ValueError: `units` is below 1.
    """

    units: int  # n_out
    initializer: Initializer = ScaledNormal()
    bias_initializer: Initializer = Normal(1.0)

    def __post_init__(self) -> None:
        positive("Dense", "units", self.units)

    def init(self, key: Key, shape: Shape) -> tuple[DenseParams, Shape]:
        """`W` `(n_out, n_in)` and `b` `(n_out,)` from independent keys."""
        n_in, n_out = width(self, shape), self.units
        k_W, k_b = split(key)
        W = self.initializer.draw(k_W, (n_out, n_in), n_in, n_out)
        return DenseParams(W, self.bias_initializer.draw(k_b, (n_out,), n_in, n_out)), (n_out,)

    def forward(self, params: DenseParams, a: Array) -> Array:
        """`z = a Wᵀ + b`."""
        return affine(params.W, params.b, a)

    def backward(self, params: DenseParams, a: Array, delta: Array) -> tuple[DenseParams, Array]:
        """BP4 `δᵀa` and BP3 `Σδ` for the parameters, `δW`, the left factor of BP2, for the input."""
        return DenseParams(W=outer_sum(delta, a), b=delta.sum(axis=0)), delta @ params.W


@stored_as("fnn.MaxoutParams")
class MaxoutParams(NamedTuple):
    """Parameters of `Maxout`: `k` affine maps side by side."""

    W: Array  # (k, n_out, n_in)
    b: Array  # (k, n_out)

    __repr__ = short_repr


@static
class Maxout:
    """The largest of `pieces` affine maps per unit: `z_i = max_p (a W[p]ᵀ + b[p])_i` (Goodfellow et al. 2013).

    With two pieces, one of which is 0, a unit is a ReLU. A maxout unit never saturates: its largest piece always
    passes the gradient on. Ties: the first of the largest pieces takes the whole derivative.

    Raises:
        TypeError: `units` or `pieces` is not a whole number.
        ValueError: `units` or `pieces` is below 1.
    """

    units: int  # n_out
    pieces: int = 2  # k
    initializer: Initializer = ScaledNormal()
    bias_initializer: Initializer = Normal(1.0)

    def __post_init__(self) -> None:
        positive("Maxout", "units", self.units)
        positive("Maxout", "pieces", self.pieces)

    def init(self, key: Key, shape: Shape) -> tuple[MaxoutParams, Shape]:
        """`W` `(k, n_out, n_in)` and `b` `(k, n_out)`: exactly `k` times the parameters of `Dense(units)`."""
        n_in, k, n_out = width(self, shape), self.pieces, self.units
        k_W, k_b = split(key)
        W = self.initializer.draw(k_W, (k, n_out, n_in), n_in, n_out)
        return MaxoutParams(W, self.bias_initializer.draw(k_b, (k, n_out), n_in, n_out)), (n_out,)

    def affine(self, params: MaxoutParams, a: Array) -> Array:
        """The pieces before the maximum, `(n, k, n_out)`."""
        k, n_out, n_in = params.W.shape
        return affine(params.W.reshape(k * n_out, n_in), params.b.reshape(k * n_out), a).reshape(-1, k, n_out)

    def forward(self, params: MaxoutParams, a: Array) -> Array:
        """The largest piece of each unit; of equal ones the first."""
        return largest(self.affine(params, a)[:, None])[:, 0]

    def backward(self, params: MaxoutParams, a: Array, delta: Array) -> tuple[MaxoutParams, Array]:
        """`delta` goes to the largest piece alone, then as in `Dense`."""
        k, n_out, n_in = params.W.shape
        winner = self.affine(params, a).argmax(axis=1)
        wins = winner[:, None, :] == jnp.arange(k)[None, :, None]
        routed = jnp.where(wins, delta[:, None, :], 0)  # (n, k, n_out)
        flat = routed.reshape(-1, k * n_out)
        nabla = MaxoutParams(W=outer_sum(flat, a).reshape(params.W.shape), b=routed.sum(axis=0))
        return nabla, flat @ params.W.reshape(k * n_out, n_in)
