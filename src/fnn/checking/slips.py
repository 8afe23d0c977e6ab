"""The known mistakes that explain why one layer, or the cost, is wrong: each is made on purpose and compared."""

import math
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking.backward_pass import BackwardPass, Leaves, arrays, parts, vjp
from fnn.checking.point import Point
from fnn.checking.programs import QUICKLY
from fnn.checking.ties import Tie, another_side
from fnn.checking.wrong_arrays import (
    Names,
    common_factors,
    explains,
    lost_examples,
    penalised,
    rounded,
    where,
    wrong_factor,
    wrong_order,
)
from fnn.checking.wrong_steps import wrong_steps
from fnn.types import Array, Params

LARGEST = 2**22  # numbers in the parts of all examples in a nabla


class Wrong(NamedTuple):
    """An array of derivatives with errors."""

    found: np.ndarray
    right: np.ndarray
    where: np.ndarray  # bool


def slips(point: Point, right: BackwardPass, k: int, wrong: dict[str, Wrong]) -> tuple[str, ...]:
    """Sentences about part `k`: what it does in place of the right thing, or else which unit or entry is wrong."""
    finite = {what: array for what, array in wrong.items() if np.isfinite(array.found).all()}
    if not finite:
        return ()
    at_ties = _at_ties(point, right, k, finite)
    if at_ties == Tie.SIDE:
        return (f"another side at a tie than autodiff of its own forward takes, at {_counts(finite)}",)
    found = [text for text, step in wrong_steps(point, right, k) if _explains(finite, arrays(step))]
    if k == len(point.net) and _lacks_output(point, right.inputs[-1], finite["delta"]):
        found.append("delta is the derivative by the output a, not by z: the f' of the output is missing")
    found += _in_arrays(point, right, k, finite)
    if at_ties == Tie.ALONE:
        found.append(f"wrong at ties alone, at {_counts(finite)}: no side of a tie has this derivative")
    names = _factors(point, right, k)
    places = (text for what, array in finite.items() for text in where(what, *array, names))
    return tuple(dict.fromkeys(found or places))


def _explains(wrong: dict[str, Wrong], step: Leaves) -> bool:
    return all(explains(array.found, array.right, step[what]) for what, array in wrong.items())


def _lacks_output(point: Point, z: Array, delta: Wrong) -> bool:
    """Whether the wrong delta of a cost becomes the right one by the derivative of its output activation."""
    try:
        completed = jax.vjp(point.cost.output, z)[1](jnp.asarray(delta.found, z.dtype))[0]
    except (TypeError, ValueError):  # outputs of another shape than z
        return False
    return explains(delta.found, delta.right, delta.found + delta.right - np.asarray(completed))


def _in_arrays(point: Point, right: BackwardPass, k: int, wrong: dict[str, Wrong]) -> Iterator[str]:
    """Mistakes within single arrays; one that all wrong arrays share is told once, without their names."""
    texts = {what: [*_in_array(point, right, k, what, array)] for what, array in wrong.items()}
    first = next(iter(texts.values()))
    shared = [text for text in first if all(text in others for others in texts.values())]
    yield from shared
    if not shared:
        yield from (f"{what}: {text}" for what, others in texts.items() for text in others)


def _in_array(point: Point, right: BackwardPass, k: int, what: str, array: Wrong) -> Iterator[str]:
    found, expected, _ = array
    yield from wrong_factor(found, expected, _factors(point, right, k))
    yield from wrong_order(what, found, expected)
    yield from rounded(found, expected)
    if what != "delta":
        yield from penalised(found, expected, arrays((parts(point)[k].params, right.inputs[k]))[what])
        yield from _lost_examples(point, right, k, what, array)


def _lost_examples(point: Point, right: BackwardPass, k: int, what: str, array: Wrong) -> Iterator[str]:
    """Examples that do not count in a nabla."""
    n, size = len(point.x), array.found.size
    if n >= size or n * size > LARGEST:
        return
    each = arrays((_of_each_example(point, k, right.inputs[k], right.entering[k]), right.inputs[k]))[what]
    if not np.isfinite(each).all():
        return
    weights = np.linalg.lstsq(each.reshape(n, size).T, array.found.ravel())[0]
    if explains(array.found, array.right, np.tensordot(weights, each, 1)):
        yield from lost_examples(weights)


@partial(jax.jit, static_argnums=1, compiler_options=QUICKLY)
def _of_each_example(point: Point, k: int, a: Array, delta: Array) -> Params:
    """The part of each example in the nabla, `(n, *shape)`."""
    part, others = parts(point)[k], (1,) * (delta.ndim - 1)
    masks = jnp.eye(len(delta), dtype=delta.dtype)
    return jax.vmap(lambda mask: vjp(part.forward, part.params, a, delta * mask.reshape(-1, *others))[0])(masks)


def _factors(point: Point, right: BackwardPass, k: int) -> Names:
    n, places = len(point.x), math.prod(np.shape(right.entering[k])[2:])
    return [
        *common_factors(n, point.y.shape[-1]),
        (1 / places, f"1/{places} of the right gradient (a mean over the {places} positions in place of their sum)"),
        (n / max(1, n - 1), f"{n / max(1, n - 1):.6g} times the right gradient (1/(n - 1) in place of 1/n, n = {n})"),
    ]


def _at_ties(point: Point, right: BackwardPass, k: int, wrong: dict[str, Wrong]) -> Tie:
    part, (a, delta) = parts(point)[k], (right.inputs[k], right.entering[k])
    leaves = [*arrays((part.params, a))]
    given = (part.params, a)
    return min(
        another_side(point, k, given, delta, leaves.index(what), array.found, array.where)
        for what, array in wrong.items()
    )


def _counts(wrong: dict[str, Wrong]) -> str:
    return " and ".join(f"{a.where.sum():,} of {a.where.size:,} entries of {what}" for what, a in wrong.items())
