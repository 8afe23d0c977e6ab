"""A program of JAX that runs once, computed by NumPy: XLA takes longer to compile it than NumPy to run it.

So the opinion of automatic differentiation does not hang on the compiler that makes the program under test. NumPy does
the operations on float64 that it has under another name, or that move numbers; any other is left to JAX.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

from fnn.checking.programs import bound, run
from fnn.types import Shape

UFUNCS = {
    **{
        name: getattr(np, name)
        for name in ("exp", "exp2", "expm1", "floor", "ceil", "log", "log1p", "sin", "cos", "tan")
    },
    **{name: getattr(np, name) for name in ("sinh", "cosh", "tanh", "sqrt", "cbrt", "square", "sign")},
    **{"abs": np.abs, "neg": np.negative, "is_finite": np.isfinite, "not": np.logical_not},
    **{"add": np.add, "add_any": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power},
    **{"max": np.maximum, "min": np.minimum, "and": np.logical_and, "or": np.logical_or, "xor": np.logical_xor},
    **{
        "eq": np.equal,
        "ne": np.not_equal,
        "lt": np.less,
        "le": np.less_equal,
        "gt": np.greater,
        "ge": np.greater_equal,
    },
}
REDUCED = {"reduce_sum": np.sum, "reduce_max": np.max, "reduce_min": np.min, "reduce_or": np.any, "reduce_and": np.all}
COMPUTED_IN = frozenset(map(np.dtype, ("float64", "bool")))


def in_numpy(f: Callable[..., Any], *arguments: Any) -> Any:
    """`f(*arguments)`, a tree of arrays, computed by NumPy operation by operation."""
    closed, result = jax.make_jaxpr(f, return_shape=True)(*arguments)
    arrays = [np.asarray(array) for array in jax.tree.leaves(arguments)]
    with np.errstate(all="ignore"):
        found = run(closed.jaxpr, closed.consts, arrays, np.asarray, _operation)
    return jax.tree.unflatten(jax.tree.structure(result), [jax.device_put(array) for array in found])


def _operation(equation: Any, operands: list[np.ndarray]) -> list[np.ndarray]:
    """The results of an operation, by NumPy if it can."""
    name, params, shape = equation.primitive.name, equation.params, equation.outvars[0].aval.shape
    found = _moved(name, params, shape, operands)
    if found is None and {operand.dtype for operand in operands} <= COMPUTED_IN:
        found = _computed(name, params, operands)
    return [np.asarray(array) for array in (bound(equation, operands) if found is None else found)]


def _computed(name: str, params: dict[str, Any], operands: list[np.ndarray]) -> list[Any] | None:
    """The result of an operation that computes float64 or truth values; None if NumPy has none like it."""
    first = operands[0]
    if name in UFUNCS:
        return [UFUNCS[name](*operands)]
    if name in REDUCED:
        return [REDUCED[name](first, axis=tuple(params["axes"]))]
    match name:
        case "dot_general":
            return [_product(*operands, *params["dimension_numbers"])]
        case "integer_pow" if params["y"] >= 0:
            return [first ** params["y"]]
        case "logistic":
            return [1 / (1 + np.exp(-first))]
        case "rsqrt":
            return [1 / np.sqrt(first)]
    return None


def _moved(name: str, params: dict[str, Any], shape: Shape, operands: list[np.ndarray]) -> Sequence[Any] | None:
    """The results of an operation that puts numbers in other places; None if NumPy has none like it."""
    match name:
        case "copy" | "stop_gradient" | "optimization_barrier":
            return operands
        case "transpose":
            return [operands[0].transpose(params["permutation"])]
        case "reshape" | "squeeze" | "expand_dims":
            return [operands[0].reshape(shape)]
        case "broadcast_in_dim" if len(operands) == 1:
            return [_broadcast(operands[0], shape, params["broadcast_dimensions"])]
        case "slice":
            steps = params["strides"] or (1,) * len(shape)
            return [operands[0][tuple(map(slice, params["start_indices"], params["limit_indices"], steps))]]
        case "concatenate":
            return [np.concatenate(operands, axis=params["dimension"])]
        case "stack":
            return [np.stack(operands, axis=params["axis"])]
        case "split":
            return np.split(operands[0], np.cumsum(params["sizes"])[:-1], axis=params["axis"])
        case "select_n" if len(operands) == 3:
            return [np.where(operands[0], operands[2], operands[1])]
        case "iota" if not operands:
            numbers = np.arange(shape[params["dimension"]], dtype=params["dtype"])
            return [_broadcast(numbers, shape, (params["dimension"],))]
        case "convert_element_type" if params["new_dtype"] == np.float64:
            return [operands[0].astype(np.float64)]
        case "pad" if all(low >= 0 and high >= 0 and not between for low, high, between in params["padding_config"]):
            widths = [(low, high) for low, high, _ in params["padding_config"]]
            return [np.pad(operands[0], widths, constant_values=operands[1])]
    return None


def _product(a: np.ndarray, b: np.ndarray, contracted: Any, batch: Any) -> np.ndarray:
    """A product of tensors, as one of matrices for each place in the batch."""
    sides, free = [], []
    for array, summed, shared, last in zip((a, b), contracted, batch, (True, False), strict=True):
        mine = [axis for axis in range(array.ndim) if axis not in (*summed, *shared)]
        order = (*shared, *mine, *summed) if last else (*shared, *summed, *mine)
        sizes = [[array.shape[axis] for axis in axes] for axes in (shared, mine, summed)]
        count, k = int(np.prod(sizes[1])), int(np.prod(sizes[2]))
        sides.append(array.transpose(order).reshape(*sizes[0], *((count, k) if last else (k, count))))
        free += sizes[1]
    shared = [a.shape[axis] for axis in batch[0]]
    return np.matmul(*sides).reshape(*shared, *free)


def _broadcast(array: np.ndarray, shape: Shape, dimensions: Shape) -> np.ndarray:
    """An array with new axes, its own at the places `dimensions`."""
    places = dict(zip(dimensions, array.shape, strict=True))
    return np.broadcast_to(array.reshape([places.get(axis, 1) for axis in range(len(shape))]), shape)
