"""How large the rounding errors of a function are: Monte Carlo arithmetic.

The function is run a few times, and every number that it rounds on the way is changed at random, by `AMPLIFIED` times
as much as rounding can change it. What comes out then moves by about that multiple of its own rounding error, however
the function cancels, saturates or sums. Comparisons and indices are those of the run without changes, so no run takes
another side of a `where`, or another winner of a maximum. A number that a function computes in float32 is changed by
as much as float32 rounds it. (Parker, Monte Carlo Arithmetic, 1997.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp

from fnn.types import Array

if TYPE_CHECKING:  # importing it defines a setting of JAX
    from jax.extend.core import Jaxpr

RUNS = 4
AMPLIFIED = 1024.0
FLOATING = (jnp.float64, jnp.float32, jnp.float16, jnp.bfloat16)
Pair = tuple[Any, Any]  # a number as it is, and as it is in a run with changes

INLINED = frozenset(
    {"jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "remat", "remat2", "checkpoint"}
)
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

        pairs = _run(closed.jaxpr, closed.consts, [(a, change(a)) for a in leaves], change)
        return [(b - a) / AMPLIFIED for a, b in pairs]

    moves = jax.lax.map(moved, jnp.arange(1.0, RUNS + 1))
    return jax.tree.unflatten(jax.tree.structure(result), [jnp.sqrt(jnp.square(m).mean(axis=0)) for m in moves])


def _run(jaxpr: Jaxpr, consts: Sequence[Any], arguments: list[Pair], change: Callable[[Any], Any]) -> list[Pair]:
    """The results of a program, as they are and with changes."""
    known = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*((c, c) for c in consts), *arguments], strict=True))

    def read(atom: Any) -> Pair:
        return (atom.val, atom.val) if hasattr(atom, "val") else known[atom]

    for equation in jaxpr.eqns:
        operands = [read(atom) for atom in equation.invars]
        if equation.primitive.name in INLINED:
            inner = equation.params.get("jaxpr") or equation.params["call_jaxpr"]
            results = _run(getattr(inner, "jaxpr", inner), getattr(inner, "consts", ()), operands, change)
        else:
            results = _operation(equation, operands, change)
        known.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def _operation(equation: Any, operands: list[Pair], change: Callable[[Any], Any]) -> list[Pair]:
    """The results of one operation; whole numbers and truth values are those without changes."""
    plain, moved = ([pair[run] for pair in operands] for run in (0, 1))
    results = zip(_bound(equation, plain), _bound(equation, moved), strict=True)
    pairs = [(a, b if jnp.issubdtype(jnp.result_type(a), jnp.floating) else a) for a, b in results]
    return pairs if equation.primitive.name in EXACT else [(a, change(b)) for a, b in pairs]


def _bound(equation: Any, values: list[Any]) -> list[Any]:
    results = equation.primitive.bind(*values, **equation.params)
    return results if equation.primitive.multiple_results else [results]


def _changed(a: Array, place: Array) -> Array:
    """`a` with every entry changed by up to `AMPLIFIED` units of its last place; `place` chooses the changes."""
    numbers = jnp.arange(a.size, dtype=float).reshape(a.shape)
    wild = 43758.5453 * jnp.sin(12.9898 * numbers + 78.233 * place)  # random enough, and quick to compile
    return a * (1 + AMPLIFIED * float(jnp.finfo(a.dtype).eps) * (2 * (wild - jnp.floor(wild)) - 1)).astype(a.dtype)
