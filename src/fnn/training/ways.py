"""The two ways to a gradient, taken apart: the deltas, and the derivatives of a single layer and of the cost.

A look inside a training (`monitors`, `divergence`) has to use the training's own way: beside a nan the two differ.
Shape letters: `n` examples in a batch, `shape_out` one output of a layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from fnn.network import activations, autodiff, backprop, deltas
from fnn.types import Array, Cost, Gradient, Layer, Net, Params


class Way(NamedTuple):
    """One of the two ways, whole and in parts."""

    gradient: Gradient
    deltas: Callable[[Net, Cost, Params, Array, Array], tuple[Array, ...]]  # entering each layer, `(n, *shape_out)`
    of_layer: Callable[[Layer, Params, Array, Array], tuple[Params, Array]]  # the contract of `Layer.backward`
    of_cost: Callable[[Cost, Array, Array], Array]  # the contract of `Cost.delta`


def automatic_deltas(net: Net, cost: Cost, params: Params, x: Array, y: Array) -> tuple[Array, ...]:
    """The delta entering each layer, as `fnn.deltas` gives it, by `jax.grad` alone.

    A shift of 0 is added to the output of every layer, and the cost is differentiated by the shifts. So it is one
    `jax.grad` of the whole net, as in training by `autodiff`.
    """

    def value(shifts: tuple[Array, ...]) -> Array:
        a = x
        for layer, p, shift in zip(net, params, shifts, strict=True):
            a = layer.forward(p, a) + shift
        return cost.value(a, y)

    outputs = activations(net, params, x)[1:]
    return jax.grad(value)(tuple(jnp.zeros(a.shape, jnp.result_type(a, float)) for a in outputs))


BY_HAND = Way(
    backprop,
    deltas,
    lambda layer, params, a, delta: layer.backward(params, a, delta),
    lambda cost, z, y: cost.delta(z, y),
)
BY_AUTODIFF = Way(
    autodiff,
    automatic_deltas,
    lambda layer, params, a, delta: jax.vjp(layer.forward, params, a)[1](delta),
    lambda cost, z, y: jax.grad(cost.value)(z, y),
)


def way_of(gradient: Gradient) -> Way | None:
    """The way of a training with this gradient, compiled or not; None for a function of the user's own."""
    plain = getattr(gradient, "__wrapped__", None) if isinstance(gradient, jax.stages.Wrapped) else gradient
    return next((way for way in (BY_HAND, BY_AUTODIFF) if way.gradient is plain), None)
