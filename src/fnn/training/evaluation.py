"""Evaluation: the mean cost and the accuracy of a network on a set of examples, exactly.

Shape letters: `n` examples in a set, `n_out` outputs.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, reduce
from typing import Any, Literal, NamedTuple, get_args

import jax
import jax.numpy as jnp
import numpy as np

from fnn.costs import blocks, check_values, row_sums
from fnn.examples import Examples
from fnn.kernels import products
from fnn.network import check_targets, forward
from fnn.training.augmentation import Shifted
from fnn.training.spreading import Spread, beside, unspread
from fnn.training.totals import Table, sums
from fnn.types import Array, Cost, Net, Params, short_repr

SUM_IS_1 = 0.0005  # the largest gap between 1 and the sum of a row of soft classes, which are rounded numbers
Z_AT_THE_ENDS = 30.0  # raw outputs of this size show whether a cost's outputs stay in 0 … 1
Measure = Literal["classes", "bits", "none"]  # what counts as right, see `evaluate`


class Evaluation(NamedTuple):
    """How a network does on a set of examples; both are means over all `n` of them."""

    cost: Array  # (), the cost without any penalty
    accuracy: (
        Array | np.ndarray
    )  # (), share of rows decided rightly in 0 … 1; nan for quantities, and if an output is nan

    __repr__ = short_repr


def evaluate(
    net: Net, cost: Cost, params: Params, examples: Examples | Shifted | Spread, *, measure: Measure | None = None
) -> Evaluation:
    """The mean cost and the accuracy over all examples, exactly, whatever their number.

    Penalties are not in the cost. If an output of the network is nan, so are both.

    Args:
        net: The layers.
        cost: The cost.
        params: Of `net`.
        examples: In memory or left in their file; those that are `spread` are evaluated by all their devices, each
            its part.
        measure: When a row is decided rightly.

            - `"classes"`: The largest output is the desired one. Of equal outputs the first counts.
            - `"bits"`, for binary codes, truth tables and several labels in a row: Every output is on the right side
              of 1/2. Exactly 1/2 counts as 0.
            - `"none"`, for quantities: The accuracy is nan.
            - `None`: `measure_for(cost, examples.y)` decides, from these examples alone. Another part of the same data
              may be decided otherwise: with a single row of two labels all rows are bits. To compare parts, decide once
              from all of them, as `fit` does, and pass that.

    Raises:
        TypeError: `x` or `y` is no array.
        ValueError: There are no examples, `y` does not fit the network's output, the cost does not take such `y`, or
            `measure` is not one of these.
    """
    check_kinds(cost, {"examples": examples})
    if not examples.n:
        raise ValueError("evaluate got 0 examples; a mean needs at least one.")
    check_parts(net, cost, params, {"": examples})
    if measure is None and isinstance(examples.y, jax.core.Tracer):
        classes, applies = _traced(cost, examples.y)
    else:
        measure = decided(measure, cost, examples.y)
        classes, applies = measure == "classes", measure != "none"
    found = sums(net, cost, beside(examples, params), Table(examples, (examples.n,)), classes)
    (evaluation,) = means(found, (examples.n,), applies)
    return evaluation


def measure_for(cost: Cost, *parts: Any) -> Measure:
    """When a row is decided rightly, from the desired outputs of all parts of the data together.

    - `"classes"`: There are several outputs, and in every row zeros and a one. A row of soft classes is one of any
      numbers that sum to 1; it counts only if the outputs of the cost are from 0 to 1 too.
    - `"bits"`: Any other zeros and ones.
    - `"none"`: Anything else, which is taken for quantities.

    Args:
        cost: The cost.
        parts: The `y` of each part, `(n, n_out)`; a part may be empty.
    """
    rows = [block for y in parts if len(y) for _, block in blocks(np.asarray(y))]
    binary = all(((block == 0) | (block == 1)).all() for block in rows)
    several = rows and rows[0].shape[1] > 1 and (binary or _gives_shares(cost, rows[0].shape[1]))
    if several and all((abs(row_sums(block) - 1) <= SUM_IS_1).all() for block in rows):
        return "classes"
    return "bits" if binary else "none"


def check_parts(net: Net, cost: Cost, params: Params, parts: Mapping[str, Examples | Shifted | Spread | None]) -> None:
    """Refuse examples that do not fit the net or the cost, before anything is compiled.

    Args:
        net: The layers.
        cost: The cost.
        params: Of `net`, or their shapes.
        parts: By name, which begins the message.

    Raises:
        TypeError: The cost is none, a part is no `Examples`, or its `x` or `y` is no array of numbers.
        ValueError: `x` and `y` have different numbers of rows, `y` does not fit the network's output, or the cost does
            not take such `y`.
    """
    check_kinds(cost, parts)
    for name, part in parts.items():
        if part is None or not part.n or isinstance(part.y, jax.core.Tracer):
            continue
        x = jax.ShapeDtypeStruct((len(part.y), *part.shape), part.dtype)
        try:
            check_targets(cost, _outputs.eval_shape(net, params, x), part.y)
            check_values(cost, np.asarray(part.y))
        except ValueError as error:
            raise ValueError(f"{name}: {error}" if name else str(error)) from None


def check_kinds(cost: Cost, parts: Mapping[str, Any]) -> None:
    """Refuse a cost and examples of another kind, and arrays that do not hold numbers.

    Raises:
        TypeError: It names what is wrong.
    """
    if not isinstance(cost, Cost) or isinstance(cost, type):
        raise TypeError(f"cost is {cost!r}; expected a cost, such as LogLikelihood().")
    for name, given in parts.items():
        part = unspread(given)
        if isinstance(part, Shifted) and isinstance(part.examples, Spread):
            raise TypeError(f"{name} is Shifted(spread(...)); expected spread(Shifted(...)).")
        if part is not None and not isinstance(part, Examples | Shifted):
            hint = " Of a Dataset these are data.train, data.validation, data.test." if hasattr(part, "train") else ""
            raise TypeError(f"{name} is a {type(part).__name__}; expected Examples(x, y).{hint}")
        for array, letter in ((part.x, "x"), (part.y, "y")) if isinstance(part, Examples) else ():
            if getattr(getattr(array, "dtype", None), "kind", "f") in "OSUMmc":
                raise TypeError(f"{name or 'examples'}: {letter} is an array of {array.dtype}; expected numbers.")


_outputs = jax.jit(forward)  # is never run: it keeps the shapes that it has traced


def means(parts: Iterable[tuple[Any, Any]], sizes: Sequence[int], applies: Any) -> list[Evaluation]:
    """The evaluation of each part of a table, from all its `sums`; the accuracies are nan unless they apply.

    Args:
        parts: The summed costs and the numbers of right rows, `(k,)`, or `(m, k)` for several networks.
        sizes: The number of rows of each of the k parts.
        applies: Whether the accuracies apply.
    """
    columns = (map(_in_numpy, column) for column in zip(*parts, strict=True))
    total, right = (reduce(operator.add, column) for column in columns)
    return [_mean(total[..., k], right[..., k], n, applies) for k, n in enumerate(sizes)]


def _in_numpy(array: Any) -> Any:
    """The numbers themselves, with which NumPy computes without compiling anything; within a program as they are."""
    return array if isinstance(array, jax.core.Tracer) else np.asarray(array)


def _mean(total: Any, right: Any, n: int, applies: Any) -> Evaluation:
    # inside jit XLA would turn a division by a constant into a product with its rounded reciprocal
    if applies is False:  # a nan that stays in NumPy raises no alarm under `jax_debug_nans`
        return Evaluation(jnp.asarray(total / n), np.full(right.shape, np.nan, right.dtype))
    accuracy = jnp.asarray(right / n)
    return Evaluation(jnp.asarray(total / n), accuracy if applies is True else jnp.where(applies, accuracy, jnp.nan))


def decided(measure: Measure | None, cost: Cost, *parts: Any) -> Measure:
    """`measure`, if there is one, else `measure_for` the desired outputs of all parts.

    Raises:
        ValueError: There is no such measure, or classes have one output.
    """
    if measure is None:
        return measure_for(cost, *parts)
    if measure not in get_args(Measure):
        raise ValueError(f"measure={measure!r}: expected 'classes', 'bits' or 'none', or None to decide from y.")
    if measure == "classes" and parts[0].shape[1:] == (1,):
        raise ValueError("measure='classes': of one output the largest is always right; expected 'bits' or 'none'.")
    return measure


def _traced(cost: Cost, y: Array) -> tuple[Array, Array]:
    """`measure_for`, decided inside a program that is being compiled."""
    y = y.reshape(len(y), -1)  # `y` may be labels without an axis of outputs; `sums_of_part` refuses them
    binary = ((y == 0) | (y == 1)).all()
    sums_to_1 = (abs(products.row_sums(y.astype(jnp.float32), "highest") - 1) <= SUM_IS_1).all()
    classes = sums_to_1 & (binary | _gives_shares(cost, y.shape[1])) & (y.shape[1] > 1)
    return classes, classes | binary


@cache
def _gives_shares(cost: Cost, n_out: int) -> bool:
    """Whether the outputs of a cost stay in 0 … 1, as those of a sigmoid or a softmax do."""
    with jax.ensure_compile_time_eval():
        a = cost.output(jnp.linspace(-Z_AT_THE_ENDS, Z_AT_THE_ENDS, 2 * n_out).reshape(2, n_out))
        return bool((a >= 0).all() & (a <= 1).all())
