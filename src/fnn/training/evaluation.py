"""Evaluation: the mean cost and the accuracy of a network on a set of examples, exactly.

Shape letters: `n` examples in a set, `n_out` outputs.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator
from functools import partial, reduce
from itertools import repeat
from typing import NamedTuple

import jax
import jax.numpy as jnp

from fnn.examples import Examples
from fnn.network import activations, check_targets, forward
from fnn.training.augmentation import Shifted
from fnn.training.mini_batches import even
from fnn.training.streaming import in_file, windows
from fnn.types import Array, Cost, Net, Params

ROWS_OF_A_CALL = 5000  # evaluated by one call: between two calls an interrupted run can save itself
CACHED_NUMBERS = 400_000  # in the widest layer, at most, for all rows evaluated at once; more do not fit into the cache


class Evaluation(NamedTuple):
    """How a network does on a set of examples; both are means over all `n` of them."""

    cost: Array  # (), the cost without any penalty
    accuracy: Array  # (), share of rows decided rightly in 0 … 1; nan where `y` holds quantities


def evaluate(net: Net, cost: Cost, params: Params, examples: Examples | Shifted) -> Evaluation:
    """The mean cost and the accuracy over all examples, exactly, whatever their number.

    When a row is decided rightly depends on `y`:

    - Classes (several outputs, and every row of `y` sums to 1): the largest output is the desired one. Of equal
      outputs the first counts.
    - Binary codes and truth tables (any other `y` of zeros and ones): every output is on the right side of 1/2.
      Exactly 1/2 counts as 0.
    - Quantities (any other `y`): the accuracy is nan.

    Penalties are not in the cost.

    Raises:
        ValueError: there are no examples, or `y` does not fit the network's output.
    """
    if not examples.n:
        raise ValueError("evaluate got 0 examples; a mean needs at least one.")
    return mean(sums(net, cost, params, examples), examples.n)


def mean(parts: Iterable[tuple[Array, Array]], n: int) -> Evaluation:
    """The evaluation of `n` examples from the `sums` of their parts."""
    total, right = (reduce(operator.add, column) for column in zip(*parts, strict=True))
    # divided here, not inside jit, where XLA turns a division by a constant into a product with its rounded reciprocal
    return Evaluation(total / n, right / n)


def sums(net: Net, cost: Cost, params: Params, examples: Examples | Shifted) -> Iterator[tuple[Array, Array]]:
    """The summed cost and the number of rows decided rightly, for every `ROWS_OF_A_CALL` examples and those left."""
    kinds = _kinds(examples.y)
    starts, size = range(0, examples.n, ROWS_OF_A_CALL), min(ROWS_OF_A_CALL, examples.n)
    parts = repeat(examples)
    if in_file(examples):
        parts = filter(None, windows(examples, ((first, slice(first, first + size)) for first in starts), size))
    for first, part in zip(starts, parts, strict=False):
        yield _sums(net, cost, params, part, kinds, first, count=min(ROWS_OF_A_CALL, examples.n - first))


@jax.jit
def _kinds(y: Array) -> tuple[Array, Array]:
    """Whether the rows of `y` are classes, and whether they are classes or binary codes."""
    y = y.reshape(len(y), -1)  # `y` may be labels without an axis of outputs; `_sums` refuses them
    classes = jnp.asarray(y.shape[1] > 1) & (_row_sums(y) == 1).all()
    return classes, classes | ((y == 0) | (y == 1)).all()


@partial(jax.jit, static_argnames="count")
def _sums(net, cost, params, examples, kinds, first, *, count) -> tuple[Array, Array]:
    """The cost summed over `count` rows, and the number of those decided rightly, nan for quantities."""
    classes, decisions = kinds

    def part(rows):
        x, y = examples.rows(rows)
        z = forward(net, params, x)
        check_targets(cost, z, y)
        a = cost.output(z)
        same_bits = ((a > 0.5) == (y > 0.5)).all(axis=1)
        right = jnp.where(classes, a.argmax(axis=1) == y.argmax(axis=1), same_bits)
        value = cost.value(z, y)
        if value.dtype.itemsize < 4:  # half precision is too small for a sum of thousands
            value = value.astype(jnp.float32)
        return value * len(rows), right.sum()

    i = first + jnp.arange(count)
    one = jax.eval_shape(lambda: activations(net, params, examples.rows(i[:1])[0]))
    size = even(count, rows_at_once(one))
    whole, rest = divmod(count, size)
    totals, rights = jax.lax.map(part, i[: count - rest].reshape(whole, size))
    last_total, last_right = part(i[count - rest :]) if rest else (0.0, 0)
    right = (rights.sum() + last_right).astype(totals.dtype)
    return totals.sum() + last_total, jnp.where(decisions, right, jnp.nan)


def rows_at_once(one: Iterable[Array]) -> int:
    """How many rows are evaluated at once, for the activations `one` of one row.

    The bound keeps the memory small; a result depends on it only through the order of a sum. At least a hundred rows
    are taken, because all weights are read once for every part.
    """
    return min(ROWS_OF_A_CALL, max(100, CACHED_NUMBERS // max(a.size for a in one)))


def _row_sums(y: Array) -> Array:
    """The sums of the rows, rounded to a thousandth, because soft desired outputs are rounded numbers."""
    return jnp.round(y.astype(jnp.float32).sum(axis=1), 3)
