"""What an exact check compares: pairs of functions, one written by hand and one that JAX derives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from fnn.checking.point import Point, objective
from fnn.network import init, shape_out
from fnn.optimizers import SGD
from fnn.types import Array, Cost, Gradient, Layer, Net, Params, Shape


class Rule(NamedTuple):
    """Two functions of one tree of arrays, whose floating leaves are drawn, and who wrote them."""

    name: str
    at: Any
    by_hand: Callable[[Any], Any]
    automatic: Callable[[Any], Any]
    value: Callable[[Any], Any]  # what is differentiated
    words: tuple[str, str]  # what the user knows as the rule by hand, and as what is differentiated


def of_layers(net: Net, shape: Shape, rows: int) -> Iterator[Rule]:
    """A rule for each layer: `backward`, at inputs and a delta of its own."""
    params = jax.eval_shape(lambda: init(net, jax.random.key(0), shape))
    if not all(is_drawn(leaf) for leaf in jax.tree.leaves(params)):
        params = init(net, jax.random.key(0), shape)  # whole numbers and the like stay as they are
    after = [tuple(shape), *(shape_out(net[: i + 1], shape) for i in range(len(net)))]
    for i, (layer, p) in enumerate(zip(net, params, strict=True)):
        a, delta = (jax.ShapeDtypeStruct((rows, *s), float) for s in after[i : i + 2])
        yield _of_layer(f"layer {i}, {type(layer).__name__}", layer, (jax.tree.map(_as_double, p), a, delta))


def _of_layer(name: str, layer: Layer, at: tuple[Params, Any, Any]) -> Rule:
    def backward(at: tuple[Params, Array, Array]) -> dict[str, Any]:
        nabla, delta_prev = layer.backward(*at)
        return {"nabla": nabla, "delta_prev": delta_prev}

    def automatic(at: tuple[Params, Array, Array]) -> dict[str, Any]:
        params, a, delta = at
        nabla, delta_prev = jax.vjp(layer.forward, params, a)[1](delta)
        return {"nabla": nabla, "delta_prev": delta_prev}

    return Rule(name, at, backward, automatic, lambda at: layer.forward(*at[:2]), ("backward", "forward"))


def of_cost(cost: Cost, layers: list[Rule]) -> Rule:
    """The rule `delta` of the cost after these layers."""
    z = layers[-1].at[2]
    return Rule(
        f"the cost, {type(cost).__name__}",
        (z, z),
        lambda at: {"delta": cost.delta(*at)},
        lambda at: {"delta": jax.grad(cost.value)(*at)},
        lambda at: cost.value(*at),
        ("delta", "value"),
    )


def of_net(net: Net, cost: Cost, gradient: Gradient, lmbda: float, layers: list[Rule]) -> Rule:
    """The rule for the gradient by all params, with the optimiser's penalty."""

    def value(at: tuple[Params, Array, Array]) -> Array:
        return objective(Point(net, cost, *at, jnp.asarray(lmbda)))

    def by_hand(at: tuple[Params, Array, Array]) -> dict[str, Params]:
        _, found = gradient(net, cost, *at)
        return {"gradient": SGD(eta=1.0, lmbda=lmbda).penalised(at[0], found)}

    def automatic(at: tuple[Params, Array, Array]) -> dict[str, Params]:
        return {"gradient": jax.grad(lambda params: value((params, *at[1:])), allow_int=True)(at[0])}

    at = (tuple(rule.at[0] for rule in layers), layers[0].at[1], layers[-1].at[2])
    return Rule("the whole gradient", at, by_hand, automatic, value, ("rule", "objective"))


def is_drawn(leaf: Any) -> bool:
    """Whether a leaf is floating point; others stay as they are."""
    return jnp.issubdtype(leaf.dtype, jnp.floating)


def _as_double(leaf: Any) -> Any:
    return jax.ShapeDtypeStruct(leaf.shape, float) if is_drawn(leaf) else leaf
