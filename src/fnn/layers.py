"""Layers: each one a function and, under it, its derivative by hand.

Shape letters: `n` examples in a batch, `n_in` and `n_out` widths, `k` pieces of a maxout unit. The
output of an affine layer is called `z`, that of a nonlinearity `a`; `delta` is ∂C/∂(output).

To add a layer, write a class like these: `init`, `forward` and, under it, `backward`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import NamedTuple

import jax
import jax.numpy as jnp

from fnn.initializers import Normal, ScaledNormal
from fnn.types import Array, Initializer, Key, Params, Shape, static

FEW = 64  # rows of a batch for which `affine` takes W first, and units that are `written_down`
TILE = 8  # rows that a CPU multiplies at once
CUT = range(5_000, 50_001)  # weights of a product that is `cut`; with fewer or more nothing is gained


def fan_in(layer: object, shape: Shape) -> int:
    """The width of a row of `shape`, which must have one axis.

    Raises:
        ValueError: rows with no axis, several, or an empty one.
    """
    if len(shape) != 1:
        raise ValueError(f"{layer} got rows of shape {shape}; it needs one axis, (n_in,). Put Flatten() before it.")
    if shape[0] < 1:
        raise ValueError(f"{layer} got rows of shape {shape}; it needs at least one input.")
    return shape[0]


def positive(owner: str, name: str, value: object) -> None:
    """Refuse anything but a whole number of at least 1.

    Raises:
        TypeError: not an integer.
        ValueError: below 1.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{owner}({name}={value!r}): expected a whole number, got a {type(value).__name__}.")
    if value < 1:
        raise ValueError(f"{owner}({name}={value}): expected at least 1.")


def affine(W: Array, b: Array, a: Array) -> Array:
    """`a Wᵀ + b` for every row of `a`, with W `(n_out, n_in)` and b `(n_out,)`."""
    if len(a) <= FEW:  # XLA copies the second factor of a product, so let it be the small one
        pays = len(a) in (TILE + 1, TILE + 2) and W.size in CUT and jax.default_backend() == "cpu"
        # a program of its own, or its rules would be traced at every call outside of one; they cannot take bytes
        z = jax.jit(cut)(W, a.astype(jnp.result_type(W, a))) if pays else W @ a.T
        return written_down(z + b[:, None]).T
    return a @ W.T + b[None, :]


@jax.custom_jvp
def cut(W: Array, a: Array) -> Array:
    """`W aᵀ`, `(n_out, n)`, as a product of the first `TILE` rows and one of each that is left.

    W is `(n_out, n_in)`, a `(n, n_in)`, both of floating point. Only its roundings differ from those of `W aᵀ`.
    XLA takes nine columns of a product as slowly as sixteen, and one alone in an eighth of the time of eight. So a step
    of [784, 30, 10] at mini-batch 10 takes 0.92 of the time, and at 9 0.87.
    """
    return pieces(W, a)


@cut.defjvp
def _cut_jvp(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    """The product rule, uncut: in pieces autodiff would add up an outer product for each row that is left."""
    (W, a), (dW, da) = primals, tangents
    return cut(W, a), dW @ a.T + W @ da.T


@jax.custom_batching.custom_vmap
def pieces(W: Array, a: Array) -> Array:
    """`cut` of one network; several at once, by `vmap`, are `_uncut`."""
    return jnp.concatenate([W @ rows.T for rows in jnp.split(a, [*range(TILE, len(a))])], axis=1)


@pieces.def_vmap
def _uncut(_: int, batched: list[bool], W: Array, a: Array) -> tuple[Array, bool]:
    """Of several networks, uncut: with an order each JAX 0.12 takes 1.4 of the time in pieces."""
    return jax.vmap(lambda W, a: W @ a.T, [0 if axis else None for axis in batched])(W, a), True


def written_down(rows: Array) -> Array:
    """`rows` `(n_out, n)` itself, in memory before anything else is done with it, if there are few units.

    XLA takes a factor that is turned as it lies, and a product that has to read one across is slow where it is small:
    so a step of [784, 30, 10] takes 0.9 of the time, and 0.7 with 64 rows. The derivative of this is this again.
    """
    return jax.lax.optimization_barrier(rows) if len(rows) <= FEW else rows


class DenseParams(NamedTuple):
    """Parameters of `Dense`."""

    W: Array  # (n_out, n_in)
    b: Array  # (n_out,)


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
        n_in, n_out = fan_in(self, shape), self.units
        k_W, k_b = jax.random.split(key)
        W = self.initializer.draw(k_W, (n_out, n_in), n_in, n_out)
        return DenseParams(W, self.bias_initializer.draw(k_b, (n_out,), n_in, n_out)), (n_out,)

    def forward(self, params: DenseParams, a: Array) -> Array:
        """`z = a Wᵀ + b`."""
        return affine(params.W, params.b, a)

    def backward(self, params: DenseParams, a: Array, delta: Array) -> tuple[DenseParams, Array]:
        """BP4 `δᵀa` and BP3 `Σδ` for the parameters, `δW`, the left factor of BP2, for the input."""
        return DenseParams(W=written_down(delta.T) @ a, b=delta.sum(axis=0)), delta @ params.W


class MaxoutParams(NamedTuple):
    """Parameters of `Maxout`: `k` affine maps side by side."""

    W: Array  # (k, n_out, n_in)
    b: Array  # (k, n_out)


@static
class Maxout:
    """The largest of `pieces` affine maps per unit: `z_i = max_p (a W[p]ᵀ + b[p])_i` (Goodfellow et al. 2013).

    ReLU is the case of two pieces with one of them 0. It never saturates, and the winning piece
    always passes its gradient on. Ties: the first winner takes the whole derivative.

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
        n_in, k, n_out = fan_in(self, shape), self.pieces, self.units
        k_W, k_b = jax.random.split(key)
        W = self.initializer.draw(k_W, (k, n_out, n_in), n_in, n_out)
        return MaxoutParams(W, self.bias_initializer.draw(k_b, (k, n_out), n_in, n_out)), (n_out,)

    def affine(self, params: MaxoutParams, a: Array) -> Array:
        """The pieces before the maximum, `(n, k, n_out)`."""
        k, n_out, n_in = params.W.shape
        return affine(params.W.reshape(k * n_out, n_in), params.b.reshape(k * n_out), a).reshape(-1, k, n_out)

    def forward(self, params: MaxoutParams, a: Array) -> Array:
        """`max` over the pieces, as the first of the largest."""
        z = self.affine(params, a)
        return jnp.take_along_axis(z, z.argmax(axis=1, keepdims=True), axis=1)[:, 0]

    def backward(self, params: MaxoutParams, a: Array, delta: Array) -> tuple[MaxoutParams, Array]:
        """`delta` goes to the winning piece alone, then as in `Dense`."""
        k, n_out, n_in = params.W.shape
        winner = self.affine(params, a).argmax(axis=1)
        wins = winner[:, None, :] == jnp.arange(k)[None, :, None]
        routed = jnp.where(wins, delta[:, None, :], 0)  # (n, k, n_out)
        flat = routed.reshape(-1, k * n_out)
        nabla = MaxoutParams(W=(written_down(flat.T) @ a).reshape(params.W.shape), b=routed.sum(axis=0))
        return nabla, flat @ params.W.reshape(k * n_out, n_in)


class Elementwise(ABC):
    """A nonlinearity applied to every entry: a subclass is the formula `f` and its derivative `df`."""

    @abstractmethod
    def f(self, z: Array) -> Array:
        """The activation, entry by entry."""

    @abstractmethod
    def df(self, z: Array) -> Array:
        """The derivative f′, entry by entry; at a kink the side that the class documents."""

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
    """`z` where `z > 0`, else 0; the derivative at the kink `z = 0` is 0."""

    def f(self, z: Array) -> Array:
        """`max(z, 0)`."""
        return jnp.where(z > 0, z, 0)  # not jnp.maximum: its gradient at a tie is 1/2

    def df(self, z: Array) -> Array:
        """1 where `z > 0`, else 0."""
        # told by the output, which is positive there too: it is at hand, while z would be computed again
        return jnp.where(self.f(z) > 0, jnp.ones_like(z), 0)


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
        """1 or `slope`, by the same `z > 0` as `f`."""
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
    """The perceptron: 1 where `z > 0`, strictly, so a tie gives 0; the derivative is 0 everywhere.

    Rosenblatt's unit with bias = −threshold (Nielsen, ch. 1). No gradient passes it, at the jump
    included: such nets are set by hand, not trained.
    """

    def f(self, z: Array) -> Array:
        """1 or 0."""
        return jnp.where(z > 0, jnp.ones_like(z), 0)

    def df(self, z: Array) -> Array:
        """`0`."""
        return jnp.zeros_like(z)


@static
class Softmax:
    """`aᵢ = e^{zᵢ} / Σⱼ e^{zⱼ}` over the last axis of every row: positive, summing to 1, unchanged by z + c."""

    def init(self, key: Key, shape: Shape) -> tuple[tuple[()], Shape]:
        """No parameters, the same shape.

        Raises:
            ValueError: `shape` has not one axis.
        """
        fan_in(self, shape)
        return (), shape

    def forward(self, params: Params, a: Array) -> Array:
        """`softmax(a)`; the largest entry is subtracted first, so nothing overflows."""
        return jax.nn.softmax(a, axis=-1)

    def backward(self, params: Params, a: Array, delta: Array) -> tuple[tuple[()], Array]:
        """`s ⊙ (δ − Σⱼ δⱼ sⱼ)`: the whole Jacobian `diag(s) − s sᵀ`, applied without forming it."""
        s = jax.nn.softmax(a, axis=-1)
        return (), s * (delta - (delta * s).sum(axis=-1, keepdims=True))
