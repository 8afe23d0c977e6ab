"""Known mistakes in the delta rule: the whole gradient with one step of backpropagation done wrongly.

All derivatives here are automatic, layer by layer, so the right steps owe nothing to the rules under test.
`inputs[k]` is the activation that enters layer `k`, `entering[k]` the delta that enters layer `k` on the way back.
"""

from collections.abc import Iterator
from typing import NamedTuple

import jax
import numpy as np

from fnn.checking.point import Point, is_W
from fnn.network import activations
from fnn.types import Array, Layer, Params


class BackwardPass(NamedTuple):
    """A right backward pass with all its intermediate results."""

    point: Point
    inputs: tuple[Array, ...]  # one more than layers: the last is the raw output
    entering: tuple[Array, ...]
    nablas: tuple[Params, ...]


def wrong_gradients(point: Point) -> Iterator[tuple[str, np.ndarray]]:
    """For each mistake a sentence, and the flat gradient with the penalty that it would give."""
    right = _backward_pass(point)
    for text, delta in _wrong_deltas(point, right.inputs[-1]):
        yield text, _flat(point, _below(right, len(point.net), delta))
    for k, layer in enumerate(point.net):
        for text, nabla, delta_prev in _wrong_backwards(right, k):
            below = _below(right, k, delta_prev)
            yield f"layer {k}, {type(layer).__name__}: {text}", _flat(point, [*below, nabla, *right.nablas[k + 1 :]])


def _backward(point: Point, k: int, a: Array, delta: Array) -> tuple[Params, Array]:
    """The nabla of layer `k` and the delta that leaves it, if its input is `a`."""
    return _vjp(point.net[k], point.params[k], a, delta)


@jax.jit
def _vjp(layer: Layer, params: Params, a: Array, delta: Array) -> tuple[Params, Array]:
    return jax.vjp(layer.forward, params, a)[1](delta)


def _backward_pass(point: Point) -> BackwardPass:
    inputs = activations(point.net, point.params, point.x)
    delta = jax.grad(point.cost.value)(inputs[-1], point.y)
    entering, nablas = [], []
    for k in reversed(range(len(point.net))):
        entering.append(delta)
        nabla, delta = _backward(point, k, inputs[k], delta)
        nablas.append(nabla)
    return BackwardPass(point, inputs, tuple(reversed(entering)), tuple(reversed(nablas)))


def _below(right: BackwardPass, k: int, delta: Array) -> list[Params]:
    """The nablas of the layers before `k`, if `delta` leaves layer `k`."""
    nablas = []
    for m in reversed(range(k)):
        nabla, delta = _backward(right.point, m, right.inputs[m], delta)
        nablas.append(nabla)
    return nablas[::-1]


def _wrong_deltas(point: Point, z: Array) -> Iterator[tuple[str, Array]]:
    """Mistakes of the cost: a sentence and the wrong delta."""
    a, pull = jax.vjp(point.cost.output, z)
    delta = jax.grad(point.cost.value)(z, point.y)
    yield "cost: delta is (a - y)/n, the f' of the output is omitted", (a - point.y) / len(point.y)
    yield "cost: delta has the f' of the output once too often", pull(delta)[0]


def _wrong_backwards(right: BackwardPass, k: int) -> Iterator[tuple[str, Params, Array]]:
    """Mistakes of layer `k`: a sentence, its nabla and the delta that leaves it."""
    delta, (nabla, delta_prev) = right.entering[k], _backward(right.point, k, right.inputs[k], right.entering[k])
    if delta_prev.shape == delta.shape:
        yield "its derivative is omitted, delta passes unchanged", nabla, delta
    if delta_prev.shape == delta.shape and not jax.tree.leaves(nabla):
        yield "f' is there twice", nabla, _backward(right.point, k, right.inputs[k], delta_prev)[1]
    for flipped in _transposed(right.point.params[k]):
        wrong = _vjp(right.point.net[k], flipped, right.inputs[k], delta)[1]
        yield "delta goes back through W, not its transpose", nabla, wrong
    yield from _from_another_layer(right, k, nabla, delta_prev)


def _from_another_layer(
    right: BackwardPass, k: int, nabla: Params, delta_prev: Array
) -> Iterator[tuple[str, Params, Array]]:
    """The activation or the delta of another layer is used in place of that of layer `k`."""
    for m, a in enumerate(right.inputs):
        if m != k and a.shape == right.inputs[k].shape:
            other = _backward(right.point, k, a, right.entering[k])
            text = f"its derivative is taken at the activation that enters layer {m}, not layer {k}"
            yield text, *other
            yield text, other[0], delta_prev
    for m, delta in enumerate(right.entering):
        # the delta of an activation right after layer k: the same mistake as to omit the derivative of that layer
        nearby = m == k + 1 and not jax.tree.leaves(right.nablas[m])
        if m != k and not nearby and delta.shape == right.entering[k].shape and jax.tree.leaves(nabla):
            other = _backward(right.point, k, right.inputs[k], delta)
            text = f"it uses the delta that enters layer {m}, not layer {k}"
            yield text, *other
            yield text, other[0], delta_prev


def _transposed(params: Params) -> list[Params]:
    """The params with every square matrix transposed; an empty list if there is none."""
    square = [p.ndim == 2 and p.shape[0] == p.shape[1] > 1 for p in jax.tree.leaves(params)]
    return [jax.tree.map(lambda p: p.T if p.ndim == 2 and p.shape[0] == p.shape[1] else p, params)] * any(square)


def _flat(point: Point, nablas: list[Params]) -> np.ndarray:
    penalised = jax.tree.map_with_path(
        lambda path, g, p: g + point.lmbda * p if is_W(path) else g, tuple(nablas), point.params
    )
    return np.concatenate([np.asarray(leaf).ravel() for leaf in jax.tree.leaves(penalised)])
