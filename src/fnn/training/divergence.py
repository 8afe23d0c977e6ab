"""Where a training diverged: the step, the layer, and what may help."""

from __future__ import annotations

import jax

from fnn.errors import DivergedError
from fnn.network import activations
from fnn.training.infinite_derivatives import REMEDY, Batch, Culprit, in_gradient, named, wrong_number
from fnn.training.mini_batches import Rule
from fnn.types import Array, Cost, Net, Params


def in_step(culprit: Culprit, epoch: int, step: int, steps: int) -> DivergedError:
    """The error for a step of an epoch, both from 1, and its `culprit`."""
    layer, what, remedy = culprit
    return DivergedError(f"epoch {epoch}, step {step:,} of {steps:,}: {what}; {remedy}.", epoch, step, layer)


def after_epoch(net: Net, epoch: int, value: float) -> DivergedError:
    """The error for a training cost that is not finite although every step was."""
    last = len(net) - 1
    what = f"every step was finite, but now the training cost is {value}, from the outputs of {named(net, last)}"
    return DivergedError(f"epoch {epoch}: {what}; {REMEDY}.", epoch, 0, last)


def culprit(rule: Rule, params: Params, v: Params, x: Array, y: Array) -> Culprit:
    """The layer in which the first number that is not finite appears in a step, and that number in words.

    The search goes through the activations from the first layer to the last, then the cost, then deltas and gradients
    from the last layer to the first, then the new params.

    Args:
        rule: How the step changes the params.
        params: Before the step.
        v: Before the step.
        x: The mini-batch's inputs.
        y: Its desired outputs.
    """
    net, cost = rule.net, rule.cost
    for name, data in (("inputs", x), ("desired outputs", y)):
        if wrong := wrong_number(data):
            return Culprit(-1, f"the {name} of the mini-batch hold {wrong}", "remove or replace such examples")
    for layer, a in enumerate(activations(net, params, x)[1:]):
        if wrong := wrong_number(a):
            return Culprit(layer, f"{named(net, layer)} gives {wrong}")
    value, nabla = jax.jit(rule.gradient, static_argnums=(0, 1))(net, cost, params, x, y)
    if wrong := wrong_number(value):
        return _in_value(net, cost, wrong)
    if found := in_gradient(rule.gradient, Batch(net, cost, params, x, y), nabla):
        return found
    after, _ = rule.optimizer.update(params, v, nabla)
    for layer, p in enumerate(after):
        if wrong := wrong_number(p):
            return Culprit(layer, f"the new params of {named(net, layer)} hold {wrong}")
    return Culprit(len(net) - 1, "the optimiser's state is not finite")


def _in_value(net: Net, cost: Cost, wrong: str) -> Culprit:
    """The culprit of a cost that is not finite although the outputs are."""
    what = f"the cost of the mini-batch is {wrong}, from the outputs of {named(net, len(net) - 1)}"
    if wrong != "nan":
        return Culprit(len(net) - 1, what)
    remedy = f"write {type(cost).__name__}.value without 0 * log(0) or inf - inf; where outputs are large, {REMEDY}"
    return Culprit(len(net) - 1, f"{what}, which are finite", remedy)
