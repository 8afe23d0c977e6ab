"""The inputs of a gradient check, in float64; what is refused is named in one line: what, got, expected, remedy."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from fnn.errors import InputError
from fnn.network import check_units
from fnn.types import Params, leaf_name


def as_params(params: Params) -> Params:
    """`params` in float64; to be called under `jax.enable_x64`.

    Raises:
        InputError: an empty leaf, a leaf of another kind than floating point, nan or infinity.
    """
    for path, leaf in jax.tree.leaves_with_path(params):
        if not np.size(leaf):
            raise InputError(f"{_in_params(path)} is empty: it has no derivative; expected at least one number.")
    return jax.tree.map_with_path(lambda path, leaf: _floating(_in_params(path), leaf), params)


def _in_params(path: Any) -> str:
    return f"params {leaf_name(path) or '(the tree itself)'}"


def _floating(what: str, leaf: object) -> jax.Array:
    kind = as_numbers(what, leaf).dtype
    if not jnp.issubdtype(kind, jnp.floating):
        raise InputError(f"{what} holds {kind}; expected floating point: use .astype('float32').")
    return as_array(what, leaf)


def as_array(what: str, array: object) -> jax.Array:
    """Any real array in float64.

    Raises:
        InputError: it is no array of numbers, or holds nan or infinity.
    """
    values = as_numbers(what, array).astype(np.float64)
    check_finite(what, values)
    return jax.device_put(values)  # unlike jnp.asarray it compiles nothing


def as_numbers(what: str, array: object) -> np.ndarray:
    """Any real array of NumPy.

    Raises:
        InputError: it is no array of real numbers.
    """
    try:
        values = np.asarray(array)
        if jnp.issubdtype(values.dtype, jnp.complexfloating) or values.dtype.kind in "OSUMm":
            raise TypeError
    except (TypeError, ValueError):
        raise InputError(f"{what} is a {type(array).__name__}; expected an array of real numbers.") from None
    return values


def as_batch(x: object, y: object) -> tuple[jax.Array, jax.Array]:
    """The examples in float64, whatever their type is.

    Raises:
        InputError: no examples, different numbers of `x` and `y`, nan or infinity, or bytes as images are stored.
    """
    try:
        check_units(x)
    except TypeError as error:
        raise InputError(str(error)) from None
    x, y = as_array("x", x), as_array("y", y)
    if x.ndim < 2 or not len(x):
        raise InputError(f"x has shape {x.shape}; expected (n, *shape) with at least one example.")
    if y.shape[:1] != x.shape[:1]:
        raise InputError(f"y has shape {y.shape}, x has {len(x)} rows; expected one row of y for each.")
    return x, y


def check_finite(what: str, values: np.ndarray) -> None:
    """Refuse nan and infinity, by name and index.

    Raises:
        InputError: with the first such entry, and how many there are.
    """
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        index = tuple(int(i) for i in bad[0])
        more = f" and {len(bad) - 1:,} more" if len(bad) > 1 else ""
        where = f"{what}[{', '.join(map(str, index))}]" if index else what
        raise InputError(f"{where} is {values[index]}{more}; expected finite numbers.")


def as_gradient(who: str, gradient: Params, params: Params) -> Params:
    """A gradient as NumPy arrays in float64.

    Raises:
        InputError: not a tree like `params`, leaf by leaf.
    """
    found, expected = jax.tree.structure(gradient), jax.tree.structure(params)
    if found != expected:
        raise InputError(f"{who} returned a tree {found}; expected one like params, {expected}.")
    return jax.tree.map_with_path(
        lambda path, g, p: _like(f"{who}: gradient {leaf_name(path) or 'x'}", g, p), gradient, params
    )


def _like(what: str, g: object, p: jax.Array) -> np.ndarray:
    values = as_numbers(what, g).astype(np.float64)
    if values.shape != p.shape:
        hint = " It looks transposed: W is (n_out, n_in)." if values.shape == p.shape[::-1] else ""
        raise InputError(f"{what} has shape {values.shape}; expected {p.shape}, as the parameter.{hint}")
    return values
