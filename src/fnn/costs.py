"""Costs: the output activation, the value, and under it the derivative by the raw output `z`.

Shape letters: `n` examples, `n_out` outputs. Every value is summed over outputs and averaged over the
rows. Every delta is the exact gradient of the value, so both contain the 1/n of the mean. The cost of an empty
batch is not defined (0/0).

To add a cost, write a class like these: `output`, `value` and, under it, `delta`. A cost that does not take every
desired output says so by `targets`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np

from fnn.activation_functions import LeakyReLU, ReLU, Sigmoid, Softmax, Step, Tanh
from fnn.types import Array, Cost, Layer, Selective, static

QUADRATIC = 'use Quadratic(Identity()), in a config { type = "Quadratic", activation = "Identity" }'
REACHED: dict[Layer, tuple[float, float]] = {  # the outputs of our activations that do not reach every number
    Sigmoid(): (0.0, 1.0),
    Step(): (0.0, 1.0),
    Softmax(): (0.0, 1.0),
    Tanh(): (-1.0, 1.0),
    ReLU(): (0.0, math.inf),
    LeakyReLU(0.0): (0.0, math.inf),
}
ROUNDED = 1e-6  # how far beyond these ends a desired output may be, which is a rounded number
LARGEST_GAP = 0.01  # between 1 and the sum of a row of soft desired outputs, which are rounded numbers
BLOCK = 2**22  # desired outputs that are looked at together; a table of millions of rows is not copied as a whole


@static
class Quadratic:
    """`C = ½ ‖a − y‖²` per example, with `a` the output of any parameter-free layer (Nielsen, ch. 1, eq. 6).

    `activation` is that layer: `Sigmoid()` as in the book, `Identity()` for regression, `Tanh()`,
    `Softmax()`, `Step()`, or a user's own. A cost without the ½ takes the same steps with half this learning rate.
    Desired outputs at the ends of what it reaches, such as 0 and 1 for `Sigmoid()`, are the usual ones for classes.
    """

    activation: Layer = Sigmoid()

    def targets(self, y: np.ndarray) -> str:
        """Why the activation cannot be one, or what it does not reach; of an activation of the user's all is taken."""
        return _no_activation(self.activation, y.shape[1]) or _unreached(self.activation, y)

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

    def targets(self, y: np.ndarray) -> str:
        """What is wrong with desired outputs that are not from 0 to 1."""
        if y.min() < 0 or y.max() > 1:
            return f"CrossEntropy is for desired outputs from 0 to 1, got {y.min():g} to {y.max():g}; {QUADRATIC}."
        return ""

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

    Accepts soft desired outputs: rows of `y` that sum to 1. In `value` and `delta` a row that sums to s is weighted by
    s; training and evaluation refuse such rows.
    """

    def targets(self, y: np.ndarray) -> str:
        """What is wrong with desired outputs that are no distribution over two or more outputs."""
        low, high = y.min(), y.max()
        instead = QUADRATIC if low < 0 or high > 1 else "use CrossEntropy, whose outputs are sigmoids"
        if y.shape[1] < 2:
            return f"the softmax of one output is always 1; {instead}."
        wanted = "LogLikelihood is for desired outputs of at least 0 that sum to 1 in every row"
        if low < 0:
            return f"{wanted}, got {low:g} to {high:g}; {instead}."
        wrong = _wrong_sum(y)
        return f"{wanted}, got {wrong}; {instead}." if wrong else ""

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


def check_values(cost: Cost, y: np.ndarray) -> None:
    """Refuse desired outputs `(n, n_out)` that a cost does not take; one without `targets` takes all.

    Raises:
        ValueError: what is wrong with them, and which cost takes them.
    """
    if isinstance(cost, Selective) and len(y) and (wrong := cost.targets(y)):
        raise ValueError(wrong)


def blocks(y: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """The rows of `y`, some thousands at a time, each time with the number of the first."""
    size = max(1, BLOCK // max(1, y.shape[1]))
    return ((first, y[first : first + size]) for first in range(0, len(y), size))


def row_sums(y: np.ndarray) -> np.ndarray:
    """The sums of the rows in float32, `(n,)`; as a product, which NumPy computes in a fifth of the time of `sum`."""
    with np.errstate(invalid="ignore", over="ignore"):  # nan and infinity are sums like others
        return y.astype(np.float32) @ np.ones(y.shape[1], np.float32)


def _wrong_sum(y: np.ndarray) -> str:
    """The first row that does not sum to 1, in words; "" if there is none."""
    for first, block in blocks(y):
        (wrong,) = np.nonzero(abs(row_sums(block) - 1) > LARGEST_GAP)
        if len(wrong):
            return f"a sum of {row_sums(block)[wrong[0]]:g} in row {first + wrong[0]}"
    return ""


def _unreached(activation: Layer, y: np.ndarray) -> str:
    """Which desired outputs an activation of ours never gives, however long it is trained; "" if there are none."""
    low, high = REACHED.get(activation, (-math.inf, math.inf))
    least, most = y.min(), y.max()
    name = f"Quadratic({activation!r})"
    if least < low - ROUNDED or most > high + ROUNDED:
        reached = f"of at least {low:g}" if high == math.inf else f"from {low:g} to {high:g}"
        return f"{name} is for desired outputs {reached}, got {least:g} to {most:g}; {QUADRATIC}."
    if activation == Softmax() and (wrong := _wrong_sum(y)):
        return f"{name} is for desired outputs that sum to 1 in every row, got {wrong}; use Quadratic(Sigmoid())."
    return ""


@cache
def _no_activation(layer: Layer, width: int) -> str:
    """Why a layer is no output activation for rows of this width; "" if it is one."""
    try:
        params, _ = jax.eval_shape(lambda: layer.init(jax.random.key(0), (width,)))
    except (TypeError, ValueError) as error:
        return f"the activation of Quadratic: {error}"
    if jax.tree.leaves(params):
        return f"the activation of Quadratic: {type(layer).__name__} has parameters; make it the last layer of the net."
    return ""
