"""The delta rule with one step replaced by a well-known wrong one.

All derivatives here are automatic, layer by layer: the right steps owe nothing to the rules under test.
`inputs[k]` is the activation that enters layer `k`, `entering[k]` the delta that enters it from behind.
"""

from collections.abc import Iterator
from typing import NamedTuple

import jax
import numpy as np

from fnn.checking.finite_differences import Point, is_W
from fnn.network import activations
from fnn.types import Array, Layer, Params


class Pass(NamedTuple):
    """A backward pass, kept in full."""

    point: Point
    inputs: tuple[Array, ...]  # one more than layers: the last is the raw output
    entering: tuple[Array, ...]
    nablas: tuple[Params, ...]


def chain_slips(point: Point) -> Iterator[tuple[str, np.ndarray]]:
    """Sentences, and the flat gradient with the penalty that each slip would give."""
    done = _right_pass(point)
    last = len(point.net) - 1
    for text, delta in _output_slips(point, done.inputs[-1]):
        yield text, _flat(point, _below(done, last + 1, delta))
    for k, layer in enumerate(point.net):
        for text, nabla, delta_prev in _layer_slips(done, k):
            below = _below(done, k, delta_prev)
            yield f"layer {k}, {type(layer).__name__}: {text}", _flat(point, [*below, nabla, *done.nablas[k + 1 :]])


def _pull(point: Point, k: int, a: Array, delta: Array) -> tuple[Params, Array]:
    """The nabla of layer `k` and the delta that leaves it, had it the input `a`."""
    return _vjp(point.net[k], point.params[k], a, delta)


@jax.jit
def _vjp(layer: Layer, params: Params, a: Array, delta: Array) -> tuple[Params, Array]:
    return jax.vjp(layer.forward, params, a)[1](delta)


def _right_pass(point: Point) -> Pass:
    inputs = activations(point.net, point.params, point.x)
    delta = jax.grad(point.cost.value)(inputs[-1], point.y)
    entering, nablas = [], []
    for k in reversed(range(len(point.net))):
        entering.append(delta)
        nabla, delta = _pull(point, k, inputs[k], delta)
        nablas.append(nabla)
    return Pass(point, inputs, tuple(reversed(entering)), tuple(reversed(nablas)))


def _below(done: Pass, k: int, delta: Array) -> list[Params]:
    """The nablas of the layers before `k` when `delta` leaves it."""
    nablas = []
    for m in reversed(range(k)):
        nabla, delta = _pull(done.point, m, done.inputs[m], delta)
        nablas.append(nabla)
    return nablas[::-1]


def _output_slips(point: Point, z: Array) -> Iterator[tuple[str, Array]]:
    a, pull = jax.vjp(point.cost.output, z)
    delta = jax.grad(point.cost.value)(z, point.y)
    yield "cost: delta is (a - y)/n, the f' of the output is omitted", (a - point.y) / len(point.y)
    yield "cost: delta has the f' of the output once too often", pull(delta)[0]


def _layer_slips(done: Pass, k: int) -> Iterator[tuple[str, Params, Array]]:
    """Sentence, nabla, delta that leaves layer `k`."""
    delta, (nabla, delta_prev) = done.entering[k], _pull(done.point, k, done.inputs[k], done.entering[k])
    if delta_prev.shape == delta.shape:
        yield "its derivative is omitted, delta passes unchanged", nabla, delta
    if delta_prev.shape == delta.shape and not jax.tree.leaves(nabla):
        yield "f' is there twice", nabla, _pull(done.point, k, done.inputs[k], delta_prev)[1]
    for flipped in _transposed(done.point.params[k]):
        wrong = _vjp(done.point.net[k], flipped, done.inputs[k], delta)[1]
        yield "delta goes back through W, not its transpose", nabla, wrong
    yield from _off_by_some(done, k, nabla, delta_prev)


def _off_by_some(done: Pass, k: int, nabla: Params, delta_prev: Array) -> Iterator[tuple[str, Params, Array]]:
    """The activation or the delta of another layer in the place of its own."""
    for m, a in enumerate(done.inputs):
        if m != k and a.shape == done.inputs[k].shape:
            other = _pull(done.point, k, a, done.entering[k])
            text = f"its derivative is taken at the activation that enters layer {m}, not layer {k}"
            yield text, *other
            yield text, other[0], delta_prev
    for m, delta in enumerate(done.entering):
        nearby = m == k + 1 and not jax.tree.leaves(done.nablas[m])  # the same as to omit the derivative of layer m
        if m != k and not nearby and delta.shape == done.entering[k].shape and jax.tree.leaves(nabla):
            other = _pull(done.point, k, done.inputs[k], delta)
            text = f"it uses the delta that enters layer {m}, not layer {k}"
            yield text, *other
            yield text, other[0], delta_prev


def _transposed(params: Params) -> list[Params]:
    """The params with every square matrix transposed, if there is one."""
    square = [p.ndim == 2 and p.shape[0] == p.shape[1] > 1 for p in jax.tree.leaves(params)]
    return [jax.tree.map(lambda p: p.T if p.ndim == 2 and p.shape[0] == p.shape[1] else p, params)] * any(square)


def _flat(point: Point, nablas: list[Params]) -> np.ndarray:
    penalised = jax.tree.map_with_path(
        lambda path, g, p: g + point.lmbda * p if is_W(path) else g, tuple(nablas), point.params
    )
    return np.concatenate([np.asarray(leaf).ravel() for leaf in jax.tree.leaves(penalised)])
