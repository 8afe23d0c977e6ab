"""Where a training diverged: the step, the layer, and what may help."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from fnn.errors import DivergedError
from fnn.network import activations, deltas
from fnn.training.mini_batches import Rule
from fnn.types import Array, Net, Params

REMEDY = "a smaller eta is the usual remedy, say a tenth; then a smaller mu, lmbda or initial W"


def in_step(culprit: tuple[int, str], epoch: int, step: int, steps: int) -> DivergedError:
    """The error for a step of an epoch, both from 1, and its `culprit`."""
    layer, what = culprit
    remedy = REMEDY if layer >= 0 else "remove or replace such examples"
    return DivergedError(f"epoch {epoch}, step {step:,} of {steps:,}: {what}; {remedy}.", epoch, step, layer)


def after_epoch(net: Net, epoch: int, value: float) -> DivergedError:
    """The error for a training cost that is not finite although every step was."""
    last = len(net) - 1
    what = f"every step was finite, but now the training cost is {value}, from the outputs of {_named(net, last)}"
    return DivergedError(f"epoch {epoch}: {what}; {REMEDY}.", epoch, 0, last)


def culprit(rule: Rule, params: Params, v: Params, x: Array, y: Array) -> tuple[int, str]:
    """The layer in which the first number that is not finite appears in a step, and that number in words.

    Args:
        rule: How the step changes the params.
        params: Before the step.
        v: Before the step.
        x: The mini-batch's inputs.
        y: Its desired outputs.

    Returns:
        The layer's number, from 0, and what is wrong in it; -1 when it is in the data. The search goes through
        the activations from the first layer to the last, then the cost, then deltas and gradients from the last layer
        to the first, then the new params.
    """
    net, cost = rule.net, rule.cost
    for name, data in (("inputs", x), ("desired outputs", y)):
        if wrong := _wrong(data):
            return -1, f"the {name} of the mini-batch hold {wrong}"
    for layer, a in enumerate(activations(net, params, x)[1:]):
        if wrong := _wrong(a):
            return layer, f"{_named(net, layer)} gives {wrong}"
    last = len(net) - 1
    value, nabla = jax.jit(rule.gradient, static_argnums=(0, 1))(net, cost, params, x, y)
    if wrong := _wrong(value):
        return last, f"the cost of the mini-batch is {wrong}, from the outputs of {_named(net, last)}"
    entering = deltas(net, cost, params, x, y)
    for layer in reversed(range(len(net))):
        if wrong := _wrong(entering[layer]):
            return layer, f"the delta entering {_named(net, layer)} holds {wrong}"
        if wrong := _wrong(nabla[layer]):
            return layer, f"the gradient of {_named(net, layer)} holds {wrong}"
    after, _ = rule.optimizer.update(params, v, nabla)
    for layer, p in enumerate(after):
        if wrong := _wrong(p):
            return layer, f"the new params of {_named(net, layer)} hold {wrong}"
    return last, "the optimiser's state is not finite"


def _named(net: Net, layer: int) -> str:
    return f"layer {layer} ({type(net[layer]).__name__})"


def _wrong(tree: Any) -> str:
    """The first number of a tree that is not finite, in words; "" if all are."""
    for leaf in jax.tree.leaves(tree):
        numbers = np.asarray(leaf, np.float64)
        if not np.isfinite(numbers).all():
            return str(numbers[~np.isfinite(numbers)][0])
    return ""
