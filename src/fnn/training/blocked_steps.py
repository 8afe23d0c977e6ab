"""Blocked steps: several mini-batches for one reading of the first layer's weights.

Each step of SGD scales the first W and adds multiples of the mini-batch's inputs. So after some mini-batches it is
`W = c W₀ + A X`. W₀ is the W at the start of the block, the rows of X are the inputs since then, and c and A are small
arrays. The next mini-batch x needs W only in the product `x Wᵀ = c (x W₀ᵀ) + (x Xᵀ) Aᵀ`. The product `x W₀ᵀ` is
computed once for all mini-batches of the block, and `x Xᵀ` is small. So each mini-batch updates c and A, and W itself
is computed once, at the end. Two large products replace many small ones. `docs/blocked_steps.md` has the derivation
and the measurements.

The steps are those of `Rule.step`, rounded in another order. They use the delta rule. Training by `autodiff` never uses
blocks, because it would then not differentiate by the first W. Shape letters: `rows` of all mini-batches, `B` rows of
one, `n_in` and `n_out` of the first layer.
"""

from __future__ import annotations

import math

import jax.numpy as jnp

from fnn.layers import DenseParams
from fnn.network import backprop, deltas
from fnn.training.mini_batches import Rule, flattened
from fnn.types import Array, Key, Params, Shape, static


@static
class Offset:
    """What is left of a `Dense` when the product with W is known: `z = a + b`."""

    def init(self, key: Key, shape: Shape) -> tuple[Array, Shape]:
        """`b` of zeros, `(n_out,)`."""
        return jnp.zeros(shape), shape

    def forward(self, params: Array, a: Array) -> Array:
        """`z = a + b`."""
        return a + params[None, :]

    def backward(self, params: Array, a: Array, delta: Array) -> tuple[Array, Array]:
        """BP3 `Σδ`, and `δ` itself."""
        return delta.sum(axis=0), delta


def block(rule: Rule, state: tuple[Params, Params], x: Array, y: Array) -> tuple[Params, Params]:
    """The params and the optimiser's state after a step on each mini-batch of `x`, `y`, in order.

    Args:
        rule: As `mini_batches.block_size` allows it: the net begins with a `Dense`, perhaps after a `Flatten`, the
            optimiser is `SGD` without a velocity, and the gradient is `backprop`.
        state: The params and the state `()`.
        x: Inputs `(rows, *shape)`.
        y: Desired outputs, a row for each input. The last mini-batch has the rows that are left.
    """
    (params, v), first = state, flattened(rule.net)
    rows = x.reshape(len(x), math.prod(x.shape[1:]))
    return (*params[:first], *_block(rule, rule.net[first:], params[first:], rows, y)), v


def _block(rule: Rule, net: tuple, params: Params, x: Array, y: Array) -> Params:
    """The params of `net`, which begins with the `Dense`, for inputs `x` `(rows, n_in)`."""
    (W, b), *others = params
    start = W @ x.T  # (n_out, rows)
    factors = jnp.ones((len(W), 1), W.dtype)  # c, one number per unit, and beside it A: (n_out, 1 + rows so far)
    rest = Offset(), *net[1:]
    for first in range(0, len(x), rule.batch_size):
        here = slice(first, first + rule.batch_size)
        product = (factors[:, :1] * start[:, here] + factors[:, 1:] @ (x[:first] @ x[here].T)).T
        known = b, *others
        delta = deltas(rest, rule.cost, known, product, y[here])[0]
        _, (nabla_b, *nablas) = backprop(rest, rule.cost, known, product, y[here])
        before = DenseParams(jnp.pad(factors, ((0, 0), (0, len(delta)))), b), *others
        nabla = DenseParams(jnp.pad(delta.T, ((0, 0), (factors.shape[1], 0))), nabla_b), *nablas
        ((factors, b), *others), _ = rule.optimizer.update(before, (), nabla)
    return DenseParams(factors[:, :1] * W + factors[:, 1:] @ x, b), *others
