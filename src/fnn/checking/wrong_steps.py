"""Known mistakes in the delta rule: one step of backpropagation done wrongly, the others right.

All derivatives here are automatic, layer by layer, so the right steps owe nothing to the rules under test.
`inputs[k]` is the activation that enters layer `k`, `entering[k]` the delta that enters it on the way back. A step is
`(nabla, delta_prev)`.
"""

import math
from collections.abc import Callable, Iterator
from functools import partial

import jax
import jax.numpy as jnp

from fnn.checking.backward_pass import BackwardPass, parts, vjp
from fnn.checking.point import Point
from fnn.checking.programs import QUICKLY
from fnn.types import Array, Params

Step = tuple[Params, Array]
OF_COSTS = (
    "delta is (a - y)/n, the f' of the output is omitted",
    "delta has the f' of the output once too often",
    "the f' of the output is taken at a, not at z",
    "delta is taken at the output a, not at z",
    "delta takes the desired outputs of another example",
    "delta takes the desired outputs of another example",
    "only the diagonal of the Jacobian of its output is used",
)
OF_ACTIVATIONS = (
    "its derivative is omitted, delta passes unchanged",
    "f' is there twice",
    "1 - f' stands in place of f'",
    "its output stands in place of its derivative",
    "its derivative is that of a sigmoid",
    "its derivative is that of tanh",
    "its derivative is that of ReLU",
    "its derivative is a (1 - a) of its input a; that of a sigmoid is this of the output",
    "its derivative is 1 - a^2 of its input a; that of tanh is this of the output",
    "only the diagonal of its Jacobian is used",
)
WIDEST = 64  # the most units of which a whole Jacobian is computed


def wrong_steps(point: Point, right: BackwardPass, k: int) -> Iterator[tuple[str, Step]]:
    """The mistakes that part `k` can make by itself: a sentence and the step that it gives."""
    part, a, delta, (nabla, delta_prev) = parts(point)[k], right.inputs[k], right.entering[k], right.autodiff[k]
    if k == len(point.net):
        yield from ((text, ((), wrong)) for text, wrong in zip(OF_COSTS, _of_cost(point, a), strict=False))
        return
    if delta_prev.shape == delta.shape:
        text = "its derivative is taken at its output, not at its input"
        yield text, step_at(point, k, part.params, right.inputs[k + 1], delta)
        wrong = _of_activation(point, k, a, right.inputs[k + 1], delta, delta_prev)
        yield from ((text, (nabla, delta)) for text, delta in zip(OF_ACTIVATIONS, wrong, strict=False))
    for text, turned in _turned(part.params):
        yield f"delta goes back through {text}", (nabla, step_at(point, k, turned, a, delta)[1])
    for shift in (1, -1):
        text = "the examples of its input and of delta are out of step"
        yield text, step_at(point, k, part.params, a, jnp.roll(delta, shift, axis=0))
    if delta.ndim > 2:
        first = jnp.zeros_like(delta).at[(slice(None), slice(None), *[0] * (delta.ndim - 2))].set(1)
        yield "only the first position counts, not the sum over all", step_at(point, k, part.params, a, first * delta)
    yield from ((text, (nabla, wrong)) for text, wrong in _to_groups(a, delta))


@partial(jax.jit, static_argnums=1, compiler_options=QUICKLY)
def step_at(point: Point, k: int, params: Params, a: Array, delta: Array) -> Step:
    """The step of part `k` by autodiff, at any params, input and delta."""
    return vjp(parts(point)[k].forward, params, a, delta)


@partial(jax.jit, static_argnums=1, compiler_options=QUICKLY)
def _of_activation(point: Point, k: int, a: Array, out: Array, delta: Array, delta_prev: Array) -> list[Array]:
    """The wrong deltas of an activation, as `OF_ACTIVATIONS` says; of a layer with params the first alone."""
    part = parts(point)[k]
    if jax.tree.leaves(part.params):
        return [delta]
    step, s, t = partial(vjp, part.forward, part.params), jax.nn.sigmoid(a), jnp.tanh(a)
    derivatives = [out, s * (1 - s), 1 - t**2, jnp.where(a > 0, 1.0, 0.0), a * (1 - a), 1 - a**2]
    twice, diagonal = step(a, delta_prev)[1], _by_diagonal(lambda d: step(a, d)[1], delta)
    return [delta, twice, delta - delta_prev, *(delta * df for df in derivatives), *diagonal]


@partial(jax.jit, compiler_options=QUICKLY)
def _of_cost(point: Point, z: Array) -> list[Array]:
    """The wrong deltas of a cost, as `OF_COSTS` says."""
    cost, y, n = point.cost, point.y, len(point.y)
    a, pull = jax.vjp(cost.output, z)
    if not a.shape == y.shape == z.shape:
        return []
    right, error = jax.grad(cost.value), (a - y) / n
    at_output = jax.vjp(cost.output, a)[1](error)[0]
    of_others = [right(z, jnp.roll(y, shift, axis=0)) for shift in (1, -1)]
    diagonal = _by_diagonal(lambda d: pull(d)[0], error)
    return [error, pull(right(z, y))[0], at_output, right(a, y), *of_others, *diagonal]


def _by_diagonal(pull: Callable[[Array], Array], delta: Array) -> list[Array]:
    """The delta that leaves an activation if each unit is told of itself alone; nothing for images and wide layers."""
    if delta.ndim != 2 or delta.shape[1] > WIDEST:
        return []
    rows = jax.vmap(lambda unit: pull(jnp.broadcast_to(unit, delta.shape)))(jnp.eye(delta.shape[1], dtype=delta.dtype))
    diagonal = jnp.einsum("uiu->iu", rows)
    elementwise = jnp.count_nonzero(rows) == jnp.count_nonzero(diagonal)  # then it is the whole Jacobian
    return [jnp.where(elementwise, jnp.nan, delta * diagonal)]


def _to_groups(a: Array, delta: Array) -> Iterator[tuple[str, Array]]:
    """The wrong deltas of a layer that takes the largest input of each group of neighbours."""
    ratios = [n / m for n, m in zip(a.shape, delta.shape, strict=False)]
    if a.ndim != delta.ndim or a.size == delta.size or not all(ratio.is_integer() for ratio in ratios):
        return
    for axis, ratio in enumerate(ratios):
        delta = jnp.repeat(delta, int(ratio), axis=axis)
    yield "delta goes to every input of a group, not to the largest alone", delta
    yield "delta is shared by the inputs of a group, as for a mean", delta / math.prod(ratios)


def _turned(params: Params) -> Iterator[tuple[str, Params]]:
    """The params with every matrix, or every filter, the wrong way round; nothing where there is none."""
    shapes = [p.shape for p in jax.tree.leaves(params)]
    if any(len(shape) == 2 and shape[0] == shape[1] > 1 for shape in shapes):
        yield "W, not its transpose", jax.tree.map(lambda p: p.T if p.ndim == 2 and len({*p.shape}) == 1 else p, params)
    if any(len(shape) == 4 for shape in shapes):
        turned = jax.tree.map(lambda p: p[..., ::-1, ::-1] if p.ndim == 4 else p, params)
        yield "filters turned by 180 degrees", turned
    if shapes:
        yield "the sizes of W, without the signs", jax.tree.map(jnp.abs, params)
