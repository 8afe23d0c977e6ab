"""Programs of JAX: compiled to run once, or run operation by operation with values of any kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # importing it defines a setting of JAX
    from jax.extend.core import Jaxpr

QUICKLY = {"xla_backend_optimization_level": 0}  # of LLVM: what runs once is compiled in half the time
INLINED = frozenset(
    {"jit", "pjit", "closed_call", "custom_jvp_call", "custom_vjp_call", "remat", "remat2", "checkpoint"}
)


def run(
    jaxpr: Jaxpr,
    consts: Sequence[Any],
    arguments: Sequence[Any],
    constant: Callable[[Any], Any],
    operation: Callable[[Any, list[Any]], Sequence[Any]],
) -> list[Any]:
    """The results of a program.

    Args:
        jaxpr: The program.
        consts: Its constants, arrays.
        arguments: Values of any kind.
        constant: The value that stands for an array.
        operation: The values that an operation, an equation of the program, makes of those of its operands.
    """
    known = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*map(constant, consts), *arguments], strict=True))

    def read(atom: Any) -> Any:
        return constant(atom.val) if hasattr(atom, "val") else known[atom]

    for equation in jaxpr.eqns:
        operands = [read(atom) for atom in equation.invars]
        if equation.primitive.name in INLINED:
            inner = equation.params.get("jaxpr") or equation.params["call_jaxpr"]
            called = getattr(inner, "jaxpr", inner), getattr(inner, "consts", ())
            results = run(*called, operands, constant, operation)
        else:
            results = operation(equation, operands)
        known.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in jaxpr.outvars]


def bound(equation: Any, arrays: list[Any]) -> list[Any]:
    """The results of an operation on arrays."""
    results = equation.primitive.bind(*arrays, **equation.params)
    return results if equation.primitive.multiple_results else [results]
