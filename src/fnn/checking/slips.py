"""The known mistakes that explain why one layer, or the cost, is wrong: each is made on purpose and compared."""

import math
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking.backward_pass import BackwardPass, arrays, parts, vjp
from fnn.checking.finite_differences import Point
from fnn.checking.ties import another_side
from fnn.checking.wrong_arrays import (
    Names,
    common_factors,
    explains,
    lost_examples,
    multiple,
    near,
    where,
    wrong_factor,
    wrong_order,
)
from fnn.checking.wrong_steps import wrong_steps
from fnn.types import Array, Params

MOST_EXAMPLES = 64  # for which the part of each in a nabla is computed


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
    if tie := _ties(point, right, k, finite):
        return (tie,)
    found = [text for text, step in wrong_steps(point, right, k) if _explains(finite, arrays(step))]
    found += _in_arrays(point, right, k, finite)
    places = [
        text
        for what, array in finite.items()
        for text in where(what, array.where, array.found, array.right, _factors(point, right, k))
    ]
    return tuple(dict.fromkeys(found or places))


def _explains(wrong: dict[str, Wrong], step: dict[str, np.ndarray]) -> bool:
    return all(what in step and explains(array.found, array.right, step[what]) for what, array in wrong.items())


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
    if what == "delta":
        return
    p = arrays((parts(point)[k].params, right.inputs[k]))[what]
    share = multiple((found - expected).ravel(), p.ravel())
    if p.size > 1 and not near(share, 0) and explains(found, expected, expected + share * p):
        yield f"{share:.6g} times the parameter is added: a penalty, which belongs to the optimiser"
    if len(point.x) <= min(MOST_EXAMPLES, found.size - 1):
        each = arrays((_of_each_example(point, k, right.inputs[k], right.entering[k]), right.inputs[k]))[what]
        weights = np.linalg.lstsq(each.reshape(len(each), -1).T, found.ravel())[0]
        if explains(found, expected, np.tensordot(weights, each, 1)):
            yield from lost_examples(weights)


@partial(jax.jit, static_argnums=1)
def _of_each_example(point: Point, k: int, a: Array, delta: Array) -> Params:
    """The part of each example in the nabla, `(n, *shape)`."""
    part, others = parts(point)[k], (1,) * (delta.ndim - 1)
    masks = jnp.eye(len(delta), dtype=delta.dtype)
    return jax.vmap(lambda mask: vjp(part.forward, part.params, a, delta * mask.reshape(-1, *others))[0])(masks)


def _factors(point: Point, right: BackwardPass, k: int) -> Names:
    n, places = len(point.x), math.prod(np.shape(right.entering[k])[2:])
    mean = f"1/{places} of the right gradient (a mean over the {places} positions in place of their sum)"
    return [
        *common_factors(n, point.y.shape[-1]),
        (1 / places, mean),
        (n / max(1, n - 1), f"1/(n - 1), not 1/n, of {n} examples"),
    ]


def _ties(point: Point, right: BackwardPass, k: int, wrong: dict[str, Wrong]) -> str:
    """A sentence if all that is wrong is the side of a tie."""
    part, (a, delta) = parts(point)[k], (right.inputs[k], right.entering[k])
    leaves = [*arrays((part.params, a))]
    for what, array in wrong.items():
        if not another_side(point, k, (part.params, a), delta, leaves.index(what), array.found, array.where):
            return ""
    counts = " and ".join(
        f"{array.where.sum():,} of {array.where.size:,} entries of {what}" for what, array in wrong.items()
    )
    return f"another side at a tie than autodiff of its own forward takes, at {counts}"
