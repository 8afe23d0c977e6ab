"""Known mistakes of a rule of its own, not made of the layers' `backward`: the gradient with one step done wrongly.

All derivatives here are automatic, layer by layer, so the right steps owe nothing to the rules under test.
"""

from collections.abc import Iterator

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking.backward_pass import BackwardPass, parts
from fnn.checking.point import Point, is_W
from fnn.checking.probes import laid_flat
from fnn.checking.wrong_steps import Step, step_at, wrong_steps
from fnn.types import Array, Params


def wrong_gradients(point: Point, right: BackwardPass) -> Iterator[tuple[str, np.ndarray]]:
    """For each mistake a sentence, and the flat gradient by the params, with the penalty, that it would give."""
    nablas = [_if(reached, step[0]) for step, reached in zip(right.autodiff, right.reached, strict=True)]
    for k, part in enumerate(parts(point)):
        others = _of_another_layer(point, right, k) if k < len(point.net) else ()
        for text, (nabla, delta_prev) in (*wrong_steps(point, right, k), *others):
            after = (nabla, *nablas[k + 1 :])
            whole = (*_below(point, right, k, delta_prev), *after)[: len(point.net)]
            yield f"{part.name}: {text}", laid_flat(jax.tree.map_with_path(_with_penalty(point), whole, point.params))


def _if(reached: Array, nabla: Params) -> Params:
    """A nabla, or zeros where the delta that enters the layer is 0."""
    return jax.tree.map(lambda g: jnp.where(reached, g, 0), nabla)


def _with_penalty(point: Point):
    return lambda path, g, p: g + point.lmbda * p if is_W(path) else g


def _of_another_layer(point: Point, right: BackwardPass, k: int) -> Iterator[tuple[str, Step]]:
    """The activation or the delta of another layer is used in place of that of layer `k`."""
    params, a, delta, (nabla, delta_prev) = point.params[k], right.inputs[k], right.entering[k], right.autodiff[k]
    for m, other in enumerate(right.inputs):
        if m not in (k, k + 1) and other.shape == a.shape:
            text = f"its derivative is taken at the activation that enters layer {m}, not layer {k}"
            yield from _or_nabla_alone(text, step_at(point, k, params, other, delta), delta_prev)
    for m, other in enumerate(right.entering[:-1]):
        # the delta of an activation right after layer k: the same mistake as to omit the derivative of that layer
        nearby = m == k + 1 and not jax.tree.leaves(point.params[m])
        if m != k and not nearby and other.shape == delta.shape and jax.tree.leaves(nabla):
            text = f"it uses the delta that enters layer {m}, not layer {k}"
            yield from _or_nabla_alone(text, step_at(point, k, params, a, other), delta_prev)


def _or_nabla_alone(text: str, step: Step, delta_prev: Array) -> Iterator[tuple[str, Step]]:
    yield text, step
    yield text, (step[0], delta_prev)


def _below(point: Point, right: BackwardPass, k: int, delta: Array) -> list[Params]:
    """The nablas of the layers before part `k`, if `delta` leaves it."""
    nablas = []
    for m in reversed(range(k)):
        nabla, delta = step_at(point, m, point.params[m], right.inputs[m], delta)
        nablas.append(nabla)
    return nablas[::-1]
