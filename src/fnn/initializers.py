"""How the parameters of a layer start: random numbers. Their standard deviation decides whether the layer learns.

Every class here fills one array. `n_in` is the number of inputs of a unit (fan-in), `n_out` the number of units that
an input feeds (fan-out). The numbers are float32 unless 64-bit mode is on.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from fnn.kernels.draws import normal, uniform
from fnn.types import Array, Key, Shape, static


@static
class Normal:
    """Every entry from N(0, std²); `Normal(1.0)` is Nielsen's first choice (ch. 1, "large" in ch. 3).

    Raises:
        ValueError: `std` is below 0, infinite or nan.
    """

    std: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.std < math.inf:
            raise ValueError(
                f"Normal(std={self.std}): a standard deviation is a number of at least 0; for all zeros use Zeros()."
            )

    def draw(self, key: Key, shape: Shape, n_in: int, n_out: int) -> Array:
        """`std · N(0, 1)`."""
        return _array(float(self.std) * normal(key, shape))


@static
class ScaledNormal:
    """Every entry from N(0, 1/n_in): a weighted sum of n_in unit-variance inputs has variance 1.

    Nielsen, ch. 3, "Weight initialization"; also known as LeCun's normal initialisation.
    """

    def draw(self, key: Key, shape: Shape, n_in: int, n_out: int) -> Array:
        """`N(0, 1) / sqrt(n_in)`."""
        return _array(_over(normal(key, shape), n_in**0.5))


@static
class He:
    """Every entry from N(0, 2/n_in): keeps the variance through rectified units (He et al. 2015, eq. 10)."""

    def draw(self, key: Key, shape: Shape, n_in: int, n_out: int) -> Array:
        """`N(0, 1) · sqrt(2 / n_in)`."""
        return _array(normal(key, shape) * (2 / n_in) ** 0.5)


@static
class Glorot:
    """Every entry from U(−r, r), r = sqrt(6/(n_in + n_out)): variance 2/(n_in + n_out).

    A compromise between keeping the variance forward (1/n_in) and backward (1/n_out); Glorot and
    Bengio 2010, eq. 16 ("normalized initialization").
    """

    def draw(self, key: Key, shape: Shape, n_in: int, n_out: int) -> Array:
        """`U(−1, 1) · sqrt(6 / (n_in + n_out))`."""
        return _array(uniform(key, shape) * (6 / (n_in + n_out)) ** 0.5)


@static
class Zeros:
    """Every entry 0: right for biases, wrong for the weights of hidden layers.

    Hidden units that start equal receive equal gradients and stay equal, so the layer computes one feature however
    wide it is. With tanh or ReLU between two layers of zero weights and biases it is worse: all gradients of the
    weights are exactly 0, and only the output bias ever changes. It is allowed because one learns from seeing this,
    and because a last layer may start at 0 without harm.
    """

    def draw(self, key: Key, shape: Shape, n_in: int, n_out: int) -> Array:
        """`0`, whatever the key."""
        return _array(np.zeros(shape, jnp.result_type(float)))


def _array(numbers: Array | np.ndarray) -> Array:
    """An array of JAX; for one of NumPy `jnp.asarray` would compile a program."""
    return jax.device_put(numbers) if isinstance(numbers, np.ndarray) else numbers


def _over(numbers: Array | np.ndarray, constant: float) -> Array | np.ndarray:
    """The quotient, by the reciprocal: XLA rounds so."""
    return numbers * (numbers.dtype.type(1) / numbers.dtype.type(constant))
