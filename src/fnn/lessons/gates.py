"""Gates: scalar functions, each with its local derivative under it (`graphs` wires them).

A gate knows its own inputs. On the way back it receives delta, the derivative of the result by the gate's output. It
multiplies delta by its own derivative and passes the product on to its inputs. That is all of backpropagation: a
layer's `backward` does the same for a batch of vectors. Here everything is one number, as on a blackboard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import jax
import jax.numpy as jnp

Array = jax.Array
Inputs = tuple[Array, ...]  # scalars


class Gate(Protocol):
    """A function of scalars with its derivative. A gate of your own needs the same two methods; see `graphs.apply`."""

    def forward(self, inputs: Inputs) -> Array:
        """The output."""
        ...

    def backward(self, inputs: Inputs, delta: Array) -> Inputs:
        """For each input, `delta` times the derivative of the output by that input."""
        ...


@dataclass(frozen=True)
class Add:
    """`x₁ + … + x_r`: every input receives the whole delta, not the part delta/r."""

    def forward(self, inputs: Inputs) -> Array:
        """`Σ x`."""
        return sum(inputs[1:], start=inputs[0])

    def backward(self, inputs: Inputs, delta: Array) -> Inputs:
        """`∂Σ/∂xᵢ = 1`."""
        return (delta,) * len(inputs)


@dataclass(frozen=True)
class FanOut:
    """One signal that is used several times. It is the reverse of `Add`, and the only gate with several outputs.

    `graphs` inserts one wherever a node is used more than once.
    """

    copies: int

    def forward(self, inputs: Inputs) -> Inputs:
        """`x, …, x`."""
        return inputs * self.copies

    def backward(self, inputs: Inputs, delta: Inputs) -> Inputs:
        """The sum of the deltas of all copies: the chain rule for several paths."""
        return (sum(delta[1:], start=delta[0]),)


@dataclass(frozen=True)
class Multiply:
    """`x y`: each input receives delta times the other input."""

    def forward(self, inputs: Inputs) -> Array:
        """`x y`."""
        x, y = inputs
        return x * y

    def backward(self, inputs: Inputs, delta: Array) -> Inputs:
        """`∂(x y)/∂x = y`, at x = 0 too."""
        x, y = inputs
        return delta * y, delta * x


@dataclass(frozen=True)
class Max:
    """The largest input; it receives the whole delta. Among equal inputs the first one does."""

    def forward(self, inputs: Inputs) -> Array:
        """`max x`."""
        x = jnp.stack(inputs)
        return x[x.argmax()]

    def backward(self, inputs: Inputs, delta: Array) -> Inputs:
        """Delta for the largest input, 0 for the others."""
        winner = jnp.stack(inputs).argmax()
        return tuple(jnp.where(winner == i, delta, 0) for i in range(len(inputs)))


@dataclass(frozen=True)
class Square:
    """`x²`."""

    def forward(self, inputs: Inputs) -> Array:
        """`x²`."""
        return inputs[0] * inputs[0]

    def backward(self, inputs: Inputs, delta: Array) -> Inputs:
        """`2 x`."""
        return (delta * 2 * inputs[0],)


@dataclass(frozen=True)
class Reciprocal:
    """`1/x`, infinite at 0."""

    def forward(self, inputs: Inputs) -> Array:
        """`1/x`."""
        return 1 / inputs[0]

    def backward(self, inputs: Inputs, delta: Array) -> Inputs:
        """`−1/x²`."""
        return (-delta / (inputs[0] * inputs[0]),)


@dataclass(frozen=True)
class Exp:
    """`eˣ`."""

    def forward(self, inputs: Inputs) -> Array:
        """`eˣ`."""
        return jnp.exp(inputs[0])

    def backward(self, inputs: Inputs, delta: Array) -> Inputs:
        """`eˣ` again."""
        return (delta * jnp.exp(inputs[0]),)


@dataclass(frozen=True)
class Log:
    """`ln x` for `x > 0`."""

    def forward(self, inputs: Inputs) -> Array:
        """`ln x`."""
        return jnp.log(inputs[0])

    def backward(self, inputs: Inputs, delta: Array) -> Inputs:
        """`1/x`."""
        return (delta / inputs[0],)


@dataclass(frozen=True)
class Sin:
    """`sin x`, x in radians."""

    def forward(self, inputs: Inputs) -> Array:
        """`sin x`."""
        return jnp.sin(inputs[0])

    def backward(self, inputs: Inputs, delta: Array) -> Inputs:
        """`cos x`."""
        return (delta * jnp.cos(inputs[0]),)


@dataclass(frozen=True)
class Sigmoid:
    """`σ(x) = 1/(1 + e⁻ˣ)`; it passes on at most a quarter of delta."""

    def forward(self, inputs: Inputs) -> Array:
        """`σ(x)`."""
        return jax.nn.sigmoid(inputs[0])

    def backward(self, inputs: Inputs, delta: Array) -> Inputs:
        """`σ(x) (1 − σ(x))`."""
        s = jax.nn.sigmoid(inputs[0])
        return (delta * s * (1 - s),)


@dataclass(frozen=True)
class Constant:
    """A number in the expression."""

    value: float

    def forward(self, inputs: Inputs) -> Array:
        """The number."""
        return jnp.asarray(self.value, jnp.result_type(float))

    def backward(self, inputs: Inputs, delta: Array) -> Inputs:
        """Nothing: there are no inputs."""
        return ()
