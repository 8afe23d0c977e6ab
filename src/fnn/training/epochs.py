"""Training: a step on a mini-batch, and an epoch as one compiled scan over all mini-batches.

Shape letters: `n` examples in a set, `B` the mini-batch size, `n_out` outputs.
"""

from __future__ import annotations

from functools import partial

import jax

from fnn.examples import Examples
from fnn.network import backprop
from fnn.training import blocked_steps
from fnn.training.arguments import check_optimizer
from fnn.training.augmentation import Shifted
from fnn.training.mini_batches import Body, Rule, block_size, scanned, whole
from fnn.training.order import permutation
from fnn.training.spreading import Spread, number_of_devices
from fnn.training.streaming import Source
from fnn.types import Array, Cost, Gradient, Key, Net, Optimizer, Params


def step(
    net: Net, cost: Cost, optimizer: Optimizer, params: Params, v: Params, x: Array, y: Array, gradient: Gradient
) -> tuple[Params, Params]:
    """The parameters and the optimiser's state after one update on one mini-batch.

    Args:
        net: The layers.
        cost: The cost.
        optimizer: What moves the params along the gradient.
        params: Of `net`.
        v: The optimiser's state, `optimizer.init(params)` at the start.
        x: Inputs `(n, *shape)`; the gradient is the mean over these n rows.
        y: Desired outputs `(n, n_out)`.
        gradient: `backprop`, `autodiff`, or any function with their contract.

    Raises:
        TypeError: `optimizer` is none, such as an object of optax.
        ValueError: `net` and `params` differ in length, or `y` does not fit the output.
    """
    check_optimizer(optimizer)
    return Rule(net, cost, optimizer, gradient, x.shape[0]).step((params, v), x, y)


@partial(jax.jit, static_argnames=("batch_size", "gradient"))
def epoch(
    net: Net,
    cost: Cost,
    optimizer: Optimizer,
    params: Params,
    v: Params,
    examples: Examples | Shifted | Spread,
    key: Key,
    *,
    batch_size: int,
    gradient: Gradient = backprop,
) -> tuple[Params, Params]:
    """The parameters and the optimiser's state after one pass over all examples in a random order.

    Every example is used exactly once. When `batch_size` does not divide `n`, the remaining `n mod B` examples make
    a last, shorter mini-batch, whose gradient is the mean over its own rows (as in Nielsen's programs). So an epoch
    has `ceil(n/B)` updates. With `backprop`, several mini-batches of some wide nets share one reading of the first W:
    the steps are the same, rounded in another order (`training.blocked_steps`).

    Args:
        net: The layers.
        cost: The cost.
        optimizer: Its numbers are traced: a new value does not recompile.
        params: Of `net`.
        v: The optimiser's state, `optimizer.init(params)` at the start.
        examples: `x` `(n, *shape)`, `y` `(n, n_out)`, `scale`, in memory, as they are, `Shifted` or `spread`; `fit`
            also takes examples in a file.
        key: Of this epoch; the order of the examples is `training.order.permutation(key, n)`.
        batch_size: B in 1 … n: 1 is online learning, n batch gradient descent.
        gradient: `backprop`, `autodiff`, or any function with their contract.

    Raises:
        TypeError: B is no whole number, or `x` or `y` no array.
        ValueError: B is not in 1 … n, `net` and `params` differ in length, `x` and `y` have different numbers of rows,
            or `y` does not fit the output.
    """
    B, order = whole("epoch", "batch_size", batch_size), permutation(key, examples.n)
    rule = Rule(net, cost, optimizer, gradient, B)
    return scanned(examples, order, B, body(rule, params, v, examples, len(order)), (params, v))


def body(rule: Rule, params: Params, v: Params, examples: Source, n: int) -> Body:
    """What a loop over the mini-batches of `n` examples does to `(params, v)`: a step on each, or blocks of steps.

    Several devices take single steps: a block multiplies all its rows with one another, which are on all devices.
    """
    block = block_size(rule, params, v, n) if number_of_devices(examples) == 1 else 1
    return Body(rule.step, partial(blocked_steps.block, rule), block)
