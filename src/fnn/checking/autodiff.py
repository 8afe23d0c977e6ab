"""The automatic gradient, and how exactly two right ways to it can be expected to agree.

Two programs for one formula differ by the rounding of their intermediate results. What that does to each
coordinate is found by sending errors of random sign, as large as what is rounded, down the derivative.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking.finite_differences import Point, is_W, objective
from fnn.network import activations, forward
from fnn.types import Array, Cost, Net, Params

ROUNDS = 4  # draws of the signs


class Automatic(NamedTuple):
    """What automatic differentiation says."""

    value: Array  # (), the cost without the penalty
    penalised: Array  # (), with it
    gradient: Params  # of the cost plus the penalty
    rounded: Params  # what is rounded on the way to each coordinate: times EPS, the error to expect


def automatic(point: Point) -> Automatic:
    """The gradient of the objective by `jax.grad`, and the size of its rounding errors."""
    signs = [
        np.random.default_rng(k).choice(np.array([-1.0, 1.0]), (ROUNDS, *a.shape))
        for k, a in enumerate(jax.eval_shape(_outputs, point.net, point.params, point.x))
    ]
    return _automatic(point, signs)


def _outputs(net: Net, params: Params, x: Array) -> tuple[Array, ...]:
    return activations(net, params, x)[1:]


@jax.jit
def _automatic(point: Point, signs: list[Array]) -> Automatic:
    net, cost, params, x, y, lmbda = point
    penalised, gradient = jax.value_and_grad(lambda params: objective(point._replace(params=params)))(params)
    outputs, pull = jax.vjp(partial(_outputs, net), params, x)
    sizes = _sizes(net, cost, params, outputs, _deltas(net, cost, params, x, y), y)
    errors = tuple(sign * size[None] for sign, size in zip(signs, sizes, strict=True))
    pulled, _ = jax.vmap(pull)(errors)
    rounded = jax.tree.map_with_path(
        lambda path, e, p: jnp.sqrt(jnp.square(e).mean(axis=0)) + float(is_W(path)) * lmbda * jnp.abs(p), pulled, params
    )
    return Automatic(cost.value(forward(net, params, x), y), penalised, gradient, rounded)


def _deltas(net: Net, cost: Cost, params: Params, x: Array, y: Array) -> list[Array]:
    """The delta that enters each layer, by automatic differentiation layer by layer."""
    *inputs, z = activations(net, params, x)
    entering = [jax.grad(cost.value)(z, y)]
    for layer, p, a in zip(net[:0:-1], params[:0:-1], inputs[:0:-1], strict=True):
        entering.append(jax.vjp(partial(layer.forward, p), a)[1](entering[-1])[0])
    return entering[::-1]


def _sizes(
    net: Net, cost: Cost, params: Params, outputs: tuple[Array, ...], entering: list[Array], y: Array
) -> list[Array]:
    """The size of the numbers whose rounding makes the error of each delta, like the deltas.

    A delta is as good as itself, with two exceptions. That of the output is a difference `(a − y)/n`. And
    one that leaves an activation was multiplied by an f′ such as `s (1 − s)`, which has the absolute error
    of `s` where the unit is saturated.
    """
    sizes = [jnp.abs(delta) for delta in entering]
    for k in range(len(net) - 1):
        if entering[k].shape == entering[k + 1].shape and not jax.tree.leaves(params[k + 1]):
            sizes[k] = sizes[k] + sizes[k + 1]
    sizes[-1] = sizes[-1] + (jnp.abs(cost.output(outputs[-1])) + jnp.abs(y)) / len(y)
    return sizes
