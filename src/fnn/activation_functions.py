"""Activation functions: each one the formula and, under it, its derivative by hand.

Shape letters: `n` examples in a batch. The input of an activation function is called `z` and its output `a`;
`delta` is ∂C/∂(output).

To add an activation function that works entry by entry, write a class like `Sigmoid`: `f` and, under it, `df`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import jax
import jax.numpy as jnp

from fnn.types import Array, Key, Params, Shape, static, width


class Elementwise(ABC):
    """A nonlinearity applied to every entry: a subclass is the formula `f` and its derivative `df`."""

    @abstractmethod
    def f(self, z: Array) -> Array:
        """The activation, entry by entry."""

    @abstractmethod
    def df(self, z: Array) -> Array:
        """The derivative f′, entry by entry; at a kink, the value that the class documents."""

    def init(self, key: Key, shape: Shape) -> tuple[tuple[()], Shape]:
        """No parameters, the same shape."""
        return (), shape

    def forward(self, params: Params, a: Array) -> Array:
        """`f(a)`."""
        return self.f(a)

    def backward(self, params: Params, a: Array, delta: Array) -> tuple[tuple[()], Array]:
        """`delta ⊙ f′(a)`, the right factor of BP2."""
        return (), delta * self.df(a)


@static
class Sigmoid(Elementwise):
    """`σ(z) = 1/(1 + e⁻ᶻ)`, outputs in (0, 1); its derivative is at most 1/4, at z = 0."""

    def f(self, z: Array) -> Array:
        """`σ(z)`."""
        return jax.nn.sigmoid(z)

    def df(self, z: Array) -> Array:
        """`σ(z) (1 − σ(z))`."""
        s = jax.nn.sigmoid(z)
        return s * (1 - s)


@static
class Tanh(Elementwise):
    """`tanh z = 2σ(2z) − 1`, outputs in (−1, 1), zero-centred."""

    def f(self, z: Array) -> Array:
        """`tanh z`."""
        return jnp.tanh(z)

    def df(self, z: Array) -> Array:
        """`1 − tanh² z`."""
        t = jnp.tanh(z)
        return (1 - t) * (1 + t)  # not 1 - t*t, which loses its last digits when t is near 1


@static
class ReLU(Elementwise):
    """`z` where `z > 0`, else 0; the derivative at the kink `z = 0` is 0; nan stays nan."""

    def f(self, z: Array) -> Array:
        """`max(z, 0)`."""
        return jnp.where(z <= 0, 0, z)  # nan is not below 0; jnp.maximum has the gradient 1/2 at a tie

    def df(self, z: Array) -> Array:
        """0 where `z <= 0`, else 1."""
        # the output is 0 exactly where z <= 0; it is in memory, while z would have to be computed again
        return jnp.where(self.f(z) <= 0, 0, jnp.ones_like(z))


@static
class LeakyReLU(Elementwise):
    """`z` where `z > 0`, else `slope·z`; the derivative at the kink `z = 0` is `slope`.

    Raises:
        ValueError: `slope` is infinite or nan.
    """

    slope: float = 0.01

    def __post_init__(self) -> None:
        if not math.isfinite(self.slope):
            raise ValueError(f"LeakyReLU(slope={self.slope}): expected a finite number.")

    def f(self, z: Array) -> Array:
        """`z` or `slope·z`."""
        return jnp.where(z > 0, z, self.slope * z)

    def df(self, z: Array) -> Array:
        """1 or `slope`, by the same condition `z > 0` as in `f`."""
        return jnp.where(z > 0, jnp.ones_like(z), self.slope)


@static
class Identity(Elementwise):
    """`z` itself: a linear unit, for regression."""

    def f(self, z: Array) -> Array:
        """`z`."""
        return z

    def df(self, z: Array) -> Array:
        """`1`."""
        return jnp.ones_like(z)


@static
class Step(Elementwise):
    """The perceptron: 1 where `z > 0`, else 0, so `z = 0` gives 0; the derivative is 0 everywhere; nan stays nan.

    Rosenblatt's unit with bias = −threshold (Nielsen, ch. 1). The derivative is 0 at the jump too, so no gradient
    passes. Such nets are set by hand, not trained.
    """

    def f(self, z: Array) -> Array:
        """1 or 0."""
        return jnp.where(jnp.isnan(z), jnp.nan, jnp.where(z > 0, jnp.ones_like(z), 0))

    def df(self, z: Array) -> Array:
        """`0`."""
        return jnp.zeros_like(z)


@static
class Softmax:
    """`aᵢ = e^{zᵢ} / Σⱼ e^{zⱼ}` over the last axis of every row.

    The outputs are positive and sum to 1. They do not change when the same number is added to every zᵢ.
    """

    def init(self, key: Key, shape: Shape) -> tuple[tuple[()], Shape]:
        """No parameters, the same shape.

        Raises:
            ValueError: `shape` has no axis, or more than one.
        """
        width(self, shape)
        return (), shape

    def forward(self, params: Params, a: Array) -> Array:
        """`softmax(a)`; the largest entry is subtracted first, so nothing overflows."""
        return jax.nn.softmax(a, axis=-1)

    def backward(self, params: Params, a: Array, delta: Array) -> tuple[tuple[()], Array]:
        """`s ⊙ (δ − Σⱼ δⱼ sⱼ)`: the product with the Jacobian `diag(s) − s sᵀ`, without computing this matrix."""
        s = jax.nn.softmax(a, axis=-1)
        return (), s * (delta - (delta * s).sum(axis=-1, keepdims=True))
