"""Several mini-batches for one reading of the first layer's weights.

SGD moves the first W along the inputs it was shown. After some mini-batches it is `W = c W₀ + A X`, where W₀ is where
they began and X are their inputs, a row each: c and A, few numbers, say where W is. The next mini-batch x needs W only
in `x Wᵀ = c (x W₀ᵀ) + (x Xᵀ) Aᵀ`, and `x W₀ᵀ` can be had for all mini-batches at once, while `x Xᵀ` is small, and the
same for all networks on one order. So c and A are moved, as SGD would move W, and W itself once, at the end: two large
products, which a processor does at its best, for many small ones. The steps are those of `training.step`, rounded in
another order. Mini-batches of 10: 32 networks [784, 30, 10] take 0.75 of the time, one [784, 100, 10] 0.8 to 0.9;
online 0.6 and 0.8. Products of reflections are put together alike (the WY form: Bischof and Van Loan, 1987).

Shape letters: `rows` of all the mini-batches, `B` of one, `n_in` and `n_out` of the first layer.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from fnn.convolution import Flatten
from fnn.layers import Dense, DenseParams
from fnn.network import autodiff, backprop
from fnn.optimizers import SGD
from fnn.types import Array, Cost, Gradient, Key, Net, Optimizer, Params, Shape, static

ROWS = 40  # taken together at most: 20 and 80 gain less
MOST = 8  # mini-batches taken together at most: each is compiled
INPUTS, UNITS = 500, 60  # of the first layer, units of all networks on one order; fewer are too little of the work
CROWD = 5000  # the units on a GPU: before W is too large for its caches, a step takes as long as its launches


def together(
    net: Net, optimizer: Optimizer, params: Params, v: Params, n: int, gradient: Gradient, batch_size: int
) -> int:
    """How many mini-batches to give to `steps` at once; 1 where that would be wrong, or is not known to be faster.

    The first layer, perhaps after a `Flatten`, has to be affine, and `SGD` is what moves it along its inputs; with a
    velocity, which moves too, it takes longer. A gradient of the user's own may look at all of it, its norm say: it is
    computed as always.

    Args:
        net: Like the optimiser and the gradient, of any kind.
        optimizer: Moves the params.
        params: Of `net`; for several networks on one order, leaves `(m, ...)`.
        v: The optimiser's state.
        n: The number of examples.
        gradient: What the optimiser is given.
        batch_size: B.
    """
    if not net or len(net) != len(params) or batch_size < 1:
        return 1  # and `training` says what is wrong
    if type(net[0]) is Flatten and len(net) > 1:
        return together(net[1:], optimizer, params[1:], v, n, gradient, batch_size)
    if not (type(net[0]) is Dense and type(optimizer) is SGD and v == () and gradient in (backprop, autodiff)):
        return 1
    W, several = params[0].W, min(ROWS, n) // batch_size
    units, n_in = W.size // W.shape[-1], W.shape[-1]
    pays = several > 2 and n_in >= INPUTS and units >= (UNITS if jax.default_backend() == "cpu" else CROWD)
    return min(MOST, several) if pays else 1


class KnownParams(NamedTuple):
    """Parameters of `Known`."""

    product: Array  # (B, n_out)
    b: Array  # (n_out,)


@static
class Known:
    """`Dense` for one mini-batch `a` whose product with W is known, and is its parameter: `z = product + b`."""

    def init(self, key: Key, shape: Shape) -> tuple[KnownParams, Shape]:
        """None: its parameters are made from those of a `Dense`."""
        raise NotImplementedError("Known has no parameters of its own; start from those of a Dense.")

    def forward(self, params: KnownParams, a: Array) -> Array:
        """`z = product + b`."""
        return params.product + params.b[None, :]

    def backward(self, params: KnownParams, a: Array, delta: Array) -> tuple[KnownParams, Array]:
        """`δ` itself and BP3 `Σδ`; the first layer passes nothing on."""
        return KnownParams(product=delta, b=delta.sum(axis=0)), jnp.zeros_like(a)


def steps(
    net: Net, cost: Cost, optimizer: Optimizer, params: Params, x: Array, y: Array, gradient: Gradient, batch_size: int
) -> Params:
    """The parameters after one update on each mini-batch of `x`, `y`, in order, where `together` allows it.

    Args:
        net: Begins with a `Dense`, or with a `Flatten` before it.
        cost: The cost.
        optimizer: `SGD` without a velocity.
        params: Of `net`.
        x: Inputs `(rows, n_in)`, or `(rows, *shape)` to flatten.
        y: Desired outputs, a row for each.
        gradient: `backprop` or `autodiff`.
        batch_size: B; the last mini-batch has the rows that are left.
    """
    if type(net[0]) is Flatten:
        rows = net[0].forward((), x)
        return (), *steps(net[1:], cost, optimizer, params[1:], rows, y, gradient, batch_size)
    (W, b), *others = params
    start, place = W @ x.T, jnp.ones((len(W), 1), W.dtype)  # place: c, the same for each unit, and beside it A
    for first in range(0, len(x), batch_size):
        here = slice(first, first + batch_size)
        product = place[:, :1] * start[:, here] + place[:, 1:] @ (x[:first] @ x[here].T)
        known = KnownParams(product.T, b), *others
        _, (nabla, *nablas) = gradient((Known(), *net[1:]), cost, known, x[here], y[here])
        further = DenseParams(jnp.pad(place, ((0, 0), (0, len(nabla.product)))), b), *others
        along = jnp.pad(nabla.product.T, ((0, 0), (place.shape[1], 0)))
        ((place, b), *others), _ = optimizer.update(further, (), (DenseParams(along, nabla.b), *nablas))
    return DenseParams(place[:, :1] * W + place[:, 1:] @ x, b), *others
