"""How a layer is written on the blackboard: its formula, how each output comes about, and its part of the gradient.

A layer of `fnn` is worked out in full. Of a user's layer, and of a subclass, only the results are written, because it
may compute something else; of a user's `Elementwise` function also the numbers f(z) and f'(z). A form works on NumPy
arrays: one example for `worked` and `deltas`, the rows of a mini-batch for `nabla`. All is counted from 0: `W[2,3]` is
the weight of unit 2 for its input 3. The layers of images stand in `written_images`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np

from fnn.activation_functions import Elementwise, Identity, LeakyReLU, ReLU, Sigmoid, Softmax, Step, Tanh
from fnn.convolution import Conv, ConvPool, Flatten, MaxPool
from fnn.layers import Dense, DenseParams, Maxout, MaxoutParams
from fnn.lessons.equations import TIED, at, bracketed, difference, lines, product, products, six, summed, total
from fnn.lessons.written_images import ConvForm, ConvPoolForm, FlattenForm, MaxPoolForm
from fnn.types import Cost, Layer, Params

LARGEST_POWER = 50  # of e, in a softmax; a larger one is no number that one reads


class Form(Protocol):
    """What every form has."""

    @property
    def formula(self) -> str:
        """Of the outputs."""
        ...

    @property
    def equation(self) -> str:
        """The name of the equation by which delta goes to the layer before."""
        ...

    @property
    def passed(self) -> str:
        """What goes to the layer before, where `delta` is the derivative by the outputs."""
        ...

    def worked(self, a: np.ndarray, out: np.ndarray) -> Iterator[str]:
        """The lines of the outputs `out` of one example, whose input is `a`."""
        ...

    def nabla(self, nabla: Params, a: np.ndarray, delta: np.ndarray) -> Iterator[str]:
        """The lines of the derivatives by the parameters: sums over the rows of `a` and `delta`."""
        ...

    def deltas(self, a: np.ndarray, delta: np.ndarray, passed: np.ndarray) -> Iterator[str]:
        """The lines of what goes to the layer before, `passed`, for one example."""
        ...


def form(layer: Layer, params: Params) -> Form:
    """How a layer is written."""
    kind = type(layer)
    if isinstance(layer, Elementwise) and (kind.forward, kind.backward) == (Elementwise.forward, Elementwise.backward):
        return ElementwiseForm(layer, FUNCTIONS.get(kind, UNKNOWN))
    return FORMS.get(kind, AnyForm)(layer, params)


@dataclass(frozen=True)
class AnyForm:
    """A layer of which only the results are written."""

    layer: Layer | Cost
    params: Params
    formula: str = "a = forward(...)"
    equation, passed = "BP2", "what backward(...) returns"

    def worked(self, a: np.ndarray, out: np.ndarray) -> Iterator[str]:
        """`a[j] = `."""
        return results("a", out)

    def nabla(self, nabla: Params, a: np.ndarray, delta: np.ndarray) -> Iterator[str]:
        """`dC/dW[j,k] = `."""
        return (f"dC/d{name} = {six(value)}" for name, value in named_numbers(nabla))

    def deltas(self, a: np.ndarray, delta: np.ndarray, passed: np.ndarray) -> Iterator[str]:
        """`delta[k] = `."""
        return results("delta", passed)


class Words(NamedTuple):
    """An elementwise function in words."""

    name: str
    formula: str  # f(z)
    slope: str  # f'(z)
    worked_slope: Callable[[np.ndarray], str] = lambda a: ""  # f'(z) from the number a = f(z), where one can


UNKNOWN = Words("f", "", "")  # a function of the user's
FUNCTIONS: Mapping[type, Words] = MappingProxyType(
    {
        Sigmoid: Words(
            *("sigmoid", "1/(1 + e^-z)", "sigmoid(z) (1 - sigmoid(z))"),
            lambda a: f"{six(a)}*({difference(1, a)})",
        ),
        Tanh: Words("tanh", "(e^z - e^-z)/(e^z + e^-z)", "1 - tanh(z)^2", lambda a: f"1 - {bracketed(a)}^2"),
        ReLU: Words("relu", "z if z > 0, else 0", "1 if z > 0, else 0"),
        LeakyReLU: Words("leaky", "z if z > 0, else slope*z", "1 if z > 0, else slope"),
        Identity: Words("identity", "z", "1 everywhere"),
        Step: Words("step", "1 if z > 0, else 0", "0 everywhere"),
    }
)


@dataclass(frozen=True)
class ElementwiseForm:
    """An activation: a function of each number by itself, without parameters."""

    layer: Elementwise
    words: Words
    equation = "BP2's right factor"

    @property
    def formula(self) -> str:
        """`a = sigmoid(z) = 1/(1 + e^-z)`."""
        return f"a = {self.words.name}(z)" + self._written(" = ", self.words.formula)

    @property
    def passed(self) -> str:
        """With the formula of f'."""
        return "delta[k] f'(z[k])" + self._written(", ", f"f'(z) = {self.words.slope}".replace(" ", TIED))

    def _written(self, sign: str, formula: str) -> str:
        slope = bracketed(self.layer.slope) if isinstance(self.layer, LeakyReLU) else ""
        return f"{sign}{formula.replace('slope', slope)}" if self.words.formula else ""

    def worked(self, a: np.ndarray, out: np.ndarray) -> Iterator[str]:
        """`a[j] = sigmoid(z[j]) = `."""
        for j, value in np.ndenumerate(out):
            yield from lines(at("a", j), f"{self.words.name}({six(a[j])})", value)

    def nabla(self, nabla: Params, a: np.ndarray, delta: np.ndarray) -> Iterator[str]:
        """No lines."""
        return iter(())

    def deltas(self, a: np.ndarray, delta: np.ndarray, passed: np.ndarray) -> Iterator[str]:
        """`f'(z) = `, then `delta[k] = delta[k]*f'(z) = `."""
        out, slopes = (np.asarray(f(jnp.asarray(a))) for f in (self.layer.f, self.layer.df))
        for k, slope in np.ndenumerate(slopes):
            yield from lines(f"f'({six(a[k])})", self.words.worked_slope(out[k]), slope)
        for k, value in np.ndenumerate(passed):
            yield from lines(at("delta", k), product(delta[k], slopes[k]), value)


@dataclass(frozen=True)
class SoftmaxForm:
    """A `Softmax`: every output depends on every input."""

    layer: Softmax
    params: tuple[()]
    formula = "a[j] = e^z[j] / S, S = sum over k of e^z[k]"
    equation, passed = "BP2's right factor", "a[k] (delta[k] - m), m = sum over j of delta[j] a[j]"

    def worked(self, a: np.ndarray, out: np.ndarray) -> Iterator[str]:
        """S, and then `a[j] = e^z[j]/S = `; the largest z is subtracted first where the powers would be huge."""
        largest = a.max()
        if abs(a).max() > LARGEST_POWER:
            yield f"{six(largest)} is subtracted from every z first, which does not change the outputs"
            a = a - largest
        whole = np.exp(a.astype(float)).sum()
        yield from lines("S", total([f"e^{six(z)}" for z in a]), whole)
        for j, value in np.ndenumerate(out):
            yield from lines(at("a", j), f"e^{six(a[j])}/{six(whole)}", value)

    def nabla(self, nabla: Params, a: np.ndarray, delta: np.ndarray) -> Iterator[str]:
        """No lines."""
        return iter(())

    def deltas(self, a: np.ndarray, delta: np.ndarray, passed: np.ndarray) -> Iterator[str]:
        """m, and then `delta[k] = a[k]*(delta[k] - m) = `."""
        out = np.asarray(self.layer.forward((), jnp.asarray(a)))
        mean = (delta * out).sum()
        yield from lines("m", total(products(delta, out)), mean)
        for k, value in np.ndenumerate(passed):
            yield from lines(at("delta", k), f"{six(out[k])}*({difference(delta[k], mean)})", value)


@dataclass(frozen=True)
class DenseForm:
    """A `Dense`: every sum is written out."""

    layer: Dense
    params: DenseParams
    formula = "z = W a + b"
    equation, passed = "BP2's left factor", "sum over j of W[j,k] delta[j]"

    def worked(self, a: np.ndarray, out: np.ndarray) -> Iterator[str]:
        """`z[j] = W[j,0]*a[0] + ... + b[j] = `."""
        W, b = map(np.asarray, self.params)
        for j, value in enumerate(out):
            yield from lines(at("z", [j]), total(products(W[j], a), six(b[j])), value)

    def nabla(self, nabla: DenseParams, a: np.ndarray, delta: np.ndarray) -> Iterator[str]:
        """BP4 and BP3."""
        over = "sum over the rows of " if len(a) > 1 else ""
        yield f"BP4: dC/dW[j,k] = {over}delta[j] a[k]"
        for (j, k), value in np.ndenumerate(np.asarray(nabla.W)):
            yield from lines(f"  dC/dW[{j},{k}]", total(products(delta[:, j], a[:, k])), value)
        yield f"BP3: dC/db[j] = {over}delta[j]"
        for j, value in enumerate(np.asarray(nabla.b)):
            yield from lines(f"  dC/db[{j}]", summed(delta[:, j]), value)

    def deltas(self, a: np.ndarray, delta: np.ndarray, passed: np.ndarray) -> Iterator[str]:
        """`delta[k] = W[0,k]*delta[0] + ... = `."""
        for k, value in enumerate(passed):
            yield from lines(at("delta", [k]), total(products(np.asarray(self.params.W)[:, k], delta)), value)


@dataclass(frozen=True)
class MaxoutForm:
    """A `Maxout`: the sums of all pieces, and which piece won."""

    layer: Maxout
    params: MaxoutParams
    formula = "z[j] = the largest over p of u[p,j], u[p] = W[p] a + b[p]"
    equation, passed = "BP2's left factor", "sum over j of W[p,j,k] delta[j], p the piece of unit j that won"

    def worked(self, a: np.ndarray, out: np.ndarray) -> Iterator[str]:
        """`u[p,j] = ` for all pieces of a unit, and then `z[j] = max(...) = `."""
        W, b = map(np.asarray, self.params)
        u, winners = self._pieces(a[None])
        for j, value in enumerate(out):
            for p in range(len(W)):
                yield from lines(f"u[{p},{j}]", total(products(W[p, j], a), six(b[p, j])), u[0, p, j])
            largest = f"max({', '.join(map(six, u[0, :, j]))})"
            yield from lines(f"z[{j}]", largest, value, f", piece {winners[0, j]} wins")

    def nabla(self, nabla: MaxoutParams, a: np.ndarray, delta: np.ndarray) -> Iterator[str]:
        """BP4 and BP3 of the pieces that won; sums over the rows in which they did."""
        _, winners = self._pieces(a)
        over = "sum over the rows where piece p won of " if len(a) > 1 else ""
        yield f"BP4: dC/dW[p,j,k] = {over}delta[j] a[k]"
        yield f"BP3: dC/db[p,j] = {over}delta[j]"
        for (p, j), value in np.ndenumerate(np.asarray(nabla.b)):
            won = winners[:, j] == p
            if not (won.any() or value or np.asarray(nabla.W)[p, j].any()):
                yield f"  piece {p} of unit {j} did not win: its derivatives are 0"
                continue
            for k, slope in enumerate(np.asarray(nabla.W)[p, j]):
                yield from lines(f"  dC/dW[{p},{j},{k}]", total(products(delta[won, j], a[won, k])), slope)
            yield from lines(f"  dC/db[{p},{j}]", summed(delta[won, j]), value)

    def deltas(self, a: np.ndarray, delta: np.ndarray, passed: np.ndarray) -> Iterator[str]:
        """`delta[k] = W[p,0,k]*delta[0] + ... = `."""
        _, (winners,) = self._pieces(a[None])
        W = np.asarray(self.params.W)[winners, np.arange(len(winners))]
        for k, value in enumerate(passed):
            yield from lines(f"delta[{k}]", total(products(W[:, k], delta)), value)

    def _pieces(self, a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The pieces `(n, k, n_out)`, and which one won, `(n, n_out)`."""
        u = np.asarray(self.layer.affine(self.params, jnp.asarray(a)))
        return u, u.argmax(axis=1)


FORMS: Mapping[type, Callable[..., Form]] = MappingProxyType(
    {
        **{Dense: DenseForm, Maxout: MaxoutForm, Softmax: SoftmaxForm},
        **{Conv: ConvForm, MaxPool: MaxPoolForm, ConvPool: ConvPoolForm, Flatten: FlattenForm},
    }
)


def results(name: str, numbers: np.ndarray) -> Iterator[str]:
    """`name[j] = ` for every number."""
    return (f"{at(name, index)} = {six(value)}" for index, value in np.ndenumerate(numbers))


def named_numbers(params: Params) -> Iterator[tuple[str, float]]:
    """Every number of a layer's params with its name, `W[2,3]`; `p[3]` where the leaf has no name of its own."""
    for path, leaf in jax.tree.leaves_with_path(params):
        name = jax.tree_util.keystr(path, simple=True, separator=".") or "p"
        for index, value in np.ndenumerate(np.asarray(leaf)):
            yield at(name, index), float(value)
