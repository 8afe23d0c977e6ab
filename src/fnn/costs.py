"""Costs: the output activation, the value, and under it the derivative by the raw output `z`.

Shape letters: `n` examples, `n_out` outputs. Every value is summed over outputs and averaged over the
rows. Every delta is the exact gradient of the value, so both contain the 1/n of the mean. The cost of an empty
batch is not defined (0/0).

To add a cost, write a class like these: `output`, `value` and, under it, `delta`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from fnn.activation_functions import Sigmoid
from fnn.types import Array, Layer, static


@static
class Quadratic:
    """`C = ½ ‖a − y‖²` per example, with `a` the output of any parameter-free layer (Nielsen, ch. 1, eq. 6).

    `activation` is that layer: `Sigmoid()` as in the book, `Identity()` for regression, `Tanh()`,
    `Softmax()`, `Step()`, or a user's own. A cost without the ½ takes the same steps with half this learning rate.
    """

    activation: Layer = Sigmoid()

    def output(self, z: Array) -> Array:
        """`a = f(z)`."""
        return self.activation.forward((), z)

    def value(self, z: Array, y: Array) -> Array:
        """`½ Σ (a − y)²`: summed over outputs, mean over rows."""
        return 0.5 * jnp.square(self.output(z) - y).sum(axis=1).mean()

    def delta(self, z: Array, y: Array) -> Array:
        """`(a − y)/n` through the activation's own `backward`; for an elementwise one `(a − y) f′(z)/n`."""
        _, delta = self.activation.backward((), z, (self.output(z) - y) / z.shape[0])
        return delta


@static
class CrossEntropy:
    """Bernoulli cross-entropy of sigmoid outputs, in nats per example (Nielsen, ch. 3, eq. 63).

    For soft desired outputs the minimum is their entropy, not 0.
    """

    def output(self, z: Array) -> Array:
        """`a = σ(z)`."""
        return jax.nn.sigmoid(z)

    def value(self, z: Array, y: Array) -> Array:
        """`−Σ [y ln a + (1 − y) ln(1 − a)]`: summed over outputs, mean over rows."""
        # −ln σ(z) = softplus(−z) takes no log of a rounded 0; softplus(z) − y z would lose digits where a is near y
        return ((1 - y) * jax.nn.softplus(z) + y * jax.nn.softplus(-z)).sum(axis=1).mean()

    def delta(self, z: Array, y: Array) -> Array:
        """`(a − y) / n`: the σ′ of the output cancels."""
        # a − y = (1 − y) σ(z) − y σ(−z): in float32, σ(z) − 1 is 0 from z = 16.6 on, −σ(−z) is right to z = 87
        return ((1 - y) * jax.nn.sigmoid(z) - y * jax.nn.sigmoid(-z)) / z.shape[0]


@static
class LogLikelihood:
    """`−Σ y ln a` of softmax outputs, in nats per example (Nielsen, ch. 3, eq. 80).

    Accepts soft desired outputs: rows of `y` that sum to 1. A row that sums to s is weighted by s.
    """

    def output(self, z: Array) -> Array:
        """`a = softmax(z)`."""
        return jax.nn.softmax(z, axis=-1)

    def value(self, z: Array, y: Array) -> Array:
        """`−Σ y ln a`: summed over outputs, mean over rows."""
        # log_softmax, not log(softmax): exp(-104) is 0 in float32
        return -(y * jax.nn.log_softmax(z, axis=-1)).sum(axis=1).mean()

    def delta(self, z: Array, y: Array) -> Array:
        """`(a − y) / n` for rows of `y` that sum to 1; in general `(a Σy − y) / n`, the exact gradient."""
        return (jax.nn.softmax(z, axis=-1) * y.sum(axis=1, keepdims=True) - y) / z.shape[0]
