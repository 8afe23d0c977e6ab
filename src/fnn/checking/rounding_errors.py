"""How large the rounding errors of a function are: Monte Carlo arithmetic.

The function is run a few times, and every number that it rounds on the way is changed at random, by `AMPLIFIED` times
as much as rounding can change it. What comes out then moves by about that multiple of its own rounding error, however
the function cancels, saturates or sums. Comparisons and indices are those of the run without changes, so no run takes
another side of a `where`, or another winner of a maximum. A number that a function computes in float32 is changed by
as much as float32 rounds it. (Parker, Monte Carlo Arithmetic, 1997.)
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

import jax
import jax.numpy as jnp

from fnn.checking.programs import bound, run
from fnn.types import Array

RUNS = 4
AMPLIFIED = 1024.0
FLOATING = (jnp.float64, jnp.float32, jnp.float16, jnp.bfloat16)
Pair = tuple[Any, Any]  # a number as it is, and as it is in a run with changes

EXACT = frozenset(
    {"abs", "broadcast_in_dim", "concatenate", "copy", "dynamic_slice", "gather", "max", "min", "neg", "pad"}
    | {"optimization_barrier", "reduce_max", "reduce_min", "reshape", "rev", "select_n", "sign", "slice", "squeeze"}
    | {"stop_gradient", "transpose"}
)


def rounding_errors(f: Callable[..., Any], *arguments: Any, kinds: tuple[type, ...] = FLOATING) -> Any:
    """The expected size of the rounding error of every entry of `f(*arguments)`, a tree like it; JAX can compile it.

    Each entry is the root of the mean square over `RUNS` runs. The arguments, trees of arrays, count as rounded too.
    Only numbers of the types `kinds` are changed: those whose rounding is no mistake.
    """
    closed, result = jax.make_jaxpr(f, return_shape=True)(*arguments)
    leaves = jax.tree.leaves(arguments)

    def moved(seed: Array) -> list[Array]:
        places = (seed + 0.37 * k for k in count(1))

        def change(a: Any) -> Array:
            return _changed(jnp.asarray(a), next(places)) if jnp.result_type(a) in map(jnp.dtype, kinds) else a

        arguments = [(a, change(a)) for a in leaves]
        pairs = run(closed.jaxpr, closed.consts, arguments, lambda a: (a, a), partial(_operation, change=change))
        return [(b - a) / AMPLIFIED for a, b in pairs]

    moves = jax.lax.map(moved, jnp.arange(1.0, RUNS + 1))
    return jax.tree.unflatten(jax.tree.structure(result), [jnp.sqrt(jnp.square(m).mean(axis=0)) for m in moves])


def _operation(equation: Any, operands: list[Pair], change: Callable[[Any], Any]) -> list[Pair]:
    """The results of one operation; whole numbers and truth values are those without changes."""
    plain, moved = ([pair[k] for pair in operands] for k in (0, 1))
    results = zip(bound(equation, plain), bound(equation, moved), strict=True)
    pairs = [(a, b if jnp.issubdtype(jnp.result_type(a), jnp.floating) else a) for a, b in results]
    return pairs if equation.primitive.name in EXACT else [(a, change(b)) for a, b in pairs]


def _changed(a: Array, place: Array) -> Array:
    """`a` with every entry changed by up to `AMPLIFIED` units of its last place; `place` chooses the changes."""
    numbers = jnp.arange(a.size, dtype=float).reshape(a.shape)
    wild = 43758.5453 * jnp.sin(12.9898 * numbers + 78.233 * place)  # random enough, and quick to compile
    return a * (1 + AMPLIFIED * float(jnp.finfo(a.dtype).eps) * (2 * (wild - jnp.floor(wild)) - 1)).astype(a.dtype)
