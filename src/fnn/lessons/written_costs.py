"""How a cost is written on the blackboard: its formula, its value for each output, and BP1.

The forms work on NumPy arrays of one example, `(n_out,)`. Of a user's cost, and of a subclass, only the results are
written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, Protocol

import jax.numpy as jnp
import numpy as np

from fnn.activation_functions import Identity, Sigmoid, Softmax
from fnn.costs import CrossEntropy, LogLikelihood, Quadratic
from fnn.lessons.equations import at, bracketed, difference, lines, product, six
from fnn.lessons.written import AnyForm, Form, form, results
from fnn.types import Array, Cost

SMALLEST = 1e-30  # an output that float32 has with all its digits


class CostForm(Protocol):
    """What every form of a cost has."""

    @property
    def output(self) -> Form:
        """The form of the output activation."""
        ...

    @property
    def formula(self) -> str:
        """Of the cost of one example."""
        ...

    def bp1(self, n: int) -> str:
        """Of delta for an example of `n`."""
        ...

    def values(self, z: np.ndarray, a: np.ndarray, y: np.ndarray) -> Iterator[tuple[str, Any]]:
        """For every output its cost, worked out and as a number."""
        ...

    def deltas(self, z: np.ndarray, a: np.ndarray, y: np.ndarray, n: int, delta: np.ndarray) -> Iterator[str]:
        """The lines of delta for an example of `n`."""
        ...


def cost_form(cost: Cost) -> CostForm:
    """How a cost is written."""
    return FORMS.get(type(cost), AnyCost)(cost)


@dataclass(frozen=True)
class AnyCost:
    """A cost of which only the results are written."""

    cost: Cost
    formula = "C = value(z, y)"

    @property
    def output(self) -> Form:
        """Only results."""
        return AnyForm(self.cost, (), "a = output(z)")

    def bp1(self, n: int) -> str:
        """The method."""
        return "delta(z, y)"

    def values(self, z: np.ndarray, a: np.ndarray, y: np.ndarray) -> Iterator[tuple[str, Any]]:
        """None."""
        return iter(())

    def deltas(self, z: np.ndarray, a: np.ndarray, y: np.ndarray, n: int, delta: np.ndarray) -> Iterator[str]:
        """`delta[j] = `."""
        return results("delta", delta)


@dataclass(frozen=True)
class QuadraticForm:
    """The quadratic cost of any output activation."""

    cost: Quadratic
    formula = "C[j] = 1/2 (a[j] - y[j])^2"

    @property
    def output(self) -> Form:
        """As the layer is written."""
        return form(self.cost.activation, ())

    def bp1(self, n: int) -> str:
        """In two steps: dC/da, then through the activation."""
        return f"dC/da[j] = {over(n, 'a[j] - y[j]')}, then {self.output.passed.replace('delta', 'dC/da')}"

    def values(self, z: np.ndarray, a: np.ndarray, y: np.ndarray) -> Iterator[tuple[str, Any]]:
        """`1/2*(a - y)^2`."""
        identity = Quadratic(Identity())
        for u, v in zip(a[:, None], y[:, None], strict=True):
            yield f"1/2*({difference(*u, *v)})^2", identity.value(jnp.asarray(u[None]), jnp.asarray(v[None]))

    def deltas(self, z: np.ndarray, a: np.ndarray, y: np.ndarray, n: int, delta: np.ndarray) -> Iterator[str]:
        """`dC/da[j] = (a - y)/n = `, then delta."""
        slopes = np.asarray(a - y) / n
        for j, slope in enumerate(slopes):
            yield from lines(at("dC/da", [j]), over(n, difference(a[j], y[j])), slope)
        yield from self.output.deltas(z, slopes, delta)


@dataclass(frozen=True)
class CrossEntropyForm:
    """The cross-entropy of sigmoid outputs."""

    cost: CrossEntropy
    formula = "C[j] = -(y[j] ln a[j] + (1 - y[j]) ln(1 - a[j]))"

    @property
    def output(self) -> Form:
        """The sigmoid."""
        return form(Sigmoid(), ())

    def bp1(self, n: int) -> str:
        """The slope of the sigmoid cancels."""
        return over(n, "a[j] - y[j]")

    def values(self, z: np.ndarray, a: np.ndarray, y: np.ndarray) -> Iterator[tuple[str, Any]]:
        """`-(y*ln(a) + (1 - y)*ln(1 - a))`."""
        others = np.asarray(self.cost.output(jnp.asarray(-z)))  # 1 - a, without its rounding
        for j in range(len(y)):
            cost_of = partial(self.cost.value, jnp.asarray(z[None, j : j + 1]))
            one, own = jnp.ones((1, 1), z.dtype), jnp.asarray(y[None, j : j + 1])
            terms = logarithm(y[j], a[j], -cost_of(one)), logarithm(1 - y[j], others[j], -cost_of(0 * one))
            yield f"-({' + '.join(terms)})", cost_of(own)

    def deltas(self, z: np.ndarray, a: np.ndarray, y: np.ndarray, n: int, delta: np.ndarray) -> Iterator[str]:
        """`delta[j] = (a - y)/n = `."""
        for j, value in enumerate(delta):
            yield from lines(at("delta", [j]), over(n, difference(a[j], y[j])), value)


@dataclass(frozen=True)
class LogLikelihoodForm:
    """The log-likelihood of softmax outputs."""

    cost: LogLikelihood
    formula = "C[j] = -y[j] ln a[j]"

    @property
    def output(self) -> Form:
        """The softmax."""
        return form(Softmax(), ())

    def bp1(self, n: int) -> str:
        """The slope of the softmax cancels."""
        return over(n, "a[j] - y[j]")

    def values(self, z: np.ndarray, a: np.ndarray, y: np.ndarray) -> Iterator[tuple[str, Any]]:
        """`-(y*ln(a))`."""
        for j, one in enumerate(np.eye(len(y), dtype=z.dtype)):
            minus_log, own = (self.cost.value(jnp.asarray(z[None]), jnp.asarray(v[None])) for v in (one, y[j] * one))
            yield f"-({logarithm(y[j], a[j], -minus_log)})", own

    def deltas(self, z: np.ndarray, a: np.ndarray, y: np.ndarray, n: int, delta: np.ndarray) -> Iterator[str]:
        """`delta[j] = (a - y)/n = `; where y does not sum to 1, a is multiplied by the sum."""
        whole = y.sum()
        for j, value in enumerate(delta):
            weighted = six(a[j]) if six(whole) == "1" else product(a[j], whole)
            note = "" if six(whole) == "1" else f", the sum of y is {six(whole)}"
            yield from lines(at("delta", [j]), over(n, f"{weighted} - {bracketed(y[j])}"), value, note)


FORMS: Mapping[type, Callable[[Any], CostForm]] = MappingProxyType(
    {Quadratic: QuadraticForm, CrossEntropy: CrossEntropyForm, LogLikelihood: LogLikelihoodForm}
)


def over(n: int, worked: str) -> str:
    """`(worked)/n`; without the division for one row."""
    return worked if n == 1 else f"({worked})/{n}"


def logarithm(y: float, a: float, log: float | Array) -> str:
    """`y*ln(a)`; where `a` is rounded to 0, or nearly, it is written as e to the power of its logarithm."""
    return f"{six(y)}*ln({six(a) if a > SMALLEST else f'e^{six(log)}'})"
