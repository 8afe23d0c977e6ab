"""The gradient by automatic differentiation, and the size of the rounding errors in each coordinate.

Two programs for one formula differ by the rounding of their intermediate results. To find how much that changes each
coordinate, errors of random sign are propagated back through the net; they are as large as the numbers that are
rounded.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking.backward_pass import BackwardPass
from fnn.checking.in_numpy import in_numpy
from fnn.checking.point import Point, is_W, objective
from fnn.network import activations, forward
from fnn.types import Array, Cost, Net, Params

DRAWS = 4  # of the random signs


class Autodiff(NamedTuple):
    """What automatic differentiation finds at a point."""

    value: Array  # (), the cost without the penalty
    penalised: Array  # (), the cost with the penalty
    gradient: tuple  # of the cost with the penalty, by `point.coordinates`
    rounded: tuple  # the size of the numbers that are rounded; times EPS it is the error to expect


def by_autodiff(point: Point, right: BackwardPass) -> Autodiff:
    """The gradient of the objective by `jax.grad`, and the size of the numbers that are rounded on the way.

    These follow from the right deltas, those of `right`.
    """
    signs = [
        np.random.default_rng(k).choice(np.array([-1.0, 1.0]), (DRAWS, *a.shape))
        for k, a in enumerate(jax.eval_shape(_outputs, point.net, point.params, point.x))
    ]
    return in_numpy(_by_autodiff, point, right.entering[:-1], right.reached[:-1], signs)


def _outputs(net: Net, params: Params, x: Array) -> tuple[Array, ...]:
    return activations(net, params, x)[1:]


def _by_autodiff(point: Point, entering: Sequence[Array], reached: Sequence[Array], signs: Sequence[Array]) -> Autodiff:
    net, cost, params, x, y, lmbda = point
    penalised, gradient = jax.value_and_grad(
        lambda coordinates: objective(point._replace(params=coordinates[:-1], x=coordinates[-1]))
    )(point.coordinates)
    outputs, pull = jax.vjp(partial(_outputs, net), params, x)
    deltas = [jnp.where(known, delta, 0) for delta, known in zip(entering, reached, strict=True)]
    sizes = _sizes(net, cost, params, outputs, deltas, y)
    errors = tuple(sign * size[None] for sign, size in zip(signs, sizes, strict=True))
    pulled, pulled_x = jax.vmap(pull)(errors)
    rounded = jax.tree.map_with_path(
        lambda path, e, p: jnp.sqrt(jnp.square(e).mean(axis=0)) + float(is_W(path)) * lmbda * jnp.abs(p),
        (*pulled, pulled_x),
        point.coordinates,
    )
    return Autodiff(cost.value(forward(net, params, x), y), penalised, gradient, rounded)


def _sizes(
    net: Net, cost: Cost, params: Params, outputs: tuple[Array, ...], entering: list[Array], y: Array
) -> list[Array]:
    """The size of the numbers whose rounding causes the error of each delta, one array per delta.

    This is the delta itself, with two exceptions. The delta of the output is a difference `(a − y)/n`, so `a/n` and
    `y/n` are rounded too. A delta that leaves an activation was multiplied by an f′ such as `s (1 − s)`. Where the unit
    is saturated, f′ has the absolute error of `s`, so the delta that entered the activation counts too.
    """
    sizes = [jnp.abs(delta) for delta in entering]
    for k in range(len(net) - 1):
        if entering[k].shape == entering[k + 1].shape and not jax.tree.leaves(params[k + 1]):
            sizes[k] = sizes[k] + sizes[k + 1]
    sizes[-1] = sizes[-1] + (jnp.abs(cost.output(outputs[-1])) + jnp.abs(y)) / len(y)
    return sizes
