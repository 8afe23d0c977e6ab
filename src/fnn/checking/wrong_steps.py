"""Known mistakes in the delta rule: one step of backpropagation done wrongly, the others right.

All derivatives here are automatic, layer by layer, so the right steps owe nothing to the rules under test.
`inputs[k]` is the activation that enters layer `k`, `entering[k]` the delta that enters it on the way back. A step is
`(nabla, delta_prev)`.
"""

from collections.abc import Iterator
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking.backward_pass import BackwardPass, parts, vjp
from fnn.checking.finite_differences import Point, is_W
from fnn.types import Array, Params

Step = tuple[Params, Array]
WIDEST = 64  # the most units of which a whole Jacobian is computed
OF_COSTS = (
    "delta is (a - y)/n, the f' of the output is omitted",
    "delta has the f' of the output once too often",
    "the f' of the output is taken at a, not at z",
    "delta is taken at the output a, not at z",
    "delta takes the desired outputs of another example",
    "delta takes the desired outputs of another example",
)


def wrong_steps(point: Point, right: BackwardPass, k: int) -> Iterator[tuple[str, Step]]:
    """The mistakes that part `k` can make by itself: a sentence and the step that it gives."""
    params, a, delta, (nabla, delta_prev) = (
        parts(point)[k].params,
        right.inputs[k],
        right.entering[k],
        right.autodiff[k],
    )
    if k == len(point.net):
        yield from ((text, ((), wrong)) for text, wrong in zip(OF_COSTS, _of_cost(point, a), strict=False))
        return
    if delta_prev.shape == delta.shape:
        yield "its derivative is omitted, delta passes unchanged", (nabla, delta)
        yield (
            "its derivative is taken at its output, not at its input",
            _step(point, k, params, right.inputs[k + 1], delta),
        )
    if delta_prev.shape == delta.shape and not jax.tree.leaves(nabla):
        yield "f' is there twice", _step(point, k, params, a, delta_prev)
        if delta.ndim == 2 and delta.shape[1] <= WIDEST:
            yield "only the diagonal of its Jacobian is used", ((), _by_diagonal(point, k, a, delta))
    for text, turned in _turned(params):
        yield f"delta goes back through {text}", (nabla, _step(point, k, turned, a, delta)[1])
    for shift in (1, -1):
        yield (
            "the examples of its input and of delta are out of step",
            _step(point, k, params, a, jnp.roll(delta, shift, 0)),
        )
    if delta.ndim > 2:
        first = jnp.zeros_like(delta).at[(slice(None), slice(None), *[0] * (delta.ndim - 2))].set(1)
        yield "only the first position counts, not the sum over all of them", _step(point, k, params, a, first * delta)


def wrong_gradients(point: Point, right: BackwardPass) -> Iterator[tuple[str, np.ndarray]]:
    """For each mistake a sentence, and the flat gradient with the penalty that it would give, params first."""
    for k, part in enumerate(parts(point)):
        for text, (nabla, delta_prev) in (*wrong_steps(point, right, k), *_of_another_layer(point, right, k)):
            nablas = [*_below(point, right, k, delta_prev), nabla, *(step[0] for step in right.autodiff[k + 1 :])]
            yield f"{part.name}: {text}", _flat(point, nablas[: len(point.net)])


@partial(jax.jit, static_argnums=1)
def _step(point: Point, k: int, params: Params, a: Array, delta: Array) -> Step:
    return vjp(parts(point)[k].forward, params, a, delta)


@partial(jax.jit, static_argnums=1)
def _by_diagonal(point: Point, k: int, a: Array, delta: Array) -> Array:
    """The delta that leaves an activation if each unit is told of itself alone."""
    units = jnp.eye(delta.shape[1], dtype=delta.dtype)
    rows = jax.vmap(lambda unit: vjp(parts(point)[k].forward, (), a, jnp.ones_like(delta) * unit)[1])(units)
    return delta * jnp.einsum("uiu->iu", rows)


@jax.jit
def _of_cost(point: Point, z: Array) -> list[Array]:
    """The wrong deltas of a cost, as `OF_COSTS` says."""
    cost, y, n = point.cost, point.y, len(point.y)
    a, pull = jax.vjp(cost.output, z)
    if not a.shape == y.shape == z.shape:
        return []
    right = jax.grad(cost.value)
    once = pull(right(z, y))[0], jax.vjp(cost.output, a)[1]((a - y) / n)[0]
    return [(a - y) / n, *once, right(a, y), *(right(z, jnp.roll(y, shift, axis=0)) for shift in (1, -1))]


def _of_another_layer(point: Point, right: BackwardPass, k: int) -> Iterator[tuple[str, Step]]:
    """The activation or the delta of another layer is used in place of that of layer `k`."""
    if k == len(point.net):
        return
    params, a, delta, (nabla, delta_prev) = point.params[k], right.inputs[k], right.entering[k], right.autodiff[k]
    for m, other in enumerate(right.inputs):
        if m not in (k, k + 1) and other.shape == a.shape:
            text = f"its derivative is taken at the activation that enters layer {m}, not layer {k}"
            yield from _or_nabla_alone(text, _step(point, k, params, other, delta), delta_prev)
    for m, other in enumerate(right.entering[:-1]):
        # the delta of an activation right after layer k: the same mistake as to omit the derivative of that layer
        nearby = m == k + 1 and not jax.tree.leaves(point.params[m])
        if m != k and not nearby and other.shape == delta.shape and jax.tree.leaves(nabla):
            text = f"it uses the delta that enters layer {m}, not layer {k}"
            yield from _or_nabla_alone(text, _step(point, k, params, a, other), delta_prev)


def _or_nabla_alone(text: str, step: Step, delta_prev: Array) -> Iterator[tuple[str, Step]]:
    yield text, step
    yield text, (step[0], delta_prev)


def _turned(params: Params) -> Iterator[tuple[str, Params]]:
    """The params with every matrix, or every filter, the wrong way round; nothing where there is none."""
    square = [p.ndim == 2 and p.shape[0] == p.shape[1] > 1 for p in jax.tree.leaves(params)]
    if any(square):
        yield (
            "W, not its transpose",
            jax.tree.map(lambda p: p.T if p.ndim == 2 and p.shape[0] == p.shape[1] else p, params),
        )
    if any(p.ndim == 4 for p in jax.tree.leaves(params)):
        yield "filters turned by 180 degrees", jax.tree.map(lambda p: p[..., ::-1, ::-1] if p.ndim == 4 else p, params)


def _below(point: Point, right: BackwardPass, k: int, delta: Array) -> list[Params]:
    """The nablas of the layers before part `k`, if `delta` leaves it."""
    nablas = []
    for m in reversed(range(k)):
        nabla, delta = _step(point, m, point.params[m], right.inputs[m], delta)
        nablas.append(nabla)
    return nablas[::-1]


def _flat(point: Point, nablas: list[Params]) -> np.ndarray:
    penalised = jax.tree.map_with_path(
        lambda path, g, p: g + point.lmbda * p if is_W(path) else g, tuple(nablas), point.params
    )
    leaves = jax.tree.leaves(penalised)
    return np.concatenate([np.zeros(0), *(np.asarray(leaf).ravel() for leaf in leaves)])
