"""How layers and numbers are written on the blackboard.

A `Dense` and an activation are worked out in full. Of any other layer only the results are written. Units and inputs
are counted from 1: `W[2,3]` is the weight of unit 2 for its input 3. Numbers have six digits.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from fnn.activation_functions import Elementwise
from fnn.layers import Dense, DenseParams
from fnn.types import Array, Layer, Params

TERMS = 4  # a sum of more terms is cut short


class AnyForm:
    """A layer of which only the results are written.

    The other two forms have the same names. A text that ends in " = " stands before its value.
    """

    output, formula = "a", "a = forward(...)"
    passed = "goes on to the layer before"

    def worked(self, a: np.ndarray, j: int) -> str:
        """How output `j` comes from the input `a`."""
        return ""

    def nabla(self, nabla: Params, a: np.ndarray, delta: np.ndarray) -> Iterator[str]:
        """The lines of the derivatives by the parameters."""
        yield from (f"    dC/d{name} = {six(value)}" for name, value in named_numbers(nabla))

    def deltas(self, a: np.ndarray, delta: np.ndarray) -> list[str]:
        """How each number that goes on to the layer before comes from `delta`."""
        return [""] * a.size


@dataclass(frozen=True)
class ElementwiseForm:
    """An activation: a function of each number by itself, without parameters."""

    layer: Elementwise
    output, formula = "a", "a = f(z)"
    passed = "BP2, its right factor: delta f'(z) goes on to the layer before"

    def worked(self, a: np.ndarray, j: int) -> str:
        """`f(z) = `."""
        return f"f({six(a.flat[j])}) = "

    def nabla(self, nabla: Params, a: np.ndarray, delta: np.ndarray) -> Iterator[str]:
        """No lines."""
        return iter(())

    def deltas(self, a: np.ndarray, delta: np.ndarray) -> list[str]:
        """`delta*f'(z) = `."""
        slopes = np.asarray(self.layer.df(jnp.asarray(a)))
        return [f"{product(d, slope)} = " for d, slope in zip(delta.flat, slopes.flat, strict=True)]


@dataclass(frozen=True)
class DenseForm:
    """A `Dense`: every sum is written out."""

    params: DenseParams
    output, formula = "z", "z = W a + b"
    passed = "BP2, its left factor: delta_k = sum_j W[j,k] delta_j goes on to the layer before"

    def worked(self, a: np.ndarray, j: int) -> str:
        """`W[j,1]*a1 + … + b[j] = `."""
        return f"{_sum(np.asarray(self.params.W)[j], a, float(self.params.b[j]))} = "

    def nabla(self, nabla: DenseParams, a: np.ndarray, delta: np.ndarray) -> Iterator[str]:
        """BP4 and BP3."""
        yield "    BP4: dC/dW[j,k] = delta_j a_k"
        for (j, k), value in np.ndenumerate(np.asarray(nabla.W)):
            yield f"      dC/dW[{j + 1},{k + 1}] = {product(delta[j], a[k])} = {six(value)}"
        yield f"    BP3: dC/db = delta = {vector(nabla.b[None])}"

    def deltas(self, a: np.ndarray, delta: np.ndarray) -> list[str]:
        """`W[1,k]*delta1 + … = `."""
        return [f"{_sum(column, delta)} = " for column in np.asarray(self.params.W).T]


def form(layer: Layer, params: Params) -> DenseForm | ElementwiseForm | AnyForm:
    """How a layer is written. A subclass of `Dense` may compute something else: of it only the results are written."""
    if type(layer) is Dense:
        return DenseForm(params)
    return ElementwiseForm(layer) if isinstance(layer, Elementwise) else AnyForm()


def named_numbers(params: Params) -> Iterator[tuple[str, float]]:
    """Every number of a layer's params with its name, `W[2,3]`; `p[3]` where the leaf has no name of its own."""
    for path, leaf in jax.tree.leaves_with_path(params):
        name = getattr(path[-1], "name", "p") if path else "p"
        for index, value in np.ndenumerate(np.asarray(leaf)):
            yield f"{name}[{','.join(str(k + 1) for k in index)}]", float(value)


def _sum(w: np.ndarray, a: np.ndarray, b: float | None = None) -> str:
    """`w1*a1 + w2*a2 + b`; of a long sum only the first terms."""
    shown = len(w) if len(w) <= TERMS else TERMS - 2
    terms = [product(u, v) for u, v in zip(w[:shown], a[:shown], strict=True)]
    terms += [f"... ({len(w)} terms)"] if shown < len(w) else []
    return " + ".join([*terms, *([] if b is None else [six(b)])]).replace("+ -", "- ")


def product(u: float, v: float) -> str:
    """`u*v`."""
    return f"{six(u)}*{bracketed(v)}"


def bracketed(v: float) -> str:
    """A number, in brackets if it is negative."""
    return f"({six(v)})" if v < 0 else six(v)


def vector(rows: Array) -> str:
    """All numbers of the first row, `(1, 0.5)`."""
    return f"({', '.join(six(v) for v in np.asarray(rows)[0].flat)})"


def six(v: float | Array | np.ndarray) -> str:
    """A number in six digits."""
    return f"{float(v):.6g}"
