"""The values of a function where one coordinate moves: what does not depend on it is not computed again.

A weight moves one unit of its layer, an input moves one example. So the program of the function is run once as it is,
and then, for every move, with the one row of each array that changes, as long as one row is all that changes. A product
is linear, so it changes by the product with the change of its operand. An operation that no rule below knows is
computed whole, and so is what comes after it. The values are those of the function, up to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from fnn.checking.programs import bound, run
from fnn.types import Array, Shape

ELEMENTWISE = frozenset(
    {"abs", "add", "and", "cbrt", "ceil", "convert_element_type", "copy", "cos", "cosh", "div", "eq", "erf", "erfc"}
    | {"exp", "exp2", "expm1", "floor", "ge", "gt", "integer_pow", "is_finite", "le", "log", "log1p", "logistic", "lt"}
    | {"max", "min", "mul", "ne", "neg", "not", "or", "pow", "rem", "round", "rsqrt", "select_n", "sign", "sin"}
    | {"sinh", "sqrt", "square", "stop_gradient", "sub", "tan", "tanh", "xor"}
)
REDUCED = frozenset({"reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "reduce_or", "reduce_and"})
SAME_NUMBERS = frozenset({"reshape", "squeeze", "expand_dims"})


class Row(NamedTuple):
    """The one row of an array that changes."""

    axis: int
    i: Array  # (), its number along the axis
    now: Array  # what it changes to; the axis has one entry

    def of(self, array: Array) -> Array:
        """The same row of another array, or of the array as it is."""
        return jax.lax.dynamic_slice_in_dim(array, self.i, 1, self.axis)


class Value(NamedTuple):
    """An array as it is, and what it changes to."""

    here: Any
    change: Any = None  # a `Row`, another array, or None if it does not change

    def whole(self) -> Any:
        """The array with its change."""
        if isinstance(self.change, Row):
            axis, i, now = self.change
            return jax.lax.dynamic_update_slice_in_dim(self.here, now, i, axis)
        return self.here if self.change is None else self.change


class Moves(NamedTuple):
    """Moves of single entries of a leaf, one at a time."""

    i: Any  # (m,), the entry that moves: its number in the flat leaf
    move: Any  # (m,), what is added to it
    count: Any  # (), how many of them are made; of the others the value is 0


def values_with_moves(value: Callable, tree: Any, constants: Any, moves: dict[int, Moves]) -> dict[int, Array]:
    """The values of `value(tree, constants)` after each of the moves of some leaves, by the number of the leaf."""
    closed = jax.make_jaxpr(value)(tree, constants)
    arrays, recorded = jax.tree.leaves((tree, constants)), []

    def record(equation: Any, operands: list[Any]) -> list[Any]:
        recorded.append(bound(equation, operands))
        return recorded[-1]

    run(closed.jaxpr, closed.consts, arrays, lambda array: array, record)

    def moved(leaf: int, i: Array, move: Array) -> Array:
        here = iter(recorded)
        arguments = [Value(array, _moved(array, i, move) if k == leaf else None) for k, array in enumerate(arrays)]
        (result,) = run(closed.jaxpr, closed.consts, arguments, Value, lambda *of: _operation(next(here), *of))
        return result.whole()

    def values(leaf: int, i: Array, move: Array, count: Array) -> Array:
        def one_more(k: Array, found: Array) -> Array:
            return found.at[k].set(moved(leaf, i[k], move[k]))

        return jax.lax.fori_loop(0, count, one_more, jnp.zeros(i.shape))

    return {leaf: values(leaf, *of) for leaf, of in moves.items()}


def _moved(array: Array, i: Array, move: Array) -> Row | Array:
    """A leaf with one entry moved."""
    if not array.ndim:
        return array + move
    width = array.size // len(array)
    row = Row(0, i // width, array[:1])
    entries = row.of(array).reshape(-1).at[i % width].add(move)
    return row._replace(now=entries.reshape(1, *array.shape[1:]))


def _operation(here: list[Array], equation: Any, operands: list[Value]) -> list[Value]:
    """The results of an operation; `here` are those without changes."""
    changes = [operand.change for operand in operands if operand.change is not None]
    if not changes:
        return [Value(array) for array in here]
    if all(isinstance(change, Row) for change in changes) and len({change.axis for change in changes}) == 1:
        change = _change(here[0], equation, operands, changes[0])
        if change is not None:
            return [Value(here[0], change)]
    return [*map(Value, here, bound(equation, [operand.whole() for operand in operands]))]


def _change(here: Array, equation: Any, operands: list[Value], row: Row) -> Row | Array | None:
    """What the result `here` of an operation changes to, by a rule; None if there is no rule for it.

    All operands that change do so in `row`, in the first of them this very one.
    """
    name, params, first = equation.primitive.name, equation.params, operands[0].here

    def apply(*arrays: Array) -> Array:
        return equation.primitive.bind(*arrays, **params)

    if name in ELEMENTWISE or (name == "concatenate" and params["dimension"] != row.axis):
        return row._replace(now=apply(*[_row(operand, row) for operand in operands]))
    if name == "dot_general":
        return _product(here, apply, params["dimension_numbers"], operands)
    if name == "transpose":
        return row._replace(axis=params["permutation"].index(row.axis), now=apply(row.now))
    if len(operands) > 1:  # a size that is traced, of a reshape say
        return None
    if name in REDUCED:
        return _reduced(here, apply, name, params["axes"], first, row)
    if name == "slice":
        return _sliced(first.shape, **params, row=row)
    if name == "broadcast_in_dim":
        return _broadcast(first.shape, here.shape, params["broadcast_dimensions"], row)
    return _reshaped(first.shape, here.shape, row) if name in SAME_NUMBERS else None


def _row(operand: Value, row: Row) -> Any:
    """The row of an operand, changed or not; a scalar has none."""
    if operand.change is not None:
        return operand.change.now
    return row.of(operand.here) if np.ndim(operand.here) else operand.here


def _product(here: Array, apply: Callable, numbers: Any, operands: list[Value]) -> Row | Array | None:
    """A product, which changes by the product with the change of its operand; None if both change."""
    (contracted, batch), sides = numbers, [operand.here for operand in operands]
    (k, row), *others = [(k, operand.change) for k, operand in enumerate(operands) if operand.change is not None]
    if others or row.axis in batch[k]:
        return None
    sides[k] = row.now - row.of(sides[k])
    if row.axis in contracted[k]:
        other = contracted[1 - k][contracted[k].index(row.axis)]
        sides[1 - k] = row._replace(axis=other).of(sides[1 - k])
        return here + apply(*sides)
    first, second = (
        [axis for axis in range(np.ndim(side)) if axis not in (*summed, *shared)]
        for side, summed, shared in zip(sides, contracted, batch, strict=True)
    )
    axes = [None] * len(batch[k]) + (first + [None] * len(second) if k == 0 else [None] * len(first) + second)
    row = row._replace(axis=axes.index(row.axis))
    return row._replace(now=row.of(here) + apply(*sides))


def _reduced(
    here: Array, apply: Callable, name: str, axes: tuple[int, ...], first: Array, row: Row
) -> Row | Array | None:
    """A sum, a maximum, ... along `axes`; None for all but a sum if the row is one of the terms."""
    if row.axis not in axes:
        return row._replace(axis=row.axis - sum(axis < row.axis for axis in axes), now=apply(row.now))
    return here + apply(row.now - row.of(first)) if name == "reduce_sum" else None


def _sliced(shape: Shape, start_indices: Shape, limit_indices: Shape, strides: Shape | None, row: Row) -> Row | None:
    """A part of an array, if it has all rows."""
    strides = strides or (1,) * len(shape)
    axis = row.axis
    if (start_indices[axis], limit_indices[axis], strides[axis]) != (0, shape[axis], 1):
        return None
    return row._replace(now=jax.lax.slice(row.now, start_indices, _replaced(limit_indices, axis, 1), strides))


def _broadcast(shape: Shape, into: Shape, dimensions: Shape, row: Row) -> Row | None:
    """An array with more axes, unless its only row becomes several."""
    axis = dimensions[row.axis]
    if shape[row.axis] != into[axis]:
        return None
    return row._replace(axis=axis, now=jax.lax.broadcast_in_dim(row.now, _replaced(into, axis, 1), dimensions))


def _reshaped(shape: Shape, into: Shape, row: Row) -> Row | None:
    """The same numbers in another shape, if the axis of the row is an axis of it too."""
    before, rows = math.prod(shape[: row.axis]), shape[row.axis]
    same = (k for k, size in enumerate(into) if size == rows and math.prod(into[:k]) == before)
    axis = next(same, None)
    return None if axis is None else row._replace(axis=axis, now=row.now.reshape(_replaced(into, axis, 1)))


def _replaced(items: Any, k: int, item: Any) -> tuple:
    return (*items[:k], item, *items[k + 1 :])
