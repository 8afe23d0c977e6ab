"""A right backward pass by automatic differentiation, layer by layer, and beside it what each layer says by hand.

The cost counts as one more part after the last layer: its forward is the cost's value, its delta_prev the cost's delta.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking.in_numpy import in_numpy
from fnn.checking.point import Point
from fnn.types import Array, Params, leaf_name

Leaves = dict[str, np.ndarray]  # of one part: "nabla W", "nabla b", "delta"


class Part(NamedTuple):
    """A layer, or the cost in the form of a layer."""

    name: str  # "layer 1, Swish"
    rule: str  # the name of the method that is under test
    forward: Callable[[Params, Array], Array]
    backward: Callable[[Params, Array, Array], tuple[Params, Array]]
    params: Params


def parts(point: Point) -> list[Part]:
    """The layers, first to last, and the cost."""
    cost, y = point.cost, point.y
    layers = [
        Part(f"layer {k}, {type(layer).__name__}", "backward", layer.forward, layer.backward, p)
        for k, (layer, p) in enumerate(zip(point.net, point.params, strict=True))
    ]
    value, delta = lambda _, z: cost.value(z, y), lambda _, z, one: ((), one * cost.delta(z, y))
    return [*layers, Part(f"the cost, {type(cost).__name__}", "delta", value, delta, ())]


class BackwardPass(NamedTuple):
    """What every part is given, and its derivatives `(nabla, delta_prev)`, first to last."""

    inputs: tuple[Array, ...]
    entering: tuple[Array, ...]  # the right delta; other numbers where it is 0 throughout
    reached: tuple[Array, ...]  # (), bool: whether it is not 0 throughout
    autodiff: tuple[tuple[Params, Array], ...]
    by_hand: tuple[Any, ...]  # a text: the part returns no such derivatives; it says why
    compiles: tuple[bool, ...]  # whether JAX can compile its `backward`


def backward_pass(point: Point) -> BackwardPass:
    """The pass at a point.

    Where autodiff of a part gives nan, the delta that goes on is the part's own, by hand. A part that is entered by
    zeros alone is given other numbers, since at 0 every linear map looks right.
    """
    inputs = jax.eval_shape(_inputs, point)
    tried = [_try(part, *given) for part, *given in zip(parts(point), inputs, (*inputs[1:], _one(point)), strict=True)]
    compiles = tuple(trouble is None for trouble in tried)
    right = in_numpy(partial(_backward_pass, compiles), point)
    by_hand = [
        found if compiled else _called(part, right.inputs[k], right.entering[k])  # NumPy, or an error
        for k, (part, found, compiled) in enumerate(zip(parts(point), right.by_hand, compiles, strict=True))
    ]
    return right._replace(by_hand=tuple(by_hand), compiles=compiles)


def _inputs(point: Point) -> tuple[Array, ...]:
    inputs = [point.x]
    for layer, p in zip(point.net, point.params, strict=True):
        inputs.append(layer.forward(p, inputs[-1]))
    return tuple(inputs)


def _one(point: Point) -> Array:
    return jnp.ones((), point.x.dtype)


def _backward_pass(compiles: tuple[bool, ...], point: Point) -> BackwardPass:
    """The pass without what the parts whose `backward` JAX cannot compile say by hand: None, and nothing said of it."""
    inputs = _inputs(point)
    delta, passed = _one(point), []
    for part, a, try_it in reversed([*zip(parts(point), inputs, compiles, strict=True)]):
        reached = (delta != 0).any()
        delta = jnp.where(reached, delta, _some_numbers(delta))
        right = vjp(part.forward, part.params, a, delta)
        found = part.backward(part.params, a, delta) if try_it else None
        passed.append((delta, reached, right, found))
        instead = jnp.nan_to_num(found[1], posinf=0, neginf=0).astype(a.dtype) if found else 0
        delta = jnp.where(reached, jnp.where(jnp.isfinite(right[1]), right[1], instead), 0)
    entering, reaches, autodiff, by_hand = zip(*reversed(passed), strict=True)
    return BackwardPass(inputs, entering, reaches, autodiff, by_hand, ())


def vjp(forward: Callable[[Params, Array], Array], params: Params, a: Array, delta: Array) -> tuple[Params, Array]:
    """`(nabla, delta_prev)` by automatic differentiation."""
    out, pull = jax.vjp(forward, params, a)
    return pull(delta.astype(out.dtype))


def _some_numbers(like: Array) -> Array:
    return jnp.sin(1.0 + jnp.arange(like.size, dtype=like.dtype)).reshape(like.shape)


def _try(part: Part, a: Any, delta: Any) -> str | None:
    """Why JAX cannot compile the `backward` of a part to the derivatives that belong to it; None if it can."""
    try:
        return misfit(jax.eval_shape(part.backward, part.params, a, delta), (part.params, a))
    except Exception as error:  # whatever a user's class may raise
        return str(error)


def _called(part: Part, a: Array, delta: Array) -> Any:
    """What `backward` returns without compilation, or a text that says what is wrong with it."""
    try:
        found = part.backward(part.params, a, delta)
    except Exception as error:
        return f"its {part.rule} raises {type(error).__name__}: {' '.join(str(error).split())}"
    return misfit(found, (part.params, a)) or jax.tree.map(np.asarray, found)


def misfit(found: Any, expected: tuple[Params, Array]) -> str | None:
    """In which way a result is not a tree `(nabla, delta_prev)` like `(params, a)`; None if it is one."""
    if not isinstance(found, tuple) or len(found) != 2:
        return f"its backward returns {_kind(found)}; expected a pair, (nabla, delta_prev)"
    if jax.tree.structure(found[0]) != jax.tree.structure(expected[0]):
        return f"its nabla is {_kind(found[0])}; expected a tree like its params, {_kind(expected[0])}"
    if not jax.tree_util.all_leaves([found[1]]):
        return f"its delta_prev is {_kind(found[1])}; expected an array of shape {np.shape(expected[1])}"
    for (what, g), (_, p) in zip(named(found), named(expected), strict=True):
        if np.shape(g) != np.shape(p):
            like = "its input" if what == "delta" else "the parameter"
            hint = "; it looks transposed" if np.shape(g) == np.shape(p)[::-1] else ""
            return f"its {what} has shape {np.shape(g)}; expected {np.shape(p)}, as {like}{hint}"
    return None


def _kind(tree: Any) -> str:
    """A value in words: an array, or a tree with its arrays as stars."""
    if isinstance(tree, tuple | list | dict):
        return str(jax.tree.structure(tree)).removeprefix("PyTreeDef(")[:-1]
    return "an array" if hasattr(tree, "shape") else "None" if tree is None else f"a {type(tree).__name__}"


def named(derivatives: tuple[Params, Array]) -> Iterator[tuple[str, Any]]:
    """The leaves of `(nabla, delta_prev)` with the names that the report uses."""
    for path, leaf in jax.tree.leaves_with_path(derivatives[0]):
        yield f"nabla {leaf_name(path)}".strip(), leaf
    yield "delta", derivatives[1]


def arrays(derivatives: tuple[Params, Array]) -> Leaves:
    """The leaves as NumPy arrays in float64."""
    return {what: np.asarray(leaf, np.float64) for what, leaf in named(derivatives)}
